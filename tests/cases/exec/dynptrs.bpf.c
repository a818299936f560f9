/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynptrs, over memory, records and packets. */
#include "../verify/case.h"


extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer,
			      __u32 buffer__szk) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, __u32 offset, void *buffer,
				   __u32 buffer__szk) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end) __ksym;
extern bool bpf_dynptr_is_null(const struct bpf_dynptr *p) __ksym;
extern bool bpf_dynptr_is_rdonly(const struct bpf_dynptr *p) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;
extern int bpf_dynptr_clone(const struct bpf_dynptr *p, struct bpf_dynptr *clone) __ksym;
extern int bpf_dynptr_copy(struct bpf_dynptr *dst, __u32 dst_off, struct bpf_dynptr *src,
			   __u32 src_off, __u32 size) __ksym;
extern int bpf_dynptr_memset(struct bpf_dynptr *p, __u32 offset, __u32 size, __u8 val) __ksym;

struct value {
	char bytes[32];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct value);
} values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

const volatile int nothing = 0;

static struct value *value_of(__u32 i)
{
	return bpf_map_lookup_elem(&values, &i);
}

CASE("r0 = 511") SEC("tc") int memory_is_read_and_written(struct __sk_buff *ctx)
{
	struct value *v = value_of(0);
	struct bpf_dynptr d;
	char buf[8] = "abcdefg";
	char *at;
	int good = 0;

	if (!v)
		return 0;
	good |= !bpf_dynptr_from_mem(v->bytes, sizeof(v->bytes), 0, &d);
	good |= (!bpf_dynptr_write(&d, 4, buf, 8, 0)) << 1;
	good |= (v->bytes[4] == 'a' && v->bytes[10] == 'g') << 2;
	good |= (!bpf_dynptr_read(buf, 4, &d, 6, 0) && buf[0] == 'c' && buf[4] == 'e') << 3;
	good |= (bpf_dynptr_read(buf, 4, &d, 29, 0) == -7) << 4;
	good |= (bpf_dynptr_write(&d, 25, buf, 8, 0) == -7) << 5;
	good |= (bpf_dynptr_write(&d, 0, buf, 8, 1) == -22) << 6;
	at = bpf_dynptr_data(&d, 4, 8);
	good |= (at && at[1] == 'b') << 7;
	good |= (!bpf_dynptr_data(&d, 30, 8)) << 8;
	return good;
}

CASE("r0 = 1023") SEC("tc") int views_are_narrowed(struct __sk_buff *ctx)
{
	struct value *v = value_of(0);
	struct bpf_dynptr d, e;
	char buf[4];
	int good = 0;

	if (!v)
		return 0;
	__builtin_memcpy(v->bytes, "0123456789abcdef", 16);
	bpf_dynptr_from_mem(v->bytes, 16, 0, &d);
	good |= bpf_dynptr_size(&d) == 16 && !bpf_dynptr_is_null(&d) && !bpf_dynptr_is_rdonly(&d);
	good |= (!bpf_dynptr_clone(&d, &e)) << 1;
	good |= (!bpf_dynptr_adjust(&e, 4, 10) && bpf_dynptr_size(&e) == 6) << 2;
	good |= (!bpf_dynptr_read(buf, 2, &e, 1, 0) && buf[0] == '5') << 3;
	good |= (!bpf_dynptr_adjust(&e, 1, 4) && bpf_dynptr_size(&e) == 3) << 4;
	good |= (!bpf_dynptr_read(buf, 3, &e, 0, 0) && buf[2] == '7') << 5;
	good |= (bpf_dynptr_read(buf, 4, &e, 0, 0) == -7) << 6;
	good |= (bpf_dynptr_adjust(&e, 2, 1) == -22) << 7;
	good |= (bpf_dynptr_adjust(&e, 0, 4) == -34) << 8;
	good |= (bpf_dynptr_size(&d) == 16) << 9;
	return good;
}

CASE("r0 = 31") SEC("tc") int what_failed_is_null(struct __sk_buff *ctx)
{
	struct value *v = value_of(0);
	struct bpf_dynptr d, e;
	char buf[4];
	int good = 0;

	if (!v)
		return 0;
	good |= bpf_dynptr_from_mem(v->bytes, 8, 1, &d) == -22;
	good |= bpf_dynptr_is_null(&d) << 1;
	good |= (bpf_dynptr_size(&d) == (__u32)-22) << 2;
	good |= (bpf_dynptr_read(buf, 1, &d, 0, 0) == -22) << 3;
	good |= (bpf_dynptr_clone(&d, &e) == -22 && bpf_dynptr_is_null(&e)) << 4;
	return good;
}

