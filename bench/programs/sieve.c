/* SPDX-License-Identifier: BSD-2-Clause */
/* The sieve of Eratosthenes over 4096 numbers, a byte each. */
#include "bench.h"

PROGRAM u64 bench(void *mem, u64 len)
{
	u8 *composite = scratch(mem, len);
	u32 n = input_size(len), primes = 0;

	for (u32 i = 0; i < n / sizeof(u64); i++)
		((u64 *)composite)[i] = 0;
	for (u32 i = 2; i < n; i++) {
		if (composite[i])
			continue;
		primes++;
		for (u32 multiple = i * i; multiple < n; multiple += i)
			composite[multiple] = 1;
	}
	return primes;
}
