/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the functions of a program start, how deep they call each other, and which
 * parameters each reads.  Decodes every slot, once for all that follows.
 */
#include "abi/abi.h"
#include "base/diag.h"
#include "opt/graph.h"

struct finder {
	const struct prog *prog;
	struct ir_functions *out;
	u8 *ops, *marks, *params; /* of out */
	u32 *effects;
	u8 *alive; /* by instruction: which of R1 to R5 are read from there on */
	u8 *depth; /* by function: how many frames it needs, itself included; 0: not
		      known yet */
	struct skep_diag *diag;
};

/* ---- what an instruction reads and writes ---- */

static u32 bit(u8 reg)
{
	return 1u << reg;
}

/* Raw programs have no type and may call what there is. */
const struct abi_helper *graph_helper(const struct prog *prog, u32 number)
{
	if (abi_is_kfunc(number))
		return abi_kfunc_proto(number);
	return prog->type ? abi_helper_for(number, prog->type) : abi_helper(number);
}

/* What a host offers raw programs under a number may read more than Linux' helper. */
u32 graph_helper_args(const struct prog *prog, u32 number)
{
	bool known = prog->type || abi_is_kfunc(number);
	const struct abi_helper *helper = known ? graph_helper(prog, number) : NULL;
	u32 n = 5;

	while (helper && n && !helper->args[n - 1])
		n--;
	return n;
}

static u32 effect(u32 reads, u32 writes)
{
	return reads | writes << 16;
}

/* What a function reads comes later (visit_callees). */
static u32 call_effect(const struct prog *prog, const struct insn *insn)
{
	u32 n = 0;

	if (insn->src_reg != CALL_LOCAL)
		n = graph_helper_args(prog, prog_callee(prog, insn));
	return effect(((1u << n) - 1) << R1, bit(R0));
}

static u32 atomic_effect(const struct insn *insn, const struct op_info *info)
{
	u32 reads = bit(insn->dst_reg) | bit(insn->src_reg);

	switch ((enum atomic)info->row) {
	case ATOMIC_CMPXCHG: return effect(reads | bit(R0), bit(R0));
	case ATOMIC_FETCH_ADD:
	case ATOMIC_FETCH_OR:
	case ATOMIC_FETCH_AND:
	case ATOMIC_FETCH_XOR:
	case ATOMIC_XCHG: return effect(reads, bit(insn->src_reg));
	case ATOMIC_ADD:
	case ATOMIC_OR:
	case ATOMIC_AND:
	case ATOMIC_XOR:
	case ATOMICS: break;
	}
	return effect(reads, 0);
}

static u32 alu_effect(const struct insn *insn, const struct op_info *info)
{
	bool moves = info->row == ALU_MOV || info->row == ALU_MOVS8 ||
		     info->row == ALU_MOVS16 || info->row == ALU_MOVS32;
	u32 dst = bit(insn->dst_reg);

	return effect((info->reg ? bit(insn->src_reg) : 0) | (moves ? 0 : dst), dst);
}

static u32 effect_of(const struct prog *prog, const struct insn *insn, u8 op)
{
	const struct op_info *info = &op_infos[op];
	u32 dst = bit(insn->dst_reg), src = bit(insn->src_reg);

	switch ((enum op_kind)info->kind) {
	case KIND_ALU: return alu_effect(insn, info);
	case KIND_END: return effect(dst, dst);
	case KIND_ADDR_SPACE_CAST:
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: return effect(src, dst);
	case KIND_JMP: return effect(dst | (info->reg ? src : 0), 0);
	case KIND_CALL: return call_effect(prog, insn);
	case KIND_CALLX: return effect(bit(graph_callx_reg(insn)) | 0x1f << R1, bit(R0));
	case KIND_EXIT: return effect(bit(R0), 0);
	case KIND_LDDW: return effect(0, dst);
	case KIND_ST: return effect(dst, 0);
	case KIND_STX:
	case KIND_STORE_REL: return effect(dst | src, 0);
	case KIND_LD_ABS: return effect(0, bit(R0));
	case KIND_LD_IND: return effect(src, bit(R0));
	case KIND_ATOMIC: return atomic_effect(insn, info);
	case KIND_MAY_GOTO: return effect(bit(GRAPH_STEPS), bit(GRAPH_STEPS));
	case KIND_JA:
	case KIND_INVALID: break;
	}
	return 0;
}

u32 graph_function(const struct ir_functions *functions, u32 pc)
{
	u32 low = 0, n = functions->n;

	while (n > 1) {
		u32 half = n / 2;

		if (functions->entry[low + half] <= pc)
			low += half;
		n -= half;
	}
	return low;
}

/* ---- finding them ---- */

static void mark_insn(struct finder *f, u32 pc)
{
	const struct insn *insn = &f->prog->insns[pc];
	u32 next = pc + 1, n = f->prog->n_insns;

	switch ((int)f->ops[pc]) {
	case OP_LDDW:
		if (insn->src_reg == LDDW_FUNC)
			f->marks[pc + 1 + insn->imm] |= MARK_ENTRY | MARK_BLOCK;
		return;
	case OP_CALL:
		if (insn->src_reg == CALL_LOCAL)
			f->marks[pc + 1 + insn->imm] |= MARK_ENTRY | MARK_BLOCK;
		return;
	case OP_CALLX: return;
	case OP_EXIT: break;
	default: f->marks[jump_target(insn, pc)] |= MARK_BLOCK;
	}
	if (next < n)
		f->marks[next] |= MARK_BLOCK;
}

