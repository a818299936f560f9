/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An argument of a helper: which kinds of pointers are taken for it, at which offset, and
 * what the constants are that some point to.
 *
 * One list of kinds for each base of enum abi_arg, flags folded where they make no
 * difference.  Kfuncs and global functions ask here, too.  Never does: look at the memory
 * behind a pointer (memory_region.c).  Words: struct bpf_func_proto, "enum bpf_arg_type".
 */
#include <assert.h>
#include <linux/bpf.h>
#include <string.h>

#include "verify/calls.h"
#include "verify/memory.h"
#include "verify/record.h"

/* ---- the kind of pointer that an argument takes ---- */

/* A kind with its flags, as one number; 0 (UNINIT) ends a list. */
#define KIND(kind, flags) ((u32)(kind) | (u32)(flags) << 8)

static const u32 mem_kinds[] = {
	PTR_TO_STACK,
	PTR_TO_PACKET,
	PTR_TO_PACKET_META,
	PTR_TO_MAP_KEY,
	PTR_TO_MAP_VALUE,
	PTR_TO_MEM,
	KIND(PTR_TO_MEM, RINGBUF),
	PTR_TO_BUF,
	KIND(PTR_TO_BTF_ID, TRUSTED),
	0,
};
/* Of keys and values, before any memory could hold them. */
static const u32 old_key_kinds[] = {PTR_TO_STACK,   PTR_TO_PACKET,    PTR_TO_PACKET_META,
				    PTR_TO_MAP_KEY, PTR_TO_MAP_VALUE, 0};
static const u32 sock_kinds[] = {PTR_TO_SOCK_COMMON, PTR_TO_SOCKET, PTR_TO_TCP_SOCK,
				 PTR_TO_XDP_SOCK, 0};
static const u32 btf_sock_kinds[] = {
	PTR_TO_SOCK_COMMON,
	PTR_TO_SOCKET,
	PTR_TO_TCP_SOCK,
	PTR_TO_XDP_SOCK,
	PTR_TO_BTF_ID,
	KIND(PTR_TO_BTF_ID, TRUSTED),
	0,
};
static const u32 btf_kinds[] = {PTR_TO_BTF_ID, KIND(PTR_TO_BTF_ID, TRUSTED),
				KIND(PTR_TO_BTF_ID, RCU), 0};
static const u32 percpu_kinds[] = {
	KIND(PTR_TO_BTF_ID, PERCPU),
	KIND(PTR_TO_BTF_ID, PERCPU | RCU),
	KIND(PTR_TO_BTF_ID, PERCPU | TRUSTED),
	0,
};
static const u32 lock_kinds[] = {PTR_TO_MAP_VALUE, KIND(PTR_TO_BTF_ID, ALLOCATED), 0};
static const u32 kptr_dest_kinds[] = {
	PTR_TO_MAP_VALUE,
	KIND(PTR_TO_BTF_ID, ALLOCATED),
	KIND(PTR_TO_BTF_ID, ALLOCATED | NON_OWN_REF),
	KIND(PTR_TO_BTF_ID, ALLOCATED | NON_OWN_REF | RCU),
	0,
};
static const u32 dynptr_kinds[] = {PTR_TO_STACK, CONST_PTR_TO_DYNPTR, 0};
static const u32 scalar_kinds[] = {SCALAR, 0};
static const u32 map_kinds[] = {CONST_PTR_TO_MAP, 0};
static const u32 ctx_kinds[] = {PTR_TO_CTX, 0};
static const u32 socket_kinds[] = {PTR_TO_SOCKET, 0};
static const u32 ringbuf_kinds[] = {KIND(PTR_TO_MEM, RINGBUF), 0};
static const u32 func_kinds[] = {PTR_TO_FUNC, 0};
static const u32 stack_kinds[] = {PTR_TO_STACK, 0};
static const u32 value_kinds[] = {PTR_TO_MAP_VALUE, 0};

