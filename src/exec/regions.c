/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which memory a program may touch, and the account of it when it touches something else.
 * An address is looked up among the stack, the context, the packet, values of the
 * program's maps, ring-buffer records and what the caller added; nothing is remembered
 * about where a pointer came from.  Never touches the memory itself.
 */
#include <stdio.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "exec/checked.h"
#include "maps/map.h"
#include "world/packet.h"

static u64 address(const void *p)
{
	return (u64)(uintptr_t)p;
}

static bool contains(const struct region *region, u64 addr)
{
	return addr - region->start < region->size;
}

/* ---- the regions of a run, one after the other ---- */

static bool packet_writable(u32 prog_type)
{
	switch (prog_type) {
	case PROG_TYPE_SOCKET_FILTER:
	case PROG_TYPE_CGROUP_SKB:
	case PROG_TYPE_LWT_IN:
	case PROG_TYPE_LWT_OUT:
	case PROG_TYPE_LWT_SEG6LOCAL:
	case PROG_TYPE_SK_REUSEPORT:
	case PROG_TYPE_FLOW_DISSECTOR: return false;
	default: return true;
	}
}

/* Stack, context, packet, metadata. */
enum { FIXED_REGIONS = 4 };

static bool fixed_region(const struct checked *ck, u32 i, struct region *region)
{
	const struct packet *p = ck->run->packet;

	*region = (struct region){.how = READ | WRITE};
	switch (i) {
	case 0:
		region->kind = REGION_STACK;
		region->name = "stack";
		region->start = ck->frame;
		region->size = (u64)ck->depth * FRAME_STACK;
		region->how |= IS_ATOMIC;
		return true;
	case 1:
		region->kind = REGION_CONTEXT;
		region->name = "context";
		region->start = address(ck->run->ctx);
		region->size =
			ck->run->ctx && ck->ctx && !ck->ctx->open ? ck->ctx->size : 0;
		return region->size;
	case 2:
		region->kind = REGION_PACKET;
		region->name = "packet";
		region->start = p ? address(p->data) : 0;
		region->size = p ? address(p->end) - region->start : 0;
		region->steady = true;
		if (!packet_writable(ck->image->prog->type))
			region->how = READ;
		return p;
	default:
		region->kind = REGION_METADATA;
		region->name = "packet metadata";
		region->start = p ? address(p->meta) : 0;
		region->size = p ? address(p->data) - region->start : 0;
		region->steady = true;
		return region->size;
	}
}

static void raw_region(const struct mem_region *mem, struct region *region)
{
	*region = (struct region){.kind = REGION_RAW,
				  .name = mem->name,
				  .start = address(mem->addr),
				  .size = mem->size,
				  .how = READ | IS_ATOMIC | (mem->writable ? WRITE : 0),
				  .steady = true};
}

static void record_region(const struct run_record *record, struct region *region)
{
	*region = (struct region){.kind = REGION_RECORD,
				  .name = "ring-buffer record",
				  .start = address(record->data),
				  .size = record->size,
				  .how = READ | WRITE | IS_ATOMIC,
				  .steady = true};
}

static bool map_region(struct map *map, u64 addr, struct region *region)
{
	struct map_value_range value;

	if (!map || !map_find_value(map, (void *)(uintptr_t)addr, &value))
		return false;
	*region = (struct region){.kind = REGION_MAP_VALUE,
				  .name = map->name,
				  .start = address(value.start),
				  .size = value.len,
				  .how = IS_ATOMIC | (map_prog_may_read(map) ? READ : 0) |
					 (map_prog_may_write(map) ? WRITE : 0),
				  .steady = !map->n_fields,
				  .map = map};
	return true;
}

static bool value_at(const struct checked *ck, u64 addr, struct region *region)
{
	for (u32 i = 0; i < ck->image->prog->n_maps; i++)
		if (map_region(ck->image->maps[i], addr, region))
			return true;
	for (u32 i = 0; i < min_u64(ck->n_inner, INNER_MAPS); i++)
		if (map_region(ck->inner[i], addr, region))
			return true;
	return false;
}

static u32 n_raw(const struct checked *ck)
{
	return ck->run->opts ? ck->run->opts->n_regions : 0;
}

