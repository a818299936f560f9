/* SPDX-License-Identifier: BSD-2-Clause */
/* Kfuncs that need nothing of a kernel. */
#include "../verify/case.h"

#define NOINLINE __attribute__((noinline))
#define noalias_(x)                                                                       \
	({                                                                                \
		typeof(x) x_ = (x);                                                       \
		asm volatile("" : "+r"(x_));                                              \
		x_;                                                                       \
	})

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern void bpf_local_irq_save(unsigned long *flags) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __ksym;
extern int bpf_strcmp(const char *s1, const char *s2) __ksym;
extern int bpf_strcasecmp(const char *s1, const char *s2) __ksym;
extern int bpf_strchr(const char *s, char c) __ksym;
extern int bpf_strchrnul(const char *s, char c) __ksym;
extern int bpf_strnchr(const char *s, __u64 count, char c) __ksym;
extern int bpf_strrchr(const char *s, char c) __ksym;
extern int bpf_strlen(const char *s) __ksym;
extern int bpf_strnlen(const char *s, __u64 count) __ksym;
extern int bpf_strspn(const char *s, const char *accept) __ksym;
extern int bpf_strcspn(const char *s, const char *reject) __ksym;
extern int bpf_strstr(const char *s1, const char *s2) __ksym;
extern int bpf_strnstr(const char *s1, const char *s2, __u64 len) __ksym;
extern void bpf_a_kfunc_of_the_future(void) __ksym __weak;

__u64 sum;

NOINLINE static __u64 sum_of(int from, int to)
{
	struct bpf_iter_num it;
	int *i;

	sum = 0;
	bpf_iter_num_new(&it, from, to);
	while ((i = bpf_iter_num_next(&it)))
		sum += (__u64)*i;
	bpf_iter_num_destroy(&it);
	return sum;
}

CASE("r0 = 1225") SEC("tc") int numbers_are_counted(struct __sk_buff *ctx)
{
	return (int)sum_of(0, 50);
}

CASE("r0 = 7") SEC("tc") int ranges_are_checked(struct __sk_buff *ctx)
{
	struct bpf_iter_num it;
	int good = 0;

	good |= bpf_iter_num_new(&it, 5, 4) == -22;
	good |= (!bpf_iter_num_next(&it)) << 1;
	bpf_iter_num_destroy(&it);
	good |= (bpf_iter_num_new(&it, -5, 8 << 20) == -7) << 2;
	bpf_iter_num_destroy(&it);
	return good;
}

CASE("r0 = 15") SEC("tc") int ranges_have_ends(struct __sk_buff *ctx)
{
	const int lowest = -2147483647 - 1, highest = 2147483647;
	int good = 0;

	good |= sum_of(3, 3) == 0;
	good |= (sum_of(-3, 3) == (__u64)-3) << 1;
	good |= (sum_of(lowest, lowest + 2) == (__u64)lowest * 2 + 1) << 2;
	good |= (sum_of(highest - 2, highest) == (__u64)highest * 2 - 3) << 3;
	return good;
}

CASE("r0 = 36") SEC("tc") int iterators_nest(struct __sk_buff *ctx)
{
	struct bpf_iter_num outer, inner;
	int *i, *k, got = 0;

	bpf_iter_num_new(&outer, 1, 4);
	while ((i = bpf_iter_num_next(&outer))) {
		bpf_iter_num_new(&inner, 1, 4);
		while ((k = bpf_iter_num_next(&inner)))
			got += *i * *k;
		bpf_iter_num_destroy(&inner);
	}
	bpf_iter_num_destroy(&outer);
	return got;
}

struct locked {
	struct bpf_spin_lock lock;
	__u32 sum;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locked);
} locked SEC(".maps");

CASE("r0 = 6") SEC("tc") int numbers_are_counted_under_a_lock(struct __sk_buff *ctx)
{
	__u32 key = 0;
	struct locked *l = bpf_map_lookup_elem(&locked, &key);
	struct bpf_iter_num it;
	int *i, got;

	if (!l)
		return 0;
	bpf_spin_lock(&l->lock);
	l->sum = 0;
	bpf_iter_num_new(&it, 0, 4);
	while ((i = bpf_iter_num_next(&it)))
		l->sum += (__u32)*i;
	bpf_iter_num_destroy(&it);
	got = (int)l->sum;
	bpf_spin_unlock(&l->lock);
	return got;
}

CASE("r0 = 5") SEC("tc") int sections_begin_and_end(struct __sk_buff *ctx)
{
	unsigned long flags;
	volatile int five = 0;

	bpf_rcu_read_lock();
	five++;
	bpf_preempt_disable();
	five++;
	bpf_local_irq_save(&flags);
	five++;
	bpf_local_irq_restore(&flags);
	five++;
	bpf_preempt_enable();
	five++;
	bpf_rcu_read_unlock();
	return five;
}

const char hello[] = "hello, World";
const char again[] = "hello, world";
const char lello[] = "elloh, ";
char long_one[70000] = {[0 ... 69999] = 'a'};

CASE("r0 = 31") SEC("tc") int strings_compare(struct __sk_buff *ctx)
{
	char on_stack[] = "hello, World";
	int good = 0;

	good |= !bpf_strcmp(hello, noalias_(&on_stack[0]));
	good |= (bpf_strcmp(hello, again) == -1) << 1;
	good |= (bpf_strcmp(again, hello) == 1) << 2;
	good |= (!bpf_strcasecmp(hello, again)) << 3;
	good |= (bpf_strcmp(hello, hello + 12) == 1) << 4;
	return good;
}

