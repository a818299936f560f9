/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text to values: what is printed is read back as the same bytes, people's ways of
 * writing addresses are known, and what makes no sense is refused.
 */
#include <errno.h>

#include "base/arena.h"
#include "base/diag.h"
#include "btf/sample.h"
#include "check.h"

static struct arena arena;
static const struct btf *btf;

/* Reads, and prints again. */
static void check(u32 id, const char *text, const char *want)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct text out = TEXT_INIT;
	u8 data[64];
	u64 len = (u64)btf_size(btf, id);

	if (!CHECK_INT(btf_parse_value(btf, id, text, data, len, &diag), 0))
		fprintf(stderr, "\t%s: %s\n", text, diag.text);
	btf_print_value(&out, btf, id, (struct bytes){data, len}, NULL);
	CHECK_STR(text_str(&out), want);
	text_fini(&out);
}

static void refuse(u32 id, const char *text, const char *want)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	u8 data[64];

	if (!CHECK_INT(
		    btf_parse_value(btf, id, text, data, (u64)btf_size(btf, id), &diag),
		    -EINVAL))
		fprintf(stderr, "\t%s\n", text);
	CHECK_STR(skep_diag_name(diag.id), "BTF_VALUE");
	CHECK_STR(diag.text, want);
}

static void check_scalars(const struct sample *s)
{
	check(s->int_, " -2 ", "-2");
	check(s->int_, "0xffffffff", "-1");
	check(s->uint, "4294967295", "4294967295");
	check(s->uint, "10.0.0.1", "16777226");
	check(s->char_, "'x'", "'x'");
	check(s->bool_, "true", "true");
	check(s->color, "GREEN", "GREEN");
	check(s->color, "\"GREEN\"", "GREEN");
	check(s->color, "-5", "GREEN");
	check(s->wide, "WIDE", "WIDE");
	check(s->int128, "-1", "-1");
	check(s->double_, "1.5", "1.5");
	check(s->node_ptr, "\"0xdeadbeef\"", "0xdeadbeef");
	refuse(s->int_, "4294967296", "the number does not fit, at \"4294967296\"");
	refuse(s->uint, "-1", "the number does not fit, at \"-1\"");
	refuse(s->int_, "99999999999999999999", "the number is too large, at \"9\"");
	refuse(s->int_, "one", "this is no number, at \"one\"");
	refuse(s->int_, "12x", "this is no number, at \"12x\"");
	refuse(s->int_, "", "this is no number, at \"end\"");
	refuse(s->int_, "1 2", "something follows the value, at \"2\"");
	refuse(s->color, "BLUE", "this is no number, at \"BLUE\"");
}

static void check_composites(const struct sample *s)
{
	check(s->text, "\"hi\\n\"", "\"hi\\n\"");
	check(s->matrix, "{{1, 2}, [4, 5, 6]}", "{{1, 2, 0}, {4, 5, 6}}");
	check(s->pair_t,
	      "{.color = GREEN, .number = 16777226, .bytes = {0x0a, 0x00, 0x00, 0x01}, "
	      ".name = \"x\", }",
	      "{.color = GREEN, .number = 16777226, .bytes = {0x0a, 0x00, 0x00, 0x01}, "
	      ".name = \"x\", .first = 0x0}");
	check(s->pair_t, "{\"color\": \"GREEN\", \"bytes\": 10.0.0.1, \"name\": \"x\"}",
	      "{.color = GREEN, .number = 16777226, .bytes = {0x0a, 0x00, 0x00, 0x01}, "
	      ".name = \"x\", .first = 0x0}");
	check(s->bits, "{5, -2, 2731, true}",
	      "{.low = 5, .sign = -2, .cross = 2731, .flag = true}");
	check(s->node, "{}", "{.next = 0x0, .value = 0}");
	refuse(s->bits, "{8}", "the number does not fit, at \"8}\"");
	refuse(s->pair, "{.nothing = 1}", "there is no such member, at \"nothing = 1}\"");
	refuse(s->node, "{1, 2, 3}", "the struct has no more members, at \"3}\"");
	refuse(s->matrix, "{1}", "here begins an array, at \"1}\"");
	refuse(s->matrix, "{{1, 2, 3, 4}}", "the array has no more elements, at \"4}}\"");
	refuse(s->text, "\"too long a text\"", "the string is too long, at \"a text\"\"");
	refuse(s->text, "\"open", "the string does not end, at \"end\"");
	refuse(s->node, "{1", "a comma or the end of the struct is missing, at \"end\"");
}

/* Keys of prefix tries, hardware addresses and IPv6. */
static void check_addresses(void)
{
	struct btf_writer w;
	struct text text = TEXT_INIT;

	btf_writer_init(&w, NULL, false);
	u32 u8_ = btf_add_int(&w, "unsigned char", 1, 0),
	    u32_ = btf_add_int(&w, "unsigned int", 4, 0);
	u32 mac = btf_add_array(&w, u8_, u32_, 6), v6 = btf_add_array(&w, u8_, u32_, 16);
	u32 key = btf_add_composite(&w, BTF_STRUCT, "key", 8);
	put_member(&w, "prefixlen", u32_, 0, 0);
	put_member(&w, "address", u32_, 32, 0);
	u32 key6 = btf_add_composite(&w, BTF_STRUCT, "key6", 20);
	put_member(&w, "prefixlen", u32_, 0, 0);
	put_member(&w, "address", v6, 32, 0);
	btf_writer_finish(&w, &text, NULL);
	CHECK_INT(btf_read(&arena, bytes_of(&text), NULL, &btf, NULL), 0);
	check(mac, "02:00:00:0a:00:FF", "{0x02, 0x00, 0x00, 0x0a, 0x00, 0xff}");
	check(key, "10.0.0.0/8", "{.prefixlen = 8, .address = 10}");
	check(key6, "fe80::/10",
	      "{.prefixlen = 10, .address = {0xfe, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, "
	      "0x00, 0x00, 0x00, 0x00, 0x00, "
	      "0x00, 0x00, 0x00, 0x00}}");
	refuse(key, "10.0.0.0/33", "here begins a struct, at \"10.0.0.0/33\"");
	refuse(mac, "02:00:00:0a:00", "here begins an array, at \"02:00:00:0a:00\"");
	btf_writer_fini(&w);
	text_fini(&text);
}

int main(void)
{
	struct sample s;
	struct text text = make_sample(&s, false);

	CHECK_INT(btf_read(&arena, bytes_of(&text), NULL, &btf, NULL), 0);
	check_scalars(&s);
	check_composites(&s);
	check_addresses();
	text_fini(&text);
	arena_fini(&arena);
	return check_report();
}