/* What each base of enum abi_arg takes, and how to say it. */
static const struct {
	const u32 *kinds;
	const char *text;
} arg_kinds[] = {
	[ARG_CONST_MAP_PTR] = {map_kinds, "a map"},
	[ARG_PTR_TO_MAP_KEY] = {mem_kinds, "a pointer to memory that holds a key"},
	[ARG_PTR_TO_MAP_VALUE] = {mem_kinds, "a pointer to memory that holds a value"},
	[ARG_PTR_TO_MEM] = {mem_kinds, "a pointer to memory"},
	[ARG_CONST_SIZE] = {scalar_kinds, "a number of bytes"},
	[ARG_CONST_SIZE_OR_ZERO] = {scalar_kinds, "a number of bytes"},
	[ARG_PTR_TO_CTX] = {ctx_kinds, "the context"},
	[ARG_PTR_TO_SPIN_LOCK] = {lock_kinds, "a bpf_spin_lock"},
	[ARG_PTR_TO_SOCK_COMMON] = {sock_kinds, "a socket"},
	[ARG_PTR_TO_SOCKET] = {socket_kinds, "a full socket"},
	[ARG_PTR_TO_BTF_ID] = {btf_kinds, "a pointer to a struct of the kernel"},
	[ARG_PTR_TO_RINGBUF_MEM] = {ringbuf_kinds, "a record of a ring buffer"},
	[ARG_CONST_ALLOC_SIZE_OR_ZERO] = {scalar_kinds, "a constant size"},
	[ARG_PTR_TO_BTF_ID_SOCK_COMMON] = {btf_sock_kinds, "a socket"},
	[ARG_PTR_TO_PERCPU_BTF_ID] = {percpu_kinds, "a per-CPU variable"},
	[ARG_PTR_TO_FUNC] = {func_kinds, "a function of the program"},
	[ARG_PTR_TO_STACK] = {stack_kinds, "a pointer to the stack"},
	[ARG_PTR_TO_CONST_STR] = {value_kinds, "a constant string"},
	[ARG_PTR_TO_TIMER] = {value_kinds, "a bpf_timer in a map's value"},
	[ARG_KPTR_XCHG_DEST] = {kptr_dest_kinds, "a place for a kptr"},
	[ARG_PTR_TO_DYNPTR] = {dynptr_kinds, "a dynptr"},
};

static const char *callee_name(const struct call *call)
{
	return call->helper ? call->helper->full_name : "the function";
}

static const char *null_text(const struct reg *reg)
{
	return reg->flags & MAYBE_NULL ? " or NULL" : "";
}

static bool has_kind(const u32 *kinds, u32 kind)
{
	for (; *kinds; kinds++) {
		if (*kinds == kind)
			return true;
	}
	return false;
}

/* The flags that make no difference to this argument folded away. */
static u32 folded_kind(const struct reg *reg, u32 regno, u32 arg, const struct call *call)
{
	u32 flags = reg->flags;

	if (arg & MEM_RDONLY)
		flags &= ~(u32)RDONLY;
	if (arg & PTR_MAYBE_NULL)
		flags &= ~(u32)MAYBE_NULL;
	if ((arg & ABI_BASE) == ARG_PTR_TO_MEM)
		flags &= ~(u32)(PACKET_SLICE | OTHER_SLICE);
	/* What is exchanged may be an object of the program's own. */
	if (call->func == BPF_FUNC_kptr_xchg && regno == R2 && flags & ALLOCATED)
		flags &= ~(u32)(ALLOCATED | PERCPU);
	return KIND(reg->kind, flags);
}

u32 kernel_struct(struct env *env, u32 which)
{
	const char *name = abi_btf_struct(ABI_PARAM(which));
	u32 *kept = &env->abi_structs[which];

	assert(which < ARRAY_SIZE(env->abi_structs) && name);
	if (!*kept && env->kernel)
		*kept = btf_find(env->kernel, name, BTF_STRUCT) + 1;
	if (*kept > 1)
		return *kept - 1;
	(void)unsupported(env, "the target's types have no struct that a helper needs");
	return 0;
}

