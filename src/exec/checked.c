/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine for programs that nobody verified: the same handlers as interp.c, with every
 * register, every access and every call judged first.  The common case of an access, the
 * stack or the region that the instruction met last time, is judged here in a few
 * instructions; everything else by regions.c.  A violation ends the run with an account
 * in run->diag and never harms the host.  RFC 9669; what Linux' verifier would refuse.
 */
#include "exec/checked.h"
#include "exec/claimed.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "exec/atomics.h"
#include "exec/legacy.h"
#include "helpers/run.h"
#include "isa/eval.h"
#include "maps/map.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

enum { STEPS_BETWEEN_LOOKS = 1 << 16 };

/* Registers as sets. */
enum {
	ARGS = 1u << R1 | 1u << R2 | 1u << R3 | 1u << R4 | 1u << R5,
	CALLEE_SAVED = 1u << R6 | 1u << R7 | 1u << R8 | 1u << R9,
	ALWAYS_KNOWN = 1u << R10,
};

struct frame {
	const struct code *ret;
	const struct image *image;
	u64 saved[4]; /* R6 to R9 */
	u32 known;    /* of these */
	u32 may_gotos;
};

static u32 pc_of(const struct checked *ck, const struct code *code)
{
	return (u32)(code - ck->image->checked);
}

/* ---- accesses ---- */

static struct region *cache_of(struct checked *ck, const struct code *code)
{
	return &ck->cache[(uintptr_t)code / sizeof(*code) % CACHED_REGIONS];
}

static int slow_access(struct checked *ck, const struct code *code, u64 addr, u32 bits,
		       enum access_how how)
{
	struct access a = {.addr = addr,
			   .size = bits / 8,
			   .how = how,
			   .reg = how & WRITE ? code->dst : code->src,
			   .pc = pc_of(ck, code),
			   .cache = cache_of(ck, code)};
	int err = access_checked(ck, &a);

	return err ? violation(ck, a.pc, err) : 0;
}

/* The marks of up to 8 bytes of stack lie in two bytes of the bitmap. */
static inline bool stack_access(struct checked *ck, u64 off, u32 bits,
				enum access_how how)
{
	u8 *at = ck->written + off / 8;
	u16 marks = load_u16_of(at, false),
	    mask = (u16)(((1u << bits / 8) - 1) << off % 8);

	if (how == READ)
		return (marks & mask) == mask;
	marks |= mask;
	at[0] = (u8)marks;
	at[1] = (u8)(marks >> 8);
	return true;
}

/* The common cases; false: slow_access() knows. */
static inline bool fast_access(struct checked *ck, const struct code *code, u64 addr,
			       u32 bits, enum access_how how)
{
	const struct region *region = cache_of(ck, code);

	if (how & IS_ATOMIC)
		return false;
	if (addr - ck->frame <= ck->stack + STACK_SIZE - ck->frame - bits / 8)
		return stack_access(ck, addr - ck->stack, bits, how);
	return addr - region->start < region->size &&
	       region->size - (addr - region->start) >= bits / 8 &&
	       (region->how & how) == how;
}

/* ---- violations that are not about memory ---- */

static int uninit_reg(struct checked *ck, const struct code *code, int reg)
{
	u32 pc = pc_of(ck, code);

	return violation(ck, pc, fail(ck->run->diag, UNINIT_REG, (int)pc, reg));
}

static int too_deep(struct checked *ck, const struct code *code)
{
	u32 pc = pc_of(ck, code);

	return violation(ck, pc, fail(ck->run->diag, CALL_DEPTH, (int)pc, MAX_FRAMES));
}

static int no_function(struct checked *ck, const struct code *code, u64 value)
{
	u32 pc = pc_of(ck, code);

	return violation(
		ck, pc,
		fail(ck->run->diag, NO_FUNCTION, (int)pc, (unsigned long long)value));
}

static int never_seen(struct checked *ck, const struct code *code)
{
	u32 pc = pc_of(ck, code);

	return violation(ck, pc, fail(ck->run->diag, CLAIM_NEVER, (int)pc));
}

/* The register that an instruction accesses memory through, or -1. */
static int base_reg(const struct insn *insn, const struct op_info *info)
{
	switch ((enum op_kind)info->kind) {
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: return insn->src_reg;
	case KIND_ST:
	case KIND_STX:
	case KIND_ATOMIC:
	case KIND_STORE_REL: return insn->dst_reg;
	case KIND_INVALID:
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST:
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_CALL:
	case KIND_CALLX:
	case KIND_EXIT:
	case KIND_LDDW:
	case KIND_LD_ABS:
	case KIND_LD_IND: return -1;
	}
	return -1;
}

