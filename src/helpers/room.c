/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Space between headers: bpf_skb_adjust_room and bpf_skb_change_proto.
 *
 * Bytes before the gap move, the network and MAC header move with them, everything behind
 * stays.  Encapsulating additionally notes where the inner packet is, so that it happens
 * once.
 */
#include <linux/if_ether.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "helpers/bodies.h"
#include "helpers/skb.h"
#include "world/skb.h"

enum { IPV4_LEN = 20, IPV6_LEN = 40, MAX_DIFF = 0xfff };

/* SKB_GSO_*: kinds of packets that the network card will cut up */
enum {
	GSO_TCPV4 = 1 << 0,
	GSO_DODGY = 1 << 1,
	GSO_TCPV6 = 1 << 4,
	GSO_GRE = 1 << 6,
	GSO_IPXIP4 = 1 << 8,
	GSO_IPXIP6 = 1 << 9,
	GSO_UDP_TUNNEL = 1 << 10,
	GSO_UDP_L4 = 1 << 17,
};

static const u64 encap_l3 = BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
static const u64 encap_l4 = BPF_F_ADJ_ROOM_ENCAP_L4_GRE | BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
/* BPF_F_ADJ_ROOM_DECAP_L3_*, Linux 6.2 */
enum { DECAP_IPV4 = 1 << 7, DECAP_IPV6 = 1 << 8, DECAP_L3 = DECAP_IPV4 | DECAP_IPV6 };
static const u64 encap_l2_len = BPF_F_ADJ_ROOM_ENCAP_L2(BPF_ADJ_ROOM_ENCAP_L2_MASK);

/* The EtherType of the packet as a number, 0x0800. */
static u16 ether_type(const struct packet *p)
{
	return load_be16(&p->skb.protocol);
}

static void set_ether_type(struct packet *p, u16 type)
{
	store_be16(&p->skb.protocol, type);
}

static u32 ip_header_len(const struct packet *p)
{
	return ether_type(p) == ETH_P_IPV6 ? IPV6_LEN : IPV4_LEN;
}

/* Headers move by n bytes towards the front, or (negative) towards the end. */
static void move_headers(struct skb_state *skb, s32 n)
{
	bool same = skb->transport == skb->network;

	skb->mac -= (u32)n;
	skb->network -= (u32)n;
	if (same)
		skb->transport = skb->network;
}

static int open_gap(struct packet *p, u32 off, u32 n)
{
	/* what moves has to be in one piece */
	int err = packet_pull(p, (u32)min_u64(off, packet_len(p)));

	if (!err)
		err = packet_insert(p, off, n);
	if (!err)
		move_headers(&p->skb, (s32)n);
	return err;
}

static int close_gap(struct packet *p, u32 off, u32 n)
{
	int err = packet_remove(p, off, n);

	if (!err)
		move_headers(&p->skb, -(s32)n);
	return err;
}

/* Sizes of datagrams that are cut up later must not change, unless the caller says that
 * he knows. */
static bool gso_forbids(const struct packet *p, u64 flags)
{
	u32 type = p->skb.gso_type;

	if (!p->skb.gso_size || type & (GSO_TCPV4 | GSO_TCPV6))
		return false;
	return !(type & GSO_UDP_L4) || !(flags & BPF_F_ADJ_ROOM_FIXED_GSO);
}

/* ---- growing ---- */

static int check_encap(const struct packet *p, u32 n, u64 flags)
{
	u32 l2_len = (flags & encap_l2_len) >> BPF_ADJ_ROOM_ENCAP_L2_SHIFT;

	if ((flags & encap_l3) == encap_l3 || (flags & encap_l4) == encap_l4)
		return -EINVAL;
	if (flags & BPF_F_ADJ_ROOM_ENCAP_L2_ETH && l2_len < ETH_HLEN)
		return -EINVAL;
	if (p->skb.encapsulation)
		return -EALREADY;
	return l2_len > n ? -EINVAL : 0;
}

static u32 encap_gso_type(u64 flags)
{
	if (flags & BPF_F_ADJ_ROOM_ENCAP_L4_UDP)
		return GSO_UDP_TUNNEL;
	if (flags & BPF_F_ADJ_ROOM_ENCAP_L4_GRE)
		return GSO_GRE;
	return flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 ? GSO_IPXIP6 : GSO_IPXIP4;
}

/* mac_len: of the packet before it was wrapped */
static void note_encap(struct packet *p, u32 mac_len, u64 flags)
{
	bool ipv6 = flags & BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;

	p->skb.encapsulation = true;
	p->skb.network = packet_offset(p, p->data) + mac_len;
	if (flags & encap_l4)
		p->skb.transport = p->skb.network + (ipv6 ? IPV6_LEN : IPV4_LEN);
	set_ether_type(p, ipv6 ? ETH_P_IPV6 : ETH_P_IP);
}

static int grow(struct packet *p, u32 off, u32 n, u64 flags)
{
	u32 mac_len = p->skb.network - p->skb.mac;
	bool encap = flags & encap_l3;
	int err;

	if (gso_forbids(p, flags))
		return -ENOTSUPP;
	err = encap ? check_encap(p, n, flags) : 0;
	if (!err)
		err = open_gap(p, off, n);
	if (err)
		return err;
	if (encap)
		note_encap(p, mac_len, flags);
	if (!p->skb.gso_size)
		return 0;
	p->skb.gso_type |= GSO_DODGY | (encap ? encap_gso_type(flags) : 0);
	p->skb.gso_segs = 0;
	if (!(flags & BPF_F_ADJ_ROOM_FIXED_GSO))
		p->skb.gso_size = (u16)(p->skb.gso_size - n);
	return 0;
}

