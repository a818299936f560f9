/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 64-bit immediates: numbers, maps, values of maps, functions, variables of the kernel.
 *
 * All but numbers refer to tables of struct prog, as decode.c has checked.  The address
 * of something that exists is not known, and no verdict depends on it; that of a weak
 * symbol which does not exist is 0. Never does: read what a map or a variable holds.
 * More: transfer.h, prog.h, RFC 9669 5.4.
 */
#include "verify/transfer.h"

#include <assert.h>

#include "abi/abi.h"

/* ---- maps ---- */

static int load_map(struct env *env, const struct insn *insn)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];

	reg_set_pointer(dst, CONST_PTR_TO_MAP, 0);
	dst->map = env->prog->maps[insn->imm];
	return 0;
}

/* An array with one element is memory at a fixed address; so are arenas, whose addresses
 * are numbers until they are cast. */
static int load_map_value(struct env *env, const struct insn *insn)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	const struct map_def *map = env->prog->maps[insn->imm];

	if (map->type == MAP_TYPE_ARENA) {
		reg_set_unknown(dst);
		return 0;
	}
	reg_set_pointer(dst, PTR_TO_MAP_VALUE, 0);
	dst->map = map;
	dst->off = insn[1].imm;
	return 0;
}

/* ---- functions ---- */

static int load_func(struct env *env, const struct insn *insn)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	s64 start = (s64)env->pc + 1 + insn->imm;
	const struct subprog *func;
	u32 sub = env->aux[start].subprog;

	assert(env->subs[sub].start == start);
	func = &env->prog->subprogs[sub];
	if (!func->btf_id)
		return reject(env, FUNC_NO_INFO);
	if (func->global)
		return reject(env, FUNC_NOT_STATIC, func->name);
	if (!sub)
		return reject(env, FUNC_IS_MAIN);
	reg_set_pointer(dst, PTR_TO_FUNC, 0);
	dst->subprog = sub;
	return 0;
}

/* ---- variables and functions of the kernel ---- */

static bool is_percpu(const struct btf *btf, u32 var)
{
	u32 id = btf_find(btf, ".data..percpu", BTF_DATASEC);
	struct btf_type section;

	if (!id)
		return false;
	section = btf_type(btf, id);
	for (u32 i = 0; i < section.vlen; i++)
		if (btf_secvar(&section, i).type == var)
			return true;
	return false;
}

/* What a pointer to it is: decided once an instruction, as the search is long. */
static enum reg_kind variable_kind(const struct btf *btf, u32 var, u16 *flags)
{
	u32 type = btf_type(btf, var).type;
	enum btf_kind kind = btf_kind(btf, btf_resolve(btf, type));

	*flags = 0;
	if (is_percpu(btf, var)) {
		*flags = PERCPU;
		return PTR_TO_BTF_ID;
	}
	if (kind == BTF_STRUCT || kind == BTF_UNION)
		return PTR_TO_BTF_ID;
	*flags = RDONLY;
	return PTR_TO_MEM;
}

static int load_variable(struct env *env, const struct insn *insn,
			 const struct extern_ref *ref)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	struct insn_aux *aux = &env->aux[env->pc];
	u32 type = btf_type(env->kernel, ref->btf_id).type;
	s64 size;

	if (aux->ptr_kind == UNINIT)
		aux->ptr_kind = variable_kind(env->kernel, ref->btf_id, &aux->ptr_flags);
	reg_set_pointer(dst, aux->ptr_kind, aux->ptr_flags);
	if (aux->ptr_kind == PTR_TO_BTF_ID) {
		dst->btf = env->kernel;
		dst->btf_id = type;
		return 0;
	}
	size = btf_size(env->kernel, type);
	if (size < 0 || size > UINT32_MAX)
		return reject(env, KSYM_SIZE, ref->name);
	dst->mem_size = (u32)size;
	return 0;
}

/* Without a type it is a number: the address, of which it is known that it is not 0. */
static void load_address(struct reg *dst)
{
	reg_set_unknown(dst);
	dst->var.umin = 1;
}

static int load_extern(struct env *env, const struct insn *insn)
{
	struct reg *dst = &env_regs(env)[insn->dst_reg];
	const struct extern_ref *ref;
	enum btf_kind kind;

	if ((u32)insn->imm >= env->prog->n_externs)
		return reject(env, KSYM_UNKNOWN, "?");
	ref = &env->prog->externs[insn->imm];
	if (!ref->typed) {
		if (ref->weak && !ref->btf_id)
			reg_set_const(dst, 0);
		else
			load_address(dst);
		return 0;
	}
	if (!env->kernel)
		return unsupported(env,
				   "a variable of a kernel whose types are not known");
	if (!ref->btf_id && ref->weak) {
		reg_set_const(dst, 0);
		return 0;
	}
	if (ref->module)
		return unsupported(env, "a variable of a module of the kernel");
	kind = ref->btf_id ? btf_kind(env->kernel, ref->btf_id) : BTF_VOID;
	if (kind == BTF_VAR)
		return load_variable(env, insn, ref);
	if (kind != BTF_FUNC || !env->rules->func_addresses)
		return reject(env, KSYM_UNKNOWN, ref->name);
	reg_set_pointer(dst, PTR_TO_MEM, RDONLY); /* no byte of it can be read */
	return 0;
}

int transfer_lddw(struct env *env, const struct insn *insn)
{
	int err = need_writable(env, insn->dst_reg);

	if (err)
		return err;
	switch ((enum lddw_src)insn->src_reg) {
	case LDDW_IMM:
		reg_set_const(&env_regs(env)[insn->dst_reg], lddw_imm(insn));
		return 0;
	case LDDW_MAP_IDX: return load_map(env, insn);
	case LDDW_MAP_IDX_VALUE: return load_map_value(env, insn);
	case LDDW_FUNC: return load_func(env, insn);
	case LDDW_BTF_ID: return load_extern(env, insn);
	case LDDW_MAP_FD:
	case LDDW_MAP_VALUE:
	case LDDW_SRCS: break;
	}
	return reject(env, UNKNOWN_OPCODE, insn->code);
}
