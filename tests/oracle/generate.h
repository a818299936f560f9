/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs that Linux's verifier accepts, that end, and whose results depend on
 * their input alone: no address, clock or random number ever reaches a result.
 *
 * A program is a sequence of statements.  Between two statements R0 to R8 hold numbers
 * and R9 the address of the scratch memory (a map's value), so that any statement can be
 * taken out and the rest is still such a program: shrinking needs nothing else.  What
 * comes out is R0, all registers and memory in the scratch value, the packet, the maps.
 * A seed is a case, with its inputs; small ones have the same statements, fewer of them,
 * and fewer registers in play.  For tests/oracle.
 */
#ifndef SKEP_TESTS_GENERATE_H
#define SKEP_TESTS_GENERATE_H

#include "isa/insn.h"

enum {
	GEN_INSNS = 3000,
	GEN_RANGES = 2000,
	GEN_PROGS = 3,
	GEN_FUNCS = 12,   /* in a program */
	GEN_REGS = 9,     /* R0 to R8 are stored when a program ends */
	GEN_MEM = 432,    /* bytes of scratch memory beside them */
	GEN_VALUE = 24,   /* bytes of a value in every other map */
	GEN_KEYS = 8,     /* different keys of a hash */
	GEN_PACKET = 256, /* the longest that goes in */
	GEN_INPUTS = 64,  /* at most */
};

/* The value of GEN_SCRATCH. */
struct gen_scratch {
	u64 regs[GEN_REGS];
	u64 spare;
	u8 mem[GEN_MEM];
};

/* Maps of a case; LDDW_MAP_IDX's imm is one of these. */
enum gen_map {
	GEN_SCRATCH,
#define M(name, ...) GEN_##name,
#include "oracle/maps.def"
#undef M
	GEN_MAPS
};

/* Instructions that may be taken out together. */
struct gen_range {
	u32 start, n;
};

struct gen_prog {
	struct insn insns[GEN_INSNS];
	u32 n_insns;
	struct gen_range ranges[GEN_RANGES];
	u32 n_ranges;
};

struct gen_case {
	u64 seed;
	bool small;
	u32 type; /* BPF_PROG_TYPE_XDP, _SCHED_CLS */
	struct gen_prog
		progs[GEN_PROGS]; /* the first starts; slots of GEN_JUMPS hold all */
	u32 n_progs;
};

struct gen_input {
	struct gen_scratch scratch;
	u8 packet[GEN_PACKET];
	u32 packet_len;
};

/* unsafe: other than what was said above, no program may be accepted. */
void generate(struct gen_case *c, u64 seed, bool small, bool unsafe);
/* A few instructions become others: what comes out may do anything. */
void gen_mutate(struct gen_case *c);
void generate_input(const struct gen_case *c, u32 number, struct gen_input *in);

/* Which maps the instructions refer to: bits. */
u32 gen_maps_used(const struct gen_case *c);

/* Where the functions start; returns how many, at most GEN_FUNCS. */
u32 gen_functions(const struct gen_prog *p, u32 *starts);

/* Takes out a range, and the functions that nobody calls then; jumps are kept right. */
void gen_take_out(struct gen_prog *p, struct gen_range range);

#endif
