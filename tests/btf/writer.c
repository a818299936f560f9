/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written is read back the same, and a copy of a type brings along all that it
 * refers to, and nothing else.
 */
#include "btf/writer.h"

#include "base/arena.h"
#include "base/diag.h"
#include "btf/sample.h"
#include "check.h"

static struct arena arena;

static void check_as_c(const struct btf *a, u32 in_a, const struct btf *b, u32 in_b)
{
	struct text x = TEXT_INIT, y = TEXT_INIT;

	btf_print_c(&x, a, in_a);
	btf_print_c(&y, b, in_b);
	CHECK_STR(text_str(&y), text_str(&x));
	text_fini(&x);
	text_fini(&y);
}

/* All types of the sample, one by one, into a BTF of the other byte order. */
static void check_copy_of_all(void)
{
	struct sample s;
	struct text text = make_sample(&s, false), copied = TEXT_INIT;
	const struct btf *from, *to;
	struct btf_writer w;
	struct btf_copier c;

	CHECK_INT(btf_read(&arena, bytes_of(&text), NULL, &from, NULL), 0);
	btf_writer_init(&w, NULL, true);
	CHECK(btf_copier_init(&c, &w, from));
	for (u32 id = btf_count(from); id-- > 1;)
		CHECK(btf_copy(&c, id));
	CHECK_INT(btf_writer_finish(&w, &copied, NULL), 0);
	CHECK_INT(btf_read(&arena, bytes_of(&copied), NULL, &to, NULL), 0);
	CHECK_INT(btf_count(to), btf_count(from));
	for (u32 id = 1; id < btf_count(from); id++) {
		CHECK_INT(btf_kind(to, c.ids[id]), btf_kind(from, id));
		CHECK_INT(btf_size(to, c.ids[id]), btf_size(from, id));
		check_as_c(from, id, to, c.ids[id]);
	}
	CHECK(btf_has_tag(to, c.ids[s.pair], 2, "on a member"));
	btf_copier_fini(&c);
	btf_writer_fini(&w);
	text_fini(&copied);
	text_fini(&text);
	arena_fini(&arena);
}

static void check_copy_of_one(void)
{
	struct sample s;
	struct text text = make_sample(&s, true), copied = TEXT_INIT;
	const struct btf *from, *to;
	struct btf_writer w;
	struct btf_copier c;

	CHECK_INT(btf_read(&arena, bytes_of(&text), NULL, &from, NULL), 0);
	btf_writer_init(&w, NULL, false);
	CHECK(btf_copier_init(&c, &w, from));
	u32 node = btf_copy(&c, s.node);
	CHECK_INT(btf_copy(&c, s.node), node);
	CHECK_INT(btf_copy(&c, 0), 0);
	CHECK_INT(btf_copy(&c, btf_count(from)), 0);
	CHECK_INT(btf_writer_finish(&w, &copied, NULL), 0);
	CHECK_INT(btf_read(&arena, bytes_of(&copied), NULL, &to, NULL), 0);
	/* the struct, the pointer to it, and int */
	CHECK_INT(btf_count(to), 4);
	check_as_c(from, s.node, to, node);
	btf_copier_fini(&c);
	btf_writer_fini(&w);
	text_fini(&copied);
	text_fini(&text);
	arena_fini(&arena);
}

static void check_strings(void)
{
	struct btf_writer w;

	btf_writer_init(&w, NULL, false);
	u32 a = btf_add_string(&w, "a name"), b = btf_add_string(&w, "another");
	CHECK(a && b && a != b);
	CHECK_INT(btf_add_string(&w, "a name"), a);
	CHECK_INT(btf_add_string(&w, ""), 0);
	CHECK_INT(btf_add_string(&w, NULL), 0);
	btf_writer_fini(&w);
}

/* More parts than a type can have, and parts of nothing, are remembered as a failure. */
static void check_failures(void)
{
	struct text out = TEXT_INIT;
	struct btf_writer w;

	btf_writer_init(&w, NULL, false);
	btf_add_proto(&w, 0);
	for (u32 i = 0; i < 0xffff; i++)
		btf_put_param(&w, NULL, 0);
	CHECK_INT(btf_writer_finish(&w, &out, NULL), 0);
	btf_put_param(&w, NULL, 0);
	CHECK(btf_writer_finish(&w, &out, NULL) < 0);
	btf_writer_fini(&w);

	btf_writer_init(&w, NULL, false);
	btf_put_param(&w, NULL, 0);
	CHECK(btf_writer_finish(&w, &out, NULL) < 0);
	btf_writer_fini(&w);
	text_fini(&out);
}

int main(void)
{
	check_copy_of_all();
	check_copy_of_one();
	check_strings();
	check_failures();
	return check_report();
}
