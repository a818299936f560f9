/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contexts that packet programs see, filled from a packet as Linux fills them, and
 * kept true while helpers move the packet's bytes.  struct xdp_md and struct __sk_buff
 * are the ones of <linux/bpf.h>; fields that a program may write live in the context
 * alone, all others are copied from the packet by the _sync functions.
 */
#ifndef SKEP_WORLD_CONTEXTS_H
#define SKEP_WORLD_CONTEXTS_H

#include <linux/bpf.h>

#include "base/types.h"
#include "world/packet.h"

/* What an XDP hook knows beside the bytes. */
struct xdp_origin {
	u32 ingress_ifindex, rx_queue_index, egress_ifindex;
};

static inline void xdp_ctx_init(struct xdp_md *ctx, const struct packet *p,
				const struct xdp_origin *origin)
{
	*ctx = (struct xdp_md){
		.data = (u32)(uintptr_t)p->data,
		.data_end = (u32)(uintptr_t)p->end,
		.data_meta = (u32)(uintptr_t)p->meta,
		.ingress_ifindex = origin->ingress_ifindex,
		.rx_queue_index = origin->rx_queue_index,
		.egress_ifindex = origin->egress_ifindex,
	};
}

static inline void xdp_ctx_sync(struct xdp_md *ctx, const struct packet *p)
{
	ctx->data = (u32)(uintptr_t)p->data;
	ctx->data_end = (u32)(uintptr_t)p->end;
	ctx->data_meta = (u32)(uintptr_t)p->meta;
}

enum skb_link {
	SKB_LINK_ETHERNET,
	SKB_LINK_RAW_IP, /* no link header: tun devices, DLT_RAW */
};

/* Where `data` and offset 0 of LD_ABS are when the program starts. */
enum skb_view {
	SKB_VIEW_MAC,     /* SCHED_CLS, SCHED_ACT; SOCKET_FILTER on a packet socket */
	SKB_VIEW_NETWORK, /* CGROUP_SKB, LWT_*; SOCKET_FILTER as BPF_PROG_TEST_RUN does */
};

/* What a hook knows about an skb beside the bytes. */
struct skb_origin {
	enum skb_link link;
	enum skb_view view;
	bool untag; /* a VLAN tag among the bytes moves to vlan_tci, as on receipt */
	bool egress;
	const u8 *host_mac; /* borrowed; 6 bytes: other destinations are
			       PACKET_OTHERHOST; NULL: everything is for us */
	u32 ifindex, ingress_ifindex;
	u32 wire_len; /* 0: as long as the bytes */
	u32 mark, priority, queue_mapping, hash, gso_size, gso_segs;
	u64 tstamp, hwtstamp;
};

/* The packet was filled by packet_set_skb() and starts with its link header.  0, or
 * -EINVAL when that is cut off. */
int skb_ctx_init(struct __sk_buff *ctx, struct packet *p,
		 const struct skb_origin *origin);
void skb_ctx_sync(struct __sk_buff *ctx, const struct packet *p);

#endif
