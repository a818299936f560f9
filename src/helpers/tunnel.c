/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tunnel that a packet came through or is to go through: kept beside the packet, for
 * the tunnel device behind a redirect.
 *
 * What is set describes the way out and what is got the way in, so that a program which
 * reads back what it wrote finds both ends exchanged, as in Linux.
 */
#include <string.h>

#include "base/bytes.h"
#include "helpers/bodies.h"

/* BPF_F_TUNINFO_FLAGS (Linux 6.1) and BPF_F_NO_TUNNEL_KEY (6.6) */
enum { TUNINFO_FLAGS = 1 << 4, NO_TUNNEL_KEY = 1 << 4 };

/* What BPF_F_TUNINFO_FLAGS shows: TUNNEL_* of <linux/if_tunnel.h> */
enum {
	TUN_CSUM = 1 << 0,
	TUN_KEY = 1 << 2,
	TUN_SEQ = 1 << 3,
	TUN_DONT_FRAGMENT = 1 << 8,
	TUN_OPTIONS = 1 << 11 | 1 << 12 | 1 << 14 | 1 << 15,
	TUN_NOCACHE = 1 << 13,
};

static const u64 set_flags = BPF_F_TUNINFO_IPV6 | BPF_F_ZERO_CSUM_TX |
			     BPF_F_DONT_FRAGMENT | BPF_F_SEQ_NUMBER | NO_TUNNEL_KEY;

/* The structure grew four times; programs pass the size they know. */
static bool is_known_size(u32 size)
{
	return size == sizeof(struct bpf_tunnel_key) ||
	       size == offsetof(struct bpf_tunnel_key, local_ipv4) ||
	       size == offsetof(struct bpf_tunnel_key, tunnel_label) ||
	       size == offsetof(struct bpf_tunnel_key, tunnel_ext) ||
	       size == offsetof(struct bpf_tunnel_key, remote_ipv6[1]);
}

static u16 tunnel_flags(u64 flags)
{
	u32 shown = TUN_NOCACHE;

	shown |= flags & BPF_F_DONT_FRAGMENT ? TUN_DONT_FRAGMENT : 0;
	shown |= flags & BPF_F_ZERO_CSUM_TX ? 0 : TUN_CSUM;
	shown |= flags & BPF_F_SEQ_NUMBER ? TUN_SEQ : 0;
	shown |= flags & NO_TUNNEL_KEY ? 0 : TUN_KEY;
	return (u16)shown;
}

PACKET_HELPER(skb_set_tunnel_key)
{
	struct skb_tunnel *tunnel = &run->packet->skb.tunnel;
	bool ipv6 = r4 & BPF_F_TUNINFO_IPV6;
	struct bpf_tunnel_key key = {0};

	if (r4 & ~set_flags || !is_known_size((u32)r3))
		return answer(-EINVAL);
	memcpy(&key, pointer(r2), (u32)r3);
	if ((!ipv6 && key.tunnel_label) || key.tunnel_ext)
		return answer(-EINVAL);
	*tunnel = (struct skb_tunnel){
		.set = true,
		.ipv6 = ipv6,
		.id = key.tunnel_id,
		.tos = key.tunnel_tos,
		.ttl = key.tunnel_ttl,
		.label = key.tunnel_label & 0xfffff,
		.flags = tunnel_flags(r4),
	};
	memcpy(tunnel->dst, key.remote_ipv6, ipv6 ? 16 : 4);
	memcpy(tunnel->src, key.local_ipv6, ipv6 ? 16 : 4);
	return 0;
}

static int get_key(const struct skb_tunnel *tunnel, u64 flags, u32 size,
		   struct bpf_tunnel_key *key)
{
	if (!tunnel->set || flags & ~(u64)(BPF_F_TUNINFO_IPV6 | TUNINFO_FLAGS))
		return -EINVAL;
	if (tunnel->ipv6 != !!(flags & BPF_F_TUNINFO_IPV6))
		return -EPROTO;
	if (!is_known_size(size) ||
	    (size == offsetof(struct bpf_tunnel_key, remote_ipv6[1]) && tunnel->ipv6))
		return -EINVAL;
	key->tunnel_id = tunnel->id;
	key->tunnel_tos = tunnel->tos;
	key->tunnel_ttl = tunnel->ttl;
	key->tunnel_label = tunnel->label;
	if (flags & TUNINFO_FLAGS)
		store_be16(&key->tunnel_ext, tunnel->flags);
	memcpy(key->remote_ipv6, tunnel->src, 16);
	memcpy(key->local_ipv6, tunnel->dst, 16);
	return 0;
}

PACKET_HELPER(skb_get_tunnel_key)
{
	struct bpf_tunnel_key key = {0};
	int err = get_key(&run->packet->skb.tunnel, r4, (u32)r3, &key);

	if (err)
		memset(pointer(r2), 0, (u32)r3);
	else
		memcpy(pointer(r2), &key, (u32)r3);
	return answer(err);
}

PACKET_HELPER(skb_set_tunnel_opt)
{
	struct skb_tunnel *tunnel = &run->packet->skb.tunnel;
	u32 size = (u32)r3;

	if (!tunnel->set || size % 4)
		return answer(-EINVAL);
	if (size > sizeof(tunnel->options))
		return answer(-ENOMEM);
	memcpy(tunnel->options, pointer(r2), size);
	tunnel->options_len = (u8)size;
	tunnel->flags |= size ? TUN_OPTIONS : 0;
	return 0;
}

PACKET_HELPER(skb_get_tunnel_opt)
{
	const struct skb_tunnel *tunnel = &run->packet->skb.tunnel;
	u32 size = (u32)r3;
	int err = 0;

	if (!tunnel->set || !(tunnel->flags & TUN_OPTIONS))
		err = -ENOENT;
	else if (size < tunnel->options_len)
		err = -ENOMEM;
	memset(pointer(r2), 0, size);
	if (err)
		return answer(err);
	memcpy(pointer(r2), tunnel->options, tunnel->options_len);
	return tunnel->options_len;
}
