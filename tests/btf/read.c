/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading BTF: queries answer what was written, in both byte orders and on a base; and
 * whatever is corrupted, it is refused or every query is safe.
 */
#include "btf/btf.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/diag.h"
#include "btf/core.h"
#include "btf/sample.h"
#include "check.h"

static struct arena arena;

static const struct btf *read_back(const struct text *t, const struct btf *base)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	const struct btf *btf = NULL;

	if (!CHECK_INT(btf_read(&arena, bytes_of(t), base, &btf, &diag), 0))
		fprintf(stderr, "\t%s\n", diag.text);
	return btf;
}

static void check_queries(bool big_endian)
{
	struct sample s;
	struct text text = make_sample(&s, big_endian);
	const struct btf *btf = read_back(&text, NULL);
	struct btf_type t = btf_type(btf, s.pair);

	CHECK_INT(btf_is_big_endian(btf), big_endian);
	CHECK_INT(btf_count(btf), s.flexible + 2);
	CHECK_STR(t.name, "pair");
	CHECK_INT(t.vlen, 4);
	CHECK_INT(t.size, 24);
	CHECK_STR(btf_member(btf, &t, 3).name, "first");
	CHECK_INT(btf_member(btf, &t, 3).bit_offset, 128);
	CHECK_INT(btf_find_member(btf, &t, "name"), 2);
	CHECK_INT(btf_find_member(btf, &t, "nothing"), -1);
	t = btf_type(btf, s.bits);
	CHECK_INT(btf_member(btf, &t, 1).bit_offset, 3);
	CHECK_INT(btf_member(btf, &t, 1).bit_size, 5);
	t = btf_type(btf, s.color);
	CHECK_INT(btf_enumerator(btf, &t, 1).value, -5);
	t = btf_type(btf, s.wide);
	CHECK_INT(btf_enumerator(btf, &t, 0).value, 0x1122334455667788);
	t = btf_type(btf, s.func);
	CHECK_INT(btf_linkage(&t), BTF_GLOBAL);
	t = btf_type(btf, t.type);
	CHECK_INT(t.vlen, 3);
	CHECK_STR(btf_param(btf, &t, 1).name, "o");
	t = btf_type(btf, s.section);
	CHECK_INT(btf_secvar(&t, 0).type, s.var);
	CHECK_INT(btf_find(btf, "pair_t", BTF_TYPEDEF), s.pair_t);
	CHECK_INT(btf_find(btf, "pair_t", BTF_STRUCT), 0);
	CHECK_INT(btf_find(btf, "compare", BTF_FUNC), s.func);
	CHECK_INT(btf_resolve(btf, s.var), s.var);
	CHECK_INT(btf_resolve(btf, s.pair_t), s.pair);
	CHECK_INT(btf_size(btf, s.pair_t), 24);
	CHECK_INT(btf_size(btf, s.var), 24);
	CHECK_INT(btf_size(btf, s.matrix), 24);
	CHECK_INT(btf_size(btf, s.node_ptr), 8);
	CHECK_INT(btf_size(btf, s.opaque), -EINVAL);
	CHECK_INT(btf_size(btf, 0), -EINVAL);
	CHECK_INT(btf_align(btf, s.pair_t), 8);
	CHECK_INT(btf_align(btf, s.matrix), 4);
	CHECK(btf_has_tag(btf, s.pair, 2, "on a member"));
	CHECK(!btf_has_tag(btf, s.pair, 1, "on a member"));
	CHECK(btf_has_tag(btf, s.func, -1, "on a function"));
	/* What does not exist is void. */
	CHECK_INT(btf_type(btf, UINT32_MAX).kind, BTF_VOID);
	CHECK_INT(btf_resolve(btf, btf_count(btf)), 0);
	CHECK_STR(btf_name(btf, btf_count(btf)), "");
	CHECK(!btf_string(btf, 1 << 24));
	text_fini(&text);
	arena_fini(&arena);
}

