/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * Zero has two forms in one's complement, and which one comes out is visible to programs:
 * the order of the additions is therefore Linux's.  Captured packets carry no checksum of
 * the whole packet beside their bytes (CHECKSUM_COMPLETE), so nothing has to be kept in
 * step with it.
 */
#include "base/bytes.h"
#include "helpers/bodies.h"
#include "helpers/skb.h"

/* Additions with the carry put back in. */
static u64 add64(u64 a, u64 b)
{
	u64 sum = a + b;

	return sum + (sum < b);
}

static u32 add32(u32 a, u32 b)
{
	u32 sum = a + b;

	return sum + (sum < b);
}

static u16 add16(u16 a, u16 b)
{
	u16 sum = (u16)(a + b);

	return (u16)(sum + (sum < b));
}

static u32 sub32(u32 a, u32 b)
{
	return add32(a, ~b);
}

static u16 fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

static u32 sum_bytes(const u8 *at, u32 size, u32 seed)
{
	u64 sum = seed, rest = 0;

	for (; size >= 8; at += 8, size -= 8)
		sum = add64(sum, load_u64(at));
	if (size)
		memcpy(&rest, at, size);
	sum = add64(sum, rest);
	return add32((u32)(sum >> 32), (u32)sum);
}

HELPER(csum_diff)
{
	u32 from_size = (u32)r2, to_size = (u32)r4, seed = (u32)r5, sum = seed;

	if (from_size && to_size)
		sum = sub32(sum_bytes(pointer(r3), to_size, seed),
			    sum_bytes(pointer(r1), from_size, 0));
	else if (to_size)
		sum = sum_bytes(pointer(r3), to_size, seed);
	else if (from_size)
		sum = ~sum_bytes(pointer(r1), from_size, ~seed);
	return fold(sum);
}

HELPER(csum_update)
{
	return answer(-ENOTSUPP); /* only for packets that carry a CHECKSUM_COMPLETE */
}

PACKET_HELPER(csum_level)
{
	enum { MAX_LEVEL = 3 };
	struct skb_state *skb = &run->packet->skb;
	bool known = skb->ip_summed == SKB_CSUM_UNNECESSARY;

	switch (r2) {
	case BPF_CSUM_LEVEL_QUERY: return known ? skb->csum_level : answer(-EACCES);
	case BPF_CSUM_LEVEL_INC:
		if (known && skb->csum_level < MAX_LEVEL)
			skb->csum_level++;
		skb->ip_summed = SKB_CSUM_UNNECESSARY;
		return 0;
	case BPF_CSUM_LEVEL_DEC:
		if (known && skb->csum_level)
			skb->csum_level--;
		else
			skb->ip_summed = SKB_CSUM_NONE;
		return 0;
	case BPF_CSUM_LEVEL_RESET:
		skb->ip_summed = SKB_CSUM_NONE;
		skb->csum_level = 0;
		return 0;
	default: return answer(-EINVAL);
	}
}

/* The checksum after a field changed from -> to, both in packet order. */
static u16 replace32(u16 csum, u32 from, u32 to)
{
	return (u16)~fold(add32(sub32(~(u32)csum, from), to));
}

static u16 replace16(u16 csum, u16 from, u16 to)
{
	return (u16)~add16(add16((u16)~csum, (u16)~from), to);
}

static u16 replace_by_diff(u16 csum, u32 diff)
{
	return (u16)~fold(add32(diff, ~(u32)csum));
}

/* Where a checksum at offset can be changed, or NULL. */
static u8 *csum_field(struct run *run, u32 offset)
{
	if (offset > 0xffff || offset % 2 || skb_make_writable(run, offset + 2))
		return NULL;
	return run->packet->data + offset;
}

PACKET_HELPER(l3_csum_replace)
{
	u8 *field;
	u16 csum;

	if (r5 & ~(u64)BPF_F_HDR_FIELD_MASK)
		return answer(-EINVAL);
	field = csum_field(run, (u32)r2);
	if (!field)
		return answer(-EFAULT);
	csum = load_u16(field);
	switch (r5 & BPF_F_HDR_FIELD_MASK) {
	case 0:
		if (r3)
			return answer(-EINVAL);
		csum = replace_by_diff(csum, (u32)r4);
		break;
	case 2: csum = replace16(csum, (u16)r3, (u16)r4); break;
	case 4: csum = replace32(csum, (u32)r3, (u32)r4); break;
	default: return answer(-EINVAL);
	}
	store_u16(field, csum);
	return 0;
}

static const u64 l4_flags = BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR |
			    BPF_F_HDR_FIELD_MASK | 1u << 7 /* BPF_F_IPV6, Linux 6.16 */;

PACKET_HELPER(l4_csum_replace)
{
	bool zero_is_none = r5 & BPF_F_MARK_MANGLED_0; /* UDP: 0 says "no checksum" */
	u8 *field;
	u16 csum;

	if (r5 & ~l4_flags)
		return answer(-EINVAL);
	field = csum_field(run, (u32)r2);
	if (!field)
		return answer(-EFAULT);
	csum = load_u16(field);
	if (zero_is_none && !(r5 & BPF_F_MARK_ENFORCE) && !csum)
		return 0;
	switch (r5 & BPF_F_HDR_FIELD_MASK) {
	case 0:
		if (r3)
			return answer(-EINVAL);
		csum = replace_by_diff(csum, (u32)r4);
		break;
	case 2: csum = replace32(csum, (u16)r3, (u16)r4); break;
	case 4: csum = replace32(csum, (u32)r3, (u32)r4); break;
	default: return answer(-EINVAL);
	}
	store_u16(field, zero_is_none && !csum ? 0xffff : csum);
	return 0;
}
