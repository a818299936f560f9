/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The caller keeps the context in R6; behind it stand the programs as they are, but for
 * the indices into the tables of maps and externs, which are put together.  Functions
 * and lines move along, so that a message about an instruction names its source.
 */
#include "prog/chain.h"

#include "base/arena.h"
#include "base/diag.h"

/* Where the parts of a program begin in the whole. */
struct part {
	u32 insn, map, ext, subprog, line;
};

static struct part part_after(const struct part *p, const struct prog *prog)
{
	return (struct part){
		.insn = p->insn + prog->n_insns,
		.map = p->map + prog->n_maps,
		.ext = p->ext + prog->n_externs,
		.subprog = p->subprog + prog->n_subprogs,
		.line = p->line + prog->n_lines,
	};
}

/* The tables of the whole, while they are filled. */
struct whole {
	struct prog prog;
	const struct map_def **maps;
	struct extern_ref *externs;
};

static int make_tables(struct whole *w, const struct part *size, struct arena *a,
		       struct skep_diag *diag)
{
	struct prog *p = &w->prog;

	if (size->insn > MAX_INSNS)
		return fail(diag, CHAIN_TOO_LONG, NO_PC, MAX_INSNS);
	p->insns = arena_array(a, size->insn, sizeof(*p->insns));
	p->subprogs = arena_array(a, size->subprog, sizeof(*p->subprogs));
	p->lines = arena_array(a, size->line + 1ull, sizeof(*p->lines));
	w->maps = arena_array(a, size->map + 1ull, sizeof(*w->maps));
	w->externs = arena_array(a, size->ext + 1ull, sizeof(*w->externs));
	if (!p->insns || !p->subprogs || !p->lines || !w->maps || !w->externs)
		return fail(diag, NO_MEMORY, NO_PC);
	p->n_insns = size->insn;
	p->n_subprogs = size->subprog;
	p->n_lines = size->line;
	p->maps = w->maps;
	p->n_maps = size->map;
	p->externs = w->externs;
	p->n_externs = size->ext;
	return 0;
}

/* An index into a table of the program, in the whole's.  Others were never looked up, and
 * must not become valid. */
static s32 moved(s32 index, u32 n, u32 by)
{
	return (u32)index < n ? (s32)((u32)index + by) : -1;
}

static void put_insns(struct whole *w, const struct part *at, const struct prog *prog)
{
	for (u32 pc = 0; pc < prog->n_insns; pc++) {
		struct insn *insn = &w->prog.insns[at->insn + pc];
		enum op op;

		*insn = prog->insns[pc];
		op = decode(insn);
		if (op == OP_CALL && insn->src_reg == CALL_KFUNC)
			insn->imm = moved(insn->imm, prog->n_externs, at->ext);
		if (op != OP_LDDW)
			continue;
		if (insn->src_reg == LDDW_MAP_IDX || insn->src_reg == LDDW_MAP_IDX_VALUE)
			insn->imm = moved(insn->imm, prog->n_maps, at->map);
		if (insn->src_reg == LDDW_BTF_ID)
			insn->imm = moved(insn->imm, prog->n_externs, at->ext);
		insn[1] = prog->insns[++pc];
	}
}

static void put_part(struct whole *w, const struct part *at, const struct prog *prog)
{
	put_insns(w, at, prog);
	for (u32 i = 0; i < prog->n_maps; i++)
		w->maps[at->map + i] = prog->maps[i];
	for (u32 i = 0; i < prog->n_externs; i++)
		w->externs[at->ext + i] = prog->externs[i];
	for (u32 i = 0; i < prog->n_subprogs; i++) {
		w->prog.subprogs[at->subprog + i] = prog->subprogs[i];
		w->prog.subprogs[at->subprog + i].start += at->insn;
	}
	for (u32 i = 0; i < prog->n_lines; i++) {
		w->prog.lines[at->line + i] = prog->lines[i];
		w->prog.lines[at->line + i].insn += at->insn;
	}
}

enum { R1_IS_R6 = 0, CALL_NEXT, STOP, PER_PROG };

/* "r6 = r1", then for each program "r1 = r6; call it; if r0 != go_on goto end". */
static u32 caller_len(u32 n)
{
	return 1 + PER_PROG * n + 1;
}

static void put_caller(struct whole *w, const struct chain *chain,
		       const struct part *parts)
{
	struct insn *insns = w->prog.insns;
	u32 end = caller_len(chain->n) - 1;

	insns[0] = (struct insn){.code = 0xbf, .dst_reg = 6, .src_reg = 1};
	for (u32 i = 0; i < chain->n; i++) {
		u32 at = 1 + PER_PROG * i;

		insns[at + R1_IS_R6] =
			(struct insn){.code = 0xbf, .dst_reg = 1, .src_reg = 6};
		insns[at + CALL_NEXT] =
			(struct insn){.code = 0x85,
				      .src_reg = CALL_LOCAL,
				      .imm = (s32)(parts[i].insn - at - CALL_NEXT - 1)};
		insns[at + STOP] = (struct insn){.code = 0x56,
						 .dst_reg = 0,
						 .off = (s16)(end - at - STOP - 1),
						 .imm = chain->go_on};
	}
	insns[end] = (struct insn){.code = 0x95};
	w->prog.subprogs[0] = (struct subprog){
		.name = chain->progs[0]->name,
		.n_insns = caller_len(chain->n),
		.btf_id = chain->progs[0]->n_subprogs
				  ? chain->progs[0]->subprogs[0].btf_id
				  : 0,
		.global = true,
	};
	if (w->prog.n_lines && chain->progs[0]->n_lines) {
		w->prog.lines[0] = chain->progs[0]->lines[0];
		w->prog.lines[0].insn = 0;
	}
}

static int check(const struct chain *chain, struct skep_diag *diag)
{
	enum { MAX_PROGS = 64 };
	const struct prog *first = chain->progs[0];

	if (chain->n > MAX_PROGS)
		return fail(diag, CHAIN_TOO_LONG, NO_PC, MAX_PROGS);
	for (u32 i = 1; i < chain->n; i++) {
		const struct prog *p = chain->progs[i];

		if (p->type != first->type || p->attach_type != first->attach_type ||
		    p->sleepable != first->sleepable || p->frags != first->frags)
			return fail(diag, CHAIN_DIFFERS, NO_PC, first->name, p->name);
	}
	return 0;
}

int prog_chain(const struct chain *chain, struct arena *a, const struct prog **out,
	       struct skep_diag *diag)
{
	struct part *parts = arena_array(a, chain->n + 1ull, sizeof(*parts));
	struct whole *w = arena_alloc(a, sizeof(*w));
	int err = check(chain, diag);

	if (err)
		return err;
	if (!parts || !w)
		return fail(diag, NO_MEMORY, NO_PC);
	parts[0] = (struct part){.insn = caller_len(chain->n), .subprog = 1};
	parts[0].line = chain->progs[0]->n_lines ? 1 : 0;
	for (u32 i = 0; i < chain->n; i++)
		parts[i + 1] = part_after(&parts[i], chain->progs[i]);
	w->prog = *chain->progs[0];
	w->prog.exception = 0; /* nobody names one for the whole */
	err = make_tables(w, &parts[chain->n], a, diag);
	if (err)
		return err;
	for (u32 i = 0; i < chain->n; i++)
		put_part(w, &parts[i], chain->progs[i]);
	put_caller(w, chain, parts);
	*out = &w->prog;
	return 0;
}
