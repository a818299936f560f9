/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this kernel lets this process do, found by trying: a smallest program of each
 * type, a smallest map, a call of a helper, a hook of the process's own.
 *
 * What was made for a try is gone after it; nothing is attached to what others use: hooks
 * are an interface and a network namespace of a child process, a new cgroup, this very
 * program, and tracepoints that no-op programs visit for a moment.  Never does: conclude
 * from a version what can be tried.  For src/tools.
 */
#ifndef SKEP_KERN_PROBE_H
#define SKEP_KERN_PROBE_H

#include <skep/diag.h>

#include "base/arena.h"

struct btf;

enum probe_kind { PROBE_PROGRAM, PROBE_MAP, PROBE_HELPER, PROBE_HOOK, PROBE_KINDS };

struct prober {
	struct arena arena;
	const struct btf *vmlinux;   /* NULL: there is none */
	struct skep_diag types_diag; /* why not */
	u32 version;                 /* that runs: ABI_LINUX() */
};

struct probe {
	const char *name; /* "xdp", "hash", "tcx:lo:ingress"; static */
	bool works;
	struct skep_diag diag; /* why not */
};

int prober_init(struct prober *p, struct skep_diag *diag);
void prober_fini(struct prober *p);

u32 probe_count(enum probe_kind kind);
struct probe probe_try(const struct prober *p, enum probe_kind kind, u32 i);

/* Does Linux compile what it loads?  -errno: that cannot be known. */
int probe_jit(void);

/* ---- between probe.c and probe_hooks.c ---- */

/* Instructions as the kernel takes them. */
struct probe_insn {
	u8 code, regs;
	s16 off;
	s32 imm;
};

struct probe_program {
	u32 type, attach_type;
	const char
		*btf_name; /* what it attaches to, by the name of a type; NULL: nothing */
	u32 btf_kind;
	bool sleepable;
	const char *config; /* what a kernel is built with that has it */
};

/* A descriptor, or the errno with the reason. */
int probe_load(const struct prober *p, const struct probe_program *program,
	       const char *name, struct skep_diag *diag);

u32 probe_hook_count(void);
struct probe probe_hook(const struct prober *p, u32 i);

#endif
