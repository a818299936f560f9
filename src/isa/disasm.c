/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction as text.  What the rows of the .def files say is printed from them;
 * each kind has its own few lines beside.  Whatever this prints, the assembler turns into
 * the same bytes; an encoding that no text stands for becomes ".insn".  Syntax: LLVM's
 * BPF assembler; docs/asm.md.
 */
#include "isa/disasm.h"

#include "base/text.h"
#include "isa/syntax.h"

struct dis {
	struct text *out;        /* borrowed from the caller, as are the others */
	const struct insn *insn; /* two slots if it is wide */
	const struct op_info *info;
	const struct dis_names *names;
	u32 pc;
};

static char reg_letter(const struct op_info *info)
{
	return info->width == 64 ? 'r' : 'w';
}

/* Bits are easier to read in hexadecimal. */
static void put_imm(struct dis *d, bool bits)
{
	text_printf(d->out, bits && d->insn->imm > 9 ? "0x%x" : "%d", d->insn->imm);
}

static void put_operand(struct dis *d, bool bits)
{
	if (d->info->reg)
		text_printf(d->out, "%c%d", reg_letter(d->info), d->insn->src_reg);
	else
		put_imm(d, bits);
}

static void put_alu(struct dis *d)
{
	char letter = reg_letter(d->info);
	u8 row = d->info->row;
	bool sign_extends = row == ALU_MOVS8 || row == ALU_MOVS16 || row == ALU_MOVS32;

	text_printf(d->out, "%c%d ", letter, d->insn->dst_reg);
	if (row == ALU_NEG) {
		text_printf(d->out, "= -%c%d", letter, d->insn->dst_reg);
		return;
	}
	text_printf(d->out, sign_extends ? "%s" : "%s ", alu_text[row]);
	put_operand(d, row == ALU_AND || row == ALU_OR || row == ALU_XOR);
}

/* "r1 = be16 r1": the operation's name is that of its row, in small letters. */
static void put_end(struct dis *d)
{
	text_printf(d->out, "r%d = ", d->insn->dst_reg);
	for (const char *s = d->info->name; *s; s++)
		text_printf(d->out, "%c", *s | 0x20);
	text_printf(d->out, " r%d", d->insn->dst_reg);
}

static void put_addr_space_cast(struct dis *d)
{
	text_printf(d->out, "r%d = addr_space_cast(r%d, %d, %d)", d->insn->dst_reg,
		    d->insn->src_reg, d->insn->imm >> 16, d->insn->imm & 0xffff);
}

static void put_target(struct dis *d)
{
	s64 to = jump_target(d->insn, d->pc);
	const char *label = NULL;

	if (d->names->label && to >= 0 && to <= UINT32_MAX)
		label = d->names->label(d->names->ctx, (u32)to);
	if (label)
		text_puts(d->out, label);
	else
		text_printf(d->out, "%+lld", (long long)to - d->pc - 1);
}

static void put_jmp(struct dis *d)
{
	text_printf(d->out, "if %c%d %s ", reg_letter(d->info), d->insn->dst_reg,
		    jmp_text[d->info->row]);
	put_operand(d, d->info->row == JMP_JSET);
	text_puts(d->out, " goto ");
	put_target(d);
}

static void put_goto(struct dis *d, const char *word)
{
	text_printf(d->out, "%s ", word);
	put_target(d);
}

static const char *function_at(struct dis *d, s64 to)
{
	if (!d->names->function || to < 0 || to > UINT32_MAX)
		return NULL;
	return d->names->function(d->names->ctx, (u32)to);
}

static const char *external(struct dis *d)
{
	if (!d->names->external)
		return NULL;
	return d->names->external(d->names->ctx, d->insn, d->pc);
}

static void put_call_kfunc(struct dis *d)
{
	const char *name = external(d);

	if (name)
		text_printf(d->out, "call kfunc[%s]", name);
	else if (d->insn->off)
		text_printf(d->out, "call kfunc_id[%d, %d]", d->insn->imm, d->insn->off);
	else
		text_printf(d->out, "call kfunc_id[%d]", d->insn->imm);
}

