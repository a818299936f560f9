/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers on socket buffers: bytes in and out, both ends, VLAN tags.
 *
 * What is written is made linear first, as Linux does, so data and data_end may move with
 * every one of them.  What concerns the space between headers stands in room.c.
 */
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

#include "base/bytes.h"
#include "helpers/bodies.h"
#include "helpers/skb.h"
#include "world/skb.h"

int skb_make_writable(struct run *run, u64 len)
{
	int err = len > UINT32_MAX ? -ENOMEM : packet_pull(run->packet, (u32)len);

	skb_sync(run);
	return err;
}

static u64 cannot_load(void *to, u32 len)
{
	memset(to, 0, len);
	return answer(-EFAULT);
}

PACKET_HELPER(skb_load_bytes)
{
	u32 offset = (u32)r2, len = (u32)r4;

	if (offset > INT_MAX || packet_read(run->packet, offset, pointer(r3), len))
		return cannot_load(pointer(r3), len);
	return 0;
}

PACKET_HELPER(skb_load_bytes_relative)
{
	const struct packet *p = run->packet;
	u32 offset = (u32)r2, len = (u32)r4, start = (u32)r5;
	const u8 *from = p->buf;

	if (offset > 0xffff || start > BPF_HDR_START_NET)
		return cannot_load(pointer(r3), len);
	from += (start == BPF_HDR_START_MAC ? p->skb.mac : p->skb.network) + offset;
	if (from > p->end || len > (u64)(p->end - from))
		return cannot_load(pointer(r3), len);
	memcpy(pointer(r3), from, len);
	return 0;
}

PACKET_HELPER(skb_store_bytes)
{
	u32 offset = (u32)r2, len = (u32)r4;

	if (r5 & ~(u64)(BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
		return answer(-EINVAL);
	if (offset > INT_MAX || skb_make_writable(run, (u64)offset + len))
		return answer(-EFAULT);
	memmove(run->packet->data + offset, pointer(r3), len);
	/* RECOMPUTE_CSUM: no checksum of the whole packet is kept for captured ones */
	if (r5 & BPF_F_INVALIDATE_HASH)
		skb_forget_hash(run);
	return 0;
}

PACKET_HELPER(skb_pull_data)
{
	u32 len = (u32)r2;

	return answer(skb_make_writable(run, len ? len : packet_linear_len(run->packet)));
}

/* What change_tail must leave: the bytes up to the innermost header that Linux knows. */
static u32 min_len(const struct packet *p)
{
	u32 data = packet_offset(p, p->data);
	u32 last = p->skb.transport ? p->skb.transport : p->skb.network;

	return last > data ? last - data : 0;
}

PACKET_HELPER(skb_change_tail)
{
	struct packet *p = run->packet;
	u32 len = (u32)r2;
	int err;

	if (r3 || len > SKB_MAX_LEN || len < min_len(p))
		return answer(-EINVAL);
	if (p->skb.encapsulation)
		return answer(-ENOTSUPP);
	err = packet_pull(p, packet_len(p));
	if (!err && len > packet_len(p))
		err = packet_grow(p, len);
	else if (!err)
		packet_trim(p, len);
	if (!err)
		p->skb.gso_size = p->skb.gso_segs = p->skb.gso_type = 0;
	skb_sync(run);
	return answer(err);
}

PACKET_HELPER(skb_change_head)
{
	struct packet *p = run->packet;
	u64 len = (u64)packet_len(p) + (u32)r2;
	int err;

	if (r3 || (s32)r2 < 0 || (!p->skb.gso_size && len > SKB_MAX_LEN))
		return answer(-EINVAL);
	err = packet_insert(p, 0, (u32)r2);
	if (!err) {
		p->skb.mac = packet_offset(p, p->data);
		p->skb.has_mac = true;
	}
	skb_sync(run);
	return answer(err);
}

PACKET_HELPER(skb_change_type)
{
	u32 type = (u32)r2;

	if (run->packet->skb.pkt_type > PACKET_OTHERHOST || type > PACKET_OTHERHOST)
		return answer(-EINVAL);
	run->packet->skb.pkt_type = (u8)type;
	skb_sync(run);
	return 0;
}

PACKET_HELPER(skb_set_tstamp)
{
	enum { REALTIME, MONOTONIC, TAI }; /* BPF_SKB_CLOCK_* */
	u16 type = load_be16(&run->packet->skb.protocol);
	struct __sk_buff *ctx = run->ctx;
	u32 clock = (u32)r3;

	if (type != ETH_P_IP && type != ETH_P_IPV6)
		return answer(-EOPNOTSUPP);
	if (clock > TAI || (clock != REALTIME && !r2))
		return answer(-EINVAL);
	ctx->tstamp = r2;
	ctx->tstamp_type = (u8)clock;
	return 0;
}

/* ---- VLAN tags: the outermost one is kept beside the bytes ---- */

PACKET_HELPER(skb_vlan_push)
{
	struct skb_state *skb = &run->packet->skb;
	u16 proto = (u16)r2;
	u8 usual[2];
	int err = 0;

	store_be16(usual, ETH_P_8021Q);
	if (!skb_is_vlan(proto))
		proto = load_u16(usual);
	if (skb->vlan_present)
		err = skb_insert_tag(run->packet, skb->vlan_proto, skb->vlan_tci);
	if (!err)
		skb_set_tag(run->packet, proto, (u16)r3);
	skb_sync(run);
	return answer(err);
}

/* Takes the outer tag away, then brings the next one, if any, to its place. */
static int vlan_pop(struct packet *p)
{
	u16 proto = p->skb.protocol, tci;
	int err;

	if (p->skb.vlan_present) {
		skb_clear_tag(p);
	} else {
		err = skb_is_vlan(proto) ? skb_remove_tag(p, &tci) : 0;
		if (err || !skb_is_vlan(proto))
			return err;
	}
	proto = p->skb.protocol;
	if (!skb_is_vlan(proto))
		return 0;
	err = skb_remove_tag(p, &tci);
	if (!err)
		skb_set_tag(p, proto, tci);
	return err;
}

PACKET_HELPER(skb_vlan_pop)
{
	int err = vlan_pop(run->packet);

	skb_sync(run);
	return answer(err);
}
