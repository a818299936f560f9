/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collecting claims: an observer that keeps each different state of each instruction.
 *
 * The states of a path that was pruned are covered by those of the path that covers it,
 * but only in what was compared: registers that are live at the instruction, and scalars
 * that are precise.  So dead registers are left out, and everything counts as precise.
 * (What is dead where two states were compared is written before it is live again.)
 * Callers' frames need no claims: their registers are claimed again when they go on.
 * Where states are too many, those that differ in numbers alone become their union.
 * Never does: judge.  More: visit.c, prune.c.
 */
#include "verify/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "verify/env.h"
#include "verify/print.h"

enum {
	EXACT_CLAIMS = 64, /* an instruction; beyond, they are joined */
	MAX_CLAIMS = 512,  /* that cannot be joined */
	MAX_BYTES = 512 << 20,
	MAX_STATES_BYTES = 1 << 30,
	MAX_PROCESSED = 8000000,
};

struct claim_list {
	struct claim *claims; /* owned */
	u32 n, cap;
	bool anything;
};

struct claims {
	struct claim_list *at; /* owned: n_insns */
	u32 n_insns;
	u64 bytes;
	bool no_memory;
};

/* ---- one state ---- */

static bool is_claimed(const struct reg *reg)
{
	switch ((enum reg_kind)reg->kind) {
	case SCALAR:
	case PTR_TO_CTX:
	case CONST_PTR_TO_MAP:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_STACK:
	case PTR_TO_PACKET_META:
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_END:
	case PTR_TO_MEM:
	case PTR_TO_FUNC: return !(reg->flags & (UNTRUSTED | USER | PERCPU));
	case UNINIT:
	case PTR_TO_MAP_KEY:
	case PTR_TO_FLOW_KEYS:
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_TP_BUFFER:
	case PTR_TO_XDP_SOCK:
	case PTR_TO_BTF_ID:
	case PTR_TO_ARENA:
	case PTR_TO_BUF:
	case CONST_PTR_TO_DYNPTR:
	case REG_KINDS: return false;
	}
	return false;
}

static void claim_reg(const struct env *env, const struct reg *from, struct reg *to)
{
	memset(to, 0, sizeof(*to));
	to->kind = from->kind;
	to->flags = from->flags;
	to->off = from->off;
	to->raw[0] = from->raw[0];
	to->raw[1] = from->raw[1];
	to->var = from->var;
	to->id = from->id;
	to->frame = from->frame;
	if (from->kind == PTR_TO_FUNC) /* functions may be listed anew: the place stays */
		to->subprog = env->subs[from->subprog].start;
	if (from->kind == SCALAR) {
		to->raw[0] = to->raw[1] = 0;
		if (!(from->id & ID_ADD_CONST))
			to->off = 0;
	}
	if (from->kind == PTR_TO_MEM)
		to->dynptr_id = 0;
	if (from->kind == CONST_PTR_TO_MAP || from->kind == PTR_TO_MAP_VALUE)
		to->map_uid = 0;
}

/* The same names for the same relations; an id that stands alone says nothing. */
static void rename_ids(struct claim *c)
{
	u32 ids[N_REGS], n = 0, uses[N_REGS] = {0};
	u16 with_id = c->related;

	for_each_bit(i, with_id)
	{
		u32 id = c->regs[i].id & ~ID_ADD_CONST, k = 0;

		while (k < n && ids[k] != id)
			k++;
		if (k == n)
			ids[n++] = id;
		uses[k]++;
		c->regs[i].id = (c->regs[i].id & ID_ADD_CONST) | (k + 1);
	}
	for_each_bit(i, with_id)
	{
		struct reg *reg = &c->regs[i];

		if (uses[(reg->id & ~ID_ADD_CONST) - 1] > 1)
			continue;
		reg->id = 0;
		c->related &= (u16) ~(1u << i);
		if (reg->kind == SCALAR)
			reg->off = 0;
	}
}

static void claim_of(const struct env *env, const struct state *st, u32 pc,
		     struct claim *c)
{
	const struct reg *regs = state_regs(st);
	u32 live = env->aux[pc].live_regs | 1u << R10;

	c->depth = st->depth;
	c->claimed = c->related = 0;
	for (u32 i = 0; i < N_REGS; i++) {
		c->regs[i].kind = UNINIT;
		if (!(live >> i & 1) || !is_claimed(&regs[i]))
			continue;
		claim_reg(env, &regs[i], &c->regs[i]);
		c->claimed |= (u16)(1u << i);
		if (regs[i].id & ~ID_ADD_CONST)
			c->related |= (u16)(1u << i);
	}
	if (c->related)
		rename_ids(c);
}

/* ---- sets of states ---- */

static bool same_shape(const struct claim *a, const struct claim *b)
{
	if (a->depth != b->depth || a->claimed != b->claimed || a->related != b->related)
		return false;
	for_each_bit(i, a->claimed)
	{
		const struct reg *x = &a->regs[i], *y = &b->regs[i];

		if (x->kind != y->kind || x->flags != y->flags || x->off != y->off ||
		    x->raw[0] != y->raw[0] || x->raw[1] != y->raw[1] || x->id != y->id ||
		    x->frame != y->frame)
			return false;
	}
	return true;
}

/* Of the same shape: is all of b in a? */
static bool contains(const struct claim *a, const struct claim *b)
{
	for_each_bit(i, a->claimed) if (!scalar_within(&a->regs[i].var,
						       &b->regs[i].var)) return false;
	return true;
}

#define JOIN(a, b, lower, upper)                                                         \
	do {                                                                             \
		if ((b)->lower < (a)->lower)                                             \
			(a)->lower = (b)->lower;                                         \
		if ((b)->upper > (a)->upper)                                             \
			(a)->upper = (b)->upper;                                         \
	} while (0)

