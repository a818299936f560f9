// SPDX-License-Identifier: BSD-2-Clause
// Every way to declare a map by types, and a slot of each kind that has contents.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct key {
	__u32 a;
	__u64 b;
};

struct value {
	struct bpf_spin_lock lock;
	__u32 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct key);
	__type(value, struct value);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} by_type SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} by_size SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} in1 SEC(".maps"), in2 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [1] = &in1, [3] = &in2 } };

int second(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 3);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps") = { .values = { [2] = (void *)&second } };

SEC("xdp")
int first(struct xdp_md *ctx)
{
	struct key key = {};
	__u32 index = 1;

	bpf_map_lookup_elem(&by_type, &key);
	bpf_map_lookup_elem(&outer, &index);
	bpf_tail_call(ctx, &jumps, 2);
	return XDP_PASS;
}

SEC("xdp")
int second(struct xdp_md *ctx)
{
	return bpf_perf_event_output(ctx, &by_size, BPF_F_CURRENT_CPU, &ctx, 8);
}

char _license[] SEC("license") = "Dual BSD/GPL";