static void put_call(struct dis *d)
{
	const char *name = NULL;

	if (d->insn->src_reg == CALL_KFUNC) {
		put_call_kfunc(d);
		return;
	}
	if (d->insn->src_reg == CALL_LOCAL)
		name = function_at(d, (s64)d->pc + 1 + d->insn->imm);
	else if (d->names->helper)
		name = d->names->helper(d->names->ctx, d->insn->imm);
	if (name)
		text_printf(d->out, "call %s", name);
	else
		text_printf(d->out,
			    d->insn->src_reg == CALL_LOCAL ? "call pc%+d" : "call %d",
			    d->insn->imm);
}

static void put_memory(struct dis *d, const char *type, u8 reg)
{
	s16 off = d->insn->off;

	text_printf(d->out, "(%s%d *)(r%d %c %d)", type, d->info->width, reg,
		    off < 0 ? '-' : '+', off < 0 ? -off : off);
}

static void put_load(struct dis *d, const char *type)
{
	text_printf(d->out, "r%d = *", d->insn->dst_reg);
	put_memory(d, type, d->insn->src_reg);
}

static void put_store(struct dis *d)
{
	text_puts(d->out, "*");
	put_memory(d, "u", d->insn->dst_reg);
	if (d->info->reg)
		text_printf(d->out, " = r%d", d->insn->src_reg);
	else
		text_printf(d->out, " = %d", d->insn->imm);
}

static void put_packet(struct dis *d)
{
	text_printf(d->out, "r0 = *(u%d *)skb[", d->info->width);
	if (!d->info->reg)
		text_printf(d->out, "%d]", d->insn->imm);
	else if (d->insn->imm)
		text_printf(d->out, "r%d %c %u]", d->insn->src_reg,
			    d->insn->imm < 0 ? '-' : '+',
			    d->insn->imm < 0 ? 0 - (u32)d->insn->imm : (u32)d->insn->imm);
	else
		text_printf(d->out, "r%d]", d->insn->src_reg);
}

/* LLVM's exchanges take an address without a type, and say the width in their name. */
static void put_exchange(struct dis *d)
{
	char letter = reg_letter(d->info);
	s16 off = d->insn->off;
	bool compare = d->info->row == ATOMIC_CMPXCHG;

	text_printf(d->out, "%c%d = %s%s(r%d %c %d, ", letter,
		    compare ? R0 : d->insn->src_reg, atomic_text[d->info->row],
		    d->info->width == 64 ? "_64" : "32_32", d->insn->dst_reg,
		    off < 0 ? '-' : '+', off < 0 ? -off : off);
	if (compare)
		text_printf(d->out, "%c0, ", letter);
	text_printf(d->out, "%c%d)", letter, d->insn->src_reg);
}

static void put_atomic(struct dis *d)
{
	char letter = reg_letter(d->info);
	const char *text = atomic_text[d->info->row];

	if (d->info->row == ATOMIC_XCHG || d->info->row == ATOMIC_CMPXCHG) {
		put_exchange(d);
	} else if (atomic_fetch[d->info->row]) {
		text_printf(d->out, "%c%d = %s(", letter, d->insn->src_reg, text);
		put_memory(d, "u", d->insn->dst_reg);
		text_printf(d->out, ", %c%d)", letter, d->insn->src_reg);
	} else {
		text_puts(d->out, "lock *");
		put_memory(d, "u", d->insn->dst_reg);
		text_printf(d->out, " %s %c%d", text, letter, d->insn->src_reg);
	}
}

static void put_load_acquire(struct dis *d)
{
	text_printf(d->out, "r%d = load_acquire(", d->insn->dst_reg);
	put_memory(d, "u", d->insn->src_reg);
	text_puts(d->out, ")");
}

static void put_store_release(struct dis *d)
{
	text_puts(d->out, "store_release(");
	put_memory(d, "u", d->insn->dst_reg);
	text_printf(d->out, ", r%d)", d->insn->src_reg);
}

static void put_lddw_map(struct dis *d)
{
	enum lddw_src src = d->insn->src_reg;
	bool value = src == LDDW_MAP_VALUE || src == LDDW_MAP_IDX_VALUE;
	bool by_index = src == LDDW_MAP_IDX || src == LDDW_MAP_IDX_VALUE;
	const char *what = value ? "value" : "map", *name = NULL;

	if (d->names->map)
		name = d->names->map(d->names->ctx, d->insn, d->pc);
	if (name)
		text_printf(d->out, "%s[%s]", what, name);
	else
		text_printf(d->out, "%s_%s[%d]", what, by_index ? "idx" : "fd",
			    d->insn->imm);
	if (value && d->insn[1].imm)
		text_printf(d->out, " %c %u", d->insn[1].imm < 0 ? '-' : '+',
			    d->insn[1].imm < 0 ? 0 - (u32)d->insn[1].imm
					       : (u32)d->insn[1].imm);
}

