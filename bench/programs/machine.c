/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine of 8 registers runs a program in memory: a switch in a loop. */
#include "bench.h"

enum { CODE = 512, STEPS = 3000 };

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *code = mem;
	u64 *r = scratch(mem, len), sum = 0;
	u32 pc = 0;

	for (u32 i = 0; i < 8; i++)
		r[i] = i;
	for (u32 step = 0; step < STEPS; step++) {
		u32 insn = code[pc], d = insn >> 8 & 7, a = insn >> 12 & 7,
		    b = insn >> 16 & 7;

		pc = (pc + 1) % CODE;
		switch (insn & 15) {
		case 0: r[d] = r[a] + r[b]; break;
		case 1: r[d] = r[a] - r[b]; break;
		case 2: r[d] = r[a] * r[b]; break;
		case 3: r[d] = r[a] ^ r[b]; break;
		case 4: r[d] = r[a] & r[b]; break;
		case 5: r[d] = r[a] | r[b]; break;
		case 6: r[d] = r[a] << (b & 7); break;
		case 7: r[d] = r[a] >> (b & 7); break;
		case 8: r[d] = insn >> 20; break;
		case 9: r[d] += insn >> 24; break;
		case 10:
			if (r[a] > r[b])
				pc = (pc + (insn >> 28)) % CODE;
			break;
		case 11: r[d] = r[a] > r[b]; break;
		case 12: r[d] = -r[a]; break;
		case 13: r[d] = ~r[a]; break;
		case 14: sum += r[d]; break;
		default: r[d] = rotate64(r[a], 13); break;
		}
	}
	return sum + r[0];
}
