/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What compiling costs: from a program to native code that can be called, verification
 * apart.
 *
 *	skep-bench-compile [--times N] [--each] OBJECT...
 *
 * Each program of each object is compiled and linked N times; the fastest counts, beside
 * the first one, which meets cold caches.  Then the parts are timed one by one, as
 * compile.c runs them, in the same way.  Objects are loaded for the checked engine: that
 * makes their maps, and asks no verifier.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exec/image.h"
#include "exec/jit/compile.h"
#include "load/load.h"

enum part { PART_BUILD, PART_PASSES, PART_SELECT, PART_ALLOCATE, PART_EMIT, PARTS };

static const char *const part_names[PARTS] = {"build", "passes", "select", "allocate",
					      "emit"};

struct cost {
	char *name; /* owned */
	u32 insns;
	double first, total, link; /* us */
	double part[PARTS];
};

struct bench {
	u32 times;
	bool each;
	struct cost *costs; /* owned */
	u32 n, skipped;
};

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double least(double a, double b)
{
	return a && a < b ? a : b;
}

static struct jit_source source_of(const struct image *image)
{
	return (struct jit_source){
		.prog = image->prog, .maps = image->maps, .helper = image->helper};
}

/* All of it, as image_new() does: until the code can be called, and what it took is free
 * again. */
static int compile_once(const struct image *image, struct cost *c)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct jit_source src = source_of(image);
	struct jit_code *code = NULL;
	struct native native;
	double start = now_us(), linking, end;
	int err = jit_compile(&src, &native, &diag);

	if (err)
		return err;
	linking = now_us();
	err = jit_link(image, &native, &code, &diag);
	native_fini(&native);
	end = now_us();
	jit_free(code);
	if (!c->first)
		c->first = end - start;
	c->total = least(c->total, end - start);
	c->link = least(c->link, end - linking);
	return err;
}

static int time_function(const struct ir_spec *spec, u32 function, struct native *out,
			 double *spent)
{
	struct arena arena = ARENA_INIT;
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct allocation where;
	double at[PARTS + 1];
	struct ir ir;
	int err;

	at[PART_BUILD] = now_us();
	err = ir_build(spec, function, &arena, &ir, &diag);
	at[PART_PASSES] = now_us();
	if (!err)
		err = ir_optimise(&ir, &diag);
	at[PART_SELECT] = now_us();
	if (!err)
		out->machine->select(&ir, out->features);
	at[PART_ALLOCATE] = now_us();
	if (!err)
		err = allocate(&ir, out->machine, out->features, &where);
	at[PART_EMIT] = now_us();
	if (!err)
		err = out->machine->emit(&ir, &where, out);
	at[PARTS] = now_us();
	for (u32 i = 0; i < PARTS; i++)
		spent[i] += at[i + 1] - at[i];
	arena_fini(&arena);
	return err;
}

static int time_parts(const struct image *image, struct cost *c)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct arena arena = ARENA_INIT;
	struct native out = {0};
	struct ir_functions functions;
	struct ir_spec spec = {.prog = image->prog,
			       .maps = image->maps,
			       .helper = image->helper,
			       .functions = &functions};
	double spent[PARTS] = {0}, start = now_us();
	int err = ir_find_functions(image->prog, &arena, &functions, &diag);

	spent[PART_BUILD] = now_us() - start;
	out.machine = host_machine(&out.features);
	if (!err)
		out.functions = calloc(functions.n, sizeof(*out.functions));
	if (!err && out.functions) {
		out.n_functions = functions.n;
		out.machine->begin(&out);
		for (u32 i = 0; i < functions.n && !err; i++)
			err = time_function(&spec, i, &out, spent);
	}
	for (u32 i = 0; i < PARTS; i++)
		c->part[i] = least(c->part[i], spent[i]);
	native_fini(&out);
	arena_fini(&arena);
	return err;
}