bool region_at(const struct checked *ck, u64 addr, struct region *region)
{
	/* What the caller added comes first: it may lie over a context or a packet. */
	for (u32 i = 0; i < n_raw(ck); i++) {
		raw_region(&ck->run->opts->regions[i], region);
		if (contains(region, addr))
			return true;
	}
	for (u32 i = 0; i < FIXED_REGIONS; i++)
		if (fixed_region(ck, i, region) && contains(region, addr))
			return true;
	for (u32 held = ck->run->held; held; held &= held - 1) {
		record_region(&ck->run->records[__builtin_ctz(held)], region);
		if (contains(region, addr))
			return true;
	}
	return value_at(ck, addr, region);
}

struct map *known_map(const struct checked *ck, u64 value)
{
	for (u32 i = 0; i < ck->image->prog->n_maps; i++)
		if (value && address(ck->image->maps[i]) == value)
			return ck->image->maps[i];
	for (u32 i = 0; i < min_u64(ck->n_inner, INNER_MAPS); i++)
		if (address(ck->inner[i]) == value)
			return ck->inner[i];
	return NULL;
}

void regions_changed(struct checked *ck)
{
	for (u32 i = 0; i < CACHED_REGIONS; i++)
		ck->cache[i].size = 0;
	ck->claimed.size = 0;
}

/* ---- the account of a violation ---- */

enum { NEAR_BY = 4096 }; /* further away, naming a region would mislead */

static u64 distance(const struct region *region, u64 addr)
{
	if (addr < region->start)
		return region->start - addr;
	return addr - region->start - region->size + 1;
}

static void keep_nearer(struct region *best, u64 *how_far, const struct region *region,
			u64 addr)
{
	u64 d = distance(region, addr);

	if (region->size && d < *how_far) {
		*how_far = d;
		*best = *region;
	}
}

/* The region that addr is in or was probably meant to be in. */
static bool region_near(const struct checked *ck, u64 addr, struct region *best)
{
	u64 how_far = NEAR_BY;
	struct region region;

	if (region_at(ck, addr, best))
		return true;
	for (u32 i = 0; i < n_raw(ck); i++) {
		raw_region(&ck->run->opts->regions[i], &region);
		keep_nearer(best, &how_far, &region, addr);
	}
	for (u32 i = 0; i < FIXED_REGIONS; i++)
		if (fixed_region(ck, i, &region))
			keep_nearer(best, &how_far, &region, addr);
	for (u32 held = ck->run->held; held; held &= held - 1) {
		record_region(&ck->run->records[__builtin_ctz(held)], &region);
		keep_nearer(best, &how_far, &region, addr);
	}
	for (u64 d = 1; d < NEAR_BY; d *= 2)
		if (value_at(ck, addr - d, &region) || value_at(ck, addr + d, &region))
			keep_nearer(best, &how_far, &region, addr);
	return how_far < NEAR_BY;
}

struct words {
	char s[200];
};

/* "points 4 byte(s) past the end of packet (60 byte(s) at 0x...)" */
static struct words relation(const struct checked *ck, u64 addr, u64 size)
{
	struct words w;
	struct region region;
	const char *verb = "points";
	u64 far;

	if (!region_near(ck, addr, &region)) {
		snprintf(w.s, sizeof(w.s), "points to no memory of the program");
		return w;
	}
	if (addr < region.start) {
		snprintf(w.s, sizeof(w.s),
			 "points %llu byte(s) before %s (%llu at 0x%llx)",
			 (unsigned long long)(region.start - addr), region.name,
			 (unsigned long long)region.size,
			 (unsigned long long)region.start);
		return w;
	}
	far = addr - region.start - region.size;
	if (contains(&region, addr)) {
		verb = "reaches";
		far += size;
	}
	snprintf(w.s, sizeof(w.s), "%s %llu byte(s) past the end of %s (%llu at 0x%llx)",
		 verb, (unsigned long long)far, region.name,
		 (unsigned long long)region.size, (unsigned long long)region.start);
	return w;
}

static const char *verb_of(enum access_how how)
{
	if ((how & (READ | WRITE)) == (READ | WRITE))
		return how & IS_ATOMIC ? "atomic update" : "update";
	return how & WRITE ? "write" : "read";
}

/* "R2", or "memory" for what helpers find through other memory. */
static struct words source(const struct access *a)
{
	struct words w = {"a pointer in memory"};

	if (a->reg >= 0)
		snprintf(w.s, sizeof(w.s), "R%d", a->reg);
	return w;
}

int violation(struct checked *ck, u32 pc, int err)
{
	const struct line_info *line = prog_line(ck->image->prog, pc);

	/* a helper does not know where it was called from */
	if (ck->run->diag && ck->run->diag->insn < 0)
		ck->run->diag->insn = (int)pc;
	if (line && ck->run->diag && ck->run->diag->insn == (int)pc)
		diag_at_line(ck->run->diag, line->file ? line->file : "",
			     (int)line->line);
	ck->run->err = err;
	return err;
}

