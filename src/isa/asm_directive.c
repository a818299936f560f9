/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directives of the assembler: programs and functions, maps, globals, names.  Each
 * reads its line and adds to what the file holds; nothing here knows instructions.
 * docs/asm.md lists them.
 */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "isa/asm_file.h"

static int no_memory(struct asm_file *f)
{
	return fail(f->diag, NO_MEMORY, NO_PC);
}

static int keep_string(struct asm_file *f, const char *text, const char **kept)
{
	*kept = arena_strdup(f->arena, text);
	return *kept ? 0 : no_memory(f);
}

static int need_name(struct asm_file *f, struct scan *s, const char **name)
{
	char word[MAX_WORD];

	return scan_word(s, word) ? keep_string(f, word, name)
				  : scan_expected(s, "a name");
}

static int need_number(struct scan *s, u32 *value)
{
	s64 number = 0;
	int err = scan_number_in(s, 0, UINT32_MAX, &number);

	*value = (u32)number;
	return err;
}

/* A string in quotes, or anything without blanks: tracepoint/sched/sched_switch */
static int need_text(struct asm_file *f, struct scan *s, const char **text)
{
	char buffer[256];
	size_t n = 0;
	int err;

	if (scan_end(s))
		return scan_expected(s, "a name");
	if (*s->p == '"') {
		err = scan_string(s, buffer, sizeof(buffer) - 1, &n);
		if (err)
			return err;
	} else {
		for (; s->p<s->end && * s->p> ' ' && n < sizeof(buffer) - 1; s->p++)
			buffer[n++] = *s->p;
	}
	if (memchr(buffer, 0, n))
		return scan_expected(s, "a text without zeroes");
	buffer[n] = 0;
	return keep_string(f, buffer, text);
}

/* .section xdp */
static int read_section(struct asm_file *f, struct scan *s)
{
	return need_text(f, s, &f->section);
}

/* .license "GPL" */
static int read_license(struct asm_file *f, struct scan *s)
{
	return need_text(f, s, &f->license);
}

static int read_version(struct asm_file *f, struct scan *s)
{
	return need_number(s, &f->version);
}

/* .program NAME [TYPE] */
static int read_program(struct asm_file *f, struct scan *s)
{
	struct asm_func func = {.section = f->section, .program = true, .global = true};
	int err = need_name(f, s, &func.name);

	if (!err && !scan_end(s))
		err = need_text(f, s, &func.type);
	return err ? err : file_begin_function(f, s, &func);
}

/* .func NAME [global] [in SECTION] */
static int read_func(struct asm_file *f, struct scan *s)
{
	struct asm_func func = {.section = ".text"};
	int err = need_name(f, s, &func.name);

	func.global = scan_accept_word(s, "global");
	if (!err && scan_accept_word(s, "in"))
		err = need_text(f, s, &func.section);
	return err ? err : file_begin_function(f, s, &func);
}

/* .equ NAME, NUMBER */
static int read_equ(struct asm_file *f, struct scan *s)
{
	struct symbol sym = {.kind = SYMBOL_NUMBER};
	int err = need_name(f, s, &sym.name);

	err = err ? err : scan_expect(s, ",");
	err = err ? err : scan_number(s, &sym.value);
	return err ? err : file_define(f, s, &sym);
}

/* Externs: there is one of a name, however often it is used. */
int file_extern(struct asm_file *f, const char *name, bool kfunc, u32 *index)
{
	u32 hash = file_hash(f, name);
	struct asm_extern *ext;
	size_t cursor = 0;

	while (hash_index_next(&f->by_extern, hash, &cursor, index)) {
		ext = vec_at(&f->externs, *index);
		if (strcmp(ext->name, name))
			continue;
		ext->kfunc |= kfunc;
		return 0;
	}
	*index = (u32)f->externs.len;
	ext = vec_push(&f->externs);
	if (!ext || !hash_index_add(&f->by_extern, hash, *index))
		return no_memory(f);
	ext->kfunc = kfunc;
	return keep_string(f, name, &ext->name);
}

/* .weak NAME: an extern that need not exist. */
static int read_weak(struct asm_file *f, struct scan *s)
{
	char name[MAX_WORD];
	u32 index;
	int err = scan_word(s, name) ? 0 : scan_expected(s, "a name");

	err = err ? err : file_extern(f, name, false, &index);
	if (!err)
		((struct asm_extern *)vec_at(&f->externs, index))->weak = true;
	return err;
}

/* Maps */

static int need_map_type(struct asm_file *f, struct scan *s, u32 *type)
{
	struct scan start;
	char word[MAX_WORD];
	s64 number;

	scan_end(s);
	start = *s;
	if (!scan_next_is_word(s))
		return need_number(s, type);
	if (scan_word(s, word) && f->in->names &&
	    f->in->names->find(f->in->names->ctx, ASM_MAP_TYPE, word, &number)) {
		*type = (u32)number;
		return 0;
	}
	*s = start;
	return scan_expected(s, "a type of map");
}

