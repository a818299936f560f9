/* SPDX-License-Identifier: BSD-2-Clause */
/* A generation of Conway's game on a field without edges: eight neighbours of a byte. */
#include "bench.h"

enum { SIDE = 32 };

INLINE u32 cell(const u8 *field, s32 x, s32 y)
{
	return field[(y & (SIDE - 1)) * SIDE + (x & (SIDE - 1))];
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *input = mem;
	u8 *field = scratch(mem, len), *next = field + SIDE * SIDE;
	u32 alive = 0;

	for (u32 i = 0; i < SIDE * SIDE; i++)
		field[i] = input[i] & 1;
	for (s32 y = 0; y < SIDE; y++)
		for (s32 x = 0; x < SIDE; x++) {
			u32 n = 0, at = y * SIDE + x;

			for (s32 dy = -1; dy <= 1; dy++)
				for (s32 dx = -1; dx <= 1; dx++)
					if (dx || dy)
						n += cell(field, x + dx, y + dy);
			next[at] = n == 3 || (n == 2 && field[at]);
			alive += next[at];
		}
	return alive;
}
