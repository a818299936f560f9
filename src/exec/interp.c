/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter for verified programs.  Direct-threaded: each instruction was decoded
 * by image.c into 16 bytes that begin with the address of its handler, and each handler
 * ends by jumping to the next one's.  The handlers are made from the rows of isa's
 * tables, so that a new row is a new handler and nothing else.  Never checks an access:
 * that is checked.c.  RFC 9669; Ertl & Gregg, "The structure and performance of efficient
 * interpreters".
 */
#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "exec/atomics.h"
#include "exec/image.h"
#include "exec/legacy.h"
#include "isa/eval.h"
#include "maps/map.h"

/* What survives calls into helpers: shared by the nested loops that callbacks make. */
struct interp {
	struct run *run;
	const struct image *image; /* running now */
	u8 *stack_top;
	u32 depth; /* frames in use, of all nested loops */
	u32 tail_calls;
	const void *const *labels; /* out, when asked for */
};

struct frame {
	const struct code *ret;
	const struct image *image;
	u64 saved[4]; /* R6 to R9 */
	u32 may_gotos;
};

static int too_deep(struct interp *in)
{
	in->run->err = fail(in->run->diag, CALL_DEPTH, NO_PC, MAX_FRAMES);
	return in->run->err;
}

static int no_function(struct interp *in, u64 value)
{
	in->run->err = fail(in->run->diag, NO_FUNCTION, NO_PC, (unsigned long long)value);
	return in->run->err;
}

static int never_seen(struct interp *in, const struct code *code)
{
	in->run->err = fail(in->run->diag, CLAIM_NEVER, (int)(code - in->image->interp));
	return in->run->err;
}

static int throws_again(struct interp *in)
{
	in->run->err = fail(in->run->diag, THROWN_TWICE, NO_PC);
	return in->run->err;
}

static const struct image *tail_call(struct interp *in, u64 map, u64 index)
{
	const struct image *next;

	if (in->tail_calls >= MAX_TAIL_CALLS)
		return NULL;
	next = map_prog((struct map *)(uintptr_t)map, (u32)index);
	if (!next || !image_may_follow(in->image, next))
		return NULL;
	in->tail_calls++;
	in->image = next;
	in->run->prog = next->prog;
	return next;
}

/* What handlers.inc leaves to the engine: here nothing is checked. */
#define NEEDS(reg)                                                                       \
	{                                                                                \
	}
#define SETS(reg)
#define TOUCH(at, bits, how)
#define PACKET      in->run->packet
#define JUMP(slots) pc += (slots)
#define GO          goto * pc->go
#define NEXT                                                                             \
	do {                                                                             \
		pc++;                                                                    \
		GO;                                                                      \
	} while (0)

/* Programs that a function tail-called: their answer is the function's. */
static int interp_nested(struct interp *in, const u64 args[5], u64 *answer);

