/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pointers to the kernel's objects, and to the program's own, that are kept in maps and
 * objects: where they may be kept, and which.
 *
 * Soundness: what is read back from a field gets the field's type, so only pointers of
 * exactly that type may get in.  Never does: change the field.  Words:
 * Documentation/bpf/kfuncs.rst, bpf_kptr_xchg() of bpf-helpers(7).
 */
#include "verify/calls.h"
#include "verify/memory.h"
#include "verify/record.h"

int kptr_dest_check(struct env *env, u32 regno, struct call *call)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct record *rec = reg_record(env, reg);
	const struct record_field *field;
	s64 off;

	if (reg->kind == PTR_TO_MAP_VALUE) {
		if (!env->prog->btf || !reg->map->btf_value_id)
			return reject(env, KPTR_NO_BTF, reg->map->name);
		call->map = reg->map;
	}
	if (!scalar_is_const(&reg->var))
		return reject(env, KPTR_MOVES, regno);
	off = reg->off + (s64)reg->var.bits.value;
	field = rec && off >= 0 && off <= UINT32_MAX
			? record_find(rec, (u32)off, FIELD_KPTR)
			: NULL;
	if (!field)
		return reject(env, KPTR_NONE, regno, (long long)off);
	if (field->kind == FIELD_KPTR_UNREF)
		return reject(env, KPTR_NOT_REFERENCED, field->offset);
	call->field = field;
	return 0;
}

/* Which flags of the pointer the field can forget. */
static u32 forgettable(const struct env *env, const struct record_field *field,
		       const struct reg *reg)
{
	if (reg->btf == env->prog->btf)
		return field->kind == FIELD_KPTR_PERCPU ? MAYBE_NULL | ALLOCATED | PERCPU
							: MAYBE_NULL | ALLOCATED;
	return field->kind == FIELD_KPTR_UNREF ? MAYBE_NULL | TRUSTED | RCU | UNTRUSTED
					       : MAYBE_NULL | TRUSTED | RCU;
}

int kptr_match(struct env *env, const struct record_field *field, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];
	bool percpu = field->kind == FIELD_KPTR_PERCPU;
	int err;

	if (reg->kind != PTR_TO_BTF_ID)
		return reject(env, KPTR_MISMATCH, regno, reg_kind_phrase(reg->kind), "",
			      "?", btf_name(field->btf, field->btf_id));
	if (!(reg->flags & ~forgettable(env, field, reg)) &&
	    percpu == !!(reg->flags & PERCPU)) {
		err = need_fixed_pointer(env, regno, true);
		if (err)
			return err;
		/* What is referenced must be kept as what it is, not as its first member.
		 */
		if (types_match(env, reg->btf, reg->btf_id, reg->off, field->btf,
				field->btf_id, field->kind != FIELD_KPTR_UNREF))
			return 0;
	}
	return reject(env, KPTR_MISMATCH, regno, reg_kind_phrase(reg->kind),
		      reg->flags & MAYBE_NULL ? " or NULL" : "",
		      btf_name(reg->btf, reg->btf_id),
		      btf_name(field->btf, field->btf_id));
}
