/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a packet and how they move.
 *
 * One mapping holds everything: room in front for headers that programs push, the linear
 * part, room behind it, and the fragments.  Header positions are offsets in it, so they
 * stay right when `data` moves.  Never allocates after packet_init(), never decides what
 * a program may do.
 */
#include "world/packet.h"

#include <errno.h>
#include <string.h>

#include "world/lowmem.h"

enum {
	ROOM_FRONT = PACKET_FRONT,
	ROOM_BEHIND = 64 * 1024,
	FRAGS_AT = ROOM_FRONT + PACKET_MAX_LEN + ROOM_BEHIND,
	/* fragments are whole pages: the last one may be cut off by nearly one page each
	 */
	FRAGS_SIZE = PACKET_MAX_LEN + PACKET_MAX_FRAGS * PACKET_PAGE,
};

int packet_init(struct packet *p, struct skep_diag *diag)
{
	*p = (struct packet){.size = FRAGS_AT + FRAGS_SIZE};
	p->buf = lowmem_map(&p->size, diag);
	if (!p->buf)
		return -ENOMEM;
	return packet_set_skb(p, NULL, 0, 0);
}

void packet_fini(struct packet *p)
{
	lowmem_unmap(p->buf, p->size);
	*p = (struct packet){0};
}

static void set_frags(struct packet *p, const u8 *bytes, u32 len)
{
	u32 per_frag = (len + PACKET_MAX_FRAGS - 1) / PACKET_MAX_FRAGS;
	u32 cap = (u32)max_u64(round_up(per_frag, PACKET_PAGE), PACKET_PAGE);

	for (u8 *at = p->buf + FRAGS_AT; len; at += cap) {
		u32 n = (u32)min_u64(len, cap);

		memcpy(at, bytes, n);
		p->frags[p->n_frags++] = (struct packet_frag){at, n, cap};
		bytes += n;
		len -= n;
	}
}

static void set_bytes(struct packet *p, const u8 *bytes, u32 len, u32 linear)
{
	u32 in_front = linear < len ? linear : len;

	p->meta = p->data = p->buf + ROOM_FRONT;
	p->end = p->data + in_front;
	if (in_front)
		memcpy(p->data, bytes, in_front);
	p->n_frags = 0;
	p->frags_len = len - in_front;
	if (p->frags_len)
		set_frags(p, bytes + in_front, p->frags_len);
}

int packet_set_skb(struct packet *p, const void *bytes, u32 len, u32 linear)
{
	if (len > PACKET_MAX_LEN)
		return -EMSGSIZE;
	p->start = p->buf;
	p->limit = p->buf + FRAGS_AT;
	set_bytes(p, bytes, len, linear);
	/* the tunnel's rest counts when it is set */
	memset(&p->skb, 0, offsetof(struct skb_state, tunnel));
	p->skb.mac = p->skb.network = ROOM_FRONT;
	p->skb.tunnel.set = false;
	p->skb.tunnel.options_len = 0;
	return 0;
}

int packet_set_any_xdp(struct packet *p, const void *bytes, u32 len, u32 linear)
{
	u64 frame_size;

	if (len > PACKET_MAX_LEN)
		return -EMSGSIZE;
	set_bytes(p, bytes, len, linear);
	frame_size = PACKET_HEADROOM + packet_linear_len(p) + XDP_FRAME_TAIL;
	p->start = p->data - PACKET_HEADROOM + XDP_FRAME_HEAD;
	p->limit = p->data - PACKET_HEADROOM + round_up(frame_size, PACKET_PAGE) -
		   XDP_FRAME_TAIL;
	return 0;
}

u8 *packet_at(const struct packet *p, u32 off, u32 len)
{
	u32 linear = packet_linear_len(p);

	if (off <= linear && len <= linear - off)
		return p->data + off;
	if (off < linear)
		return NULL;
	off -= linear;
	for (u32 i = 0; i < p->n_frags; i++) {
		const struct packet_frag *frag = &p->frags[i];

		if (off < frag->len)
			return len <= frag->len - off ? frag->data + off : NULL;
		off -= frag->len;
	}
	return NULL;
}