/* The register that an instruction writes, or -1; not for calls. */
static int written_reg(const struct insn *insn, const struct op_info *info)
{
	bool fetches = insn->imm & 1; /* BPF_FETCH */

	switch ((enum op_kind)info->kind) {
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST:
	case KIND_LDDW:
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: return insn->dst_reg;
	case KIND_ATOMIC:
		return fetches && insn->imm != ATOMIC_IMM_CMPXCHG ? insn->src_reg : -1;
	case KIND_INVALID:
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_CALL:
	case KIND_CALLX:
	case KIND_EXIT:
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL:
	case KIND_LD_ABS:
	case KIND_LD_IND: return -1;
	}
	return -1;
}

/* ---- arenas: every access is safe; its registers must hold something ---- */

static const struct insn *insn_of(const struct checked *ck, const struct code *code)
{
	return &ck->image->prog->insns[pc_of(ck, code)];
}

/* A register that the instruction reads before anything wrote it, or -1. */
static int unread_reg(const struct checked *ck, const struct code *code, u32 known)
{
	const struct insn *insn = insn_of(ck, code);
	const struct op_info *info = op_info(decode(insn));
	int base = base_reg(insn, info);
	bool has_src = info->reg || info->kind == KIND_STX || info->kind == KIND_ATOMIC ||
		       info->kind == KIND_STORE_REL || info->kind == KIND_ADDR_SPACE_CAST;

	if (base < 0 && info->kind == KIND_ALU)
		base = insn->dst_reg;
	if (base >= 0 && !(known >> base & 1))
		return base;
	if (has_src && !(known >> insn->src_reg & 1))
		return insn->src_reg;
	if (info->kind == KIND_ATOMIC && info->row == ATOMIC_CMPXCHG &&
	    !(known >> R0 & 1))
		return R0;
	return -1;
}

static u32 arena_result(const struct checked *ck, const struct code *code)
{
	const struct insn *insn = insn_of(ck, code);
	int reg = written_reg(insn, op_info(decode(insn)));

	return reg < 0 ? 0 : 1u << reg;
}

/* Through R10 an instruction reaches its own frame: known before the run. */
static bool leaves_frame(const struct insn *insn, const struct op_info *info)
{
	return base_reg(insn, info) == R10 &&
	       (insn->off < -FRAME_STACK || insn->off + info->width / 8 > 0);
}

/* Where nobody verified: dead code may call it, so the call fails and not the load. */
static bool calls_kfunc_of_others(const struct prog *prog, const struct insn *insn)
{
	return decode(insn) == OP_CALL && insn->src_reg == CALL_KFUNC && prog->type &&
	       !abi_kfunc_suits(prog_callee(prog, insn), prog->type);
}

void checked_guard(const struct prog *prog, struct code *code)
{
	const void *guard = checked_labels()[CODE_BAD_FRAME_USE];

	for (u32 pc = 0; pc < prog->n_insns; pc++) {
		const struct insn *insn = &prog->insns[pc];
		const struct op_info *info = op_info(decode(insn));

		if (leaves_frame(insn, info) || written_reg(insn, info) == R10)
			code[pc].go = guard;
		if (calls_kfunc_of_others(prog, insn))
			code[pc].helper = NULL;
		pc += info->wide;
	}
}

static int bad_frame_use(struct checked *ck, const struct code *code)
{
	u32 pc = pc_of(ck, code);
	const struct insn *insn = &ck->image->prog->insns[pc];
	const struct op_info *info = op_info(decode(insn));

	if (written_reg(insn, info) == R10)
		return violation(ck, pc, fail(ck->run->diag, WRITES_R10, (int)pc));
	return violation(ck, pc,
			 fail(ck->run->diag, STACK_BOUNDS, (int)pc, info->width / 8,
			      insn->off, FRAME_STACK));
}

/* ---- limits ---- */

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* Where claims are checked, that is before each instruction. */
static void next_steps(struct checked *ck)
{
	u64 most = ck->claims ? 1 : STEPS_BETWEEN_LOOKS;

	ck->steps = min_u64(ck->max_steps - ck->executed, most);
	ck->executed += ck->steps;
}

