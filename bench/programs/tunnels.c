/* SPDX-License-Identifier: BSD-2-Clause */
/* VXLAN and GRE: fields in network order behind headers of any length, in a function. */
#include "bench.h"

enum { FRAME = 128, ROUNDS = 4, IPV4 = 0x800, VXLAN = 4789 };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	u8 *frame = mem;

	for (u64 at = 0; at < len / 2; at += FRAME, frame += FRAME) {
		frame[12] = 8;
		frame[13] = 0;
		frame[14] = 0x45;
		if (frame[0] & 1) {
			frame[23] = 17;
			frame[36] = VXLAN >> 8;
			frame[37] = VXLAN & 0xff;
			frame[42] = 8;
			frame[62] = 8;
			frame[63] = 0;
		} else {
			frame[23] = 47;
			frame[34] = frame[1] & 0xb0;
		}
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

INLINE u64 vxlan(const u8 *p, const u8 *end)
{
	u64 network;

	if (p + 16 > end || load16(p + 2) != VXLAN || !(p[8] & 8))
		return 0;
	network = load32(p + 12) >> 8;
	p += 16;
	if (p + 34 > end || load16(p + 12) != IPV4)
		return network;
	return network << 32 | (load32(p + 26) ^ load32(p + 30));
}

INLINE u64 gre(const u8 *p, const u8 *end)
{
	u32 flags = load16(p), key = 0, sequence = 0;

	p += flags & 0x8000 ? 8 : 4;
	if (flags & 0x2000) {
		key = load32(p);
		p += 4;
	}
	if (flags & 0x1000) {
		sequence = load32(p);
		p += 4;
	}
	if (p + 20 > end)
		return key;
	return ((u64)key << 32 | sequence) + load32(p + 12);
}

static NOINLINE u64 read_frame(const u8 *frame, const u8 *end)
{
	const u8 *inner = frame + 14 + (frame[14] & 15) * 4;

	if (load16(frame + 12) != IPV4)
		return 0;
	if (frame[23] == 17)
		return vxlan(inner, end);
	return frame[23] == 47 ? gre(inner, end) : 1;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *frames = mem;
	u64 sum = 0;

	for (u32 round = 0; round < ROUNDS; round++)
		for (u64 at = 0; at + FRAME <= input_size(len); at += FRAME)
			sum = 3 * sum + read_frame(frames + at, frames + at + FRAME);
	return sum;
}
