// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A parser of one program a header: each reads its own and tail-calls the one for the
 * next, which it finds in a program array that is filled when the object is loaded.
 *
 * A protocol that nobody parses has an empty slot; the tail call then falls through and
 * the packet ends at that stage.  What the programs pass on (how far they are) lies in a
 * per-CPU map: registers and the stack do not survive a tail call.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IPV4_FRAG_OFFSET 0x1fff
#define MAX_HEADERS      512 /* bytes; keeps offsets small for the verifier */

enum stage { ETHERNET, VLAN, IPV4, IPV6, TCP, UDP, ICMP, ICMPV6, STAGES };

/* What a stage found. */
struct stage_stats {
	__u64 packets;
	__u64 last;      /* packets that ended here: nobody parses what follows */
	__u64 truncated; /* packets that ended within this header */
};

struct progress {
	__u32 offset;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct progress);
} progress SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STAGES);
	__type(key, __u32); /* enum stage */
	__type(value, struct stage_stats);
} stats SEC(".maps");

int parse_vlan(struct xdp_md *ctx);
int parse_ipv4(struct xdp_md *ctx);
int parse_ipv6(struct xdp_md *ctx);
int parse_tcp(struct xdp_md *ctx);
int parse_udp(struct xdp_md *ctx);
int parse_icmp(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, STAGES);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} stages SEC(".maps") = {
	.values =
		{
			[VLAN] = (void *)&parse_vlan,
			[IPV4] = (void *)&parse_ipv4,
			[IPV6] = (void *)&parse_ipv6,
			[TCP] = (void *)&parse_tcp,
			[UDP] = (void *)&parse_udp,
			[ICMP] = (void *)&parse_icmp,
			/* ICMPV6 has no parser: IPv6 is where such packets end */
		},
};

struct vlan_header {
	__be16 tci;
	__be16 protocol;
};

static __always_inline struct progress *get_progress(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&progress, &zero);
}

static __always_inline struct stage_stats *get_stats(__u32 stage)
{
	return bpf_map_lookup_elem(&stats, &stage);
}

/* The header at the current offset, counted; NULL when the packet ends before its end. */
static __always_inline void *enter(struct xdp_md *ctx, __u32 stage, __u32 size)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct progress *progress = get_progress();
	struct stage_stats *stats = get_stats(stage);
	__u32 offset;

	if (!progress || !stats)
		return 0;
	stats->packets++;
	offset = progress->offset;
	if (offset > MAX_HEADERS || data + offset + size > end) {
		stats->truncated++;
		return 0;
	}
	return data + offset;
}

/* Goes on behind a header of size bytes; returns only when nobody parses what follows. */
static __always_inline void go_on(struct xdp_md *ctx, __u32 stage, __u32 size, __u32 next)
{
	struct progress *progress = get_progress();
	struct stage_stats *stats = get_stats(stage);

	if (!progress || !stats)
		return;
	progress->offset += size;
	bpf_tail_call(ctx, &stages, next);
	stats->last++;
}

static __always_inline __u32 stage_of_ether_type(__be16 type)
{
	switch (bpf_ntohs(type)) {
	case ETH_P_8021Q:
	case ETH_P_8021AD: return VLAN;
	case ETH_P_IP: return IPV4;
	case ETH_P_IPV6: return IPV6;
	}
	return STAGES; /* outside the array: nobody */
}

static __always_inline __u32 stage_of_protocol(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP: return TCP;
	case IPPROTO_UDP: return UDP;
	case IPPROTO_ICMP: return ICMP;
	case IPPROTO_ICMPV6: return ICMPV6;
	}
	return STAGES;
}

SEC("xdp")
int parse_ethernet(struct xdp_md *ctx)
{
	struct progress *progress = get_progress();
	struct ethhdr *eth;

	if (!progress)
		return XDP_ABORTED;
	progress->offset = 0;
	eth = enter(ctx, ETHERNET, sizeof(*eth));
	if (eth)
		go_on(ctx, ETHERNET, sizeof(*eth), stage_of_ether_type(eth->h_proto));
	return XDP_PASS;
}

SEC("xdp")
int parse_vlan(struct xdp_md *ctx)
{
	struct vlan_header *tag = enter(ctx, VLAN, sizeof(*tag));

	if (tag)
		go_on(ctx, VLAN, sizeof(*tag), stage_of_ether_type(tag->protocol));
	return XDP_PASS;
}

SEC("xdp")
int parse_ipv4(struct xdp_md *ctx)
{
	struct iphdr *ip = enter(ctx, IPV4, sizeof(*ip));
	__u32 next;

	if (!ip)
		return XDP_PASS;
	/* only the first fragment of a packet begins with the header of its protocol */
	next = ip->frag_off & bpf_htons(IPV4_FRAG_OFFSET)
		       ? STAGES
		       : stage_of_protocol(ip->protocol);
	go_on(ctx, IPV4, ip->ihl * 4, next);
	return XDP_PASS;
}

SEC("xdp")
int parse_ipv6(struct xdp_md *ctx)
{
	struct ipv6hdr *ip = enter(ctx, IPV6, sizeof(*ip));

	if (ip)
		go_on(ctx, IPV6, sizeof(*ip), stage_of_protocol(ip->nexthdr));
	return XDP_PASS;
}

SEC("xdp")
int parse_tcp(struct xdp_md *ctx)
{
	struct tcphdr *tcp = enter(ctx, TCP, sizeof(*tcp));

	if (tcp)
		go_on(ctx, TCP, tcp->doff * 4, STAGES);
	return XDP_PASS;
}

SEC("xdp")
int parse_udp(struct xdp_md *ctx)
{
	struct udphdr *udp = enter(ctx, UDP, sizeof(*udp));

	if (udp)
		go_on(ctx, UDP, sizeof(*udp), STAGES);
	return XDP_PASS;
}

SEC("xdp")
int parse_icmp(struct xdp_md *ctx)
{
	__be32 *icmp = enter(ctx, ICMP, 2 * sizeof(*icmp));

	if (icmp)
		go_on(ctx, ICMP, 2 * sizeof(*icmp), STAGES);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
