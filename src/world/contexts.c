/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct xdp_md and struct __sk_buff of a packet.
 *
 * _init fills everything, _sync copies again what belongs to the packet: helpers call it
 * after they changed something.  What a program writes itself (mark, cb, ...) is only in
 * the context and survives a _sync.
 */
#include "world/contexts.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>

#include "base/bytes.h"
#include "world/packet.h"
#include "world/skb.h"

static u32 address(const u8 *at)
{
	return (u32)(uintptr_t)at;
}

void skb_ctx_sync(struct __sk_buff *ctx, const struct packet *p)
{
	const struct skb_state *skb = &p->skb;

	ctx->len = packet_len(p);
	ctx->pkt_type = skb->pkt_type;
	ctx->protocol = skb->protocol;
	ctx->vlan_present = skb->vlan_present;
	ctx->vlan_tci = skb->vlan_tci;
	ctx->vlan_proto = skb->vlan_proto;
	ctx->hash = skb->hash;
	ctx->data = address(p->data);
	ctx->data_end = address(p->end);
	ctx->data_meta = address(p->meta);
	ctx->gso_segs = skb->gso_segs;
	ctx->gso_size = skb->gso_size;
}

/* Whom an Ethernet frame is for, as eth_type_trans() tells them apart. */
static u8 packet_type(const u8 *dst, const u8 *host_mac)
{
	static const u8 broadcast[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (!memcmp(dst, broadcast, ETH_ALEN))
		return PACKET_BROADCAST;
	if (dst[0] & 1)
		return PACKET_MULTICAST;
	if (host_mac && memcmp(dst, host_mac, ETH_ALEN) != 0)
		return PACKET_OTHERHOST;
	return PACKET_HOST;
}

static int read_ethernet(struct packet *p, const struct skb_origin *origin)
{
	struct skb_state *skb = &p->skb;
	u16 tci, tag;

	if (packet_pull(p, MAC_LEN))
		return -EINVAL;
	skb->has_mac = true;
	skb->network = skb->mac + MAC_LEN;
	skb->pkt_type = packet_type(p->data, origin->host_mac);
	skb->protocol = tag = skb_protocol_at(p, 2 * ETH_ALEN);
	if (!origin->untag || !skb_is_vlan(tag))
		return 0;
	if (skb_remove_tag(p, &tci))
		return -EINVAL;
	skb_set_tag(p, tag, tci);
	return 0;
}

static void read_raw_ip(struct packet *p)
{
	u8 version = 0, type[2] = {0};

	packet_read(p, 0, &version, 1);
	if (version >> 4 == 4)
		store_be16(type, ETH_P_IP);
	else if (version >> 4 == 6)
		store_be16(type, ETH_P_IPV6);
	p->skb.protocol = load_u16(type);
}

/* The byte at off behind the network header; 0 when there is none. */
static u8 network_byte(const struct packet *p, u32 off)
{
	u8 byte = 0;

	packet_read(p, p->skb.network - packet_offset(p, p->data) + off, &byte, 1);
	return byte;
}

enum { GSO_TCPV4 = 1 << 0, GSO_TCPV6 = 1 << 4, GSO_UDP_L4 = 1 << 17 };

/* SKB_GSO_*, by the transport protocol */
static u32 gso_type(const struct packet *p)
{
	bool ipv6 = network_byte(p, 0) >> 4 == 6;
	u8 proto = network_byte(p, ipv6 ? 6 : 9);

	if (proto == IPPROTO_TCP)
		return ipv6 ? GSO_TCPV6 : GSO_TCPV4;
	return proto == IPPROTO_UDP ? GSO_UDP_L4 : 0;
}

/* On receipt Linux has not looked behind the network header yet; who sends knows. */
static u32 transport(const struct packet *p, bool egress)
{
	u8 first = network_byte(p, 0);

	if (!egress || (first >> 4 != 4 && first >> 4 != 6))
		return p->skb.network;
	return p->skb.network + (first >> 4 == 6 ? 40 : (first & 15u) * 4);
}

int skb_ctx_init(struct __sk_buff *ctx, struct packet *p, const struct skb_origin *origin)
{
	struct skb_state *skb = &p->skb;
	int err = 0;

	switch (origin->link) {
	case SKB_LINK_ETHERNET: err = read_ethernet(p, origin); break;
	case SKB_LINK_RAW_IP: read_raw_ip(p); break;
	}
	if (err)
		return err;
	skb->hash = origin->hash;
	skb->hash_known = origin->hash != 0;
	skb->gso_size = origin->gso_size;
	skb->gso_segs = origin->gso_segs;
	skb->gso_type = origin->gso_size ? gso_type(p) : 0;
	skb->transport = transport(p, origin->egress);
	*ctx = (struct __sk_buff){
		.ifindex = origin->ifindex,
		.ingress_ifindex = origin->ingress_ifindex,
		.mark = origin->mark,
		.priority = origin->priority,
		.queue_mapping = origin->queue_mapping,
		.tstamp = origin->tstamp,
		.hwtstamp = origin->hwtstamp,
		.wire_len = origin->wire_len ? origin->wire_len : packet_len(p),
	};
	if (origin->view == SKB_VIEW_NETWORK)
		packet_drop_front(p, skb->network - skb->mac);
	skb_ctx_sync(ctx, p);
	return 0;
}
