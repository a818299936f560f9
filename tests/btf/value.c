/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values by their type, as C and as JSON, in both byte orders.
 */
#include "base/arena.h"
#include "btf/sample.h"
#include "check.h"

static struct arena arena;
static const struct btf_value_style c_style = {.format = BTF_VALUE_C};
static const struct btf_value_style json = {.format = BTF_VALUE_JSON};
static const struct btf_value_style brief = {.format = BTF_VALUE_C, .skip_zeroes = true};
static const struct btf_value_style lines = {
	.format = BTF_VALUE_C, .multi_line = true, .indent = 1};

static void check(const struct btf *btf, u32 id, struct bytes data,
		  const struct btf_value_style *style, const char *want)
{
	struct text text = TEXT_INIT;

	btf_print_value(&text, btf, id, data, style);
	CHECK_STR(text_str(&text), want);
	text_fini(&text);
}

#define BYTES(...)                                                                       \
	((struct bytes){(const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__})})

static void check_scalars(const struct btf *btf, const struct sample *s)
{
	check(btf, s->int_, BYTES(0xfe, 0xff, 0xff, 0xff), NULL, "-2");
	check(btf, s->uint, BYTES(0xfe, 0xff, 0xff, 0xff), NULL, "4294967294");
	check(btf, s->bool_, BYTES(1), &json, "true");
	check(btf, s->bool_, BYTES(2), &json, "2");
	check(btf, s->char_, BYTES('a'), NULL, "'a'");
	check(btf, s->char_, BYTES('\''), NULL, "'\\''");
	check(btf, s->char_, BYTES('a'), &json, "97");
	check(btf, s->char_, BYTES(0xff), NULL, "-1");
	check(btf, s->color, BYTES(0xfb, 0xff, 0xff, 0xff), NULL, "GREEN");
	check(btf, s->color, BYTES(0xfb, 0xff, 0xff, 0xff), &json, "\"GREEN\"");
	check(btf, s->color, BYTES(0xff, 0xff, 0xff, 0xff), &json, "-1");
	check(btf, s->wide, BYTES(0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11), NULL,
	      "WIDE");
	check(btf, s->int128, BYTES(1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0), NULL,
	      "0x20000000000000001");
	check(btf, s->int128, BYTES(1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0),
	      &json, "\"0x20000000000000001\"");
	check(btf, s->int128,
	      BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff, 0xff, 0xff),
	      NULL, "-1");
	check(btf, s->double_, BYTES(0, 0, 0, 0, 0, 0, 0xf8, 0x3f), NULL, "1.5");
	check(btf, s->double_, BYTES(0, 0, 0, 0, 0, 0, 0xf0, 0x7f), &json, "\"inf\"");
	check(btf, s->node_ptr, BYTES(0xef, 0xbe, 0xad, 0xde, 0, 0, 0, 0), NULL,
	      "0xdeadbeef");
	check(btf, s->node_ptr, BYTES(0xef, 0xbe, 0xad, 0xde, 0, 0, 0, 0), &json,
	      "\"0xdeadbeef\"");
	/* Too short, or nothing at all. */
	check(btf, s->int_, BYTES(1, 2, 3), &json, "null");
	check(btf, s->opaque, BYTES(1), &json, "null");
	check(btf, 0, BYTES(1), NULL, "{}");
	check(btf, s->int_, (struct bytes){0}, NULL, "{}");
}

