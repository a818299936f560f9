/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The containers: what they promise when they are empty, when they grow, and when memory
 * or sizes run out.
 */
#include <errno.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/diag.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/vec.h"
#include "check.h"

static void arena_gives_zeroed_memory_and_refuses_overflow(void)
{
	struct arena a = ARENA_INIT;
	u8 *big = arena_alloc(&a, 3000000);

	CHECK(big && !big[0] && !big[2999999]);
	CHECK(!arena_array(&a, SIZE_MAX / 2, 8));
	CHECK(!arena_alloc(&a, SIZE_MAX));
	CHECK_STR(arena_printf(&a, "%s-%d", "x", 7), "x-7");
	CHECK_STR(arena_strndup(&a, "abcdef", 3), "abc");
	for (int i = 0; i < 1000; i++)
		CHECK((uintptr_t)arena_alloc(&a, (size_t)i) % _Alignof(max_align_t) == 0);
	arena_fini(&a);
	CHECK(a.total == 0);
}

static void arena_is_zeroed_after_a_reset(void)
{
	struct arena a = ARENA_INIT;
	u8 *raw, *again;

	CHECK(arena_expect(&a, 50000));
	raw = arena_raw(&a, 10000, 5);
	if (!CHECK(raw))
		return;
	memset(raw, 0xff, 50000);
	CHECK(!arena_raw(&a, SIZE_MAX / 2, 8));
	arena_reset(&a);
	again = arena_alloc(&a, 50000); /* the block that it had */
	CHECK(again == raw && !again[0] && !again[49999] && a.total < 100000);
	arena_fini(&a);
	CHECK(!a.blocks && a.total == 0);
}

/* FIPS 180-4's examples, and lengths around a block (from sha256sum) */
static void sha256_is_that_of_the_standard(void)
{
	static const struct {
		const char *text;
		u8 start[4];
	} tries[] = {
		{"", {0xe3, 0xb0, 0xc4, 0x42}},
		{"abc", {0xba, 0x78, 0x16, 0xbf}},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 {0x24, 0x8d, 0x6a, 0x61}},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 {0xac, 0x13, 0x7f, 0xce}},
	};
	u8 digest[SHA256_LEN];

	for (u32 i = 0; i < ARRAY_SIZE(tries); i++) {
		sha256(tries[i].text, strlen(tries[i].text), digest);
		CHECK(!memcmp(digest, tries[i].start, sizeof(tries[i].start)));
	}
}

static void vec_grows_and_keeps_what_it_holds(void)
{
	struct vec v = VEC_INIT(u32);

	for (u32 i = 0; i < 1000; i++)
		*(u32 *)vec_push(&v) = i;
	CHECK_INT(v.len, 1000);
	CHECK_INT(*(u32 *)vec_at(&v, 999), 999);
	CHECK(!vec_push_many(&v, SIZE_MAX));
	CHECK_INT(v.len, 1000);
	vec_fini(&v);
}

static void text_pads_its_last_line(void)
{
	struct text t = TEXT_INIT;

	CHECK_STR(text_str(&t), "");
	text_printf(&t, "one\nab");
	text_pad(&t, 5);
	text_puts(&t, "|");
	CHECK_STR(text_str(&t), "one\nab   |");
	text_fini(&t);
}

static void index_finds_all_values_of_a_hash(void)
{
	struct hash_index h = HASH_INDEX_INIT;
	size_t cursor = 0;
	u32 value, found = 0;

	CHECK(!hash_index_next(&h, 7, &cursor, &value));
	for (u32 i = 0; i < 500; i++)
		CHECK(hash_index_add(&h, i % 50, i));
	for (cursor = 0; hash_index_next(&h, 7, &cursor, &value); found++)
		CHECK_INT(value % 50, 7);
	CHECK_INT(found, 10);
	hash_index_fini(&h);
}

static void the_first_error_wins_and_places_add_up(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	int err = fail(&diag, NO_MEMORY, 7);

	CHECK_INT(err, -ENOMEM);
	CHECK_INT(diag_in(&diag, err, "section %s", "xdp"), -ENOMEM);
	CHECK_INT(diag_in(&diag, err, "a.o"), -ENOMEM);
	CHECK_STR(diag.where, "a.o: section xdp");
	CHECK_STR(skep_diag_name(diag.id), "NO_MEMORY");
	CHECK_STR(skep_diag_name(-1), "NONE");
	fail(&diag, NO_MEMORY, 8);
	CHECK_INT(diag.insn, 7);
	for (int i = 0; i < 30; i++)
		diag_in(&diag, err, "a rather long place number %d", i);
	CHECK(strlen(diag.where) < sizeof(diag.where));
	CHECK_INT(fail(NULL, NO_MEMORY, NO_PC), -ENOMEM);
}

static void slices_stay_inside(void)
{
	const u8 data[4] = {'a', 0, 'b', 'c'};
	struct bytes b = {data, sizeof(data)};

	CHECK(bytes_slice(b, 4, 0).data);
	CHECK(!bytes_slice(b, 4, 1).data);
	CHECK(!bytes_slice(b, 1, UINT64_MAX).data);
	CHECK_STR(bytes_string(b, 0), "a");
	CHECK(!bytes_string(b, 2));
	CHECK(!bytes_string(b, 4));
	CHECK_INT(load_be16("\1\2"), 0x102);
}

int main(void)
{
	arena_gives_zeroed_memory_and_refuses_overflow();
	arena_is_zeroed_after_a_reset();
	sha256_is_that_of_the_standard();
	vec_grows_and_keeps_what_it_holds();
	text_pads_its_last_line();
	index_finds_all_values_of_a_hash();
	the_first_error_wins_and_places_add_up();
	slices_stay_inside();
	return check_report();
}
