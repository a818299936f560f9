/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's verdict on a program, without Linux.
 *
 *	struct verify_opts opts = {.target = target};
 *	struct verify_result result;
 *	int err = verify_prog(prog, &opts, &result, diag);
 *	...
 *	verify_result_fini(&result);
 *
 * 0: accepted; our engines may run it unchecked, if they keep to result.ways.  Negative:
 * diag has the reason, id of base/reasons.def; REASON_UNSUPPORTED is no verdict.  Work and
 * memory are limited; the verdict depends on the program and the options alone.
 * Thread-safe.  Anybody above src/verify may include this.  docs/verifier.md tells how it
 * works.
 */
#ifndef SKEP_VERIFY_VERIFY_H
#define SKEP_VERIFY_VERIFY_H

#include <skep/diag.h>

#include "base/types.h"

struct btf;
struct env;
struct map_def;
struct prog;
struct state;
struct target;
struct text;

/* Watches the exploration; for logs, explanations and claims. */
struct verify_observer {
	void *arg;
	/* Before each instruction that is processed: the working state.  st->trail is the
	 * observer's, although st is const: to know a state again when its copies are. */
	void (*step)(void *arg, const struct env *env, const struct state *st, u32 pc);
	/* A path ends (by exit, or because an equal state was seen): at pc. */
	void (*end)(void *arg, const struct env *env, u32 pc, bool pruned);
};

/* What a loader may ask for, as in BPF_PROG_LOAD's prog_flags. */
enum verify_flag {
	VERIFY_STRICT_ALIGNMENT = 1 << 0,    /* BPF_F_STRICT_ALIGNMENT */
	VERIFY_TEST_STATE_FREQ = 1 << 3,     /* BPF_F_TEST_STATE_FREQ: states are kept everywhere */
	VERIFY_TEST_REG_INVARIANTS = 1 << 7, /* BPF_F_TEST_REG_INVARIANTS: contradictions are errors */
};
/* "strict_alignment", ...; 0: no flag is called so. */
u32 verify_flag(const char *name);

struct verify_opts {
	const struct target *target; /* borrowed */
	/* The program that an EXT or a TRACING program of a program attaches to, or NULL. */
	const struct prog *attach_prog;
	/* STRUCT_OPS: the map that has the program as a member; NULL: the section says which member. */
	const struct map_def *struct_ops;
	bool unprivileged;     /* judged as for a loader without CAP_BPF and CAP_PERFMON */
	bool no_perfmon;       /* ... for one with CAP_BPF, but without CAP_PERFMON */
	u32 flags;             /* enum verify_flag */
	bool all_precise;      /* no imprecise scalars: slower, for claims */
	bool never_widens;     /* no round of a loop makes one unknown: may not end */
	u32 n_cpus;            /* of the machine that runs it; fewer count as the target's */
	bool ways;             /* result.ways is wanted */
	u32 max_insns;         /* 0: Linux's 1,000,000 */
	u64 max_memory;        /* bytes of states; 0: 64 MB, and 96 bytes an instruction */
	const struct verify_observer *observer; /* NULL: nobody watches */
};

struct verify_stats {
	u32 insns_processed, states, peak_states;
	u64 time_ns, memory; /* at most at once */
};

/* What the reason names (blame.c). */
struct verify_blame {
	s32 reg;       /* register; -1: none */
	s32 stack_off; /* offset into the stack; 0: none */
	s32 insn;      /* another instruction; -1: none */
};

/* What an engine must know of an instruction of a program with an arena: of no other
 * program does it need the verifier to run it. */
enum verify_arena {
	ARENA_ACCESS = 1, /* through a pointer into the arena */
	ARENA_CUT = 2,    /* computes with one: the upper half of the result is 0 */
};

/*
 * Which ways of a conditional jump were looked at; of other instructions, whether they
 * were.  Whoever runs a program unchecked owes it that no other way is gone: the jump is
 * made to go its one way, as Linux does (opt_hard_wire_dead_code_branches).  With numbers
 * that changes nothing: where one outcome only was possible in a state, the operands were
 * precise in all states that count as equal to it.  With pointers to packets it does: that
 * one was beyond the end is believed, as by Linux, although it was moved since, and the
 * code behind the other way was not judged (result.believed: not for this state).
 * Nothing else that was seen may be believed: a register that was the same constant each
 * time may be another one in a state that was not looked at, because nothing depended on
 * it.
 */
enum verify_way {
	VERIFY_WENT_ON = 1,
	VERIFY_JUMPED = 2,
};

/* What a program takes from its context without asking.  Who runs it unchecked owes it that
 * so much is there, and that what it believes of it holds. */
struct verify_context {
	u32 size; /* bytes: no access is behind them */
	/* 1 + an instruction that reads what is more than any number: a pointer of the
	 * kernel's, a result within a range; 0: there is none */
	u32 believed;
};

/* How the refused instruction was reached: instructions in order; owned by the result. */
struct verify_result {
	struct verify_stats stats;
	u32 *path;
	u32 n_path;
	bool path_cut; /* the start is missing: too long */
	u32 *work;     /* how often each instruction was processed; n_insns, or NULL */
	u32 n_work;
	u32 map_struct; /* 1 + an instruction that reads Linux' own struct of a map; 0: none does */
	/* 1 + a jump that goes both ways although for some state only one was looked at, which
	 * Linux believes of a pointer to a packet that was moved since it was compared: nothing
	 * that runs unchecked is safe then; 0: there is none */
	u32 believed;
	/* 1 + a call of a function that reads what it is given, whatever that is, as Linux
	 * survives it (arg:untrusted); 0: none */
	u32 untrusted;
	struct verify_context context; /* of an accepted program */
	u8 *arena; /* enum verify_arena; n_insns, of accepted programs with an arena; else NULL */
	u8 *ways; /* of an accepted program: by instruction, enum verify_way; 0: never looked at.
		     What reads maps (.rodata) holds for the maps it was judged with */
	struct verify_blame blame;
};

int verify_prog(const struct prog *prog, const struct verify_opts *opts,
		struct verify_result *result, struct skep_diag *diag);
void verify_result_fini(struct verify_result *result);

/* ---- what maps must know, too ---- */

/* A part of a map's values that programs use by helpers only: a lock, a timer, a pointer
 * that owns an object ... */
struct verify_field {
	u32 offset, size;
	bool is_spin_lock, is_res_spin_lock;
};

struct verify_fields {
	u32 n;
	struct verify_field list[11]; /* by offset */
};

/* Asks for the maps of an object, one after the other. */
struct verify_maps {
	const struct target *target; /* borrowed */
	const struct btf *btf;       /* borrowed: the object's; NULL: none */
	u32 looked; /* starts with 0: bounds the work for all maps together */
};

/* Those that verify_prog() takes for granted: who makes the map must spare them. */
int verify_map_fields(struct verify_maps *maps, const struct map_def *def,
		      struct verify_fields *fields, struct skep_diag *diag);

/* The name of the verdict: "accepted", "rejected", "unsupported". */
const char *verify_verdict(int err, const struct skep_diag *diag);

#endif
