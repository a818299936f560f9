/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who judges programs: skep's own verifier, or the kernel that runs.  Never does: print.
 */
#include "tools/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "btf/core.h"
#include "load/kernel.h"
#include "load/target.h"
#include "tools/into.h"
#include "tools/story.h"
#include "verify/explain.h"
#include "verify/log.h"
#include "verify/reasons.h"
#include "verify/verify.h"

struct judge {
	const struct target *target; /* borrowed */
	struct judge_opts opts;
	struct kernel_judge *kernel; /* owned; NULL: skep judges */
};

int judge_new(struct skep_object *obj, const struct skep_target *target,
	      const struct judge_opts *opts, struct judge **out, struct skep_diag *diag)
{
	struct judge *j = calloc(1, sizeof(*j));
	int err = 0;

	if (!j)
		return fail(diag, NO_MEMORY, NO_PC);
	j->target = target_of(target);
	j->opts = *opts;
	if (opts->kernel)
		err = kernel_judge_new(obj, j->target, &j->kernel, diag);
	if (err) {
		judge_free(j);
		return err;
	}
	if (j->kernel)
		kernel_judge_flags(j->kernel, opts->flags);
	*out = j;
	return err;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	kernel_judge_free(j->kernel);
	free(j);
}

/* ---- the kernel ---- */

static int by_kernel(struct judge *j, struct skep_prog *prog, struct verdict *v,
		     struct skep_diag *diag)
{
	static const enum kern_log_level levels[] = {KERN_LOG_STATS, KERN_LOG_ALL,
						     KERN_LOG_MORE};
	struct kern_verdict k = {0};
	int err = j->opts.into ? into_load(j->opts.into, prog, j->target, diag) : 0;

	if (err) {
		*v = (struct verdict){.outcome = UNSUPPORTED};
		return err;
	}
	err = kernel_judge_prog(j->kernel, prog, levels[j->opts.log], &k, diag);
	*v = (struct verdict){.insns_processed = k.insns_processed,
			      .states = k.states,
			      .time_us = k.verify_us ? k.verify_us : k.time_us,
			      .log = k.log};
	if (err)
		v->outcome = diag->id == DIAG_KERN_REJECTED ? REJECTED : UNSUPPORTED;
	return err;
}

/* ---- skep ---- */

/* What we cannot judge is no verdict. */
static enum outcome outcome_of(int err, const struct skep_diag *diag)
{
	if (!err)
		return ACCEPTED;
	return strcmp(verify_verdict(err, diag), "rejected") ? UNSUPPORTED : REJECTED;
}

static char *taken(struct text *t)
{
	char *s = t->len ? strdup(text_str(t)) : NULL;

	text_fini(t);
	return s;
}

static void explain_it(const struct prog *prog, const struct verify_opts *opts,
		       const struct verify_result *result, struct verdict *v,
		       const struct skep_diag *diag)
{
	struct explanation what = {
		.prog = prog, .opts = opts, .result = result, .diag = diag};
	struct text t = TEXT_INIT;
	struct json j = JSON_INIT;
	struct story story;

	story_make(&what, &story);
	story_print(&story, &what, &t);
	v->explanation = taken(&t);
	story_json(&j, NULL, &story, prog);
	v->explanation_json = taken(&j.text);
	story_fini(&story);
}

/* Without types every question of CO-RE would be answered with "no": a guess. */
static bool asks_for_types(const struct skep_prog *prog)
{
	const struct object_prog *p = &prog->obj->file->progs[prog - prog->obj->progs];

	for (u32 i = 0; i < p->n_relocs; i++) {
		if (p->relocs[i].kind == OBJECT_RELOC_CORE &&
		    p->relocs[i].core->kind != CORE_TYPE_ID_LOCAL)
			return true;
	}
	return false;
}

/* Before its verdict: fitted to the target, and what it attaches to. */
static int make_ready(struct judge *j, struct skep_prog *prog, struct verify_opts *opts,
		      struct skep_diag *diag)
{
	struct skep_prog *into = NULL;
	int err = 0;

	if (j->opts.into)
		err = into_target(j->opts.into, prog, j->target, &into, diag);
	if (err)
		return err;
	opts->attach_prog = into ? into->prog : NULL;
	return j->target->btf || !asks_for_types(prog) ? load_fit(prog, j->target, diag)
						       : fail(diag, CORE_NO_TYPES, NO_PC);
}

static int by_skep(struct judge *j, struct skep_prog *prog, struct verdict *v,
		   struct skep_diag *diag)
{
	struct text log = TEXT_INIT;
	struct verify_log logger = {.out = &log, .level = j->opts.log};
	struct verify_observer observer = verify_log_observer(&logger);
	struct verify_opts opts = {.target = j->target,
				   .struct_ops = load_struct_ops_of(prog),
				   .unprivileged = j->opts.unprivileged,
				   .flags = j->opts.flags,
				   .observer = j->opts.log ? &observer : NULL};
	struct verify_result result = {0};
	int err = make_ready(j, prog, &opts, diag);

	*v = (struct verdict){0};
	if (err) {
		verify_log_end(&logger);
		v->outcome = UNSUPPORTED;
		return err;
	}
	err = verify_prog(prog->prog, &opts, &result, diag);
	v->insns_processed = result.stats.insns_processed;
	v->states = result.stats.states;
	v->time_us = result.stats.time_ns / 1000;
	v->memory = result.stats.memory;
	v->outcome = outcome_of(err, diag);
	if (v->outcome == REJECTED)
		explain_it(prog->prog, &opts, &result, v, diag);
	verify_log_end(&logger);
	v->log = taken(&log);
	verify_result_fini(&result);
	return err;
}

int judge_prog(struct judge *j, struct skep_prog *prog, struct verdict *verdict,
	       struct skep_diag *diag)
{
	return j->kernel ? by_kernel(j, prog, verdict, diag)
			 : by_skep(j, prog, verdict, diag);
}

void verdict_fini(struct verdict *v)
{
	free(v->log);
	free(v->explanation);
	free(v->explanation_json);
}
