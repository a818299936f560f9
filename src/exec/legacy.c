/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LD_ABS and LD_IND: bytes of the packet wherever they lie, fragments included, or, with
 * a negative offset, bytes relative to the link-layer or the network header.  Never
 * touches what is not in the packet's buffer.  RFC 9669 5.5, <linux/filter.h>.
 */
#include "exec/legacy.h"

#include <linux/filter.h>

#include "base/bytes.h"
#include "world/packet.h"

/* What a negative offset means, or NULL. */
static const u8 *header_byte(const struct packet *p, s32 off, u32 size)
{
	s64 at;

	if (off >= SKF_NET_OFF)
		at = (s64)p->skb.network + off - SKF_NET_OFF;
	else if (off >= SKF_LL_OFF)
		at = (s64)p->skb.mac + off - SKF_LL_OFF;
	else
		return NULL;
	if (at < p->start - p->buf || at + size > p->end - p->buf)
		return NULL;
	return p->buf + at;
}

static u64 from_network(const u8 *bytes, u32 size)
{
	u64 value = 0;

	for (u32 i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

bool legacy_load(const struct packet *p, s32 off, u32 size, u64 *value)
{
	const u8 *at;
	u8 bytes[4];

	if (!p)
		return false;
	if (off < 0) {
		at = header_byte(p, off, size);
		if (!at)
			return false;
	} else if (packet_read(p, (u32)off, bytes, size)) {
		return false;
	} else {
		at = bytes;
	}
	*value = from_network(at, size);
	return true;
}
