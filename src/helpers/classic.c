/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only programs translated from classic BPF call (isa/classic.h): netlink
 * attributes, the start of the payload, the type of the interface.  Each is f(ctx, A, X)
 * and answers with the next A.
 *
 * The payload is searched behind VLAN tags, IPv4, and IPv6 with its extension headers;
 * tunnels are not entered.
 */
#include "isa/classic.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>

#include "base/bytes.h"
#include "helpers/bodies.h"
#include "helpers/helpers.h"

enum { NLATTR_LEN = 4, NLATTR_TYPE_MASK = 0x3fff, MAX_HEADERS = 16 };

/* ---- netlink attributes: length and type in the host's byte order, padded to 4 ---- */

static bool read_attribute(const struct packet *p, u32 off, u32 end, u16 *len, u16 *type)
{
	u8 head[NLATTR_LEN];

	if (end - off < NLATTR_LEN || packet_read(p, off, head, sizeof(head)))
		return false;
	*len = load_u16(head);
	*type = load_u16(head + 2) & NLATTR_TYPE_MASK;
	return *len >= NLATTR_LEN && *len <= end - off;
}

/* Offset of the first attribute of that type in [off, end), or 0. */
static u32 find_attribute(const struct packet *p, u32 off, u32 end, u32 wanted)
{
	u16 len, type;

	while (off < end && read_attribute(p, off, end, &len, &type)) {
		if (type == wanted)
			return off;
		off += (u32)round_up(len, NLATTR_LEN);
	}
	return 0;
}

static bool is_inside(const struct packet *p, u32 off)
{
	return !p->n_frags && packet_len(p) >= NLATTR_LEN &&
	       off <= packet_len(p) - NLATTR_LEN;
}

static u64 nlattr(struct run *run, u64 ctx, u64 a, u64 x, u64 r4, u64 r5)
{
	const struct packet *p = run->packet;

	(void)ctx, (void)r4, (void)r5;
	return is_inside(p, (u32)a) ? find_attribute(p, (u32)a, packet_len(p), (u32)x)
				    : 0;
}

static u64 nlattr_nest(struct run *run, u64 ctx, u64 a, u64 x, u64 r4, u64 r5)
{
	const struct packet *p = run->packet;
	u16 len, type;

	(void)ctx, (void)r4, (void)r5;
	if (!is_inside(p, (u32)a) ||
	    !read_attribute(p, (u32)a, packet_len(p), &len, &type))
		return 0;
	return find_attribute(p, (u32)a + NLATTR_LEN, (u32)a + len, (u32)x);
}

/* ---- the payload ---- */

/* Where parsing is: the header that `proto` announces starts at `off`. */
struct cursor {
	const struct packet *p;
	u32 off;
	u16 ethertype;
	u8 proto;
	bool later_fragment; /* no transport header follows */
};

static bool skip_tags(struct cursor *c)
{
	u8 tag[4];

	for (u32 i = 0; i < MAX_HEADERS; i++) {
		if (c->ethertype != ETH_P_8021Q && c->ethertype != ETH_P_8021AD)
			return true;
		if (packet_read(c->p, c->off, tag, sizeof(tag)))
			return false;
		c->ethertype = load_be16(tag + 2);
		c->off += sizeof(tag);
	}
	return false;
}

static bool skip_ipv4(struct cursor *c)
{
	u8 ip[20];

	if (packet_read(c->p, c->off, ip, sizeof(ip)) || (ip[0] & 15) < 5)
		return false;
	c->proto = ip[9];
	c->later_fragment = load_be16(ip + 6) & 0x1fff;
	c->off += (ip[0] & 15u) * 4;
	return true;
}

static bool skip_ipv6(struct cursor *c)
{
	u8 ip[40], ext[8];

	if (packet_read(c->p, c->off, ip, sizeof(ip)))
		return false;
	c->proto = ip[6];
	c->off += sizeof(ip);
	for (u32 i = 0; i < MAX_HEADERS; i++) {
		bool fragment = c->proto == IPPROTO_FRAGMENT;

		if (c->proto != IPPROTO_HOPOPTS && c->proto != IPPROTO_ROUTING &&
		    c->proto != IPPROTO_DSTOPTS && !fragment)
			return true;
		if (packet_read(c->p, c->off, ext, sizeof(ext)))
			return false;
		c->proto = ext[0];
		c->off += fragment ? 8 : 8 * (ext[1] + 1u);
		if (fragment && load_be16(ext + 2) >> 3) {
			c->later_fragment = true;
			return true;
		}
	}
	return false;
}

static u32 transport_len(const struct cursor *c)
{
	u8 offset;

	switch (c->proto) {
	case IPPROTO_TCP:
		if (packet_read(c->p, c->off + 12, &offset, 1))
			return 0;
		return offset >> 4 < 5 ? 20 : (offset >> 4) * 4u;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case IPPROTO_IGMP: return 8;
	case IPPROTO_DCCP:
	case IPPROTO_SCTP: return 12;
	default: return 0;
	}
}

static u64 pay_offset(struct run *run, u64 ctx, u64 a, u64 x, u64 r4, u64 r5)
{
	const struct packet *p = run->packet;
	struct cursor c = {
		.p = p,
		.off = p->skb.network - packet_offset(p, p->data),
		.ethertype = load_be16(&p->skb.protocol),
	};

	(void)ctx, (void)a, (void)x, (void)r4, (void)r5;
	if (!skip_tags(&c))
		return 0;
	bool known = c.ethertype == ETH_P_IP     ? skip_ipv4(&c)
		     : c.ethertype == ETH_P_IPV6 ? skip_ipv6(&c)
						 : false;
	if (!known)
		return 0;
	return c.off + (c.later_fragment ? 0 : transport_len(&c));
}

static u64 hatype(struct run *run, u64 ctx, u64 a, u64 x, u64 r4, u64 r5)
{
	const struct skb_state *skb = &run->packet->skb;

	(void)ctx, (void)a, (void)x, (void)r4, (void)r5;
	return skb->mac == skb->network ? ARPHRD_NONE : ARPHRD_ETHER;
}

helper_fn helper_classic(u32 number)
{
	static const helper_fn bodies[] = {
		[0] = nlattr,
		[CLASSIC_NLATTR_NEST - CLASSIC_NLATTR] = nlattr_nest,
		[CLASSIC_PAY_OFFSET - CLASSIC_NLATTR] = pay_offset,
		[CLASSIC_HATYPE - CLASSIC_NLATTR] = hatype,
	};

	return number >= CLASSIC_NLATTR && number < CLASSIC_HELPERS_END
		       ? bodies[number - CLASSIC_NLATTR]
		       : NULL;
}
