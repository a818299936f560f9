/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a program.  Every slot prints, and assembles again to what it was; what is
 * well formed runs on the checked engine, which lets it do no harm: nobody has verified
 * it.
 */
#include "base/diag.h"
#include "base/text.h"
#include "exec/exec.h"
#include "fuzz.h"
#include "isa/asm.h"
#include "isa/disasm.h"

enum { MAX_SLOTS = 512, MEMORY = 64, STEPS = 2000 };

static void round_trip(const struct insn *insns, u32 n)
{
	struct text text = TEXT_INIT;
	struct insn again[2];
	u8 was[INSN_SIZE], is[INSN_SIZE];

	for (u32 pc = 0; pc < n;) {
		u32 slots = disasm(&text, insns, n, pc, NULL);

		EXPECT(asm_insn(text_str(&text), NULL, again, NULL) == (int)slots);
		for (u32 i = 0; i < slots; i++, pc++) {
			insn_write(was, &insns[pc], false);
			insn_write(is, &again[i], false);
			EXPECT(!memcmp(was, is, sizeof(was)));
		}
		text_fini(&text);
	}
}

static void run_checked(struct insn *insns, u32 n)
{
	u8 memory[MEMORY] = {0};
	struct mem_region region = {
		.name = "memory", .addr = memory, .size = MEMORY, .writable = true};
	struct exec_opts opts = {
		.r2 = MEMORY, .max_steps = STEPS, .regions = &region, .n_regions = 1};
	struct subprog main_function = {.name = "main", .n_insns = n};
	struct prog prog = {.name = "main",
			    .section = "",
			    .insns = insns,
			    .n_insns = n,
			    .subprogs = &main_function,
			    .n_subprogs = 1};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct run run = {.ctx = memory, .opts = &opts, .diag = &diag};
	struct image *image;
	u64 ret;
	int err;

	if (image_new(&(struct image_spec){.prog = &prog}, &image, &diag))
		return;
	err = checked_run(image, &run, &ret);
	EXPECT(err <= 0 && (!err || diag.id));
	image_free(image);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 n = (u32)(size / INSN_SIZE < MAX_SLOTS ? size / INSN_SIZE : MAX_SLOTS);
	static struct insn insns[MAX_SLOTS];

	for (u32 i = 0; i < n; i++)
		insns[i] = insn_read(data + (size_t)i * INSN_SIZE, false);
	round_trip(insns, n);
	if (n && !insns_check(insns, n, NULL))
		run_checked(insns, n);
	return 0;
}
