/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why something was refused, as a value.
 *
 * Every function of libskep that can fail takes a struct skep_diag owned by the caller
 * and fills it on failure; NULL is allowed where the story is not wanted.  Nothing is
 * allocated, so that running out of memory can be reported too.  The first error wins:
 * outer layers only add where they were.
 */
#ifndef SKEP_DIAG_H
#define SKEP_DIAG_H

#ifdef __cplusplus
extern "C" {
#endif

/** A refusal: what, where, why, and what to do about it.  Initialise with SKEP_DIAG_INIT
 * or zeroes. */
struct skep_diag {
	int id;   /**< 0: nothing happened; skep_diag_name() gives its stable name */
	int err;  /**< the errno value it stands for, negative; 0 if nothing happened */
	int insn; /**< index of the instruction in its program, or -1 */
	int line; /**< source line, or 0 */
	char file[96];   /**< source file of that line, or "" */
	char where[160]; /**< place in words, outermost first: "a.bpf.o: xdp: maps
			    section" */
	char text[320];  /**< what happened */
	const char *
		advice; /**< what to do about it; static storage; NULL if nothing helps */
};

#ifdef __cplusplus
#define SKEP_DIAG_INIT                                                                   \
	{                                                                                \
		0, 0, -1, 0, "", "", "", nullptr                                         \
	}
#else
#define SKEP_DIAG_INIT                                                                   \
	{                                                                                \
		.insn = -1                                                               \
	}
#endif

/**
 * The stable name of a diagnostic ("BAD_ELF_HEADER"), the one that JSON output and the
 * documentation use.
 * @param id skep_diag.id
 * @return static string; "NONE" for 0 and for ids that do not exist. Thread-safe.
 */
const char *skep_diag_name(int id);

#ifdef __cplusplus
}
#endif
#endif
