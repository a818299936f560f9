/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What verdicts cost: skep's verifier beside the one of the running kernel.
 *
 *	skep-bench-verify [--times N] [--each] [--alone] OBJECT...
 *
 * Each program is judged N times by both, in turn; the fastest counts, since everything
 * else that the machine does only makes them slower.  Linux' time is what its log tells:
 * the verifier alone.  --each prints a line for every program, --alone does without the
 * kernel (and without root).  Compared are programs on which both agree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <skep/skep.h>

#include "load/kernel.h"
#include "load/load.h"
#include "load/target.h"
#include "verify/verify.h"

struct cost {
	char *name; /* owned */
	bool accepted;
	u32 insns, processed, kernel_processed;
	u64 memory;
	double us, kernel_us; /* kernel_us 0: not compared */
};

struct bench {
	struct skep_target *target;
	u32 times;
	bool each, alone;
	struct cost *costs; /* owned */
	u32 n;
};

static double least(double a, double b)
{
	return a && a < b ? a : b;
}

static bool ask_skep(const struct bench *b, struct skep_prog *prog, struct cost *c)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct verify_opts opts = {.target = target_of(b->target),
				   .struct_ops = load_struct_ops_of(prog)};
	struct verify_result result;
	int err = verify_prog(prog->prog, &opts, &result, &diag);

	c->accepted = !err;
	c->processed = result.stats.insns_processed;
	c->memory = result.stats.memory;
	c->us = least(c->us, (double)result.stats.time_ns / 1e3);
	verify_result_fini(&result);
	return strcmp(verify_verdict(err, &diag), "unsupported") != 0;
}

static void ask_kernel(struct kernel_judge *judge, struct skep_prog *prog, struct cost *c)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_verdict k;
	int err = kernel_judge_prog(judge, prog, KERN_LOG_STATS, &k, &diag);

	c->kernel_processed = (u32)k.insns_processed;
	if (!err == c->accepted && k.verify_us)
		c->kernel_us = least(c->kernel_us, (double)k.verify_us);
	free(k.log);
}

static struct cost *add(struct bench *b, const struct skep_prog *prog)
{
	size_t n = b->n + 1;
	struct cost *costs = realloc(b->costs, n * sizeof(*costs)), *c;

	if (!costs)
		return NULL;
	b->costs = costs;
	c = &costs[b->n++];
	*c = (struct cost){.insns = (u32)skep_prog_n_insns(prog)};
	c->name = malloc(strlen(skep_object_name(prog->obj)) +
			 strlen(skep_prog_name(prog)) + 2);
	if (!c->name)
		return NULL;
	sprintf(c->name, "%s %s", skep_object_name(prog->obj), skep_prog_name(prog));
	return c;
}

static int judge_prog(struct bench *b, struct kernel_judge *judge, struct skep_prog *prog)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct cost *c;

	if (load_fit(prog, target_of(b->target), &diag))
		return 0;
	c = add(b, prog);
	if (!c)
		return -1;
	for (u32 i = 0; i < b->times; i++) {
		if (!ask_skep(b, prog, c))
			break;
		if (judge)
			ask_kernel(judge, prog, c);
	}
	return 0;
}

static int judge_object(struct bench *b, const char *path)
{
	const struct skep_object_opts opts = {.engine = b->alone ? "checked" : "kernel"};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kernel_judge *judge = NULL;
	struct skep_object *obj;
	int err = skep_object_open(path, &opts, &obj, &diag);

	if (err) {
		fprintf(stderr, "%s: %s\n", path, diag.text);
		return 0;
	}
	for (u32 i = 0; i < obj->n_progs; i++)
		obj->progs[i].unwanted = false;
	if (!b->alone)
		err = kernel_judge_new(obj, target_of(b->target), &judge, &diag);
	if (err)
		fprintf(stderr, "%s: %s\n", path, diag.text);
	for (u32 i = 0; i < obj->n_progs && !err; i++)
		err = judge_prog(b, judge, &obj->progs[i]);
	kernel_judge_free(judge);
	skep_object_close(obj);
	return err;
}

/* ---- what is told ---- */

static double ratio(const struct cost *c)
{
	return c->kernel_us ? c->us / c->kernel_us : 0;
}

static int worst_first(const void *a, const void *b)
{
	double x = ratio(a), y = ratio(b);

	return (x < y) - (x > y);
}

static void put(const struct cost *c)
{
	printf("%6.2f %9.0f us, Linux %9.0f us, %7u insns, %8u processed, Linux %8u, "
	       "%6.0f KB  %s\n",
	       ratio(c), c->us, c->kernel_us, c->insns, c->processed, c->kernel_processed,
	       (double)c->memory / 1e3, c->name);
}

static void put_all(struct bench *b, bool accepted)
{
	double ours = 0, theirs = 0;
	u32 n = 0, slow = 0, tiny = 0, big = 0;
	u64 memory = 0;
	double *ratios = malloc((b->n + 1) * sizeof(*ratios));

	for (u32 i = 0; i < b->n && ratios; i++) {
		const struct cost *c = &b->costs[i];

		if (c->accepted != accepted || (!b->alone && !c->kernel_us))
			continue;
		ratios[n++] = ratio(c);
		ours += c->us, theirs += c->kernel_us;
		slow += ratio(c) > 1.5;
		tiny += ratio(c) > 1.5 && c->us < 100;
		big += c->memory > 8 << 20;
		memory = c->memory > memory ? c->memory : memory;
		if (b->each || ratio(c) > 1.5)
			put(c);
	}
	if (n)
		printf("%s: %u programs: %.1f ms, Linux %.1f ms: ratio %.2f; of single "
		       "ones: "
		       "median %.2f, one in 20 above %.2f, most %.2f, above 1.5: %u (%u "
		       "of "
		       "them below 100 us); memory at most %.1f MB, above 8 MB: %u\n",
		       accepted ? "accepted" : "rejected", n, ours / 1e3, theirs / 1e3,
		       theirs ? ours / theirs : 0, ratios[n / 2], ratios[n / 20],
		       ratios[0], slow, tiny, (double)memory / 1e6, big);
	free(ratios);
}

int main(int argc, char **argv)
{
	struct bench b = {.times = 5};
	struct skep_diag diag = SKEP_DIAG_INIT;
	int i = 1, status = 0;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--each"))
			b.each = true;
		else if (!strcmp(argv[i], "--alone"))
			b.alone = true;
		else if (!strcmp(argv[i], "--times") && i + 1 < argc)
			b.times = (u32)atoi(argv[++i]);
	}
	if (i == argc || !b.times || b.times > 10000) {
		fprintf(stderr, "usage: skep-bench-verify [--times N] [--each] [--alone] "
				"OBJECT...\n");
		return 2;
	}
	if (skep_target_new(NULL, NULL, &b.target, &diag)) {
		fprintf(stderr, "%s\n", diag.text);
		return 4;
	}
	for (; i < argc && !status; i++)
		status = judge_object(&b, argv[i]) ? 4 : 0;
	qsort(b.costs, b.n, sizeof(*b.costs), worst_first);
	put_all(&b, true);
	put_all(&b, false);
	for (u32 k = 0; k < b.n; k++)
		free(b.costs[k].name);
	free(b.costs);
	skep_target_free(b.target);
	return status;
}
