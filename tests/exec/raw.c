/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See raw.h.
 */
#include "exec/raw.h"

#include <string.h>

#include "base/diag.h"
#include "maps/map.h"
#include "world/packet.h"
#include "world/world.h"

u64 raw_state;

static u32 random_to(u32 n)
{
	raw_state ^= raw_state << 13;
	raw_state ^= raw_state >> 7;
	raw_state ^= raw_state << 17;
	return (u32)(raw_state >> 20) % n;
}

static s32 random_imm(void)
{
	static const s32 edges[] = {0, 1, -1, 8, 31, 63, 64, -128, INT32_MAX, INT32_MIN};

	return random_to(2) ? edges[random_to(ARRAY_SIZE(edges))] : (s32)random_to(64);
}

/* Registers that hold no address of a stack, so that engines can be compared. */
static u8 plain_reg(void)
{
	return (u8)random_to(R10);
}

static struct insn random_memory(void)
{
	static const u8 codes[] = {CLASS_LDX | MODE_MEM, CLASS_ST | MODE_MEM,
				   CLASS_STX | MODE_MEM, CLASS_LDX | MODE_MEMSX,
				   CLASS_STX | MODE_ATOMIC};
	static const s32 atomics[] = {0,    1,    0x40, 0x41, 0x50,     0x51,
				      0xa0, 0xa1, 0xe1, 0xf1, LOAD_ACQ, STORE_REL};
	static const u8 bases[] = {R1, R1, R6, R10, R10, R0};
	struct insn insn = {.code = codes[random_to(ARRAY_SIZE(codes))]};
	bool atomic = insn.code == (CLASS_STX | MODE_ATOMIC);
	u8 base = bases[random_to(ARRAY_SIZE(bases))], other = plain_reg();
	bool load = insn_class(insn.code) == CLASS_LDX;

	insn.code |= (u8)(random_to(4) << 3);
	insn.dst_reg = load ? other : base;
	insn.src_reg = load ? base : other;
	if (insn_class(insn.code) == CLASS_ST)
		insn.src_reg = 0, insn.imm = random_imm();
	if (atomic)
		insn.imm = atomics[random_to(ARRAY_SIZE(atomics))];
	insn.off = (s16)(random_to(10) ? (s32)random_to(RAW_MEMORY) : random_imm());
	if (base == R10)
		insn.off = (s16)(-8 * (s32)(1 + random_to(4)));
	return insn;
}

static struct insn random_jump(u32 pc, u32 n)
{
	static const u8 classes[] = {CLASS_JMP, CLASS_JMP32};
	struct insn insn = {.code = classes[random_to(2)],
			    .dst_reg = plain_reg(),
			    .off = (s16)((s32)random_to(n) - (s32)pc - 1)};

	/* forward mostly: loops only end by luck */
	if (insn.off < 0 && random_to(4))
		insn.off = 0;
	insn.code |= (u8)(random_to(14) << 4);
	if (random_to(2))
		insn.imm = random_imm();
	else
		insn.code |= SRC_X, insn.src_reg = plain_reg();
	return insn;
}

static struct insn random_alu(void)
{
	static const s16 offs[] = {0, 0, 0, 0, 1, 8, 16, 32};
	static const s32 widths[] = {16, 32, 64};
	struct insn insn = {.code = random_to(2) ? CLASS_ALU : CLASS_ALU64,
			    .dst_reg = plain_reg()};

	insn.code |= (u8)(random_to(14) << 4);
	insn.off = offs[random_to(ARRAY_SIZE(offs))];
	if (random_to(2))
		insn.imm = random_to(8) ? random_imm() : widths[random_to(3)];
	else
		insn.code |= SRC_X, insn.src_reg = plain_reg();
	return insn;
}

static struct insn random_call(u32 pc, u32 n)
{
	static const s32 helpers[] = {1, 2, 3, 5, 7, 8, 12, 28, 105, 131, 132, 164, 181};
	struct insn insn = {.code = CLASS_JMP | 0x80};

