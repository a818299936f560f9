/* SPDX-License-Identifier: BSD-2-Clause */
/* Run-length coding, bytes; and the reverse of it. */
#include "bench.h"

enum { TEXT = 1024 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *bytes = mem;

	(void)len;
	for (u32 i = 1; i < TEXT; i++)
		if (bytes[i] % 5)
			bytes[i] = bytes[i - 1];
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *in = mem;
	u8 *out = scratch(mem, len), *back = out + 2048;
	u32 n = 0, m = 0;

	for (u32 i = 0; i < TEXT;) {
		u32 run = 1;

		while (i + run < TEXT && run < 255 && in[i + run] == in[i])
			run++;
		out[n++] = run;
		out[n++] = in[i];
		i += run;
	}
	for (u32 i = 0; i < n; i += 2)
		for (u32 k = out[i]; k; k--)
			back[m++] = out[i + 1];
	return n + ((u64)m << 32);
}
