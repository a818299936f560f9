/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program as the verifier needs it: which instruction each slot is, which functions
 * there are, whether all that instructions refer to exists.
 *
 * Functions are where main starts and where something is called or has its address taken,
 * as in Linux; where the program lists others it is listed anew.  Never does: follow the
 * control flow (cfg.c).  More: RFC 9669 4.3, 5.4.
 */
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "abi/insns.h"
#include "verify/explore.h"

enum { MAX_SUBPROGS = 256, ARENA_PAGE = 4096 };

static bool refers_to_function(const struct insn_aux *aux, const struct insn *insn)
{
	return (aux->op == OP_CALL && insn->src_reg == CALL_LOCAL) ||
	       (aux->op == OP_LDDW && insn->src_reg == LDDW_FUNC);
}

s64 referred_function(const struct env *env, u32 pc)
{
	const struct insn *insn = &env->insns[pc];

	return refers_to_function(&env->aux[pc], insn) ? (s64)pc + 1 + insn->imm : -1;
}

/* ---- what instructions refer to ---- */

static int check_map_value(struct env *env, u32 pc, const struct map_def *map)
{
	u32 off = (u32)env->insns[pc + 1].imm;
	u64 size = map->value_size;

	if (map->type == MAP_TYPE_ARENA)
		size = (u64)map->max_entries * ARENA_PAGE;
	else if (map->type != MAP_TYPE_ARRAY)
		return reject_at(env, (int)pc, NO_DIRECT_VALUE, map->name);
	else if (map->max_entries != 1)
		return reject_at(env, (int)pc, MAP_SEVERAL_VALUES, map->name);
	if (off >= MAX_VAR_OFF || off >= size)
		return reject_at(env, (int)pc, VALUE_OFFSET_OUTSIDE, off, map->name,
				 (unsigned long long)size);
	return 0;
}

static int check_map(struct env *env, u32 pc)
{
	const struct insn *insn = &env->insns[pc];
	bool value = insn->src_reg == LDDW_MAP_IDX_VALUE;

	if ((u32)insn->imm >= env->prog->n_maps)
		return reject_at(env, (int)pc, NO_SUCH_MAP, insn->imm);
	if (value)
		return check_map_value(env, pc, env->prog->maps[insn->imm]);
	return 0;
}

static int check_extern(struct env *env, u32 pc)
{
	u32 i = (u32)env->insns[pc].imm;
	const struct extern_ref *ref;
	const char *name;

	if (i >= env->prog->n_externs)
		return reject_at(env, (int)pc, NO_SUCH_EXTERN, env->insns[pc].imm);
	ref = &env->prog->externs[i];
	if (!ref->typed || !env->target->tells_address || ref->module ||
	    btf_kind(env->kernel, ref->btf_id) != BTF_VAR)
		return 0;
	name = btf_name(env->kernel, ref->btf_id); /* the program may call it otherwise */
	if (!env->target->tells_address(env->target, name))
		return reject_at(env, (int)pc, KSYM_NO_ADDRESS, name);
	return 0;
}

static int check_lddw(struct env *env, u32 pc)
{
	const struct insn *insn = &env->insns[pc];

	switch ((enum lddw_src)insn->src_reg) {
	case LDDW_IMM:
	case LDDW_FUNC: return 0;
	case LDDW_MAP_IDX:
	case LDDW_MAP_IDX_VALUE: return check_map(env, pc);
	case LDDW_BTF_ID: return check_extern(env, pc);
	case LDDW_MAP_FD:
	case LDDW_MAP_VALUE: return reject_at(env, (int)pc, NO_SUCH_MAP, insn->imm);
	case LDDW_SRCS: break;
	}
	return reject_at(env, (int)pc, UNKNOWN_OPCODE, insn->code);
}

static int check_call(struct env *env, u32 pc)
{
	const struct insn *insn = &env->insns[pc];

	if (insn->src_reg == CALL_HELPER)
		return 0;
	if (!env->privileged)
		return reject_at(env, (int)pc, CALLS_NEED_PRIVILEGES);
	if (insn->src_reg == CALL_KFUNC && (u32)insn->imm >= env->prog->n_externs)
		return reject_at(env, (int)pc, NO_SUCH_EXTERN, insn->imm);
	return 0;
}

/* Instructions that the target does not have yet, also where nothing leads to. */
static int check_age(struct env *env, u32 pc)
{
	u32 since = abi_insn_since(env->aux[pc].op);

	if (since <= env->rules->version || since == 0xffffffff)
		return 0;
	return reject_at(env, (int)pc, INSN_TOO_NEW, since >> 16, since >> 8 & 0xff);
}

static void set_op(struct insn_aux *aux, enum op op)
{
	aux->op = (u8)op;
	aux->info = op_info(op);
}

