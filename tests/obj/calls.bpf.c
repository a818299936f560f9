// SPDX-License-Identifier: BSD-2-Clause
// Functions: static ones, global ones, one that programs share, one behind a pointer.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int leaf(int x)
{
	return x * 3 + 1;
}

static __attribute__((noinline)) int middle(int x)
{
	return leaf(x) + leaf(x + 1);
}

__attribute__((noinline)) int everywhere(int x)
{
	return middle(x) ^ x;
}

static long each(__u32 i, void *ctx)
{
	*(__u32 *)ctx += i;
	return 0;
}

SEC("tc")
int one(struct __sk_buff *skb)
{
	return everywhere(skb->len);
}

SEC("tc")
int two(struct __sk_buff *skb)
{
	__u32 sum = 0;

	bpf_loop(4, each, &sum, 0);
	return middle(sum) + everywhere(skb->mark);
}

SEC("?kprobe/do_nothing")
int three(void *ctx)
{
	return 0;
}

SEC("xpd")
int typo(struct xdp_md *ctx)
{
	return XDP_DROP;
}
