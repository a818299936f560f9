/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and frames: how they start out, and how all of a state's registers are
 * walked.
 *
 * Fresh registers are copies of constant templates, which is one block copy each.  Never
 * does: know what an instruction does, allocate (keep.c does).
 * More: state.h, scalar.h; Documentation/bpf/verifier.rst of the kernel.
 */
#include "verify/state.h"

#include <assert.h>
#include <string.h>

static const struct reg uninit_reg = {.kind = UNINIT};

static const struct reg unknown_reg = {
	.kind = SCALAR,
	.var =
		{
			.bits = {0, ~0ull},
			.smin = INT64_MIN,
			.smax = INT64_MAX,
			.umin = 0,
			.umax = UINT64_MAX,
			.smin32 = INT32_MIN,
			.smax32 = INT32_MAX,
			.umin32 = 0,
			.umax32 = UINT32_MAX,
		},
};

void reg_set_uninit(struct reg *reg)
{
	*reg = uninit_reg;
}

void reg_set_unknown(struct reg *reg)
{
	*reg = unknown_reg;
}

void reg_set_const(struct reg *reg, u64 value)
{
	*reg = uninit_reg;
	reg->kind = SCALAR;
	reg->var = scalar_const(value);
}

void reg_set_scalar(struct reg *reg, const struct scalar *value)
{
	struct scalar var = *value; /* may be reg's own */

	*reg = uninit_reg;
	reg->kind = SCALAR;
	reg->var = var;
}

/* The scalar that is the constant 0 is all zeroes, which the template has already. */
void reg_set_pointer(struct reg *reg, enum reg_kind kind, u32 flags)
{
	assert(kind > SCALAR && kind < REG_KINDS && !(flags >> 16));
	*reg = uninit_reg;
	reg->kind = (u8)kind;
	reg->flags = (u16)flags;
}

void reg_no_var(struct reg *reg)
{
	memset(&reg->var, 0, sizeof(reg->var));
}

const char *reg_kind_name(enum reg_kind kind)
{
	static const char *const names[REG_KINDS] = {
		[UNINIT] = "?",
		[SCALAR] = "scalar",
		[PTR_TO_CTX] = "ctx",
		[CONST_PTR_TO_MAP] = "map_ptr",
		[PTR_TO_MAP_VALUE] = "map_value",
		[PTR_TO_MAP_KEY] = "map_key",
		[PTR_TO_STACK] = "fp",
		[PTR_TO_PACKET_META] = "pkt_meta",
		[PTR_TO_PACKET] = "pkt",
		[PTR_TO_PACKET_END] = "pkt_end",
		[PTR_TO_FLOW_KEYS] = "flow_keys",
		[PTR_TO_SOCKET] = "sock",
		[PTR_TO_SOCK_COMMON] = "sock_common",
		[PTR_TO_TCP_SOCK] = "tcp_sock",
		[PTR_TO_TP_BUFFER] = "tp_buffer",
		[PTR_TO_XDP_SOCK] = "xdp_sock",
		[PTR_TO_BTF_ID] = "ptr_",
		[PTR_TO_MEM] = "mem",
		[PTR_TO_ARENA] = "arena",
		[PTR_TO_BUF] = "buf",
		[PTR_TO_FUNC] = "func",
		[CONST_PTR_TO_DYNPTR] = "dynptr_ptr",
	};

	return kind < REG_KINDS ? names[kind] : "?";
}

const char *reg_kind_word(enum reg_kind kind)
{
	static const char *const words[REG_KINDS] = {
		[UNINIT] = "uninitialised",
		[SCALAR] = "number",
		[PTR_TO_CTX] = "context",
		[CONST_PTR_TO_MAP] = "map",
		[PTR_TO_MAP_VALUE] = "map value",
		[PTR_TO_MAP_KEY] = "map key",
		[PTR_TO_STACK] = "stack",
		[PTR_TO_PACKET_META] = "packet metadata",
		[PTR_TO_PACKET] = "packet",
		[PTR_TO_PACKET_END] = "packet end",
		[PTR_TO_FLOW_KEYS] = "flow keys",
		[PTR_TO_SOCKET] = "socket",
		[PTR_TO_SOCK_COMMON] = "socket",
		[PTR_TO_TCP_SOCK] = "TCP socket",
		[PTR_TO_TP_BUFFER] = "tracepoint buffer",
		[PTR_TO_XDP_SOCK] = "XDP socket",
		[PTR_TO_BTF_ID] = "struct",
		[PTR_TO_MEM] = "memory",
		[PTR_TO_ARENA] = "arena",
		[PTR_TO_BUF] = "buffer",
		[PTR_TO_FUNC] = "function",
		[CONST_PTR_TO_DYNPTR] = "dynptr",
	};

	return kind < REG_KINDS ? words[kind] : "?";
}

const char *reg_kind_phrase(enum reg_kind kind)
{
	static const char *const phrases[REG_KINDS] = {
		[UNINIT] = "nothing yet",
		[SCALAR] = "a number",
		[PTR_TO_CTX] = "a context pointer",
		[CONST_PTR_TO_MAP] = "a map pointer",
		[PTR_TO_MAP_VALUE] = "a map value pointer",
		[PTR_TO_MAP_KEY] = "a map key pointer",
		[PTR_TO_STACK] = "a stack pointer",
		[PTR_TO_PACKET_META] = "a packet metadata pointer",
		[PTR_TO_PACKET] = "a packet pointer",
		[PTR_TO_PACKET_END] = "a packet end pointer",
		[PTR_TO_FLOW_KEYS] = "a flow keys pointer",
		[PTR_TO_SOCKET] = "a socket pointer",
		[PTR_TO_SOCK_COMMON] = "a socket pointer",
		[PTR_TO_TCP_SOCK] = "a TCP socket pointer",
		[PTR_TO_TP_BUFFER] = "a tracepoint buffer pointer",
		[PTR_TO_XDP_SOCK] = "an XDP socket pointer",
		[PTR_TO_BTF_ID] = "a struct pointer",
		[PTR_TO_MEM] = "a memory pointer",
		[PTR_TO_ARENA] = "an arena pointer",
		[PTR_TO_BUF] = "a buffer pointer",
		[PTR_TO_FUNC] = "a function pointer",
		[CONST_PTR_TO_DYNPTR] = "a dynptr pointer",
	};

	return kind < REG_KINDS ? phrases[kind] : "?";
}

void frame_grow(struct frame *frame, u32 n_slots)
{
	assert(n_slots <= STACK_SLOTS);
	if (n_slots <= frame->n_slots)
		return;
	memset(&frame->slots[frame->n_slots], 0,
	       (n_slots - frame->n_slots) * sizeof(frame->slots[0]));
	frame->n_slots = n_slots;
}

static struct reg *next_in_frame(struct reg_walk *walk, struct frame *frame)
{
	if (walk->reg < N_REGS)
		return &frame->regs[walk->reg++];
	while (walk->slot < frame->n_slots) {
		struct slot *slot = &frame->slots[walk->slot++];

		if (slot_is_spill(slot))
			return &slot->spilled;
	}
	return NULL;
}

struct reg *reg_walk_next(struct reg_walk *walk)
{
	while (walk->frame <= walk->st->depth) {
		struct reg *reg = next_in_frame(walk, walk->st->frames[walk->frame]);

		if (reg)
			return reg;
		walk->frame++;
		walk->reg = walk->slot = 0;
	}
	return NULL;
}
