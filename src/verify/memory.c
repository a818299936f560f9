/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads, stores and atomics: who may touch which memory, before its kind is asked.
 *
 * An instruction becomes one or more struct access; access_check() asks for alignment,
 * hands it to the file of that kind of memory, and cuts what was loaded to size.  Never
 * does: know how a kind of memory is laid out.
 * More: memory.h; RFC 9669 section 5; Documentation/bpf/verifier.rst of the kernel.
 */
#include "verify/memory.h"

#include "abi/abi.h"
#include "verify/calls.h"
#include "verify/transfer.h"

/* ---- offsets ---- */

/* off: of the first byte, everything included. */
static int bounds_check(struct env *env, const struct span *span, s64 off)
{
	bool size_ok = span->size || span->zero_size_ok;
	const struct reg *reg = &env_regs(env)[span->reg];

	if (off >= 0 && size_ok && (u64)off + span->size <= span->mem_size)
		return 0;
	if (!size_ok)
		return reject(env, REGION_ZERO, (int)span->reg);
	return reject(env, OUT_OF_BOUNDS, (int)span->reg, (long long)off,
		      (long long)(off + span->size - 1), reg_kind_word(reg->kind),
		      (unsigned long long)span->mem_size);
}

int span_check(struct env *env, const struct span *span)
{
	const struct scalar *var = &env_regs(env)[span->reg].var;
	s64 low;
	int err;

	/* Both ends of what is possible are tried; what is between them is then fine,
	 * too. */
	if (__builtin_add_overflow(var->smin, (s64)span->off, &low) ||
	    (var->smin < 0 && (low < 0 || var->smin == INT64_MIN)))
		return reject(env, OFFSET_MIN_NEGATIVE, (int)span->reg,
			      (long long)var->smin);
	err = bounds_check(env, span, low);
	if (err)
		return err;
	if (var->umax >= MAX_VAR_OFF)
		return reject(env, OFFSET_UNBOUNDED, (int)span->reg);
	return bounds_check(env, span, (s64)var->umax + span->off);
}

int need_fixed_pointer(struct env *env, u32 regno, bool off_ok)
{
	const struct reg *reg = &env_regs(env)[regno];
	const char *kind = reg_kind_word(reg->kind);

	if (reg->off < 0)
		return reject(env, NEGATIVE_POINTER, (int)regno, kind,
			      (long long)reg->off);
	if (!off_ok && reg->off)
		return reject(env, MODIFIED_POINTER, (int)regno, kind,
			      (long long)reg->off);
	if (!scalar_is_const(&reg->var) || reg->var.bits.value)
		return reject(env, VARIABLE_POINTER, (int)regno, kind);
	return 0;
}

int align_check(struct env *env, const struct reg *reg, s32 off, u32 size, bool strict)
{
	s64 fixed = (s64)reg->off + off;

	/* Spills and fills are understood only when they do not straddle slots. */
	if (!env->strict_alignment && !strict && reg->kind != PTR_TO_STACK)
		return 0;
	if (size == 1 || reg->kind == PTR_TO_ARENA)
		return 0;
	/* The network header is aligned, and Ethernet's, in front of it, has 14 bytes. */
	if (reg_is_packet(reg))
		fixed += 2;
	if (tnum_is_aligned(tnum_add(reg->var.bits, tnum_const((u64)fixed)), size))
		return 0;
	return reject(env, MISALIGNED, size, reg_kind_word(reg->kind), (long long)fixed);
}

/* ---- values ---- */

int leak_check(struct env *env, const struct access *access, const char *into)
{
	if (access->type == ACCESS_WRITE && access->value >= 0 &&
	    leaks_pointer(env, &env_regs(env)[access->value]))
		return reject(env, POINTER_LEAK, access->value, into);
	return 0;
}

void load_unknown(struct env *env, const struct access *access)
{
	struct reg *reg;

	if (access->type != ACCESS_READ || access->value < 0)
		return;
	reg = &env_regs(env)[access->value];
	reg_set_unknown(reg);
	reg->precise = !env->privileged;
}

