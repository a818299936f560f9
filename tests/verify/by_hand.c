/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons that no object file provokes: programs as somebody could hand them to the
 * verifier who reads none.  What objects provoke has cases (tests/cases/verify).
 */
#include <linux/bpf.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "btf/btf.h"
#include "check.h"
#include "function_btf.h"
#include "isa/asm.h"
#include "prog/prog.h"
#include "target/target.h"
#include "verify/reasons.h"
#include "verify/verify.h"

struct by_hand {
	enum reason_id want;
	u32 type, attach_type;
	bool sleepable;
	const char *text;
	struct subprog
		subs[2]; /* its functions, where they are listed; types: function_btf.h */
};

static const struct by_hand rows[] = {
	{REASON_SYSCALL_MUST_SLEEP, BPF_PROG_TYPE_SYSCALL, .text = "r0 = 0; exit"},
	{REASON_CANNOT_SLEEP, BPF_PROG_TYPE_XDP, .sleepable = true,
	 .text = "r0 = 0; exit"},
	{REASON_BAD_ATTACH_TYPE, BPF_PROG_TYPE_CGROUP_SOCK, BPF_XDP,
	 .text = "r0 = 1; exit"},
	{REASON_ATTACH_BAD_TYPE, BPF_PROG_TYPE_TRACING, BPF_XDP, .text = "r0 = 0; exit"},
	{REASON_ATTACH_BAD_TYPE, BPF_PROG_TYPE_LSM, BPF_XDP, .text = "r0 = 0; exit"},
	{REASON_NO_SUCH_PROG_TYPE, 999, .text = "r0 = 0; exit"},
	{REASON_FUNC_NO_INFO, BPF_PROG_TYPE_XDP,
	 .text = "r1 = func[pc+3]; r0 = 0; exit; r0 = 0; exit"},
	{REASON_FUNC_IS_MAIN, BPF_PROG_TYPE_XDP, .text = "r1 = func[pc-1]; r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 4, .btf_id = FUNCTION_BTF_FUNC}}},
	{REASON_FUNC_INFO_NO_FUNC, BPF_PROG_TYPE_XDP, .text = "r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 2, .btf_id = 1}}},
	{REASON_FUNC_INFO_MISMATCH, BPF_PROG_TYPE_XDP,
	 .text = "call pc+1; exit; r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 4, .btf_id = FUNCTION_BTF_FUNC}}},
	{REASON_NONE, BPF_PROG_TYPE_XDP, .text = "r0 = 0; exit"},
};

static int judge(const struct by_hand *row, struct skep_diag *diag)
{
	const struct target target = {.version = LINUX_DEFAULT};
	const struct verify_opts opts = {.target = &target};
	struct asm_input in = {.text = {(const u8 *)row->text, strlen(row->text)}};
	struct verify_result result = {0};
	struct arena arena = ARENA_INIT;
	struct asm_unit unit;
	struct prog prog = {.name = "main",
			    .type = row->type,
			    .attach_type = row->attach_type,
			    .sleepable = row->sleepable,
			    .gpl_compatible = true};
	const struct bytes types = {(const u8 *)&function_btf, sizeof(function_btf)};
	struct subprog subs[ARRAY_SIZE(row->subs)];
	int err = asm_parse(&in, &arena, &unit, diag);

	CHECK(!err);
	memcpy(subs, row->subs, sizeof(subs));
	while (prog.n_subprogs < ARRAY_SIZE(subs) && subs[prog.n_subprogs].n_insns)
		prog.n_subprogs++;
	if (prog.n_subprogs) {
		prog.subprogs = subs;
		CHECK(!btf_read(&arena, types, NULL, &prog.btf, diag));
	}
	if (!err) {
		prog.insns = unit.funcs[0].insns;
		prog.n_insns = unit.funcs[0].n_insns;
		err = verify_prog(&prog, &opts, &result, diag);
	}
	verify_result_fini(&result);
	arena_fini(&arena);
	return err;
}

int main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;
		int err = judge(&rows[i], &diag);

		CHECK(!err == (rows[i].want == REASON_NONE));
		if (!err || diag.id == (int)rows[i].want)
			continue;
		fprintf(stderr, "wanted %s, got %s: %s\n",
			skep_diag_name((int)rows[i].want), skep_diag_name(diag.id),
			diag.text);
		CHECK(false);
	}
	return check_report();
}
