// SPDX-License-Identifier: BSD-2-Clause
// Maps as they were declared before there were types: the struct of iproute2, with the
// template of a map-in-map found by its id.
#include <linux/bpf.h>

#define SEC(name) __attribute__((section(name), used))

static void *(*lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;

struct bpf_elf_map {
	__u32 type, size_key, size_value, max_elem, flags, id, pinning, inner_id, inner_idx;
};

struct bpf_elf_map SEC("maps") counts = {
	.type = BPF_MAP_TYPE_HASH,
	.size_key = 4,
	.size_value = 8,
	.max_elem = 32,
	.flags = BPF_F_NO_PREALLOC,
	.id = 7,
	.pinning = 2,
};

struct bpf_elf_map SEC("maps") tables = {
	.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
	.size_key = 4,
	.size_value = 4,
	.max_elem = 2,
	.inner_id = 7,
};

SEC("classifier/all")
int cls(struct __sk_buff *skb)
{
	__u32 key = 1;

	return lookup(&counts, &key) && lookup(&tables, &key);
}

char _license[] SEC("license") = "GPL";
unsigned int _version SEC("version") = 263433;