/* The longest piece at off, at most *len long; *len becomes its length.  Inside. */
static u8 *piece_at(const struct packet *p, u32 off, u32 *len)
{
	u32 linear = packet_linear_len(p), i = 0;

	if (off < linear) {
		*len = (u32)min_u64(*len, linear - off);
		return p->data + off;
	}
	off -= linear;
	while (off >= p->frags[i].len)
		off -= p->frags[i++].len;
	*len = (u32)min_u64(*len, p->frags[i].len - off);
	return p->frags[i].data + off;
}

static bool inside(const struct packet *p, u32 off, u32 len)
{
	u32 total = packet_len(p);

	return off <= total && len <= total - off;
}

int packet_read(const struct packet *p, u32 off, void *dst, u32 len)
{
	u8 *to = dst;

	if (!inside(p, off, len))
		return -EFAULT;
	while (len) {
		u32 n = len;
		const u8 *from = piece_at(p, off, &n);

		memcpy(to, from, n);
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}

int packet_write(struct packet *p, u32 off, const void *src, u32 len)
{
	const u8 *from = src;

	if (!inside(p, off, len))
		return -EFAULT;
	while (len) {
		u32 n = len;
		u8 *to = piece_at(p, off, &n);

		memmove(to, from, n); /* the source may be the packet itself */
		from += n;
		off += n;
		len -= n;
	}
	return 0;
}

/* Forget the first n bytes of the fragments. */
static void drop_frags_front(struct packet *p, u32 n)
{
	u32 gone = 0;

	p->frags_len -= n;
	while (gone < p->n_frags && n >= p->frags[gone].len)
		n -= p->frags[gone++].len;
	p->n_frags -= gone;
	memmove(p->frags, p->frags + gone, p->n_frags * sizeof(*p->frags));
	if (n) {
		p->frags[0].data += n;
		p->frags[0].len -= n;
		p->frags[0].cap -= n;
	}
}

int packet_pull(struct packet *p, u32 len)
{
	u32 linear = packet_linear_len(p), n;

	if (len <= linear)
		return 0;
	n = len - linear;
	if (n > p->frags_len || n > (u64)(p->limit - p->end))
		return -ENOMEM;
	packet_read(p, linear, p->end, n);
	p->end += n;
	drop_frags_front(p, n);
	return 0;
}

int packet_push_front(struct packet *p, u32 n)
{
	if (n > (u64)(p->data - p->start))
		return -ENOMEM;
	p->meta = p->data -= n;
	return 0;
}

int packet_drop_front(struct packet *p, u32 n)
{
	int err = packet_pull(p, n);

	if (!err)
		p->meta = p->data += n;
	return err;
}

int packet_grow(struct packet *p, u32 len)
{
	u32 n = len - packet_len(p);
	struct packet_frag *last = p->n_frags ? &p->frags[p->n_frags - 1] : NULL;

	if (n > (last ? last->cap - last->len : (u64)(p->limit - p->end)))
		return -ENOMEM;
	if (last) {
		memset(last->data + last->len, 0, n);
		last->len += n;
		p->frags_len += n;
	} else {
		memset(p->end, 0, n);
		p->end += n;
	}
	return 0;
}

void packet_trim(struct packet *p, u32 len)
{
	u32 excess = packet_len(p) - len;

	while (excess && p->n_frags) {
		struct packet_frag *last = &p->frags[p->n_frags - 1];
		u32 n = (u32)min_u64(excess, last->len);

		last->len -= n;
		p->frags_len -= n;
		excess -= n;
		if (!last->len)
			p->n_frags--;
	}
	p->end -= excess;
}

int packet_insert(struct packet *p, u32 off, u32 n)
{
	u64 linear = packet_linear_len(p);

	if (off > (u64)(p->limit - p->data) || packet_push_front(p, n))
		return -ENOMEM;
	if (off > linear) /* what lies behind the end is not the packet's */
		memset(p->end, 0, off - linear);
	memmove(p->data, p->data + n, off);
	memset(p->data + off, 0, n);
	return 0;
}

int packet_remove(struct packet *p, u32 off, u32 n)
{
	int err = packet_pull(p, off + n);

	if (err)
		return err;
	memmove(p->data + n, p->data, off);
	p->meta = p->data += n;
	return 0;
}
