// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Makes a service listen on another port than it does: packets to port `outside` arrive
 * at port `inside`, and what the service answers leaves from `outside` again.
 *
 * TCP and UDP over IPv4 and IPv6; checksums are mended, not computed anew.  Attach
 * to_service at ingress and from_service at egress.  Later fragments have no ports and
 * pass as they are.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IPV4_FRAG_OFFSET 0x1fff

const volatile __u16 outside = 80;
const volatile __u16 inside = 8080;

enum outcome { NOT_FOR_US, REWRITTEN, FAILED, OUTCOMES };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OUTCOMES);
	__type(key, __u32); /* enum outcome */
	__type(value, __u64);
} outcomes SEC(".maps");

/* Where the TCP or UDP header lies; protocol 0: there is none. */
struct transport {
	__u32 at;
	__u8 protocol;
};

static __always_inline struct transport find_ipv4(struct __sk_buff *skb)
{
	struct transport none = {}, found = {};
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return none;
	if (ip.version != 4 || ip.ihl < 5 || (ip.frag_off & bpf_htons(IPV4_FRAG_OFFSET)))
		return none;
	found.at = ETH_HLEN + ip.ihl * 4;
	found.protocol = ip.protocol;
	return found;
}

/* Extension headers are rare before TCP and UDP; such packets pass as they are. */
static __always_inline struct transport find_ipv6(struct __sk_buff *skb)
{
	struct transport none = {}, found = {.at = ETH_HLEN + sizeof(struct ipv6hdr)};
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.version != 6)
		return none;
	found.protocol = ip.nexthdr;
	return found;
}

static __always_inline struct transport find_transport(struct __sk_buff *skb)
{
	struct transport none = {}, found = {};

	if (skb->protocol == bpf_htons(ETH_P_IP))
		found = find_ipv4(skb);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		found = find_ipv6(skb);
	return found.protocol == IPPROTO_TCP || found.protocol == IPPROTO_UDP ? found
									      : none;
}

/* Replaces the port at that offset.  The checksum goes first: it needs the old port, and
 * a UDP checksum of 0 says that there is none and stays. */
static __always_inline int replace_port(struct __sk_buff *skb, struct transport transport,
					__u32 port_at, __be16 old, __be16 new)
{
	__u32 checksum_at = transport.at + offsetof(struct tcphdr, check);
	__u64 flags = sizeof(new);

	if (transport.protocol == IPPROTO_UDP) {
		checksum_at = transport.at + offsetof(struct udphdr, check);
		flags |= BPF_F_MARK_MANGLED_0;
	}
	if (bpf_l4_csum_replace(skb, checksum_at, old, new, flags))
		return FAILED;
	if (bpf_skb_store_bytes(skb, port_at, &new, sizeof(new), 0))
		return FAILED;
	return REWRITTEN;
}

/* TCP and UDP both begin with the source and the destination port. */
static __always_inline int rewrite(struct __sk_buff *skb, __u32 port_offset, __u16 from,
				   __u16 to)
{
	struct transport transport = find_transport(skb);
	__u32 port_at = transport.at + port_offset;
	__be16 port;

	if (!transport.protocol || bpf_skb_load_bytes(skb, port_at, &port, sizeof(port)))
		return NOT_FOR_US;
	if (port != bpf_htons(from))
		return NOT_FOR_US;
	return replace_port(skb, transport, port_at, port, bpf_htons(to));
}

static __always_inline int finish(__u32 outcome)
{
	__u64 *count = bpf_map_lookup_elem(&outcomes, &outcome);

	if (count)
		++*count;
	return outcome == FAILED ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc")
int to_service(struct __sk_buff *skb)
{
	return finish(rewrite(skb, offsetof(struct tcphdr, dest), outside, inside));
}

SEC("tc")
int from_service(struct __sk_buff *skb)
{
	return finish(rewrite(skb, offsetof(struct tcphdr, source), inside, outside));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
