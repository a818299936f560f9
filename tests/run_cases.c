/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs cases: files that say a program, what it is given, and what must come out, taken
 * through every engine.  docs/cases.md describes the files.
 *
 *	run_cases FILE|FOLDER...
 *
 * A failure prints the case, the engine, what was wanted, what came, and the command that
 * repeats it.  Exit status 0 when all passed.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <skep/diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "base/vec.h"
#include "exec/exec.h"
#include "helpers/helpers.h"
#include "isa/asm.h"
#include "maps/map.h"
#include "tools/hex.h"
#include "world/contexts.h"
#include "world/packet.h"
#include "world/world.h"

enum hook { HOOK_RAW, HOOK_XDP, HOOK_TC, HOOK_SOCKET };

/* What a line "-- ..." wants. */
enum want_kind {
	WANT_R0,
	WANT_MEM,
	WANT_PACKET,
	WANT_MAP,
	WANT_PRINT,
	WANT_FAULT,
	WANT_REFUSE
};

struct blob {
	u8 *bytes; /* owned */
	size_t len;
};

struct want {
	enum want_kind kind;
	u32 line;
	u64 number;        /* R0 */
	struct blob value; /* mem, packet, map */
	struct blob key;   /* map */
	bool absent;       /* map: no such element */
	char name[64];     /* of the map, the diagnostic */
	s32 insn;          /* fault, refuse; -1: anywhere */
	char text[256];    /* print */
};

struct test_case {
	const char *path;
	char *text; /* owned: the assembly, other lines blanked */
	enum hook hook;
	struct blob mem, packet;
	bool has_packet;
	struct world_script world;
	u32 n_cpus;
	u32 linear;
	struct vec wants; /* struct want */
};

struct tally {
	u32 passed, failed, skipped;
	const char *self;
};

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

static const struct asm_names linux_names = {.find = find_name};

/* ---- reading a case ---- */

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
		for (u32 i = 0; i < ARRAY_SIZE(hooks); i++)
			if (!strcmp(second, hooks[i])) {
				c->hook = (enum hook)i;
				return 1;
			}
		return bad_line(c, line, "hooks are raw, xdp, tc and socket");
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

static int read_want(struct test_case *c, u32 line, const char *s)
{
	static const char *const kinds[] = {
		[WANT_R0] = "r0",        [WANT_MEM] = "mem",     [WANT_PACKET] = "packet",
		[WANT_MAP] = "map",      [WANT_PRINT] = "print", [WANT_FAULT] = "fault",
		[WANT_REFUSE] = "refuse"};
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
				"wants are r0, mem, packet, map, print, fault "
				"and refuse");
	if (want->kind == WANT_FAULT || want->kind == WANT_REFUSE)
		return read_want_at(c, rest, want);
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
	return c->wants.len ? 0 : bad_line(c, line, "the case wants nothing");
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

static int case_read(struct test_case *c, const char *path)
{
	*c = (struct test_case){
		.path = path, .n_cpus = 1, .wants = VEC_INIT(struct want)};
	world_script_init(&c->world);
	c->text = read_file(path);
	if (!c->text) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -errno;
	}
	return read_lines(c);
}

static void case_free(struct test_case *c)
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

static const struct want *case_wants(const struct test_case *c, enum want_kind kind)
{
	for (size_t i = 0; i < c->wants.len; i++) {
		const struct want *want = vec_at(&c->wants, i);

		if (want->kind == kind)
			return want;
	}
	return NULL;
}

/* ---- making it ready ---- */

/* A case's programs and maps, made anew for each engine. */
struct setup {
	struct arena arena;
	struct asm_unit unit;
	struct map **maps; /* counted; of the unit's maps, then its data sections */
	struct map_def *defs;
	const struct map_def **def_list;
	u32 n_maps;
	struct prog *progs;    /* parallel to unit.funcs */
	struct image **images; /* owned */
};

static const u32 prog_types[] = {[HOOK_RAW] = BPF_PROG_TYPE_UNSPEC,
				 [HOOK_XDP] = BPF_PROG_TYPE_XDP,
				 [HOOK_TC] = BPF_PROG_TYPE_SCHED_CLS,
				 [HOOK_SOCKET] = BPF_PROG_TYPE_SOCKET_FILTER};

