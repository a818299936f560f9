/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types as C: what is printed compiles, and clang lays it out as the BTF says.  Tried on
 * layout.bpf.c and, where there is one, on the running kernel's BTF. Usage: print
 * DIRECTORY-OF-OBJECTS CLANG
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/diag.h"
#include "btf/object.h"
#include "btf/sample.h"
#include "check.h"

enum { SKIPPED = 77 };

static struct arena arena;

static void check_name(const struct btf *btf, u32 id, const char *want)
{
	struct text text = TEXT_INIT;

	btf_print_type_name(&text, btf, id);
	CHECK_STR(text_str(&text), want);
	text_fini(&text);
}

static void check_definition(const struct btf *btf, u32 id, const char *want)
{
	struct text text = TEXT_INIT;

	btf_print_c(&text, btf, id);
	CHECK_STR(text_str(&text), want);
	text_fini(&text);
}

static void check_texts(void)
{
	struct sample s;
	struct text text = make_sample(&s, false), member = TEXT_INIT;
	const struct btf *btf;

	CHECK_INT(btf_read(&arena, bytes_of(&text), NULL, &btf, NULL), 0);
	check_name(btf, s.node_ptr, "struct node *");
	check_name(btf, s.const_char, "const char *");
	check_name(btf, s.text, "char[8]");
	check_name(btf, s.matrix, "int[2][3]");
	check_name(btf, s.proto,
		   "int(struct pair __attribute__((btf_type_tag(\"user\"))) *restrict p, "
		   "volatile struct opaque *o, ...)");
	check_name(btf, s.anonymous, "union {...}");
	check_name(btf, 0, "void");
	btf_print_declarator(&member, btf, s.matrix, "m");
	CHECK_STR(text_str(&member), "int m[2][3]");
	text_fini(&member);
	check_definition(btf, s.color, "enum color {\n\tRED = 0,\n\tGREEN = -5,\n};\n");
	check_definition(btf, s.pair_t, "typedef struct pair pair_t;\n");
	check_definition(btf, s.opaque, "struct opaque;\n");
	check_definition(
		btf, s.pair,
		"struct pair {\n\tenum color color;\n\tunion {\n\t\tint number;\n"
		"\t\tunsigned char bytes[4];\n\t};\n\tchar name[8];\n\tstruct node "
		"*first;\n};\n");
	text_fini(&text);
	arena_fini(&arena);
}

/* Two of one name must be two in C, and what is no identifier must become one. */
static void check_names(void)
{
	struct btf_writer w;
	struct text text = TEXT_INIT, c = TEXT_INIT;
	const struct btf *btf;

	btf_writer_init(&w, NULL, false);
	btf_add_composite(&w, BTF_STRUCT, "twin", 1);
	btf_add_composite(&w, BTF_STRUCT, "twin", 2);
	btf_add_ref(&w, BTF_PTR, NULL, 2);
	btf_add_ref(&w, BTF_TYPEDEF, "a.b c", 3);
	btf_add_int(&w, "u32", 4, 0);
	CHECK_INT(btf_writer_finish(&w, &text, NULL), 0);
	CHECK_INT(btf_read(&arena, bytes_of(&text), NULL, &btf, NULL), 0);
	CHECK_INT(btf_dump_c(&c, btf, NULL), 0);
	CHECK_STR(text_str(&c), "struct twin {\n\tchar : 8;\n};\n"
				"struct twin___2 {\n\tchar : 8;\n\tchar : 8;\n};\n"
				"typedef struct twin___2 *a_b_c;\n"
				"typedef unsigned int __attribute__((mode(SI))) u32;\n");
	btf_writer_fini(&w);
	text_fini(&text);
	text_fini(&c);
	arena_fini(&arena);
}

/* Is it the only one that goes by this tag? */
static bool is_unique(const struct btf *btf, const struct btf_type *t)
{
	static const enum btf_kind kinds[] = {BTF_STRUCT, BTF_UNION, BTF_ENUM,
					      BTF_ENUM64};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		u32 id = btf_find(btf, t->name, kinds[i]);

		if (id && (id != t->id || btf_find_next(btf, t->name, kinds[i], id)))
			return false;
	}
	return true;
}

/* Every so manieth struct and union whose tag is its own. */
struct sampling {
	u32 every, n;
};