static int add(struct bench *b, const struct skep_prog *prog)
{
	struct cost *costs = realloc(b->costs, (b->n + 1) * sizeof(*costs)), *c;
	const char *object = skep_object_name(prog->obj), *name = skep_prog_name(prog);
	int err = 0;

	if (!costs)
		return -1;
	b->costs = costs;
	c = &costs[b->n++];
	*c = (struct cost){.insns = prog->image->prog->n_insns};
	c->name = malloc(strlen(object) + strlen(name) + 2);
	if (!c->name)
		return -1;
	sprintf(c->name, "%s %s", object, name);
	for (u32 i = 0; i < b->times && !err; i++)
		err = compile_once(prog->image, c);
	for (u32 i = 0; i < b->times && !err; i++)
		err = time_parts(prog->image, c);
	if (!err)
		return 0;
	fprintf(stderr, "%s: not compiled\n", c->name);
	free(c->name);
	b->n--;
	b->skipped++;
	return 0;
}

static int time_object(struct bench *b, const char *path)
{
	const struct skep_object_opts opts = {.engine = "checked"};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj;
	int err = skep_object_open(path, &opts, &obj, &diag);

	if (!err && skep_object_load(obj, NULL, &diag))
		skep_object_close(obj), err = -1;
	if (err) {
		fprintf(stderr, "%s\n", diag.text);
		b->skipped++;
		return 0;
	}
	for (u32 i = 0; i < obj->n_progs && !err; i++)
		if (obj->progs[i].image)
			err = add(b, &obj->progs[i]);
	skep_object_close(obj);
	return err;
}

/* ---- what is told ---- */

static void put(const char *name, const struct cost *c)
{
	printf("%7u %8.1f %8.1f %7.0f ", c->insns, c->first, c->total,
	       c->total * 1e3 / c->insns);
	for (u32 i = 0; i < PARTS; i++)
		printf(" %8.1f", c->part[i]);
	printf(" %8.1f  %s\n", c->link, name);
}

static int by_total(const void *a, const void *b)
{
	double x = ((const struct cost *)a)->total, y = ((const struct cost *)b)->total;

	return (x > y) - (x < y);
}

static double median(const struct bench *b, size_t field)
{
	double *all = malloc(b->n * sizeof(*all)), x, middle;
	u32 k;

	if (!all)
		return 0;
	for (u32 i = 0; i < b->n; i++) {
		memcpy(&x, (const char *)&b->costs[i] + field, sizeof(x));
		for (k = i; k > 0 && all[k - 1] > x; k--)
			all[k] = all[k - 1];
		all[k] = x;
	}
	middle = all[b->n / 2];
	free(all);
	return middle;
}

static void put_all(struct bench *b)
{
	struct cost sum = {0}, middle = {0};

	qsort(b->costs, b->n, sizeof(*b->costs), by_total);
	printf("  insns    first    total ns/insn ");
	for (u32 i = 0; i < PARTS; i++) {
		printf(" %8s", part_names[i]);
		middle.part[i] =
			median(b, offsetof(struct cost, part) + i * sizeof(double));
	}
	printf("     link  (us)\n");
	middle.first = median(b, offsetof(struct cost, first));
	middle.total = median(b, offsetof(struct cost, total));
	middle.link = median(b, offsetof(struct cost, link));
	for (u32 i = 0; i < b->n; i++) {
		const struct cost *c = &b->costs[i];

		if (b->each)
			put(c->name, c);
		sum.insns += c->insns, sum.first += c->first, sum.total += c->total;
		sum.link += c->link;
		for (u32 k = 0; k < PARTS; k++)
			sum.part[k] += c->part[k];
	}
	put("all", &sum);
	middle.insns = sum.insns / b->n;
	put("median (insns: mean)", &middle);
	printf("%u programs, %u left out\n", b->n, b->skipped);
}

int main(int argc, char **argv)
{
	struct bench b = {.times = 101};
	int i = 1, status = 0;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--each"))
			b.each = true;
		else if (!strcmp(argv[i], "--times") && i + 1 < argc)
			b.times = (u32)atoi(argv[++i]);
	}
	if (i == argc || !b.times || b.times > 100000) {
		fprintf(stderr,
			"usage: skep-bench-compile [--times N] [--each] OBJECT...\n");
		return 2;
	}
	if (!host_machine(NULL)) {
		fprintf(stderr, "skep-bench-compile: no compiler for this machine\n");
		return 4;
	}
	for (; i < argc && !status; i++)
		status = time_object(&b, argv[i]) ? 4 : 0;
	if (b.n)
		put_all(&b);
	for (u32 k = 0; k < b.n; k++)
		free(b.costs[k].name);
	free(b.costs);
	return status;
}