/* 0: go on. */
static int check_limits(struct checked *ck, u32 pc)
{
	struct skep_diag *diag = ck->run->diag;

	if (ck->executed >= ck->max_steps)
		return violation(ck, pc,
				 fail(diag, STEP_LIMIT, (int)pc,
				      (unsigned long long)ck->max_steps));
	if (ck->deadline && now_ns() >= ck->deadline)
		return violation(ck, pc,
				 fail(diag, TIME_LIMIT, (int)pc,
				      (unsigned long long)ck->run->opts->max_ns));
	return 0;
}

static int look_at_limits(struct checked *ck, const struct code *code)
{
	int err = check_limits(ck, pc_of(ck, code));

	if (!err)
		next_steps(ck);
	return err;
}

static int look_at_claims(struct checked *ck, const struct code *code, const u64 *r,
			  u32 known)
{
	struct moment now = {.pc = pc_of(ck, code), .known = known, .r = r};
	int err = ck->image->claims ? claims_checked(ck, &now) : 0;

	return err ? violation(ck, now.pc, err) : 0;
}

/* ---- calls ---- */

static void enter_frame(struct checked *ck)
{
	ck->depth++;
	ck->frame -= FRAME_STACK;
	memset(ck->written + (ck->frame - ck->stack) / 8, 0, FRAME_STACK / 8);
}

static void leave_frame(struct checked *ck)
{
	ck->depth--;
	ck->frame += FRAME_STACK;
}

static void run_image(struct checked *ck, const struct image *image)
{
	ck->image = image;
	ck->run->prog = image->prog;
}

static int call_helper(struct checked *ck, helper_fn helper, struct helper_call *call)
{
	struct run *run = ck->run;
	u64 *r = call->r;
	int err = helper ? args_check(ck, call)
			 : fail(run->diag, HELPER_NOT_FOR_TYPE, (int)call->pc,
				image_helper(ck->image, call->number)->name,
				image_type_name(ck->image));

	if (err)
		return violation(ck, call->pc, err);
	ck->call_pc = call->pc;
	r[R0] = helper(run, r[R1], r[R2], r[R3], r[R4], r[R5]);
	regions_changed(ck);
	if (run->err)
		return run->err > 0 ? run->err : violation(ck, call->pc, run->err);
	args_done(ck, call);
	return 0;
}

/* 1: the program goes on in another image, 0: in this one, or a negative errno. */
static int tail_call(struct checked *ck, struct helper_call *call)
{
	const struct image *next;
	int err = args_check(ck, call);

	if (err)
		return violation(ck, call->pc, err);
	args_done(ck, call);
	call->r[R0] = (u64)(s64)-ENOENT;
	if (ck->tail_calls >= MAX_TAIL_CALLS)
		return 0;
	next = map_prog((struct map *)(uintptr_t)call->r[R2], (u32)call->r[R3]);
	if (!next || !image_may_follow(ck->image, next))
		return 0;
	ck->tail_calls++;
	run_image(ck, next);
	return 1;
}

/* ---- the loop ---- */

/* What handlers.inc leaves to the engine. */
#define NEEDS(reg)                                                                       \
	{                                                                                \
		if (unlikely(!(known >> (reg)&1))) {                                     \
			bad_reg = (reg);                                                 \
			goto uninit;                                                     \
		}                                                                        \
	}
#define SETS(reg) known |= 1u << (reg);
#define TOUCH(at, bits, how)                                                             \
	if (unlikely(!fast_access(ck, pc, at, bits, how))) {                             \
		err = slow_access(ck, pc, at, bits, how);                                \
		if (err)                                                                 \
			return err;                                                      \
	}
#define PACKET      ck->run->packet
#define JUMP(slots) pc += (slots)
#define GO                                                                               \
	do {                                                                             \
		if (unlikely(!steps--))                                                  \
			goto limits;                                                     \
		goto * pc->go;                                                           \
	} while (0)
#define NEXT                                                                             \
	do {                                                                             \
		pc++;                                                                    \
		GO;                                                                      \
	} while (0)

/* Programs that a function tail-called: their answer is the function's. */
static int checked_nested(struct checked *ck, const u64 args[5], u64 *answer);

/*
 * As interp_loop().  The steps left are kept in a register and put back whenever others
 * may count.
 */
