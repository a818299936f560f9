/* SPDX-License-Identifier: BSD-2-Clause */
/* Arenas: what programs see of pages that are there, and of others. */
#include "../verify/case.h"

#define NOINLINE __attribute__((noinline))
#define __arena	 __attribute__((address_space(1)))
#define PAGE	 4096

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
} arena SEC(".maps");

void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 page_cnt, int node,
				    __u64 flags) __ksym __weak;
void bpf_arena_free_pages(void *map, void __arena *ptr, __u32 page_cnt) __ksym __weak;
int bpf_arena_reserve_pages(void *map, void __arena *ptr, __u32 page_cnt) __ksym __weak;

/* The first page is that of the variables. */
__u64 __arena seven = 7;
__u32 __arena zero;
char __arena text[16] = "in the arena";

#define alloc(n) bpf_arena_alloc_pages(&arena, NULL, n, -1, 0)
#define LOW(p)	 ((__u32)(__u64)(p))

/* The pointer as accesses take it, for assembly. */
#define cast(p)                                                                           \
	({                                                                                \
		__u64 cast_ = (__u64)(p);                                                 \
		asm volatile("%0 = addr_space_cast(%0, 0, 1)" : "+r"(cast_));             \
		cast_;                                                                    \
	})

/* may_goto: ends loops of which the verifier sees no end */
#define can_loop_here()                                                                   \
	({                                                                                \
		__label__ out, on;                                                        \
		bool ret_ = true;                                                         \
		asm volatile goto("may_goto %l[out]" : : : : out);                        \
		goto on;                                                                  \
	out:                                                                              \
		ret_ = false;                                                             \
	on:;                                                                              \
		ret_;                                                                     \
	})

CASE("r0 = 1") SEC("syscall") int variables_have_their_values(void *ctx)
{
	return seven == 7 && !zero && text[0] == 'i' && text[11] == 'a' && !text[12];
}

CASE("r0 = 8") SEC("tc") int variables_can_be_changed(struct __sk_buff *ctx)
{
	int got = (int)++seven;

	seven = 7;
	return got;
}

CASE("r0 = 15") SEC("syscall") int what_is_written_is_read(void *ctx)
{
	volatile char __arena *p = alloc(2);
	int good = 0;

	if (!p)
		return 0;
	*(volatile __u64 __arena *)(p + 8) = 0x1122334455667788;
	good |= *(volatile __u32 __arena *)(p + 8) == 0x55667788;
	good |= (*(volatile __u16 __arena *)(p + 14) == 0x1122) << 1;
	good |= (p[12] == 0x44) << 2;
	*(volatile __u16 __arena *)(p + PAGE - 1) = 0xabcd; /* across pages */
	good |= (((__u8)p[PAGE - 1]) == 0xcd && ((__u8)p[PAGE]) == 0xab) << 3;
	bpf_arena_free_pages(&arena, (void __arena *)p, 2);
	return good;
}

CASE("r0 = 7") SEC("syscall") int what_is_not_there_reads_as_zero(void *ctx)
{
	volatile __u64 __arena *p = alloc(1);
	int good = 0;

	if (!p)
		return 0;
	*p = 5;
	good |= *p == 5;
	bpf_arena_free_pages(&arena, (void __arena *)p, 1);
	good |= !*p << 1;
	*p = 6;
	good |= !*p << 2;
	return good;
}

CASE("r0 = 3") SEC("syscall") int what_was_freed_comes_back_empty(void *ctx)
{
	volatile __u64 __arena *p = alloc(1), *q;
	int good;

	if (!p)
		return 0;
	p[3] = 5;
	bpf_arena_free_pages(&arena, (void __arena *)p, 1);
	p[4] = 6;
	q = bpf_arena_alloc_pages(&arena, (void __arena *)p, 1, -1, 0);
	good = (p == q) | (!q[3] && !q[4]) << 1;
	bpf_arena_free_pages(&arena, (void __arena *)q, 1);
	return good;
}

CASE("r0 = 15") SEC("syscall") int stores_are_whole_or_not_at_all(void *ctx)
{
	volatile char __arena *p = alloc(2);
	int good = 0;

	if (!p)
		return 0;
	bpf_arena_free_pages(&arena, (void __arena *)(p + PAGE), 1);
	p[PAGE - 1] = 1;
	*(volatile __u32 __arena *)(p + PAGE - 2) = 0x7f7f7f7f;
	good |= p[PAGE - 1] == 1;
	good |= (p[PAGE - 2] == 0) << 1;
	*(volatile __u64 __arena *)(p + PAGE - 8) = 0x7f7f7f7f7f7f7f7f;
	good |= (p[PAGE - 2] == 0x7f) << 2;
	p[PAGE] = 3;
	good |= !p[PAGE] << 3;
	bpf_arena_free_pages(&arena, (void __arena *)p, 1);
	return good;
}

