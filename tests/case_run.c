/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects whose programs are run.  An object is opened and loaded anew for each engine,
 * as any user of the library does it; its programs run one after the other on a packet of
 * zeroes and find what those before left in maps.
 */
#include "case_run.h"

#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "case_kernel.h"
#include "case_object.h"
#include "exec/exec.h"
#include "load/load.h"

struct way {
	const char *name, *engine;
	bool harden, time_limit;
};

static const struct way ways[] = {
	{"interp", "interp", false, false},
	{"checked", "checked", false, false},
	{"jit", "jit", false, false},
	{"jit, hardened, with a time limit", "jit", true, true},
	{"kernel", "kernel", false, false},
};

static bool is_run(const struct test_case *c)
{
	return case_wants(c, WANT_R0) || case_wants(c, WANT_FAULT);
}

bool case_object_runs(const char *path)
{
	struct skep_object *obj = NULL;
	bool runs = false;

	if (skep_object_open(path, NULL, &obj, NULL))
		return false;
	for (u32 i = 0; i < obj->n_progs; i++) {
		struct test_case c;

		case_of_tags(&obj->progs[i], path, &c);
		runs |= is_run(&c);
		case_free(&c);
	}
	skep_object_close(obj);
	return runs;
}

/* What an engine that trusts its programs cannot be shown is not loaded. */
static void choose(struct skep_object *obj, const char *path, bool faults)
{
	for (u32 i = 0; i < obj->n_progs; i++) {
		struct test_case c;

		case_of_tags(&obj->progs[i], path, &c);
		skep_prog_select(&obj->progs[i], faults || !case_wants(&c, WANT_FAULT));
		case_free(&c);
	}
}

static bool is_right(const struct test_case *c, int err, u64 ret,
		     const struct skep_diag *diag, struct text *told)
{
	const struct want *fault = case_wants(c, WANT_FAULT),
			  *r0 = case_wants(c, WANT_R0);

	if (fault && err && !strcmp(skep_diag_name(diag->id), fault->name))
		return true;
	if (!fault && !err && (u32)ret == (u32)r0->number)
		return true;
	if (err)
		text_printf(told, "%s at %d: %s", skep_diag_name(diag->id), diag->insn,
			    diag->text);
	else
		text_printf(told, "r0: got %#x", (u32)ret);
	if (fault)
		text_printf(told, "\n\twanted %s", fault->name);
	else
		text_printf(told, "\n\twanted %#x", (u32)r0->number);
	return false;
}

static void run_prog(struct skep_prog *prog, const struct way *way,
		     const struct run_report *report)
{
	static const u8 zeroes[64];
	struct skep_packet packet = {.data = zeroes, .len = sizeof(zeroes)};
	u8 ctx[sizeof(zeroes)] = {0};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct text told = TEXT_INIT;
	struct test_case c;
	u64 ret = 0;
	int err;

	case_of_tags(prog, skep_prog_name(prog), &c);
	if (is_run(&c) && skep_prog_is_loaded(prog)) {
		err = skep_prog_takes_packets(prog)
			      ? skep_prog_run_packet(prog, &packet, &ret, &diag)
			      : skep_prog_run(prog, ctx, sizeof(ctx), &ret, &diag);
		report->done(report->arg, skep_prog_name(prog), way->name, &told,
			     is_right(&c, err, ret, &diag, &told));
	}
	case_free(&c);
	text_fini(&told);
}

static void run_way(const char *path, const struct skep_target *target,
		    const struct way *way, const struct run_report *report)
{
	const struct skep_object_opts opts = {.engine = way->engine,
					      .harden = way->harden,
					      .max_ns = way->time_limit ? 1000000000 : 0};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj = NULL;
	int err = skep_object_open(path, &opts, &obj, &diag);

	if (!err) {
		choose(obj, path, !strcmp(way->engine, "checked"));
		err = skep_object_load(obj, target, &diag);
	}
	for (u32 i = 0; !err && i < obj->n_progs; i++)
		run_prog(&obj->progs[i], way, report);
	if (err) {
		struct text told = TEXT_INIT;

		text_puts(&told, diag.text);
		report->done(report->arg, path, way->name, &told, false);
		text_fini(&told);
	}
	skep_object_close(obj);
}

/* What only the checked engine runs: others do not load it. */
static void refuse_prog(const char *path, const char *name,
			const struct skep_target *target, const struct run_report *report)
{
	static const char *const engines[] = {"interp", "jit"};

	for (u32 i = 0; i < ARRAY_SIZE(engines); i++) {
		const struct skep_object_opts opts = {.engine = engines[i]};
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct skep_object *obj = NULL;
		struct text told = TEXT_INIT;
		struct test_case c;
		bool good;

		if (!engine_find(engines[i]) ||
		    skep_object_open(path, &opts, &obj, &diag))
			continue;
		case_of_tags(skep_object_find_prog(obj, name), path, &c);
		for (u32 k = 0; k < obj->n_progs; k++)
			skep_prog_select(&obj->progs[k],
					 !strcmp(skep_prog_name(&obj->progs[k]), name));
		good = skep_object_load(obj, target, &diag) &&
		       !strcmp(skep_diag_name(diag.id),
			       case_wants(&c, WANT_REFUSE)->name);
		text_printf(&told, "%s: %s", skep_diag_name(diag.id), diag.text);
		report->done(report->arg, name, engines[i], &told, good);
		text_fini(&told);
		case_free(&c);
		skep_object_close(obj);
	}
}

static void refuse_all(const char *path, const struct skep_target *target,
		       const struct run_report *report)
{
	struct skep_object *obj = NULL;

	if (skep_object_open(path, NULL, &obj, NULL))
		return;
	for (u32 i = 0; i < obj->n_progs; i++) {
		struct test_case c;

		case_of_tags(&obj->progs[i], path, &c);
		if (case_wants(&c, WANT_REFUSE))
			refuse_prog(path, skep_prog_name(&obj->progs[i]), target, report);
		case_free(&c);
	}
	skep_object_close(obj);
}

static bool is_there(const struct way *way)
{
	return strcmp(way->engine, "kernel") ? engine_find(way->engine) != NULL
					     : kernel_is_open();
}

void case_object_run(const char *path, const struct skep_target *target,
		     const struct run_report *report)
{
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++)
		if (is_there(&ways[i]))
			run_way(path, target, &ways[i], report);
	refuse_all(path, target, report);
}
