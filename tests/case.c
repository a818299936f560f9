/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a case file: takes the lines out of it that are not assembly, and assembles the
 * rest.
 */
#include "case.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "base/text.h"
#include "maps/map.h"
#include "tools/hex.h"
#include "verify/verify.h"

static int bad_line(const struct test_case *c, u32 line, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", c->path, line, what);
	return -EINVAL;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* The first word of s, and what follows it. */
static const char *word(const char *s, char *out, size_t size)
{
	size_t n;

	s = skip_blanks(s);
	n = strcspn(s, " \t");
	snprintf(out, size, "%.*s", (int)n, s);
	return skip_blanks(s + n);
}

static int read_blob(const struct test_case *c, u32 line, const char *text,
		     struct blob *blob)
{
	const char *bad;

	blob->bytes = hex_parse(text, strlen(text), &blob->len, &bad);
	return blob->bytes ? 0 : bad_line(c, line, "not bytes in hex");
}

static int read_number(const struct test_case *c, u32 line, const char *text, u64 *number)
{
	char *end;
	s64 named;

	if (abi_find_constant(text, &named)) {
		*number = (u64)named;
		return 0;
	}
	*number = *text == '-' ? (u64)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	return *text && !*end ? 0 : bad_line(c, line, "not a number");
}

static int read_world(struct test_case *c, u32 line, const char *rest)
{
	char key[32], value[64];
	u64 n = 0;

	rest = word(rest, key, sizeof(key));
	word(rest, value, sizeof(value));
	c->scripted = true;
	if (!strcmp(key, "comm")) {
		snprintf(c->world.task.comm, sizeof(c->world.task.comm), "%.15s", value);
		return 0;
	}
	if (read_number(c, line, value, &n))
		return -EINVAL;
	if (!strcmp(key, "now"))
		c->world.now = n;
	else if (!strcmp(key, "step"))
		c->world.step = n;
	else if (!strcmp(key, "seed"))
		c->world.seed = n;
	else if (!strcmp(key, "cpus"))
		c->n_cpus = (u32)n;
	else if (!strcmp(key, "pid"))
		c->world.task.pid = (u32)n;
	else if (!strcmp(key, "tgid"))
		c->world.task.tgid = (u32)n;
	else if (!strcmp(key, "uid"))
		c->world.task.uid = (u32)n;
	else if (!strcmp(key, "gid"))
		c->world.task.gid = (u32)n;
	else
		return bad_line(c, line, "no such setting of the world");
	return 0;
}

/* 1: the line was a header, 0: it was not, or a negative errno. */
static int read_header(struct test_case *c, u32 line, const char *s)
{
	static const char *const hooks[] = {"raw", "xdp", "tc", "socket"};
	char first[32], second[32];
	const char *rest = word(s, first, sizeof(first));
	u64 n = 0;
	int err = 0;

	word(rest, second, sizeof(second));
	if (!strcmp(first, "hook")) {
		word(rest, c->section, sizeof(c->section));
		for (c->hook = 0; c->hook < HOOK_OTHER; c->hook++)
			if (!strcmp(c->section, hooks[c->hook]))
				break;
		return 1;
	}
	if (!strcmp(first, "unprivileged")) {
		c->unprivileged = true;
		return 1;
	}
	if (!strcmp(first, "no_perfmon")) {
		c->no_perfmon = true;
		return 1;
	}
	if (!strcmp(first, "flag")) {
		c->flags |= verify_flag(second);
		return verify_flag(second) ? 1 : bad_line(c, line, "no such flag");
	}
	if (!strcmp(first, "target")) {
		word(rest, c->target, sizeof(c->target));
		return 1;
	}
	if (!strcmp(first, "mem")) {
		err = read_blob(c, line, rest, &c->mem);
	} else if (!strcmp(first, "packet")) {
		c->has_packet = true;
		err = read_blob(c, line, rest, &c->packet);
	} else if (!strcmp(first, "linear")) {
		err = read_number(c, line, second, &n);
		c->linear = (u32)n;
	} else if (!strcmp(first, "world")) {
		err = read_world(c, line, rest);
	} else {
		return 0;
	}
	return err ? err : 1;
}

static int read_want_at(const struct test_case *c, const char *rest, struct want *want)
{
	char at[8], number[32];
	u64 n = 0;

	rest = word(rest, want->name, sizeof(want->name));
	want->insn = -1;
	if (!*rest)
		return 0;
	rest = word(rest, at, sizeof(at));
	word(rest, number, sizeof(number));
	if (strcmp(at, "at") || read_number(c, want->line, number, &n))
		return bad_line(c, want->line, "wanted: ID at INSTRUCTION");
	want->insn = (s32)n;
	return 0;
}

/* NAME KEY = VALUE, or = none. */
static int read_want_map(const struct test_case *c, const char *rest, struct want *want)
{
	const char *equals = strchr(rest, '=');
	char key[1024];

	if (!equals)
		return bad_line(c, want->line, "wanted: map NAME KEY = VALUE");
	rest = word(rest, want->name, sizeof(want->name));
	snprintf(key, sizeof(key), "%.*s", (int)(equals > rest ? equals - rest : 0),
		 rest);
	if (read_blob(c, want->line, key, &want->key))
		return -EINVAL;
	equals = skip_blanks(equals + 1);
	if (!strcmp(equals, "none")) {
		want->absent = true;
		return 0;
	}
	return read_blob(c, want->line, equals, &want->value);
}

/* refuses [WORDS], accepts, r0 = NUMBER */
static int read_want_kernel(const struct test_case *c, const char *rest,
			    struct want *want)
{
	char what[16];

	rest = word(rest, what, sizeof(what));
	if (!strcmp(what, "refuses")) {
		want->kernel = KERNEL_REFUSES;
		snprintf(want->text, sizeof(want->text), "%s", rest);
		return 0;
	}
	if (!strcmp(what, "accepts")) {
		want->kernel = KERNEL_ACCEPTS;
		return 0;
	}
	if (strcmp(what, "r0") || *rest != '=')
		return bad_line(c, want->line,
				"wanted: kernel refuses [WORDS], accepts or r0 = N");
	want->kernel = KERNEL_R0;
	return read_number(c, want->line, skip_blanks(rest + 1), &want->number);
}

static int read_want(struct test_case *c, u32 line, const char *s)
{
	static const char *const kinds[] = {
		[WANT_R0] = "r0",         [WANT_MEM] = "mem",
		[WANT_PACKET] = "packet", [WANT_MAP] = "map",
		[WANT_PRINT] = "print",   [WANT_FAULT] = "fault",
		[WANT_REFUSE] = "refuse", [WANT_KERNEL] = "kernel",
		[WANT_REJECT] = "reject", [WANT_ACCEPT] = "accept"};
	struct want *want = vec_push(&c->wants);
	char kind[32];
	const char *rest = word(s, kind, sizeof(kind));
	u32 i = 0;

	if (!want)
		return -ENOMEM;
	while (i < ARRAY_SIZE(kinds) && strcmp(kind, kinds[i]))
		i++;
	want->kind = (enum want_kind)i;
	want->line = line;
	if (i == ARRAY_SIZE(kinds))
		return bad_line(c, line,
				"wants are r0, mem, packet, map, print, fault, "
				"refuse, reject, accept and kernel");
	if (want->kind == WANT_FAULT || want->kind == WANT_REFUSE ||
	    want->kind == WANT_REJECT)
		return read_want_at(c, rest, want);
	if (want->kind == WANT_ACCEPT)
		return 0;
	if (want->kind == WANT_KERNEL)
		return read_want_kernel(c, rest, want);
	if (want->kind == WANT_MAP)
		return read_want_map(c, rest, want);
	if (want->kind == WANT_PRINT) {
		snprintf(want->text, sizeof(want->text), "%s", rest);
		return 0;
	}
	if (*rest != '=')
		return bad_line(c, line, "\"=\" is missing");
	rest = skip_blanks(rest + 1);
	if (want->kind == WANT_R0)
		return read_number(c, line, rest, &want->number);
	return read_blob(c, line, rest, &want->value);
}

/* Takes headers and wants out of the text, line by line. */
static int read_lines(struct test_case *c)
{
	bool header = true;
	u32 line = 1;

	for (char *s = c->text, *next; *s; s = next, line++) {
		size_t len = strcspn(s, "\n");
		bool last = !s[len];
		char copy[4096];
		int took = 0;

		next = s + len + !last;
		snprintf(copy, sizeof(copy), "%.*s", (int)len, s);
		if (!strncmp(copy, "--", 2))
			took = read_want(c, line, copy + 2), took = took ? took : 1;
		else if (header && *copy && *copy != '#')
			took = read_header(c, line, copy);
		if (took < 0)
			return took;
		if (took)
			memset(s, ' ', len);
		else if (*copy && *copy != '#')
			header = false;
	}
	if (!c->wants.len)
		return bad_line(c, line, "the case wants nothing");
	if ((c->hook == HOOK_OTHER || c->unprivileged || c->no_perfmon || c->flags) &&
	    !case_is_verdict(c))
		return bad_line(c, line, "programs run at raw, xdp, tc and socket only");
	return 0;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	struct text t = TEXT_INIT;
	char buf[4096];
	size_t n;

	if (!f)
		return NULL;
	text_puts(&t, "");
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		text_write(&t, buf, n);
	fclose(f);
	return t.s ? t.s : strdup("");
}

void case_init(struct test_case *c, const char *path)
{
	*c = (struct test_case){
		.path = path, .n_cpus = 1, .wants = VEC_INIT(struct want)};
	world_script_init(&c->world);
}

int case_line(struct test_case *c, const char *line)
{
	int took = read_header(c, 0, line);

	if (!took)
		took = read_want(c, 0, line);
	return took < 0 ? took : 0;
}

/* What tests/opt/cases.c wants is not for us. */
static void cut_listings(char *text)
{
	static const char *const lines[] = {"\n-- built", "\n-- after passes",
					    "\n-- time limited"};

	for (u32 i = 0; i < ARRAY_SIZE(lines); i++) {
		char *at = strstr(text, lines[i]);

		if (at)
			at[1] = '\0';
	}
}

int case_read(struct test_case *c, const char *path)
{
	case_init(c, path);
	c->text = read_file(path);
	if (c->text)
		cut_listings(c->text);
	if (!c->text) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -errno;
	}
	return read_lines(c);
}