/* What was loaded has no more bytes than were loaded. */
static void cut_to_size(struct env *env, const struct access *access)
{
	struct reg *reg;

	if (access->type != ACCESS_READ || access->value < 0 || access->size == 8)
		return;
	reg = &env_regs(env)[access->value];
	if (reg->kind != SCALAR)
		return;
	reg->var = access->sign_extend ? scalar_sign_extend(&reg->var, (u8)access->size)
				       : scalar_truncate(&reg->var, (u8)access->size);
}

/* ---- accesses ---- */

static int refuse_kind(struct env *env, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	if (reg->flags & MAYBE_NULL)
		return reject(env, ACCESS_MAYBE_NULL, (int)regno);
	if (reg->kind == SCALAR)
		return reject(env, ACCESS_NUMBER, (int)regno);
	return reject(env, ACCESS_KIND, (int)regno, reg_kind_word(reg->kind));
}

/* Of these kinds the flags say how they may be accessed; of others, that they may not. */
static bool flags_matter(enum reg_kind kind)
{
	return kind == PTR_TO_BTF_ID || kind == PTR_TO_MEM || kind == PTR_TO_BUF;
}

static int access_ctx(struct env *env, const struct access *access)
{
	int err = leak_check(env, access, "the context");

	if (!err)
		err = need_fixed_pointer(env, access->reg, false);
	return err ? err : ctx_access(env, access);
}

static int access_stack(struct env *env, const struct access *access)
{
	return access->type == ACCESS_READ ? stack_read(env, access)
					   : stack_write(env, access);
}

static int access_by_kind(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	enum reg_kind kind = reg->kind;

	if (reg->flags & MAYBE_NULL || (reg->flags && !flags_matter(kind)))
		return refuse_kind(env, access->reg);
	switch (kind) {
	case PTR_TO_STACK: return access_stack(env, access);
	case PTR_TO_CTX: return access_ctx(env, access);
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MAP_KEY: return map_value_access(env, access);
	case PTR_TO_PACKET:
	case PTR_TO_PACKET_META: return packet_access(env, access);
	case PTR_TO_BTF_ID: return btf_access(env, access);
	case CONST_PTR_TO_MAP: return map_pointer_access(env, access);
	case PTR_TO_FLOW_KEYS:
	case PTR_TO_SOCKET:
	case PTR_TO_SOCK_COMMON:
	case PTR_TO_TCP_SOCK:
	case PTR_TO_XDP_SOCK:
	case PTR_TO_TP_BUFFER:
	case PTR_TO_MEM:
	case PTR_TO_BUF:
	case PTR_TO_ARENA: return other_access(env, access);
	case UNINIT:
	case SCALAR:
	case PTR_TO_PACKET_END:
	case PTR_TO_FUNC:
	case CONST_PTR_TO_DYNPTR:
	case REG_KINDS: break;
	}
	return refuse_kind(env, access->reg);
}

int access_check(struct env *env, const struct access *access)
{
	const struct reg *reg = &env_regs(env)[access->reg];
	int err = align_check(env, reg, access->off, access->size, access->atomic);

	if (!err)
		err = access_by_kind(env, access);
	if (!err)
		cut_to_size(env, access);
	return err;
}

/* ---- one kind of pointer an instruction ---- */

/* Accesses through these are rewritten, or fault in their own way. */
static bool is_rewritten(enum reg_kind kind)
{
	return kind == PTR_TO_CTX || kind == PTR_TO_SOCKET ||
	       kind == PTR_TO_SOCK_COMMON || kind == PTR_TO_TCP_SOCK ||
	       kind == PTR_TO_XDP_SOCK || kind == PTR_TO_BTF_ID || kind == PTR_TO_ARENA;
}

static bool may_be_probed(enum reg_kind kind)
{
	return kind == PTR_TO_BTF_ID || kind == PTR_TO_MEM;
}

/* A pointer that was used: kind and flags as they were before the access. */
struct used {
	enum reg_kind kind;
	u16 flags;
};

static struct used used_pointer(const struct env *env, u32 regno)
{
	const struct reg *reg = &env_regs(env)[regno];

	return (struct used){reg->kind, reg->flags};
}

