/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a claim admits: for numbers their bits and ranges; for pointers an object of this
 * run of that kind, at that offset, as large as was claimed; for several registers with
 * one id that they hold the same.
 *
 * Where a pointer is by a variable offset outside of its object, any object of its kind
 * may be meant: then the claim is taken for true.  Never does: change anything.  More:
 * verify/claims.h.
 */
#include "exec/claimed.h"

#include <stdio.h>

#include "base/diag.h"
#include "base/text.h"
#include "maps/map.h"
#include "verify/claims.h"
#include "world/packet.h"

/* One register against one claim. */
struct claimed {
	struct checked *ck;
	const struct claim *claim;
	const struct reg *reg;
	u64 value;
};

static u64 address(const void *p)
{
	return (u64)(uintptr_t)p;
}

/* Where the pointer would point without its offset and some value of its variable part.
 */
static u64 base_at(const struct claimed *c, u64 var)
{
	return c->value - (u64)(s64)c->reg->off - var;
}

/* Can the pointer come from an object that starts there? */
static bool starts_at(const struct claimed *c, u64 start)
{
	return scalar_admits(&c->reg->var, base_at(c, start));
}

/* ---- maps ---- */

/* region_at(), which is slow for what many claims are about: the same map value. */
static bool region_of(struct checked *ck, u64 addr, struct region *region)
{
	if (addr - ck->claimed.start < ck->claimed.size) {
		*region = ck->claimed;
		return true;
	}
	if (!region_at(ck, addr, region))
		return false;
	if (region->kind == REGION_MAP_VALUE)
		ck->claimed = *region;
	return true;
}

/* More inner maps were looked up than are remembered. */
static bool forgot_inner(struct checked *ck)
{
	return ck->n_inner > INNER_MAPS;
}

/* Inner maps are claimed by their template, which may be a map itself. */
static bool is_template(const struct prog *prog, const struct map_def *def)
{
	for (u32 i = 0; i < prog->n_maps; i++)
		if (prog->maps[i]->inner == def)
			return true;
	return false;
}

static bool is_map(const struct claimed *c, const struct map *map)
{
	const struct image *image = c->ck->image;
	const struct map_def *def = c->reg->map;

	for (u32 i = 0; i < image->prog->n_maps; i++)
		if (image->prog->maps[i] == def && image->maps[i] == map)
			return true;
	if (!is_template(image->prog, def) || !known_map(c->ck, address(map)))
		return forgot_inner(c->ck);
	return map->type == def->type && map->value_size == def->value_size;
}

static bool value_near(const struct claimed *c, u64 addr, bool *found)
{
	struct region region;

	if (!region_of(c->ck, addr, &region) || region.kind != REGION_MAP_VALUE)
		return false;
	*found = true;
	return is_map(c, region.map) && starts_at(c, region.start);
}

static bool is_map_of_maps(const struct map_def *def)
{
	return def->type == MAP_TYPE_ARRAY_OF_MAPS || def->type == MAP_TYPE_HASH_OF_MAPS;
}

static bool admits_map_value(const struct claimed *c)
{
	const struct scalar *var = &c->reg->var;
	u64 places[] = {c->value,
			c->value - 1,
			base_at(c, var->umin),
			base_at(c, var->umax),
			base_at(c, (u64)var->smin),
			base_at(c, (u64)var->smax)};
	bool found = false;

	/* Not compared with NULL yet: what looks like a value is the inner map. */
	if (is_map_of_maps(c->reg->map))
		return known_map(c->ck, c->value) || forgot_inner(c->ck);
	for (u32 i = 0; i < ARRAY_SIZE(places); i++)
		if (value_near(c, places[i], &found))
			return true;
	return !found && !scalar_is_const(var);
}

/* ---- other memory ---- */

static bool admits_stack(const struct claimed *c)
{
	struct checked *ck = c->ck;
	/* Frames count from the function that the verifier began with: not always main.
	 */
	u64 up = c->claim->depth - c->reg->frame;

	return up < ck->depth && starts_at(c, ck->frame + (up + 1) * FRAME_STACK);
}

/* The variable part may be anything that leaves all of the memory in the region. */
static bool admits_mem(const struct claimed *c)
{
	const struct scalar *var = &c->reg->var;
	u64 most, least, size = c->reg->mem_size;
	struct region region;

	if (!region_at(c->ck, c->value, &region) &&
	    !region_at(c->ck, base_at(c, var->umin), &region))
		return !scalar_is_const(var);
	if (size > region.size)
		return false;
	most = base_at(c, region.start);
	least = base_at(c, region.start + region.size - size);
	return (s64)most >= var->smin && (s64)least <= var->smax;
}

/* So many bytes from the variable part on are there; at or beyond the end, the rest. */
static bool admits_range(const struct claimed *c, u64 end)
{
	s32 range = (s32)c->reg->range;

	if (range < 0 && c->reg->moved)
		return true;
	if (range == PACKET_AT_END)
		return c->value >= end;
	if (range == PACKET_BEYOND_END)
		return c->value > end;
	return !range || base_at(c, 0) + (u64)range <= end;
}

static bool admits_packet(const struct claimed *c)
{
	const struct packet *p = c->ck->run->packet;

	if (!p)
		return false;
	if (c->reg->kind == PTR_TO_PACKET_END)
		return starts_at(c, address(p->end));
	if (c->reg->kind == PTR_TO_PACKET_META)
		return starts_at(c, address(p->meta)) &&
		       admits_range(c, address(p->data));
	return starts_at(c, address(p->data)) && admits_range(c, address(p->end));
}

