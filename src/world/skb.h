/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Link headers and VLAN tags of a packet that is an skb: among its bytes, or beside them
 * in vlan_tci as Linux keeps the outermost tag.  For contexts, hooks and helpers.
 */
#ifndef SKEP_WORLD_SKB_H
#define SKEP_WORLD_SKB_H

#include "base/types.h"

struct packet;

enum { MAC_LEN = 14, VLAN_LEN = 4 };

/* Is this be16 ethertype one of a VLAN tag? */
bool skb_is_vlan(u16 protocol);

/* The be16 protocol of what follows a be16 type field at off: itself, or ETH_P_802_3 and
 * ETH_P_802_2 for the old frames whose type field is a length. */
u16 skb_protocol_at(const struct packet *p, u32 off);

/* Take the tag behind the MAC addresses out of the bytes.  0, -EINVAL when data is not at
 * the MAC header, -ENOMEM when the bytes are too few. */
int skb_remove_tag(struct packet *p, u16 *tci);

/* Put a tag behind the MAC addresses; the same errors. */
int skb_insert_tag(struct packet *p, u16 proto, u16 tci);

void skb_set_tag(struct packet *p, u16 proto, u16 tci);
void skb_clear_tag(struct packet *p);

/* The whole packet as it would leave: link header first, the tag of vlan_tci among the
 * bytes.  Returns its length; copies as much of it as fits into dst. */
u32 skb_copy_out(const struct packet *p, void *dst, u32 size);

#endif
