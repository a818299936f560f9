/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that replace functions of programs, or look at them: of those in this file. */
#include "case.h"
#include <bpf/bpf_tracing.h>

extern void bpf_throw(__u64 cookie) __ksym;

/* As the kernel has it: what traces a program sees. */
struct xdp_buff {
	void *data;
} KERNEL_TYPE;

/* ---- what is replaced ---- */

volatile int zero;

__attribute__((noinline)) int keeps(struct xdp_md *ctx)
{
	return ctx->rx_queue_index + zero;
}

__attribute__((noinline)) int moves(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_head(ctx, zero);
}

__attribute__((noinline)) int numbers(struct xdp_md *ctx, int a, char b)
{
	return a + b + zero + !ctx;
}

static __attribute__((noinline)) int hidden(struct xdp_md *ctx, int n)
{
	return ctx->rx_queue_index + n + zero;
}

static __attribute__((noinline)) int last(int n, struct xdp_md *ctx)
{
	return ctx->rx_queue_index + n + zero;
}

static __attribute__((noinline)) int beside(struct xdp_md *ctx)
{
	return zero + !ctx;
}

/* Called back with what the program hands over, which is no context. */
static int called_back(__u32 round, struct xdp_md *ctx)
{
	return *(volatile int *)ctx + zero != 0;
}

static __attribute__((noinline)) int hidden_memory(int *p)
{
	return *(volatile int *)p + zero;
}

CASE("accept")
SEC("xdp") int functions_are_there_to_be_replaced(struct xdp_md *ctx)
{
	struct xdp_md *moved = (void *)ctx + 8;
	int n = zero;

	asm volatile("" : "+r"(moved));
	bpf_loop(3, called_back, &n, 0);
	return beside(moved) + keeps(ctx) + moves(ctx) + numbers(ctx, n, (char)n) +
	       hidden(ctx, n) + last(n, ctx) + hidden_memory(&n);
}

CASE("accept")
SEC("xdp") int untyped(void *ctx)
{
	return zero;
}

__attribute__((noinline)) int catches(__u64 cookie)
{
	return zero;
}

CASE("accept")
__attribute__((btf_decl_tag("exception_callback:catches")))
SEC("tc") int throws(struct __sk_buff *ctx)
{
	if (zero)
		bpf_throw(0);
	return zero;
}

/* ---- what replaces ---- */

CASE("accept")
SEC("freplace/keeps") int replacement_does_less(struct xdp_md *ctx)
{
	return 0;
}

CASE("accept")
SEC("freplace/moves") int replacement_may_move_what_was_moved(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_head(ctx, 4);
}

CASE("reject ATTACH_CHANGES_PACKET")
CASE("kernel refuses Extension program changes packet data, while original does not")
SEC("freplace/keeps") int replacement_leaves_the_packet_alone(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_head(ctx, 4);
}

CASE("reject ATTACH_MIGHT_SLEEP")
CASE("kernel refuses Extension program may sleep, while original does not")
SEC("freplace/keeps") int replacement_sleeps_not(struct xdp_md *ctx)
{
	int n;

	return (int)bpf_copy_from_user(&n, sizeof(n), (void *)8);
}

CASE("reject HELPER_NOT_FOR_TYPE")
CASE("kernel refuses program of this type cannot use helper bpf_skb_load_bytes")
SEC("freplace/keeps") int replacement_is_of_the_type_of_its_program(struct xdp_md *ctx)
{
	int n;

	return (int)bpf_skb_load_bytes(ctx, 0, &n, sizeof(n));
}

CASE("accept")
SEC("freplace/numbers") int replacement_takes_the_same(struct xdp_md *ctx, int a, char b)
{
	return a;
}

CASE("reject ATTACH_TYPE_DIFFERS")
CASE("kernel refuses has size 1 while")
SEC("freplace/numbers")
int replacement_takes_as_many_bytes(struct xdp_md *ctx, char a, char b)
{
	return a;
}

CASE("reject ATTACH_TYPE_DIFFERS")
CASE("kernel refuses has 2 args while")
SEC("freplace/numbers") int replacement_takes_as_many_arguments(struct xdp_md *ctx, int a)
{
	return a;
}

CASE("reject ATTACH_TYPE_DIFFERS")
CASE("kernel refuses is not a pointer to context")
SEC("freplace/keeps") int replacement_takes_the_context(int *p)
{
	return 0;
}

CASE("reject ATTACH_STATIC")
CASE("kernel refuses Cannot replace static functions")
SEC("freplace/hidden_memory") int static_function_is_not_replaced(int *p)
{
	return 0;
}

CASE("reject ATTACH_STATIC")
CASE("kernel refuses is not a global function")
SEC("freplace/hidden")
int static_function_that_is_called_right_is_not_replaced(struct xdp_md *ctx, int n)
{
	return 0;
}

CASE("reject ATTACH_NO_CTX")
CASE("kernel refuses Cannot replace static functions")
SEC("freplace/untyped") int main_function_says_what_its_context_is(void *ctx)
{
	return 0;
}

CASE("reject ATTACH_RECURSIVE")
CASE("kernel refuses Cannot recursively attach")
SEC("freplace/replacement_does_less") int replacement_is_not_replaced(struct xdp_md *ctx)
{
	return 0;
}

CASE("reject ATTACH_EXCEPTION_CALLBACK")
CASE("kernel refuses Extension programs cannot attach to exception callback")
SEC("freplace/catches") int exception_callback_is_not_replaced(__u64 cookie)
{
	return 0;
}

CASE("reject ATTACH_NO_TARGET")
CASE("kernel refuses Tracing programs must provide btf_id")
SEC("freplace") int replacement_says_of_what(struct xdp_md *ctx)
{
	return 0;
}

/* ---- what looks at functions ---- */

CASE("accept")
SEC("fentry/hidden")
int BPF_PROG(argument_of_a_static_function_is_believed, struct xdp_buff *xdp)
{
	zero = !xdp->data;
	return 0;
}

CASE("accept")
SEC("fentry/last")
int BPF_PROG(context_is_believed_where_it_stands, int n, struct xdp_buff *xdp)
{
	zero = !xdp->data;
	return 0;
}

CASE("reject ACCESS_NUMBER")
CASE("kernel refuses invalid mem access 'scalar'")
SEC("fentry/hidden_memory")
int BPF_PROG(argument_that_is_not_the_context_is_a_number, int *p)
{
	return *p;
}

CASE("reject ACCESS_NUMBER")
CASE("kernel refuses invalid mem access 'scalar'")
SEC("fentry/beside")
int BPF_PROG(context_that_was_moved_is_a_number, struct xdp_buff *xdp)
{
	zero = !xdp->data;
	return 0;
}

CASE("reject ACCESS_NUMBER")
CASE("kernel refuses invalid mem access 'scalar'")
SEC("fentry/called_back")
int BPF_PROG(argument_of_a_callback_is_a_number, int n, struct xdp_buff *xdp)
{
	zero = !xdp->data;
	return 0;
}

CASE("reject ATTACH_EXCEPTION_CALLBACK")
CASE("kernel refuses FENTRY/FEXIT programs cannot attach to exception callback")
SEC("fentry/catches") int BPF_PROG(exception_callback_is_not_traced)
{
	return 0;
}
