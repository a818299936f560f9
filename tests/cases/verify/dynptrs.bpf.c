/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynptrs: made once, used while they are, ended once. */
#include "case.h"

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
			       struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags,
			       struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer,
			      __u32 buffer__szk) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u32 offset,
				   void *buffer, __u32 buffer__szk) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *ptr, __u32 start, __u32 end) __ksym;

extern int bpf_dynptr_clone(const struct bpf_dynptr *ptr,
			    struct bpf_dynptr *clone__uninit) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} user_ring SEC(".maps");

static long memory;

CASE("accept")
SEC("tc") int record_is_reserved_and_discarded(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	bpf_ringbuf_discard_dynptr(&d, 0);
	return 0;
}

CASE("reject REF_LEAK")
CASE("kernel refuses Unreleased reference")
SEC("tc") int reserved_record_is_given_back(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	return 0;
}

CASE("reject DYNPTR_NOT_INIT")
CASE("kernel refuses Expected an initialized dynptr as arg #2")
SEC("tc") int dynptr_is_made_before_it_is_read(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	long out = 0;

	bpf_dynptr_read(&out, sizeof(out), &d, 0, 0);
	return out;
}

CASE("reject ARG_KIND")
CASE("kernel refuses R3 type=map_value expected=fp, dynptr_ptr")
SEC("tc") int dynptr_is_on_the_stack(struct __sk_buff *ctx)
{
	static struct bpf_dynptr d;
	long out = 0;

	bpf_dynptr_read(&out, sizeof(out), &d, 0, 0);
	return out;
}

CASE("reject DYNPTR_OVERWRITTEN")
CASE("kernel refuses cannot overwrite referenced dynptr")
SEC("tc") int dynptr_is_made_where_no_reference_is(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	bpf_ringbuf_discard_dynptr(&d, 0);
	return 0;
}

CASE("reject DYNPTR_OVERWRITTEN")
CASE("kernel refuses cannot overwrite referenced dynptr")
SEC("tc") int dynptr_with_a_reference_is_not_overwritten(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	*(volatile long *)&d = 0;
	bpf_ringbuf_discard_dynptr(&d, 0);
	return 0;
}

CASE("reject RELEASE_UNREFERENCED")
CASE("kernel refuses arg 1 is an unacquired reference")
SEC("tc") int record_is_reserved_before_it_is_submitted(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_mem(&memory, sizeof(memory), 0, &d);
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}

CASE("reject OBJECT_VARIABLE_OFFSET")
CASE("kernel refuses dynptr has to be at a constant offset")
SEC("tc") int dynptr_is_at_a_constant_offset(struct __sk_buff *ctx)
{
	struct bpf_dynptr d[4];
	struct bpf_dynptr *at = (void *)((char *)d + (ctx->len & 16));

	bpf_dynptr_from_mem(&memory, sizeof(memory), 0, at);
	return 0;
}

CASE("reject OBJECT_BAD_OFFSET")
CASE("kernel refuses cannot pass in dynptr at an offset=-28")
SEC("tc") int dynptr_is_aligned(struct __sk_buff *ctx)
{
	asm volatile("r6 = r10;"
		     "r1 = %[memory] ll;"
		     "r2 = 8;"
		     "r3 = 0;"
		     "r4 = r10;"
		     "r4 += -28;"
		     "call %[make];"
		     :
		     : [memory] "i"(&memory), [make] "i"(BPF_FUNC_dynptr_from_mem)
		     : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "memory");
	return 0;
}

CASE("reject DYNPTR_FROM_OTHER")
CASE("kernel refuses Unsupported reg type fp for bpf_dynptr_from_mem data")
SEC("tc") int dynptr_is_made_of_a_map_only(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	long on_stack = 0;

	bpf_dynptr_from_mem(&on_stack, sizeof(on_stack), 0, &d);
	return 0;
}

