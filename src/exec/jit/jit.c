/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine that runs native code: code is linked into memory of its own, entered
 * through the stub that it starts with, and finds here what it cannot do itself.  Never
 * compiles: that is compile.c.  Never checks an access: programs were verified.
 */
#include "exec/jit/jit.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "exec/jit/code.h"
#include "exec/jit/debug.h"
#include "exec/jit/machine.h"
#include "exec/legacy.h"
#include "exec/watchdog.h"
#include "maps/map.h"

typedef u64 (*enter_fn)(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5,
			const void *function);

struct jit_code {
	struct code_memory memory; /* owned */
	struct debug_entry *gdb;   /* owned; NULL: gdb was not told */
	u32 len;
	u32 exception; /* in functions: the exception callback; 0: none was named */
	bool returns;  /* native.returns */
	u32 n_functions;
	u32 functions[]; /* where they start, ascending; [0] is the program's own */
};

static enter_fn enter_of(const struct jit_code *code)
{
	return (enter_fn)(uintptr_t)code->memory.code;
}

static const void *main_of(const struct jit_code *code)
{
	return code->memory.code + code->functions[0];
}

/* The function that a value points to, as LDDW_FUNC gives it, or NULL. */
static const void *function_at(const struct jit_code *code, u64 value)
{
	u64 off = value - (uintptr_t)code->memory.code;
	u32 low = 0, high = code->n_functions;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (code->functions[mid] == off)
			return code->memory.code + off;
		if (code->functions[mid] < off)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ---- exceptions ---- */

/* Who threw was left up to where C entered the program: its exception callback answers,
 * or the cookie does. */
static u64 caught(const struct image *image, struct run *run)
{
	const struct jit_code *code = image->jit;
	struct jit_run *jr = run->engine;
	u64 ret;

	run->err = 0;
	run->prog = image->prog;
	jr->image = image;
	if (!code->exception)
		return run->thrown;
	ret = enter_of(code)(run, run->thrown, 0, 0, 0, 0,
			     code->memory.code + code->functions[code->exception]);
	if (run->err == EXEC_THROWN)
		run->err = fail(run->diag, THROWN_TWICE, NO_PC);
	return ret;
}

/* What a tail call goes to when the program there may throw: an exception ends that
 * program, not those that called it.  As for compiled functions, run->err says whether
 * the run goes on; who calls a function looks, where there are tail calls. */
static u64 call_program(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	struct jit_run *jr = run->engine;
	const struct image *image = jr->image;
	u64 ret = enter_of(image->jit)(run, r1, r2, r3, r4, r5, main_of(image->jit));

	return run->err == EXEC_THROWN ? caught(jr->image, run) : ret;
}

/* ---- what code calls ---- */

const void *jit_entry(const struct image *image)
{
	return image->throws ? (const void *)(uintptr_t)call_program
			     : main_of(image->jit);
}

static const void *tail_call(struct run *run, u64 map, u64 index)
{
	struct jit_run *jr = run->engine;
	const struct image *next;

	if (jr->tail_calls >= MAX_TAIL_CALLS)
		return NULL;
	next = map_prog((struct map *)(uintptr_t)map, (u32)index);
	if (!next || !next->entry || !image_may_follow(jr->image, next))
		return NULL;
	jr->tail_calls++;
	jr->image = next;
	run->prog = next->prog;
	return next->entry;
}

static int no_function(struct run *run, u64 value)
{
	run->err = fail(run->diag, NO_FUNCTION, NO_PC, (unsigned long long)value);
	return run->err;
}

static int too_deep(struct run *run)
{
	run->err = fail(run->diag, CALL_DEPTH, NO_PC, MAX_FRAMES);
	return run->err;
}

/* Calls by address may go in circles, which nobody finds when compiling.  MAX_FRAMES
 * frames and tail calls among them need less than this since the program was entered. */
enum { MAX_NATIVE_STACK = 1 << 18 };

static bool is_deep(const struct jit_run *jr)
{
	return (uintptr_t)jr->way_out - (uintptr_t)__builtin_frame_address(0) >
	       MAX_NATIVE_STACK;
}

static const void *callx(struct run *run, u64 value)
{
	const struct jit_run *jr = run->engine;
	helper_fn helper = image_callx_helper(jr->image, value);
	const void *function;

	if (helper)
		return (const void *)(uintptr_t)helper;
	function = function_at(jr->image->jit, value);
	if (!function)
		no_function(run, value);
	else if (is_deep(jr))
		too_deep(run);
	return run->err ? NULL : function;
}

static u64 ld_packet(struct run *run, s32 off, u32 size, u64 *value)
{
	return legacy_load(run->packet, off, size, value);
}

static u64 routine_address(u32 routine)
{
	switch ((enum jit_routine)routine) {
	case JIT_TAIL_CALL: return (uintptr_t)tail_call;
	case JIT_CALLX: return (uintptr_t)callx;
	case JIT_LD_PACKET: return (uintptr_t)ld_packet;
	case JIT_ROUTINES: break;
	}
	assert(!"a routine");
	return 0;
}

/* ---- linking ---- */

static u64 target_of(const struct image *image, const struct jit_code *code,
		     const struct native_reloc *reloc)
{
	u64 base = (uintptr_t)code->memory.code;

	switch (reloc->kind) {
	case IR_MAP: return (uintptr_t)image->maps[reloc->index];
	case IR_MAP_BYTES:
		return (uintptr_t)image->maps[reloc->index]->region + (u64)reloc->value;
	case IR_HELPER: return (u64)reloc->value;
	case IR_FUNC: return base + code->functions[reloc->index];
	case NATIVE_CALL_FUNC: return (u64)code->functions[reloc->index] - reloc->off;
	case NATIVE_ROUTINE: return routine_address(reloc->index);
	case NATIVE_IMAGE: return (uintptr_t)image;
	case NATIVE_PROG: return (uintptr_t)image->prog;
	}
	assert(!"a kind of reloc");
	return 0;
}

static int put_code(const struct image *image, const struct native *native,
		    struct jit_code *code, struct skep_diag *diag)
{
	u8 *at = code->memory.code;
	int err;

	memcpy(at, native->code, native->len);
	for (u32 i = 0; i < native->n_relocs; i++)
		native->machine->link(at + native->relocs[i].off, &native->relocs[i],
				      target_of(image, code, &native->relocs[i]));
	err = code_seal(&code->memory);
	return err ? fail_errno(diag, err, JIT_MEMORY, NO_PC, strerror(-err)) : 0;
}

static int make_known(const struct image *image, const struct native *native,
		      struct jit_code *code, struct skep_diag *diag)
{
	struct debug_code about = {native, image->prog, code->memory.code};
	int err = 0;

	if (native->known_to & JIT_GDB) {
		code->gdb = debug_gdb_add(&about);
		if (!code->gdb)
			return fail(diag, NO_MEMORY, NO_PC);
	}
	if (native->known_to & JIT_PERF_MAP)
		err = debug_perf_map(&about);
	if (!err && native->known_to & JIT_DUMP)
		err = debug_jitdump(&about);
	return err ? fail_errno(diag, err, JIT_PROFILE, NO_PC, strerror(-err)) : 0;
}

int jit_link(const struct image *image, const struct native *native,
	     struct jit_code **out, struct skep_diag *diag)
{
	u32 n = native->n_functions;
	struct jit_code *code = calloc(1, sizeof(*code) + n * sizeof(code->functions[0]));
	int err;

	if (!code || code_new(native->len, &code->memory)) {
		free(code);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	code->len = native->len;
	code->exception = native->exception;
	code->returns = native->returns;
	code->n_functions = n;
	for (u32 i = 0; i < n; i++) {
		code->functions[i] = native->functions[i].start;
		assert(!i || code->functions[i] > code->functions[i - 1]);
	}
	err = put_code(image, native, code, diag);
	if (!err)
		err = make_known(image, native, code, diag);
	if (err)
		jit_free(code);
	else
		*out = code;
	return err;
}

void jit_free(struct jit_code *code)
{
	if (!code)
		return;
	debug_gdb_remove(code->gdb);
	code_free(&code->memory);
	free(code);
}

struct bytes jit_bytes(const struct jit_code *code)
{
	return (struct bytes){code->memory.code, code->len};
}

/* ---- running ---- */

/* run->call: helpers call back into the program. */
static int jit_call(struct run *run, u64 func, const u64 args[5], u64 *ret)
{
	struct jit_run *jr = run->engine;
	const struct image *image = jr->image;
	const void *function = function_at(image->jit, func);

	if (!function)
		return no_function(run, func);
	if (jr->depth == MAX_FRAMES)
		return too_deep(run);
	jr->depth++;
	*ret = enter_of(image->jit)(run, args[0], args[1], args[2], args[3], args[4],
				    function);
	jr->depth--;
	jr->image = image; /* the callback may have ended in a tail call */
	run->prog = image->prog;
	return run->err;
}

/* Forgets what the run before left in both. */
static inline void start_run(const struct image *image, struct run *run)
{
	struct jit_run *jr = run->engine;

	jr->image = image;
	jr->depth = 1;
	jr->tail_calls = 0;
	run->prog = image->prog;
	run->err = 0;
}

static inline int end_run(struct run *run, u64 *ret)
{
	const struct jit_run *jr = run->engine;

	if (__builtin_expect(!run->err, true))
		return 0;
	if (run->err == EXEC_THROWN)
		*ret = caught(jr->image, run);
	if (!run->err)
		return 0;
	*ret = 0;
	return run->err == EXEC_STOP ? 0 : run->err;
}

static int run_entered(const struct image *image, struct run *run, u64 *ret)
{
	const struct jit_run *jr = run->engine;

	start_run(image, run);
	*ret = enter_of(image->jit)(run, (uintptr_t)run->ctx, jr->r2, 0, 0, 0, jr->main);
	return end_run(run, ret);
}

/* Code that always returns is a C function like any other.  It changes neither the image
 * nor the program that runs. */
static int run_called(const struct image *image, struct run *run, u64 *ret)
{
	const struct jit_run *jr = run->engine;
	helper_fn function = (helper_fn)(uintptr_t)jr->main;

	(void)image;
	run->err = 0;
	*ret = function(run, (uintptr_t)run->ctx, jr->r2, 0, 0, 0);
	return end_run(run, ret);
}

static int run_watched(const struct image *image, struct run *run, u64 *ret)
{
	const struct exec_opts *opts = run->opts;
	const struct jit_run *jr = run->engine;
	u32 place;

	start_run(image, run);
	run->going = run;
	place = watchdog_start(opts->watchdog, run, opts->max_ns);
	*ret = enter_of(image->jit)(run, (uintptr_t)run->ctx, jr->r2, 0, 0, 0, jr->main);
	if (watchdog_stop(opts->watchdog, place) && run->err == -ETIMEDOUT)
		fail(run->diag, TIME_LIMIT, NO_PC, (unsigned long long)opts->max_ns);
	return end_run(run, ret);
}

run_fn jit_ready(const struct image *image, struct run *run, struct engine_state *state)
{
	const struct exec_opts *opts = run->opts;
	struct jit_run *jr = (struct jit_run *)state;

	_Static_assert(sizeof(*jr) <= sizeof(*state), "room for all of it");
	assert(image->jit);
	*jr = (struct jit_run){.main = main_of(image->jit), .r2 = opts ? opts->r2 : 0};
	run->call = jit_call;
	run->engine = jr;
	run->going = run;
	start_run(image, run);
	if (opts && opts->watchdog && opts->max_ns)
		return run_watched;
	return image->jit->returns ? run_called : run_entered;
}

int jit_run(const struct image *image, struct run *run, u64 *ret)
{
	struct engine_state state;

	return jit_ready(image, run, &state)(image, run, ret);
}