/* A module's BTF on the kernel's: ids and strings go on where the base ends. */
static void check_split(void)
{
	struct sample s;
	struct text base_text = make_sample(&s, false), text = TEXT_INIT;
	const struct btf *base = read_back(&base_text, NULL), *btf;
	struct btf_writer w;

	btf_writer_init(&w, base, false);
	u32 pair = btf_add_composite(&w, BTF_STRUCT, "pair", 24);
	put_member(&w, "inner", s.pair, 0, 0);
	u32 flavour = btf_add_composite(&w, BTF_STRUCT, "pair___new", 0);
	btf_add_decl_tag(&w, "on the base", s.pair, -1);
	CHECK_INT(btf_writer_finish(&w, &text, NULL), 0);
	btf_writer_fini(&w);
	btf = read_back(&text, base);
	CHECK_INT(btf_first(btf), btf_count(base));
	CHECK_INT(pair, btf_count(base));
	CHECK_STR(btf_name(btf, s.color), "color");
	CHECK_STR(btf_name(btf, pair), "pair");
	CHECK_INT(btf_size(btf, pair), 24);
	CHECK_INT(btf_align(btf, pair), 8);
	CHECK_INT(btf_find(btf, "pair", BTF_STRUCT), s.pair);
	CHECK_INT(btf_find_next(btf, "pair", BTF_STRUCT, s.pair), pair);
	CHECK_INT(btf_find_next(btf, "pair", BTF_STRUCT, pair), 0);
	CHECK_INT(btf_find_flavour(btf, "pair", 4, pair), flavour);
	CHECK(btf_has_tag(btf, s.pair, -1, "on the base"));
	CHECK(btf_has_tag(btf, s.pair, 2, "on a member"));
	text_fini(&text);
	text_fini(&base_text);
	arena_fini(&arena);
}

static void check_names(void)
{
	CHECK_INT(btf_essential_len("task_struct"), 11);
	CHECK_INT(btf_essential_len("task_struct___old"), 11);
	CHECK_INT(btf_essential_len("task_struct___a___b"), 15);
	CHECK_INT(btf_essential_len("___x"), 4);
	CHECK_INT(btf_essential_len("a____b"), 6);
	CHECK_INT(btf_essential_len("a___"), 4);
	CHECK_INT(btf_essential_len(""), 0);
}

/* ---- refusals ---- */

/* Is that refused, for that reason? */
static void refuse(struct btf_writer *w, const char *id, int line)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct text text = TEXT_INIT;
	const struct btf *btf;

	btf_writer_finish(w, &text, NULL);
	int err = btf_read(&arena, bytes_of(&text), NULL, &btf, &diag);
	if (!CHECK(err < 0) || !CHECK_STR(skep_diag_name(diag.id), id))
		fprintf(stderr, "\tmade at line %d; %s\n", line, diag.text);
	text_fini(&text);
	btf_writer_fini(w);
	arena_fini(&arena);
}

static void check_cycles(void)
{
	struct btf_writer w;

	btf_writer_init(&w, NULL, false);
	btf_add_composite(&w, BTF_STRUCT, "self", 4);
	put_member(&w, "self", 1, 0, 0);
	refuse(&w, "BTF_CYCLE", __LINE__);

	btf_writer_init(&w, NULL, false);
	btf_add_ref(&w, BTF_TYPEDEF, "a", 2);
	btf_add_ref(&w, BTF_TYPEDEF, "b", 1);
	refuse(&w, "BTF_CYCLE", __LINE__);

	btf_writer_init(&w, NULL, false);
	btf_add_ref(&w, BTF_PTR, NULL, 2);
	btf_add_ref(&w, BTF_CONST, NULL, 1);
	refuse(&w, "BTF_CYCLE", __LINE__);

	btf_writer_init(&w, NULL, false);
	btf_add_array(&w, 2, 2, 1);
	btf_add_composite(&w, BTF_UNION, NULL, 1);
	put_member(&w, "a", 1, 0, 0);
	refuse(&w, "BTF_CYCLE", __LINE__);

	btf_writer_init(&w, NULL, false);
	btf_add_proto(&w, 2);
	btf_add_ref(&w, BTF_PTR, NULL, 1);
	refuse(&w, "BTF_CYCLE", __LINE__);

	/* No cycle, however they are numbered, but too deep. */
	for (int down = 0; down < 2; down++) {
		btf_writer_init(&w, NULL, false);
		for (u32 id = 1; id <= BTF_MAX_DEPTH + 1; id++)
			btf_add_ref(&w, BTF_CONST, NULL,
				    down                 ? id - 1
				    : id > BTF_MAX_DEPTH ? 0
							 : id + 1);
		refuse(&w, "BTF_DEPTH", __LINE__);
	}
}

