/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons that depend on the kernel, and that no kernel of today gives: its types are
 * made up here, one function or variable a row, and a program meets it.
 *
 * Functions have the names of kfuncs, as the flags go by the name.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "abi/abi.h"
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

/* The types of every kernel here; after them the prototype and the function. */
enum {
	NOTHING, /* void */
	INT,
	INT128,
	THING, /* a union of 8 bytes */
	CPUMASK,
	TO_CPUMASK,
	MISSING, /* a struct that is only declared */
	TO_MISSING,
	NUM,
	TO_NUM,
	CONVERT,
	PROTO,
	FUNC,
	USERS, /* CPUMASK in user space */
	TO_USERS,
	GIVES_PROTO,
	GIVES,    /* a cpumask */
	VARIABLE, /* of the declared struct */
	KNOWN,    /* two functions that say: functions are told */
	ALSO_KNOWN,
	MEMBER_PROTO, /* of a queueing discipline, whose first argument is a reference */
	TO_MEMBER,
	KERNEL_OPS,
	KERNEL_OPS_VALUE,
	STUB_PROTO,
	STUB,
	TO_INT,
};

/* The types of every program that has some. */
enum {
	MAIN_INT = 1,
	MAIN_PROTO,
	MAIN,
	MAIN_MISSING,
	TO_MAIN_MISSING,
	F_PROTO,
	F,
	MAIN_OPS = F + 2
};

enum { MAX_PARAMS = 7 };

struct made_up {
	enum reason_id want;
	u32 type, attach_type;
	const char *text;
	const char *name; /* of the function */
	u32 returns;
	struct {
		const char *name;
		u32 type;
	} params[MAX_PARAMS];
	u32 referred; /* what the program's reference is; 0: the function */
	u32 version;  /* 0: the default */
	bool percpu;  /* is the variable one of each CPU? */
	bool untold;  /* programs are not told where it is */
	bool calls_f; /* the program's second function, which takes something that is
			 missing */
	const struct map_def *struct_ops;
};

static const struct map_slot members[] = {{.index = 0, .name = "main"}};
static const struct map_def ops_without_member = {
	.name = "ops", .btf_value_id = MAIN_OPS, .slots = members, .n_slots = 1};

