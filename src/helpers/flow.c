/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash of a packet's flow.
 *
 * Linux hashes addresses, ports and protocol with a key that is random at each boot; ours
 * is the same at every run, so that a capture gives the same answers again.  As in Linux
 * both directions of a flow have the same hash, and it is never 0.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "helpers/bodies.h"
#include "helpers/skb.h"

struct flow {
	u8 src[16], dst[16];
	u8 ports[4]; /* source, destination; zero: none */
	u8 proto;
};

enum { IPV4_LEN = 20, IPV6_LEN = 40, IPV4_OFFSET_MASK = 0x1fff };

static bool has_ports(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_UDPLITE || proto == IPPROTO_DCCP;
}

static void read_ports(const struct packet *p, u32 off, struct flow *flow)
{
	if (has_ports(flow->proto))
		packet_read(p, off, flow->ports, sizeof(flow->ports));
}

static void read_ipv4(const struct packet *p, u32 off, struct flow *flow)
{
	u8 ip[IPV4_LEN];

	if (packet_read(p, off, ip, sizeof(ip)))
		return;
	memcpy(flow->src, ip + 12, 4);
	memcpy(flow->dst, ip + 16, 4);
	flow->proto = ip[9];
	if (!(load_be16(ip + 6) & IPV4_OFFSET_MASK))
		read_ports(p, off + (ip[0] & 15u) * 4, flow);
}

static void read_ipv6(const struct packet *p, u32 off, struct flow *flow)
{
	u8 ip[IPV6_LEN];

	if (packet_read(p, off, ip, sizeof(ip)))
		return;
	memcpy(flow->src, ip + 8, 16);
	memcpy(flow->dst, ip + 24, 16);
	flow->proto = ip[6];
	read_ports(p, off + IPV6_LEN, flow);
}

/* One order for both directions. */
static void sort_ends(struct flow *flow)
{
	int order = memcmp(flow->src, flow->dst, sizeof(flow->src));
	struct flow old = *flow;

	if (!order)
		order = memcmp(flow->ports, flow->ports + 2, 2);
	if (order <= 0)
		return;
	memcpy(flow->src, old.dst, sizeof(flow->src));
	memcpy(flow->dst, old.src, sizeof(flow->dst));
	memcpy(flow->ports, old.ports + 2, 2);
	memcpy(flow->ports + 2, old.ports, 2);
}

static u32 flow_hash(const struct packet *p)
{
	u32 off = p->skb.network - packet_offset(p, p->data), hash;
	struct flow flow;

	memset(&flow, 0, sizeof(flow)); /* every byte is hashed */
	switch (load_be16(&p->skb.protocol)) {
	case ETH_P_IP: read_ipv4(p, off, &flow); break;
	case ETH_P_IPV6: read_ipv6(p, off, &flow); break;
	default: break;
	}
	sort_ends(&flow);
	hash = hash_bytes(&flow, sizeof(flow), load_be16(&p->skb.protocol));
	return hash ? hash : 1;
}

static void set_hash(struct run *run, u32 hash, bool known)
{
	run->packet->skb.hash = hash;
	run->packet->skb.hash_known = known;
	skb_sync(run);
}

void skb_forget_hash(struct run *run)
{
	set_hash(run, 0, false);
}

PACKET_HELPER(get_hash_recalc)
{
	if (!run->packet->skb.hash_known)
		set_hash(run, flow_hash(run->packet), true);
	return run->packet->skb.hash;
}

PACKET_HELPER(set_hash)
{
	set_hash(run, (u32)r2, true);
	return 0;
}

PACKET_HELPER(set_hash_invalid)
{
	skb_forget_hash(run);
	return 0;
}
