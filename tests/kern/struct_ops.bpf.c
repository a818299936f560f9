/* SPDX-License-Identifier: Dual BSD/GPL */
/*
 * A congestion control that never grows: registered by a link, and by its value alone, as
 * before 6.4.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct sock;

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
};

SEC("struct_ops")
__u32 BPF_PROG(two, struct sock *sk)
{
	return 2;
}

SEC("struct_ops")
__u32 BPF_PROG(two_again, struct sock *sk)
{
	return 2;
}

SEC("struct_ops")
void BPF_PROG(nothing, struct sock *sk, __u32 ack, __u32 acked)
{
}

#ifdef BY_LINK
SEC(".struct_ops.link")
#else
SEC(".struct_ops")
#endif
struct tcp_congestion_ops still = {
	.ssthresh = (void *)two,
	.cong_avoid = (void *)nothing,
	.undo_cwnd = (void *)two_again,
#ifdef BY_LINK
	.name = "skep_test_link",
#else
	.name = "skep_test_value",
#endif
};

char _license[] SEC("license") = "GPL";