static bool admits_function(const struct claimed *c)
{
	const struct image *image = c->ck->image;

	return image_function(image, image->checked, c->value) ==
	       image->checked + c->reg->subprog;
}

static bool admits(const struct claimed *c)
{
	if (c->reg->flags & MAYBE_NULL && !c->value)
		return true;
	switch ((enum reg_kind)c->reg->kind) {
	case SCALAR: return scalar_admits(&c->reg->var, c->value);
	case PTR_TO_CTX: return starts_at(c, address(c->ck->run->ctx));
	case CONST_PTR_TO_MAP: return is_map(c, (const struct map *)(uintptr_t)c->value);
	case PTR_TO_MAP_VALUE: return admits_map_value(c);
	case PTR_TO_STACK: return admits_stack(c);
	case PTR_TO_PACKET_META:
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_END: return admits_packet(c);
	case PTR_TO_MEM: return admits_mem(c);
	case PTR_TO_FUNC: return admits_function(c);
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
	case REG_KINDS: return true;
	}
	return true;
}

static bool reg_admitted(struct checked *ck, const struct moment *now,
			 const struct claim *claim, u32 i)
{
	struct claimed c = {ck, claim, &claim->regs[i], now->r[i]};

	return c.reg->kind == UNINIT || ((now->known >> i & 1) && admits(&c));
}

/* ---- relations ---- */

/* Two numbers of one id differ by what was added to it. */
static bool numbers_agree(const struct reg *a, u64 x, const struct reg *b, u64 y)
{
	u64 more = (u64)(s64)a->off - (u64)(s64)b->off;

	if ((a->id | b->id) & ID_ADD_CONST32)
		return (u32)(x - y) == (u32)more;
	return x - y == more;
}

static bool related(const struct reg *a, u64 x, const struct reg *b, u64 y)
{
	if (!a->id || !b->id || (a->id ^ b->id) & ~ID_ADD_CONST)
		return true;
	if (a->kind == SCALAR && b->kind == SCALAR)
		return numbers_agree(a, x, b, y);
	if (a->flags & b->flags & MAYBE_NULL)
		return !x == !y;
	if (a->kind == b->kind && reg_is_packet(a)) /* the variable part is the same */
		return x - (u64)(s64)a->off == y - (u64)(s64)b->off;
	return true;
}

/* Of those with a number below that of the register. */
static bool related_to_others(const struct moment *now, const struct claim *claim,
			      u32 reg)
{
	for_each_bit(i, claim->related & ((1u << reg) -
					  1)) if (!related(&claim->regs[reg], now->r[reg],
							   &claim->regs[i],
							   now->r[i])) return false;
	return true;
}

/* The first register that differs from what its relation to others says, or N_REGS. */
static u32 unrelated(const struct moment *now, const struct claim *claim)
{
	for_each_bit(i, claim->related) if (!related_to_others(now, claim, i)) return i;
	return N_REGS;
}

/* ---- all registers, all claims ---- */

/* The first register that the claim does not admit, or N_REGS. */
static u32 refuted(struct checked *ck, const struct moment *now,
		   const struct claim *claim)
{
	for_each_bit(i, claim->claimed) if (!reg_admitted(ck, now, claim, i)) return i;
	return unrelated(now, claim);
}

/* Does no claim admit it, whatever the other registers hold? */
static bool refuted_by_all(struct checked *ck, const struct moment *now,
			   const struct claim_set *set, u32 reg)
{
	for (u32 i = 0; i < set->n; i++)
		if (reg_admitted(ck, now, &set->claims[i], reg))
			return false;
	return true;
}

/* "48 bytes into packet": what the number is, for the message. */
static void what_it_is(struct checked *ck, const struct moment *now, u32 reg, char *to,
		       size_t size)
{
	struct region region;
	u64 value = now->r[reg];

	if (!(now->known >> reg & 1))
		snprintf(to, size, "nothing was written to it");
	else if (region_at(ck, value, &region))
		snprintf(to, size, "byte %llu of %s",
			 (unsigned long long)(value - region.start), region.name);
	else
		snprintf(to, size, "%lld", (long long)value);
}

static int refute(struct checked *ck, const struct moment *now, u32 reg, bool alone)
{
	struct skep_diag *diag = ck->run->diag;
	unsigned long long value = now->r[reg];
	struct text claims = TEXT_INIT;
	char what[80];
	int err;

	what_it_is(ck, now, reg, what, sizeof(what));
	claims_print(&claims, ck->image->claims, now->pc, reg);
	err = alone ? fail(diag, CLAIM_VALUE, (int)now->pc, (int)reg, value, what,
			   text_str(&claims))
		    : fail(diag, CLAIM_RELATION, (int)now->pc, (int)reg, value, what,
			   text_str(&claims));
	text_fini(&claims);
	return err;
}

int claims_checked(struct checked *ck, const struct moment *now)
{
	struct claim_set set = claims_at(ck->image->claims, now->pc);
	u32 furthest = 0;

	if (set.anything)
		return 0;
	for (u32 i = 0; i < set.n; i++) {
		u32 reg = refuted(ck, now, &set.claims[i]);

		if (reg == N_REGS)
			return 0;
		furthest = reg > furthest ? reg : furthest;
	}
	if (!set.n)
		return fail(ck->run->diag, CLAIM_NEVER, (int)now->pc);
	for (u32 i = 0; i < N_REGS; i++)
		if (refuted_by_all(ck, now, &set, i))
			return refute(ck, now, i, true);
	return refute(ck, now, furthest, false);
}