static const struct made_up rows[] = {
	{REASON_KFUNC_ARGS, BPF_PROG_TYPE_XDP, .text = "call kfunc_id[0]; r0 = 0; exit",
	 .name = "bpf_rcu_read_lock",
	 .params = {{"a", INT},
		    {"b", INT},
		    {"c", INT},
		    {"d", INT},
		    {"e", INT},
		    {"f", INT}}},
	{REASON_KARG_TYPE, BPF_PROG_TYPE_XDP,
	 .text = "r1 = 0; call kfunc_id[0]; r0 = 0; exit", .name = "bpf_rcu_read_lock",
	 .params = {{"thing", THING}}},
	{REASON_KARG_TWO_CONSTANTS, BPF_PROG_TYPE_XDP,
	 .text = "r1 = 1; r2 = 1; call kfunc_id[0]; r0 = 0; exit",
	 .name = "bpf_rcu_read_lock", .params = {{"a__k", INT}, {"b__k", INT}}},
	{REASON_KARG_TWO_SIZES, BPF_PROG_TYPE_XDP,
	 .text = "r1 = 1; r2 = 1; call kfunc_id[0]; r0 = 0; exit",
	 .name = "bpf_rcu_read_lock",
	 .params = {{"rdonly_buf_size", INT}, {"rdwr_buf_size", INT}}},
	{REASON_KARG_SIZE_RANGE, BPF_PROG_TYPE_XDP,
	 .text = "r1 = 0x100000000 ll; call kfunc_id[0]; r0 = 0; exit",
	 .name = "bpf_rcu_read_lock", .params = {{"rdonly_buf_size", INT}}},
	{REASON_KFUNC_RET_TYPE, BPF_PROG_TYPE_XDP,
	 .text = "call kfunc_id[0]; r0 = 0; exit", .name = "bpf_dynptr_size",
	 .returns = TO_MISSING},
	{REASON_KFUNC_ACQUIRE_TYPE, BPF_PROG_TYPE_SYSCALL,
	 .text = "call kfunc_id[0]; r0 = 0; exit", .name = "bpf_cpumask_create",
	 .returns = INT},
	{REASON_ITER_BAD_TYPE, BPF_PROG_TYPE_XDP,
	 .text = "r1 = r10; r1 += -8; r2 = 0; r3 = 1; call kfunc_id[0]; r0 = 0; exit",
	 .name = "bpf_iter_num_new", .returns = INT,
	 .params = {{"it", TO_NUM}, {"start", INT}, {"end", INT}}},
	{REASON_KFUNC_NO_FUNC, BPF_PROG_TYPE_XDP,
	 .text = "call kfunc_id[0]; r0 = 0; exit", .name = "bpf_rcu_read_lock",
	 .referred = INT},
	{REASON_KARG_TWO_REFS, BPF_PROG_TYPE_SYSCALL,
	 .text = "call kfunc_id[1]; if r0 == 0 goto +7; r6 = r0; call kfunc_id[1];"
		 "if r0 == 0 goto +4; r1 = r6; r2 = r0; call kfunc_id[0]; r0 = 0; exit",
	 .name = "bpf_cpumask_release", .params = {{"a", TO_CPUMASK}, {"b", TO_CPUMASK}}},
	/* What is released is the record, and the dynptr does not know. */
	{REASON_REF_NOT_HELD, BPF_PROG_TYPE_SYSCALL,
	 .text = "r1 = map_idx[1]; r2 = 8; r3 = 0; r4 = r10; r4 += -16;"
		 "call 198; r1 = r10; r1 += -16; r2 = 0; r3 = 8;"
		 "call 203; if r0 == 0 goto +2; r1 = r0; call kfunc_id[0];"
		 "r1 = r10; r1 += -16; r2 = 0; call 200; r0 = 0; exit",
	 .name = "bpf_cpumask_release", .params = {{"number", TO_INT}}},
	{REASON_OBJ_NEW_NO_BTF, BPF_PROG_TYPE_XDP,
	 .text = "r1 = 1; r2 = 0; call kfunc_id[0]; r0 = 0; exit",
	 .name = "bpf_obj_new_impl", .returns = TO_MISSING,
	 .params = {{"local_type_id__k", INT}, {"meta__ign", TO_MISSING}}},
	{REASON_KSYM_UNKNOWN, BPF_PROG_TYPE_XDP, .text = "r1 = ksym_id[0]; r0 = 0; exit",
	 .name = "f", .referred = INT},
	{REASON_KSYM_SIZE, BPF_PROG_TYPE_XDP, .text = "r1 = ksym_id[0]; r0 = 0; exit",
	 .name = "f", .referred = VARIABLE},
	{REASON_KSYM_NO_ADDRESS, BPF_PROG_TYPE_XDP,
	 .text = "r1 = ksym_id[0]; r0 = 0; exit", .name = "f", .referred = VARIABLE,
	 .untold = true},
	{REASON_VARIABLE_SIZE, BPF_PROG_TYPE_XDP,
	 .text = "r1 = ksym_id[0]; call 154; r0 = 0; exit", .name = "f",
	 .referred = VARIABLE, .percpu = true},
	{REASON_MAP_NO_STRUCT, BPF_PROG_TYPE_XDP,
	 .text = "r1 = map_idx[0]; r0 = *(u32 *)(r1 + 0); exit", .name = "f"},
	{REASON_STRUCT_USER, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY,
	 .text = "r1 = *(u64 *)(r1 + 0); r0 = *(u32 *)(r1 + 0); r0 = 0; exit",
	 .name = "f", .params = {{"users", TO_USERS}}},
	{REASON_PROG_TYPE_NOT_BUILT, BPF_PROG_TYPE_XDP, .text = "r0 = 0; exit",
	 .name = "f"},
	{REASON_HELPER_NOT_BUILT, BPF_PROG_TYPE_SCHED_CLS,
	 .text = "call 151; r0 = 0; exit", .name = "f"},
	{REASON_ATTACH_BIG_RESULT, BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT,
	 .text = "r0 = 0; exit", .name = "f", .returns = INT128},
	{REASON_ATTACH_ARG_KIND, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY,
	 .text = "r1 = *(u64 *)(r1 + 0); r0 = 0; exit", .name = "f",
	 .params = {{"thing", THING}}, .version = ABI_LINUX(6, 12)},
	{REASON_ATTACH_ARG_RELEASED, BPF_PROG_TYPE_STRUCT_OPS,
	 .text = "r6 = r1; r1 = *(u64 *)(r6 + 0); call kfunc_id[0];"
		 "r1 = *(u64 *)(r6 + 0); r0 = 0; exit",
	 .name = "bpf_kfree_skb", .params = {{"object", TO_CPUMASK}}},
	{REASON_NONE, BPF_PROG_TYPE_STRUCT_OPS,
	 .text = "r1 = *(u64 *)(r1 + 0); call kfunc_id[0]; r0 = 0; exit",
	 .name = "bpf_kfree_skb", .params = {{"object", TO_CPUMASK}}},
	{REASON_STRUCT_OPS_NO_MEMBER, BPF_PROG_TYPE_STRUCT_OPS, .text = "r0 = 0; exit",
	 .name = "f", .struct_ops = &ops_without_member},
	{REASON_FUNC_ARG_KERNEL_KIND, BPF_PROG_TYPE_XDP,
	 .text = "r1 = 0; call pc+1; exit; r0 = 0; exit", .name = "f", .calls_f = true},
	{REASON_NONE, BPF_PROG_TYPE_SYSCALL,
	 .text = "call kfunc_id[1]; if r0 == 0 goto +3; r1 = r0; call kfunc_id[0];"
		 "r0 = 0; exit",
	 .name = "bpf_cpumask_release", .params = {{"a", TO_CPUMASK}}},
	{REASON_NONE, BPF_PROG_TYPE_SOCKET_FILTER,
	 .text = "r1 = 1; call kfunc_id[0]; r0 = 0; exit", .name = "bpf_dynptr_size",
	 .returns = INT, .params = {{"a__k", INT}}},
};