/* A pointer to a struct of the kernel, in its plain forms. */
static int struct_check(struct env *env, u32 regno, u32 arg, u32 btf_id,
			const struct call *call)
{
	const struct reg *reg = &env_regs(env)[regno];
	/* Sockets of every type start with a struct sock_common. */
	bool strict = arg & OBJ_RELEASE && call->func != BPF_FUNC_sk_release;
	int err;

	if (reg->flags & MAYBE_NULL && (!(arg & PTR_MAYBE_NULL) || arg & OBJ_RELEASE))
		return reject(env, ARG_MAYBE_NULL, regno, callee_name(call));
	if (call->func == BPF_FUNC_kptr_xchg)
		return kptr_match(env, call->field, regno);
	if (!btf_id) {
		btf_id = kernel_struct(env, (arg & ABI_BASE) == ARG_PTR_TO_BTF_ID
						    ? arg >> 24
						    : ABI_STRUCT_sock_common);
		if (!btf_id)
			return -ENOTSUP;
	}
	err = need_fixed_pointer(env, regno, true);
	if (err)
		return err;
	if (types_match(env, reg->btf, reg->btf_id, reg->off, env->kernel, btf_id,
			strict))
		return 0;
	return reject(env, ARG_OTHER_STRUCT, regno, btf_name(reg->btf, reg->btf_id),
		      callee_name(call), btf_name(env->kernel, btf_id));
}

static int btf_pointer_check(struct env *env, u32 regno, u32 arg, u32 btf_id,
			     const struct call *call)
{
	const struct reg *reg = &env_regs(env)[regno];

	switch (reg->flags) {
	case 0:
	case TRUSTED:
	case TRUSTED | MAYBE_NULL:
	case RCU:
	case MAYBE_NULL:
	case MAYBE_NULL | RCU: return struct_check(env, regno, arg, btf_id, call);
	case ALLOCATED:
	case ALLOCATED | PERCPU:
	case ALLOCATED | NON_OWN_REF:
	case ALLOCATED | NON_OWN_REF | RCU:
		if (call->func == BPF_FUNC_kptr_xchg)
			return regno == R2 ? kptr_match(env, call->field, regno) : 0;
		if (call->func == BPF_FUNC_spin_lock ||
		    call->func == BPF_FUNC_spin_unlock)
			return 0;
		break;
	case PERCPU:
	case PERCPU | RCU:
	case PERCPU | TRUSTED: return 0;
	default: break;
	}
	return reject(env, ARG_KIND, regno, reg_kind_phrase(reg->kind), null_text(reg),
		      callee_name(call), arg_kinds[arg & ABI_BASE].text);
}

static const u32 *kinds_of(const struct env *env, u32 base)
{
	if (!env->rules->keys_in_memory &&
	    (base == ARG_PTR_TO_MAP_KEY || base == ARG_PTR_TO_MAP_VALUE))
		return old_key_kinds;
	return arg_kinds[base].kinds;
}

int arg_kind_check(struct env *env, u32 regno, u32 arg, u32 btf_id,
		   const struct call *call)
{
	const struct reg *reg = &env_regs(env)[regno];
	u32 base = arg & ABI_BASE;

	assert(base < ARRAY_SIZE(arg_kinds) && arg_kinds[base].kinds);
	if (!has_kind(kinds_of(env, base), folded_kind(reg, regno, arg, call)))
		return reject(env, ARG_KIND, regno, reg_kind_phrase(reg->kind),
			      null_text(reg), callee_name(call), arg_kinds[base].text);
	if (reg->kind != PTR_TO_BTF_ID)
		return 0;
	if (arg_kinds[base].kinds != mem_kinds)
		return btf_pointer_check(env, regno, arg, btf_id, call);
	if (!(arg & MEM_RDONLY))
		return reject(env, ARG_KERNEL_MEMORY_WRITTEN, callee_name(call), regno);
	return 0;
}

