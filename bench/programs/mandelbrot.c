/* SPDX-License-Identifier: BSD-2-Clause */
/* The Mandelbrot set in fixed point: signed multiplications, arithmetic shifts. */
#include "bench.h"

enum { WIDTH = 32, HEIGHT = 24, STEPS = 48, POINT = 24 };

INLINE u32 steps_of(s64 x, s64 y)
{
	s64 a = 0, b = 0;

	for (u32 i = 0; i < STEPS; i++) {
		s64 aa = a * a >> POINT, bb = b * b >> POINT;

		if (aa + bb > 4ll << POINT)
			return i;
		b = (a * b >> (POINT - 1)) + y;
		a = aa - bb + x;
	}
	return STEPS;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	u8 *picture = scratch(mem, len);
	u64 sum = 0;

	for (s32 row = 0; row < HEIGHT; row++) {
		s64 y = (s64)(row - HEIGHT / 2) << (POINT - 3);

		for (s32 column = 0; column < WIDTH; column++) {
			s64 x = (s64)(column - 22) << (POINT - 3);
			u32 steps = steps_of(x, y);

			*picture++ = steps;
			sum += steps;
		}
	}
	return sum;
}
