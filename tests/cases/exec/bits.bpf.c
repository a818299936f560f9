/* SPDX-License-Identifier: BSD-2-Clause */
/* Iterators over the bits of memory. */
#include "../verify/case.h"

struct bpf_iter_bits {
	__u64 opaque[2];
};

extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *unsafe_ptr__ign,
			     __u32 nr_words) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;

/* How many bits, and where they are. */
static int look(const __u64 *words, __u32 n)
{
	struct bpf_iter_bits it;
	int *bit, sum = 0;

	bpf_iter_bits_new(&it, words, n);
	while ((bit = bpf_iter_bits_next(&it)))
		sum += 100000 + *bit;
	bpf_iter_bits_destroy(&it);
	return sum;
}

__u64 none = 0, ends = 1ull << 63 | 1, all = ~0ull, words[512];

CASE("r0 = 7") SEC("tc") int bits_of_a_word_are_found(struct __sk_buff *ctx)
{
	int good = 0;

	good |= look(&none, 1) == 0;
	good |= (look(&ends, 1) == 200063) << 1;
	good |= (look(&all, 1) == 6402016) << 2;
	return good;
}

CASE("r0 = 7") SEC("tc") int bits_of_many_words_are_found(struct __sk_buff *ctx)
{
	int good = 0;

	words[0] = 1ull << 63;
	words[1] = 1;
	words[510] = 1ull << 63;
	words[511] = 1;
	good |= look(words, 2) == 200000 + 63 + 64;
	good |= (look(words, 511) == 300000 + 63 + 64 + 511 * 64 - 1) << 1;
	good |= (look(words + 2, 508) == 0) << 2;
	return good;
}

CASE("r0 = 15") SEC("tc") int not_all_memory_is_there(struct __sk_buff *ctx)
{
	struct bpf_iter_bits it;
	int good = 0;

	good |= bpf_iter_bits_new(&it, words, 0) == -22;
	bpf_iter_bits_destroy(&it);
	good |= (bpf_iter_bits_new(&it, words, 512) == -7) << 1;
	good |= (!bpf_iter_bits_next(&it)) << 2;
	bpf_iter_bits_destroy(&it);
	good |= (bpf_iter_bits_new(&it, 0, 1) == -22) << 3;
	bpf_iter_bits_destroy(&it);
	return good;
}

/* What is iterated over is a copy. */
CASE("r0 = 6") SEC("tc") int bits_stay_as_they_were(struct __sk_buff *ctx)
{
	struct bpf_iter_bits one, two;
	int *bit, n = 0;

	words[0] = words[1] = 0x15;
	bpf_iter_bits_new(&two, words, 2);
	words[0] = words[1] = 0;
	bpf_iter_bits_new(&one, words, 1);
	while ((bit = bpf_iter_bits_next(&two)))
		n++;
	while ((bit = bpf_iter_bits_next(&one)))
		n += 100;
	bpf_iter_bits_destroy(&one);
	bpf_iter_bits_destroy(&two);
	return n;
}
