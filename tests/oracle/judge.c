/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel is given of a program and its maps (compare.c), as skep's verifier
 * takes it.
 */
#include "oracle/judge.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "btf/btf.h"
#include "function_btf.h"
#include "maps/map.h"
#include "oracle/generating.h"
#include "verify/claims.h"
#include "verify/verify.h"

static const struct map_def defs[GEN_MAPS] = {
	[GEN_SCRATCH] = {.name = "scratch",
			 .type = MAP_TYPE_ARRAY,
			 .key_size = 4,
			 .value_size = sizeof(struct gen_scratch),
			 .max_entries = 1,
			 .flags = MAP_MMAPABLE},
#define M(n, text, t, key, value, entries, f)                                            \
	[GEN_##n] = {.name = #n,                                                         \
		     .type = MAP_TYPE_##t,                                               \
		     .key_size = key,                                                    \
		     .value_size = value,                                                \
		     .max_entries = entries,                                             \
		     .flags = f},
#include "oracle/maps.def"
#undef M
};

bool judge_init(struct judge *j)
{
	struct bytes bytes = {(const u8 *)&function_btf, sizeof(function_btf)};

	*j = (struct judge){.target = {.version = LINUX_DEFAULT}};
	memcpy(j->defs, defs, sizeof(defs));
	for (u32 i = 0; i < GEN_MAPS; i++) {
		j->defs[i].section = ".maps";
		j->list[i] = &j->defs[i];
	}
	j->defs[GEN_OUTER].inner = &j->defs[GEN_INNER_A];
	j->defs[GEN_OUTER_HASH].inner = &j->defs[GEN_INNER_A];
	return !btf_read(&j->arena, bytes, NULL, &j->btf, NULL);
}

void judge_fini(struct judge *j)
{
	arena_fini(&j->arena);
}

static u32 list_functions(const struct gen_prog *p, struct subprog *subs)
{
	u32 starts[GEN_FUNCS + 1], n = gen_functions(p, starts);

	starts[n] = p->n_insns;
	for (u32 i = 0; i < n; i++)
		subs[i] = (struct subprog){.name = "f",
					   .start = starts[i],
					   .n_insns = starts[i + 1] - starts[i],
					   .btf_id = FUNCTION_BTF_FUNC};
	return n;
}

void judge_progs(struct judge *j, const struct gen_case *c, struct prog progs[GEN_PROGS])
{
	for (u32 i = 0; i < c->n_progs; i++)
		progs[i] = (struct prog){
			.name = "generated",
			.section = "generated",
			.type = c->type,
			.gpl_compatible = true,
			.insns = (struct insn *)c->progs[i].insns,
			.n_insns = c->progs[i].n_insns,
			.subprogs = j->subprogs[i],
			.n_subprogs = list_functions(&c->progs[i], j->subprogs[i]),
			.maps = j->list,
			.n_maps = GEN_MAPS,
			.btf = j->btf};
}

/* Where Linux' verdict depends on how much it has memory and patience for. */
static bool gives_up(const struct skep_diag *diag)
{
	return diag->err == -E2BIG || diag->err == -ENOMEM ||
	       !strcmp(verify_verdict(diag->err, diag), "unsupported");
}

enum judged judge_verdict(const struct judge *j, const struct prog *progs, u32 n,
			  char *words, size_t size)
{
	struct verify_opts opts = {.target = &j->target};

	for (u32 i = 0; i < n; i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct verify_result result;
		int err = verify_prog(&progs[i], &opts, &result, &diag);

		verify_result_fini(&result);
		if (!err)
			continue;
		snprintf(words, size, "program %u: %s at %d: %s", i,
			 skep_diag_name(diag.id), diag.insn, diag.text);
		return gives_up(&diag) ? NOT_JUDGED : REJECTED;
	}
	return ACCEPTED;
}

u8 *judge_ways(const struct judge *j, const struct prog *prog)
{
	struct verify_opts opts = {.target = &j->target, .ways = true};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct verify_result result;
	u8 *ways;

	verify_prog(prog, &opts, &result, &diag);
	ways = result.ways;
	result.ways = NULL;
	verify_result_fini(&result);
	return ways;
}

bool judge_claims(const struct judge *j, const struct prog *prog, struct claims **claims,
		  struct skep_diag *diag)
{
	struct verify_opts opts = {.target = &j->target};

	*claims = NULL;
	return !claims_new(prog, &opts, claims, diag) || gives_up(diag);
}
