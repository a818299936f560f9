/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of the register allocator share: ranges.c finds where values live,
 * coalesce.c joins those that a PHI joins, alloc.c gives them places.
 *
 * A position is twice the number of an instruction: operands are read there, clobbers and
 * the result are written at the next one.  Values that share a place are a class, named
 * by one of them; only there do the fields that speak of a class hold.  Value 0, "none",
 * stands for the run, which is a parameter like others but needs no instruction.
 */
#ifndef SKEP_EXEC_JIT_ALLOC_H
#define SKEP_EXEC_JIT_ALLOC_H

#include "exec/jit/machine.h"

enum { RUN_VALUE = 0 };

struct range {
	u32 from, to; /* [from, to) */
};

enum value_flag {
	VALUE_REBUILT = 1,  /* CONST, ADDR, FRAME: needs no place */
	VALUE_OPERAND = 2,  /* of something else than calls and PHIs */
	VALUE_ARGUMENT = 4, /* of the PHI `toward` itself */
};

enum { HINTS = 2 };

struct value {
	u32 class; /* union-find: another value of the same class, or itself */
	/* Of a class: where it lives, sorted, not touching except where an instruction
	 * reads an operand and writes its result to the same class. */
	u32 ranges, n_ranges; /* in alloc->ranges */
	u32 room;             /* for so many there, at least; 0: just these */
	u32 length;           /* sum of them */
	float weight;         /* what it costs to have no register */
	float hint_weight[HINTS];
	u8 hint[HINTS]; /* registers that it had better be in, best first; or NO_REG */
	u8 flags;       /* enum value_flag */
	s16 place;      /* like allocation.loc */
	u32 toward;     /* a PHI that it, or what is made of it, becomes an argument of */
	u32 argument_of; /* block of that PHI */
	u32 cursor;      /* scan: its first range that is not over */
	u32 next;        /* scan: class that starts at the same instruction */
	/* While ranges are sought. */
	u32 reads; /* list in alloc->reads: last ones in other blocks */
	u32 last;  /* end of the last read in its own block */
	u32 seen;  /* 1 + number of the block where a read was found last */
};

/* A value is alive in a block from somewhere before it (or its definition) up to here. */
struct read {
	u32 next; /* of the same value; 0: none */
	u32 block;
	u32 to;
};

struct clobber {
	u32 at;   /* position: an odd one */
	u32 mask; /* registers */
};

struct alloc {
	const struct ir *ir;
	const struct machine *machine;
	u32 features;
	struct value *values; /* ir->n_insns */
	u32 params[1 +
		   MAX_ARGS]; /* the PARAM that stands for all with its number, or 0 */
	float wish[32];       /* by register: how much it is wished */
	float *freq;          /* of blocks: how often they are thought to be executed */
	struct range *ranges;
	u32 n_ranges, cap_ranges;
	struct clobber *clobbers; /* ascending */
	u32 n_clobbers, cap_clobbers;
	struct read *reads; /* [0] is none */
	u32 n_reads, cap_reads;
	bool no_memory;
};

/* More room in an array of the arena: a pointer to the new last element, or NULL (and
 * no_memory). */
void *alloc_grow(struct alloc *a, void *array, u32 *n, u32 *cap, size_t size);

/* (ranges.c) */
void find_ranges(struct alloc *a);
/* Operands that the result had better be written over, best first. */
u32 written_over(const struct ir_insn *insn, u32 over[2]);
void add_hint(struct value *v, u8 reg, float weight);

/* (coalesce.c) */
void coalesce_phis(struct alloc *a);
u32 class_of(struct alloc *a, u32 value);
bool ranges_meet(const struct alloc *a, const struct value *x, const struct value *y);

#endif