int arg_offset_check(struct env *env, u32 regno, u32 arg)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (arg & OBJ_RELEASE) {
		/* A dynptr on the stack stands for the object, wherever it lies. */
		if ((arg & ABI_BASE) == ARG_PTR_TO_DYNPTR &&
		    KIND(reg->kind, reg->flags) == PTR_TO_STACK)
			return 0;
		if (reg->off)
			return reject(env, RELEASE_MOVED, regno);
		return need_fixed_pointer(env, regno, false);
	}
	switch (KIND(reg->kind, reg->flags)) {
	case PTR_TO_STACK:
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META:
	case PTR_TO_MAP_KEY:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MEM:
	case KIND(PTR_TO_MEM, RDONLY):
	case KIND(PTR_TO_MEM, RINGBUF):
	case PTR_TO_BUF:
	case KIND(PTR_TO_BUF, RDONLY):
	case PTR_TO_ARENA:
	case SCALAR: return 0;
	case PTR_TO_BTF_ID:
	case KIND(PTR_TO_BTF_ID, ALLOCATED):
	case KIND(PTR_TO_BTF_ID, TRUSTED):
	case KIND(PTR_TO_BTF_ID, RCU):
	case KIND(PTR_TO_BTF_ID, ALLOCATED | NON_OWN_REF):
	case KIND(PTR_TO_BTF_ID, ALLOCATED | NON_OWN_REF | RCU):
		return need_fixed_pointer(env, regno, true);
	default: return need_fixed_pointer(env, regno, false);
	}
}

/* ---- constants that arguments point to ---- */

int const_str_check(struct env *env, u32 regno, struct const_str *str)
{
	static const char empty[] = "";
	const struct reg *reg = &env_regs(env)[regno];
	const struct map_def *map = reg->map;
	u64 at = (u64)reg->off + reg->var.bits.value;
	int err;

	if (reg->kind != PTR_TO_MAP_VALUE || reg->flags & MAYBE_NULL)
		return reject(env, STRING_NOT_CONSTANT, regno);
	if (!map_is_constant(map) || map->type != MAP_TYPE_ARRAY || map->max_entries != 1)
		return reject(env, STRING_NOT_CONSTANT, regno);
	if (!scalar_is_const(&reg->var))
		return reject(env, STRING_MOVES, regno);
	if (reg->off < 0 || at >= map->value_size)
		return reject(env, STRING_ENDLESS, regno);
	err = map_region_check(env, regno, reg->off, map->value_size - (u32)reg->off,
			       false, true);
	if (err)
		return err;
	if (!map->data || at >= map->data_size) {
		str->text = empty; /* zeroes */
		return 0;
	}
	str->text = (const char *)map->data + at;
	if (map->data_size < map->value_size || memchr(str->text, 0, map->data_size - at))
		return 0;
	return reject(env, STRING_ENDLESS, regno);
}

/* How many bytes from the start-th of the slot on are of that type. */
static u32 run_of(const struct slot *slot, u32 start, enum slot_type type)
{
	u32 n = 0;

	while (start + n < 8 && slot->type[start + n] == type)
		n++;
	return n;
}

int const_key_read(struct env *env, const struct reg *key, u32 size, s64 *value)
{
	const struct frame *frame;
	const struct slot *slot;
	s64 off;
	u32 no, byte;

	*value = -1;
	if (!env->privileged || KIND(key->kind, key->flags) != PTR_TO_STACK ||
	    !scalar_is_const(&key->var))
		return 0;
	frame = env->cur->frames[key->frame];
	off = key->off + (s64)key->var.bits.value;
	if (off >= 0 || off < -STACK_BYTES)
		return 0;
	no = slot_of((s32)off);
	byte = 7 - (u32)(-off - 1) % 8;
	if (no >= frame->n_slots)
		return 0;
	slot = &frame->slots[no];
	if (run_of(slot, byte, SLOT_ZERO) >= size) {
		*value = 0;
		return 0;
	}
	if (!slot_is_spill(slot) || run_of(slot, byte, SLOT_SPILL) != size ||
	    !reg_is_const(&slot->spilled))
		return 0;
	/* The upper half of a spilled number is taken for the whole: sound, for a number
	 * that fits below max_entries has an upper half of 0, which is below it, too. */
	*value = (s64)slot->spilled.var.bits.value;
	return env_need_precise_in(env, key->frame, 0, 1ull << no);
}