static void add_struct(struct btf_writer *w, enum btf_kind kind, const char *name,
		       u32 size)
{
	btf_add_composite(w, kind, name, size);
	btf_put_member(w, &(struct btf_member){.name = "member", .type = INT});
}

static void add_struct_ops(struct btf_writer *w)
{
	btf_add_proto(w, INT);
	btf_put_param(w, "object", TO_CPUMASK);
	btf_add_ref(w, BTF_PTR, NULL, MEMBER_PROTO);
	btf_add_composite(w, BTF_STRUCT, "Qdisc_ops", 8);
	btf_put_member(w, &(struct btf_member){.name = "enqueue", .type = TO_MEMBER});
	add_struct(w, BTF_STRUCT, "bpf_struct_ops_Qdisc_ops", 4);
	btf_add_proto(w, INT);
	btf_put_param(w, "object__ref", TO_CPUMASK);
	btf_add_func(w, "Qdisc_ops__enqueue", STUB_PROTO, BTF_STATIC);
	btf_add_ref(w, BTF_PTR, NULL, INT);
}

static const struct btf *read_back(struct btf_writer *w, struct arena *arena)
{
	const struct btf *btf = NULL;
	struct text text = TEXT_INIT;

	btf_writer_finish(w, &text, NULL);
	struct bytes bytes = {arena_memdup(arena, text_str(&text), text.len), text.len};
	CHECK(!btf_read(arena, bytes, NULL, &btf, NULL));
	btf_writer_fini(w);
	text_fini(&text);
	return btf;
}

