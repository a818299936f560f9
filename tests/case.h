/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case as its file says it: what a program is given, and what must come out.
 * docs/cases.md describes the files.  For run_cases.c and case_kernel.c.
 */
#ifndef SKEP_TESTS_CASE_H
#define SKEP_TESTS_CASE_H

#include "base/arena.h"
#include "base/vec.h"
#include "isa/asm.h"
#include "prog/prog.h"
#include "world/world.h"

struct map;
struct skep_diag;
struct text;

/* What starts the program; OTHER: whatever the section says, for verdicts only. */
enum hook { HOOK_RAW, HOOK_XDP, HOOK_TC, HOOK_SOCKET, HOOK_OTHER };

/* What a line "-- ..." wants. */
enum want_kind {
	WANT_R0,
	WANT_MEM,
	WANT_PACKET,
	WANT_MAP,
	WANT_PRINT,
	WANT_FAULT,
	WANT_REFUSE,
	WANT_KERNEL,
	WANT_REJECT,
	WANT_ACCEPT
};

/* What a line "-- kernel ..." says of Linux where it does not do as we do. */
enum kernel_want { KERNEL_REFUSES, KERNEL_ACCEPTS, KERNEL_R0 };

struct blob {
	u8 *bytes; /* owned */
	size_t len;
};

struct want {
	enum want_kind kind;
	u32 line;
	u64 number;        /* R0, kernel's R0 */
	struct blob value; /* mem, packet, map */
	struct blob key;   /* map */
	bool absent;       /* map: no such element */
	char name[64];     /* of the map, the diagnostic */
	s32 insn;          /* fault, refuse, reject; -1: anywhere */
	char text[256];    /* print; kernel: what the verifier says */
	enum kernel_want kernel;
};

struct test_case {
	const char *path;
	char *text; /* owned: the assembly, other lines blanked */
	enum hook hook;
	char section[128]; /* what the hook is called: "xdp", "fentry.s/vfs_read" */
	bool unprivileged; /* judged as for a loader without capabilities */
	bool no_perfmon;   /* ... with CAP_BPF, but without CAP_PERFMON */
	u32 flags;         /* loaded with these: enum verify_flag */
	char target[32];   /* another one than the Linux that runs; "": that */
	struct blob mem, packet;
	bool has_packet;
	struct world_script world;
	u32 n_cpus;
	u32 linear;
	bool scripted;    /* the world is said to be different from the machine */
	struct vec wants; /* struct want */
};

/* Complains on stderr.  case_free() in any case. */
int case_read(struct test_case *c, const char *path);
/* A case without text, for a program whose tags say the lines: case_line() each. */
void case_init(struct test_case *c, const char *path);
int case_line(struct test_case *c, const char *line);
void case_free(struct test_case *c);

/* Linux' names, for the assembler. */
extern const struct asm_names case_names;

/* The first line that wants this, or NULL. */
const struct want *case_wants(const struct test_case *c, enum want_kind kind);

/* Is it only a verdict that is wanted, nothing run? */
static inline bool case_is_verdict(const struct test_case *c)
{
	return case_wants(c, WANT_REJECT) || case_wants(c, WANT_ACCEPT);
}

/* The same bytes; if not, tells both. */
bool case_same_bytes(const struct blob *want, const u8 *got, size_t len,
		     struct text *told);

/* The case assembled: programs that refer to maps by definition. */
struct case_built {
	struct arena arena;
	struct asm_unit unit;
	struct map_def *defs; /* of the unit's maps, then of its data sections */
	const struct map_def **def_list;
	u32 n_maps;
	struct prog *progs; /* parallel to unit.funcs; those that are programs */
};

/* case_built_fini() in any case. */
int case_build(const struct test_case *c, struct case_built *built,
	       struct skep_diag *diag);
void case_built_fini(struct case_built *built);

/* Live maps, parallel to built->defs, with what their data sections start with; the first
 * error leaves the rest NULL.  map_put() each. */
int case_make_maps(const struct test_case *c, const struct case_built *built,
		   struct map **maps, struct skep_diag *diag);

#endif
