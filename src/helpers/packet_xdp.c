/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers on XDP frames: moving both ends and the metadata, and reading across fragments.
 *
 * The limits are Linux's: a frame keeps an Ethernet header's worth of bytes, the room
 * that the kernel needs at both ends of the page is not the program's.
 */
#include <string.h>

#include "helpers/bodies.h"
#include "world/skb.h"

enum { MAX_OFFSET = 0xffff, MAX_META = 255 };

PACKET_HELPER(xdp_adjust_head)
{
	struct packet *p = run->packet;
	s64 offset = (s32)r2;
	u64 meta_len = (u64)(p->data - p->meta);

	if (offset < (p->start - p->data) + (s64)meta_len ||
	    offset > (p->end - p->data) - MAC_LEN)
		return answer(-EINVAL);
	memmove(p->meta + offset, p->meta, meta_len);
	p->meta += offset;
	p->data += offset;
	xdp_sync(run);
	return 0;
}

PACKET_HELPER(xdp_adjust_meta)
{
	struct packet *p = run->packet;
	s64 before = (p->data - p->meta) - (s64)(s32)r2; /* bytes of metadata wanted */

	if (before < 0 || before > p->data - p->start)
		return answer(-EINVAL);
	if (before % 4 || before > MAX_META)
		return answer(-EACCES);
	p->meta = p->data - before;
	xdp_sync(run);
	return 0;
}

PACKET_HELPER(xdp_adjust_tail)
{
	struct packet *p = run->packet;
	s64 len = packet_len(p) + (s64)(s32)r2;

	if (len < MAC_LEN || len > UINT32_MAX)
		return answer(-EINVAL);
	if (len < packet_len(p))
		packet_trim(p, (u32)len);
	else if (packet_grow(p, (u32)len))
		return answer(-EINVAL);
	xdp_sync(run);
	return 0;
}

/* 0 when Linux looks for [offset, offset + len) at all. */
static s64 check_range(const struct packet *p, u64 offset, u64 len)
{
	if (offset > MAX_OFFSET || len > MAX_OFFSET)
		return -EFAULT;
	return offset + len > packet_len(p) ? -EINVAL : 0;
}

PACKET_HELPER(xdp_load_bytes)
{
	u32 offset = (u32)r2, len = (u32)r4;
	s64 err = check_range(run->packet, offset, len);

	return answer(err ? err : packet_read(run->packet, offset, pointer(r3), len));
}

PACKET_HELPER(xdp_store_bytes)
{
	u32 offset = (u32)r2, len = (u32)r4;
	s64 err = check_range(run->packet, offset, len);

	return answer(err ? err : packet_write(run->packet, offset, pointer(r3), len));
}

PACKET_HELPER(xdp_get_buff_len)
{
	return packet_len(run->packet);
}