static void check_refusals(void)
{
	struct btf_writer w;

#define REFUSE(id, ...)                                                                  \
	do {                                                                             \
		btf_writer_init(&w, NULL, false);                                        \
		btf_add_int(&w, "int", 4, 0);                                            \
		__VA_ARGS__;                                                             \
		refuse(&w, id, __LINE__);                                                \
	} while (0)
	REFUSE("BTF_TYPE", btf_add_ref(&w, BTF_PTR, NULL, 9));
	REFUSE("BTF_TYPE", btf_add_ref(&w, BTF_TYPEDEF, NULL, 1));
	REFUSE("BTF_TYPE", btf_add_func(&w, "f", 1, BTF_GLOBAL));
	REFUSE("BTF_TYPE", btf_add_var(&w, "v", 1, 7));
	REFUSE("BTF_TYPE", btf_add_int(&w, "int", 0, 0));
	REFUSE("BTF_TYPE", btf_add_int(&w, "int", 17, 0));
	REFUSE("BTF_TYPE", btf_add_float(&w, "float", 0));
	REFUSE("BTF_TYPE", btf_add_array(&w, 7, 1, 1));
	REFUSE("BTF_TYPE", btf_add_array(&w, 1, 7, 1));
	REFUSE("BTF_TYPE", btf_add_enum(&w, BTF_ENUM, "e", 3, false));
	REFUSE("BTF_TYPE", btf_add_decl_tag(&w, "t", 1, -1));
	REFUSE("BTF_TYPE", btf_add_composite(&w, BTF_STRUCT, "s", 4);
	       btf_add_decl_tag(&w, "t", 2, 0));
	REFUSE("BTF_TYPE", btf_add_composite(&w, BTF_STRUCT, "s", 4);
	       btf_add_decl_tag(&w, "t", 2, -2));
	REFUSE("BTF_TYPE", btf_add_composite(&w, BTF_STRUCT, "s", 4);
	       put_member(&w, "m", 9, 0, 0));
	REFUSE("BTF_TYPE", btf_add_section(&w, "s", 4); btf_put_secvar(&w, 1, 0, 4));
	REFUSE("BTF_TYPE", btf_add_proto(&w, 9));
	REFUSE("BTF_TYPE", btf_add_proto(&w, 1); btf_put_param(&w, "p", 9));
	REFUSE("BTF_KIND", btf_add_ref(&w, 20, NULL, 1));
	REFUSE("BTF_KIND", btf_add_ref(&w, BTF_VOID, NULL, 1));
#undef REFUSE
}

static void check_headers(void)
{
	static const struct {
		u32 offset;
		u8 value;
		const char *id;
	} cases[] = {
		{0, 0, "BTF_HEADER"},     /* magic */
		{2, 2, "BTF_HEADER"},     /* version */
		{3, 1, "BTF_HEADER"},     /* flags */
		{4, 23, "BTF_HEADER"},    /* header length */
		{7, 0x80, "BTF_HEADER"},  /* the same, too long */
		{8, 2, "BTF_HEADER"},     /* types not aligned */
		{11, 0x80, "BTF_HEADER"}, /* types outside */
		{19, 0x80, "BTF_HEADER"}, /* strings outside */
		{20, 0, "BTF_STRINGS"},   /* no strings */
	};
	struct sample s;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text text = make_sample(&s, false);
		struct skep_diag diag = SKEP_DIAG_INIT;
		const struct btf *btf;

		text.s[cases[i].offset] = (char)cases[i].value;
		if (cases[i].offset == 20)
			memset(text.s + 20, 0, 4);
		CHECK(btf_read(&arena, bytes_of(&text), NULL, &btf, &diag) < 0);
		CHECK_STR(skep_diag_name(diag.id), cases[i].id);
		text_fini(&text);
	}
	/* A string that does not end. */
	struct text text = make_sample(&s, false);
	const struct btf *btf;
	text.s[text.len - 1] = 'x';
	CHECK(btf_read(&arena, bytes_of(&text), NULL, &btf, NULL) < 0);
	text_fini(&text);
	arena_fini(&arena);
}

/* ---- .BTF.ext ---- */

/* One func_info, one line_info and one core_relo of section number 1 (".data" in the
 * sample's strings). */
