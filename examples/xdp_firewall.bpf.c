// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A firewall for one interface: drops packets by source address (block lists for IPv4 and
 * IPv6), by destination port and by rate per source; counts why, and tells user space
 * about each drop.
 *
 * A packet is judged by the first rule that matches, in the order of enum reason.  VLAN
 * tags and IPv6 extension headers are looked through; of a fragmented packet only the
 * first fragment has ports, the others are judged by their addresses and the rate alone.
 *
 * Rules are map entries and may change while the program runs:
 *	blocked_v4, blocked_v6	an address prefix	-> how often it matched
 *	blocked_ports		a TCP or UDP port	-> how often it matched
 * Settings are constants, chosen before loading: rate_per_second, burst, drop_malformed.
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

#define MAX_VLAN_TAGS      2
#define MAX_EXT_HEADERS    8
#define MAX_RETRIES        8
#define NS_PER_SECOND      1000000000ULL
#define IPV4_FRAG_OFFSET   0x1fff
#define IPV6_FRAG_OFFSET   0xfff8
#define LISTED_ADDRESSES   16384
#define LISTED_PORTS       1024
#define REMEMBERED_SOURCES 65536

/* Packets a second that one source may send (0: no limit), and how many at once. */
const volatile __u64 rate_per_second = 500;
const volatile __u64 burst = 100;
/* Drop what is shorter than its own headers say; else it passes. */
const volatile _Bool drop_malformed = 1;

enum reason {
	PASSED,
	PASSED_NOT_IP,
	DROPPED_MALFORMED,
	DROPPED_SOURCE,
	DROPPED_PORT,
	DROPPED_RATE,
	REASONS,
};

struct v4_prefix {
	__u32 prefix_len;
	__u8 address[4];
};

struct v6_prefix {
	__u32 prefix_len;
	__u8 address[16];
};

/* IPv4 addresses are kept as ::ffff:a.b.c.d. */
struct address {
	__u8 bytes[16];
};

/* A bucket of tokens, kept as the time at which it will be full again: each token that is
 * taken moves that by the time one needs to flow in. */
struct bucket {
	__u64 full_at; /* ns */
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct event {
	__u64 time; /* ns */
	enum reason reason;
	__u32 length; /* of the frame */
	struct address source, destination;
	__u16 source_port, destination_port; /* 0: none */
	__u16 vlan;                          /* the outer tag's id, 0: none */
	__u8 ip_version, protocol;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LISTED_ADDRESSES);
	__type(key, struct v4_prefix);
	__type(value, __u64);
} blocked_v4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LISTED_ADDRESSES);
	__type(key, struct v6_prefix);
	__type(value, __u64);
} blocked_v6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LISTED_PORTS);
	__type(key, __u16);
	__type(value, __u64);
} blocked_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, REMEMBERED_SOURCES);
	__type(key, struct address);
	__type(value, struct bucket);
} buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASONS);
	__type(key, __u32); /* enum reason */
	__type(value, struct counter);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

/* Names the type of the records, so that BTF describes it to whoever reads them. */
const struct event *events_type __attribute__((unused));

struct vlan_header {
	__be16 tci;
	__be16 protocol;
};

struct ipv6_extension {
	__u8 next_header;
	__u8 length; /* in units of 8 bytes behind the first 8; of AH, 4 bytes behind 8 */
};