static long drain(struct bpf_dynptr *d, void *arg)
{
	bpf_ringbuf_discard_dynptr(d, 0);
	return 0;
}

CASE("reject RELEASE_CONST_DYNPTR")
CASE("kernel refuses cannot release unowned const bpf_dynptr")
SEC("tc") int dynptr_of_a_callback_is_not_ended(struct __sk_buff *ctx)
{
	return bpf_user_ringbuf_drain(&user_ring, drain, 0, 0);
}

static long remake(struct bpf_dynptr *d, void *arg)
{
	bpf_dynptr_from_mem(&memory, sizeof(memory), 0, d);
	return 0;
}

CASE("reject DYNPTR_NOT_FREE")
CASE("kernel refuses Dynptr has to be an uninitialized dynptr")
SEC("tc") int dynptr_of_a_callback_is_not_made_anew(struct __sk_buff *ctx)
{
	return bpf_user_ringbuf_drain(&user_ring, remake, 0, 0);
}

CASE("reject DYNPTR_NOT_STACK")
CASE("kernel refuses arg#0 expected pointer to stack or const struct bpf_dynptr")
SEC("tc") int slice_is_of_a_dynptr_on_the_stack(struct __sk_buff *ctx)
{
	static struct bpf_dynptr d;
	char *p = bpf_dynptr_slice(&d, 0, 0, 4);

	return p ? *p : 0;
}

CASE("reject KARG_NOT_CONSTANT")
CASE("kernel refuses must be a known constant")
SEC("tc") int slice_has_a_constant_size(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	char buffer[16];
	char *p;

	bpf_dynptr_from_skb(ctx, 0, &d);
	p = bpf_dynptr_slice(&d, 0, buffer, ctx->len & 15);
	return p ? *p : 0;
}

CASE("reject SLICE_NOT_WRITABLE")
CASE("kernel refuses the prog does not allow writes to packet data")
SEC("cgroup_skb/ingress") int slice_of_a_packet_is_writable(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	char buffer[16] = {};
	char *p;

	bpf_dynptr_from_skb(ctx, 0, &d);
	p = bpf_dynptr_slice_rdwr(&d, 0, buffer, 8);
	return p ? 1 : 0;
}

CASE("reject ACCESS_NUMBER")
CASE("kernel refuses invalid mem access 'scalar'")
SEC("tc") int slice_ends_with_its_dynptr(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	long *p;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	p = bpf_dynptr_data(&d, 0, 8);
	bpf_ringbuf_discard_dynptr(&d, 0);
	return p ? *p : 0;
}

CASE("reject ARG_NOT_CONSTANT")
CASE("kernel refuses is not a known constant")
SEC("tc") int data_of_a_dynptr_has_a_constant_size(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	char *p;

	bpf_dynptr_from_mem(&memory, sizeof(memory), 0, &d);
	p = bpf_dynptr_data(&d, 0, ctx->len & 7);
	return p ? *p : 0;
}

CASE("reject STACK_RAW_DYNPTR")
CASE("kernel refuses potential write to dynptr at off=-16 disallowed")
SEC("tc") int helper_does_not_write_over_a_dynptr(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_mem(&memory, sizeof(memory), 0, &d);
	bpf_dynptr_read(&d, 4, &d, 0, 0);
	return 0;
}

static __attribute__((noinline)) int discard_clone(struct bpf_dynptr *d)
{
	struct bpf_dynptr clone;

	bpf_dynptr_clone(d, &clone);
	bpf_ringbuf_discard_dynptr(&clone, 0);
	return 0;
}

/* Linux 6.18 ends the clones in the frame of the one that is given back only. */
CASE("reject DYNPTR_NOT_INIT")
CASE("kernel accepts")
SEC("tc") int record_is_given_back_by_a_clone_in_a_function(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	long out = 0;

	bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &d);
	discard_clone(&d);
	bpf_dynptr_read(&out, sizeof(out), &d, 0, 0);
	return out;
}
