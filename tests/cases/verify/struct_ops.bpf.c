/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of the kernel's structs of functions. */
#include "case.h"

struct sock;
struct ack_sample;
struct tcp_congestion_ops {
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	__u64 (*get_info)(struct sock *sk);
	char name[16];
};

struct bpf_dummy_ops_state;
struct bpf_dummy_ops {
	int (*test_1)(struct bpf_dummy_ops_state *state);
	int (*test_sleepable)(struct bpf_dummy_ops_state *state);
};

CASE("reject STRUCT_OPS_SLEEPS")
CASE("kernel refuses attach to unsupported member test_1 of struct bpf_dummy_ops")
SEC("struct_ops.s/test_1") int member_does_not_sleep(__u64 *ctx)
{
	return 0;
}

CASE("accept")
SEC("struct_ops.s/test_sleepable") int member_may_sleep(__u64 *ctx)
{
	return 0;
}

SEC(".struct_ops")
struct bpf_dummy_ops dummy = {
	.test_1 = (void *)member_does_not_sleep,
	.test_sleepable = (void *)member_may_sleep,
};

CASE("reject STRUCT_OPS_UNSUPPORTED")
CASE("kernel refuses attach to unsupported member get_info of struct tcp_congestion_ops")
SEC("struct_ops/get_info") int member_is_supported(__u64 *ctx)
{
	return 0;
}

CASE("accept")
SEC("struct_ops/cong_avoid") void member_is_a_program(__u64 *ctx)
{
}

CASE("accept")
SEC("struct_ops/undo_cwnd") __u32 member_returns_what_it_wants(__u64 *ctx)
{
	return 5;
}

SEC(".struct_ops")
struct tcp_congestion_ops ops = {
	.get_info = (void *)member_is_supported,
	.cong_avoid = (void *)member_is_a_program,
	.undo_cwnd = (void *)member_returns_what_it_wants,
	.name = "skep_case",
};

CASE("reject MAP_IS_STRUCT_OPS")
SEC("tc") int functions_are_no_map_of_programs(struct __sk_buff *ctx)
{
	return bpf_map_lookup_elem(&ops, &(int){0}) != 0;
}