static void check_arrays(const struct btf *btf, const struct sample *s)
{
	check(btf, s->text, BYTES('h', 'i', '"', '\n', 0, 0, 0, 0), NULL,
	      "\"hi\\\"\\n\"");
	check(btf, s->text, BYTES('h', 'i', 0, 0, 'x', 0, 0, 0), &json,
	      "[104, 105, 0, 0, 120, 0, 0, 0]");
	check(btf, s->text, BYTES('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), &json,
	      "\"abcdefgh\"");
	check(btf, s->text, BYTES('a', 'b'), NULL, "\"ab\"");
	check(btf, s->matrix,
	      BYTES(1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		    0),
	      NULL, "{{1, 2, 3}, {4, 0, 0}}");
	check(btf, s->matrix,
	      BYTES(1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		    0),
	      &json, "[[1, 2, 3], [4, 0, 0]]");
	check(btf, s->matrix,
	      BYTES(1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		    0),
	      &brief, "{{1, 2, 3}, {4}}");
	check(btf, s->flexible, BYTES(2, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0), NULL,
	      "{.n = 2, .items = {7, 8}}");
	check(btf, s->flexible, BYTES(2, 0, 0, 0), NULL, "{.n = 2}");
}

static void check_structs(const struct btf *btf, const struct sample *s)
{
	struct bytes pair = BYTES(0xfb, 0xff, 0xff, 0xff, 10, 0, 0, 1, 'x', 0, 0, 0, 0, 0,
				  0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

	check(btf, s->pair_t, pair, &c_style,
	      "{.color = GREEN, .number = 16777226, .bytes = {0x0a, 0x00, 0x00, 0x01}, "
	      ".name = \"x\", .first = 0x0}");
	check(btf, s->pair_t, pair, &json,
	      "{\"color\": \"GREEN\", \"number\": 16777226, \"bytes\": [10, 0, 0, 1], "
	      "\"name\": \"x\", "
	      "\"first\": \"0x0\"}");
	check(btf, s->pair, pair, &brief,
	      "{.color = GREEN, .number = 16777226, .bytes = {0x0a, 0x00, 0x00, 0x01}, "
	      ".name = \"x\"}");
	check(btf, s->section, pair, &brief,
	      "{.counter = {.color = GREEN, .number = 16777226, .bytes = {0x0a, 0x00, "
	      "0x00, 0x01}, .name = \"x\"}}");
	check(btf, s->node, BYTES(0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0), &lines,
	      "{\n\t\t.next = 0x0,\n\t\t.value = 3\n\t}");
	/* What is cut off is left out. */
	pair.len = 8;
	check(btf, s->pair, pair, NULL,
	      "{.color = GREEN, .number = 16777226, .bytes = {0x0a, 0x00, 0x00, 0x01}}");
	/* low: 3 bits, sign: 5, then a hole of 5, cross: 12 bits over two bytes, flag */
	check(btf, s->bits, BYTES(0xf5, 0x60, 0x55, 0x01, 1, 0, 0, 0), NULL,
	      "{.low = 5, .sign = -2, .cross = 2731, .flag = true}");
}

static void check_big_endian(void)
{
	struct sample s;
	struct text text = make_sample(&s, true);
	const struct btf *btf;

	CHECK_INT(btf_read(&arena, bytes_of(&text), NULL, &btf, NULL), 0);
	check(btf, s.int_, BYTES(0xff, 0xff, 0xff, 0xfe), NULL, "-2");
	check(btf, s.wide, BYTES(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88), NULL,
	      "WIDE");
	check(btf, s.double_, BYTES(0x3f, 0xf8, 0, 0, 0, 0, 0, 0), NULL, "1.5");
	/* The first bits are the high ones: 101 11110 | 00000 101 0101 0101 1 */
	check(btf, s.bits, BYTES(0xbe, 0x05, 0x55, 0x80, 0x80, 0, 0, 0), NULL,
	      "{.low = 5, .sign = -2, .cross = 2731, .flag = true}");
	text_fini(&text);
	arena_fini(&arena);
}

int main(void)
{
	struct sample s;
	struct text text = make_sample(&s, false);
	const struct btf *btf;

	CHECK_INT(btf_read(&arena, bytes_of(&text), NULL, &btf, NULL), 0);
	check_scalars(btf, &s);
	check_arrays(btf, &s);
	check_structs(btf, &s);
	text_fini(&text);
	arena_fini(&arena);
	check_big_endian();
	return check_report();
}
