/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that an arena changes, for the interpreters: accesses through its
 * pointers, of which the lower half counts; arithmetic on them, which keeps no upper
 * half; casts between what the program uses and what users know.  Which ones these are
 * the verifier has found out (enum verify_arena).  src/opt/arena.c says the same to the
 * compiler.
 *
 * Every access is safe: see maps/map.h.  A load from pages that are not there gives 0, a
 * store or atomic operation is left out, as Linux does by its exception tables; so is an
 * atomic operation on an address that is no multiple of its size.
 */
#include "exec/atomics.h"
#include "exec/image.h"
#include "maps/map.h"
#include "verify/verify.h"

bool arena_differs(const struct image *image, u32 pc)
{
	return image->marks[pc] || decode(&image->prog->insns[pc]) == OP_ADDR_SPACE_CAST;
}

/* Where the instruction goes, as an offset into the window. */
static s64 place_of(const struct insn *insn, const struct op_info *info, const u64 *r)
{
	bool loads = info->kind == KIND_LDX || info->kind == KIND_LDXS ||
		     info->kind == KIND_LOAD_ACQ;

	return (s64)(u32)r[loads ? insn->src_reg : insn->dst_reg] + insn->off;
}

static bool is_here(const struct map *map, s64 at, u32 size)
{
	const u8 *table = map_arena_table(map);
	u8 first = __atomic_load_n(table + (at >> ARENA_PAGE_SHIFT), __ATOMIC_RELAXED);
	u8 last = __atomic_load_n(table + ((at + size - 1) >> ARENA_PAGE_SHIFT),
				  __ATOMIC_RELAXED);

	return first & last & ARENA_HERE;
}

static u64 load(const struct op_info *info, const u8 *at)
{
	bool sign = info->kind == KIND_LDXS;

	switch (info->width) {
	case 8: return sign ? (u64)(s64)(s8)*at : *at;
	case 16: return sign ? (u64)(s64)(s16)load_u16(at) : load_u16(at);
	case 32: return sign ? (u64)(s64)(s32)load_u32(at) : load_u32(at);
	default: return load_u64(at);
	}
}

static void store(u8 width, u8 *at, u64 value)
{
	switch (width) {
	case 8: *at = (u8)value; break;
	case 16: store_u16(at, (u16)value); break;
	case 32: store_u32(at, (u32)value); break;
	default: store_u64(at, value);
	}
}

static u64 load_acquire(u8 width, const u8 *at)
{
	switch (width) {
	case 8: return __atomic_load_n(at, __ATOMIC_ACQUIRE);
	case 16: return __atomic_load_n((const u16 *)at, __ATOMIC_ACQUIRE);
	case 32: return __atomic_load_n((const u32 *)at, __ATOMIC_ACQUIRE);
	default: return __atomic_load_n((const u64 *)at, __ATOMIC_ACQUIRE);
	}
}

static void store_release(u8 width, u8 *at, u64 value)
{
	switch (width) {
	case 8: __atomic_store_n(at, (u8)value, __ATOMIC_RELEASE); break;
	case 16: __atomic_store_n((u16 *)at, (u16)value, __ATOMIC_RELEASE); break;
	case 32: __atomic_store_n((u32 *)at, (u32)value, __ATOMIC_RELEASE); break;
	default: __atomic_store_n((u64 *)at, value, __ATOMIC_RELEASE);
	}
}

static void apply(const struct op_info *info, void *at, u64 *src, u64 *r0)
{
	switch (info->row * 2 + (info->width == 64)) {
#define T(name, ...)                                                                     \
	case ATOMIC_##name * 2 + 1: atomic_apply64_##name(at, src, r0); break;           \
	case ATOMIC_##name * 2:                                                          \
		atomic_apply32_##name(at, src, r0);                                      \
		break;
#include "isa/atomic.def"
#undef T
	}
}

static void access(const struct map *map, const struct insn *insn, u64 *r)
{
	const struct op_info *info = op_info(decode(insn));
	s64 at = place_of(insn, info, r);
	u32 size = info->width / 8u;
	u8 *byte = map_arena_window(map) + at;
	bool aligned = !(at % size), stores = is_here(map, at, size);

	switch ((int)info->kind) {
	case KIND_LDX:
	case KIND_LDXS: r[insn->dst_reg] = load(info, byte); break;
	case KIND_LOAD_ACQ:
		r[insn->dst_reg] = aligned ? load_acquire(info->width, byte) : 0;
		break;
	case KIND_ST:
		if (stores)
			store(info->width, byte, (u64)(s64)insn->imm);
		break;
	case KIND_STX:
		if (stores)
			store(info->width, byte, r[insn->src_reg]);
		break;
	case KIND_STORE_REL:
		if (stores && aligned)
			store_release(info->width, byte, r[insn->src_reg]);
		break;
	case KIND_ATOMIC:
		if (stores && aligned)
			apply(info, byte, &r[insn->src_reg], &r[R0]);
		else if (info->row == ATOMIC_CMPXCHG && size == 4)
			r[R0] = (u32)r[R0]; /* as ever after 32 bits */
		break;
	}
}

static u64 compute(const struct insn *insn, const u64 *r)
{
	const struct op_info *info = op_info(decode(insn));
	u64 d = r[insn->dst_reg], s = info->reg ? r[insn->src_reg] : (u64)(s64)insn->imm;

	switch ((enum alu)info->row) {
#define A(name, ...)                                                                     \
	case ALU_##name:                                                                 \
		return alu64_##name(d, s);
#include "isa/alu.def"
#undef A
	case ALUS: break;
	}
	return 0;
}

void arena_step(const struct image *image, u32 pc, u64 r[N_REGS])
{
	const struct insn *insn = &image->prog->insns[pc];

	if (image->marks[pc] == ARENA_ACCESS)
		access(image->arena, insn, r);
	else if (image->marks[pc] == ARENA_CUT)
		r[insn->dst_reg] = (u32)compute(insn, r);
	else
		r[insn->dst_reg] =
			map_arena_cast(image->arena, insn->imm, r[insn->src_reg]);
}
