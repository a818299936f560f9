/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What helpers and kfuncs do to the memory that an argument points to.
 *
 * A region is a pointer and a size, a constant of the prototype or the most that a
 * register can hold.  Never does: know which helper asks, or write anything but what a
 * helper may write.
 * More: memory.h; bpf-helpers(7); Documentation/bpf/kfuncs.rst of the kernel.
 */
#include "abi/abi.h"
#include "verify/memory.h"

static int refuse_region(struct env *env, const struct region_use *use)
{
	const struct reg *reg = &env_regs(env)[use->reg];

	if (!use->size && use->zero_size_ok && reg_is_null(reg))
		return 0;
	if (reg->flags & MAYBE_NULL)
		return reject(env, ACCESS_MAYBE_NULL, (int)use->reg);
	return reject(env, REGION_KIND, (int)use->reg, reg_kind_phrase(reg->kind));
}

static int read_only(struct env *env, const struct region_use *use)
{
	const struct reg *reg = &env_regs(env)[use->reg];

	if (use->type == ACCESS_READ || !(reg->flags & RDONLY))
		return 0;
	return reject(env, READ_ONLY_MEMORY, (int)use->reg, reg_kind_word(reg->kind));
}

static int map_region(struct env *env, const struct region_use *use)
{
	const struct reg *reg = &env_regs(env)[use->reg];

	if (use->type == ACCESS_WRITE && !map_prog_writes(reg->map))
		return reject(env, MAP_WRITE_FORBIDDEN, reg->map->name);
	if (use->type == ACCESS_READ && !map_prog_reads(reg->map))
		return reject(env, MAP_READ_FORBIDDEN, reg->map->name);
	return map_region_check(env, use->reg, reg->off, use->size, use->zero_size_ok,
				true);
}

static int key_region(struct env *env, const struct region_use *use)
{
	const struct reg *reg = &env_regs(env)[use->reg];
	struct span span = {use->reg, reg->off, use->size, reg->map->key_size, false};

	if (use->type == ACCESS_WRITE)
		return reject(env, MAP_KEY_WRITE, (int)use->reg);
	return span_check(env, &span);
}

static int mem_region(struct env *env, const struct region_use *use)
{
	const struct reg *reg = &env_regs(env)[use->reg];
	struct span span = {use->reg, reg->off, use->size, reg->mem_size,
			    use->zero_size_ok};
	int err = read_only(env, use);

	return err ? err : span_check(env, &span);
}

/* How much there is of a buffer is asked when the program is attached. */
static int buf_region(struct env *env, const struct region_use *use)
{
	const struct reg *reg = &env_regs(env)[use->reg];
	int err = read_only(env, use);

	if (err)
		return err;
	if (reg->off < 0)
		return reject(env, NEGATIVE_POINTER, (int)use->reg,
			      reg_kind_word(reg->kind), (long long)reg->off);
	if (!scalar_is_const(&reg->var))
		return reject(env, VARIABLE_POINTER, (int)use->reg,
			      reg_kind_word(reg->kind));
	return 0;
}

/* A helper only reads a kernel's struct, whatever it may do with other memory. */
static int btf_region(struct env *env, const struct region_use *use)
{
	struct access access = {
		.reg = use->reg,
		.size = use->size,
		.type = ACCESS_READ,
		.value = -1,
	};

	return btf_access(env, &access);
}

/* Contexts that the kernel does not rewrite are plain memory, as long as accesses are to
 * known offsets. */
static bool ctx_is_memory(u32 prog_type)
{
	switch (prog_type) {
	case PROG_TYPE_KPROBE:
	case PROG_TYPE_TRACEPOINT:
	case PROG_TYPE_RAW_TRACEPOINT:
	case PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case PROG_TYPE_TRACING:
	case PROG_TYPE_LSM:
	case PROG_TYPE_STRUCT_OPS:
	case PROG_TYPE_SYSCALL:
	case PROG_TYPE_CGROUP_DEVICE:
	case PROG_TYPE_LIRC_MODE2:
	case PROG_TYPE_NETFILTER: return true;
	}
	return false;
}

