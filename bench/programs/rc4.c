/* SPDX-License-Identifier: BSD-2-Clause */
/* RC4: its key schedule, then 2048 bytes of key stream over the input. */
#include "bench.h"

enum { KEY = 16, BYTES = 2048 };

INLINE void swap(u8 *a, u8 *b)
{
	u8 other = *a;

	*a = *b;
	*b = other;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *key = mem;
	u8 *state = scratch(mem, len);
	u64 sum = 0;
	u8 i = 0, j = 0;

	for (u32 k = 0; k < 256; k++)
		state[k] = k;
	for (u32 k = 0; k < 256; k++) {
		j += state[k] + key[k % KEY];
		swap(&state[k], &state[j]);
	}
	j = 0;
	for (u32 k = 0; k < BYTES; k++) {
		i++;
		j += state[i];
		swap(&state[i], &state[j]);
		sum = mix(sum, state[(u8)(state[i] + state[j])] ^ key[k]);
	}
	return sum;
}
