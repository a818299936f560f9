/* SPDX-License-Identifier: BSD-2-Clause */
/* Global functions: verified once, by the types and tags of their arguments. */
#include "case.h"

struct task_struct {
	int pid;
} KERNEL_TYPE;
struct no_such_struct {
	int n;
} KERNEL_TYPE;
struct incomplete;
struct pair {
	int a, b;
};

int number;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct pair);
} pairs SEC(".maps");

#define NOINLINE __attribute__((noinline))

NOINLINE int sum(struct pair *p)
{
	return p ? p->a + p->b : 0;
}

CASE("accept")
SEC("tc") int memory_goes_to_a_global_function(struct __sk_buff *ctx)
{
	struct pair p = {1, 2};

	return sum(&p);
}

NOINLINE int unchecked(struct pair *p)
{
	return p->a + p->b;
}

CASE("reject ACCESS_MAYBE_NULL")
CASE("kernel refuses invalid mem access 'mem_or_null'")
SEC("tc") int pointer_to_a_global_function_may_be_null(struct __sk_buff *ctx)
{
	struct pair p = {1, 2};

	return unchecked(&p);
}

NOINLINE int nonnull(struct pair *p ARG("nonnull"))
{
	return p->a + p->b;
}

CASE("accept")
SEC("tc") int pointer_that_is_tagged_is_there(struct __sk_buff *ctx)
{
	struct pair p = {1, 2};

	return nonnull(&p);
}

CASE("reject CALL_ARG_MAYBE_NULL")
CASE("kernel refuses is expected to be non-NULL")
SEC("tc") int what_may_be_null_goes_where_it_may(struct __sk_buff *ctx)
{
	return nonnull(bpf_map_lookup_elem(&pairs, &number));
}

NOINLINE void nothing(int n)
{
	number = n;
}

CASE("reject FUNC_RETURNS")
CASE("kernel refuses Global function nothing() doesn't return scalar. Only those are supported.")
SEC("tc") int global_function_returns_a_number(struct __sk_buff *ctx)
{
	nothing(5);
	return 0;
}

NOINLINE int opaque(struct incomplete *p)
{
	return p != 0;
}

CASE("reject FUNC_ARG_SIZE")
CASE("kernel refuses reference type('FWD incomplete') size cannot be determined")
SEC("tc") int size_of_an_argument_is_known(struct __sk_buff *ctx)
{
	int n = 0;

	return opaque((void *)&n);
}

NOINLINE int by_value(struct pair p)
{
	return p.a + p.b;
}

CASE("reject FUNC_ARG_TYPE")
CASE("kernel refuses in by_value() is not supported yet")
SEC("tc") int argument_is_a_number_or_a_pointer(struct __sk_buff *ctx)
{
	struct pair p = {1, ctx->len};

	return by_value(p);
}

NOINLINE int odd(int n ARG("odd"))
{
	return n + number;
}

CASE("reject FUNC_ARG_TAG")
CASE("kernel refuses Caller passes invalid args into func#")
SEC("tc") int tag_of_an_argument_has_a_meaning(struct __sk_buff *ctx)
{
	return odd(5);
}

NOINLINE int both(struct task_struct *t ARG("trusted") ARG("ctx"))
{
	return t != 0;
}

CASE("reject FUNC_ARG_TAGS")
CASE("kernel refuses arg#0")
SEC("tc") int tags_of_an_argument_go_together(struct __sk_buff *ctx)
{
	return both((void *)ctx);
}

NOINLINE int context(struct pair *p ARG("ctx"))
{
	return p != 0;
}

CASE("reject FUNC_ARG_CTX")
CASE("kernel refuses arg#0")
SEC("tc") int context_of_a_function_is_that_of_the_program(struct __sk_buff *ctx)
{
	return context((void *)ctx);
}

NOINLINE int trusted(struct no_such_struct *p ARG("trusted"))
{
	return p->n;
}

CASE("reject FUNC_ARG_NO_STRUCT")
SEC("tc") int trusted_argument_is_a_struct_of_the_kernel(struct __sk_buff *ctx)
{
	return trusted(0);
}

NOINLINE int trusted_number(int *p ARG("trusted") ARG("nullable"))
{
	return p ? *p : 0;
}

CASE("reject STRUCT_IS_NONE")
CASE("kernel refuses Type 'int' is not a struct")
SEC("tc") int trusted_number_is_not_read(struct __sk_buff *ctx)
{
	int *none = 0;

	asm volatile("" : "+r"(none)); /* or clang knows what comes back */
	return trusted_number(none);
}

NOINLINE int many(int a, int b, int c, int d, int e)
{
	return a + b + c + d + e + number;
}

CASE("accept")
SEC("tc") int global_function_has_five_arguments(struct __sk_buff *ctx)
{
	return many(1, 2, 3, 4, ctx->len);
}

NOINLINE int with_context(struct __sk_buff *ctx)
{
	return ctx->len;
}

CASE("reject CALL_ARG_KIND")
CASE("kernel refuses Caller passes invalid args into func#")
SEC("tc") int context_is_given_where_it_is_taken(struct __sk_buff *ctx)
{
	struct __sk_buff mine = {};

	return with_context(&mine);
}

NOINLINE int plain(long n)
{
	return n + number;
}

CASE("reject CALL_ARG_KIND")
CASE("kernel refuses R1 is not a scalar")
SEC("tc") int number_is_given_where_one_is_taken(struct __sk_buff *ctx)
{
	return plain((long)ctx);
}