/* ---- shrinking ---- */

static int shrink(struct packet *p, u32 off, u32 n, u64 flags)
{
	int err;

	if (flags &
	    ~(u64)(BPF_F_ADJ_ROOM_FIXED_GSO | DECAP_L3 | BPF_F_ADJ_ROOM_NO_CSUM_RESET))
		return -EINVAL;
	if (gso_forbids(p, flags))
		return -ENOTSUPP;
	err = close_gap(p, off, n);
	if (err)
		return err;
	if (flags & DECAP_L3)
		set_ether_type(p, flags & DECAP_IPV6 ? ETH_P_IPV6 : ETH_P_IP);
	if (!p->skb.gso_size)
		return 0;
	if (!(flags & BPF_F_ADJ_ROOM_FIXED_GSO))
		p->skb.gso_size = (u16)(p->skb.gso_size + n);
	p->skb.gso_type |= GSO_DODGY;
	p->skb.gso_segs = 0;
	return 0;
}

/* ---- bpf_skb_adjust_room ---- */

#define ALL_FLAGS                                                                        \
	(BPF_F_ADJ_ROOM_FIXED_GSO | encap_l3 | encap_l4 | BPF_F_ADJ_ROOM_ENCAP_L2_ETH |  \
	 encap_l2_len | DECAP_L3 | BPF_F_ADJ_ROOM_NO_CSUM_RESET)

/* How short the packet may become, counted from its network header, or 0 when the flags
 * make no sense. */
static u32 shortest(const struct packet *p, s32 diff, u64 flags)
{
	if (!(flags & DECAP_L3))
		return ip_header_len(p);
	if (diff >= 0 || (flags & DECAP_L3) == DECAP_L3)
		return 0;
	return flags & DECAP_IPV6 ? IPV6_LEN : IPV4_LEN;
}

/* Would the packet become too short or too long? */
static bool out_of_limits(const struct packet *p, s32 diff, u32 least)
{
	s64 from_network =
		(s64)packet_len(p) + packet_offset(p, p->data) - p->skb.network;

	if (diff < 0)
		return from_network + diff <= 0 || from_network + diff < least;
	return !p->skb.gso_size && packet_len(p) + (u32)diff > SKB_MAX_LEN;
}

static int adjust_room(struct packet *p, s32 diff, u32 mode, u64 flags)
{
	u32 off = p->skb.network - p->skb.mac, least;

	if (flags & ~(u64)(ALL_FLAGS))
		return -EINVAL;
	if (diff < -MAX_DIFF || diff > MAX_DIFF)
		return -EFAULT;
	if ((ether_type(p) != ETH_P_IP && ether_type(p) != ETH_P_IPV6) ||
	    mode > BPF_ADJ_ROOM_MAC)
		return -ENOTSUPP;
	if (mode == BPF_ADJ_ROOM_NET)
		off += ip_header_len(p);
	least = shortest(p, diff, flags);
	if (!least)
		return -EINVAL;
	if (out_of_limits(p, diff, least))
		return -ENOTSUPP;
	return diff < 0 ? shrink(p, off, (u32)-diff, flags)
			: grow(p, off, (u32)diff, flags);
}

PACKET_HELPER(skb_adjust_room)
{
	int err = adjust_room(run->packet, (s32)r2, (u32)r3, r4);

	if (!err && !(r4 & BPF_F_ADJ_ROOM_NO_CSUM_RESET)) {
		run->packet->skb.ip_summed = SKB_CSUM_NONE;
		run->packet->skb.csum_level = 0;
	}
	skb_sync(run);
	return answer(err);
}

/* ---- bpf_skb_change_proto ---- */

/* The segments' protocol changes with the packet's. */
static void change_gso(struct skb_state *skb, u32 from, u32 to)
{
	if (!skb->gso_size)
		return;
	if (skb->gso_type & from)
		skb->gso_type = (skb->gso_type & ~from) | to;
	skb->gso_type |= GSO_DODGY;
}

static int change_proto(struct packet *p, u16 from, u16 to)
{
	bool up = from == ETH_P_IP && to == ETH_P_IPV6;
	bool down = from == ETH_P_IPV6 && to == ETH_P_IP;
	u32 off = p->skb.network - p->skb.mac;
	int err = -ENOTSUPP;

	if (up)
		err = open_gap(p, off, IPV6_LEN - IPV4_LEN);
	else if (down)
		err = close_gap(p, off, IPV6_LEN - IPV4_LEN);
	if (err)
		return err;
	change_gso(&p->skb, up ? GSO_TCPV4 : GSO_TCPV6, up ? GSO_TCPV6 : GSO_TCPV4);
	set_ether_type(p, to);
	return 0;
}

PACKET_HELPER(skb_change_proto)
{
	struct packet *p = run->packet;
	u16 to = (u16)r2;
	int err;

	if (r3)
		return answer(-EINVAL);
	err = change_proto(p, ether_type(p), load_be16(&to));
	if (!err)
		skb_forget_hash(run);
	skb_sync(run);
	return answer(err);
}