CASE("r0 = 255") SEC("syscall") int pages_are_given_out_once(void *ctx)
{
	char __arena *p = alloc(4), *q;
	int good = 0;

	if (!p)
		return 0;
	good |= !bpf_arena_alloc_pages(&arena, (void __arena *)p, 1, -1, 0);
	good |= !bpf_arena_alloc_pages(&arena, (void __arena *)(p + 1), 1, -1, 0) << 1;
	good |= !bpf_arena_alloc_pages(&arena, NULL, 1, -1, 1) << 2;
	good |= !alloc(0) << 3;
	good |= !alloc(64) << 4;
	bpf_arena_free_pages(&arena, (void __arena *)(p + PAGE), 2);
	good |= !bpf_arena_alloc_pages(&arena, (void __arena *)(p + PAGE), 3, -1, 0) << 5;
	q = bpf_arena_alloc_pages(&arena, (void __arena *)(p + PAGE), 2, -1, 0);
	good |= (q == p + PAGE) << 6;
	bpf_arena_free_pages(&arena, (void __arena *)p, 4);
	q = alloc(4);
	good |= (q == p) << 7;
	bpf_arena_free_pages(&arena, (void __arena *)q, 4);
	return good;
}

CASE("r0 = 31") SEC("syscall") int reserved_pages_are_not_there(void *ctx)
{
	char __arena *start = (char __arena *)&seven, *p;
	int good = 0;

	start -= LOW(start) & (PAGE - 1);
	p = start + 40 * PAGE;
	good |= !bpf_arena_reserve_pages(&arena, (void __arena *)p, 2);
	good |= (bpf_arena_reserve_pages(&arena, (void __arena *)p, 1) == -16) << 1;
	good |= !bpf_arena_alloc_pages(&arena, (void __arena *)p, 1, -1, 0) << 2;
	*(volatile char __arena *)p = 1;
	good |= !*(volatile char __arena *)p << 3;
	bpf_arena_free_pages(&arena, (void __arena *)p, 2);
	good |= (bpf_arena_alloc_pages(&arena, (void __arena *)p, 1, -1, 0) == p) << 4;
	bpf_arena_free_pages(&arena, (void __arena *)p, 1);
	return good;
}

struct node {
	struct node __arena *next;
	__u64 value;
};

struct node __arena *head;

CASE("r0 = 55") SEC("syscall") int pointers_live_in_memory(void *ctx)
{
	struct node __arena *page = alloc(1), *n;
	int sum = 0;

	if (!page)
		return 0;
	head = NULL;
	for (int i = 0; i < 10 && can_loop_here(); i++) {
		page[i].value = (__u64)i + 1;
		page[i].next = head;
		head = &page[i];
	}
	for (n = head; n && can_loop_here(); n = n->next)
		sum += (int)n->value;
	bpf_arena_free_pages(&arena, (void __arena *)page, 1);
	return sum;
}

NOINLINE static __u64 fetch(struct node __arena *n, int i)
{
	return n[i].value;
}

CASE("r0 = 66") SEC("syscall") int functions_take_pointers(void *ctx)
{
	struct node __arena *page = alloc(1);
	__u64 got;

	if (!page)
		return 0;
	page[3].value = 66;
	got = fetch(page, 3);
	bpf_arena_free_pages(&arena, (void __arena *)page, 1);
	return (int)got;
}

/* In registers of the program, a pointer is the lower half; null stays null. */
CASE("r0 = 7") SEC("syscall") int pointers_are_half(void *ctx)
{
	__u64 kern = (__u64)(char __arena *)&seven, user = 0, null = 0;
	int good = 0;

	asm volatile("%[kern] = addr_space_cast(%[kern], 0, 1);"
		     "%[user] = %[kern];"
		     "%[kern] += -16;"
		     "%[kern] += 16;"
		     "%[user] = addr_space_cast(%[user], 1, 0);"
		     "%[null] = addr_space_cast(%[null], 1, 0);"
		     : [kern] "+r"(kern), [user] "+r"(user), [null] "+r"(null));
	good |= !(kern >> 32);
	good |= ((user & 0xffffffff) == kern && user == (__u64)(char __arena *)&seven) << 1;
	good |= !null << 2;
	return good;
}

CASE("r0 = 3") SEC("syscall") int arithmetic_keeps_no_upper_half(void *ctx)
{
	__u64 p = (__u64)(char __arena *)&seven, q;
	int good = 0;

	p &= 0xfff;
	asm volatile("%[p] = addr_space_cast(%[p], 0, 1);"
		     "%[p] += -8192;"
		     "%[q] = %[p];"
		     "%[q] *= 16;"
		     : [p] "+r"(p), [q] "=r"(q));
	good |= !(p >> 32) && (p >> 31);
	good |= (!(q >> 32)) << 1;
	return good;
}

