/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is an array of slots a program?  First every slot is marked: does an instruction start
 * here, a function?  Then every jump is held against the marks of the function it is in.
 * Says nothing about what the program does, nor whether all of it can be reached.  RFC
 * 9669 4.3; a function's jumps stay inside of it, as in Linux.
 */
#include <stdlib.h>

#include "base/diag.h"
#include "isa/insn.h"

enum { MIDDLE = 1, FUNCTION = 2 };

struct walk {
	const struct insn *insns; /* borrowed from the caller */
	u32 n_insns;
	u8 *marks; /* owned; one a slot */
	struct skep_diag *diag;
};

static int mark_slots(struct walk *w)
{
	for (u32 pc = 0; pc < w->n_insns; pc++) {
		const struct insn *insn = &w->insns[pc];
		int err = insn_refuse(insn, w->n_insns - pc, pc, w->diag);

		if (err)
			return err;
		if (op_info(decode(insn))->wide)
			w->marks[++pc] = MIDDLE;
	}
	return 0;
}

static bool refers_to_function(const struct insn *insn)
{
	enum op op = decode(insn);

	return (op == OP_CALL && insn->src_reg == CALL_LOCAL) ||
	       (op == OP_LDDW && insn->src_reg == LDDW_FUNC);
}

static int mark_functions(struct walk *w)
{
	w->marks[0] |= FUNCTION;
	for (u32 pc = 0; pc < w->n_insns; pc++) {
		s64 to = (s64)pc + 1 + w->insns[pc].imm;

		if (w->marks[pc] & MIDDLE || !refers_to_function(&w->insns[pc]))
			continue;
		if (to < 0 || to >= w->n_insns)
			return fail(w->diag, CALL_OUT_OF_RANGE, pc, (long long)to,
				    w->n_insns - 1);
		if (w->marks[to] & MIDDLE)
			return fail(w->diag, JUMP_INTO_LDDW, pc, (u32)to - 1);
		w->marks[to] |= FUNCTION;
	}
	return 0;
}

static bool is_jump(enum op op)
{
	u8 kind = op_info(op)->kind;

	return kind == KIND_JMP || kind == KIND_JA || kind == KIND_MAY_GOTO;
}

/* The function is [start, end). */
static int check_function(struct walk *w, u32 start, u32 end)
{
	u32 last = start;

	for (u32 pc = start; pc < end; pc++) {
		s64 to = jump_target(&w->insns[pc], pc);

		if (w->marks[pc] & MIDDLE)
			continue;
		last = pc;
		if (!is_jump(decode(&w->insns[pc])))
			continue;
		if (to < start || to >= end)
			return fail(w->diag, JUMP_OUT_OF_RANGE, pc, (long long)to, start,
				    end - 1);
		if (w->marks[to] & MIDDLE)
			return fail(w->diag, JUMP_INTO_LDDW, pc, (u32)to - 1);
	}
	if (op_info(decode(&w->insns[last]))->kind != KIND_JA &&
	    decode(&w->insns[last]) != OP_EXIT)
		return fail(w->diag, FALLS_OFF_END, last, start);
	return 0;
}

static int check_functions(struct walk *w)
{
	for (u32 start = 0, end; start < w->n_insns; start = end) {
		int err;

		for (end = start + 1; end < w->n_insns; end++)
			if (w->marks[end] & FUNCTION)
				break;
		err = check_function(w, start, end);
		if (err)
			return err;
	}
	return 0;
}

int insns_check(const struct insn *insns, u32 n_insns, struct skep_diag *diag)
{
	struct walk w = {insns, n_insns, NULL, diag};
	int err;

	if (!n_insns || n_insns > MAX_INSNS)
		return fail(diag, BAD_INSN_COUNT, NO_PC, n_insns, MAX_INSNS);
	w.marks = calloc(n_insns, 1);
	if (!w.marks)
		return fail(diag, NO_MEMORY, NO_PC);
	err = mark_slots(&w);
	err = err ? err : mark_functions(&w);
	err = err ? err : check_functions(&w);
	free(w.marks);
	return err;
}