static int decode_all(struct env *env)
{
	for (u32 pc = 0; pc < env->n_insns; pc++) {
		struct insn_aux *aux = &env->aux[pc];
		int err = 0;

		set_op(aux, decode(&env->insns[pc]));
		if (env->rules->version < ABI_LINUX(6, 18))
			err = check_age(env, pc);
		if (!err && aux->op == OP_CALL)
			err = check_call(env, pc);
		if (!err && aux->op == OP_LDDW)
			err = check_lddw(env, pc);
		if (!err && refers_to_function(aux, &env->insns[pc]) && !env->privileged)
			err = reject_at(env, (int)pc, CALLS_NEED_PRIVILEGES);
		if (err)
			return err;
		if (aux->op == OP_LDDW)
			set_op(&env->aux[++pc], OP_INVALID);
	}
	return 0;
}

/* ---- the exception callback ---- */

/* The text after "exception_callback:" of the tag of main; NULL: there is none. */
static int exception_tag(struct env *env, u32 main_id, const char **name)
{
	static const char prefix[] = "exception_callback:";
	const struct btf *btf = env->prog->btf;
	u32 cursor = 0, tag;

	*name = NULL;
	while ((tag = btf_next_tag(btf, main_id, &cursor))) {
		struct btf_type t = btf_type(btf, tag);

		if (btf_component(&t) != -1 ||
		    strncmp(t.name, prefix, sizeof(prefix) - 1) != 0)
			continue;
		if (*name)
			return reject_at(env, NO_PC, TWO_EXCEPTION_CALLBACKS);
		*name = t.name + sizeof(prefix) - 1;
	}
	return 0;
}

/* Where the function starts that BTF names as exception callback; 0: none is named. */
static int exception_start(struct env *env, u32 *start)
{
	const struct prog *prog = env->prog;
	const char *name;
	struct btf_type t;
	u32 id;
	int err;

	*start = 0;
	if (!env->rules->exceptions)
		return 0;
	if (!prog->btf || !prog->n_subprogs || !prog->subprogs[0].btf_id)
		return 0;
	err = exception_tag(env, prog->subprogs[0].btf_id, &name);
	if (err || !name)
		return err;
	id = btf_find(prog->btf, name, BTF_FUNC);
	if (!id)
		return reject_at(env, NO_PC, NO_EXCEPTION_CALLBACK, name);
	t = btf_type(prog->btf, id);
	if (btf_linkage(&t) != BTF_GLOBAL)
		return reject_at(env, NO_PC, EXCEPTION_CALLBACK_STATIC, name);
	for (u32 i = 1; i < prog->n_subprogs; i++) {
		if (prog->subprogs[i].btf_id == id)
			*start = prog->subprogs[i].start;
	}
	if (!*start)
		return reject_at(env, NO_PC, NO_EXCEPTION_CALLBACK, name);
	return 0;
}

/* ---- functions ---- */

static bool has_func_info(const struct prog *prog)
{
	for (u32 i = 0; i < prog->n_subprogs; i++) {
		if (!prog->subprogs[i].btf_id)
			return false;
	}
	return prog->n_subprogs > 0;
}

static bool known_name(const struct prog *prog, u32 start, struct subprog *sub)
{
	for (u32 i = 0; i < prog->n_subprogs; i++) {
		if (prog->subprogs[i].start == start) {
			*sub = prog->subprogs[i];
			return true;
		}
	}
	return false;
}

static int fill_subprog(struct env *env, struct subprog *sub, u32 start, u32 end)
{
	if (!known_name(env->prog, start, sub)) {
		if (has_func_info(env->prog))
			return reject_at(env, NO_PC, FUNC_INFO_MISMATCH);
		sub->name = arena_printf(&env->arena, "func_%u", start);
		sub->btf_id = 0;
		if (!sub->name)
			return env_no_memory(env);
	}
	sub->start = start;
	sub->n_insns = end - start;
	return 0;
}

/* The functions that the code has, where they are not those that the program lists: as it
 * would be had it listed them.  Only without func_info, which Linux wants to fit. */
static int relist(struct env *env, const u8 *starts, u32 n)
{
	struct prog *prog = arena_memdup(&env->arena, env->prog, sizeof(*prog));
	struct subprog *subs = arena_array(&env->arena, n, sizeof(*subs));
	u32 end = env->n_insns, k = n;
	int err;

	if (!prog || !subs)
		return env_no_memory(env);
	for (u32 pc = env->n_insns; pc-- > 0;) {
		if (!starts[pc])
			continue;
		err = fill_subprog(env, &subs[--k], pc, end);
		if (err)
			return err;
		end = pc;
	}
	prog->subprogs = subs;
	prog->n_subprogs = n;
	env->prog = prog;
	return 0;
}

static bool listed_right(const struct prog *prog, const u8 *starts, u32 n)
{
	u32 end = 0;

	if (prog->n_subprogs != n)
		return false;
	for (u32 i = 0; i < n; i++) {
		const struct subprog *sub = &prog->subprogs[i];

		if (sub->start != end || sub->start >= prog->n_insns ||
		    !starts[sub->start] || sub->n_insns > prog->n_insns - sub->start)
			return false;
		end += sub->n_insns;
	}
	return end == prog->n_insns;
}

