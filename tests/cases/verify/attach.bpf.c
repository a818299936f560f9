/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of struct_ops, contexts of global functions, and what the kernel was built
 * with. */
#include "case.h"
#include <bpf/bpf_tracing.h>

/* What the kernel calls tcp_congestion_ops, as far as it is used here. */
struct tcp_congestion_ops {
	__u32 (*ssthresh)(void *sk);
	void (*cong_avoid)(void *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(void *sk);
	__u64 (*get_info)(void *sk, __u32 ext, int *attr, void *info);
	char name[16];
};

CASE("accept")
SEC("struct_ops")
__u32 BPF_PROG(member_may_read_its_socket, struct tcp_congestion_ops *sk)
{
	return *(volatile __u8 *)sk;
}

CASE("reject HELPER_NOT_FOR_TYPE")
CASE("kernel refuses cannot use helper bpf_redirect")
SEC("struct_ops") __u32 BPF_PROG(member_is_offered_helpers_of_struct_ops, void *sk)
{
	return (__u32)bpf_redirect(1, 0);
}

CASE("reject STRUCT_OPS_UNSUPPORTED")
CASE("kernel refuses attach to unsupported member get_info")
SEC("struct_ops") __u64 BPF_PROG(member_may_be_a_program, void *sk)
{
	return 0;
}

SEC(".struct_ops")
struct tcp_congestion_ops ops = {
	.ssthresh = (void *)member_may_read_its_socket,
	.undo_cwnd = (void *)member_is_offered_helpers_of_struct_ops,
	.get_info = (void *)member_may_be_a_program,
	.name = "skep_case",
};

/* For kernels that have no such typedef. */
struct bpf_user_pt_regs_t {
};

char stack[64];

__attribute__((noinline)) int take_stack(struct bpf_user_pt_regs_t *ctx)
{
	return (int)bpf_get_stack(ctx, stack, sizeof(stack), 0);
}

CASE("accept")
SEC("kprobe") int struct_called_as_the_typedef_of_registers_is_a_context(void *ctx)
{
	return take_stack(ctx);
}

CASE("reject REGION_KIND")
CASE("kernel refuses Caller passes invalid args into func#1")
SEC("perf_event") int struct_called_as_registers_is_no_context_of_others(void *ctx)
{
	return take_stack(ctx);
}

struct cpumask {
	unsigned long bits[1];
} KERNEL_TYPE;

/* Beyond the last one that the kernel can have the address is never used. */
CASE("accept")
SEC("tc") int cpu_is_one_that_the_kernel_can_have(struct __sk_buff *ctx)
{
	__u32 most = 8 * __builtin_preserve_type_info(*(struct cpumask *)0, 1);
	__u32 cpu = bpf_get_smp_processor_id();

	if (cpu >= most)
		return *(volatile int *)8;
	return 0;
}
