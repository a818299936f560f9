// SPDX-License-Identifier: BSD-2-Clause
// What an object does not say: everything else is still found, and each program says what
// it misses.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

extern int elsewhere;
extern int elsewhere_too(int x);
extern int CONFIG_NOBODY_HAS __kconfig;
extern int never_there __weak;
extern const int no_such_variable __ksym;
int loads;

SEC("socket")
int whole(struct __sk_buff *skb)
{
	return loads;
}

SEC("socket")
int variable(struct __sk_buff *skb)
{
	__u32 key = 0;

	loads++;
	return elsewhere + !bpf_map_lookup_elem(&seen, &key);
}

SEC("socket")
int function(struct __sk_buff *skb)
{
	return elsewhere_too(loads);
}

SEC("socket")
int setting(struct __sk_buff *skb)
{
	return CONFIG_NOBODY_HAS + loads;
}

SEC("socket")
int weak(struct __sk_buff *skb)
{
	return &never_there ? 1 : loads;
}

SEC("socket")
int symbol(struct __sk_buff *skb)
{
	return no_such_variable;
}
