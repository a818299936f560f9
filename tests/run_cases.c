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
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "case.h"
#include "case_kernel.h"
#include "case_object.h"
#include "case_run.h"
#include "case_verify.h"
#include "exec/exec.h"
#include "exec/jit/jit.h"
#include "helpers/helpers.h"
#include "load/load.h"
#include "maps/map.h"
#include "opt/eval.h"
#include "world/contexts.h"
#include "world/packet.h"
#include "world/world.h"

struct tally {
	u32 passed, failed, skipped;
	const char *self;
	struct skep_target *target; /* owned; with the running kernel's types */
};

/* ---- making it ready ---- */

/* A case's programs and maps, made anew for each engine. */
struct setup {
	u32 engines; /* FOR_*: of exec/exec.h */
	struct jit_opts jit;
	struct case_built built;
	struct map **maps;     /* counted; parallel to built.defs */
	struct image **images; /* owned; parallel to built.progs */
};

static int make_image(struct setup *s, u32 func, struct skep_diag *diag)
{
	return image_new(&(struct image_spec){.prog = &s->built.progs[func],
					      .maps = s->maps,
					      .helper = helper_body,
					      .engines = s->engines,
					      .jit = s->jit},
			 &s->images[func], diag);
}

static void *slot_value(const struct setup *s, const char *name)
{
	for (u32 i = 0; i < s->built.unit.n_funcs; i++)
		if (s->images[i] && !strcmp(s->built.unit.funcs[i].name, name))
			return s->images[i];
	for (u32 i = 0; i < s->built.unit.n_maps; i++)
		if (!strcmp(s->built.unit.maps[i].name, name))
			return s->maps[i];
	return NULL;
}

