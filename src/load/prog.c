/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public side of programs: what they are, and a run of one on memory.  Runs on
 * packets are packets.c.  Never does: attach, choose packets, print.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "helpers/run.h"
#include "kern/find.h"
#include "load/kernel.h"
#include "load/load.h"
#include "load/verdict.h"

SKEP_API const char *skep_prog_name(const struct skep_prog *prog)
{
	return prog->prog->name;
}

SKEP_API const char *skep_prog_section(const struct skep_prog *prog)
{
	return prog->prog->section;
}

SKEP_API u32 skep_prog_type(const struct skep_prog *prog)
{
	return prog->prog->type;
}

SKEP_API const char *skep_prog_type_name(const struct skep_prog *prog)
{
	const struct abi_name *name = abi_prog_type(prog->prog->type);

	return name ? name->name : "unknown";
}

SKEP_API u32 skep_prog_n_insns(const struct skep_prog *prog)
{
	return prog->prog->n_insns;
}

SKEP_API int skep_prog_select(struct skep_prog *prog, bool selected)
{
	if (prog->obj->loaded)
		return -EBUSY;
	prog->unwanted = !selected;
	return 0;
}

SKEP_API int skep_prog_chain(struct skep_prog *const *progs, size_t n,
			     struct skep_diag *diag)
{
	struct skep_prog *first = n ? progs[0] : NULL;
	struct skep_prog **copy;
	s32 go_on;

	if (!first || n > UINT32_MAX)
		return -EINVAL;
	if (first->obj->loaded)
		return diag_in(diag, fail(diag, IS_LOADED, NO_PC), "%s",
			       first->obj->name);
	if (!verdict_goes_on(first->prog->type, &go_on))
		return fail(diag, CHAIN_TYPE, NO_PC, skep_prog_type_name(first));
	for (size_t i = 1; i < n; i++) {
		if (progs[i]->obj != first->obj ||
		    progs[i]->prog->type != first->prog->type)
			return fail(diag, CHAIN_DIFFERS, NO_PC, first->prog->name,
				    progs[i]->prog->name);
	}
	copy = calloc(n, sizeof(*copy));
	if (!copy)
		return fail(diag, NO_MEMORY, NO_PC);
	memcpy(copy, progs, n * sizeof(*copy));
	/* Linux then follows the calls, and need not know what their types say */
	for (size_t i = 0; i < n; i++)
		progs[i]->prog->subprogs[0].global = false;
	free(first->chain);
	first->chain = copy;
	first->n_chain = (u32)n;
	return 0;
}

SKEP_API int skep_prog_set_target(struct skep_prog *prog, const char *target,
				  struct skep_diag *diag)
{
	int fd;

	if (prog->obj->loaded)
		return diag_in(diag, fail(diag, IS_LOADED, NO_PC), "%s", prog->obj->name);
	fd = kern_find(SYS_PROG, target, diag);
	if (fd < 0)
		return load_in_prog(prog, diag, fd);
	if (prog->target_fd >= 0)
		close(prog->target_fd);
	prog->target_fd = fd;
	return 0;
}

SKEP_API bool skep_prog_is_loaded(const struct skep_prog *prog)
{
	return prog->image || prog->fd >= 0;
}

SKEP_API bool skep_prog_takes_packets(const struct skep_prog *prog)
{
	return takes_packets(prog->prog->type);
}

SKEP_API const char *skep_prog_verdict_name(const struct skep_prog *prog, u64 ret)
{
	return verdict_name(prog->prog->type, ret);
}

/* ---- one run ---- */

/* Lets the engine go.  The caller holds the CPU. */
static int run_engine(const struct skep_prog *prog, struct run *run, u64 *ret)
{
	int err = prog->obj->engine->run(prog->image, run, ret);

	if (!prog->obj->engine->safe && run_holds(run))
		run_end(run);
	return err;
}

/* What runs unchecked takes from its context what the verifier let it take, as Linux
 * compares max_ctx_offset when it attaches or tests a program. */
static int check_context(const struct skep_prog *prog, size_t ctx_size,
			 struct skep_diag *diag)
{
	const struct verify_context *takes = &prog->context;
	const struct abi_ctx *layout = abi_ctx(prog->prog->type);

	if (layout && !layout->open && ctx_size < layout->size)
		return fail(diag, CONTEXT_TOO_SMALL, NO_PC, ctx_size, layout->name,
			    layout->size);
	if (prog->fd >= 0 || prog->obj->engine->safe)
		return 0;
	if (takes->believed)
		return fail(diag, CONTEXT_UNCHECKED,
			    takes->believed == BELIEVED_ELSEWHERE
				    ? NO_PC
				    : (int)takes->believed - 1);
	if (ctx_size < takes->size)
		return fail(diag, CONTEXT_CUT, NO_PC, ctx_size, takes->size);
	return 0;
}

SKEP_API int skep_prog_run(struct skep_prog *prog, void *ctx, size_t ctx_size, u64 *ret,
			   struct skep_diag *diag)
{
	struct mem_region memory = {
		.name = "context", .addr = ctx, .size = ctx_size, .writable = true};
	struct exec_opts opts = prog->obj->limits;
	struct run run = {.ctx = ctx, .opts = &opts};
	int err;

	if (!skep_prog_is_loaded(prog))
		return load_in_prog(prog, diag, fail(diag, NOT_LOADED, NO_PC));
	if (takes_packets(prog->prog->type))
		return load_in_prog(prog, diag, fail(diag, NEEDS_PACKET, NO_PC));
	err = check_context(prog, ctx_size, diag);
	if (err)
		return load_in_prog(prog, diag, err);
	if (prog->fd >= 0)
		return load_in_prog(prog, diag,
				    kernel_run(prog, ctx, ctx_size, ret, diag));
	opts.regions = &memory;
	opts.n_regions = 1;
	run.cpu = world_hold_cpu(prog->obj->world, 0);
	run.world = world_of(prog->obj->world);
	run.diag = diag;
	err = run_engine(prog, &run, ret);
	world_release_cpu(prog->obj->world, run.cpu);
	return load_in_prog(prog, diag, err);
}
