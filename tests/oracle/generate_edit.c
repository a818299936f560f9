/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking at generated programs and taking parts out of them.
 */
#include <string.h>

#include "oracle/generating.h"

u32 gen_maps_used(const struct gen_case *c)
{
	u32 used = 0;

	for (u32 k = 0; k < c->n_progs; k++) {
		const struct gen_prog *p = &c->progs[k];

		for (u32 i = 0; i < p->n_insns; i++) {
			if (p->insns[i].code != 0x18)
				continue;
			if (p->insns[i].src_reg == LDDW_MAP_IDX ||
			    p->insns[i].src_reg == LDDW_MAP_IDX_VALUE)
				used |= 1u << p->insns[i].imm;
			i++;
		}
	}
	if (used & (1u << GEN_OUTER | 1u << GEN_OUTER_HASH))
		used |= 1u << GEN_INNER_A | 1u << GEN_INNER_B;
	return used;
}

/* Where an instruction goes or points to, -1: nowhere. */
static s64 refers_to(const struct insn *insn, u32 at)
{
	const struct op_info *info = op_info(decode(insn));

	switch (info->kind) {
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO: return jump_target(insn, at);
	case KIND_CALL: return insn->src_reg == CALL_LOCAL ? jump_target(insn, at) : -1;
	case KIND_LDDW: return insn->src_reg == LDDW_FUNC ? (s64)at + 1 + insn->imm : -1;
	}
	return -1;
}

static u32 moved(u32 at, struct gen_range r)
{
	return at <= r.start ? at : at >= r.start + r.n ? at - r.n : r.start;
}

static void redirect(struct insn *insn, u32 at, struct gen_range r)
{
	s64 target = refers_to(insn, at);
	s32 distance;

	if (target < 0)
		return;
	distance = (s32)moved((u32)target, r) - (s32)moved(at, r) - 1;
	if (insn->code == (CLASS_JMP32 | 0x00) || insn->code == (CLASS_JMP | 0x80) ||
	    insn->code == 0x18)
		insn->imm = distance;
	else
		insn->off = (s16)distance;
}

static bool is_second(const struct gen_prog *p, u32 at)
{
	return at && p->insns[at - 1].code == 0x18;
}

static void cut(struct gen_prog *p, struct gen_range r)
{
	u32 n = 0;

	for (u32 i = 0; i < p->n_insns; i++)
		if (!is_second(p, i))
			redirect(&p->insns[i], i, r);
	memmove(&p->insns[r.start], &p->insns[r.start + r.n],
		(p->n_insns - r.start - r.n) * sizeof(p->insns[0]));
	p->n_insns -= r.n;
	for (u32 i = 0; i < p->n_ranges; i++) {
		struct gen_range *old = &p->ranges[i];
		u32 end = moved(old->start + old->n, r);

		old->start = moved(old->start, r);
		old->n = end - old->start;
		if (old->n)
			p->ranges[n++] = *old;
	}
	p->n_ranges = n;
}

/* Functions begin with a store, then the load of R9, which nothing else writes. */
static const u32 at_r9 = 1;

u32 gen_functions(const struct gen_prog *p, u32 *starts)
{
	u32 n = 0;

	for (u32 i = at_r9; i < p->n_insns; i++)
		if (!is_second(p, i) && p->insns[i].code == 0x18 &&
		    p->insns[i].dst_reg == SCRATCH)
			starts[n++] = i - at_r9;
	return n;
}

static bool is_referred_to(const struct gen_prog *p, u32 start)
{
	for (u32 i = 0; i < p->n_insns; i++) {
		u8 kind = op_info(decode(&p->insns[i]))->kind;

		if (is_second(p, i) || (kind != KIND_CALL && kind != KIND_LDDW))
			continue;
		if (refers_to(&p->insns[i], i) == start)
			return true;
	}
	return false;
}

/* The first function that nobody refers to; n 0: there is none. */
static struct gen_range idle_function(const struct gen_prog *p)
{
	u32 starts[GEN_FUNCS + 1], n = gen_functions(p, starts);

	starts[n] = p->n_insns;
	for (u32 i = 1; i < n; i++)
		if (!is_referred_to(p, starts[i]))
			return (struct gen_range){starts[i], starts[i + 1] - starts[i]};
	return (struct gen_range){0, 0};
}

void gen_take_out(struct gen_prog *p, struct gen_range range)
{
	cut(p, range);
	while ((range = idle_function(p)).n)
		cut(p, range);
}