void case_free(struct test_case *c)
{
	for (size_t i = 0; i < c->wants.len; i++) {
		struct want *want = vec_at(&c->wants, i);

		free(want->key.bytes);
		free(want->value.bytes);
	}
	vec_fini(&c->wants);
	free(c->mem.bytes);
	free(c->packet.bytes);
	free(c->text);
}

const struct want *case_wants(const struct test_case *c, enum want_kind kind)
{
	for (size_t i = 0; i < c->wants.len; i++) {
		const struct want *want = vec_at(&c->wants, i);

		if (want->kind == kind)
			return want;
	}
	return NULL;
}

/* ---- Linux' names ---- */

static bool find_name(const void *ctx, enum asm_name kind, const char *name, s64 *number)
{
	const struct abi_helper *helper;
	const struct abi_name *type;

	(void)ctx;
	switch (kind) {
	case ASM_HELPER:
		helper = abi_find_helper(name);
		*number = helper ? helper->number : 0;
		return helper;
	case ASM_MAP_TYPE:
		type = abi_find_map_type(name);
		*number = type ? type->number : 0;
		return type;
	case ASM_CONSTANT: return abi_find_constant(name, number);
	}
	return false;
}

const struct asm_names case_names = {.find = find_name};

/* ---- comparing ---- */

