// SPDX-License-Identifier: BSD-2-Clause
// What gcc makes, whose assembler counts the value of a symbol among its addend: calls of
// named functions in another section, variables behind others, variables of the file.
// The instructions are listed, so that every address can be checked by hand.
#include <linux/bpf.h>

#define SEC(name)        __attribute__((section(name), used))
#define __uint(name, n)  int(*name)[n]
#define __type(name, of) typeof(of) *name

static void *lookup(void *map, const void *key) __attribute__((kernel_helper(1)));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} second SEC(".maps");

int zero;
int low = 1, high = 5;
static int hidden = 6;

__attribute__((noinline)) int before(int x)
{
	return x * high + hidden;
}

__attribute__((noinline)) int behind(int x)
{
	return x - low;
}

SEC("socket")
int finds(struct __sk_buff *skb)
{
	__u32 key = 1;
	__u32 *value = lookup(&second, &key);

	hidden++;
	return value ? behind(*value) + zero : 0;
}

SEC("socket/calls")
int calls(struct __sk_buff *skb)
{
	__u32 key = 2;

	return before(3) - behind(4) + !lookup(&first, &key);
}

char _license[] SEC("license") = "GPL";