	if (random_to(8)) {
		insn.imm = helpers[random_to(ARRAY_SIZE(helpers))];
	} else {
		insn.src_reg = CALL_LOCAL;
		insn.imm = (s32)random_to(n) - (s32)pc - 1;
	}
	return insn;
}

/* Two slots: a map, its value, or a number.  No function: its address is the engine's. */
static void random_wide(struct insn insns[2])
{
	static const u8 sources[] = {LDDW_IMM, LDDW_MAP_IDX, LDDW_MAP_IDX_VALUE};

	memset(insns, 0, 2 * sizeof(*insns));
	insns[0].code = 0x18;
	insns[0].dst_reg = random_to(2) ? R1 : plain_reg();
	insns[0].src_reg = sources[random_to(ARRAY_SIZE(sources))];
	if (insns[0].src_reg == LDDW_IMM)
		insns[0].imm = random_imm(), insns[1].imm = random_imm();
}

static struct insn random_insn(u32 kind, u32 pc, u32 n)
{
	if (kind < 8)
		return random_alu();
	if (kind < 14)
		return random_memory();
	if (kind < 16)
		return random_jump(pc, n);
	if (kind < 18)
		return random_call(pc, n);
	return (struct insn){CLASS_JMP | 0x90, 0, 0, 0, 0};
}

/* Programs begin by giving registers values, so that some come far. */
static u32 a_bit_of_everything(struct insn insns[RAW_ROOM])
{
	u32 n = 14 + random_to(24), pc = 0;

	for (u8 reg = 2; reg < R10; reg++)
		insns[pc++] = (struct insn){CLASS_ALU64 | 0xb0, reg, 0, 0, random_imm()};
	insns[pc++] = (struct insn){CLASS_ALU64 | 0xb0, R0, 0, 0, random_imm()};
	insns[pc++] = (struct insn){CLASS_ALU64 | 0xb8, R6, R1, 0, 0};
	while (pc < n - 1) {
		u32 kind = random_to(20);

		if (kind == 18 && pc + 3 < n) {
			random_wide(&insns[pc]);
			pc += 2;
			continue;
		}
		do
			insns[pc] = random_insn(kind, pc, n);
		while (decode(&insns[pc]) == OP_INVALID);
		pc++;
	}
	insns[pc++] = (struct insn){CLASS_JMP | 0x90, 0, 0, 0, 0};
	return pc;
}

/* ---- arithmetic ---- */

/*
 * What compilers make of numbers: masks next to shifts, halves of rotates, extensions,
 * carries, branches around a move.  All registers come from memory, so that nothing is
 * known, and all go there at the end.
 */
struct writer {
	struct insn *insns;
	u32 n;
};

enum { ARITHMETIC = 48, FIRST_NUMBER = R2, LAST_NUMBER = R5 };

static void write_insn(struct writer *w, u8 code, u8 dst, u8 src, s32 imm)
{
	w->insns[w->n++] =
		(struct insn){.code = code, .dst_reg = dst, .src_reg = src, .imm = imm};
}

static u8 number_reg(void)
{
	return (u8)(FIRST_NUMBER + random_to(LAST_NUMBER - FIRST_NUMBER + 1));
}

static u8 alu_class(void)
{
	return random_to(2) ? CLASS_ALU : CLASS_ALU64;
}

static s32 random_count(void)
{
	static const u8 counts[] = {1,  3,  4,  7,  8,  13, 16, 24,
				    25, 28, 31, 32, 33, 48, 63};

	return counts[random_to(ARRAY_SIZE(counts))];
}

static s32 random_mask(void)
{
	u32 bits = random_to(32), ones = (1u << bits) - 1;

	switch (random_to(4)) {
	case 0: return (s32)ones;
	case 1: return (s32)~ones;
	case 2: return (s32)(UINT32_MAX >> bits & ~7u);
	default: return (s32)(0xffu << bits);
	}
}

