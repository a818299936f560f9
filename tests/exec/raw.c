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
u32 raw_program(struct insn insns[RAW_MAX_LEN + 2])
{
	u32 n = 14 + random_to(RAW_MAX_LEN - 16), pc = 0;

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
