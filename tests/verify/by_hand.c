/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons that no object file provokes: programs as somebody could hand them to the
 * verifier who reads none.  What objects provoke has cases (tests/cases/verify).
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "btf/btf.h"
#include "btf/writer.h"
#include "check.h"
#include "isa/asm.h"
#include "prog/prog.h"
#include "target/target.h"
#include "verify/reasons.h"
#include "verify/verify.h"

/* The types of every program: what ids mean in rows. */
enum { TYPE_INT = 1, TYPE_PROTO, TYPE_MAIN, TYPE_F };

struct by_hand {
	enum reason_id want;
	u32 type, attach_type;
	bool sleepable;
	const char *text;
	struct subprog subs[2]; /* its functions, where they are listed */
	const char *on_throw;   /* what main names as its exception callback */
	bool f_is_static;
	u32 n_args; /* numbers */
	bool no_types;
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
	 .subs = {{.name = "main", .n_insns = 4, .btf_id = TYPE_MAIN}}},
	{REASON_FUNC_INFO_NO_FUNC, BPF_PROG_TYPE_XDP, .text = "r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 2, .btf_id = TYPE_INT}}},
	{REASON_FUNC_INFO_MISMATCH, BPF_PROG_TYPE_XDP,
	 .text = "call pc+1; exit; r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 4, .btf_id = TYPE_MAIN}}},
	{REASON_NO_EXCEPTION_CALLBACK, BPF_PROG_TYPE_XDP, .text = "r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 2, .btf_id = TYPE_MAIN}}, .on_throw = "f"},
	{REASON_EXCEPTION_CALLBACK_STATIC, BPF_PROG_TYPE_XDP,
	 .text = "r0 = 0; exit; r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 2, .btf_id = TYPE_MAIN},
		  {.name = "f", .start = 2, .n_insns = 2, .btf_id = TYPE_F}},
	 .on_throw = "f", .f_is_static = true},
	{REASON_JUMP_LEAVES_FUNCTION, BPF_PROG_TYPE_XDP,
	 .text = "r0 = 0; if r0 == 0 goto +2; exit; r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 3, .btf_id = TYPE_MAIN},
		  {.name = "f",
		   .start = 3,
		   .n_insns = 2,
		   .btf_id = TYPE_F,
		   .global = true}},
	 .on_throw = "f"},
	{REASON_FALLS_OFF_FUNCTION, BPF_PROG_TYPE_XDP, .text = "r0 = 0; r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 1, .btf_id = TYPE_MAIN},
		  {.name = "f",
		   .start = 1,
		   .n_insns = 2,
		   .btf_id = TYPE_F,
		   .global = true}},
	 .on_throw = "f"},
	{REASON_FUNC_TOO_MANY_ARGS, BPF_PROG_TYPE_XDP,
	 .text = "call pc+1; exit; r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 2, .btf_id = TYPE_MAIN},
		  {.name = "f",
		   .start = 2,
		   .n_insns = 2,
		   .btf_id = TYPE_F,
		   .global = true}},
	 .n_args = 6},
	{REASON_FUNC_NO_BTF, BPF_PROG_TYPE_XDP, .text = "call pc+1; exit; r0 = 0; exit",
	 .subs = {{.name = "main", .n_insns = 2, .btf_id = TYPE_MAIN},
		  {.name = "f",
		   .start = 2,
		   .n_insns = 2,
		   .btf_id = TYPE_F,
		   .global = true}},
	 .no_types = true},
	{REASON_NONE, BPF_PROG_TYPE_XDP, .text = "r0 = 0; exit"},
};

static const struct btf *types_of(const struct by_hand *row, struct arena *arena)
{
	const struct btf *btf = NULL;
	struct text text = TEXT_INIT;
	struct btf_writer w;
	char tag[64];

	btf_writer_init(&w, NULL, false);
	btf_add_int(&w, "int", 4, BTF_SIGNED);
	btf_add_proto(&w, TYPE_INT);
	for (u32 i = 0; i < row->n_args; i++)
		btf_put_param(&w, "number", TYPE_INT);
	btf_add_func(&w, "main", TYPE_PROTO, BTF_STATIC);
	btf_add_func(&w, "f", TYPE_PROTO, row->f_is_static ? BTF_STATIC : BTF_GLOBAL);
	snprintf(tag, sizeof(tag), "exception_callback:%s", row->on_throw);
	if (row->on_throw)
		btf_add_decl_tag(&w, tag, TYPE_MAIN, -1);
	btf_writer_finish(&w, &text, NULL);
	struct bytes bytes = {arena_memdup(arena, text_str(&text), text.len), text.len};
	CHECK(!btf_read(arena, bytes, NULL, &btf, NULL));
	btf_writer_fini(&w);
	text_fini(&text);
	return btf;
}

static void list_functions(const struct by_hand *row, struct prog *prog,
			   struct arena *arena)
{
	u32 n = 0;

	while (n < ARRAY_SIZE(row->subs) && row->subs[n].n_insns)
		n++;
	prog->n_subprogs = n;
	prog->subprogs = arena_memdup(arena, row->subs, sizeof(row->subs));
	prog->btf = n && !row->no_types ? types_of(row, arena) : NULL;
}

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
	int err = asm_parse(&in, &arena, &unit, diag);

	CHECK(!err);
	list_functions(row, &prog, &arena);
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
