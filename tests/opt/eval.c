/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See eval.h.  Every function call has its own array of values and its own stack.
 */
#include "opt/eval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "exec/atomics.h"
#include "exec/image.h"
#include "exec/legacy.h"
#include "helpers/helpers.h"
#include "isa/eval.h"
#include "maps/map.h"

enum { MAX_STEPS = 20000000 };
/* Without a look, where time is limited: for each function what rounds.c allows. */
enum { MAX_UNCHECKED = 1 << 18 };
enum { LEAVES = 2 }; /* of a step: the function ends with what is in ret */

struct eval {
	struct run *run;
	const struct compiled *now; /* the program that runs */
	eval_find find; /* what a program array holds, as a program; NULL: it is one */
	void *find_arg;
	u32 depth, tail_calls, unchecked;
	u64 steps, max_steps;
};

struct frame {
	struct eval *e;
	const struct ir *ir;
	u64 *v; /* owned; by value */
	const u64 *params;
	u8 *stack_end;
	u64 ret;
};

static int eval_function(struct eval *e, u32 function, const u64 args[5], u64 *ret);

/* ---- what computes ---- */

static u64 alu(const struct ir_insn *insn, u64 x, u64 y)
{
	if (!insn->b)
		y = x;
	switch ((enum alu)insn->row) {
#define A(name, ...)                                                                     \
	case ALU_##name:                                                                 \
		return insn->width == 64 ? alu64_##name(x, y) : alu32_##name(x, y);
#include "isa/alu.def"
#undef A
	case ALUS: break;
	}
	return 0;
}

static bool compare(const struct ir_insn *insn, u64 x, u64 y)
{
	switch ((enum jmp)insn->row) {
#define J(name, ...)                                                                     \
	case JMP_##name:                                                                 \
		return insn->width == 64 ? jmp64_##name(x, y) : jmp32_##name(x, y);
#include "isa/jmp.def"
#undef J
	case JMPS: break;
	}
	return false;
}

static u64 rotate(u8 width, u64 x, u64 by)
{
	if (width == 64)
		return x << (by & 63) | x >> (-by & 63);
	return (u32)((u32)x << (by & 31) | (u32)x >> (-by & 31));
}

static u64 high_product(bool is_signed, u64 x, u64 y)
{
	if (is_signed)
		return (u64)((__int128)(s64)x * (s64)y >> 64);
	return (u64)((unsigned __int128)x * y >> 64);
}

static u64 count(const struct ir_insn *insn, u64 x)
{
	if (insn->row == IR_COUNT_ONES)
		return (u64)__builtin_popcountll(x);
	return x ? (u64)__builtin_clzll(x) - (64u - insn->width) : insn->width;
}

static u64 swap(u8 width, u64 x)
{
	return width == 16   ? end_BSWAP16(x)
	       : width == 32 ? end_BSWAP32(x)
			     : end_BSWAP64(x);
}

/* ---- what touches memory ---- */

static void *address(const struct frame *f, const struct ir_insn *insn)
{
	bool indexed = insn->op == IR_LOAD || insn->op == IR_STORE;
	u64 index = indexed && insn->b ? f->v[insn->b] << insn->scale : 0;

	return (void *)(uintptr_t)(f->v[insn->a] + index + (u64)insn->imm);
}

static u64 load(const void *p, u8 width, bool sign)
{
	switch (width) {
	case 8: return sign ? (u64)(s64)(s8)load_u8(p) : load_u8(p);
	case 16: return sign ? (u64)(s64)(s16)load_u16(p) : load_u16(p);
	case 32: return sign ? (u64)(s64)(s32)load_u32(p) : load_u32(p);
	default: return load_u64(p);
	}
}

static void store(void *p, u8 width, u64 value)
{
	switch (width) {
	case 8: store_u8(p, (u8)value); return;
	case 16: store_u16(p, (u16)value); return;
	case 32: store_u32(p, (u32)value); return;
	default: store_u64(p, value);
	}
}

static u64 atomic(const struct ir_insn *insn, void *p, u64 source, u64 expected)
{
	u64 old = insn->width == 64 ? load_u64(p) : load_u32(p);

	switch ((enum atomic)insn->row) {
#define T(name, ...)                                                                     \
	case ATOMIC_##name:                                                              \
		if (insn->width == 64)                                                   \
			atomic_apply64_##name(p, &source, &expected);                    \
		else                                                                     \
			atomic_apply32_##name(p, &source, &expected);                    \
		break;
#include "isa/atomic.def"
#undef T
	case ATOMICS: break;
	}
	return old;
}

