/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as assembly text.  What assembles is well formed enough to be printed, and
 * each printed instruction assembles to the same slots.
 */
#include "isa/asm.h"
#include "base/arena.h"
#include "base/text.h"
#include "fuzz.h"
#include "isa/disasm.h"

static int same_slot(const struct insn *a, const struct insn *b)
{
	u8 x[INSN_SIZE], y[INSN_SIZE];

	insn_write(x, a, false);
	insn_write(y, b, false);
	return !memcmp(x, y, sizeof(x));
}

static void round_trip(const struct asm_func *func)
{
	struct text text = TEXT_INIT;
	struct insn again[2];

	for (u32 pc = 0; pc < func->n_insns;) {
		u32 slots = disasm(&text, func->insns, func->n_insns, pc, NULL);

		EXPECT(slots == 1 || slots == 2);
		EXPECT(asm_insn(text_str(&text), NULL, again, NULL) == (int)slots);
		for (u32 i = 0; i < slots; i++)
			EXPECT(same_slot(&again[i], &func->insns[pc + i]));
		pc += slots;
		text_fini(&text);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct asm_input in = {.text = {data, size}};
	struct arena arena = ARENA_INIT;
	struct asm_unit unit;

	if (!asm_parse(&in, &arena, &unit, NULL))
		for (u32 i = 0; i < unit.n_funcs; i++)
			round_trip(&unit.funcs[i]);
	arena_fini(&arena);
	return 0;
}