static u32 *make_ext(const struct btf *btf, const struct sample *s, u32 *n)
{
	u32 name = 0,
	    words[] = {
		    0x0001eb9f, 32, 0, 20, 20,      28, 48,          28, /* header */
		    8,          0,  1, 0,  s->func,                      /* functions */
		    16,         0,  1, 8,  0,       0,  7 << 10 | 3,     /* lines */
		    16,         0,  1, 8,  s->pair, 0,  0,               /* relocations */
	    };

	while (strcmp(btf_string(btf, name), ".data"))
		name++;
	words[9] = words[14] = words[21] = words[18] = name;
	*n = ARRAY_SIZE(words);
	u32 *copy = malloc(sizeof(words));
	memcpy(copy, words, sizeof(words));
	return copy;
}

static void check_ext(void)
{
	struct sample s;
	struct text text = make_sample(&s, false);
	const struct btf *btf = read_back(&text, NULL);
	struct btf_ext ext;
	u32 n, *words = make_ext(btf, &s, &n);
	struct bytes data = {(const u8 *)words, 4 * n};

	CHECK_INT(btf_ext_read(&arena, data, btf, &ext, NULL), 0);
	CHECK_INT(ext.n_funcs, 1);
	CHECK_INT(ext.funcs[0].type, s.func);
	CHECK_INT(ext.n_lines, 1);
	CHECK_INT(ext.lines[0].line, 7);
	CHECK_INT(ext.lines[0].column, 3);
	CHECK_STR(ext.lines[0].text, ".data");
	CHECK_INT(ext.n_relos, 1);
	CHECK_STR(ext.relo_sections[0].name, ".data");
	CHECK_INT(ext.relo_sections[0].n, 1);
	/* Any word wrong, or the end missing: refused, or answered with what is there. */
	for (u32 i = 0; i < n; i++) {
		u32 old = words[i];

		for (u32 bit = 0; bit < 32; bit++) {
			words[i] = old ^ 1u << bit;
			btf_ext_read(&arena, data, btf, &ext, NULL);
		}
		words[i] = old;
		struct skep_diag diag = SKEP_DIAG_INIT;
		CHECK(btf_ext_read(&arena, (struct bytes){data.data, 4 * i}, btf, &ext,
				   &diag) < 0);
		CHECK_STR(skep_diag_name(diag.id), "BTF_EXT");
	}
	free(words);
	text_fini(&text);
	arena_fini(&arena);
}

/* ---- whatever is corrupted ---- */

static void use_type(const struct btf *btf, u32 id, struct text *out)
{
	static const u8 zeroes[64];
	static const struct btf_value_style styles[] = {
		{.format = BTF_VALUE_C}, {.format = BTF_VALUE_JSON, .skip_zeroes = true}};
	struct btf_type t = btf_type(btf, id);
	u32 cursor = 0;

	btf_size(btf, id);
	btf_align(btf, id);
	btf_find_next(btf, t.name, t.kind, 0);
	while (btf_next_tag(btf, id, &cursor))
		;
	btf_print_c(out, btf, id);
	for (size_t i = 0; i < ARRAY_SIZE(styles); i++) {
		btf_print_value(out, btf, id, (struct bytes){zeroes, sizeof(zeroes)},
				&styles[i]);
		btf_print_value(out, btf, id, (struct bytes){zeroes, 3}, &styles[i]);
	}
	text_clear(out);
}

/* CO-RE between a sane and a corrupted BTF, both ways. */
static void use_core(const struct btf *local, const struct btf *target)
{
	static const char *const accesses[] = {"0",     "0:0",     "0:1",
					       "0:2:3", "0:1:1:2", "1:3"};
	struct core *core = core_new(local, target);
	struct core_result res;

	for (u32 id = 1; id < btf_count(local); id++) {
		struct btf_core_relo r = {.type = id, .kind = id % CORE_KINDS};

		r.access = accesses[id % ARRAY_SIZE(accesses)];
		core_resolve(core, &r, &res, NULL);
		r.kind = CORE_FIELD_BYTE_OFFSET;
		core_resolve(core, &r, &res, NULL);
		r.kind = CORE_TYPE_MATCHES;
		r.access = "0";
		core_resolve(core, &r, &res, NULL);
	}
	core_free(core);
}

static void use_all(struct bytes data, const struct btf *sane)
{
	struct text out = TEXT_INIT;
	const struct btf *btf;

	if (!btf_read(&arena, data, NULL, &btf, NULL)) {
		for (u32 id = 0; id <= btf_count(btf); id++)
			use_type(btf, id, &out);
		btf_dump_c(&out, btf, NULL);
		use_core(sane, btf);
		use_core(btf, sane);
	}
	text_fini(&out);
}

