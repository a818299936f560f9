/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_check_mtu: would the packet fit an interface?
 *
 * The world says one MTU for all its interfaces, and all are Ethernet.  A packet that
 * will be cut into segments fits as a whole; on request its segments are measured.
 */
#include <linux/if_ether.h>
#include <linux/in.h>

#include "base/bytes.h"
#include "helpers/bodies.h"
#include "prog/prog.h"
#include "world/skb.h"

enum { IPV6_LEN = 40, UDP_LEN = 8 };

/* The byte at off behind the network header, or 0. */
static u32 header_byte(const struct packet *p, u32 off)
{
	u8 byte = 0;

	packet_read(p, p->skb.network - packet_offset(p, p->data) + off, &byte, 1);
	return byte;
}

/* Headers and payload of one segment, from the network header on. */
static u32 segment_len(const struct packet *p)
{
	bool ipv6 = load_be16(&p->skb.protocol) == ETH_P_IPV6;
	u32 ip_len = ipv6 ? IPV6_LEN : (header_byte(p, 0) & 15) * 4;
	u32 proto = header_byte(p, ipv6 ? 6 : 9);

	if (proto == IPPROTO_TCP)
		return ip_len + (header_byte(p, ip_len + 12) >> 4) * 4 + p->skb.gso_size;
	return ip_len + UDP_LEN + p->skb.gso_size;
}

static s64 check_segments(const struct packet *p, u64 flags, u32 mtu)
{
	if (!(flags & BPF_MTU_CHK_SEGS))
		return BPF_MTU_CHK_RET_SUCCESS;
	if (!p->skb.transport)
		return -EINVAL;
	return segment_len(p) > mtu ? BPF_MTU_CHK_RET_SEGS_TOOBIG
				    : BPF_MTU_CHK_RET_SUCCESS;
}

PACKET_HELPER(check_mtu)
{
	bool xdp = run->prog->type == BPF_PROG_TYPE_XDP;
	const struct packet *p = run->packet;
	u32 mtu = run->world->mtu, asked = load_u32(pointer(r3));
	s64 len = xdp ? packet_linear_len(p) : packet_len(p);
	s64 ret = BPF_MTU_CHK_RET_SUCCESS;

	if (r5 & ~(xdp ? 0 : (u64)BPF_MTU_CHK_SEGS))
		return answer(-EINVAL);
	if (r5 & BPF_MTU_CHK_SEGS && ((s32)r4 || asked))
		return answer(-EINVAL);
	if (asked)
		len = (s32)(asked + MAC_LEN);
	if ((s32)((u32)len + (u32)r4) > (s32)(mtu + MAC_LEN))
		ret = !xdp && p->skb.gso_size ? check_segments(p, r5, mtu)
					      : BPF_MTU_CHK_RET_FRAG_NEEDED;
	if (ret >= 0)
		store_u32(pointer(r3), mtu);
	return answer(ret);
}
