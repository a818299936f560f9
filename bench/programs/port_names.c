/* SPDX-License-Identifier: BSD-2-Clause */
/* A switch over numbers that lie far apart, of which clang makes comparisons for BPF. */
#include "bench.h"

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	static const u16 ports[] = {20,   22,    53, 80,   443, 8080, 995,  162,
				    5432, 11211, 77, 4000, 993, 25,   6379, 65000};
	u16 *at = mem;

	for (u64 i = 0; i < len / 2 / sizeof(*at); i++)
		at[i] = ports[at[i] >> 4 & 15];
}
#endif

INLINE u32 service(u32 port)
{
	switch (port) {
	case 20:
	case 21: return 1;
	case 22: return 2;
	case 23: return 3;
	case 25:
	case 465:
	case 587: return 4;
	case 53: return 5;
	case 80:
	case 8000:
	case 8080: return 6;
	case 443:
	case 8443: return 7;
	case 110:
	case 995: return 8;
	case 143:
	case 993: return 9;
	case 161:
	case 162: return 10;
	case 3306: return 11;
	case 5432: return 12;
	case 6379: return 13;
	case 11211: return 14;
	default: return port < 1024 ? 15 : 16;
	}
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u16 *ports = mem;
	u64 sum = 0;

	for (u64 i = 0; i < input_size(len) / sizeof(*ports); i++)
		sum = 5 * sum + service(ports[i]);
	return sum;
}
