// SPDX-License-Identifier: BSD-2-Clause
// Global variables of every section, and what an object leaves to its loader.
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 limit = 10;
const volatile char name[8] SEC(".rodata.names") = "skep";
__u64 counter = 7;
__u16 zeroes[3];
static volatile __u8 hidden = 5;
int special SEC(".data.special") = -1;

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_YES __kconfig;
extern int CONFIG_NUMBER __kconfig;
extern char CONFIG_TEXT[8] __kconfig;
extern __u64 CONFIG_ABSENT __kconfig __weak;
extern const int runqueues __ksym __weak;

SEC("socket")
int reads(struct __sk_buff *skb)
{
	zeroes[1]++;
	counter += limit + hidden + special + name[0];
	return counter + LINUX_KERNEL_VERSION + CONFIG_YES + CONFIG_NUMBER + CONFIG_TEXT[0] +
	       CONFIG_ABSENT;
}

SEC("socket")
int asks(struct __sk_buff *skb)
{
	return &runqueues ? 1 : 0;
}

char _license[] SEC("license") = "GPL";