static void mark_program(struct finder *f)
{
	f->marks[0] |= MARK_ENTRY | MARK_BLOCK;
	f->marks[f->prog->exception] |= MARK_ENTRY | MARK_BLOCK;
	for (u32 pc = 0; pc < f->prog->n_insns; pc++) {
		const struct insn *insn = &f->prog->insns[pc];
		u8 class = insn_class(insn->code);
		enum op op = decode(insn);

		f->ops[pc] = (u8)op;
		f->effects[pc] = effect_of(f->prog, insn, (u8)op);
		if (class == CLASS_JMP || class == CLASS_JMP32 || op == OP_LDDW)
			mark_insn(f, pc);
		pc += op == OP_LDDW;
	}
}

static bool list_entries(struct finder *f, struct arena *arena)
{
	u32 n = 0;

	for (u32 pc = 0; pc < f->prog->n_insns; pc++)
		n += f->marks[pc] & MARK_ENTRY;
	f->out->entry = arena_array(arena, n + 1, sizeof(*f->out->entry));
	f->params = arena_alloc(arena, n);
	f->depth = arena_alloc(arena, n);
	f->out->params = f->params;
	if (!f->out->entry || !f->params || !f->depth)
		return false;
	for (u32 pc = 0; pc < f->prog->n_insns; pc++)
		if (f->marks[pc] & MARK_ENTRY)
			f->out->entry[f->out->n++] = pc;
	f->out->entry[n] = f->prog->n_insns;
	return true;
}

/* ---- depth and parameters ---- */

static int visit(struct finder *f, u32 function, u32 level);

static int visit_callees(struct finder *f, u32 function, u32 level)
{
	u32 end = f->out->entry[function + 1], deepest = 0;

	for (u32 pc = f->out->entry[function]; pc < end; pc++) {
		const struct insn *insn = &f->prog->insns[pc];
		u32 callee;
		int err;

		if (f->ops[pc] != OP_CALL || insn->src_reg != CALL_LOCAL)
			continue;
		callee = graph_function(f->out, pc + 1 + insn->imm);
		err = visit(f, callee, level + 1);
		if (err)
			return err;
		f->effects[pc] |= effect((u32)f->params[callee] << R1, 0);
		if (f->depth[callee] > deepest)
			deepest = f->depth[callee];
	}
	f->depth[function] = (u8)(deepest + 1);
	return 0;
}

/* Registers that are read behind an instruction before they are written. */
static u32 alive_behind(const struct finder *f, u32 pc)
{
	u8 kind = op_infos[f->ops[pc]].kind;
	u32 jump = 0, next = 0;

	if (kind == KIND_JA || kind == KIND_JMP || kind == KIND_MAY_GOTO)
		jump = f->alive[jump_target(&f->prog->insns[pc], pc)];
	if (kind != KIND_JA && kind != KIND_EXIT)
		next = f->alive[pc + 1];
	return jump | next;
}

enum { ALL_PARAMS = 0x1f };

/* Sweeps backwards: each round of a loop inside a loop needs one more, so a few do. */
static u8 find_params(struct finder *f, u32 function)
{
	enum { SWEEPS = 8 };
	u32 start = f->out->entry[function], end = f->out->entry[function + 1];

	for (u32 sweep = 0; sweep < SWEEPS; sweep++) {
		bool again = false;

		for (u32 pc = end; pc-- > start;) {
			u32 e = f->effects[pc],
			    alive = alive_behind(f, pc) & ~effect_writes(e);

			alive = (alive | effect_reads(e)) >> R1 & ALL_PARAMS;
			again |= f->alive[pc] != alive << R1;
			f->alive[pc] = (u8)(alive << R1);
		}
		if (!again)
			return f->alive[start] >> R1;
	}
	return ALL_PARAMS;
}

/* A circle is as deep as one likes. */
static int visit(struct finder *f, u32 function, u32 level)
{
	int err;

	if (level + (f->depth[function] ? f->depth[function] - 1u : 0) > MAX_FRAMES)
		return fail_errno(f->diag, -ENOTSUP, CALL_DEPTH,
				  (int)f->out->entry[function], MAX_FRAMES);
	if (f->depth[function])
		return 0;
	err = visit_callees(f, function, level);
	/* Where the program starts is the longest to look at, and hardly ever called:
	 * only by who is called through his address. */
	if (!err)
		f->params[function] = function ? find_params(f, function) : ALL_PARAMS;
	return err;
}

int ir_find_functions(const struct prog *prog, struct arena *arena,
		      struct ir_functions *out, struct skep_diag *diag)
{
	struct finder f = {.prog = prog,
			   .out = out,
			   .ops = arena_alloc(arena, prog->n_insns),
			   .marks = arena_alloc(arena, prog->n_insns),
			   .effects = arena_array(arena, prog->n_insns, sizeof(u32)),
			   .alive = arena_alloc(arena, prog->n_insns + 1),
			   .diag = diag};
	int err = 0;

	*out = (struct ir_functions){
		.ops = f.ops, .marks = f.marks, .effects = f.effects};
	if (!f.ops || !f.marks || !f.effects || !f.alive)
		return fail(diag, NO_MEMORY, NO_PC);
	mark_program(&f);
	if (!list_entries(&f, arena))
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < out->n && !err; i++)
		err = visit(&f, i, 1);
	return err;
}