/* is_load: loads by exception table serve every pointer of the kernel. */
static int same_pointer_check(struct env *env, struct used used, bool is_load)
{
	struct insn_aux *aux = &env->aux[env->pc];
	enum reg_kind before = aux->ptr_kind;
	bool mem = used.kind == PTR_TO_MEM || before == PTR_TO_MEM;

	if (before == UNINIT) {
		aux->ptr_kind = (u8)used.kind;
		aux->ptr_flags = used.flags;
		return 0;
	}
	if (before == used.kind && aux->ptr_flags == used.flags)
		return 0;
	if (!is_rewritten(before) && !is_rewritten(used.kind))
		return 0;
	if (!is_load || !may_be_probed(before) || !may_be_probed(used.kind) ||
	    (mem && !env->rules->mem_or_btf_loads))
		return reject(env, DIFFERENT_POINTERS, reg_kind_word(before),
			      reg_kind_word(used.kind));
	aux->ptr_kind = mem ? PTR_TO_MEM : PTR_TO_BTF_ID;
	aux->ptr_flags = (aux->ptr_flags | used.flags) & (UNTRUSTED | RDONLY);
	return 0;
}

/* ---- instructions ---- */

/* In an arena only what the JIT can make fault safely. */
static bool arena_has(enum atomic atomic)
{
	return atomic != ATOMIC_FETCH_AND && atomic != ATOMIC_FETCH_OR &&
	       atomic != ATOMIC_FETCH_XOR;
}

static int atomic_kind_check(struct env *env, u32 regno, bool arena_ok)
{
	enum reg_kind kind = env_regs(env)[regno].kind;
	bool refused = kind == PTR_TO_CTX || kind == PTR_TO_PACKET ||
		       kind == PTR_TO_PACKET_META || kind == PTR_TO_FLOW_KEYS ||
		       kind == PTR_TO_SOCKET || kind == PTR_TO_SOCK_COMMON ||
		       kind == PTR_TO_TCP_SOCK || kind == PTR_TO_XDP_SOCK ||
		       (kind == PTR_TO_ARENA && !arena_ok);

	return refused ? reject(env, ATOMIC_KIND, (int)regno, reg_kind_word(kind)) : 0;
}

static int load(struct env *env, const struct insn *insn, const struct op_info *op)
{
	struct access access = {
		.reg = insn->src_reg,
		.off = insn->off,
		.size = op->width / 8u,
		.type = ACCESS_READ,
		.value = insn->dst_reg,
		.sign_extend = op->kind == KIND_LDXS,
		.atomic = op->kind == KIND_LOAD_ACQ,
	};
	struct used used;
	int err = need_reg(env, insn->src_reg);

	if (!err)
		err = need_writable(env, insn->dst_reg);
	if (!err && access.atomic)
		err = atomic_kind_check(env, insn->src_reg, true);
	if (err)
		return err;
	used = used_pointer(env, insn->src_reg);
	err = access_check(env, &access);
	return err ? err : same_pointer_check(env, used, !access.atomic);
}

static int store(struct env *env, const struct insn *insn, const struct op_info *op)
{
	struct access access = {
		.reg = insn->dst_reg,
		.off = insn->off,
		.size = op->width / 8u,
		.type = ACCESS_WRITE,
		.value = op->kind == KIND_ST ? -1 : insn->src_reg,
		.imm = insn->imm,
		.has_imm = op->kind == KIND_ST,
		.atomic = op->kind == KIND_STORE_REL,
	};
	struct used used;
	int err = op->kind == KIND_ST ? 0 : need_reg(env, insn->src_reg);

	if (!err)
		err = need_reg(env, insn->dst_reg);
	if (!err && access.atomic)
		err = atomic_kind_check(env, insn->dst_reg, true);
	if (err)
		return err;
	used = used_pointer(env, insn->dst_reg);
	err = access_check(env, &access);
	return err ? err : same_pointer_check(env, used, false);
}

static int atomic_operands(struct env *env, const struct insn *insn, enum atomic atomic)
{
	bool compares = atomic == ATOMIC_CMPXCHG;
	int err = need_reg(env, insn->src_reg);

	if (!err)
		err = need_reg(env, insn->dst_reg);
	if (!err && compares)
		err = need_reg(env, R0);
	if (err)
		return err;
	if (compares && leaks_pointer(env, &env_regs(env)[R0]))
		return reject(env, POINTER_LEAK, R0, "memory");
	if (leaks_pointer(env, &env_regs(env)[insn->src_reg]))
		return reject(env, POINTER_LEAK, insn->src_reg, "memory");
	return atomic_kind_check(env, insn->dst_reg, arena_has(atomic));
}