CASE("r0 = 15") SEC("tc") int memory_is_copied_and_filled(struct __sk_buff *ctx)
{
	struct value *v = value_of(0), *w = value_of(1);
	struct bpf_dynptr d, e;
	int good = 0;

	if (!v || !w)
		return 0;
	__builtin_memcpy(v->bytes, "0123456789abcdef", 16);
	bpf_dynptr_from_mem(v->bytes, 16, 0, &d);
	bpf_dynptr_from_mem(w->bytes, 32, 0, &e);
	good |= !bpf_dynptr_memset(&e, 2, 20, 'x') && w->bytes[2] == 'x' && w->bytes[21] == 'x' &&
		!w->bytes[22];
	good |= (!bpf_dynptr_copy(&e, 20, &d, 4, 8) && w->bytes[20] == '4' &&
		 w->bytes[27] == 'b') << 1;
	good |= (bpf_dynptr_copy(&e, 30, &d, 0, 8) == -7) << 2;
	good |= (bpf_dynptr_memset(&e, 30, 8, 0) == -7) << 3;
	__builtin_memset(w->bytes, 0, 32);
	return good;
}

CASE("r0 = 127") SEC("tc") int packets_of_tc_are_memory(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	char buf[8] = "abcdefg", *at;
	int good = 0;

	good |= !bpf_dynptr_from_skb(ctx, 0, &d) && bpf_dynptr_size(&d) == ctx->len;
	good |= (!bpf_dynptr_is_rdonly(&d)) << 1;
	good |= (!bpf_dynptr_write(&d, 20, buf, 8, 0)) << 2;
	at = bpf_dynptr_slice(&d, 21, NULL, 4);
	good |= (at && at[0] == 'b') << 3;
	at = bpf_dynptr_slice_rdwr(&d, 20, buf, 8);
	if (at)
		at[1] = 'B';
	good |= (!bpf_dynptr_read(buf, 8, &d, 20, 0) && buf[1] == 'B') << 4;
	good |= (!bpf_dynptr_slice(&d, 60, buf, 8)) << 5;
	good |= (bpf_dynptr_from_skb(ctx, 1, &d) == -22) << 6;
	return good;
}

CASE("r0 = 31") SEC("xdp") int packets_of_xdp_are_memory(struct xdp_md *ctx)
{
	struct bpf_dynptr d;
	char buf[8] = "abcdefg", *at;
	int good = 0;

	good |= !bpf_dynptr_from_xdp(ctx, 0, &d) && bpf_dynptr_size(&d) == 64;
	good |= (!bpf_dynptr_write(&d, 20, buf, 8, 0)) << 1;
	bpf_dynptr_adjust(&d, 16, 40);
	at = bpf_dynptr_slice(&d, 4, buf, 8);
	good |= (at && at[6] == 'g') << 2;
	good |= (!bpf_dynptr_memset(&d, 4, 3, 'z') && !bpf_dynptr_read(buf, 4, &d, 4, 0) &&
		 buf[2] == 'z' && buf[3] == 'd') << 3;
	good |= (!bpf_dynptr_slice(&d, 20, buf, 8)) << 4;
	return good;
}

CASE("r0 = 31") SEC("xdp") int packets_are_copied_over_themselves(struct xdp_md *ctx)
{
	struct bpf_dynptr d, e;
	unsigned char four[4];
	int good = 0;

	if (bpf_xdp_adjust_tail(ctx, 600 - 64))
		return 0;
	good |= !bpf_dynptr_from_xdp(ctx, 0, &d) && bpf_dynptr_size(&d) == 600;
	bpf_dynptr_from_xdp(ctx, 0, &e);
	for (int i = 0; i < 150; i++) {
		four[0] = i;
		four[1] = i + 1;
		four[2] = i + 2;
		four[3] = i ^ 0x55;
		bpf_dynptr_write(&d, i * 4, four, 4, 0);
	}
	good |= (!bpf_dynptr_copy(&d, 10, &e, 0, 500)) << 1;
	bpf_dynptr_read(four, 4, &d, 10 + 400, 0);
	good |= (four[0] == 100 && four[1] == 101 && four[3] == (100 ^ 0x55)) << 2;
	good |= (!bpf_dynptr_copy(&d, 0, &e, 10, 500)) << 3;
	bpf_dynptr_read(four, 4, &d, 480, 0);
	good |= (four[0] == 120 && four[2] == 122) << 4;
	return good;
}

