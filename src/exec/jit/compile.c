/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program becomes native code: function by function through src/opt and the machine,
 * one blob for all.  Never puts it anywhere: that is jit.c's.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/diag.h"
#include "exec/jit/compile.h"
#include "maps/map.h"

/* Of memory while a function is compiled: all of it, and for each instruction. */
enum { FIXED_BYTES = 4096, BYTES_EACH = 300 };

/* Takes as long as a pass or two: for builds that look for mistakes. */
static void check(const struct ir *ir)
{
#ifdef SKEP_CHECK_IR
	assert(!ir_check(ir));
#else
	(void)ir;
#endif
}

/* The arena is empty before and full behind. */
static int compile_function(const struct ir_spec *spec, u32 function, struct arena *arena,
			    struct native *out, struct skep_diag *diag)
{
	struct allocation where;
	struct ir ir;
	int err = ir_build(spec, function, arena, &ir, diag);

	if (!err)
		err = ir_optimise(&ir, diag);
	if (err)
		return err;
	out->machine->select(&ir, out->features);
	check(&ir);
	err = allocate(&ir, out->machine, out->features, &where);
	if (!err)
		err = out->machine->emit(&ir, &where, out);
	return err ? fail(diag, NO_MEMORY, NO_PC) : 0;
}

/* One after another in the same memory: as much as most functions of that size need. */
static int compile_functions(const struct ir_spec *spec, struct native *out,
			     struct skep_diag *diag)
{
	const struct ir_functions *functions = spec->functions;
	struct arena arena = ARENA_INIT;
	u32 longest = 0;
	int err = 0;

	for (u32 i = 0; i < functions->n; i++) {
		u32 length = functions->entry[i + 1] - functions->entry[i];

		longest = length > longest ? length : longest;
	}
	if (!arena_expect(&arena, FIXED_BYTES + (size_t)longest * BYTES_EACH))
		err = fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < functions->n && !err; i++) {
		err = compile_function(spec, i, &arena, out, diag);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	return err;
}

/* Only as hard to guess as the system makes it: where it gives nothing, as hard as where
 * we lie.  Code behaves the same. */
static u64 random_blinding(void)
{
	u64 r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = (uintptr_t)random_blinding;
	return r;
}

/* Does its only function call itself, by name or address? */
static bool calls_itself(const struct prog *prog)
{
	for (u32 pc = 0; pc < prog->n_insns; pc++) {
		const struct insn *insn = &prog->insns[pc];
		enum op op = decode(insn);

		if (op == OP_CALLX || (op == OP_CALL && insn->src_reg == CALL_LOCAL) ||
		    (op == OP_LDDW && insn->src_reg == LDDW_FUNC))
			return true;
		pc += op_info(op)->wide;
	}
	return false;
}

static int compile_all(const struct jit_source *src, struct arena *arena,
		       struct native *out, struct skep_diag *diag)
{
	struct ir_functions functions;
	struct ir_spec spec = {.prog = src->prog,
			       .maps = src->maps,
			       .helper = src->helper,
			       .arena = src->arena,
			       .functions = &functions,
			       .time_limit = src->opts.time_limit,
			       .bounded = src->opts.bounded,
			       .ways = src->ways,
			       .keep_calls = src->opts.keep_calls};
	int err = ir_find_functions(src->prog, arena, &functions, diag);

	if (err)
		return err;
	out->functions = calloc(functions.n, sizeof(*out->functions));
	if (!out->functions)
		return fail(diag, NO_MEMORY, NO_PC);
	out->n_functions = functions.n;
	while (functions.entry[out->exception] != src->prog->exception)
		out->exception++;
	out->returns = functions.n == 1 && !out->tail_calls && !calls_itself(src->prog);
	out->machine->begin(out);
	err = compile_functions(&spec, out, diag);
	if (!err && out->failed)
		err = fail(diag, NO_MEMORY, NO_PC);
	return err;
}

/* Machines say the address that it has now. */
static void make_relative(const struct jit_source *src, struct native *out)
{
	for (u32 i = 0; i < out->n_relocs; i++) {
		struct native_reloc *reloc = &out->relocs[i];

		if (reloc->kind == IR_MAP_BYTES)
			reloc->value -= (s64)(uintptr_t)src->maps[reloc->index]->region;
	}
}

static bool makes_tail_calls(const struct prog *prog)
{
	for (u32 pc = 0; pc < prog->n_insns; pc++) {
		const struct insn *insn = &prog->insns[pc];
		/* cheap questions first: most programs have none */
		if (insn->imm == HELPER_TAIL_CALL && insn->src_reg == CALL_HELPER &&
		    decode(insn) == OP_CALL)
			return true;
	}
	return false;
}

int jit_compile(const struct jit_source *src, struct native *out, struct skep_diag *diag)
{
	struct arena arena = ARENA_INIT;
	u32 features;
	int err;

	*out = (struct native){.machine = host_machine(&features)};
	if (!out->machine)
		return fail(diag, NO_JIT, NO_PC);
	out->features = features & ~src->opts.without;
	out->harden = src->opts.harden;
	out->known_to = src->opts.known_to;
	out->blinding = out->harden & JIT_BLIND ? random_blinding() : 0;
	out->features |= out->harden & JIT_BLIND ? MACHINE_BLIND : 0;
	out->tail_calls = makes_tail_calls(src->prog);
	err = compile_all(src, &arena, out, diag);
	if (err)
		native_fini(out);
	else
		make_relative(src, out);
	arena_fini(&arena);
	return err;
}