static bool fetches(enum atomic atomic)
{
	return atomic == ATOMIC_FETCH_ADD || atomic == ATOMIC_FETCH_AND ||
	       atomic == ATOMIC_FETCH_OR || atomic == ATOMIC_FETCH_XOR ||
	       atomic == ATOMIC_XCHG || atomic == ATOMIC_CMPXCHG;
}

/* The memory must be readable as a number, may be loaded, and must be writable. */
static int read_modify_write(struct env *env, const struct insn *insn,
			     const struct op_info *op)
{
	struct access access = {
		.reg = insn->dst_reg,
		.off = insn->off,
		.size = op->width / 8u,
		.type = ACCESS_READ,
		.value = -1,
		.atomic = true,
	};
	s32 loaded = op->row == ATOMIC_CMPXCHG ? R0 : insn->src_reg;
	int err = atomic_operands(env, insn, op->row);

	if (!err && fetches(op->row)) {
		err = need_writable(env, (u32)loaded);
		if (!err) {
			access.value = loaded;
			load_unknown(env, &access);
			access.value = -1;
		}
	}
	if (!err)
		err = access_check(env, &access);
	if (!err && fetches(op->row)) {
		access.value = loaded;
		err = access_check(env, &access);
	}
	if (!err && env_regs(env)[insn->dst_reg].kind == PTR_TO_ARENA)
		err = same_pointer_check(env, used_pointer(env, insn->dst_reg), false);
	if (err)
		return err;
	access.type = ACCESS_WRITE;
	access.value = -1;
	return access_check(env, &access);
}

int transfer_memory(struct env *env, const struct insn *insn, const struct op_info *op)
{
	switch ((enum op_kind)op->kind) {
	case KIND_LDX:
	case KIND_LDXS:
	case KIND_LOAD_ACQ: return load(env, insn, op);
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL: return store(env, insn, op);
	case KIND_ATOMIC: return read_modify_write(env, insn, op);
	case KIND_INVALID:
	case KIND_ALU:
	case KIND_END:
	case KIND_ADDR_SPACE_CAST:
	case KIND_JMP:
	case KIND_JA:
	case KIND_MAY_GOTO:
	case KIND_CALL:
	case KIND_CALLX:
	case KIND_EXIT:
	case KIND_LDDW:
	case KIND_LD_ABS:
	case KIND_LD_IND: break;
	}
	return 0;
}

static bool reads_packets_by_ld_abs(u32 prog_type)
{
	return prog_type == PROG_TYPE_SOCKET_FILTER || prog_type == PROG_TYPE_SCHED_CLS ||
	       prog_type == PROG_TYPE_SCHED_ACT;
}

static int legacy_operands(struct env *env, const struct insn *insn,
			   const struct op_info *op)
{
	int err;

	if (!reads_packets_by_ld_abs(env->prog_type))
		return reject(env, LD_ABS_PROG_TYPE);
	err = need_reg(env, R6);
	/* A read beyond the packet ends the program: it must hold nothing then. */
	if (!err)
		err = refs_none(env, "BPF_LD_[ABS|IND]", false, true);
	if (err)
		return err;
	if (env_regs(env)[R6].kind != PTR_TO_CTX || env_regs(env)[R6].flags)
		return reject(env, LD_ABS_NO_CTX);
	if (op->kind == KIND_LD_IND)
		err = need_reg(env, insn->src_reg);
	return err ? err : need_fixed_pointer(env, R6, false);
}

/* Such a read clobbers what a call does; out of bounds it returns 0 from the function. */
int transfer_legacy(struct env *env, const struct insn *insn, const struct op_info *op)
{
	struct access loaded = {.type = ACCESS_READ, .value = R0};
	struct reg *regs = env_regs(env);
	int err = legacy_operands(env, insn, op);

	if (err)
		return err;
	for (u32 i = R0; i <= R5; i++)
		reg_set_uninit(&regs[i]);
	load_unknown(env, &loaded);
	if (!env->cur->depth) {
		env->pc++;
		return 0;
	}
	if (!env_branch(env, env->pc + 1, false))
		return env_told(env);
	reg_set_const(&regs[R0], 0);
	return frame_return(env);
}