CASE("fault HELPER_NOT_FOR_TYPE") SEC("xdp") int packets_of_xdp_are_no_socket_buffers(struct xdp_md *ctx)
{
	struct bpf_dynptr d;

	return bpf_dynptr_from_skb((void *)ctx, 0, &d);
}

CASE("r0 = 2") SEC("xdp") int what_is_for_others_may_stand_there(struct xdp_md *ctx)
{
	struct bpf_dynptr d;

	if (nothing)
		bpf_dynptr_from_skb((void *)ctx, 0, &d);
	return XDP_PASS;
}

CASE("r0 = 15") SEC("tc") int packets_are_copied_to_memory(struct __sk_buff *ctx)
{
	struct bpf_dynptr d, e, none;
	struct value *v = value_of(1);
	char buf[4] = "abc";
	int good = 0;

	if (!v || bpf_dynptr_from_skb(ctx, 0, &d))
		return 0;
	bpf_dynptr_from_mem(v->bytes, 32, 0, &e);
	bpf_dynptr_from_skb(ctx, 1, &none);
	bpf_dynptr_write(&d, 60, buf, 4, 0);
	good |= !bpf_dynptr_copy(&e, 2, &d, 60, 4) && v->bytes[4] == 'c';
	good |= (bpf_dynptr_copy(&e, 0, &d, 60, 5) == -7) << 1;
	good |= (bpf_dynptr_copy(&none, 0, &d, 60, 4) == -22) << 2;
	good |= (bpf_dynptr_copy(&e, 0, &none, 0, 4) == -22) << 3;
	__builtin_memset(v->bytes, 0, 32);
	return good;
}

CASE("r0 = 63") SEC("tc") int none_has_a_size_of_nothing(struct __sk_buff *ctx)
{
	struct bpf_dynptr d, none;
	int good = 0;

	bpf_dynptr_from_skb(ctx, 1, &none);
	bpf_dynptr_from_skb(ctx, 0, &d);
	good |= bpf_dynptr_memset(&none, 0, 4, 1) == -7;
	good |= (bpf_dynptr_memset(&none, 0, 0, 1) == 0) << 1;
	good |= (bpf_dynptr_copy(&none, 0, &none, 0, 4) == -7) << 2;
	good |= (bpf_dynptr_copy(&none, 0, &none, 0, 0) == 0) << 3;
	good |= (bpf_dynptr_copy(&none, 0, &d, 0, 0) == -22) << 4;
	good |= (bpf_dynptr_copy(&d, 0, &none, 0, 0) == -22) << 5;
	return good;
}

CASE("r0 = 7") SEC("socket") int what_is_read_only_is_not_filled(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	int good = 0;

	bpf_dynptr_from_skb(ctx, 0, &d);
	good |= bpf_dynptr_memset(&d, 0, 1000, 1) == -22;
	good |= (bpf_dynptr_copy(&d, 0, &d, 0, 4) == -22) << 1;
	good |= (bpf_dynptr_copy(&d, 0, &d, 0, 1000) == -7) << 2;
	return good;
}

CASE("r0 = 15") SEC("socket") int packets_of_filters_are_read(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	char buf[8] = "abcdefg";
	int good = 0;

	good |= !bpf_dynptr_from_skb(ctx, 0, &d) && bpf_dynptr_is_rdonly(&d);
	good |= (!bpf_dynptr_read(buf, 8, &d, 2, 0)) << 1;
	good |= (!!bpf_dynptr_slice(&d, 0, buf, 8)) << 2;
	good |= (bpf_dynptr_write(&d, 0, buf, 8, 0) == -22) << 3;
	return good;
}

CASE("r0 = 7") SEC("tc") int records_are_memory(struct __sk_buff *ctx)
{
	struct bpf_dynptr d;
	__u64 n = 5;
	int good = 0;

	good |= !bpf_ringbuf_reserve_dynptr(&ring, 16, 0, &d);
	good |= (!bpf_dynptr_write(&d, 8, &n, 8, 0)) << 1;
	bpf_ringbuf_submit_dynptr(&d, 0);
	good |= (bpf_ringbuf_reserve_dynptr(&ring, 8192, 0, &d) == -22) << 2;
	bpf_ringbuf_discard_dynptr(&d, 0);
	return good;
}