static int ctx_region(struct env *env, const struct region_use *use)
{
	struct access last = {
		.reg = use->reg,
		.off = (s32)use->size - 1,
		.size = 1,
		.type = use->type,
		.value = -1,
	};

	if (!ctx_is_memory(env->prog_type))
		return refuse_region(env, use);
	if (!use->size)
		return use->zero_size_ok ? 0 : reject(env, REGION_ZERO, (int)use->reg);
	return access_check(env, &last);
}

static int region_by_kind(struct env *env, struct region_use *use)
{
	const struct reg *reg = &env_regs(env)[use->reg];

	switch ((enum reg_kind)reg->kind) {
	case PTR_TO_STACK: return stack_region_check(env, use);
	case PTR_TO_MAP_VALUE: return map_region(env, use);
	case PTR_TO_MAP_KEY: return key_region(env, use);
	case PTR_TO_MEM: return mem_region(env, use);
	case PTR_TO_BUF: return buf_region(env, use);
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
		return packet_region_check(env, use->reg, reg->off, use->size,
					   use->zero_size_ok);
	case PTR_TO_BTF_ID: return btf_region(env, use);
	case PTR_TO_CTX: return ctx_region(env, use);
	case UNINIT:
	case SCALAR:
	case CONST_PTR_TO_MAP:
	case PTR_TO_PACKET_END:
	case PTR_TO_FLOW_KEYS:
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_TP_BUFFER:
	case PTR_TO_XDP_SOCK:
	case PTR_TO_ARENA:
	case PTR_TO_FUNC:
	case CONST_PTR_TO_DYNPTR:
	case REG_KINDS: break;
	}
	return refuse_region(env, use);
}

/* What a read and what a write demand, one after the other where it is both. */
static int region_both(struct env *env, struct region_use *use)
{
	u32 type = use->type;
	int err = 0;

	if (type & ACCESS_READ) {
		use->type = ACCESS_READ;
		err = region_by_kind(env, use);
	}
	if (!err && type & ACCESS_WRITE) {
		use->type = ACCESS_WRITE;
		err = region_by_kind(env, use);
	}
	use->type = type;
	return err;
}

int region_check(struct env *env, struct region_use *use)
{
	struct reg *reg = &env_regs(env)[use->reg];
	u16 flags = reg->flags;
	int err;

	use->is_raw_stack = false;
	if (!(flags & MAYBE_NULL))
		return region_both(env, use);
	/* A kfunc that takes NULL must be able to take the memory, too. */
	if (!use->for_kfunc)
		return refuse_region(env, use);
	reg->flags &= (u16)~MAYBE_NULL;
	err = region_both(env, use);
	reg->flags = flags;
	return err;
}

int region_check_reg(struct env *env, struct region_use *use, u32 size_reg)
{
	const struct reg *size = &env_regs(env)[size_reg];
	int err;

	use->is_raw_stack = false;
	/* A helper that fills only part would leave the rest uninitialised. */
	if (!scalar_is_const(&size->var))
		use->raw = false;
	if (size->var.smin < 0)
		return reject(env, SIZE_NEGATIVE, (int)size_reg);
	if (!size->var.umin && !use->zero_size_ok)
		return reject(env, SIZE_ZERO, (int)size_reg);
	if (size->var.umax >= MAX_VAR_OFF)
		return reject(env, SIZE_UNBOUNDED, (int)size_reg);
	use->size = (u32)size->var.umax;
	err = region_check(env, use);
	return err ? err : env_need_precise(env, size_reg);
}

int region_check_sized(struct env *env, u32 mem_reg, u32 size_reg, enum access_type type,
		       bool zero_size_ok, bool raw, bool for_kfunc)
{
	struct region_use use = {
		.reg = mem_reg,
		.type = type,
		.zero_size_ok = zero_size_ok,
		.raw = raw,
		.for_kfunc = for_kfunc,
	};

	return region_check_reg(env, &use, size_reg);
}
