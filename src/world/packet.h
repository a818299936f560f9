/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet that programs look at and change.  The linear part lies below 4 GiB, so that
 * the 32-bit data and data_end of struct xdp_md and struct __sk_buff are addresses as
 * they stand: contexts need no rewriting.
 *
 * Layout of the buffer:   room | metadata | data ... end | room;   fragments
 * (multi-buffer frames, data of an skb that is not linear) follow behind `limit`.  One
 * packet belongs to one thread at a time and is reused for the next packet without
 * allocating.  These are the moves; the rules of Linux' helpers about them stand in
 * src/helpers.
 */
#ifndef SKEP_WORLD_PACKET_H
#define SKEP_WORLD_PACKET_H

#include <string.h>

#include "base/types.h"

struct skep_diag;

enum {
	PACKET_HEADROOM = 256,       /* XDP_PACKET_HEADROOM */
	PACKET_MAX_FRAGS = 17,       /* MAX_SKB_FRAGS */
	PACKET_MAX_LEN = 256 * 1024, /* the most that capture formats carry */
	PACKET_PAGE = 4096,          /* unit of XDP frames and of fragments */
	PACKET_FRONT = 64 * 1024,     /* before a new packet's data */
	/* What Linux keeps for itself at both ends of an XDP frame: struct xdp_frame in
	 * front, struct skb_shared_info behind. */
	XDP_FRAME_HEAD = 40,
	XDP_FRAME_TAIL = 320,
	/* The linear part of a multi-buffer frame. */
	XDP_LINEAR_MAX = PACKET_PAGE - PACKET_HEADROOM - XDP_FRAME_TAIL,
};

struct packet_frag {
	u8 *data; /* in the packet's buffer */
	u32 len, cap;
};

/* What Linux knows about an skb beside its bytes.  Numbers are as in struct sk_buff: the
 * be16 ones are in network order, positions are offsets in buf. */
struct skb_state {
	u32 mac, network;
	u32 transport;            /* 0: nobody has set it */
	u16 protocol, vlan_proto; /* be16 */
	u16 vlan_tci;
	bool vlan_present; /* the tag is here, not among the bytes */
	bool has_mac;      /* there is an Ethernet header at mac */
	bool hash_known;   /* else hash is computed when somebody asks */
	bool encapsulation;
	u8 pkt_type;              /* PACKET_HOST, ... */
	u8 ip_summed, csum_level; /* enum skb_csum */
	u32 hash;
	u32 gso_size, gso_segs, gso_type;
	/* where a tunnel device is to send it: bpf_skb_set_tunnel_key() */
	struct skb_tunnel {
		bool set, ipv6;
		u8 tos, ttl;
		u16 flags; /* TUNNEL_* of <linux/if_tunnel.h> */
		u32 id, label;
		u8 src[16], dst[16]; /* IPv4: the first 4 bytes, in the host's order */
		u8 options[255], options_len;
	} tunnel;
};

/* Captured packets are NONE: software has to look at the checksum. */
enum skb_csum { SKB_CSUM_NONE, SKB_CSUM_UNNECESSARY };

struct packet {
	u8 *buf;   /* owned, below 4 GiB; guard pages around it */
	u32 size;  /* of buf */
	u8 *start; /* data and metadata may grow down to here */
	u8 *meta;  /* XDP metadata [meta, data); meta == data: none */
	u8 *data;  /* first byte of the linear part */
	u8 *end;   /* behind its last byte */
	u8 *limit; /* end may grow up to here */
	struct packet_frag frags[PACKET_MAX_FRAGS];
	u32 n_frags;
	u32 frags_len; /* bytes in all fragments */
	struct skb_state skb;
};

/* 0, or a negative errno: PACKET_MEMORY when the system has no memory below 4 GiB. */
int packet_init(struct packet *p, struct skep_diag *diag);
void packet_fini(struct packet *p);

/*
 * New content, the first `linear` bytes of it linear and the rest in fragments; all old
 * state is gone.  linear >= len: no fragments.  _xdp gives the room that an XDP frame has
 * (256 bytes before, the rest of the page behind; more pages for a longer frame), _skb as
 * much as there is; of an XDP frame, skb says nothing.  0, or -EMSGSIZE when it is longer
 * than PACKET_MAX_LEN.
 */
int packet_set_any_xdp(struct packet *p, const void *bytes, u32 len, u32 linear);
int packet_set_skb(struct packet *p, const void *bytes, u32 len, u32 linear);

enum { PACKET_SHORT_MIN = 32, PACKET_SHORT_MAX = 128 };

/* Without a call and a loop; two pieces may overlap. */
static inline void packet_copy_short(u8 *to, const u8 *from, u32 len)
{
	enum { PIECE = 32 };

	memcpy(to, from, PIECE);
	if (len > 2 * PIECE) {
		memcpy(to + PIECE, from + PIECE, PIECE);
		memcpy(to + len - 2 * PIECE, from + len - 2 * PIECE, PIECE);
	}
	memcpy(to + len - PIECE, from + len - PIECE, PIECE);
}

/* Most packets are short, linear, and fit into one page. */
static inline int packet_set_xdp(struct packet *p, const void *bytes, u32 len, u32 linear)
{
	u8 *data = p->buf + PACKET_FRONT;

	if (len > linear || len > PACKET_SHORT_MAX || len < PACKET_SHORT_MIN)
		return packet_set_any_xdp(p, bytes, len, linear);
	p->start = data - PACKET_HEADROOM + XDP_FRAME_HEAD;
	p->meta = p->data = data;
	p->end = data + len;
	p->limit = data - PACKET_HEADROOM + PACKET_PAGE - XDP_FRAME_TAIL;
	p->n_frags = p->frags_len = 0;
	packet_copy_short(data, bytes, len);
	return 0;
}

static inline u32 packet_linear_len(const struct packet *p)
{
	return (u32)(p->end - p->data);
}

static inline u32 packet_len(const struct packet *p)
{
	return packet_linear_len(p) + p->frags_len;
}

/* Bytes [off, off + len) wherever they lie; 0, or -EFAULT with nothing done. */
int packet_read(const struct packet *p, u32 off, void *dst, u32 len);
int packet_write(struct packet *p, u32 off, const void *src, u32 len);

/* The same bytes in place, or NULL when they are not in one piece. */
u8 *packet_at(const struct packet *p, u32 off, u32 len);

/* Make the first len bytes linear: 0, or -ENOMEM when there are not so many. */
int packet_pull(struct packet *p, u32 len);

/* Move the front: n new bytes there (not zeroed), or n bytes less.  0 or -ENOMEM. */
int packet_push_front(struct packet *p, u32 n);
int packet_drop_front(struct packet *p, u32 n);

/* Change the length at the end: new bytes are zero; -ENOMEM when there is no room.  A
 * packet grows only when it is linear. */
int packet_grow(struct packet *p, u32 len);
void packet_trim(struct packet *p, u32 len);

/* Make or remove a gap of n bytes at off, moving what lies before it.  A new gap is
 * zeroed.  0 or -ENOMEM. */
int packet_insert(struct packet *p, u32 off, u32 n);
int packet_remove(struct packet *p, u32 off, u32 n);

static inline u32 packet_offset(const struct packet *p, const u8 *at)
{
	return (u32)(at - p->buf);
}

#endif