static bool is_sampled(const struct btf *btf, const struct btf_type *t,
		       struct sampling *s)
{
	if ((t->kind != BTF_STRUCT && t->kind != BTF_UNION) || !*t->name ||
	    !is_unique(btf, t))
		return false;
	return s->n++ % s->every == 0;
}

/* A variable of each type, so that clang describes it again. */
static void add_variables(struct text *c, const struct btf *btf, struct sampling s)
{
	for (u32 id = 1; id < btf_count(btf); id++) {
		struct btf_type t = btf_type(btf, id);

		if (is_sampled(btf, &t, &s))
			text_printf(c, "%s %s variable_%u;\n", btf_kind_name(t.kind),
				    t.name, id);
	}
}

static void compare_members(const struct btf *a, const struct btf_type *in_a,
			    const struct btf *b, const struct btf_type *in_b)
{
	for (u32 i = 0; i < in_a->vlen; i++) {
		struct btf_member x = btf_member(a, in_a, i), y;
		int at = *x.name ? btf_find_member(b, in_b, x.name) : -1;

		if (!*x.name)
			continue;
		if (CHECK(at >= 0)) {
			y = btf_member(b, in_b, (u32)at);
			if (CHECK_INT(y.bit_offset, x.bit_offset) &&
			    CHECK_INT(y.bit_size, x.bit_size))
				continue;
		}
		fprintf(stderr, "\t%s.%s\n", in_a->name, x.name);
	}
}

static void compare_types(const struct btf *a, const struct btf *b, struct sampling s)
{
	u32 n = 0;

	for (u32 id = 1; id < btf_count(a); id++) {
		struct btf_type t = btf_type(a, id), u;

		if (!is_sampled(a, &t, &s))
			continue;
		u = btf_type(b, btf_find(b, t.name, t.kind));
		if (!CHECK_INT(u.size, t.size))
			fprintf(stderr, "\t%s\n", t.name);
		compare_members(a, &t, b, &u);
		n++;
	}
	CHECK(n > 10);
}

static bool compile(const char *clang, const struct text *c, const char *path)
{
	char command[2048], source[520];

	snprintf(source, sizeof(source), "%s.c", path);
	FILE *f = fopen(source, "w");
	if (!CHECK(f))
		return false;
	fwrite(c->s, 1, c->len, f);
	fclose(f);
	snprintf(command, sizeof(command), "'%s' -target bpf -w -g -c '%s' -o '%s'",
		 clang, source, path);
	return CHECK_INT(system(command), 0);
}

/* Prints, lets clang compile that, and reads what clang says of the layout. */
static void check_again(struct bytes data, const char *path, const char *clang, u32 every)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct sampling s = {.every = every};
	struct text c = TEXT_INIT;
	const struct btf *btf, *again;

	CHECK_INT(btf_read(&arena, data, NULL, &btf, &diag), 0);
	CHECK_INT(btf_dump_c(&c, btf, &diag), 0);
	CHECK_STR(diag.text, "");
	add_variables(&c, btf, s);
	if (compile(clang, &c, path)) {
		struct bytes file = read_file(path);

		CHECK_INT(
			btf_read(&arena, find_section(file, ".BTF"), NULL, &again, &diag),
			0);
		compare_types(btf, again, s);
		free((void *)file.data);
	}
	text_fini(&c);
	arena_fini(&arena);
}

static const char *printed(char path[512], const char *dir, const char *name)
{
	snprintf(path, 512, "%s/printed-%s.o", dir, name);
	return path;
}

int main(int argc, char **argv)
{
	struct bytes file;
	char path[512];

	check_texts();
	check_names();
	if (argc < 3 || !*argv[2]) {
		printf("no clang that compiles BPF: what is printed was not compiled\n");
		return check_failed ? 1 : SKIPPED;
	}
	snprintf(path, sizeof(path), "%s/layout.bpf.o", argv[1]);
	file = read_file(path);
	if (CHECK(file.data))
		check_again(find_section(file, ".BTF"), printed(path, argv[1], "layout"),
			    argv[2], 1);
	free((void *)file.data);
	file = read_file("/sys/kernel/btf/vmlinux");
	if (file.len)
		check_again(file, printed(path, argv[1], "vmlinux"), argv[2], 8);
	else
		printf("no /sys/kernel/btf/vmlinux: not tried\n");
	free((void *)file.data);
	return check_report();
}