static const struct btf *kernel_of(const struct made_up *row, struct arena *arena)
{
	struct btf_writer w;

	btf_writer_init(&w, NULL, false);
	btf_add_int(&w, "int", 4, BTF_SIGNED);
	btf_add_int(&w, "__int128", 16, BTF_SIGNED);
	add_struct(&w, BTF_UNION, "thing", 8);
	add_struct(&w, BTF_STRUCT, "bpf_cpumask", 8);
	btf_add_ref(&w, BTF_PTR, NULL, CPUMASK);
	btf_add_fwd(&w, "missing", false);
	btf_add_ref(&w, BTF_PTR, NULL, MISSING);
	add_struct(&w, BTF_STRUCT, "bpf_iter_num", 4);
	btf_add_ref(&w, BTF_PTR, NULL, NUM);
	add_struct(&w, BTF_STRUCT,
		   row->want == REASON_PROG_TYPE_NOT_BUILT ? "bpf_ctx_convert" : "other",
		   4);
	btf_add_proto(&w, row->returns);
	for (u32 i = 0; i < MAX_PARAMS && row->params[i].name; i++)
		btf_put_param(&w, row->params[i].name, row->params[i].type);
	btf_add_func(&w, row->name, PROTO, BTF_STATIC);
	btf_add_ref(&w, BTF_TYPE_TAG, "user", CPUMASK);
	btf_add_ref(&w, BTF_PTR, NULL, USERS);
	btf_add_proto(&w, TO_CPUMASK);
	btf_add_func(&w, "bpf_cpumask_create", GIVES_PROTO, BTF_STATIC);
	btf_add_var(&w, "variable", MISSING, BTF_GLOBAL);
	btf_add_func(&w, "bpf_map_lookup_elem", PROTO, BTF_STATIC);
	btf_add_func(&w, "bpf_probe_read_kernel", PROTO, BTF_STATIC);
	add_struct_ops(&w);
	btf_add_section(&w, row->percpu ? ".data..percpu" : ".data", 8);
	btf_put_secvar(&w, VARIABLE, 0, 8);
	return read_back(&w, arena);
}

static const struct btf *program_of(struct arena *arena)
{
	struct btf_writer w;

	btf_writer_init(&w, NULL, false);
	btf_add_int(&w, "int", 4, BTF_SIGNED);
	btf_add_proto(&w, MAIN_INT);
	btf_add_func(&w, "main", MAIN_PROTO, BTF_STATIC);
	btf_add_fwd(&w, "missing", false);
	btf_add_ref(&w, BTF_PTR, NULL, MAIN_MISSING);
	btf_add_proto(&w, MAIN_INT);
	btf_put_param(&w, "something", TO_MAIN_MISSING);
	btf_add_func(&w, "f", F_PROTO, BTF_GLOBAL);
	btf_add_decl_tag(&w, "arg:untrusted", F, 0);
	add_struct(&w, BTF_STRUCT, "Qdisc_ops", 8);
	return read_back(&w, arena);
}

static bool tells_nothing(const struct target *target, const char *name)
{
	(void)target, (void)name;
	return false;
}