/* x << n | x >> (width - n), the halves cut or not. */
static void write_rotate(struct writer *w)
{
	u8 x = number_reg(), y = number_reg(), class = alu_class();
	s32 width = random_to(3) ? 32 : 64, by = 1 + (s32)random_to((u32)width - 1);
	u8 join = random_to(2) ? 0x4f : random_to(2) ? 0xaf : 0x0f;

	write_insn(w, CLASS_ALU64 | 0xb8, R7, x, 0);
	write_insn(w, CLASS_ALU64 | 0xb8, R8, random_to(8) ? x : y, 0);
	if (random_to(2))
		write_insn(w, CLASS_ALU64 | 0x50, R8, 0, random_mask());
	write_insn(w, class | 0x60, R7, 0, by);
	write_insn(w, random_to(4) ? class : alu_class(), R8, 0, 0);
	w->insns[w->n - 1].code |= 0x70;
	w->insns[w->n - 1].imm = random_to(8) ? width - by : random_count();
	write_insn(w, alu_class(), R7, R8, 0);
	w->insns[w->n - 1].code |= (u8)((join & 0xf0) | SRC_X);
	write_insn(w, CLASS_ALU64 | 0xb8, x, R7, 0);
}

/* sum += x; if (sum < x) sum += 1; and what looks like it. */
static void write_carry(struct writer *w)
{
	static const u8 relations[] = {0xa0, 0xb0, 0x20, 0x30};
	u8 sum = number_reg(), x = number_reg(), class = alu_class();

	write_insn(w, random_to(4) ? class : alu_class(), sum, x, 0);
	w->insns[w->n - 1].code |= (random_to(4) ? 0x00 : 0x10) | SRC_X;
	write_insn(w, class == CLASS_ALU ? CLASS_JMP32 : CLASS_JMP, sum, x, 0);
	w->insns[w->n - 1].code |= (u8)(relations[random_to(4)] | SRC_X);
	w->insns[w->n - 1].off = 1;
	write_insn(w, alu_class(), sum, 0, random_to(4) ? 1 : random_imm());
	w->insns[w->n - 1].code |= random_to(4) ? 0x00 : 0x10;
}

/* A jump over one to three of the next; those are written by somebody else. */
static void write_branch(struct writer *w)
{
	u8 class = random_to(2) ? CLASS_JMP : CLASS_JMP32, reg = random_to(3) ? SRC_X : 0;
	static const u8 relations[] = {0x10, 0x50, 0x20, 0x30, 0xa0, 0xb0,
				       0x60, 0x70, 0xc0, 0xd0, 0x40};

	write_insn(w, class | relations[random_to(ARRAY_SIZE(relations))] | reg,
		   number_reg(), reg ? number_reg() : 0, reg ? 0 : random_mask());
	w->insns[w->n - 1].off = (s16)(1 + random_to(3));
}

static void write_plain(struct writer *w)
{
	static const u8 rows[] = {0x00, 0x10, 0x20, 0x40, 0x50, 0xa0, 0xb0, 0x30, 0x90};
	static const s32 widths[] = {16, 32, 64};
	u8 x = number_reg(), reg = random_to(2) ? SRC_X : 0;
	u32 kind = random_to(10);

	if (kind < 3)
		write_insn(w, alu_class() | (random_to(2) ? 0x70 : 0x60), x, 0,
			   random_count());
	else if (kind < 6)
		write_insn(w, alu_class() | 0x50, x, 0, random_mask());
	else if (kind < 7)
		write_insn(w, alu_class() | (random_to(2) ? 0xc0 : 0x70), x, 0,
			   random_count());
	else if (kind < 8)
		write_insn(w, (random_to(2) ? CLASS_ALU : CLASS_ALU64) | 0xd0, x, 0,
			   widths[random_to(3)]);
	else
		write_insn(w, alu_class() | rows[random_to(ARRAY_SIZE(rows))] | reg, x,
			   reg ? number_reg() : 0, reg ? 0 : random_mask());
	if (kind == 8 && (w->insns[w->n - 1].code & 0xf0) == 0xb0 && reg)
		w->insns[w->n - 1].off = (s16)(8 << random_to(3));
	if (decode(&w->insns[w->n - 1]) == OP_INVALID)
		w->n--;
}

