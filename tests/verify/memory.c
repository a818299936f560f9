/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory is allowed changes no verdict and no path: states that are made small
 * stand for the same, and what is too much is said.
 */
#include <linux/bpf.h>

#include "base/arena.h"
#include "base/diag.h"
#include "check.h"
#include "isa/asm.h"
#include "prog/prog.h"
#include "target/target.h"
#include "verify/reasons.h"
#include "verify/verify.h"

static int judge(const char *text, u64 max_memory, struct verify_stats *stats,
		 struct skep_diag *diag)
{
	struct asm_input in = {.text = {(const u8 *)text, strlen(text)}};
	const struct target target = {.version = LINUX_DEFAULT};
	const struct verify_opts opts = {.target = &target, .max_memory = max_memory};
	struct verify_result result = {0};
	struct asm_linked linked = {0};
	struct arena arena = ARENA_INIT;
	struct asm_unit unit;
	int err;

	*diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK(!asm_parse(&in, &arena, &unit, diag));
	CHECK(!asm_link(&unit, 0, &arena, &linked, diag));
	const struct prog prog = {.name = "main",
				  .section = "xdp",
				  .type = BPF_PROG_TYPE_XDP,
				  .gpl_compatible = true,
				  .insns = linked.insns,
				  .n_insns = linked.n_insns};
	err = verify_prog(&prog, &opts, &result, diag);
	*stats = result.stats;
	verify_result_fini(&result);
	arena_fini(&arena);
	return err;
}

/* What registers and slots may hold, kept, compared, and going back along. */
static const char paths[] = "	r6 = r1\n"
			    "	r7 = 0\n"
			    "	*(u64 *)(r10 - 8) = r1\n"
			    "	*(u64 *)(r10 - 16) = r10\n"
			    "	*(u32 *)(r10 - 20) = 7\n"
			    "	*(u16 *)(r10 - 24) = 0\n"
			    "again:\n"
			    "	call 7\n"
			    "	r8 = r0\n"
			    "	*(u64 *)(r10 - 32) = r0\n"
			    "	if r8 > 100 goto other\n"
			    "	r9 = r10\n"
			    "	r9 += -48\n"
			    "	*(u64 *)(r10 - 40) = r9\n"
			    "	*(u64 *)(r10 - 48) = r7\n"
			    "	goto next\n"
			    "other:\n"
			    "	r9 = 1\n"
			    "	*(u64 *)(r10 - 40) = r9\n"
			    "	*(u64 *)(r10 - 48) = 3\n"
			    "next:\n"
			    "	r2 = *(u32 *)(r6 + 0)\n"
			    "	r3 = *(u32 *)(r6 + 4)\n"
			    "	r4 = r2\n"
			    "	r4 += 14\n"
			    "	if r4 > r3 goto short\n"
			    "	r5 = *(u8 *)(r2 + 13)\n"
			    "	r5 &= 3\n"
			    "	r4 = r10\n"
			    "	r4 += -20\n"
			    "	r4 += r5\n"
			    "	r4 = *(u8 *)(r4 + 0)\n"
			    "short:\n"
			    "	r7 += 1\n"
			    "	if r7 < 3000 goto again\n"
			    "	r1 = *(u64 *)(r10 - 8)\n"
			    "	r0 = *(u32 *)(r1 + 0)\n"
			    "	r0 = 2\n"
			    "	exit\n";

/* The same, and one access too far after it. */
static const char too_far[] = "	r7 = 0\n"
			      "	*(u64 *)(r10 - 8) = r1\n"
			      "	r8 = 0\n"
			      "again:\n"
			      "	call 7\n"
			      "	if r0 > 9 goto +1\n"
			      "	r8 += 1\n"
			      "	r7 += 1\n"
			      "	if r7 < 100 goto again\n"
			      "	r1 = r10\n"
			      "	r1 += r8\n"
			      "	r0 = *(u8 *)(r1 - 100)\n"
			      "	exit\n";

static void check_same_way(const char *text, bool rejected, u64 least)
{
	static const u64 limits[] = {12 << 20, 16 << 20, 32 << 20};
	/* Sanitizers look at the tightest: where memory ends is for the others. */
	const u32 n = CHECK_IS_SANITIZED ? 1 : ARRAY_SIZE(limits);
	struct verify_stats plenty, less;
	struct skep_diag diag, small;
	int err = judge(text, 0, &plenty, &diag);

	CHECK_INT(err != 0, rejected);
	CHECK(plenty.memory > least);
	for (u32 i = 0; i < n; i++) {
		int same = judge(text, limits[i], &less, &small);

		CHECK_INT(same, err);
		CHECK_INT(small.id, diag.id);
		CHECK_INT(small.insn, diag.insn);
		CHECK_INT(less.insns_processed, plenty.insns_processed);
		CHECK_INT(less.states, plenty.states);
		CHECK(less.memory <= limits[i]);
	}
}

static void test_too_little(void)
{
	struct verify_stats stats;
	struct skep_diag diag;

	CHECK(judge(paths, 4096, &stats, &diag));
	CHECK_INT(diag.id, REASON_UNSUPPORTED);
}

int main(void)
{
	check_same_way(paths, false, 8 << 20);
	check_same_way(too_far, true, 0);
	test_too_little();
	return check_report();
}