CASE("r0 = 511") SEC("tc") int strings_are_searched(struct __sk_buff *ctx)
{
	int good = 0;

	good |= bpf_strchr(hello, 'l') == 2;
	good |= (bpf_strchr(hello, 'x') == -2) << 1;
	good |= (bpf_strchr(hello, 0) == 12) << 2;
	good |= (bpf_strrchr(hello, 'l') == 10) << 3;
	good |= (bpf_strrchr(hello, 'x') == -2) << 4;
	good |= (bpf_strchrnul(hello, 'x') == 12) << 5;
	good |= (bpf_strnchr(hello, 2, 'l') == -2) << 6;
	good |= (bpf_strnchr(hello, 3, 'l') == 2) << 7;
	good |= (bpf_strnchr(hello, 100, 'x') == -2) << 8;
	return good;
}

CASE("r0 = 255") SEC("tc") int strings_are_measured(struct __sk_buff *ctx)
{
	int good = 0;

	good |= bpf_strlen(hello) == 12;
	good |= (bpf_strnlen(hello, 5) == 5) << 1;
	good |= (bpf_strnlen(hello, 50) == 12) << 2;
	good |= (bpf_strspn(hello, lello) == 7) << 3;
	good |= (bpf_strspn(hello, again + 12) == 0) << 4;
	good |= (bpf_strcspn(hello, "W,") == 5) << 5;
	good |= (bpf_strcspn(hello, "xyz") == 12) << 6;
	good |= (bpf_strspn(hello, again) == 7) << 7;
	return good;
}

CASE("r0 = 2047") SEC("tc") int strings_are_found_in_strings(struct __sk_buff *ctx)
{
	int good = 0;

	good |= bpf_strstr(hello, "lo,") == 3;
	good |= (bpf_strstr(hello, "World") == 7) << 1;
	good |= (bpf_strstr(hello, "Worlds") == -2) << 2;
	good |= (bpf_strstr(hello, "") == 0) << 3;
	good |= (bpf_strnstr(hello, "World", 12) == 7) << 4;
	good |= (bpf_strnstr(hello, "World", 11) == -2) << 5;
	good |= (bpf_strnstr(hello, "hello", 5) == 0) << 6;
	good |= (bpf_strnstr(hello, "hello", 4) == -2) << 7;
	good |= (bpf_strnstr(hello, "", 0) == 0) << 8;
	good |= (bpf_strnstr(hello, "ll", 1000) == 2) << 9;
	good |= (bpf_strstr("", "x") == -2) << 10;
	return good;
}

CASE("r0 = 15") SEC("tc") int strings_end_somewhere(struct __sk_buff *ctx)
{
	int good = 0;

	good |= bpf_strlen(long_one) == -7;
	good |= (bpf_strchr(long_one, 'b') == -7) << 1;
	good |= (bpf_strlen(NULL) == -34) << 2;
	good |= (bpf_strcmp(hello, NULL) == -34) << 3;
	return good;
}

const char accented[] = "a\xe9";
const char plain[] = "ab";

CASE("r0 = 7") SEC("tc") int characters_are_unsigned(struct __sk_buff *ctx)
{
	int good = 0;

	good |= bpf_strcmp(accented, plain) == 1;
	good |= (bpf_strcmp(plain, accented) == -1) << 1;
	good |= (bpf_strcasecmp(accented, plain) == 1) << 2;
	return good;
}

CASE("r0 = 7") SEC("tc") int sizes_have_64_bits(struct __sk_buff *ctx)
{
	int good = 0;

	good |= bpf_strnlen(hello, 1ull << 32) == 12;
	good |= (bpf_strnchr(hello, (1ull << 32) + 2, 'W') == 7) << 1;
	good |= (bpf_strnstr(hello, "World", (1ull << 32) + 2) == 7) << 2;
	return good;
}

CASE("r0 = 63") SEC("tc") int sets_are_read_as_far_as_somebody_asks(struct __sk_buff *ctx)
{
	int good = 0;

	good |= bpf_strspn(plain, long_one) == -7;
	good |= (bpf_strcspn(plain, long_one) == 0) << 1;
	good |= (bpf_strcspn(hello, long_one) == -7) << 2;
	good |= (bpf_strspn(long_one, plain) == -7) << 3;
	good |= (bpf_strcspn(accented, accented + 1) == 1) << 4;
	good |= (bpf_strspn("", long_one) == 0) << 5;
	return good;
}

/* As they are, before C looks at them as int. */
#define WHOLE(kfunc, a)                                                                   \
	({                                                                                \
		__u64 got_;                                                               \
		asm volatile("r1 = %1\n\tcall " #kfunc "\n\t%0 = r0"                      \
			     : "=r"(got_)                                                 \
			     : "r"(a)                                                     \
			     : "r0", "r1", "r2", "r3", "r4", "r5");                       \
		got_;                                                                     \
	})

CASE("r0 = 3") SEC("tc") int results_of_int_have_32_bits(struct __sk_buff *ctx)
{
	int good = 0;

	good |= WHOLE(bpf_strlen, NULL) == 0xffffffde;
	good |= (WHOLE(bpf_strlen, long_one) == 0xfffffff9) << 1;
	return good;
}

CASE("r0 = 3") SEC("tc") int what_is_weak_may_be_missing(struct __sk_buff *ctx)
{
	if (bpf_a_kfunc_of_the_future)
		bpf_a_kfunc_of_the_future();
	return 3;
}