static u32 much_arithmetic(struct insn insns[RAW_ROOM])
{
	static const u8 widths[] = {0x00, 0x08, 0x10, 0x18};
	struct writer w = {insns, 0};

	write_insn(&w, CLASS_ALU64 | 0xb8, R6, R1, 0);
	write_insn(&w, CLASS_ALU64 | 0xb0, R7, 0, 0);
	write_insn(&w, CLASS_ALU64 | 0xb0, R8, 0, 0);
	for (u8 reg = FIRST_NUMBER; reg <= LAST_NUMBER; reg++) {
		write_insn(&w, CLASS_LDX | MODE_MEM | widths[random_to(4)], reg, R1, 0);
		w.insns[w.n - 1].off = (s16)random_to(RAW_MEMORY - 8);
	}
	while (w.n < ARITHMETIC) {
		switch (random_to(8)) {
		case 0: write_rotate(&w); break;
		case 1: write_carry(&w); break;
		case 2: write_branch(&w); break;
		default: write_plain(&w); break;
		}
	}
	for (u32 i = 0; i < 3; i++) /* what a branch at the end jumps to */
		write_insn(&w, CLASS_ALU64 | 0xb0, R0, 0, (s32)i);
	for (u8 reg = FIRST_NUMBER; reg <= LAST_NUMBER; reg++) {
		write_insn(&w, CLASS_STX | MODE_MEM | 0x18, R6, reg, 0);
		w.insns[w.n - 1].off = (s16)(8 * reg);
	}
	write_insn(&w, CLASS_JMP | 0x90, 0, 0, 0);
	return w.n;
}

u32 raw_program(struct insn insns[RAW_ROOM])
{
	return random_to(2) ? a_bit_of_everything(insns) : much_arithmetic(insns);
}

void raw_run(raw_runner runner, const void *what, struct map *map,
	     struct raw_outcome *out)
{
	/* one place for all engines: programs compute with addresses */
	static _Alignas(8) u8 memory[RAW_MEMORY];
	static const u8 zeroes[RAW_MEMORY];
	struct mem_region region = {"memory", memory, RAW_MEMORY, true};
	struct exec_opts opts = {
		.r2 = RAW_MEMORY, .regions = &region, .n_regions = 1, .max_steps = 2000};
	struct packet packet = {.buf = memory,
				.start = memory,
				.meta = memory,
				.data = memory,
				.end = memory + RAW_MEMORY,
				.limit = memory + RAW_MEMORY};
	struct world_script world;
	struct run run = {.world = &world.world,
			  .ctx = memory,
			  .packet = &packet,
			  .opts = &opts,
			  .diag = &out->diag};
	u32 key = 0;

	world_script_init(&world);
	diag_clear(&out->diag);
	for (u32 i = 0; i < RAW_MEMORY; i++)
		memory[i] = (u8)(i * 37);
	map_user_update(map, &key, zeroes, 0);
	out->r0 = 0;
	out->err = runner(what, &run, &out->r0);
	run_end(&run);
	memcpy(out->memory, memory, RAW_MEMORY);
	map_user_lookup(map, &key, out->value, 0);
}

bool raw_same(const struct raw_outcome *a, const struct raw_outcome *b)
{
	return !a->err == !b->err && a->r0 == b->r0 &&
	       !memcmp(a->memory, b->memory, RAW_MEMORY) &&
	       !memcmp(a->value, b->value, RAW_MEMORY);
}

struct map *raw_map(void)
{
	struct map_attr attr = {.type = MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = RAW_MEMORY,
				.max_entries = 1};
	struct map *map;

	return map_new(&attr, &map, NULL) ? NULL : map;
}
