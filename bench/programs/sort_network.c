/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks that sort eight words in registers: minima and maxima. */
#include "bench.h"

#define ORDER(a, b)                                                                      \
	do {                                                                             \
		u32 low = a < b ? a : b, high = a < b ? b : a;                           \
		a = low;                                                                 \
		b = high;                                                                \
	} while (0)

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *in = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < 512; i += 8) {
		u32 a = in[i], b = in[i + 1], c = in[i + 2], d = in[i + 3];
		u32 e = in[i + 4], f = in[i + 5], g = in[i + 6], h = in[i + 7];

		ORDER(a, b);
		ORDER(c, d);
		ORDER(e, f);
		ORDER(g, h);
		ORDER(a, c);
		ORDER(b, d);
		ORDER(e, g);
		ORDER(f, h);
		ORDER(b, c);
		ORDER(f, g);
		ORDER(a, e);
		ORDER(d, h);
		ORDER(b, f);
		ORDER(c, g);
		ORDER(b, e);
		ORDER(d, g);
		ORDER(c, e);
		ORDER(d, f);
		ORDER(d, e);
		sum = mix(sum, a + 3 * (u64)b + 5 * (u64)c + 7 * (u64)d + 11 * (u64)e +
				       13 * (u64)f + 17 * (u64)g + 19 * (u64)h);
	}
	return sum;
}
