/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_throw() and what is called then. */
#include "case.h"

extern void bpf_throw(__u64 cookie) __ksym;

#define ON_THROW(function)                                                               \
	__attribute__((btf_decl_tag("exception_callback:" #function)))
#define NOINLINE __attribute__((noinline))

int number;

NOINLINE int caught(__u64 cookie)
{
	return number + cookie;
}

CASE("accept")
ON_THROW(caught)
SEC("tc") int exception_is_caught(struct __sk_buff *ctx)
{
	if (ctx->len > 5)
		bpf_throw(0);
	return 0;
}

ON_THROW(caught)
ON_THROW(caught_again)
CASE("reject TWO_EXCEPTION_CALLBACKS")
CASE("kernel refuses multiple exception callback tags for main subprog")
SEC("tc") int exceptions_are_caught_once(struct __sk_buff *ctx)
{
	bpf_throw(0);
	return 0;
}

NOINLINE int caught_with_two(__u64 cookie, __u64 more)
{
	return 0;
}

CASE("reject EXCEPTION_CALLBACK_ARGS")
CASE("kernel refuses exception cb only supports single integer argument")
ON_THROW(caught_with_two)
SEC("tc") int what_catches_exceptions_takes_one_number(struct __sk_buff *ctx)
{
	bpf_throw(0);
	return 0;
}

CASE("reject CALLS_EXCEPTION_CALLBACK")
CASE("kernel refuses cannot call exception cb directly")
ON_THROW(caught)
SEC("tc") int what_catches_exceptions_is_not_called(struct __sk_buff *ctx)
{
	return caught(0);
}

static long throws(__u32 i, void *arg)
{
	bpf_throw(0);
	return 0;
}

CASE("reject THROW_IN_CALLBACK")
CASE("kernel refuses cannot be called from callback subprog")
SEC("tc") int callbacks_do_not_throw(struct __sk_buff *ctx)
{
	bpf_loop(1, throws, 0, 0);
	return 0;
}

static NOINLINE int leaves(void)
{
	asm volatile("r1 = 0; if r1 == 0 goto +1; call 12;"
		     :
		     :
		     : "r0", "r1", "r2", "r3", "r4", "r5");
	return number;
}

NOINLINE int caught_and_left(__u64 cookie)
{
	return leaves();
}

CASE("reject TAIL_CALL_IN_EXCEPTION_CALLBACK")
CASE("kernel refuses cannot tail call within exception cb")
ON_THROW(caught_and_left)
SEC("tc") int what_catches_exceptions_makes_no_tail_call(struct __sk_buff *ctx)
{
	bpf_throw(0);
	return 0;
}
