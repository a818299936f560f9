/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What generated programs are given: numbers, mostly at the edges of their widths, and
 * packets that look like ones.
 */
#include <string.h>

#include "base/bytes.h"
#include "oracle/generating.h"

static const u64 edges[] = {0,
			    1,
			    2,
			    7,
			    8,
			    31,
			    32,
			    63,
			    64,
			    0x7f,
			    0x80,
			    0xff,
			    0x7fff,
			    0x8000,
			    0xffff,
			    0x7fffffff,
			    0x80000000,
			    0xffffffff,
			    0x100000000,
			    0x7fffffffffffffff,
			    0x8000000000000000,
			    -1ull,
			    -2ull,
			    -128ull,
			    -32768ull,
			    -2147483648ull,
			    0x0123456789abcdef};

u64 gen_number(u64 *random)
{
	u64 r = gen_random(random);

	switch (r & 3) {
	case 0: return gen_random(random);
	case 1: return gen_random(random) >> (r >> 8 & 63);
	default: return edges[(r >> 8) % ARRAY_SIZE(edges)];
	}
}

static void make_packet(const struct gen_case *c, u64 *random, struct gen_input *in)
{
	static const u16 protocols[] = {0x0008, 0xdd86, 0x0081, 0xa888, 0x0608, 0x0500};
	u64 r = gen_random(random);

	in->packet_len = 14 + (u32)(r % (GEN_PACKET - 14 + 1));
	if (r >> 40 & 1)
		in->packet_len = 14 + (u32)(r % 40);
	for (u32 i = 0; i < GEN_PACKET; i += 8)
		store_u64(in->packet + i, gen_random(random));
	store_u16(in->packet + 12, protocols[(r >> 48) % ARRAY_SIZE(protocols)]);
	if (c->type == BPF_PROG_TYPE_SCHED_CLS) {
		/* Linux' test runs refuse what claims a header and ends before it does */
		u32 least = in->packet[12] == 8 ? 34 : in->packet[12] == 0x86 ? 54 : 14;

		in->packet_len = in->packet_len < least ? least : in->packet_len;
		if (r >> 41 & 1)
			memset(in->packet, 0, 6);
	}
	if (r >> 42 & 1)
		in->packet[14] = in->packet[12] == 8 ? 0x45 : 0x60;
}

void generate_input(const struct gen_case *c, u32 number, struct gen_input *in)
{
	u64 random = (c->seed << 8 | number) * 0x9e3779b97f4a7c15;

	memset(in, 0, sizeof(*in));
	for (u32 i = 0; i < GEN_MEM; i += 8)
		store_u64(in->scratch.mem + i, gen_number(&random));
	for (u32 i = 0; i < GEN_MEM && number % 4 == 0; i++)
		if (i / 24 % 3 == 0) /* something that strtol takes */
			in->scratch.mem[i] =
				(u8) " 0123456789-+x"[gen_random(&random) % 14];
	make_packet(c, &random, in);
}