static int read_map_property(struct asm_file *f, struct scan *s, struct asm_map *map,
			     struct map_names *names)
{
	const struct {
		const char *word;
		u32 *value;
	} properties[] = {
		{"key", &map->key_size},        {"value", &map->value_size},
		{"entries", &map->max_entries}, {"flags", &map->flags},
		{"numa", &map->numa_node},
	};
	s64 extra = 0;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (scan_accept_word(s, properties[i].word))
			return need_number(s, properties[i].value);
	if (scan_accept_word(s, "extra")) {
		err = scan_number(s, &extra);
		map->extra = (u64)extra;
		return err;
	}
	if (scan_accept_word(s, "inner"))
		return need_name(f, s, &names->inner);
	map->pin_by_name = scan_accept_word(s, "pin");
	if (map->pin_by_name)
		return 0;
	return scan_expected(s, "key, value, entries, flags, extra, numa, inner or pin");
}

/* .map NAME TYPE [key N] [value N] [entries N] [flags N] [extra N] [inner MAP] [pin] */
static int read_map(struct asm_file *f, struct scan *s)
{
	struct symbol sym = {.kind = SYMBOL_MAP, .index = (u32)f->maps.len};
	struct asm_map *map = vec_push(&f->maps);
	struct map_names *names = vec_push(&f->map_names);
	int err;

	if (!map || !names)
		return no_memory(f);
	map->inner = -1;
	names->line = s->line;
	err = need_name(f, s, &map->name);
	sym.name = map->name;
	err = err ? err : need_map_type(f, s, &map->type);
	while (!err && !scan_end(s))
		err = read_map_property(f, s, map, names);
	return err ? err : file_define(f, s, &sym);
}

/* .slot MAP INDEX NAME: what the map holds there from the start */
static int read_slot(struct asm_file *f, struct scan *s)
{
	struct scan start = *s;
	struct slot_line *slot;
	struct symbol *sym;
	char word[MAX_WORD];
	int err;

	sym = scan_word(s, word) ? file_find(f, word) : NULL;
	if (!sym || sym->kind != SYMBOL_MAP) {
		*s = start;
		return scan_expected(s, "a map that was defined before");
	}
	slot = vec_push(&f->slots);
	if (!slot)
		return no_memory(f);
	slot->map = sym->index;
	err = need_number(s, &slot->slot.index);
	return err ? err : need_name(f, s, &slot->slot.name);
}

static int name_fail(struct asm_file *f, u32 line, const char *what, const char *name)
{
	int err = fail(f->diag, ASM_UNKNOWN_NAME, NO_PC, 1, what, name);

	diag_at_line(f->diag, f->in->file ? f->in->file : "", (int)line);
	return err;
}

static int set_inner(struct asm_file *f, u32 i)
{
	const struct map_names *names = vec_at(&f->map_names, i);
	struct asm_map *map = vec_at(&f->maps, i);
	const struct symbol *sym;

	if (!names->inner)
		return 0;
	sym = file_find(f, names->inner);
	if (!sym || sym->kind != SYMBOL_MAP || sym->index == i)
		return name_fail(f, names->line, "other map", names->inner);
	map->inner = (s32)sym->index;
	return 0;
}

/* Gives every map its slots, in the order of the text. */
static int set_slots(struct asm_file *f)
{
	for (size_t i = 0; i < f->slots.len; i++) {
		const struct slot_line *slot = vec_at(&f->slots, i);

		((struct asm_map *)vec_at(&f->maps, slot->map))->n_slots++;
	}
	for (size_t i = 0; i < f->maps.len; i++) {
		struct asm_map *map = vec_at(&f->maps, i);

		if (!map->n_slots)
			continue;
		map->slots = arena_array(f->arena, map->n_slots, sizeof(*map->slots));
		if (!map->slots)
			return no_memory(f);
		map->n_slots = 0;
	}
	for (size_t i = 0; i < f->slots.len; i++) {
		const struct slot_line *slot = vec_at(&f->slots, i);
		struct asm_map *map = vec_at(&f->maps, slot->map);

		map->slots[map->n_slots++] = slot->slot;
	}
	return 0;
}

int file_end_maps(struct asm_file *f)
{
	for (u32 i = 0; i < f->maps.len; i++) {
		int err = set_inner(f, i);

		if (err)
			return err;
	}
	return set_slots(f);
}

/* Globals */

static bool is_bss(const char *section)
{
	return !strncmp(section, ".bss", 4);
}

static int need_data(struct asm_file *f, const char *section, u32 *index)
{
	struct data_build *build;

	for (*index = 0; *index < f->builds.len; (*index)++) {
		build = vec_at(&f->builds, *index);
		if (!strcmp(build->name, section))
			return 0;
	}
	if (f->builds.len == MAX_DATAS)
		return fail(f->diag, ASM_TOO_BIG, NO_PC, "sections of globals",
			    MAX_DATAS);
	build = vec_push(&f->builds);
	if (!build)
		return no_memory(f);
	*build = (struct data_build){.name = section, .bytes = VEC_INIT(char)};
	return 0;
}

