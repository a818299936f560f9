/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_throw(): who is left, and who answers. */
#include "../verify/case.h"

#define NOINLINE	 __attribute__((noinline))
#define ON_THROW(catcher) __attribute__((btf_decl_tag("exception_callback:" #catcher)))

extern void bpf_throw(__u64 cookie) __ksym;

int target(struct __sk_buff *ctx);
int between(struct __sk_buff *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct __sk_buff *));
} programs SEC(".maps") = {.values = {(void *)target, (void *)between}};

__u64 seen;

CASE("r0 = 77")
SEC("tc") int the_cookie_is_the_answer(struct __sk_buff *ctx)
{
	bpf_throw(77);
	return 1;
}

NOINLINE int doubles(__u64 cookie)
{
	return (int)cookie * 2;
}

CASE("r0 = 14")
ON_THROW(doubles)
SEC("tc") int the_callback_answers(struct __sk_buff *ctx)
{
	bpf_throw(7);
	return 1;
}

CASE("r0 = 3")
ON_THROW(doubles)
SEC("tc") int nobody_throws(struct __sk_buff *ctx)
{
	return ctx->len > 1000 ? (bpf_throw(1), 0) : 3;
}

NOINLINE static int deepest(struct __sk_buff *ctx)
{
	if (ctx->len)
		bpf_throw(ctx->len + 100);
	return 1;
}

NOINLINE static int deeper(struct __sk_buff *ctx)
{
	volatile int here = deepest(ctx);

	seen = 1;
	return here + 1;
}

NOINLINE int deep(struct __sk_buff *ctx)
{
	volatile char room[64] = {1};

	return deeper(ctx) + room[ctx->len & 63];
}

CASE("r0 = 164")
SEC("tc") int all_frames_are_left(struct __sk_buff *ctx)
{
	int got = deep(ctx);

	seen = 2;
	return got;
}

NOINLINE static int half(__u64 n)
{
	volatile __u64 here = n / 2;

	return (int)here;
}

NOINLINE int halves(__u64 cookie)
{
	volatile __u64 room[8] = {cookie, 1, 2, 3, 4, 5, 6, 7};

	return half(room[0]) + (int)room[seen & 7];
}

/* seen is still 0: who would have set it was left */
CASE("r0 = 246")
ON_THROW(halves)
SEC("tc") int the_callback_has_frames_of_its_own(struct __sk_buff *ctx)
{
	return deep(ctx) + 1;
}

CASE("r0 = 42")
ON_THROW(doubles)
SEC("tc") int target(struct __sk_buff *ctx)
{
	bpf_throw(21);
	return 0;
}

CASE("r0 = 42")
SEC("tc") int what_was_tail_called_throws_for_itself(struct __sk_buff *ctx)
{
	bpf_tail_call_static(ctx, &programs, 0);
	return 1;
}

NOINLINE static int leaves(struct __sk_buff *ctx)
{
	volatile int ret = 10;

	bpf_tail_call_static(ctx, &programs, 0);
	return ret;
}

/* the program behind the tail call ends, not the one that called the function */
CASE("r0 = 47")
ON_THROW(halves)
SEC("tc") int exceptions_end_at_the_tail_call(struct __sk_buff *ctx)
{
	volatile int five = ctx->len ? 5 : 0;
	int got = leaves(ctx);

	if (got == 10)
		bpf_throw(1);
	return got + five;
}

CASE("r0 = 49")
ON_THROW(doubles)
SEC("tc") int between(struct __sk_buff *ctx)
{
	int got = leaves(ctx);

	if (got != 42)
		bpf_throw(4);
	return got + 7;
}

NOINLINE static int leaves_twice(struct __sk_buff *ctx)
{
	volatile int ret = 10;

	bpf_tail_call_static(ctx, &programs, 1);
	return ret;
}

CASE("r0 = 52")
SEC("tc") int one_after_the_other_is_left(struct __sk_buff *ctx)
{
	return leaves_twice(ctx) + 3;
}

NOINLINE int throws_on(__u64 cookie)
{
	if (cookie)
		bpf_throw(cookie - 1);
	return 5;
}

CASE("fault THROWN_TWICE")
ON_THROW(throws_on)
SEC("tc") int the_callback_does_not_throw(struct __sk_buff *ctx)
{
	bpf_throw(2);
	return 0;
}