/* ---- calls ---- */

static int no_function(struct eval *e, u64 value)
{
	e->run->err = fail(e->run->diag, NO_FUNCTION, NO_PC, (unsigned long long)value);
	return e->run->err;
}

static void args_of(const struct frame *f, const struct ir_insn *insn, u64 args[5])
{
	for (u32 i = 0; i < 5; i++)
		args[i] = i < insn->n_args ? f->v[f->ir->args[insn->aux + i]] : 0;
}

static bool find_function(const struct compiled *c, u64 value, u32 *function)
{
	u64 distance = value - (u64)(uintptr_t)c->irs;

	*function = (u32)(distance / sizeof(*c->irs));
	return distance % sizeof(*c->irs) == 0 &&
	       distance / sizeof(*c->irs) < c->functions.n;
}

static int call_function(struct frame *f, u32 function, const u64 args[5], u64 *ret)
{
	const struct compiled *now = f->e->now;
	int err = eval_function(f->e, function, args, ret);

	f->e->now = now;
	f->e->run->prog = now->prog;
	return err;
}

static int callx(struct frame *f, u64 value, const u64 args[5], u64 *ret)
{
	helper_fn helper = value <= UINT32_MAX ? helper_body((u32)value) : NULL;
	u32 function;

	if (helper) {
		*ret = helper(f->e->run, args[0], args[1], args[2], args[3], args[4]);
		return f->e->run->err;
	}
	if (!find_function(f->e->now, value, &function))
		return no_function(f->e, value);
	return call_function(f, function, args, ret);
}

static int tail_call(struct frame *f, const u64 args[5], u64 *ret)
{
	struct eval *e = f->e;
	const struct compiled *next = NULL;
	u32 depth;
	int err;

	*ret = (u64)(s64)-ENOENT;
	if (e->tail_calls < MAX_TAIL_CALLS)
		next = map_prog((struct map *)(uintptr_t)args[1], (u32)args[2]);
	if (next && e->find)
		next = e->find(e->find_arg, next);
	if (!next || next->prog->type != e->now->prog->type)
		return 0;
	e->tail_calls++;
	e->now = next;
	e->run->prog = next->prog;
	depth = e->depth;
	e->depth = 0; /* it has frames of its own */
	f->ret = 0;
	err = eval_function(e, 0, args, &f->ret);
	e->depth = depth;
	return err ? err : LEAVES;
}

static int call(struct frame *f, const struct ir_insn *insn, u64 *ret)
{
	struct run *run = f->e->run;
	u64 args[5];
	helper_fn helper = (helper_fn)(uintptr_t)insn->imm;

	args_of(f, insn, args);
	switch ((int)insn->op) {
	case IR_CALL:
		*ret = helper(run, args[0], args[1], args[2], args[3], args[4]);
		return run->err;
	case IR_CALL_LOCAL: return call_function(f, (u32)insn->imm, args, ret);
	case IR_CALLX: return callx(f, f->v[insn->a], args, ret);
	default: return tail_call(f, args, ret);
	}
}

static int ld_packet(struct frame *f, const struct ir_insn *insn, u64 *ret)
{
	u64 at = (insn->a ? f->v[insn->a] : 0) + (u64)insn->imm;

	if (legacy_load(f->e->run->packet, (s32)(u32)at, insn->width / 8u, ret))
		return 0;
	f->ret = 0;
	return LEAVES;
}

/* ---- a function ---- */

static u64 addr(const struct frame *f, const struct ir_insn *insn)
{
	if (insn->row == IR_FUNC)
		return (u64)(uintptr_t)&f->e->now->irs[insn->aux];
	return (u64)insn->imm;
}

