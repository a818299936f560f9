/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small kinds of memory: sockets, flow keys, buffers, regions of a known size, arenas.
 *
 * What the structs of sockets have is in abi/ctx.def.  Never does: judge memory that is
 * typed by BTF.  More: memory.h; abi.h, contexts.
 */
#include "abi/abi.h"
#include "verify/memory.h"

enum { FLOW_KEYS_BYTES = 56 };

static s64 fixed_off(const struct env *env, const struct access *access)
{
	return (s64)env_regs(env)[access->reg].off + access->off;
}

/* ---- sockets ---- */

/* Of request and time-wait sockets, which are not full ones, a part is not there. */
static bool only_full_socket(s64 off)
{
	const u32 type_off = 8, src_ip4_off = 24;

	return off >= type_off && off < src_ip4_off;
}

static const char *socket_struct(enum reg_kind kind)
{
	if (kind == PTR_TO_TCP_SOCK)
		return "bpf_tcp_sock";
	return kind == PTR_TO_XDP_SOCK ? "bpf_xdp_sock" : "bpf_sock";
}

static int socket_access(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	const char *name = socket_struct(reg->kind);
	const struct abi_ctx *fields = abi_find_ctx(name);
	s64 off = fixed_off(env, access);

	if (access->type == ACCESS_WRITE)
		return reject(env, SOCKET_WRITE, (int)access->reg,
			      reg_kind_word(reg->kind));
	if (reg->var.smin < 0)
		return reject(env, OFFSET_MIN_NEGATIVE, (int)access->reg,
			      (long long)reg->var.smin);
	if (off < 0 || off >= (s64)fields->size ||
	    (reg->kind == PTR_TO_SOCK_COMMON && only_full_socket(off)) ||
	    !abi_ctx_has(fields, (u32)off, access->size))
		return reject(env, SOCKET_FIELD, (int)access->reg, access->size, (int)off,
			      name);
	load_unknown(env, access);
	return 0;
}

/* ---- flow keys ---- */

static int flow_keys_access(struct env *env, const struct access *access)
{
	s64 off = fixed_off(env, access);
	int err = leak_check(env, access, "the flow keys");

	if (err)
		return err;
	if (off < 0 || off + access->size > FLOW_KEYS_BYTES)
		return reject(env, FLOW_KEYS_RANGE, access->size, (long long)off,
			      FLOW_KEYS_BYTES);
	load_unknown(env, access);
	return 0;
}

/* ---- memory ---- */

static int read_only_check(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];

	if (access->type == ACCESS_READ || !(reg->flags & RDONLY))
		return 0;
	return reject(env, READ_ONLY_MEMORY, (int)access->reg, reg_kind_word(reg->kind));
}

/* Untrusted memory is read by exception table: anywhere. */
static int mem_access(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	struct span span = {access->reg, reg->off + access->off, access->size,
			    reg->mem_size, false};
	int err = read_only_check(env, access);

	if (!err)
		err = leak_check(env, access, "memory");
	if (!err && (reg->flags & (RDONLY | UNTRUSTED)) != (RDONLY | UNTRUSTED))
		err = span_check(env, &span);
	if (!err)
		load_unknown(env, access);
	return err;
}

/* How long it is depends on what the program will be attached to, and is asked then. */
static int buffer_access(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	s64 off = fixed_off(env, access);
	int err = read_only_check(env, access);

	if (err)
		return err;
	if (off < 0)
		return reject(env, NEGATIVE_POINTER, (int)access->reg,
			      reg_kind_word(reg->kind), (long long)off);
	if (!scalar_is_const(&reg->var))
		return reject(env, VARIABLE_POINTER, (int)access->reg,
			      reg_kind_word(reg->kind));
	load_unknown(env, access);
	return 0;
}

/* What is not there faults, and reads as zero. */
static int arena_access(struct env *env, const struct access *access)
{
	if (access->sign_extend && !env->rules->arena_sign_extends)
		return reject(env, ARENA_SIGN_EXTEND);
	load_unknown(env, access);
	return 0;
}

int other_access(struct env *env, const struct access *access)
{
	switch (env_regs(env)[access->reg].kind) {
	case PTR_TO_FLOW_KEYS: return flow_keys_access(env, access);
	case PTR_TO_MEM: return mem_access(env, access);
	case PTR_TO_BUF:
	case PTR_TO_TP_BUFFER: return buffer_access(env, access);
	case PTR_TO_ARENA: return arena_access(env, access);
	}
	return socket_access(env, access);
}
