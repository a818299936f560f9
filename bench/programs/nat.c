/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet to another address: copied, hashed, rewritten, its checksum brought up to
 * date. */
#include "bench.h"

enum { PACKETS = 64, PACKET = 40 };

struct tuple {
	u32 saddr, daddr;
	u16 sport, dport;
	u8 proto;
};

static NOINLINE u32 hash_tuple(const struct tuple *t)
{
	u32 hash = t->saddr * 0x9e3779b1;

	hash = rotate32(hash ^ t->daddr, 15) * 0x85ebca77;
	hash = rotate32(hash ^ ((u32)t->sport << 16 | t->dport), 13) * 0xc2b2ae3d;
	hash ^= t->proto;
	return hash ^ hash >> 16;
}

INLINE u16 update(u16 check, u16 from, u16 to)
{
	u32 sum = (u16)~check + (u16)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	return (u16) ~(sum + (sum >> 16));
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *from = mem;
	u8 *to = scratch(mem, len);
	u64 sum = 0;

	for (u32 i = 0; i < PACKETS; i++, from += PACKET, to += PACKET) {
		struct tuple t = {.proto = from[9]};
		u32 address;
		u16 check;

		for (u32 k = 0; k < PACKET; k++)
			to[k] = from[k];
		__builtin_memcpy(&t.saddr, from + 12, sizeof(t.saddr));
		__builtin_memcpy(&t.daddr, from + 16, sizeof(t.daddr));
		__builtin_memcpy(&t.sport, from + 20, sizeof(t.sport));
		__builtin_memcpy(&t.dport, from + 22, sizeof(t.dport));
		address = 0x0a000000 | (hash_tuple(&t) & 0xff);
		check = *(const u16 *)(from + 10);
		check = update(check, (u16)t.daddr, (u16)address);
		check = update(check, t.daddr >> 16, address >> 16);
		to[8] = from[8] - 1;
		*(u16 *)(to + 10) = check;
		*(u32 *)(to + 16) = address;
		sum = 5 * sum + check;
	}
	return sum;
}
