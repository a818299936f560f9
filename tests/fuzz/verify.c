/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as an object whose programs are verified: code, types and map definitions
 * that no compiler made.
 *
 * Most bytes of an object that is changed at random are types and texts, so the bytes
 * also decide, by their sum, on changes to the instructions, functions and maps that were
 * read.  The object's own types stand in for the kernel's, which are no more to be
 * trusted (--btf FILE).  A verdict is 0 or has a reason; work and memory are limited, and
 * the same program gets the same verdict again.
 */
#include "verify/verify.h"
#include "base/diag.h"
#include "fuzz.h"
#include "obj/object.h"
#include "target/target.h"
#include "verify/claims.h"

enum {
	MAX_PROGS = 16, /* an object */
	MAX_CHANGES = 8,
	MAX_PROCESSED = 20000,
	MAX_MEMORY = 16 << 20,
};

static u64 sum_of(const u8 *data, size_t size)
{
	u64 sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ data[i]) * 0x100000001b3;
	return sum;
}

static u64 next_random(u64 *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return *state >> 16;
}

static u32 below(u64 *state, u64 n)
{
	return n ? (u32)(next_random(state) % n) : 0;
}

static s32 any_number(u64 *state)
{
	static const s32 edges[] = {0, 1, -1, 8, -8, 512, -512, INT32_MAX, INT32_MIN};
	u32 r = below(state, 16);

	return r < ARRAY_SIZE(edges) ? edges[r] : (s32)next_random(state);
}

static void change_insn(struct insn *insn, const struct insn *other, u64 *random)
{
	switch (below(random, 8)) {
	case 0: insn->code = (u8)next_random(random); return;
	case 1: insn->dst_reg = (u8)below(random, 16); return;
	case 2: insn->src_reg = (u8)below(random, 16); return;
	case 3: insn->off = (s16)any_number(random); return;
	case 4: insn->imm = any_number(random); return;
	case 5: insn->imm = (s32)below(random, 220); return; /* helpers, sizes */
	case 6: *insn = *other; return;
	default: *insn = (struct insn){0x05, 0, 0, 0, 0}; return; /* goto +0 */
	}
}

static void change_map(struct map_def *def, u64 *random)
{
	switch (below(random, 7)) {
	case 0: def->type = below(random, 40); return;
	case 1: def->key_size = (u32)any_number(random); return;
	case 2: def->value_size = (u32)any_number(random); return;
	case 3: def->max_entries = (u32)any_number(random); return;
	case 4: def->flags ^= 1u << below(random, 32); return;
	case 5: def->btf_value_id = below(random, 300); return;
	default: def->btf_key_id = below(random, 300); return;
	}
}

static void change_prog(struct prog *prog, u64 *random)
{
	switch (below(random, 8)) {
	case 0: prog->type = below(random, 40); return;
	case 1: prog->attach_type = below(random, 70); return;
	case 2: prog->sleepable = !prog->sleepable; return;
	case 3: prog->btf = NULL; return;
	case 4:
		if (prog->n_subprogs)
			prog->subprogs[below(random, prog->n_subprogs)].btf_id =
				below(random, 300);
		return;
	case 5:
		if (prog->n_subprogs)
			prog->subprogs[below(random, prog->n_subprogs)].global = true;
		return;
	default: return;
	}
}

/* Instructions and functions are the copy's own; maps are shared by all programs. */
static void change(struct object *obj, struct prog *prog, u64 *random)
{
	u32 n = below(random, MAX_CHANGES + 1);

	while (n--) {
		u32 at = below(random, prog->n_insns),
		    from = below(random, prog->n_insns);

		if (prog->n_insns)
			change_insn(&prog->insns[at], &prog->insns[from], random);
	}
	if (!below(random, 4) && obj->n_maps)
		change_map(obj->maps[below(random, obj->n_maps)], random);
	if (!below(random, 4))
		change_prog(prog, random);
}

static void same_again(const struct prog *prog, const struct verify_opts *opts,
		       const struct verify_result *first, int err,
		       const struct skep_diag *diag)
{
	struct skep_diag again = SKEP_DIAG_INIT;
	struct verify_result result;

	EXPECT(verify_prog(prog, opts, &result, &again) == err);
	EXPECT(again.id == diag->id && again.insn == diag->insn &&
	       !strcmp(again.text, diag->text));
	EXPECT(result.stats.insns_processed == first->stats.insns_processed &&
	       result.stats.states == first->stats.states &&
	       result.stats.peak_states == first->stats.peak_states &&
	       result.stats.memory == first->stats.memory);
	verify_result_fini(&result);
}

static void verify(const struct prog *prog, const struct verify_opts *opts)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct verify_result result;
	int err = verify_prog(prog, opts, &result, &diag);

	EXPECT(err ? diag.id && diag.err == err && diag.text[0] : !diag.id);
	EXPECT(result.stats.insns_processed <= MAX_PROCESSED + 1);
	EXPECT(diag.insn < (int)prog->n_insns);
	same_again(prog, opts, &result, err, &diag);
	verify_result_fini(&result);
}

static void verify_changed(struct object *obj, u32 i, const struct target *target,
			   u64 *random)
{
	struct verify_opts opts = {
		.target = target,
		.unprivileged = !below(random, 8),
		.flags = any_number(random) &
			 (VERIFY_STRICT_ALIGNMENT | VERIFY_TEST_STATE_FREQ),
		.all_precise = !below(random, 8),
		.max_insns = MAX_PROCESSED,
		.max_memory = MAX_MEMORY};
	const struct prog *fitted;
	struct prog prog;

	if (object_fit(obj, i, target, &fitted, NULL))
		return;
	prog = *fitted;
	prog.insns = arena_memdup(&obj->arena, fitted->insns,
				  prog.n_insns * sizeof(*prog.insns));
	prog.subprogs = arena_memdup(&obj->arena, fitted->subprogs,
				     prog.n_subprogs * sizeof(*prog.subprogs));
	if (!prog.insns || !prog.subprogs)
		return;
	change(obj, &prog, random);
	verify(&prog, &opts);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u32 versions[] = {LINUX_DEFAULT, 6 << 16 | 12 << 8,
				       6 << 16 | 1 << 8};
	u64 random = sum_of(data, size);
	struct target target = {.version = versions[below(&random, 3)]};
	struct object *obj;

	if (object_open((struct bytes){data, size}, NULL, &obj, NULL))
		return 0;
	if (!below(&random, 2))
		target.btf = obj->btf;
	for (u32 n = 0; n < MAX_PROGS && n < obj->n_progs; n++)
		verify_changed(obj, below(&random, obj->n_progs), &target, &random);
	object_free(obj);
	return 0;
}