__attribute__((noinline)) static int checked_loop(struct checked *ck,
						  const struct code *pc,
						  const u64 args[5], u64 *answer)
{
	static const void *const labels[CODES] = {
#include "exec/labels.inc"
		[CODE_CALL_LOCAL] = &&call_local,   [CODE_CALL_HELPER] = &&call_helper,
		[CODE_TAIL_CALL] = &&call_tail,     [CODE_ARENA] = &&arena,
		[CODE_BAD_FRAME_USE] = &&bad_frame, [CODE_UNSEEN] = &&unseen,
	};
	struct frame frames[MAX_FRAMES];
	u32 n_frames = 0, may_gotos = 0, known = ck->given | ALWAYS_KNOWN;
	u64 r[N_REGS] = {0}, steps;
	struct frame *frame;
	const struct code *to;
	helper_fn helper;
	int err, bad_reg;
	struct helper_call call = {.r = r};

	if (!pc) {
		ck->labels = labels;
		return 0;
	}
	memcpy(r + R1, args, 5 * sizeof(*args));
	enter_frame(ck);
	r[R10] = ck->frame + FRAME_STACK;
	steps = ck->steps;
	GO;

#include "exec/handlers.inc"

do_MAY_GOTO:
	if (may_gotos++ >= MAY_GOTO_STEPS)
		JUMP(pc->imm);
	NEXT;

arena:
	bad_reg = unread_reg(ck, pc, known);
	if (unlikely(bad_reg >= 0))
		goto uninit;
	arena_step(ck->image, pc_of(ck, pc), r);
	known |= arena_result(ck, pc);
	NEXT;

do_CALLX:
	NEEDS(pc->dst)
	call.number = (u32)DST;
	helper = image_callx_helper(ck->image, DST);
	if (helper)
		goto call;
	to = image_function(ck->image, ck->image->checked, DST);
	if (!to)
		return no_function(ck, pc, DST);
	goto enter;
call_local:
	to = pc->target;
enter:
	if (ck->depth == MAX_FRAMES)
		return too_deep(ck, pc);
	frame = &frames[n_frames++];
	frame->ret = pc + 1;
	frame->image = ck->image;
	frame->known = known & CALLEE_SAVED;
	frame->may_gotos = may_gotos;
	memcpy(frame->saved, r + R6, sizeof(frame->saved));
	may_gotos = 0;
	known &= ARGS | ALWAYS_KNOWN;
	enter_frame(ck);
	r[R10] -= FRAME_STACK;
	pc = to;
	GO;

end_of_packet:
	r[R0] = 0;
	SETS(R0)
do_EXIT:
	if (!n_frames) {
		NEEDS(R0)
		leave_frame(ck);
		ck->steps = steps;
		*answer = r[R0];
		return 0;
	}
	leave_frame(ck);
	frame = &frames[--n_frames];
	run_image(ck, frame->image);
	known = frame->known | ALWAYS_KNOWN | (known & 1u << R0);
	memcpy(r + R6, frame->saved, sizeof(frame->saved));
	may_gotos = frame->may_gotos;
	r[R10] += FRAME_STACK;
	pc = frame->ret;
	GO;

call_helper:
	helper = pc->helper;
	call.number =
		prog_callee(ck->image->prog, &ck->image->prog->insns[pc_of(ck, pc)]);
call:
	call.pc = pc_of(ck, pc);
	call.known = known;
	ck->steps = steps;
	err = call_helper(ck, helper, &call);
	steps = ck->steps;
	known = call.known;
	if (err) {
		*answer = 0;
		return err;
	}
	NEXT;
call_tail:
	call.pc = pc_of(ck, pc);
	call.number = HELPER_TAIL_CALL;
	call.known = known;
	err = tail_call(ck, &call);
	known = call.known;
	if (err < 0)
		return err;
	if (!err)
		NEXT;
	if (ck->depth == 1) {
		pc = ck->image->checked;
		known = 1u << R1 | ALWAYS_KNOWN;
		may_gotos = 0;
		GO;
	}
	ck->steps = steps;
	err = checked_nested(ck, r + R1, &r[R0]);
	steps = ck->steps;
	SETS(R0)
	if (!err)
		goto do_EXIT;
	*answer = 0;
	return err;

uninit:
	return uninit_reg(ck, pc, bad_reg);
unseen:
	return never_seen(ck, pc);
bad_frame:
	return bad_frame_use(ck, pc);
limits:
	err = look_at_limits(ck, pc);
	if (!err && ck->claims)
		err = look_at_claims(ck, pc, r, known);
	if (err)
		return err;
	steps = ck->steps;
	GO;
}