static void scalar_join(struct scalar *a, const struct scalar *b)
{
	a->bits = tnum_union(a->bits, b->bits);
	JOIN(a, b, smin, smax);
	JOIN(a, b, umin, umax);
	JOIN(a, b, smin32, smax32);
	JOIN(a, b, umin32, umax32);
}

static void join(struct claim *a, const struct claim *b)
{
	for_each_bit(i, a->claimed) scalar_join(&a->regs[i].var, &b->regs[i].var);
}

static void give_up(struct claims *claims, struct claim_list *list)
{
	claims->bytes -= list->cap * sizeof(struct claim);
	free(list->claims);
	*list = (struct claim_list){.anything = true};
}

static void append(struct claims *claims, struct claim_list *list, const struct claim *c)
{
	u32 cap = list->cap ? 2 * list->cap : 1;
	struct claim *more;

	if (list->n < list->cap) {
		list->claims[list->n++] = *c;
		return;
	}
	if (cap > MAX_CLAIMS || claims->bytes + cap * sizeof(*c) > MAX_BYTES) {
		give_up(claims, list);
		return;
	}
	more = realloc(list->claims, cap * sizeof(*c));
	if (!more) {
		claims->no_memory = true;
		return;
	}
	claims->bytes += (cap - list->cap) * sizeof(*c);
	list->claims = more;
	list->cap = cap;
	list->claims[list->n++] = *c;
}

static void add(struct claims *claims, struct claim_list *list, const struct claim *c)
{
	struct claim *alike = NULL;

	if (list->anything)
		return;
	for (u32 i = list->n; i-- > 0;) {
		if (!same_shape(&list->claims[i], c))
			continue;
		if (contains(&list->claims[i], c))
			return;
		alike = &list->claims[i];
	}
	if (alike && list->n >= EXACT_CLAIMS)
		join(alike, c);
	else
		append(claims, list, c);
}

static void step(void *arg, const struct env *env, const struct state *st, u32 pc)
{
	struct claims *claims = arg;
	struct claim c;

	if (pc >= claims->n_insns || claims->no_memory)
		return;
	claim_of(env, st, pc, &c);
	add(claims, &claims->at[pc], &c);
}

/* ---- all of a program ---- */

static struct claims *claims_alloc(u32 n_insns)
{
	struct claims *claims = calloc(1, sizeof(*claims));

	if (!claims)
		return NULL;
	claims->n_insns = n_insns;
	claims->at = calloc((size_t)n_insns + 1, sizeof(*claims->at));
	if (claims->at)
		return claims;
	free(claims);
	return NULL;
}

static int collect(const struct prog *prog, const struct verify_opts *precise,
		   struct claims **out, struct skep_diag *diag)
{
	struct claims *claims = claims_alloc(prog->n_insns);
	struct verify_observer observer = {.arg = claims, .step = step};
	struct verify_opts opts = *precise;
	struct verify_result result;
	int err;

	if (!claims)
		return fail(diag, NO_MEMORY, NO_PC);
	opts.observer = &observer;
	err = verify_prog(prog, &opts, &result, diag);
	verify_result_fini(&result);
	if (!err && claims->no_memory)
		err = fail(diag, NO_MEMORY, NO_PC);
	if (err) {
		claims_free(claims);
		return err;
	}
	*out = claims;
	return 0;
}

/*
 * What is precise everywhere takes other ways than Linux does, and on those a number may
 * be widened before anybody marked it, which then is no longer in its bounds.  So what is
 * refused is looked at again without widening: that takes longer, and may not end.
 */
int claims_new(const struct prog *prog, const struct verify_opts *opts,
	       struct claims **out, struct skep_diag *diag)
{
	struct verify_opts precise = *opts;
	int err;

	precise.all_precise = true;
	precise.max_insns = MAX_PROCESSED;
	precise.max_memory = MAX_STATES_BYTES;
	err = collect(prog, &precise, out, diag);
	if (!err || err == -ENOMEM || err == -E2BIG)
		return err;
	precise.never_widens = true;
	diag_clear(diag);
	return collect(prog, &precise, out, diag);
}

void claims_free(struct claims *claims)
{
	if (!claims)
		return;
	for (u32 i = 0; i < claims->n_insns && claims->at; i++)
		free(claims->at[i].claims);
	free(claims->at);
	free(claims);
}

struct claim_set claims_at(const struct claims *claims, u32 pc)
{
	const struct claim_list *list = pc < claims->n_insns ? &claims->at[pc] : NULL;

	if (!list)
		return (struct claim_set){0};
	return (struct claim_set){list->claims, list->n, list->anything};
}

u32 claims_given_up(const struct claims *claims)
{
	u32 n = 0;

	for (u32 i = 0; i < claims->n_insns; i++)
		n += claims->at[i].anything;
	return n;
}

static bool said_before(const struct claim_set *set, u32 at, u32 regno)
{
	const struct reg *reg = &set->claims[at].regs[regno];

	for (u32 i = 0; i < at; i++) {
		if (reg->kind == UNINIT && set->claims[i].regs[regno].kind == UNINIT)
			return true;
		if (!memcmp(&set->claims[i].regs[regno], reg, sizeof(*reg)))
			return true;
	}
	return false;
}

void claims_print(struct text *t, const struct claims *claims, u32 pc, u32 regno)
{
	struct claim_set set = claims_at(claims, pc);
	const char *sep = "";

	for (u32 i = 0; i < set.n; i++) {
		const struct reg *reg = &set.claims[i].regs[regno];
		struct frame frame = {.no = set.claims[i].depth};

		if (said_before(&set, i, regno))
			continue;
		text_puts(t, sep);
		sep = " or ";
		print_reg(t, &frame, reg);
	}
}
