/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options that several commands have, in the same words everywhere: rows for their tables
 * of struct option_def.  What means something else in a command has its own row there.
 * For src/tools.
 */
#ifndef SKEP_TOOLS_OPTIONS_H
#define SKEP_TOOLS_OPTIONS_H

/* ---- what programs run on ---- */

#define OPTION_PACKET                                                                    \
	{                                                                                \
		"packet", 0, "HEX", "Input",                                             \
			"run it on the packet with these bytes; may be given again"      \
	}
#define OPTION_CTX                                                                       \
	{                                                                                \
		"ctx", 0, "FILE", "Input",                                               \
			"run it on this context, for programs that do not work on "      \
			"packets; - is "                                                 \
			"standard input"                                                 \
	}
#define OPTION_LINK                                                                      \
	{                                                                                \
		"link", 0, "ethernet|ip", "Input",                                       \
			"what the bytes of --packet start with (ethernet)"               \
	}

/* ---- which programs, and what they start with ---- */

#define OPTION_CHOSEN_PROG                                                               \
	{                                                                                \
		"prog", 'p', "NAME", "Program",                                          \
			"which program; needed when there are several to choose from"    \
	}
#define OPTION_ONLY_PROG(group)                                                          \
	{                                                                                \
		"prog", 'p', "NAME", group, "only this program; may be given again"      \
	}
#define OPTION_VAR                                                                       \
	{                                                                                \
		"var", 0, "NAME=VALUE", "Program",                                       \
			"set a global variable before loading; may be given again"       \
	}
#define OPTION_SET                                                                       \
	{                                                                                \
		"set", 0, "MAP KEY VALUE", "Program",                                    \
			"set an element of a map after loading; keys and values by "     \
			"their types: "                                                  \
			"numbers, names of enumerators, {a, b}, addresses, 10.0.0.0/8 "  \
			"for LPM tries, "                                                \
			"0x:0a0b for bytes, names for maps of programs and of maps; "    \
			"may be given again"                                             \
	}

/* ---- what they are loaded for ---- */

#define OPTION_BTF                                                                       \
	{                                                                                \
		"btf", 0, "FILE", "Target",                                              \
			"types of the kernel that programs are fitted to "               \
			"(/sys/kernel/btf/vmlinux, "                                     \
			"where it exists)"                                               \
	}
#define OPTION_TARGET                                                                    \
	{                                                                                \
		"target", 0, "NAME", "Target",                                           \
			"what programs are loaded for: linux, linux-6.12, ... (linux)"   \
	}
#define OPTION_KCONFIG                                                                   \
	{                                                                                \
		"kconfig", 0, "FILE", "Target",                                          \
			"configuration of that kernel, for externs of .kconfig "         \
			"(/boot/config-RELEASE "                                         \
			"or /proc/config.gz, where they exist)"                          \
	}

/* ---- what is shown ---- */

#define OPTION_EVENTS                                                                    \
	{                                                                                \
		"events", 0, "N", "Output",                                              \
			"show the first N events and printed lines, and only count the " \
			"others; "                                                       \
			"without it all are shown"                                       \
	}
#define OPTION_EVENT_TYPE                                                                \
	{                                                                                \
		"event-type", 0, "STRUCT", "Output",                                     \
			"the type of what programs send through ring buffers and perf "  \
			"events; without "                                               \
			"it, it is guessed from the size"                                \
	}

#endif
