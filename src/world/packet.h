/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet that programs look at and change.  The linear part lies below 4 GiB, so that
 * the 32-bit data and data_end of struct xdp_md and struct __sk_buff are addresses as
 * they stand: contexts need no rewriting.
 *
 * Layout of the buffer:   headroom | metadata | data ... data_end | tailroom;   fragments
 * (multi-buffer frames, data of an skb that is not linear) are buffers of their own
 * behind data_end. One packet belongs to one thread at a time and is reused for the next
 * packet without allocating.
 */
#ifndef SKEP_WORLD_PACKET_H
#define SKEP_WORLD_PACKET_H

#include "base/types.h"

struct skep_diag;

enum {
	PACKET_HEADROOM = 256, /* XDP_PACKET_HEADROOM */
	PACKET_MAX_FRAGS = 17, /* MAX_SKB_FRAGS */
};

struct packet_frag {
	u8 *data; /* in the packet's buffer */
	u32 len, cap;
};

struct packet {
	u8 *buf;  /* owned, below 4 GiB; guard pages around it */
	u32 size; /* of buf */
	u8 *meta; /* XDP metadata [meta, data); meta == data: none */
	u8 *data; /* first byte of the linear part */
	u8 *end;  /* behind its last byte */
	struct packet_frag frags[PACKET_MAX_FRAGS];
	u32 n_frags;
	u32 frags_len; /* bytes in all fragments */
};

#endif