static void put_hex(struct text *t, const u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_printf(t, "%s%02x", i ? " " : "", bytes[i]);
}

bool case_same_bytes(const struct blob *want, const u8 *got, size_t len,
		     struct text *told)
{
	if (want->len == len && !memcmp(want->bytes, got, len))
		return true;
	text_puts(told, "wanted ");
	put_hex(told, want->bytes, want->len);
	text_puts(told, "\n\tgot    ");
	put_hex(told, got, len);
	return false;
}

/* ---- assembling it ---- */

static const u32 prog_types[] = {[HOOK_RAW] = BPF_PROG_TYPE_UNSPEC,
				 [HOOK_XDP] = BPF_PROG_TYPE_XDP,
				 [HOOK_TC] = BPF_PROG_TYPE_SCHED_CLS,
				 [HOOK_SOCKET] = BPF_PROG_TYPE_SOCKET_FILTER,
				 [HOOK_OTHER] = BPF_PROG_TYPE_UNSPEC};

static void define_map(struct case_built *s, u32 i)
{
	const struct asm_unit *unit = &s->unit;
	struct map_def *def = &s->defs[i];

	if (i < unit->n_maps) {
		const struct asm_map *map = &unit->maps[i];

		def->name = map->name;
		def->type = map->type;
		def->key_size = map->key_size;
		def->value_size = map->value_size;
		def->max_entries = map->max_entries;
		def->flags = map->flags;
		def->extra = map->extra;
		def->inner = map->inner >= 0 ? &s->defs[map->inner] : NULL;
		return;
	}
	def->name = unit->datas[i - unit->n_maps].name;
	def->type = BPF_MAP_TYPE_ARRAY;
	def->key_size = 4;
	def->value_size = unit->datas[i - unit->n_maps].size;
	def->max_entries = 1;
	def->data = unit->datas[i - unit->n_maps].bytes;
	if (!strncmp(def->name, ".rodata", 7))
		def->flags = BPF_F_RDONLY_PROG;
}