static void check_corrupted(bool big_endian)
{
	static const u8 values[] = {0xff, 0, 1, 0x7f, 0x80};
	/* Which end is first matters where numbers are read, not to what they do. */
	const size_t n_values = big_endian && CHECK_IS_SANITIZED ? 1 : ARRAY_SIZE(values);
	struct sample s;
	struct text text = make_sample(&s, big_endian);
	struct arena own = ARENA_INIT;
	const struct btf *sane;

	CHECK_INT(btf_read(&own, bytes_of(&text), NULL, &sane, NULL), 0);
	/* A copy that ends where the bytes end, so that the sanitizer sees one byte too
	 * far. */
	u8 *copy = malloc(text.len);
	for (size_t i = 0; i < text.len; i++) {
		for (size_t v = 0; v < n_values; v++) {
			memcpy(copy, text.s, text.len);
			copy[i] = values[v];
			use_all((struct bytes){copy, text.len}, sane);
			arena_fini(&arena);
		}
		u8 *cut = malloc(i + 1);
		memcpy(cut, text.s, i);
		use_all((struct bytes){cut, i}, sane);
		arena_fini(&arena);
		free(cut);
	}
	CHECK(true); /* came here without a crash */
	free(copy);
	arena_fini(&own);
	text_fini(&text);
}

/* Types that double at each level: what walks them must not take forever. */
static void check_doubling(void)
{
	struct btf_writer w;
	struct text text = TEXT_INIT, out = TEXT_INIT;

	btf_writer_init(&w, NULL, false);
	btf_add_composite(&w, BTF_UNION, NULL, 0);
	for (u32 id = 2; id < 60; id++) {
		btf_add_composite(&w, BTF_UNION, id == 59 ? "top" : NULL, 0);
		put_member(&w, NULL, id - 1, 0, 0);
		put_member(&w, "m", id - 1, 0, 0);
		put_member(&w, NULL, id - 1, 0, 0);
	}
	btf_writer_finish(&w, &text, NULL);
	btf_writer_fini(&w);
	const struct btf *btf = read_back(&text, NULL);
	struct skep_diag diag = SKEP_DIAG_INIT;
	btf_print_value(&out, btf, 59, bytes_of(&text), NULL);
	CHECK(btf_parse_value(btf, 59, "{.nothing = 1}", NULL, 0, NULL) < 0);
	text_clear(&out);
	CHECK_INT(btf_dump_c(&out, btf, &diag), -E2BIG);
	CHECK_STR(skep_diag_name(diag.id), "BTF_TOO_LARGE_FOR_C");
	struct core *core = core_new(btf, btf);
	struct btf_core_relo r = {.type = 59, .access = "0", .kind = CORE_TYPE_MATCHES};
	struct core_result res;
	core_resolve(core, &r, &res, NULL);
	r.kind = CORE_FIELD_BYTE_OFFSET;
	r.access = "0:1";
	core_resolve(core, &r, &res, NULL);
	core_free(core);
	text_fini(&out);
	text_fini(&text);
	arena_fini(&arena);
}

static void check_too_many(void)
{
	struct btf_writer w;
	struct text text = TEXT_INIT;
	struct skep_diag diag = SKEP_DIAG_INIT;
	const struct btf *btf;

	btf_writer_init(&w, NULL, false);
	for (u32 i = 1; i < BTF_MAX_IDS; i++)
		btf_add_ref(&w, BTF_PTR, NULL, 0);
	CHECK_INT(btf_writer_finish(&w, &text, NULL), 0);
	CHECK_INT(btf_read(&arena, bytes_of(&text), NULL, &btf, NULL), 0);
	CHECK_INT(btf_add_ref(&w, BTF_PTR, NULL, 0), 0);
	CHECK_INT(btf_writer_finish(&w, &text, &diag), -E2BIG);
	CHECK_STR(skep_diag_name(diag.id), "BTF_TOO_LARGE");
	btf_writer_fini(&w);
	text_fini(&text);
	arena_fini(&arena);
}

int main(void)
{
	check_queries(false);
	check_queries(true);
	check_split();
	check_names();
	check_cycles();
	check_refusals();
	check_headers();
	check_ext();
	check_corrupted(false);
	check_corrupted(true);
	check_doubling();
	check_too_many();
	return check_report();
}
