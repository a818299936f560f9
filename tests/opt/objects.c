/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that a compiler made, on raw memory: what the interpreter computes, the
 * intermediate form computes, too, before and after the passes.
 *
 *	objects [-l | -p | -c] [-t] FILE.bpf.o...
 *
 * -l: lists the form as built, -p: after the passes, -c: so that time can be limited,
 * instead; -t: how long that takes.
 */
#include <errno.h>
#include <skep/diag.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "check.h"
#include "helpers/helpers.h"
#include "load/load.h"
#include "opt/eval.h"

enum { MEMORY = 8192, ROUNDS = 200 };

struct options {
	bool list, passes, limited, time;
};

static _Alignas(64) u8 memory[MEMORY], wanted[MEMORY];

static void fill(void)
{
	u64 x = 0x5eed;

	for (u32 i = 0; i < MEMORY / sizeof(x); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(memory + i * sizeof(x), &x, sizeof(x));
	}
}

static int run_on(const struct engine *engine, const struct image *image, u64 *ret)
{
	struct exec_opts opts = {.r2 = MEMORY};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct run run = {.ctx = memory, .opts = &opts, .diag = &diag};

	fill();
	return engine->run(image, &run, ret);
}

static void compare(const char *path, const struct image *image)
{
	u64 want, got;

	if (!CHECK(!run_on(engine_find("interp"), image, &want)))
		return;
	memcpy(wanted, memory, MEMORY);
	for (u32 i = 0; i < EVAL_ENGINES; i++) {
		int err = run_on(&eval_engines[i], image, &got);

		if (err == -ETIMEDOUT) /* it is slow */
			continue;
		if (!CHECK(!err && got == want && !memcmp(memory, wanted, MEMORY)))
			fprintf(stderr, "%s, %s: %d %#llx, wanted %#llx\n", path,
				eval_engines[i].name, err, (unsigned long long)got,
				(unsigned long long)want);
	}
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static u64 fastest(const struct prog *prog, const struct compile_how *how)
{
	u64 best = UINT64_MAX;

	for (u32 i = 0; i < ROUNDS; i++) {
		struct compiled c;
		u64 start = now_ns(), spent;

		compiled_new(prog, NULL, how, &c, NULL);
		compiled_fini(&c);
		spent = now_ns() - start;
		best = min_u64(best, spent);
	}
	return best;
}

static void time_it(const char *path, const struct prog *prog)
{
	struct compile_how how = {.unchecked = true};
	u64 build = fastest(prog, &how), both;

	how.passes = true;
	both = fastest(prog, &how);
	printf("%-40s %5u insns: build %6.1f us, %4.0f ns each; with passes %6.1f us\n",
	       path, prog->n_insns, (double)build / 1000, (double)build / prog->n_insns,
	       (double)both / 1000);
}

static void list_it(const struct prog *prog, const struct options *o)
{
	struct compile_how how = {.passes = o->passes, .time_limit = o->limited};
	struct text t = TEXT_INIT;
	struct compiled c;

	if (CHECK(!compiled_new(prog, NULL, &how, &c, NULL)))
		for (u32 i = 0; i < c.functions.n; i++) {
			text_printf(&t, "f%u:\n", i);
			ir_print(&t, &c.irs[i]);
		}
	printf("%s", text_str(&t));
	text_fini(&t);
	compiled_fini(&c);
}

static void try_object(const char *path, const struct options *o)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj = NULL;
	struct image_spec spec = {.helper = helper_body, .engines = FOR_INTERP};
	struct skep_prog *prog;
	struct image *image;

	if (!CHECK(!skep_object_open(path, NULL, &obj, &diag)))
		return;
	prog = skep_object_next_prog(obj, NULL);
	if (CHECK(prog))
		spec.prog = prog->prog;
	if (prog && o->list)
		list_it(prog->prog, o);
	else if (prog && o->time)
		time_it(path, prog->prog);
	else if (prog && CHECK(!image_new(&spec, &image, &diag))) {
		compare(path, image);
		image_free(image);
	}
	skep_object_close(obj);
}

int main(int argc, char **argv)
{
	struct options o = {0};

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-l"))
			o.list = true;
		else if (!strcmp(argv[i], "-p"))
			o.list = o.passes = true;
		else if (!strcmp(argv[i], "-c"))
			o.list = o.passes = o.limited = true;
		else if (!strcmp(argv[i], "-t"))
			o.time = true;
		else
			try_object(argv[i], &o);
	}
	return check_report();
}
