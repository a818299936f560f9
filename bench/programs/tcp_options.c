/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet with up to two VLAN tags, IPv4 with options, TCP and its options. */
#include "bench.h"

enum { FRAMES = 32, FRAME = 128 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	static const u8 options[20] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2,
				       3, 4, 5, 6,    7, 8, 1, 3,  3, 7};
	u8 *frame = mem;

	(void)len;
	for (u32 i = 0; i < FRAMES; i++, frame += FRAME) {
		u32 at = 12, tags = frame[0] % 3, words = frame[1] % 4;

		for (; tags; tags--, at += 4) {
			frame[at] = tags == 2 ? 0x88 : 0x81;
			frame[at + 1] = tags == 2 ? 0xa8 : 0;
		}
		frame[at] = 8;
		frame[at + 1] = 0;
		at += 2;
		frame[at] = 0x45 + words;
		frame[at + 6] = frame[at + 7] = 0;
		frame[at + 9] = frame[at + 9] % 8 ? 6 : 17;
		at += 20 + 4 * words;
		frame[at + 12] = 0xa0;
		for (u32 k = 0; k < 20; k++)
			frame[at + 20 + k] = options[(k + (frame[2] & 1 ? 16 : 0)) % 20];
	}
}
#endif

INLINE u16 load16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

INLINE u32 load32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

INLINE u64 read_options(const u8 *p, const u8 *end)
{
	u64 sum = 0;

	for (u32 i = 0; i < 20 && p < end; i++) {
		u8 kind = *p, size;

		if (kind == 0)
			break;
		if (kind == 1) {
			p++;
			continue;
		}
		if (p + 2 > end)
			break;
		size = p[1];
		if (size < 2 || p + size > end)
			break;
		switch (kind) {
		case 2: sum += load16(p + 2); break;
		case 3: sum += (u64)p[2] << 16; break;
		case 4: sum += 1ull << 24; break;
		case 8: sum = mix(sum, load32(p + 2)) + load32(p + 6); break;
		}
		p += size;
	}
	return sum;
}

INLINE u64 parse(const u8 *p, const u8 *end)
{
	u32 type = load16(p + 12), at = 14, size;

	for (u32 i = 0; i < 2 && (type == 0x8100 || type == 0x88a8); i++) {
		type = load16(p + at + 2);
		at += 4;
	}
	if (type != 0x0800)
		return 1;
	p += at;
	size = (p[0] & 15) * 4;
	if (p[0] >> 4 != 4 || size < 20 || p + size + 20 > end)
		return 2;
	if (load16(p + 6) & 0x1fff)
		return 3;
	if (p[9] != 6)
		return 4;
	p += size;
	size = (p[12] >> 4) * 4;
	if (size < 20 || p + size > end)
		return 5;
	return read_options(p + 20, p + size) + load16(p) + load16(p + 2);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *frames = mem;
	u64 sum = 0;

	(void)len;
	for (u32 i = 0; i < FRAMES; i++)
		sum = mix(sum, parse(frames + FRAME * i, frames + FRAME * i + FRAME));
	return sum;
}