/* An instruction that is no PHI and ends no block.  0, LEAVES or a negative errno. */
static int step(struct frame *f, u32 at)
{
	const struct ir_insn *insn = &f->ir->insns[at];
	const u64 *v = f->v;
	u64 *out = &f->v[at], a = v[insn->op == IR_CALL ? 0 : insn->a];

	if (f->e->now->time_limit && f->e->unchecked++ > MAX_UNCHECKED)
		return -ELOOP;
	if (insn->op == IR_CHECK || insn->op == IR_CALLX ||
	    (insn->op == IR_CALL && !insn->row))
		f->e->unchecked = 0;
	switch ((enum ir_op)insn->op) {
	case IR_CONST: *out = (u64)insn->imm; return 0;
	case IR_ADDR: *out = addr(f, insn); return 0;
	case IR_RUN: *out = (u64)(uintptr_t)f->e->run; return 0;
	case IR_FRAME: *out = (u64)(uintptr_t)f->stack_end; return 0;
	case IR_PARAM: *out = f->params[insn->imm - 1]; return 0;
	case IR_ALU: *out = alu(insn, a, v[insn->b]); return 0;
	case IR_ROTL: *out = rotate(insn->width, a, v[insn->b]); return 0;
	case IR_SWAP: *out = swap(insn->width, a); return 0;
	case IR_MULH: *out = high_product(insn->row, a, v[insn->b]); return 0;
	case IR_COUNT: *out = count(insn, insn->width == 64 ? a : (u32)a); return 0;
	case IR_CMP: *out = compare(insn, a, v[insn->b]); return 0;
	case IR_SELECT: *out = a ? v[insn->b] : v[insn->c]; return 0;
	case IR_LOAD:
	case IR_LOAD_ACQ: *out = load(address(f, insn), insn->width, insn->row); return 0;
	case IR_STORE:
	case IR_STORE_REL: store(address(f, insn), insn->width, v[insn->c]); return 0;
	case IR_ATOMIC:
		*out = atomic(insn, address(f, insn), v[insn->c], v[insn->b]);
		return 0;
	case IR_LD_PACKET: return ld_packet(f, insn, out);
	case IR_CALL:
	case IR_CALL_LOCAL:
	case IR_CALLX:
	case IR_TAIL_CALL: return call(f, insn, out);
	case IR_CHECK: return f->e->run->err;
	case IR_NOP:
	case IR_PHI:
	case IR_GOTO:
	case IR_JMP:
	case IR_EXIT:
	case IR_OPS: break;
	}
	return 0;
}

static bool branch(struct frame *f, const struct ir_insn *insn)
{
	switch ((int)insn->op) {
	case IR_JMP: return compare(insn, f->v[insn->a], f->v[insn->b]);
	default: return true;
	}
}

/* The PHIs of a block that is entered by its n-th edge, all at once. */
static void enter(struct frame *f, const struct ir_block *block, u32 edge)
{
	u64 values[256];
	u32 n = 0;

	for (u32 i = block->start; i < block->end && n < 256; i++)
		if (f->ir->insns[i].op == IR_PHI)
			values[n++] = f->v[f->ir->args[f->ir->insns[i].aux + edge]];
	n = 0;
	for (u32 i = block->start; i < block->end && n < 256; i++)
		if (f->ir->insns[i].op == IR_PHI)
			f->v[i] = values[n++];
}

/* Which edge of `to` comes from the end of `from` this way?  Both ways to one block: the
 * second is the other. */
static u32 edge_of(const struct ir *ir, u32 from, u32 to, bool second)
{
	const struct ir_block *block = &ir->blocks[to];

	for (u32 k = 0; k < block->n_preds; k++) {
		if (ir->preds[block->preds + k] != from)
			continue;
		if (!second)
			return k;
		second = false;
	}
	return 0;
}

static int run_blocks(struct frame *f)
{
	const struct ir *ir = f->ir;
	u32 b = 0;

	for (;;) {
		const struct ir_block *block = &ir->blocks[b];
		const struct ir_insn *end = &ir->insns[block->end - 1];
		bool no, both;
		u32 next;

		for (u32 i = block->start; i + 1 < block->end; i++) {
			int err = step(f, i);

			if (f->e->steps++ > f->e->max_steps)
				return -ETIMEDOUT;
			if (err)
				return err == LEAVES ? 0 : err;
		}
		if (end->op == IR_EXIT) {
			f->ret = f->v[end->a];
			return 0;
		}
		no = !branch(f, end);
		both = block->succ[0] == block->succ[1];
		next = (u32)block->succ[no];
		enter(f, &ir->blocks[next], edge_of(ir, b, next, no && both));
		b = next;
	}
}