static int judge(const struct made_up *row, struct skep_diag *diag)
{
	struct arena arena = ARENA_INIT;
	const struct target target = {
		.version = row->version ? row->version : LINUX_DEFAULT,
		.btf = kernel_of(row, &arena),
		.tells_address = row->untold ? tells_nothing : NULL};
	const struct verify_opts opts = {.target = &target,
					 .struct_ops = row->struct_ops};
	const bool ops = row->type == BPF_PROG_TYPE_STRUCT_OPS;
	struct subprog subs[] = {
		{.name = "main", .n_insns = 3, .btf_id = MAIN},
		{.name = "f", .start = 3, .n_insns = 2, .btf_id = F, .global = true},
	};
	const struct extern_ref refs[] = {
		{.name = row->name,
		 .btf_id = row->referred ? row->referred : FUNC,
		 .kfunc = true,
		 .typed = true},
		{.name = "bpf_cpumask_create", .btf_id = GIVES, .kfunc = true},
	};
	const struct map_def map = {.name = "map",
				    .type = BPF_MAP_TYPE_ARRAY,
				    .key_size = 4,
				    .value_size = 8,
				    .max_entries = 1};
	const struct map_def ring = {
		.name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096};
	const struct map_def *const maps[] = {&map, &ring};
	struct asm_input in = {.text = {(const u8 *)row->text, strlen(row->text)}};
	struct verify_result result = {0};
	struct asm_unit unit;
	struct prog prog = {.name = "main",
			    .type = row->type,
			    .attach_type = row->attach_type,
			    .attach_target = ops                ? "enqueue"
					     : row->attach_type ? row->name
								: NULL,
			    .sleepable = row->type == BPF_PROG_TYPE_SYSCALL,
			    .maps = maps,
			    .n_maps = ARRAY_SIZE(maps),
			    .externs = refs,
			    .n_externs = ARRAY_SIZE(refs),
			    .btf = row->calls_f || ops ? program_of(&arena) : NULL,
			    .subprogs = subs,
			    .n_subprogs = row->calls_f ? ARRAY_SIZE(subs) : 0,
			    .gpl_compatible = true};
	int err = asm_parse(&in, &arena, &unit, diag);

	CHECK(!err);
	if (!err) {
		prog.insns = unit.funcs[0].insns;
		prog.n_insns = unit.funcs[0].n_insns;
		err = verify_prog(&prog, &opts, &result, diag);
	}
	verify_result_fini(&result);
	arena_fini(&arena);
	return err;
}

/* ---- many functions ---- */

enum { MANY = 257 };

static const struct btf *kernel_of_many(struct arena *arena)
{
	struct btf_writer w;
	char name[16];

	btf_writer_init(&w, NULL, false);
	btf_add_proto(&w, NOTHING);
	for (u32 i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		btf_add_func(&w, name, 1, BTF_STATIC);
	}
	return read_back(&w, arena);
}

/* Calls n functions of the kernel, one after the other. */
static int judge_calls(u32 n, struct skep_diag *diag)
{
	struct arena arena = ARENA_INIT;
	const struct target target = {.version = LINUX_DEFAULT,
				      .btf = kernel_of_many(&arena)};
	const struct verify_opts opts = {.target = &target};
	struct verify_result result = {0};
	struct extern_ref refs[MANY];
	struct insn insns[MANY + 2];
	struct prog prog = {.name = "main",
			    .type = BPF_PROG_TYPE_XDP,
			    .insns = insns,
			    .n_insns = n + 2,
			    .externs = refs,
			    .n_externs = n,
			    .gpl_compatible = true};
	int err;

	for (u32 i = 0; i < n; i++) {
		refs[i] = (struct extern_ref){
			.name = "f", .btf_id = 2 + i, .kfunc = true, .typed = true};
		insns[i] =
			(struct insn){.code = 0x85, .src_reg = CALL_KFUNC, .imm = (s32)i};
	}
	insns[n] = (struct insn){.code = 0xb7};
	insns[n + 1] = (struct insn){.code = 0x95};
	err = verify_prog(&prog, &opts, &result, diag);
	verify_result_fini(&result);
	arena_fini(&arena);
	return err;
}

static const struct {
	enum reason_id want;
	u32 n;
} calls[] = {
	{REASON_KFUNC_TOO_MANY, MANY},
	{REASON_KFUNC_FORBIDDEN, MANY - 1}, /* at most 256, whatever they are */
};

static void test_calls(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(calls); i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;

		CHECK(judge_calls(calls[i].n, &diag) && diag.id == (int)calls[i].want);
	}
}

int main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;
		int err = judge(&rows[i], &diag);

		CHECK(!err == (rows[i].want == REASON_NONE));
		if (err ? diag.id == (int)rows[i].want : rows[i].want == REASON_NONE)
			continue;
		fprintf(stderr, "wanted %s, got %s: %s\n",
			skep_diag_name((int)rows[i].want), skep_diag_name(diag.id),
			diag.text);
		CHECK(false);
	}
	test_calls();
	return check_report();
}
