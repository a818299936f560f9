/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generated case in the live kernel and in every engine of skep: the same inputs one
 * after another, each side with maps of its own; after each run R0, registers, scratch
 * memory, packet and context are compared, after the last one all maps.  The first side
 * (the kernel, where it runs programs) is right.
 * For tests/oracle.
 */
#ifndef SKEP_TESTS_COMPARE_H
#define SKEP_TESTS_COMPARE_H

#include <stdio.h>

#include "oracle/generate.h"

enum { KERNEL, FIRST_ENGINE, MAX_SIDES = 4, PACKET_ROOM = 24 * 1024 };

struct outcome {
	int err; /* of the run */
	u32 ret;
	u32 packet_len;
	u8 packet[PACKET_ROOM];
	u32 mark, priority, cb[5];
	struct gen_scratch scratch;
	char why[400]; /* err is not 0 */
};

enum verdict { SAME, DIFFERENT, REFUSED };

/* Who takes part. */
struct sides_opts {
	u32 cpu;       /* that everything runs on */
	FILE *log_to;  /* for what Linux' verifier says of programs it refuses; NULL */
	bool kernel;   /* is asked for its verdict */
	bool runs;     /* ... and for results */
	bool same;     /* results of all sides are compared: no program shows addresses */
	bool verifier; /* skep's is asked for its verdict, which must be the kernel's */
	bool claims;   /* ... and what it claims must be true */
	/* "interp,checked"; NULL: all, but those that may do harm only where the kernel
	 * has run the program first */
	const char *engines;
};

struct comparison {
	enum verdict verdict;
	bool too_complex; /* REFUSED: the verifier gave up */
	bool unclaimed;   /* too much is claimed to be checked */
	u64 runs;         /* of the program */
	u32 input;        /* after which the difference was seen */
	char text[600];   /* what differs, or the verifier's last words */
};

struct sides;

/* NULL where the machine does not let us. */
struct sides *sides_new(const struct sides_opts *opts);
void sides_free(struct sides *s);

/* Inputs first to first + n - 1. */
void compare(struct sides *s, const struct gen_case *c, u32 first, u32 n,
	     struct comparison *out);

/* What the kernel had after the last run, for the case that is written; NULL: it had no
 * part in it. */
const struct outcome *kernel_outcome(const struct sides *s);

#endif