static int out_of_bounds(struct checked *ck, const struct access *a)
{
	struct skep_diag *diag = ck->run->diag;

	if (a->addr < NEAR_BY)
		return fail(diag, NULL_POINTER, (int)a->pc, source(a).s,
			    (unsigned long long)a->addr, (unsigned long long)a->size,
			    verb_of(a->how));
	return fail(diag, OUT_OF_BOUNDS, (int)a->pc, source(a).s,
		    (unsigned long long)a->addr, relation(ck, a->addr, a->size).s,
		    (unsigned long long)a->size, verb_of(a->how));
}

/* ---- judging ---- */

static int check_stack(struct checked *ck, const struct access *a)
{
	for (u64 i = 0; a->how & READ && i < a->size; i++) {
		u64 addr = a->addr + i, frame;

		if (stack_marked(ck, addr))
			continue;
		frame = (ck->stack + STACK_SIZE - 1 - addr) / FRAME_STACK;
		return fail(ck->run->diag, UNINIT_STACK, (int)a->pc, source(a).s,
			    (unsigned long long)a->size, verb_of(a->how),
			    (long long)(addr - ck->stack - STACK_SIZE) +
				    (long long)(frame * FRAME_STACK),
			    (u32)frame);
	}
	if (a->how & WRITE)
		stack_mark(ck, a->addr, a->size);
	return 0;
}

static int check_context(struct checked *ck, const struct access *a,
			 const struct region *region)
{
	const struct prog *prog = ck->image->prog;
	const struct abi_ctx_field *field;
	struct abi_ctx_access access = {.prog_type = prog->type,
					.attach_type = prog->attach_type,
					.offset = (u32)(a->addr - region->start),
					.size = (u32)a->size,
					.write = a->how & WRITE};

	if (abi_ctx_allows(ck->ctx, &access))
		return 0;
	field = abi_ctx_field(ck->ctx, access.offset);
	return fail(ck->run->diag, CTX_ACCESS, (int)a->pc, source(a).s,
		    (unsigned long long)a->size, verb_of(a->how), access.offset,
		    field ? field->name : "no field", ck->ctx->name);
}

static int check_fields(struct checked *ck, const struct access *a,
			const struct region *region)
{
	u64 off = a->addr - region->start;

	for (u32 i = 0; i < region->map->n_fields; i++) {
		const struct map_field *field = &region->map->fields[i];

		if (off < (u64)field->off + field->size && off + a->size > field->off)
			return fail(ck->run->diag, SPECIAL_FIELD, (int)a->pc, source(a).s,
				    (unsigned long long)a->size, verb_of(a->how),
				    field->off, region->name);
	}
	return 0;
}

static int check_region(struct checked *ck, const struct access *a,
			const struct region *region)
{
	struct skep_diag *diag = ck->run->diag;

	if (a->how & IS_ATOMIC && !(region->how & IS_ATOMIC))
		return fail(diag, NO_ATOMICS, (int)a->pc, region->name);
	if (a->how & WRITE && !(region->how & WRITE))
		return fail(diag, READ_ONLY, (int)a->pc, source(a).s,
			    (unsigned long long)a->addr, region->name,
			    (unsigned long long)a->size);
	if (a->how & READ && !(region->how & READ))
		return fail(diag, WRITE_ONLY, (int)a->pc, source(a).s,
			    (unsigned long long)a->addr, region->name,
			    (unsigned long long)a->size);
	if (region->kind == REGION_STACK)
		return check_stack(ck, a);
	if (region->kind == REGION_CONTEXT)
		return check_context(ck, a, region);
	if (region->kind == REGION_MAP_VALUE)
		return check_fields(ck, a, region);
	return 0;
}

int access_checked(struct checked *ck, const struct access *a)
{
	struct region region;
	int err;

	if (!a->size)
		return 0;
	if (a->how & IS_ATOMIC && a->addr % a->size)
		return fail(ck->run->diag, MISALIGNED, (int)a->pc, source(a).s,
			    (unsigned long long)a->addr, (u32)a->size);
	if (!region_at(ck, a->addr, &region) ||
	    region.size - (a->addr - region.start) < a->size)
		return out_of_bounds(ck, a);
	err = check_region(ck, a, &region);
	if (!err && region.steady && a->cache)
		*a->cache = region;
	return err;
}
