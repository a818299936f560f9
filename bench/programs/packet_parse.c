/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames parsed to their TCP options: Ethernet, VLAN tags, IPv4 with options, TCP. */
#include "bench.h"

enum { FRAME = 128, ETH = 14, VLAN = 4, TCP = 20 };

INLINE u32 be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

/* The maximum segment size, or 0. */
INLINE u32 find_mss(const u8 *option, const u8 *end)
{
	while (option < end && option[0]) {
		if (option[0] == 1) { /* no operation */
			option++;
			continue;
		}
		if (option + 2 > end || option[1] < 2 || option + option[1] > end)
			return 0;
		if (option[0] == 2 && option[1] == 4)
			return be16(option + 2);
		option += option[1];
	}
	return 0;
}

INLINE u64 parse(const u8 *frame)
{
	const u8 *end = frame + FRAME, *at = frame + ETH, *tcp;
	u32 type = be16(frame + 12), header;

	for (u32 i = 0; i < 2 && type == 0x8100; i++) {
		type = be16(at + 2);
		at += VLAN;
	}
	if (type != 0x0800 || at[0] >> 4 != 4 || at[9] != 6)
		return 1;
	tcp = at + (at[0] & 15) * 4;
	if (tcp + TCP > end)
		return 2;
	header = (tcp[12] >> 4) * 4;
	if (header < TCP || tcp + header > end)
		return 3;
	return (u64)be16(tcp) << 32 | be16(tcp + 2) << 16 |
	       find_mss(tcp + TCP, tcp + header);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *frames = mem;
	u64 n = input_size(len), sum = 0;

	for (u64 at = 0; at + FRAME <= n; at += FRAME)
		sum = mix(sum, parse(frames + at));
	return sum;
}

#ifndef __bpf__
static u8 *put(u8 *at, u32 a, u32 b)
{
	at[0] = a;
	at[1] = b;
	return at + 2;
}

static void make_frame(u8 *frame, u32 number)
{
	u8 *at = frame + 12, *tcp;

	for (u32 i = 0; i < number % 3; i++)
		at = put(put(at, 0x81, 0), 0, number);
	at = put(at, 0x08, 0);
	at[0] = 0x45 + number % 2; /* with or without an option */
	at[9] = number % 16 == 15 ? 17 : 6;
	tcp = at + (at[0] & 15) * 4;
	tcp[12] = 0xa0;
	at = tcp + TCP;
	for (u32 i = 0; i < number % 5; i++)
		*at++ = 1;
	at = put(put(at, 2, 4), 0x05, 0xb4);
	put(at, 0, 0);
}

void prepare(void *mem, u64 len)
{
	for (u32 i = 0; (i + 1) * FRAME <= input_size(len); i++)
		make_frame((u8 *)mem + i * FRAME, i);
}
#endif
