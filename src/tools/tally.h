/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runs of a program answered: how often which verdict, and how long they took.
 * For src/tools.
 */
#ifndef SKEP_TOOLS_TALLY_H
#define SKEP_TOOLS_TALLY_H

#include "base/vec.h"

struct json;
struct skep_prog;
struct text;

enum { TALLY_MAX = 64 }; /* different results without a name; the others are one row */

struct tally {
	const struct skep_prog *prog; /* borrowed */
	struct vec rows;              /* struct tally_row */
	u64 runs, ns;
	u64 bytes_kept; /* of socket filters */
};

void tally_init(struct tally *t, const struct skep_prog *prog);
void tally_fini(struct tally *t);

/* len: of the packet, for socket filters, which keep a part of it. */
void tally_add(struct tally *t, u64 ret, u32 len, u64 ns);

double tally_ns_per_run(const struct tally *t);

/* "XDP_PASS 4,501  XDP_DROP 311", most frequent first. */
void tally_print(struct tally *t, struct text *text);
void tally_json(struct tally *t, struct json *j);

#endif