struct ipv6_fragment {
	__u8 next_header;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

/* What is left of the packet. */
struct cursor {
	void *at;
	void *end;
};

/* What the rules look at. */
struct flow {
	struct address source, destination;
	__u16 source_port, destination_port;
	__u16 vlan;
	__u8 ip_version, protocol;
	_Bool later_fragment;
};

/* The next header of that type, and the cursor behind it; NULL when the packet ends
 * before. */
#define take(cursor, type)                                                               \
	({                                                                               \
		type *header_ = (cursor)->at;                                            \
		if ((void *)(header_ + 1) > (cursor)->end)                               \
			header_ = 0;                                                     \
		else                                                                     \
			(cursor)->at = header_ + 1;                                      \
		header_;                                                                 \
	})

/* The protocol behind Ethernet and its tags, or 0 when the frame ends before. */
static __always_inline __be16 parse_ethernet(struct cursor *cursor, struct flow *flow)
{
	struct ethhdr *eth = take(cursor, struct ethhdr);
	__be16 protocol;

	if (!eth)
		return 0;
	protocol = eth->h_proto;
	for (int i = 0; i < MAX_VLAN_TAGS; i++) {
		struct vlan_header *tag;

		if (protocol != bpf_htons(ETH_P_8021Q) &&
		    protocol != bpf_htons(ETH_P_8021AD))
			break;
		tag = take(cursor, struct vlan_header);
		if (!tag)
			return 0;
		if (!i)
			flow->vlan = bpf_ntohs(tag->tci) & 0xfff;
		protocol = tag->protocol;
	}
	return protocol;
}

static __always_inline void map_v4(struct address *address, const void *v4)
{
	address->bytes[10] = address->bytes[11] = 0xff;
	__builtin_memcpy(&address->bytes[12], v4, 4);
}

static __always_inline _Bool parse_ipv4(struct cursor *cursor, struct flow *flow)
{
	struct iphdr *ip = take(cursor, struct iphdr);
	void *payload;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return 0;
	payload = (void *)ip + ip->ihl * 4;
	if (payload > cursor->end)
		return 0;
	cursor->at = payload;
	flow->ip_version = 4;
	flow->protocol = ip->protocol;
	flow->later_fragment = (ip->frag_off & bpf_htons(IPV4_FRAG_OFFSET)) != 0;
	map_v4(&flow->source, &ip->saddr);
	map_v4(&flow->destination, &ip->daddr);
	return 1;
}

/* Steps over one extension header; false when the packet ends in it. */
static __always_inline _Bool skip_extension(struct cursor *cursor, __u8 *protocol)
{
	struct ipv6_extension *extension = take(cursor, struct ipv6_extension);
	void *next;

	if (!extension)
		return 0;
	next = (void *)extension;
	next += *protocol == IPPROTO_AH ? (extension->length + 2) * 4
					: (extension->length + 1) * 8;
	if (next > cursor->end)
		return 0;
	cursor->at = next;
	*protocol = extension->next_header;
	return 1;
}

static __always_inline _Bool parse_ipv6(struct cursor *cursor, struct flow *flow)
{
	struct ipv6hdr *ip = take(cursor, struct ipv6hdr);
	struct ipv6_fragment *fragment;
	__u8 protocol;

	if (!ip || ip->version != 6)
		return 0;
	__builtin_memcpy(&flow->source, &ip->saddr, sizeof(flow->source));
	__builtin_memcpy(&flow->destination, &ip->daddr, sizeof(flow->destination));
	flow->ip_version = 6;
	protocol = ip->nexthdr;
	for (int i = 0; i < MAX_EXT_HEADERS; i++) {
		switch (protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_AH:
			if (!skip_extension(cursor, &protocol))
				return 0;
			continue;
		case IPPROTO_FRAGMENT:
			fragment = take(cursor, struct ipv6_fragment);
			if (!fragment)
				return 0;
			protocol = fragment->next_header;
			flow->later_fragment =
				(fragment->offset & bpf_htons(IPV6_FRAG_OFFSET)) != 0;
			if (flow->later_fragment)
				break;
			continue;
		}
		break;
	}
	flow->protocol = protocol;
	return 1;
}

/* TCP and UDP begin with the same four bytes; other protocols have no ports. */
static __always_inline _Bool parse_ports(struct cursor *cursor, struct flow *flow)
{
	struct tcphdr *tcp;
	struct udphdr *udp;

	if (flow->later_fragment)
		return 1;
	if (flow->protocol == IPPROTO_TCP) {
		tcp = take(cursor, struct tcphdr);
		if (!tcp)
			return 0;
		flow->source_port = bpf_ntohs(tcp->source);
		flow->destination_port = bpf_ntohs(tcp->dest);
	} else if (flow->protocol == IPPROTO_UDP) {
		udp = take(cursor, struct udphdr);
		if (!udp)
			return 0;
		flow->source_port = bpf_ntohs(udp->source);
		flow->destination_port = bpf_ntohs(udp->dest);
	}
	return 1;
}

/* Does a rule match?  Counts that it did. */
static __always_inline _Bool listed(void *map, const void *key)
{
	__u64 *hits = bpf_map_lookup_elem(map, key);

	if (hits)
		__sync_fetch_and_add(hits, 1);
	return hits != 0;
}

static __always_inline _Bool source_is_blocked(const struct flow *flow)
{
	struct v4_prefix v4 = {.prefix_len = 32};
	struct v6_prefix v6 = {.prefix_len = 128};

	if (flow->ip_version == 4) {
		__builtin_memcpy(v4.address, &flow->source.bytes[12], sizeof(v4.address));
		return listed(&blocked_v4, &v4);
	}
	__builtin_memcpy(v6.address, flow->source.bytes, sizeof(v6.address));
	return listed(&blocked_v6, &v6);
}

/*
 * rate_per_second tokens flow into a source's bucket, no more than burst fit, a packet
 * takes one.  Returns whether there was one.  No lock: CPUs that race for a bucket retry.
 */
static __always_inline _Bool take_token(const struct address *source)
{
	__u64 now = bpf_ktime_get_ns(), cost = NS_PER_SECOND / rate_per_second, seen,
	      from;
	struct bucket fresh = {.full_at = now + cost}, *bucket;

	bucket = bpf_map_lookup_elem(&buckets, source);
	if (!bucket) {
		bpf_map_update_elem(&buckets, source, &fresh, BPF_ANY);
		return burst > 0;
	}
	for (int i = 0; i < MAX_RETRIES; i++) {
		seen = *(volatile __u64 *)&bucket->full_at;
		from = seen > now ? seen : now;
		if (from - now + cost > burst * cost)
			return 0;
		if (__sync_val_compare_and_swap(&bucket->full_at, seen, from + cost) ==
		    seen)
			return 1;
	}
	return 0; /* a source that keeps so many CPUs busy is too fast */
}

static __always_inline enum reason judge(struct cursor *cursor, struct flow *flow)
{
	__be16 protocol = parse_ethernet(cursor, flow);
	_Bool whole;

	if (protocol == bpf_htons(ETH_P_IP))
		whole = parse_ipv4(cursor, flow);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		whole = parse_ipv6(cursor, flow);
	else
		return protocol ? PASSED_NOT_IP : DROPPED_MALFORMED;
	if (!whole || !parse_ports(cursor, flow))
		return DROPPED_MALFORMED;
	if (source_is_blocked(flow))
		return DROPPED_SOURCE;
	if (flow->destination_port && listed(&blocked_ports, &flow->destination_port))
		return DROPPED_PORT;
	if (rate_per_second && !take_token(&flow->source))
		return DROPPED_RATE;
	return PASSED;
}

static __always_inline void count(__u32 reason, __u64 bytes)
{
	struct counter *counter = bpf_map_lookup_elem(&counters, &reason);

	if (counter) { /* nobody else writes this CPU's counter */
		counter->packets++;
		counter->bytes += bytes;
	}
}

/* If user space does not keep up the event is lost; the counters still tell. */
static __always_inline void tell(enum reason reason, const struct flow *flow,
				 __u32 length)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return;
	event->time = bpf_ktime_get_ns();
	event->reason = reason;
	event->length = length;
	event->source = flow->source;
	event->destination = flow->destination;
	event->source_port = flow->source_port;
	event->destination_port = flow->destination_port;
	event->vlan = flow->vlan;
	event->ip_version = flow->ip_version;
	event->protocol = flow->protocol;
	bpf_ringbuf_submit(event, 0);
}

SEC("xdp")
int xdp_firewall(struct xdp_md *ctx)
{
	struct cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	__u32 length = cursor.end - cursor.at;
	struct flow flow = {};
	enum reason reason = judge(&cursor, &flow);

	count(reason, length);
	if (reason == PASSED || reason == PASSED_NOT_IP)
		return XDP_PASS;
	if (reason == DROPPED_MALFORMED && !drop_malformed)
		return XDP_PASS;
	tell(reason, &flow, length);
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