/* data == NULL: zeroes */
static int append(struct asm_file *f, struct data_build *build, const void *data, u64 n)
{
	void *to;

	if (n > MAX_DATA - f->total_data)
		return fail(f->diag, ASM_TOO_BIG, NO_PC, "bytes of globals", MAX_DATA);
	f->total_data += (u32)n;
	build->size += (u32)n;
	if (is_bss(build->name) || !n)
		return 0;
	to = vec_push_many(&build->bytes, n);
	if (!to)
		return no_memory(f);
	if (data)
		memcpy(to, data, n);
	return 0;
}

static int align(struct asm_file *f, struct data_build *build, u32 to)
{
	return append(f, build, NULL, round_up(build->size, to) - build->size);
}

/* u16 1, 2, 3: each in the byte order of this host */
static int read_numbers(struct asm_file *f, struct scan *s, struct data_build *build,
			unsigned width)
{
	s64 max = width == 64 ? INT64_MAX : (1ll << width) - 1;
	s64 min = width == 64 ? INT64_MIN : -(1ll << (width - 1));
	int err = align(f, build, width / 8);

	do {
		s64 value = 0;
		u8 bytes[8];

		err = err ? err : scan_number_in(s, min, max, &value);
		switch (width) {
		case 8: bytes[0] = (u8)value; break;
		case 16: store_u16(bytes, (u16)value); break;
		case 32: store_u32(bytes, (u32)value); break;
		default: store_u64(bytes, (u64)value); break;
		}
		err = err ? err : append(f, build, bytes, width / 8);
	} while (!err && scan_accept(s, ","));
	return err;
}

static int read_zeroes(struct asm_file *f, struct scan *s, struct data_build *build)
{
	s64 n = 0;
	int err = scan_number_in(s, 0, MAX_DATA, &n);

	err = err ? err : align(f, build, n % 8 ? 1 : 8);
	return err ? err : append(f, build, NULL, (u64)n);
}

/* "text", with its final zero */
static int read_text(struct asm_file *f, struct scan *s, struct data_build *build)
{
	char text[4096];
	size_t n = 0;
	int err = scan_string(s, text, sizeof(text) - 1, &n);

	if (err)
		return err;
	text[n] = 0;
	return append(f, build, text, n + 1);
}

static int read_item(struct asm_file *f, struct scan *s, struct data_build *build)
{
	static const struct {
		const char *word;
		unsigned width;
	} types[] = {
#define W(bits, code, type) {type, bits},
#include "isa/mem.def"
#undef W
	};

	if (scan_accept_word(s, "zero"))
		return read_zeroes(f, s, build);
	if (is_bss(build->name))
		return scan_expected(s, "zero N in a .bss section");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (scan_accept_word(s, types[i].word))
			return read_numbers(f, s, build, types[i].width);
	if (!scan_end(s) && *s->p == '"')
		return read_text(f, s, build);
	return scan_expected(s, "u8, u16, u32, u64, zero or a string");
}

/* .var NAME [in SECTION] ITEM...; ITEM: u32 1, 2  "text"  zero 16 */
static int read_var(struct asm_file *f, struct scan *s)
{
	struct symbol sym = {.kind = SYMBOL_GLOBAL, .index = (u32)f->globals.len};
	struct asm_global *global = vec_push(&f->globals);
	const char *section = ".data";
	struct data_build *build;
	bool first = true;
	int err;

	if (!global)
		return no_memory(f);
	err = need_name(f, s, &global->name);
	sym.name = global->name;
	if (!err && scan_accept_word(s, "in"))
		err = need_text(f, s, &section);
	err = err ? err : need_data(f, section, &global->data);
	if (err)
		return err;
	build = vec_at(&f->builds, global->data);
	for (; !err && (first || !scan_end(s)); first = false) {
		u32 before = build->size;

		err = read_item(f, s, build);
		if (first)
			global->offset = before;
	}
	global->size = build->size - global->offset;
	return err ? err : file_define(f, s, &sym);
}

int file_end_datas(struct asm_file *f)
{
	for (size_t i = 0; i < f->builds.len; i++) {
		const struct data_build *build = vec_at(&f->builds, i);
		struct asm_data *data = vec_push(&f->datas);

		if (!data)
			return no_memory(f);
		data->name = build->name;
		data->size = build->size;
		if (!build->bytes.len)
			continue;
		data->bytes = arena_memdup(f->arena, build->bytes.data, build->bytes.len);
		if (!data->bytes)
			return no_memory(f);
	}
	return 0;
}

struct directive {
	const char *word;
	int (*read)(struct asm_file *f, struct scan *s);
};

static const struct directive directives[] = {
	{".section", read_section}, {".program", read_program}, {".func", read_func},
	{".map", read_map},         {".slot", read_slot},       {".var", read_var},
	{".license", read_license}, {".version", read_version}, {".equ", read_equ},
	{".weak", read_weak},
};

int file_directive(struct asm_file *f, struct scan *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(directives); i++)
		if (scan_accept_word(s, directives[i].word)) {
			int err = directives[i].read(f, s);

			if (err == -ENOMEM || err == -E2BIG)
				return scan_at(s, err);
			return err ? err : scan_expect_end(s);
		}
	return scan_expected(s, "a directive or an instruction");
}
