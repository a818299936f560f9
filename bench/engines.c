/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects opened and run on raw memory, by every engine there is: src/exec lists them.
 *
 * No verifier accepts a program that takes r1 for memory and r2 for its length, so
 * nothing here is loaded: an object is read by src/load, its program made an image by
 * src/exec, and run unverified.  That is sound for what bench/programs holds and for
 * nothing else.
 */
#include "engines.h"

#include <stdio.h>
#include <stdlib.h>

#include "load/load.h"

struct bench_image {
	struct skep_object *obj; /* owned; the image's program is its; NULL: borrowed */
	struct image *image;     /* owned */
	/* What its runs are given: longer to write anew each time than some programs run.
	 */
	struct mem_region region;
	struct exec_opts opts;
	struct run run;
	struct skep_diag diag;
};

static int fail_with(const char *path, const struct skep_diag *diag)
{
	fprintf(stderr, "skep-bench: %s: %s\n", path, diag->text);
	return -1;
}

static int open_object(const char *path, struct bench_image *image)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_prog *prog;

	if (skep_object_open(path, NULL, &image->obj, &diag))
		return fail_with(path, &diag);
	prog = skep_object_next_prog(image->obj, NULL);
	if (!prog)
		return -1;
	if (image_new(&(struct image_spec){.prog = prog->prog}, &image->image, &diag))
		return fail_with(path, &diag);
	return 0;
}

struct bench_image *bench_open(const char *folder, const char *name)
{
	struct bench_image *image = calloc(1, sizeof(*image));
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", folder, name);
	if (image && !open_object(path, image))
		return image;
	bench_close(image);
	return NULL;
}

const struct prog *bench_prog(const struct bench_image *image)
{
	return image_prog(image->image);
}

struct bench_image *bench_of(const struct prog *prog, const struct jit_opts *jit)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct bench_image *image = calloc(1, sizeof(*image));

	if (image && !image_new(&(struct image_spec){.prog = prog, .jit = *jit},
				&image->image, &diag))
		return image;
	fail_with(prog->name, &diag);
	bench_close(image);
	return NULL;
}

void bench_close(struct bench_image *image)
{
	if (!image)
		return;
	image_free(image->image);
	skep_object_close(image->obj);
	free(image);
}

const char *bench_engine(u32 engine)
{
	const struct engine *found = engine < BENCH_ENGINES ? engine_at(engine) : NULL;

	return found ? found->name : NULL;
}

static void set_memory(struct bench_image *image, void *mem, u64 len)
{
	image->region = (struct mem_region){
		.name = "memory", .addr = mem, .size = len, .writable = true};
	image->opts =
		(struct exec_opts){.r2 = len, .regions = &image->region, .n_regions = 1};
	image->run = (struct run){.ctx = mem, .opts = &image->opts, .diag = &image->diag};
}

u64 bench_run(struct bench_image *image, u32 engine, void *mem, u64 len)
{
	const struct skep_diag *diag = &image->diag;
	u64 ret;

	if (image->region.addr != mem || image->region.size != len)
		set_memory(image, mem, len);
	if (!engine_at(engine)->run(image->image, &image->run, &ret))
		return ret;
	fprintf(stderr, "skep-bench: %s: %s (instruction %d, line %d)\n",
		bench_engine(engine), diag->text, diag->insn, diag->line);
	exit(1);
}