static void put_lddw_btf_id(struct dis *d)
{
	const char *name = external(d);

	if (name)
		text_printf(d->out, "ksym[%s]", name);
	else if (d->insn[1].imm)
		text_printf(d->out, "ksym_id[%d, %d]", d->insn->imm, d->insn[1].imm);
	else
		text_printf(d->out, "ksym_id[%d]", d->insn->imm);
}

static void put_lddw_func(struct dis *d)
{
	const char *name = function_at(d, (s64)d->pc + 1 + d->insn->imm);

	if (name)
		text_printf(d->out, "func[%s]", name);
	else
		text_printf(d->out, "func[pc%+d]", d->insn->imm);
}

static void put_lddw(struct dis *d)
{
	text_printf(d->out, "r%d = ", d->insn->dst_reg);
	switch ((enum lddw_src)d->insn->src_reg) {
	case LDDW_IMM:
		text_printf(d->out, "0x%llx ll", (unsigned long long)lddw_imm(d->insn));
		break;
	case LDDW_MAP_FD:
	case LDDW_MAP_VALUE:
	case LDDW_MAP_IDX:
	case LDDW_MAP_IDX_VALUE: put_lddw_map(d); break;
	case LDDW_BTF_ID: put_lddw_btf_id(d); break;
	case LDDW_FUNC: put_lddw_func(d); break;
	case LDDW_SRCS: break;
	}
}

static void put_raw(struct dis *d, bool wide)
{
	text_printf(d->out, ".insn 0x%02x, %d, %d, %d, %d", d->insn->code,
		    d->insn->dst_reg, d->insn->src_reg, d->insn->off, d->insn->imm);
	if (wide)
		text_printf(d->out, ", %d", d->insn[1].imm);
}

/* Fields that mean nothing, and the two spellings of callx. */
static bool has_text(enum op op, const struct insn *insn)
{
	if (op == OP_EXIT)
		return insn->off == 0;
	if (op == OP_CALLX)
		return insn->imm == 0;
	if (op == OP_LDDW && insn->src_reg == LDDW_FUNC)
		return insn[1].imm == 0;
	return op != OP_INVALID;
}

static void put_insn(struct dis *d)
{
	switch ((enum op_kind)d->info->kind) {
	case KIND_INVALID: break;
	case KIND_ALU: put_alu(d); break;
	case KIND_END: put_end(d); break;
	case KIND_ADDR_SPACE_CAST: put_addr_space_cast(d); break;
	case KIND_JMP: put_jmp(d); break;
	case KIND_JA:
		put_goto(d, insn_class(d->insn->code) == CLASS_JMP ? "goto" : "gotol");
		break;
	case KIND_MAY_GOTO: put_goto(d, "may_goto"); break;
	case KIND_CALL: put_call(d); break;
	case KIND_CALLX: text_printf(d->out, "callx r%d", d->insn->dst_reg); break;
	case KIND_EXIT: text_puts(d->out, "exit"); break;
	case KIND_LDDW: put_lddw(d); break;
	case KIND_LDX: put_load(d, "u"); break;
	case KIND_LDXS: put_load(d, "s"); break;
	case KIND_ST:
	case KIND_STX: put_store(d); break;
	case KIND_LD_ABS:
	case KIND_LD_IND: put_packet(d); break;
	case KIND_ATOMIC: put_atomic(d); break;
	case KIND_LOAD_ACQ: put_load_acquire(d); break;
	case KIND_STORE_REL: put_store_release(d); break;
	}
}

u32 disasm(struct text *out, const struct insn *insns, u32 n_insns, u32 pc,
	   const struct dis_names *names)
{
	static const struct dis_names none;
	enum op op = decode(&insns[pc]);
	struct dis d = {out, &insns[pc], op_info(op), names ? names : &none, pc};
	bool valid = !insn_refuse(d.insn, n_insns - pc, pc, NULL);
	bool wide = valid && d.info->wide;

	if (valid && has_text(op, d.insn))
		put_insn(&d);
	else
		put_raw(&d, wide);
	return wide ? 2 : 1;
}