static u32 mark_starts(struct env *env, u8 *starts, u32 exception)
{
	u32 n = 0;

	starts[0] = 1;
	starts[exception] = 1;
	for (u32 pc = 0; pc < env->n_insns; pc++) {
		s64 to = referred_function(env, pc);

		if (to >= 0 && to < env->n_insns)
			starts[to] = 1;
	}
	for (u32 pc = 0; pc < env->n_insns; pc++)
		n += starts[pc];
	return n;
}

static int list_functions(struct env *env)
{
	u8 *starts = arena_alloc(&env->arena, env->n_insns);
	u32 exception, n;
	int err;

	if (!starts)
		return env_no_memory(env);
	err = exception_start(env, &exception);
	if (err)
		return err;
	if (exception >= env->n_insns)
		return reject_at(env, NO_PC, FUNC_INFO_MISMATCH);
	n = mark_starts(env, starts, exception);
	if (n > MAX_SUBPROGS)
		return reject_at(env, NO_PC, TOO_MANY_FUNCTIONS, MAX_SUBPROGS);
	if (!listed_right(env->prog, starts, n)) {
		if (has_func_info(env->prog) && env->prog->n_subprogs != n)
			return reject_at(env, NO_PC, FUNC_INFO_MISMATCH);
		err = relist(env, starts, n);
		if (err)
			return err;
	}
	for (u32 i = 1; i < n && exception; i++) {
		if (env->prog->subprogs[i].start == exception)
			env->exception_sub = i;
	}
	return 0;
}

/* ---- what functions hold ---- */

static void look_into(struct env *env, struct sub_info *sub, u32 pc)
{
	const struct insn *insn = &env->insns[pc];
	enum { TAIL_CALL = 12 };
	enum op op = env->aux[pc].op;
	u8 kind = op_info(op)->kind;

	if (op == OP_CALL && insn->src_reg == CALL_HELPER && insn->imm == TAIL_CALL)
		sub->has_tail_call = true;
	if (kind == KIND_LD_ABS || kind == KIND_LD_IND)
		sub->has_ld_abs = true;
	if (op == OP_EXIT)
		sub->exit_pc = pc;
}

static bool may_end_function(enum op op)
{
	return op == OP_EXIT || op_info(op)->kind == KIND_JA;
}

static int check_jump(struct env *env, const struct sub_info *sub, u32 pc)
{
	u8 kind = env->aux[pc].info->kind;
	s64 to = jump_target(&env->insns[pc], pc);

	if (kind != KIND_JMP && kind != KIND_JA && kind != KIND_MAY_GOTO)
		return 0;
	if (to < sub->start || to >= sub->end)
		return reject_at(env, (int)pc, JUMP_LEAVES_FUNCTION, (long long)to);
	return 0;
}

static int fill_sub(struct env *env, u32 no)
{
	const struct subprog *subprog = &env->prog->subprogs[no];
	struct sub_info *sub = &env->subs[no];
	u32 last = subprog->start;

	sub->start = subprog->start;
	sub->end = subprog->start + subprog->n_insns;
	sub->exit_pc = sub->end - 1;
	for (u32 pc = sub->start; pc < sub->end; pc++) {
		int err = check_jump(env, sub, pc);

		if (err)
			return err;
		env->aux[pc].subprog = no;
		look_into(env, sub, pc);
		last = pc;
		if (env->aux[pc].op == OP_LDDW && pc + 1 < sub->end)
			env->aux[++pc].subprog = no;
	}
	if (!may_end_function(env->aux[last].op))
		return reject_at(env, (int)last, FALLS_OFF_FUNCTION, subprog->name);
	return 0;
}

static int fill_subs(struct env *env)
{
	env->n_subs = env->prog->n_subprogs;
	env->subs = arena_array(&env->arena, env->n_subs, sizeof(*env->subs));
	if (!env->subs)
		return env_no_memory(env);
	for (u32 i = 0; i < env->n_subs; i++) {
		int err = fill_sub(env, i);

		if (err)
			return err;
	}
	if (env->exception_sub) {
		struct sub_info *sub = &env->subs[env->exception_sub];

		sub->is_callback = sub->is_async_callback = true;
		sub->is_exception_callback = true;
	}
	return 0;
}

int cfg_decode(struct env *env)
{
	int err;

	if (env->aux)
		return 0;
	err = insns_check(env->insns, env->n_insns, env->diag);
	if (err)
		return err;
	env->aux = arena_array(&env->arena, env->n_insns, sizeof(*env->aux));
	if (!env->aux)
		return env_no_memory(env);
	err = decode_all(env);
	err = err ? err : list_functions(env);
	return err ? err : fill_subs(env);
}
