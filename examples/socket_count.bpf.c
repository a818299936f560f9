// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What passes a packet socket: frames and bytes for each IP protocol, and frames for each
 * Ethernet type.  The socket gets nothing (0 bytes of every frame), so that counting is
 * all it costs; `keep` gives it whole frames.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

const volatile _Bool keep = 0;

struct traffic {
	__u64 frames;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32); /* IPPROTO_* */
	__type(value, struct traffic);
} protocols SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16); /* ETH_P_*, in host byte order */
	__type(value, __u64);
} ether_types SEC(".maps");

static __always_inline void count_ether_type(__u16 type)
{
	__u64 one = 1, *frames = bpf_map_lookup_elem(&ether_types, &type);

	if (frames)
		__sync_fetch_and_add(frames, 1);
	else if (bpf_map_update_elem(&ether_types, &type, &one, BPF_NOEXIST)) {
		/* another CPU was faster, or the map is full */
		frames = bpf_map_lookup_elem(&ether_types, &type);
		if (frames)
			__sync_fetch_and_add(frames, 1);
	}
}

static __always_inline void count_protocol(__u8 protocol, __u32 bytes)
{
	__u32 key = protocol;
	struct traffic *traffic = bpf_map_lookup_elem(&protocols, &key);

	if (!traffic)
		return;
	__sync_fetch_and_add(&traffic->frames, 1);
	__sync_fetch_and_add(&traffic->bytes, bytes);
}

SEC("socket")
int socket_count(struct __sk_buff *skb)
{
	__u32 at = ETH_HLEN;
	__u8 protocol;

	count_ether_type(bpf_ntohs(skb->protocol));
	if (skb->protocol == bpf_htons(ETH_P_IP))
		at += offsetof(struct iphdr, protocol);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		at += offsetof(struct ipv6hdr, nexthdr);
	else
		goto out;
	if (!bpf_skb_load_bytes(skb, at, &protocol, sizeof(protocol)))
		count_protocol(protocol, skb->len);
out:
	return keep ? skb->len : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