CASE("r0 = 63") SEC("syscall") int atomics_work(void *ctx)
{
	volatile __u64 __arena *p = alloc(1);
	volatile __u32 __arena *h = (volatile __u32 __arena *)(p + 8);
	int good = 0;

	if (!p)
		return 0;
	*p = 10;
	good |= __sync_fetch_and_add(p, 5) == 10 && *p == 15;
	good |= (__sync_lock_test_and_set(p, 99) == 15 && *p == 99) << 1;
	good |= (__sync_val_compare_and_swap(p, 99, 100) == 99 && *p == 100) << 2;
	good |= (__sync_val_compare_and_swap(p, 99, 1) == 100 && *p == 100) << 3;
	*h = 0xfffffff0;
	good |= (__sync_fetch_and_add(h, 0x20) == 0xfffffff0 && *h == 0x10 && !h[1]) << 4;
	__sync_fetch_and_or(p + 1, 6);
	__sync_fetch_and_xor(p + 1, 3);
	__sync_fetch_and_and(p + 1, 0xd);
	good |= (p[1] == 5) << 5;
	bpf_arena_free_pages(&arena, (void __arena *)p, 1);
	return good;
}

/* What they would give stays what it was. */
CASE("r0 = 31") SEC("syscall") int atomics_need_a_page(void *ctx)
{
	volatile __u64 __arena *p = alloc(1);
	__u64 got;
	int good = 0;

	if (!p)
		return 0;
	bpf_arena_free_pages(&arena, (void __arena *)p, 1);
	got = 0x500000005;
	asm volatile("%[got] = atomic_fetch_add((u64 *)(%[p] + 0), %[got]);"
		     : [got] "+r"(got)
		     : [p] "r"(cast(p)));
	good |= got == 0x500000005;
	asm volatile("%[got] = xchg_64(%[p] + 8, %[got]);"
		     : [got] "+r"(got)
		     : [p] "r"(cast(p)));
	good |= (got == 0x500000005) << 1;
	asm volatile("r0 = 77;"
		     "r0 = cmpxchg_64(%[p] + 8, r0, %[p]);"
		     "%[got] = r0;"
		     : [got] "=r"(got)
		     : [p] "r"(cast(p))
		     : "r0");
	good |= (got == 77) << 2;
	asm volatile("r0 = 78;"
		     "w1 = 1;"
		     "w0 = cmpxchg32_32(%[p] + 8, w0, w1);"
		     "%[got] = r0;"
		     : [got] "=r"(got)
		     : [p] "r"(cast(p))
		     : "r0", "r1");
	good |= (got == 78) << 3;
	good |= (!p[0] && !p[1]) << 4;
	return good;
}

CASE("r0 = 7") SEC("syscall") int loads_extend_the_sign(void *ctx)
{
	volatile __s8 __arena *p = alloc(1);
	int good = 0;

	if (!p)
		return 0;
	*(volatile __u64 __arena *)p = 0x80000000ffff8081;
	good |= (long)*p == -127;
	good |= ((long)*(volatile __s16 __arena *)(p + 2) == -1) << 1;
	good |= ((long)*(volatile __s32 __arena *)(p + 4) == -2147483648l) << 2;
	bpf_arena_free_pages(&arena, (void __arena *)p, 1);
	return good;
}

CASE("r0 = 3") SEC("syscall") int memory_can_be_ordered(void *ctx)
{
	volatile __u64 __arena *p = alloc(1);
	__u64 got = 0;
	int good = 0;

	if (!p)
		return 0;
	asm volatile("r1 = %[p];"
		     "r2 = 41;"
		     ".8byte 0x00000110000821db;" /* store_release((u64 *)(r1 + 8), r2) */
		     ".8byte 0x00000100000810db;" /* r0 = load_acquire((u64 *)(r1 + 8)) */
		     "%[got] = r0;"
		     : [got] "=r"(got)
		     : [p] "r"(cast(p))
		     : "r0", "r1", "r2");
	good |= got == 41;
	good |= (p[1] == 41) << 1;
	bpf_arena_free_pages(&arena, (void __arena *)p, 1);
	return good;
}

/* Writes at that address and as far from it as an offset goes; is anything there then? */
static __u64 touched(__u64 at)
{
	__u64 got;

	at = cast(at);
	asm volatile("r2 = 1;"
		     "*(u64 *)(%[at] + 0) = r2;"
		     "*(u64 *)(%[at] - 32768) = r2;"
		     "*(u64 *)(%[at] + 32767) = r2;"
		     "%[got] = *(u64 *)(%[at] + 0);"
		     "r2 = *(u64 *)(%[at] - 32768);"
		     "%[got] |= r2;"
		     "r2 = *(u64 *)(%[at] + 32767);"
		     "%[got] |= r2;"
		     : [got] "=&r"(got)
		     : [at] "r"(at)
		     : "r2");
	return got;
}

CASE("r0 = 15") SEC("syscall") int all_of_the_window_is_safe(void *ctx)
{
	__u64 at = (__u64)(char __arena *)&seven & ~0xfffull;
	int good = 0;

	good |= !touched(at + 64 * PAGE);
	good |= !touched(at - 8) << 1;
	good |= !touched(0xfffffff8) << 2;
	good |= !touched(0) << 3;
	return good;
}