static int make_prog(const struct test_case *c, struct case_built *s, u32 func,
		     struct skep_diag *diag)
{
	const struct asm_func *f = &s->unit.funcs[func];
	struct asm_linked linked;
	struct subprog *subprogs;
	struct line_info *lines;
	int err = asm_link(&s->unit, func, &s->arena, &linked, diag);

	if (err)
		return err;
	lines = arena_array(&s->arena, linked.n_insns, sizeof(*lines));
	subprogs = arena_array(&s->arena, linked.n_places, sizeof(*subprogs));
	if (!lines || !subprogs)
		return -ENOMEM;
	for (u32 i = 0; i < linked.n_insns; i++)
		lines[i] = (struct line_info){
			.insn = i, .line = linked.lines[i], .file = c->path};
	for (u32 i = 0; i < linked.n_places; i++)
		subprogs[i] = (struct subprog){
			.name = s->unit.funcs[linked.places[i].func].name,
			.start = linked.places[i].start};
	s->progs[func] = (struct prog){.name = f->name,
				       .section = f->section,
				       .type = prog_types[c->hook],
				       .gpl_compatible = true,
				       .insns = linked.insns,
				       .n_insns = linked.n_insns,
				       .subprogs = subprogs,
				       .n_subprogs = linked.n_places,
				       .lines = lines,
				       .n_lines = linked.n_insns,
				       .maps = s->def_list,
				       .n_maps = s->n_maps};
	return 0;
}

int case_build(const struct test_case *c, struct case_built *s, struct skep_diag *diag)
{
	struct asm_input in = {.text = {(const u8 *)c->text, strlen(c->text)},
			       .file = c->path,
			       .names = &case_names};
	int err;

	*s = (struct case_built){.arena = ARENA_INIT};
	err = asm_parse(&in, &s->arena, &s->unit, diag);
	if (err)
		return err;
	s->n_maps = s->unit.n_maps + s->unit.n_datas;
	s->defs = arena_array(&s->arena, s->n_maps + 1, sizeof(*s->defs));
	s->def_list = arena_array(&s->arena, s->n_maps + 1, sizeof(*s->def_list));
	s->progs = arena_array(&s->arena, s->unit.n_funcs + 1, sizeof(*s->progs));
	if (!s->defs || !s->def_list || !s->progs)
		return -ENOMEM;
	for (u32 i = 0; i < s->n_maps; i++) {
		define_map(s, i);
		s->def_list[i] = &s->defs[i];
	}
	for (u32 i = 0; i < s->unit.n_funcs && !err; i++)
		if (s->unit.funcs[i].program)
			err = make_prog(c, s, i, diag);
	return err;
}

void case_built_fini(struct case_built *s)
{
	arena_fini(&s->arena);
}

static struct map_attr attr_of(const struct map_def *def)
{
	return (struct map_attr){.type = def->type,
				 .key_size = def->key_size,
				 .value_size = def->value_size,
				 .max_entries = def->max_entries,
				 .flags = def->flags,
				 .extra = def->extra,
				 .name = def->name};
}

static int make_map(const struct test_case *c, const struct map_def *def,
		    struct map **map, struct skep_diag *diag)
{
	struct map_attr attr = attr_of(def), inner;
	u32 zero = 0;
	int err;

	if (def->inner) {
		inner = attr_of(def->inner);
		attr.inner = &inner;
	}
	attr.n_cpus = c->n_cpus;
	err = map_new(&attr, map, diag);
	if (!err && def->data)
		err = map_user_update(*map, &zero, def->data, 0);
	return err;
}

int case_make_maps(const struct test_case *c, const struct case_built *built,
		   struct map **maps, struct skep_diag *diag)
{
	int err = 0;

	for (u32 i = 0; i < built->n_maps && !err; i++)
		err = make_map(c, &built->defs[i], &maps[i], diag);
	return err;
}
