/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as a person reads them: numbers in the order of the host, addresses as
 * addresses, structures by the names of their members.  JSON is src/btf's.  For
 * src/tools.
 */
#ifndef SKEP_TOOLS_SHOW_H
#define SKEP_TOOLS_SHOW_H

#include "base/bytes.h"

struct btf;
struct json;
struct text;

/* A value and its type; btf NULL or id 0: nobody knows it. */
struct typed {
	const struct btf *btf;
	u32 id;
	struct bytes data;
};

/* "{packets=12 bytes=3400}", "10.0.0.1", "XDP_PASS"; without a type a number, or hex. */
void show_value(struct text *t, const struct typed *value);

/* By BTF; without a type a number, or a string of hex digits. */
void show_json(struct json *j, const char *key, const struct typed *value);

/* "203.0.113.0/24" for the key of an LPM trie; as show_value() when it is no address. */
void show_prefix(struct text *t, const struct typed *key);

void show_ipv6(struct text *t, const u8 address[16]);

/* Adds the integers of `part` to those of `sum`, which has the same type and size; of
 * other types the first part that is not zero is kept. */
void show_add(const struct typed *part, u8 *sum);

/* The values of one element on all CPUs. */
struct percpu {
	struct typed first; /* of CPU 0 */
	u32 n, stride;      /* the others follow, so many bytes apart */
};
struct typed percpu_value(const struct percpu *p, u32 cpu);

/* All CPUs together: into room for one value. */
struct typed percpu_sum(const struct percpu *p, u8 *sum);

/* "12", or "12 = 5 + 7" where more than one CPU has a part. */
void show_percpu(struct text *t, const struct percpu *p, const struct typed *sum);

/* The first integer in it, to compare values by; 0: none. */
u64 show_weight(const struct typed *value);

bool show_is_zero(struct bytes data);

#endif