static int eval_function(struct eval *e, u32 function, const u64 args[5], u64 *ret)
{
	_Alignas(16) u8 stack[FRAME_STACK];
	struct frame f = {
		.e = e,
		.ir = &e->now->irs[function],
		.params = args,
		.stack_end = stack + sizeof(stack),
	};
	int err;

	if (e->depth == MAX_FRAMES) {
		e->run->err = fail(e->run->diag, CALL_DEPTH, NO_PC, MAX_FRAMES);
		return e->run->err;
	}
	f.v = malloc(f.ir->n_insns * sizeof(*f.v));
	if (!f.v)
		return -ENOMEM;
	/* What is read too early should show. */
	memset(f.v, 0xa5, f.ir->n_insns * sizeof(*f.v));
	memset(stack, 0xa5, sizeof(stack));
	f.v[0] = 0;
	e->depth++;
	err = run_blocks(&f);
	e->depth--;
	*ret = err ? 0 : f.ret;
	free(f.v);
	return err;
}

/* run->call: helpers call back. */
static int eval_call(struct run *run, u64 func, const u64 args[5], u64 *ret)
{
	struct eval *e = run->engine;
	const struct compiled *now = e->now;
	u32 function;
	int err;

	if (!find_function(now, func, &function))
		return no_function(e, func);
	err = eval_function(e, function, args, ret);
	e->now = now;
	run->prog = now->prog;
	return err;
}

int eval_run_with(const struct compiled *program, struct run *run, u64 *ret,
		  eval_find find, void *arg)
{
	struct eval e = {.run = run,
			 .now = program,
			 .find = find,
			 .find_arg = arg,
			 .max_steps = MAX_STEPS};
	u64 args[5] = {(u64)(uintptr_t)run->ctx, run->opts ? run->opts->r2 : 0};
	int err;

	if (run->opts && run->opts->max_steps)
		e.max_steps = run->opts->max_steps;
	run->prog = program->prog;
	run->call = eval_call;
	run->engine = &e;
	run->err = 0;
	err = eval_function(&e, 0, args, ret);
	return err == EXEC_STOP ? 0 : err;
}

int eval_run(const struct compiled *program, struct run *run, u64 *ret)
{
	return eval_run_with(program, run, ret, NULL, NULL);
}

/* ---- as engines ---- */

enum { MAX_PROGRAMS = 16 };

struct programs {
	struct compile_how how;
	const struct image *images[MAX_PROGRAMS];
	struct compiled compiled[MAX_PROGRAMS];
	u32 n;
	struct skep_diag *diag;
	int err; /* of the last that was compiled */
};

static const struct compiled *find_program(void *arg, const void *object)
{
	struct programs *p = arg;
	const struct image *image = object;
	struct compiled *c = &p->compiled[p->n];

	for (u32 i = 0; i < p->n; i++)
		if (p->images[i] == image)
			return &p->compiled[i];
	if (p->n == MAX_PROGRAMS)
		return NULL;
	p->images[p->n++] = image;
	p->err = compiled_new(image->prog, image->maps, &p->how, c, p->diag);
	if (!p->err && !c->wrong)
		return c;
	if (!p->err)
		fprintf(stderr, "%s\n", c->wrong);
	return NULL;
}

static int run_deep(const struct image *image, struct run *run, u64 *ret)
{
	diag_clear(run->diag);
	return interp_run(image, run, ret);
}

static int run_image(const struct image *image, struct run *run, u64 *ret,
		     const struct compile_how *how)
{
	struct programs p = {.how = *how, .diag = run->diag};
	const struct compiled *c = find_program(&p, image);
	int err;

	if (c)
		err = eval_run_with(c, run, ret, find_program, &p);
	else if (p.err == -ENOTSUP) /* that deep only the interpreter goes */
		err = run_deep(image, run, ret);
	else
		err = -EINVAL;
	for (u32 i = 0; i < p.n; i++)
		compiled_fini(&p.compiled[i]);
	return err;
}

static int run_built(const struct image *image, struct run *run, u64 *ret)
{
	return run_image(image, run, ret, &(struct compile_how){0});
}

static int run_optimised(const struct image *image, struct run *run, u64 *ret)
{
	return run_image(image, run, ret, &(struct compile_how){.passes = true});
}

const struct engine eval_engines[EVAL_ENGINES] = {
	{.name = "ir", .run = run_built, .images = FOR_INTERP},
	{.name = "ir after passes", .run = run_optimised, .images = FOR_INTERP},
};