static void define_map(struct setup *s, u32 i)
{
	const struct asm_unit *unit = &s->unit;
	struct map_def *def = &s->defs[i];

	def->spin_lock_off = -1;
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

static int make_map(const struct test_case *c, struct setup *s, u32 i,
		    struct skep_diag *diag)
{
	struct map_attr attr = attr_of(&s->defs[i]), inner;
	u32 zero = 0;
	int err;

	if (s->defs[i].inner) {
		inner = attr_of(s->defs[i].inner);
		attr.inner = &inner;
	}
	attr.n_cpus = c->n_cpus;
	err = map_new(&attr, &s->maps[i], diag);
	if (!err && s->defs[i].data)
		err = map_user_update(s->maps[i], &zero, s->defs[i].data, 0);
	return err;
}

static int make_maps(const struct test_case *c, struct setup *s, struct skep_diag *diag)
{
	int err = 0;

	s->n_maps = s->unit.n_maps + s->unit.n_datas;
	s->defs = arena_array(&s->arena, s->n_maps + 1, sizeof(*s->defs));
	s->def_list = arena_array(&s->arena, s->n_maps + 1, sizeof(*s->def_list));
	s->maps = arena_array(&s->arena, s->n_maps + 1, sizeof(*s->maps));
	if (!s->defs || !s->maps || !s->def_list)
		return -ENOMEM;
	for (u32 i = 0; i < s->n_maps; i++) {
		define_map(s, i);
		s->def_list[i] = &s->defs[i];
	}
	for (u32 i = 0; i < s->n_maps && !err; i++)
		err = make_map(c, s, i, diag);
	return err;
}

static int make_prog(const struct test_case *c, struct setup *s, u32 func,
		     struct skep_diag *diag)
{
	const struct asm_func *f = &s->unit.funcs[func];
	struct asm_linked linked;
	struct line_info *lines;
	int err = asm_link(&s->unit, func, &s->arena, &linked, diag);

	if (err)
		return err;
	lines = arena_array(&s->arena, linked.n_insns, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	for (u32 i = 0; i < linked.n_insns; i++)
		lines[i] = (struct line_info){
			.insn = i, .line = linked.lines[i], .file = c->path};
	struct prog prog = {.name = f->name,
			    .section = f->section,
			    .type = prog_types[c->hook],
			    .gpl_compatible = true,
			    .insns = linked.insns,
			    .n_insns = linked.n_insns,
			    .lines = lines,
			    .n_lines = linked.n_insns,
			    .maps = s->def_list,
			    .n_maps = s->n_maps};

	memcpy(&s->progs[func], &prog, sizeof(prog));
	return image_new(&(struct image_spec){.prog = &s->progs[func],
					      .maps = s->maps,
					      .helper = helper_body},
			 &s->images[func], diag);
}

static void *slot_value(const struct setup *s, const char *name)
{
	for (u32 i = 0; i < s->unit.n_funcs; i++)
		if (s->images[i] && !strcmp(s->unit.funcs[i].name, name))
			return s->images[i];
	for (u32 i = 0; i < s->unit.n_maps; i++)
		if (!strcmp(s->unit.maps[i].name, name))
			return s->maps[i];
	return NULL;
}

static int fill_slots(const struct setup *s)
{
	for (u32 i = 0; i < s->unit.n_maps; i++)
		for (u32 k = 0; k < s->unit.maps[i].n_slots; k++) {
			const struct asm_slot *slot = &s->unit.maps[i].slots[k];
			void *ref = slot_value(s, slot->name);
			int err = ref ? map_update_ref(s->maps[i], &slot->index, ref, 0)
				      : -ENOENT;

			if (err)
				return err;
		}
	return 0;
}

static int setup_new(const struct test_case *c, struct setup *s, struct skep_diag *diag)
{
	struct asm_input in = {.text = {(const u8 *)c->text, strlen(c->text)},
			       .file = c->path,
			       .names = &linux_names};
	int err;

	*s = (struct setup){.arena = ARENA_INIT};
	err = asm_parse(&in, &s->arena, &s->unit, diag);
	if (!err)
		err = make_maps(c, s, diag);
	if (err)
		return err;
	s->progs = arena_array(&s->arena, s->unit.n_funcs + 1, sizeof(*s->progs));
	s->images = arena_array(&s->arena, s->unit.n_funcs + 1, sizeof(*s->images));
	if (!s->progs || !s->images)
		return -ENOMEM;
	for (u32 i = 0; i < s->unit.n_funcs && !err; i++)
		if (s->unit.funcs[i].program)
			err = make_prog(c, s, i, diag);
	return err ? err : fill_slots(s);
}

static void setup_free(struct setup *s)
{
	for (u32 i = 0; s->maps && i < s->n_maps; i++)
		map_put(s->maps[i]);
	for (u32 i = 0; s->images && i < s->unit.n_funcs; i++)
		image_free(s->images[i]);
	arena_fini(&s->arena);
}

static const struct image *entry(const struct setup *s)
{
	for (u32 i = 0; i < s->unit.n_funcs; i++)
		if (s->unit.funcs[i].program)
			return s->images[i];
	return NULL;
}

/* ---- running it ---- */

struct outcome {
	int err;
	u64 r0;
	struct skep_diag diag;
	u8 *mem;              /* owned */
	struct packet packet; /* as the program left it */
	struct text printed;
};

static void print_sink(void *arg, const char *text, u32 len)
{
	text_write(arg, text, len);
}

static void run_on(const struct test_case *c, const struct image *image,
		   const struct engine *engine, struct outcome *out)
{
	struct world_script world = c->world;
	struct mem_region region = {"memory", out->mem, c->mem.len, true};
	struct exec_opts opts = {.r2 = c->hook == HOOK_RAW ? c->mem.len : 0,
				 .regions = &region,
				 .n_regions = c->mem.len != 0,
				 .max_steps = 1000000};
	struct xdp_md xdp = {0};
	struct __sk_buff skb = {0};
	struct run run = {.world = &world.world,
			  .ctx = c->mem.len ? out->mem : NULL,
			  .packet = c->has_packet ? &out->packet : NULL,
			  .opts = &opts,
			  .diag = &out->diag};
	struct skb_origin origin = {.view = c->hook == HOOK_SOCKET ? SKB_VIEW_NETWORK
								   : SKB_VIEW_MAC,
				    .ifindex = 1};

	world.world.n_cpus = c->n_cpus;
	world.sink = print_sink;
	world.sink_arg = &out->printed;
	if (c->hook == HOOK_XDP) {
		xdp_ctx_init(&xdp, &out->packet,
			     &(struct xdp_origin){.ingress_ifindex = 1});
		run.ctx = &xdp;
	} else if (c->hook != HOOK_RAW) {
		out->err = skb_ctx_init(&skb, &out->packet, &origin);
		if (out->err)
			return;
		run.ctx = &skb;
	}
	out->err = engine->run(image, &run, &out->r0);
	run_end(&run);
}

static int outcome_init(const struct test_case *c, struct outcome *out)
{
	u32 len = (u32)c->packet.len, linear = c->linear ? c->linear : len;
	int err;

	*out = (struct outcome){.diag = SKEP_DIAG_INIT, .printed = TEXT_INIT};
	out->mem = malloc(c->mem.len + 1);
	if (!out->mem)
		return -ENOMEM;
	if (c->mem.len)
		memcpy(out->mem, c->mem.bytes, c->mem.len);
	err = packet_init(&out->packet, &out->diag);
	if (err || !c->has_packet)
		return err;
	return c->hook == HOOK_XDP
		       ? packet_set_xdp(&out->packet, c->packet.bytes, len, linear)
		       : packet_set_skb(&out->packet, c->packet.bytes, len, linear);
}

static void outcome_fini(struct outcome *out)
{
	free(out->mem);
	packet_fini(&out->packet);
	text_fini(&out->printed);
}

/* ---- comparing ---- */

static void put_hex(struct text *t, const u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_printf(t, "%s%02x", i ? " " : "", bytes[i]);
}

/* true when they are the same; else tells both. */
static bool same_bytes(const struct blob *want, const u8 *got, size_t len,
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

static bool same_packet(const struct want *want, const struct packet *p,
			struct text *told)
{
	u32 len = packet_len(p);
	u8 *bytes = malloc(len + 1);
	bool same = bytes && !packet_read(p, 0, bytes, len) &&
		    same_bytes(&want->value, bytes, len, told);

	free(bytes);
	return same;
}

static struct map *find_map(const struct setup *s, const char *name)
{
	for (u32 i = 0; i < s->n_maps; i++)
		if (!strcmp(s->defs[i].name, name))
			return s->maps[i];
	return NULL;
}

static bool same_element(const struct want *want, const struct setup *s,
			 struct text *told)
{
	struct map *map = find_map(s, want->name);
	u8 *value;
	u64 size;
	bool same;
	int err;

	if (!map || map->key_size != want->key.len) {
		text_printf(told, "no map %s with keys of %zu bytes", want->name,
			    want->key.len);
		return false;
	}
	size = map_user_value_size(map);
	value = calloc(1, size + 1);
	err = value ? map_user_lookup(map, want->key.bytes, value, 0) : -ENOMEM;
	if (want->absent || err) {
		same = want->absent && err == -ENOENT;
		if (!same)
			text_printf(told, "look-up in %s gives %d", want->name, err);
	} else {
		same = same_bytes(&want->value, value, size, told);
	}
	free(value);
	return same;
}

static bool same_diag(const struct want *want, const struct skep_diag *diag,
		      struct text *told)
{
	if (!strcmp(skep_diag_name(diag->id), want->name) &&
	    (want->insn < 0 || want->insn == diag->insn))
		return true;
	text_printf(told, "wanted %s at %d\n\tgot    %s at %d (%s)", want->name,
		    want->insn, skep_diag_name(diag->id), diag->insn, diag->text);
	return false;
}

static bool satisfied(const struct test_case *c, const struct want *want,
		      const struct setup *s, const struct outcome *out, struct text *told)
{
	bool same = true;

	switch (want->kind) {
	case WANT_R0:
		same = out->r0 == want->number;
		if (!same)
			text_printf(told, "r0: wanted %#llx\n\tgot    %#llx",
				    (unsigned long long)want->number,
				    (unsigned long long)out->r0);
		return same;
	case WANT_MEM: return same_bytes(&want->value, out->mem, c->mem.len, told);
	case WANT_PACKET: return same_packet(want, &out->packet, told);
	case WANT_MAP: return same_element(want, s, told);
	case WANT_PRINT:
		same = strstr(text_str(&out->printed), want->text) != NULL;
		if (!same)
			text_printf(told, "wanted in print: %s\n\tgot    %s", want->text,
				    text_str(&out->printed));
		return same;
	case WANT_FAULT:
	case WANT_REFUSE: return same_diag(want, &out->diag, told);
	}
	return same;
}

static bool judge(const struct test_case *c, const struct setup *s,
		  const struct outcome *out, struct text *told)
{
	bool may_fail = case_wants(c, WANT_FAULT) || case_wants(c, WANT_REFUSE);

	if (out->err && !may_fail) {
		text_printf(told, "%s at %d: %s (%d)", skep_diag_name(out->diag.id),
			    out->diag.insn, out->diag.text, out->err);
		return false;
	}
	for (size_t i = 0; i < c->wants.len; i++)
		if (!satisfied(c, vec_at(&c->wants, i), s, out, told))
			return false;
	return true;
}

static void count(struct tally *tally, const struct test_case *c, const char *engine,
		  const struct text *told, bool good)
{
	if (good) {
		tally->passed++;
		return;
	}
	tally->failed++;
	fprintf(stderr, "FAILED %s, engine %s\n\t%s\n\tagain: %s %s\n", c->path, engine,
		text_str(told), tally->self, c->path);
}

static void run_engine(const struct test_case *c, const struct engine *engine,
		       struct tally *tally)
{
	struct text told = TEXT_INIT;
	struct outcome out;
	struct setup s = {.arena = ARENA_INIT};
	bool good = false;

	if (!outcome_init(c, &out)) {
		out.err = setup_new(c, &s, &out.diag);
		if (!out.err && entry(&s))
			run_on(c, entry(&s), engine, &out);
		good = judge(c, &s, &out, &told);
	}
	count(tally, c, engine->name, &told, good);
	setup_free(&s);
	outcome_fini(&out);
	text_fini(&told);
}

static void run_file(const char *path, struct tally *tally)
{
	struct test_case c;
	bool faults;

	if (case_read(&c, path)) {
		tally->failed++;
		case_free(&c);
		return;
	}
	/* An engine that trusts its programs cannot be shown one that does wrong. */
	faults = case_wants(&c, WANT_FAULT);
	for (u32 i = 0; engine_at(i); i++)
		if (!faults || engine_at(i)->safe)
			run_engine(&c, engine_at(i), tally);
	case_free(&c);
}

/* ---- folders ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_case(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && !strcmp(name + len - 5, ".case");
}

static void run_path(const char *path, struct tally *tally);

static void run_folder(const char *path, struct tally *tally)
{
	struct vec names = VEC_INIT(char *);
	DIR *dir = opendir(path);

	for (struct dirent *e; dir && (e = readdir(dir));) {
		char **name, full[4096];

		if (e->d_name[0] == '.')
			continue;
		snprintf(full, sizeof(full), "%s/%s", path, e->d_name);
		name = vec_push(&names);
		if (name)
			*name = strdup(full);
	}
	if (dir)
		closedir(dir);
	if (names.len)
		qsort(names.data, names.len, sizeof(char *), by_name);
	for (size_t i = 0; i < names.len; i++) {
		char *name = *(char **)vec_at(&names, i);

		run_path(name, tally);
		free(name);
	}
	vec_fini(&names);
}

static void run_path(const char *path, struct tally *tally)
{
	struct stat st;

	if (stat(path, &st)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		tally->failed++;
	} else if (S_ISDIR(st.st_mode)) {
		run_folder(path, tally);
	} else if (is_case(path)) {
		run_file(path, tally);
	}
}

int main(int argc, char **argv)
{
	struct tally tally = {.self = argv[0]};

	for (int i = 1; i < argc; i++)
		run_path(argv[i], &tally);
	printf("%u passed, %u failed, %u skipped\n", tally.passed, tally.failed,
	       tally.skipped);
	return tally.failed || !tally.passed;
}