/* As in interp.c: the program that threw is left, its frames are free again. */
static int caught(struct checked *ck, u64 *answer)
{
	const struct image *image = ck->image;
	u64 args[5] = {ck->run->thrown};
	int err;

	ck->run->err = 0;
	run_image(ck, image);
	*answer = ck->run->thrown;
	if (!image->prog->exception)
		return 0;
	ck->frame = ck->stack + STACK_SIZE;
	ck->depth = 0;
	ck->given = 1u << R1;
	regions_changed(ck);
	err = checked_loop(ck, image->checked + image->prog->exception, args, answer);
	if (err != EXEC_THROWN)
		return err;
	return violation(ck, ck->call_pc,
			 fail(ck->run->diag, THROWN_TWICE, (int)ck->call_pc));
}

/* As interp_nested(): frames of their own, which nobody else may touch. */
__attribute__((noinline)) static int checked_nested(struct checked *ck, const u64 args[5],
						    u64 *answer)
{
	u8 stack[STACK_SIZE] __attribute__((aligned(16)));
	u8 written[sizeof(ck->written)];
	u64 outer = ck->stack, frame = ck->frame;
	u32 depth = ck->depth;
	int err;

	memcpy(written, ck->written, sizeof(written));
	ck->stack = (u64)(uintptr_t)stack;
	ck->frame = ck->stack + STACK_SIZE;
	ck->depth = 0;
	ck->given = 1u << R1;
	regions_changed(ck);
	err = checked_loop(ck, ck->image->checked, args, answer);
	if (err == EXEC_THROWN)
		err = caught(ck, answer);
	regions_changed(ck);
	memcpy(ck->written, written, sizeof(written));
	ck->stack = outer;
	ck->frame = frame;
	ck->depth = depth;
	return err;
}

const void *const *checked_labels(void)
{
	struct checked ck = {0};

	checked_loop(&ck, NULL, NULL, NULL);
	return ck.labels;
}

/* run->call: helpers call back into the program. */
static int checked_call(struct run *run, u64 func, const u64 args[5], u64 *ret)
{
	struct checked *ck = run->engine;
	const struct image *image = ck->image;
	const struct code *code = image_function(image, image->checked, func);
	int err;

	/* args_check() saw to it that this is a function. */
	if (!code)
		return no_function(ck, image->checked, func);
	if (ck->depth == MAX_FRAMES)
		return too_deep(ck, code);
	regions_changed(ck);
	ck->given = ARGS;
	err = checked_loop(ck, code, args, ret);
	run_image(ck, image);
	return err;
}

static int checked_access(struct run *run, u64 addr, u64 size, bool write)
{
	struct checked *ck = run->engine;
	struct access a = {.addr = addr,
			   .size = size,
			   .how = write ? WRITE : READ,
			   .reg = -1,
			   .pc = ck->call_pc};
	int err = access_checked(ck, &a);

	return err ? violation(ck, a.pc, err) : 0;
}

/* The next instruction looks at the limits, too. */
static void checked_spend(struct run *run, u64 steps)
{
	struct checked *ck = run->engine;

	if (steps < ck->steps) {
		ck->steps -= steps;
		return;
	}
	ck->executed += steps - ck->steps;
	ck->steps = 0;
	check_limits(ck, ck->call_pc);
}

int checked_run(const struct image *image, struct run *run, u64 *ret)
{
	u8 stack[STACK_SIZE] __attribute__((aligned(16)));
	const struct exec_opts *opts = run->opts;
	struct checked ck = {.run = run, .stack = (u64)(uintptr_t)stack};
	u64 args[5] = {(u64)(uintptr_t)run->ctx, opts ? opts->r2 : 0};
	int err, leak;

	ck.frame = ck.stack + STACK_SIZE;
	ck.ctx = abi_ctx(image->prog->type);
	ck.max_steps = opts && opts->max_steps ? opts->max_steps : DEFAULT_MAX_STEPS;
	if (opts && opts->max_ns)
		ck.deadline = now_ns() + opts->max_ns;
	ck.claims = image->claims != NULL;
	if (!ck.claims)
		next_steps(&ck);
	run_image(&ck, image);
	/* Linux gives a context; a host's raw memory comes with its length. */
	ck.given = 1u << R1;
	if (!image->prog->type || (opts && opts->r2))
		ck.given |= 1u << R2;
	run->call = checked_call;
	run->may_access = checked_access;
	run->spend = checked_spend;
	run->engine = &ck;
	run->err = 0;
	err = checked_loop(&ck, image->checked, args, ret);
	if (err == EXEC_THROWN)
		err = caught(&ck, ret);
	leak = run_end(run);
	if (err < 0)
		return err;
	return leak ? leak : 0;
}