static int fill_slots(const struct setup *s)
{
	for (u32 i = 0; i < s->built.unit.n_maps; i++)
		for (u32 k = 0; k < s->built.unit.maps[i].n_slots; k++) {
			const struct asm_slot *slot = &s->built.unit.maps[i].slots[k];
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
	struct case_built *built = &s->built;
	int err = case_build(c, built, diag);

	s->maps = arena_array(&built->arena, built->n_maps + 1, sizeof(*s->maps));
	s->images =
		arena_array(&built->arena, built->unit.n_funcs + 1, sizeof(*s->images));
	if (!s->maps || !s->images)
		return -ENOMEM;
	if (!err)
		err = case_make_maps(c, &s->built, s->maps, diag);
	for (u32 i = 0; i < built->unit.n_funcs && !err; i++)
		if (built->unit.funcs[i].program)
			err = make_image(s, i, diag);
	return err ? err : fill_slots(s);
}

static void setup_free(struct setup *s)
{
	for (u32 i = 0; s->maps && i < s->built.n_maps; i++)
		map_put(s->maps[i]);
	for (u32 i = 0; s->images && i < s->built.unit.n_funcs; i++)
		image_free(s->images[i]);
	case_built_fini(&s->built);
}

static const struct image *entry(const struct setup *s)
{
	for (u32 i = 0; i < s->built.unit.n_funcs; i++)
		if (s->built.unit.funcs[i].program)
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

static bool same_packet(const struct want *want, const struct packet *p,
			struct text *told)
{
	u32 len = packet_len(p);
	u8 *bytes = malloc(len + 1);
	bool same = bytes && !packet_read(p, 0, bytes, len) &&
		    case_same_bytes(&want->value, bytes, len, told);

	free(bytes);
	return same;
}

static struct map *find_map(const struct setup *s, const char *name)
{
	for (u32 i = 0; i < s->built.n_maps; i++)
		if (!strcmp(s->built.defs[i].name, name))
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
		same = case_same_bytes(&want->value, value, size, told);
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
	case WANT_MEM: return case_same_bytes(&want->value, out->mem, c->mem.len, told);
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
	case WANT_KERNEL:
	case WANT_REJECT:
	case WANT_ACCEPT: return true; /* case_kernel.c, case_verify.c */
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

/* No verifier accepts functions that call themselves, and the compiler does not take
 * them. */
static bool is_left_out(const struct engine *engine, const struct outcome *out)
{
	return engine->images == FOR_JIT && out->err == -ENOTSUP &&
	       !strcmp(skep_diag_name(out->diag.id), "CALL_DEPTH");
}

struct way {
	const struct engine *engine;
	const char *name;
	struct jit_opts jit;
};

static void run_way(const struct test_case *c, const struct way *way, struct tally *tally)
{
	const struct engine *engine = way->engine;
	struct text told = TEXT_INIT;
	struct outcome out;
	struct setup s = {.engines = engine->images,
			  .jit = way->jit,
			  .built = {.arena = ARENA_INIT}};
	bool good = false;

	if (!outcome_init(c, &out)) {
		out.err = setup_new(c, &s, &out.diag);
		if (!out.err && entry(&s))
			run_on(c, entry(&s), engine, &out);
		good = judge(c, &s, &out, &told);
	}
	if (is_left_out(engine, &out))
		tally->skipped++;
	else
		count(tally, c, way->name, &told, good);
	setup_free(&s);
	outcome_fini(&out);
	text_fini(&told);
}

static void run_engine(const struct test_case *c, const struct engine *engine,
		       struct tally *tally)
{
	run_way(c, &(struct way){.engine = engine, .name = engine->name}, tally);
}

/* What the compiler writes depends on more than the program. */
static void run_compiled(const struct test_case *c, struct tally *tally)
{
	const struct engine *jit = engine_find("jit");
	const struct way ways[] = {
		{jit, "jit, hardened", {.harden = JIT_BLIND | JIT_BRANCH_TARGETS}},
		{jit, "jit, of an older CPU", {.without = UINT32_MAX}},
		{jit, "jit, calls kept", {.keep_calls = true, .time_limit = true}},
	};

	for (u32 i = 0; jit && i < ARRAY_SIZE(ways); i++)
		run_way(c, &ways[i], tally);
}

static void run_verifier(const struct test_case *c, struct tally *tally)
{
	struct text told = TEXT_INIT;

	if (c->hook != HOOK_RAW)
		count(tally, c, "verifier", &told, case_in_verifier(c, &told));
	text_fini(&told);
}

static void run_kernel(const struct test_case *c, struct tally *tally)
{
	struct text told = TEXT_INIT;
	enum kernel_answer answer = case_in_kernel(c, &told);

	if (answer == KERNEL_NOT_ASKED)
		tally->skipped++;
	else
		count(tally, c, "kernel", &told, answer == KERNEL_AGREES);
	text_fini(&told);
}

/* ---- verdicts ---- */

static void count_answer(struct tally *tally, const struct test_case *c,
			 const char *judge, struct text *told, enum kernel_answer answer)
{
	if (answer == KERNEL_NOT_ASKED)
		tally->skipped++;
	else
		count(tally, c, judge, told, answer == KERNEL_AGREES);
	text_fini(told);
}

static void run_verdict(struct case_object *o, struct skep_prog *prog,
			const struct test_case *c, struct tally *tally)
{
	struct text told = TEXT_INIT, told_by_kernel = TEXT_INIT;

	count_answer(tally, c, "verifier", &told, case_verdict(o, prog, c, &told));
	if (kernel_is_open())
		count_answer(tally, c, "kernel", &told_by_kernel,
			     case_verdict_of_kernel(o, prog, c, &told_by_kernel));
	else
		tally->skipped++;
}

static void tell_broken(const char *path, const struct skep_diag *diag,
			struct tally *tally)
{
	fprintf(stderr, "FAILED %s:%d: %s\n", path, diag->line, diag->text);
	tally->failed++;
}

static void run_text(const struct test_case *c, struct tally *tally)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_target *own = NULL;
	struct case_object o = {0};

	if (c->target[0] && skep_target_new(c->target, NULL, &own, &diag))
		tell_broken(c->path, &diag, tally);
	else if (case_object_of_text(c, own ? own : tally->target, &o, &diag))
		tell_broken(c->path, &diag, tally);
	for (u32 i = 0; o.obj && i < o.obj->n_progs; i++)
		run_verdict(&o, &o.obj->progs[i], c, tally);
	case_object_fini(&o);
	skep_target_free(own);
}

/* Each program of the object is a case. */
static void run_object(const char *path, struct tally *tally)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct case_object o;

	if (case_object_of_file(path, tally->target, &o, &diag))
		tell_broken(path, &diag, tally);
	for (u32 i = 0; o.obj && i < o.obj->n_progs; i++) {
		struct skep_prog *prog = &o.obj->progs[i];
		char name[512];
		struct test_case c;

		snprintf(name, sizeof(name), "%s:%s", path, skep_prog_name(prog));
		if (case_of_tags(prog, name, &c)) {
			run_verdict(&o, prog, &c, tally);
		} else {
			snprintf(diag.text, sizeof(diag.text),
				 "it has no tags of a case");
			tell_broken(name, &diag, tally);
		}
		case_free(&c);
	}
	case_object_fini(&o);
}

struct programs {
	struct tally *tally;
	const char *path;
};

static void program_ran(void *arg, const char *name, const char *engine,
			const struct text *told, bool good)
{
	const struct programs *of = arg;
	struct test_case c = {.path = of->path};
	struct text where = TEXT_INIT;

	text_printf(&where, "%s: %s", name, text_str(told));
	count(of->tally, &c, engine, &where, good);
	text_fini(&where);
}

static void run_programs(const char *path, struct tally *tally)
{
	struct programs of = {tally, path};

	case_object_run(path, tally->target,
			&(struct run_report){.arg = &of, .done = program_ran});
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
	if (case_is_verdict(&c)) {
		run_text(&c, tally);
		case_free(&c);
		return;
	}
	/* An engine that trusts its programs cannot be shown one that does wrong. */
	faults = case_wants(&c, WANT_FAULT);
	for (u32 i = 0; engine_at(i); i++)
		if (!faults || engine_at(i)->safe)
			run_engine(&c, engine_at(i), tally);
	if (!faults)
		run_compiled(&c, tally);
	for (u32 i = 0; i < EVAL_ENGINES && !faults; i++)
		run_engine(&c, &eval_engines[i], tally);
	run_verifier(&c, tally);
	run_kernel(&c, tally);
	case_free(&c);
}

/* ---- folders ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && !strcmp(name + len - n, end);
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
	} else if (ends_in(path, ".case")) {
		run_file(path, tally);
	} else if (ends_in(path, ".bpf.o")) {
		if (case_object_runs(path))
			run_programs(path, tally);
		else
			run_object(path, tally);
	}
}

int main(int argc, char **argv)
{
	struct tally tally = {.self = argv[0]};
	struct skep_diag diag = SKEP_DIAG_INIT;

	if (skep_target_new(NULL, NULL, &tally.target, &diag)) {
		fprintf(stderr, "%s\n", diag.text);
		return 1;
	}
	for (int i = 1; i < argc; i++)
		run_path(argv[i], &tally);
	skep_target_free(tally.target);
	printf("%u passed, %u failed, %u skipped\n", tally.passed, tally.failed,
	       tally.skipped);
	return tally.failed || !tally.passed;
}
