/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executing programs: a program made ready to run (struct image), and the engines that
 * run it.
 *
 * An image is const once made: many CPUs run it at once, each with its own struct run. An
 * engine starts with R1 = run->ctx and R10 = its own stack; the answer is R0.  A program
 * that works on raw memory (conformance, benchmarks, host contexts) says so in
 * run->opts. Included by load, hook, tools and tests.  Never does: attach, verify, own
 * maps.
 *
 *	struct image *image;
 *	err = image_new(&(struct image_spec){.prog = prog, .maps = maps,
 *			.helper = helper_body}, &image, diag);
 *	struct run run = {.world = w, .ctx = xdp_md, .packet = p, .diag = diag};
 *	err = checked_run(image, &run, &ret);
 *	image_free(image);
 *
 * Raw memory, as a benchmark or the conformance plugin runs it:
 *
 *	struct mem_region region = {.addr = buf, .size = n, .writable = true, .name =
 *				    "memory"};
 *	struct exec_opts opts = {.r2 = n, .regions = &region, .n_regions = 1};
 *	struct run run = {.ctx = buf, .opts = &opts, .diag = diag};
 *	err = interp_run(image, &run, &ret);
 */
#ifndef SKEP_EXEC_EXEC_H
#define SKEP_EXEC_EXEC_H

#include "helpers/run.h"
#include "prog/prog.h"

struct claims; /* verify/claims.h */
struct map;
struct image;
struct native;   /* exec/jit/machine.h */
struct watchdog; /* exec/watchdog.h */

enum { MAX_TAIL_CALLS = 33 }; /* in one run */
enum { DEFAULT_MAX_STEPS = 100000000 };

/* What an image is made ready for. */
enum {
	FOR_INTERP = 1,
	FOR_CHECKED = 2,
	FOR_JIT = 4,
};

/* How a program is compiled. */
struct jit_opts {
	bool time_limit; /* runs can be ended by exec_opts.watchdog */
	bool bounded;    /* a verifier accepted it: see ir_spec.bounded */
	bool keep_calls; /* helpers are called, never inlined */
	u32 harden;      /* enum jit_harden */
	u32 known_to;    /* enum jit_known_to */
	/* Of the host's features (its enum in exec/jit/MACHINE/): not used, whatever the
	 * CPU has.  For tests, and for code that must run on older CPUs. */
	u32 without;
};

struct image_spec {
	const struct prog *prog; /* borrowed; outlives the image */
	struct map *const *maps; /* live maps, parallel to prog->maps; borrowed, counted
				    by  the caller for as long as the image lives */
	helper_fn (*helper)(u32 number); /* its body, NULL: not offered; as helper_body()
					    of src/helpers */
	/* What the verifier said of it: checked asserts that it is true before each
	 * instruction.  Borrowed, outlives the image; NULL: nothing. */
	const struct claims *claims;
	/* What the verifier found of a program with an arena (enum verify_arena), an
	 * instruction a byte; borrowed, outlives the image.  NULL: such programs are
	 * refused, unless native is there. */
	const u8 *arena;
	/* Which ways jumps go (verify_result.ways), an instruction a byte; borrowed for
	 * the call.  Owed to every engine that trusts the verifier: enum verify_way says
	 * why.  NULL: nobody verified it. */
	const u8 *ways;
	u32 engines; /* FOR_*, those that will run it; 0: all that this machine has */
	struct jit_opts jit;
	const struct native *native; /* what the compiler made of this program; borrowed
					for the call; NULL: it is compiled */
};

/*
 * Memory that a run may touch beside its stack, context, packet and maps.
 */
struct mem_region {
	const char *name; /* for messages: "memory" */
	void *addr;       /* borrowed */
	u64 size;
	bool writable;
};

/* What run->opts points to; zero for every default. */
struct exec_opts {
	u64 r2;        /* start value; the length of raw memory */
	u64 max_steps; /* checked: instructions of one run; 0: DEFAULT_MAX_STEPS */
	u64 max_ns;    /* checked, and jit with a watchdog: time of one run; 0: no limit
			*/
	struct watchdog *watchdog; /* jit: ends runs of programs compiled with time_limit;
				      borrowed; NULL: nobody does */
	const struct mem_region *regions; /* checked: more memory to allow; borrowed */
	u32 n_regions;
};

/*
 * A program array's slots hold the struct image * of the programs (map_update_ref).
 *
 * Makes a program ready.  Errors: EINVAL for what is not well formed (insns_check) and
 * for maps that are missing, ENOTSUP with the name of a helper, kfunc, kernel symbol or
 * feature that the engines do not have.
 */
int image_new(const struct image_spec *spec, struct image **out, struct skep_diag *diag);
void image_free(struct image *image); /* NULL is fine; no run may be using it */

const struct prog *image_prog(const struct image *image);

/*
 * The engines.  Return 0 with R0 in *ret, or a negative errno with the story in
 * run->diag. They fill run->prog, call, engine and err; the caller fills the rest.
 *
 * interp is for programs that were verified: memory is touched unchecked.
 * checked is for any program: every access, every argument of every call and the number
 * of steps are checked; a violation ends the run with EFAULT, EACCES, EINVAL or
 * ETIMEDOUT and an account of it.
 * jit is for programs that were verified, compiled to native code.
 * An image must have been made for the engine.
 */
int interp_run(const struct image *image, struct run *run, u64 *ret);
int checked_run(const struct image *image, struct run *run, u64 *ret);
int jit_run(const struct image *image, struct run *run, u64 *ret);

typedef int (*run_fn)(const struct image *image, struct run *run, u64 *ret);

/* Room for what an engine keeps from run to run. */
struct engine_state {
	u64 words[6];
};

/*
 * Many runs of one image with one struct run: made ready once, then what this returns
 * runs it, as often as wanted, as jit_run() does.  In between the caller may change ctx
 * and packet, and take what runs leave; image, opts, call, prog and engine stay.
 */
run_fn jit_ready(const struct image *image, struct run *run, struct engine_state *state);

struct engine {
	const char *name; /* "interp", "checked", "jit" */
	run_fn run;
	/* As jit_ready(); NULL: run() is as quick */
	run_fn (*ready)(const struct image *image, struct run *run,
			struct engine_state *state);
	u32 images; /* FOR_*: what it runs */
	bool safe;  /* runs programs that nobody verified */
};

/* By name, or NULL; engine_at(0), engine_at(1), ... lists them, NULL ends the list. */
const struct engine *engine_find(const char *name);
const struct engine *engine_at(u32 i);
/* The fastest that this machine has for programs that were verified. */
const struct engine *engine_default(void);

#endif