#define MOVE_LABEL(name, form, width, operand)                                           \
	[CODE_MOVE_##name##form] = &&move_##name##form,

/*
 * The loop.  With pc == NULL it only tells where its handlers are, as labels have no
 * other way out of a function.  Returns 0, an enum exec_end or a negative errno.
 */
__attribute__((noinline)) static int interp_loop(struct interp *in, const struct code *pc,
						 const u64 args[5], u64 *answer)
{
	static const void *const labels[CODES] = {
#include "exec/labels.inc"
#define A(name, code, off, sign, forms, ...) FORMS_##forms(MOVE_LABEL, name)
#include "isa/alu.def"
#undef A
		[CODE_CALL_LOCAL] = &&call_local, [CODE_CALL_HELPER] = &&call_helper,
		[CODE_TAIL_CALL] = &&call_tail,   [CODE_ARENA] = &&arena,
		[CODE_UNSEEN] = &&unseen,
	};
	struct frame frames[MAX_FRAMES];
	u32 n_frames = 0, may_gotos = 0;
	u64 r[N_REGS];
	struct frame *frame;
	helper_fn helper;
	int err;

	if (!pc) {
		in->labels = labels;
		return 0;
	}
	memset(r, 0, sizeof(r));
	memcpy(r + R1, args, 5 * sizeof(*args));
	r[R10] = (u64)(uintptr_t)in->stack_top - (u64)in->depth * FRAME_STACK;
	in->depth++;
	GO;

#include "exec/handlers.inc"

#define MOVED_IMM ((u64)(s64)pc[1].imm)
#define MOVED_SRC r[pc[1].src]
#define MOVE(name, form, width, operand)                                                 \
	move_##name##form : DST = alu##width##_##name(SRC, MOVED_##operand);             \
	JUMP(1);                                                                         \
	NEXT;
#define A(name, code, off, sign, forms, ...) FORMS_##forms(MOVE, name)
#include "isa/alu.def"
#undef A

do_MAY_GOTO:
	if (may_gotos++ >= MAY_GOTO_STEPS)
		pc += pc->imm;
	NEXT;

arena:
	arena_step(in->image, (u32)(pc - in->image->interp), r);
	NEXT;

unseen:
	return never_seen(in, pc);

do_CALLX:
	helper = image_callx_helper(in->image, DST);
	if (helper)
		goto call;
	{
		const struct code *to = image_function(in->image, in->image->interp, DST);

		if (!to)
			return no_function(in, DST);
		if (in->depth == MAX_FRAMES)
			return too_deep(in);
		frame = &frames[n_frames++];
		frame->ret = pc + 1;
		pc = to;
		goto enter;
	}
call_local:
	if (in->depth == MAX_FRAMES)
		return too_deep(in);
	frame = &frames[n_frames++];
	frame->ret = pc + 1;
	pc = pc->target;
enter:
	frame->image = in->image;
	memcpy(frame->saved, r + R6, sizeof(frame->saved));
	frame->may_gotos = may_gotos;
	may_gotos = 0;
	in->depth++;
	r[R10] -= FRAME_STACK;
	GO;

end_of_packet:
	r[R0] = 0;
do_EXIT:
	in->depth--;
	if (!n_frames) {
		*answer = r[R0];
		return 0;
	}
	frame = &frames[--n_frames];
	in->image = frame->image;
	in->run->prog = in->image->prog;
	memcpy(r + R6, frame->saved, sizeof(frame->saved));
	may_gotos = frame->may_gotos;
	r[R10] += FRAME_STACK;
	pc = frame->ret;
	GO;

call_helper:
	helper = pc->helper;
call:
	r[R0] = helper(in->run, r[R1], r[R2], r[R3], r[R4], r[R5]);
	if (__builtin_expect(in->run->err, 0)) {
		*answer = 0;
		return in->run->err;
	}
	NEXT;
call_tail:
	if (!tail_call(in, r[R2], r[R3])) {
		r[R0] = (u64)(s64)-ENOENT;
		NEXT;
	}
	if (in->depth == 1) {
		pc = in->image->interp;
		may_gotos = 0;
		GO;
	}
	err = interp_nested(in, r + R1, &r[R0]);
	if (!err)
		goto do_EXIT;
	*answer = 0;
	return err;
}

/* The program that threw is left: its exception callback answers, or the cookie does. */
static int caught(struct interp *in, u64 *answer)
{
	const struct image *image = in->image;
	u64 args[5] = {in->run->thrown};
	int err;

	in->run->err = 0;
	in->run->prog = image->prog;
	*answer = in->run->thrown;
	if (!image->prog->exception)
		return 0;
	in->depth = 0;
	err = interp_loop(in, image->interp + image->prog->exception, args, answer);
	return err == EXEC_THROWN ? throws_again(in) : err;
}

/* Nothing reads above the first frame; the room is for programs that nobody verified and
 * that write across R10. */
enum { STACK_ROOM = MAX_FRAMES * FRAME_STACK + 16 };

/* A program has MAX_FRAMES frames of its own, wherever it was called from: the verifier
 * counted them so.  At most MAX_TAIL_CALLS of these are under way at once. */
__attribute__((noinline)) static int interp_nested(struct interp *in, const u64 args[5],
						   u64 *answer)
{
	u8 stack[STACK_ROOM] __attribute__((aligned(16)));
	u8 *outer = in->stack_top;
	u32 depth = in->depth;
	int err;

	in->stack_top = stack + MAX_FRAMES * FRAME_STACK;
	in->depth = 0;
	err = interp_loop(in, in->image->interp, args, answer);
	if (err == EXEC_THROWN)
		err = caught(in, answer);
	in->stack_top = outer;
	in->depth = depth;
	return err;
}

const void *const *interp_labels(void)
{
	struct interp in = {0};

	interp_loop(&in, NULL, NULL, NULL);
	return in.labels;
}

/*
 * A move and the computation behind it on the same register are one computation with
 * three operands.  The second instruction stays as it is, for jumps that go there.
 * Measured on bench/: a quarter of all instructions are moves.
 */
static bool move_fits(const struct insn *move, const struct insn *alu)
{
	bool is_32 = op_info(decode(alu))->width == 32;
	enum op op = decode(move);

	if (op != OP_MOV64_X && !(op == OP_MOV32_X && is_32))
		return false;
	if (move->dst_reg != alu->dst_reg || !alu_reads_dst(op_info(decode(alu))->row))
		return false;
	return !op_info(decode(alu))->reg || alu->src_reg != move->dst_reg;
}

static u32 moved_code(enum op op)
{
	switch ((int)op) {
#define CASE(name, form, width, operand)                                                 \
	case OP_##name##form:                                                            \
		return CODE_MOVE_##name##form;
#define A(name, code, off, sign, forms, ...) FORMS_##forms(CASE, name)
#include "isa/alu.def"
#undef A
	default: return OP_INVALID;
	}
}

void interp_fuse(const struct prog *prog, struct code *code)
{
	const void *const *labels = interp_labels();

	for (u32 pc = 0; pc + 1 < prog->n_insns; pc++) {
		const struct insn *insn = &prog->insns[pc];
		u32 moved = moved_code(decode(insn + 1));

		/* an arena's instructions are others than they look */
		if (moved && code[pc + 1].go == labels[decode(insn + 1)] &&
		    code[pc].go == labels[decode(insn)] && move_fits(insn, insn + 1))
			code[pc].go = labels[moved];
		pc += op_info(decode(insn))->wide;
	}
}

/* run->call: helpers call back into the program. */
static int interp_call(struct run *run, u64 func, const u64 args[5], u64 *ret)
{
	struct interp *in = run->engine;
	const struct image *image = in->image;
	const struct code *code = image_function(image, image->interp, func);
	int err;

	if (!code)
		return no_function(in, func);
	if (in->depth == MAX_FRAMES)
		return too_deep(in);
	err = interp_loop(in, code, args, ret);
	in->image = image; /* the callback may have ended in a tail call */
	run->prog = image->prog;
	return err;
}

int interp_run(const struct image *image, struct run *run, u64 *ret)
{
	u8 stack[STACK_ROOM] __attribute__((aligned(16)));
	struct interp in = {.run = run,
			    .image = image,
			    .stack_top = stack + MAX_FRAMES * FRAME_STACK};
	u64 args[5] = {(u64)(uintptr_t)run->ctx, run->opts ? run->opts->r2 : 0};
	int err;

	run->prog = image->prog;
	run->call = interp_call;
	run->engine = &in;
	run->err = 0;
	err = interp_loop(&in, image->interp, args, ret);
	if (err == EXEC_THROWN)
		err = caught(&in, ret);
	return err == EXEC_STOP ? 0 : err;
}
