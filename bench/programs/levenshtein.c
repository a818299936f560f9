/* SPDX-License-Identifier: BSD-2-Clause */
/* The edit distance of two words of 48 letters, one row of the table at a time. */
#include "bench.h"

enum { N = 48 };

INLINE u32 least(u32 a, u32 b)
{
	return a < b ? a : b;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *a = mem, *b = a + N;
	u32 *row = scratch(mem, len);

	for (u32 j = 0; j <= N; j++)
		row[j] = j;
	for (u32 i = 1; i <= N; i++) {
		u32 diagonal = row[0];

		row[0] = i;
		for (u32 j = 1; j <= N; j++) {
			u32 above = row[j];
			u32 replaced = diagonal + ((a[i - 1] & 7) != (b[j - 1] & 7));

			row[j] = least(replaced, least(above, row[j - 1]) + 1);
			diagonal = above;
		}
	}
	return row[N];
}
