/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Link headers and VLAN tags, IEEE 802.1Q and 802.1ad.
 *
 * A tag is four bytes behind the two MAC addresses; taking it out or putting it in moves
 * the addresses, never the payload.  Knows nothing of programs.
 */
#include "world/skb.h"

#include <errno.h>
#include <linux/if_ether.h>

#include "base/bytes.h"
#include "world/packet.h"

enum { ADDRESSES = 2 * ETH_ALEN };

static u16 be16(u16 host)
{
	return host_is_big_endian() ? host : __builtin_bswap16(host);
}

bool skb_is_vlan(u16 protocol)
{
	return protocol == be16(ETH_P_8021Q) || protocol == be16(ETH_P_8021AD);
}

u16 skb_protocol_at(const struct packet *p, u32 off)
{
	u8 type[2] = {0}, next[2] = {0};

	packet_read(p, off, type, sizeof(type));
	if (load_be16(type) >= ETH_P_802_3_MIN)
		return load_u16(type);
	/* Novell's raw 802.3 has no LLC header and starts with an unused checksum */
	if (!packet_read(p, off + sizeof(type), next, sizeof(next)) &&
	    load_u16(next) == 0xffff)
		return be16(ETH_P_802_3);
	return be16(ETH_P_802_2);
}

static bool at_mac(const struct packet *p)
{
	return packet_offset(p, p->data) == p->skb.mac;
}

int skb_remove_tag(struct packet *p, u16 *tci)
{
	if (!at_mac(p))
		return -EINVAL;
	if (packet_pull(p, MAC_LEN + VLAN_LEN))
		return -ENOMEM;
	*tci = load_be16(p->data + MAC_LEN);
	p->skb.protocol = skb_protocol_at(p, MAC_LEN + 2);
	packet_remove(p, ADDRESSES, VLAN_LEN);
	p->skb.mac += VLAN_LEN;
	if (p->skb.network < p->skb.mac + MAC_LEN)
		p->skb.network = p->skb.mac + MAC_LEN;
	return 0;
}

int skb_insert_tag(struct packet *p, u16 proto, u16 tci)
{
	int err;

	if (!at_mac(p))
		return -EINVAL;
	err = packet_pull(p, MAC_LEN) ? -EINVAL : packet_insert(p, ADDRESSES, VLAN_LEN);
	if (err)
		return err;
	store_u16(p->data + ADDRESSES, proto);
	store_be16(p->data + MAC_LEN, tci);
	p->skb.mac -= VLAN_LEN;
	p->skb.network -= VLAN_LEN;
	p->skb.protocol = proto;
	return 0;
}

void skb_set_tag(struct packet *p, u16 proto, u16 tci)
{
	p->skb.vlan_present = true;
	p->skb.vlan_proto = proto;
	p->skb.vlan_tci = tci;
}

void skb_clear_tag(struct packet *p)
{
	p->skb.vlan_present = false;
	p->skb.vlan_proto = p->skb.vlan_tci = 0;
}

/* Appends to what was copied, counting also what does not fit. */
static void put(u8 *dst, u32 size, u32 *len, struct bytes b)
{
	if (*len < size && b.len)
		memcpy(dst + *len, b.data, min_u64(b.len, size - *len));
	*len += (u32)b.len;
}

u32 skb_copy_out(const struct packet *p, void *dst, u32 size)
{
	const u8 *head = p->skb.has_mac ? p->buf + p->skb.mac : p->data;
	struct bytes linear = {head < p->data ? head : p->data, 0};
	u32 len = 0;

	linear.len = (u64)(p->end - linear.data);
	if (p->skb.has_mac && p->skb.vlan_present && linear.len >= ADDRESSES) {
		u8 tag[VLAN_LEN];

		store_u16(tag, p->skb.vlan_proto);
		store_be16(tag + 2, p->skb.vlan_tci);
		put(dst, size, &len, bytes_slice(linear, 0, ADDRESSES));
		put(dst, size, &len, (struct bytes){tag, sizeof(tag)});
		linear = bytes_slice(linear, ADDRESSES, linear.len - ADDRESSES);
	}
	put(dst, size, &len, linear);
	for (u32 i = 0; i < p->n_frags; i++)
		put(dst, size, &len, (struct bytes){p->frags[i].data, p->frags[i].len});
	return len;
}
