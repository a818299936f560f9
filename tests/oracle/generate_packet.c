/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generated statements that work on packets and their contexts: direct access behind a
 * comparison with the end, fields, legacy loads, and the helpers of XDP and TC.
 */
#include "base/bytes.h"
#include "oracle/generating.h"

enum { TEMPS = 1 << R1 | 1 << R2 | 1 << R3 | 1 << R4 };

static bool has_context(const struct gen *g)
{
	return g->f->pointer == TO_CONTEXT;
}

static bool is_xdp(const struct gen *g)
{
	return g->type == BPF_PROG_TYPE_XDP;
}

u32 gen_packet_check(struct gen *g, u32 n)
{
	emit(g, OP_MOV64_X, R4, R2, 0, 0);
	emit(g, OP_ADD64_K, R4, 0, 0, (s32)n);
	switch (below(g, 4)) {
	case 0: return emit(g, OP_JGT64_X, R4, R3, 0, 0);
	case 1: return emit(g, OP_JLT64_X, R3, R4, 0, 0);
	case 2: emit(g, OP_JLE64_X, R4, R3, 1, 0); break;
	case 3: emit(g, OP_JGE64_X, R3, R4, 1, 0); break;
	}
	return emit(g, OP_JA, 0, 0, 0, 0);
}

void emit_packet(struct gen *g, bool meta)
{
	s16 data = is_xdp(g) ? offsetof(struct xdp_md, data)
			     : offsetof(struct __sk_buff, data);
	s16 end = is_xdp(g) ? offsetof(struct xdp_md, data_end)
			    : offsetof(struct __sk_buff, data_end);

	if (meta)
		end = data, data = offsetof(struct xdp_md, data_meta);
	emit_pointer(g, R1);
	emit(g, OP_LDX32, R2, R1, data, 0);
	emit(g, OP_LDX32, R3, R1, end, 0);
}

void gen_packet(struct gen *g)
{
	bool meta = is_xdp(g) && one_in(g, 8), variable = one_in(g, 3);
	u32 start = g->p->n_insns, n = 1 + below(g, one_in(g, 4) ? 120 : 24), out;

	if (!has_context(g))
		return;
	if (variable)
		emit_masked(g, R4, meta ? 3 : 63);
	emit_packet(g, meta);
	if (variable)
		emit(g, OP_ADD64_X, R2, R4, 0, 0);
	forget(g, TEMPS);
	out = gen_packet_check(g, n);
	gen_body(g, &(struct area){R2, 0, n, false, false});
	land(g, out);
	refill(g, TEMPS);
	mark(g, start);
}

#define SKB(field) offsetof(struct __sk_buff, field)

/* What every test run of Linux sets as we do. */
static const s16 skb_read[] = {
	SKB(len),        SKB(pkt_type),   SKB(protocol), SKB(vlan_present),
	SKB(vlan_tci),   SKB(vlan_proto), SKB(gso_size), SKB(gso_segs),
	SKB(mark),       SKB(priority),   SKB(tc_index), SKB(cb[0]),
	SKB(cb[1]),      SKB(cb[4]),      SKB(ifindex),  SKB(queue_mapping),
	SKB(tc_classid), SKB(napi_id),
};
/* Fields of 32 bits in Linux, too: of others it reads the lower part in any place. */
static const s16 skb_parts[] = {SKB(len), SKB(mark), SKB(priority), SKB(cb[3])};

/* Linux keeps 16 bits of tc_index and tc_classid (docs/differences.md). */
static const s16 skb_write[] = {
	SKB(mark), SKB(priority), SKB(cb[0]), SKB(cb[2]), SKB(cb[4]),
};
static const s16 xdp_read[] = {offsetof(struct xdp_md, ingress_ifindex),
			       offsetof(struct xdp_md, rx_queue_index)};

/* R1 = the distance of two packet pointers */
static void emit_distance(struct gen *g)
{
	bool meta = is_xdp(g) && one_in(g, 2);

	emit_pointer(g, R2);
	emit(g, OP_LDX32, R1, R2,
	     meta        ? offsetof(struct xdp_md, data)
	     : is_xdp(g) ? offsetof(struct xdp_md, data_end)
			 : (s16)SKB(data_end),
	     0);
	emit(g, OP_LDX32, R2, R2,
	     meta        ? offsetof(struct xdp_md, data_meta)
	     : is_xdp(g) ? offsetof(struct xdp_md, data)
			 : (s16)SKB(data),
	     0);
	emit(g, OP_SUB64_X, R1, R2, 0, 0);
}

/* R1 = a field, or a part of it */
static void emit_field_load(struct gen *g)
{
	s16 off = skb_read[below(g, ARRAY_SIZE(skb_read))];
	s16 part = skb_parts[below(g, ARRAY_SIZE(skb_parts))];

	switch (below(g, 8)) {
	case 0: emit(g, OP_LDX8, R1, R2, (s16)(part + (s32)below(g, 4)), 0); return;
	case 1: emit(g, OP_LDX16, R1, R2, (s16)(part + 2 * (s32)below(g, 2)), 0); return;
	case 2: emit(g, OP_LDX64, R1, R2, (s16)SKB(cb[2 * below(g, 2)]), 0); return;
	}
	emit(g, OP_LDX32, R1, R2, off, 0);
}

/* cb takes every width, other fields their own */
static void emit_field_store(struct gen *g)
{
	u8 src = reg_of(g, g->readable);

	switch (below(g, 8)) {
	case 0: emit(g, OP_STX8, R2, src, (s16)(SKB(cb) + below(g, 20)), 0); return;
	case 1: emit(g, OP_STX16, R2, src, (s16)(SKB(cb) + 2 * below(g, 10)), 0); return;
	case 2: emit(g, OP_STX64, R2, src, (s16)SKB(cb[2 * below(g, 2)]), 0); return;
	}
	emit(g, OP_STX32, R2, src, skb_write[below(g, ARRAY_SIZE(skb_write))], 0);
}

void gen_context(struct gen *g)
{
	u32 start = g->p->n_insns;

	if (!has_context(g))
		return;
	forget(g, 1 << R1 | 1 << R2);
	if (one_in(g, 2)) {
		emit_distance(g);
	} else if (is_xdp(g)) {
		emit_pointer(g, R2);
		emit(g, OP_LDX32, R1, R2, xdp_read[below(g, ARRAY_SIZE(xdp_read))], 0);
	} else {
		emit_pointer(g, R2);
		if (one_in(g, 2))
			emit_field_store(g);
		emit_field_load(g);
	}
	g->readable |= 1 << R1, g->writable |= 1 << R1;
	refill(g, 1 << R2);
	mark(g, start);
}

void gen_legacy(struct gen *g)
{
	static const enum op ops[] = {OP_LD_ABS8, OP_LD_ABS16, OP_LD_ABS32,
				      OP_LD_IND8, OP_LD_IND16, OP_LD_IND32};
	u32 start = g->p->n_insns;
	enum op op = ops[below(g, 6)];
	u8 index = R7;

	if (is_xdp(g) || g->f->kind != FUNC_MAIN ||
	    CALLEE_SAVED & g->numbers & ~g->writable)
		return;
	emit_pointer(g, R6);
	if (one_in(g, 2))
		emit(g, OP_AND64_K, index, 0, 0, 31);
	emit(g, op, 0, index, 0,
	     (s32)PICK(g, 0, 1, 12, 14, 23, 100, -4096, -2097152 + 3));
	forget(g, CALLER_SAVED | 1 << R6);
	g->readable |= 1, g->writable |= 1; /* the result */
	refill(g, (CALLER_SAVED & ~1) | 1 << R6);
	mark(g, start);
}

/* ---- helpers ---- */

/* reg = a number: chosen, small, or any */
static void emit_number(struct gen *g, u8 reg, s32 mask, s64 chosen)
{
	if (one_in(g, 2))
		emit(g, OP_MOV64_K, reg, 0, 0, (s32)chosen);
	else
		emit_masked(g, reg, mask);
	forget(g, (u16)(1u << reg));
}

static s32 gen_csum_diff(struct gen *g)
{
	u32 from = 4 * below(g, 9), to = 4 * below(g, 9);

	if (one_in(g, 2))
		emit(g, OP_MOV64_X, R5, reg_of(g, g->readable), 0, 0);
	else
		emit(g, OP_MOV64_K, R5, 0, 0, (s32)PICK(g, 0, -1, 0xffff));
	forget(g, 1 << R5);
	if (from)
		emit_memory(g, R1, from);
	else
		emit_constant(g, R1, 0);
	emit_constant(g, R2, from);
	if (to)
		emit_memory(g, R3, to);
	else
		emit_constant(g, R3, 0);
	emit_constant(g, R4, to);
	return BPF_FUNC_csum_diff;
}

static s32 gen_load_store(struct gen *g, s32 helper)
{
	u32 n = 1 + below(g, 40);

	emit_number(g, R2, 127, PICK(g, 0, 14, 20, 100, 0xffff, 0x10000, -1));
	emit_memory(g, R3, n);
	emit_constant(g, R4, n);
	if (helper == BPF_FUNC_skb_store_bytes)
		emit_constant(g, R5, PICK(g, 0, 0, 1, 2, 3, 4));
	if (helper == BPF_FUNC_skb_load_bytes_relative)
		emit_constant(g, R5, PICK(g, 0, 1, 1, 2));
	return helper;
}

static s32 gen_xdp_helper(struct gen *g)
{
	switch (below(g, 6)) {
	case 0:
		emit_number(g, R2, 31, PICK(g, 0, -1, -4, -14, -60, 8, 40, -257));
		return BPF_FUNC_xdp_adjust_head;
	case 1:
		emit_number(g, R2, 31, PICK(g, 0, -4, -4, -8, -32, 4, -1, -256));
		return BPF_FUNC_xdp_adjust_meta;
	case 2:
		emit_number(g, R2, 63, PICK(g, 0, -1, -20, 1, 100, 5000, -300));
		return BPF_FUNC_xdp_adjust_tail;
	case 3: return gen_load_store(g, BPF_FUNC_xdp_load_bytes);
	case 4: return gen_load_store(g, BPF_FUNC_xdp_store_bytes);
	}
	return BPF_FUNC_xdp_get_buff_len;
}

static s32 gen_replace(struct gen *g, bool l4)
{
	bool by_diff = one_in(g, 3);
	s64 flags = by_diff ? 0 : PICK(g, 2, 4, 2, 4, 3, 8);

	if (l4)
		flags |= PICK(g, 0, 0x10, 0x20, 0x40, 0x50, 0x60, 0x80, 0x100);
	emit(g, OP_MOV64_X, R4, reg_of(g, g->readable), 0, 0);
	forget(g, 1 << R4);
	if (by_diff && !one_in(g, 4))
		emit_constant(g, R3, 0);
	else
		emit(g, OP_MOV64_X, R3, reg_of(g, g->readable), 0, 0);
	forget(g, 1 << R3);
	emit_number(g, R2, 126, PICK(g, 16, 24, 36, 40, 50, 51, 0xffff, -1));
	emit_constant(g, R5, flags);
	return l4 ? BPF_FUNC_l4_csum_replace : BPF_FUNC_l3_csum_replace;
}

static s64 be16(s64 n)
{
	return __builtin_bswap16((u16)n);
}

/* Helpers after which the packet is longer at its front.  Not often in a run: Linux
 * doubles the buffer whenever it has to move it, and has no memory after a dozen times.
 */
static s32 gen_growing(struct gen *g)
{
	switch (below(g, 4)) {
	case 0:
		emit_constant(g, R2, be16(PICK(g, 0x8100, 0x88a8, 0x800)));
		emit_number(g, R3, 0xffff, 5);
		return BPF_FUNC_skb_vlan_push;
	case 1:
		emit_number(g, R2, 15, PICK(g, 0, 14, 4, 300, -1));
		emit_constant(g, R3, one_in(g, 10));
		return BPF_FUNC_skb_change_head;
	case 2:
		emit_constant(g, R2, be16(PICK(g, 0x800, 0x86dd, 0x806)));
		emit_constant(g, R3, one_in(g, 10));
		return BPF_FUNC_skb_change_proto;
	}
	emit_number(g, R2, 31, PICK(g, 0, 14, 20, 40, -20, -40, -14, -4));
	emit_constant(g, R3, PICK(g, 0, 0, 1, 1, 2));
	emit_constant(g, R4, PICK(g, 0, 0, 1, 2, 4, 8, 0x20, 0x40));
	return BPF_FUNC_skb_adjust_room;
}

static s32 gen_tc_helper(struct gen *g)
{
	switch (below(g, 18)) {
	case 0:
	case 1: return gen_load_store(g, BPF_FUNC_skb_load_bytes);
	case 2: return gen_load_store(g, BPF_FUNC_skb_load_bytes_relative);
	case 3:
	case 4: return gen_load_store(g, BPF_FUNC_skb_store_bytes);
	case 5: return gen_replace(g, false);
	case 6: return gen_replace(g, true);
	case 7:
		emit_number(g, R2, 127, PICK(g, 0, 14, 1000, -1));
		return BPF_FUNC_skb_pull_data;
	case 8: return BPF_FUNC_skb_vlan_pop;
	case 9:
		emit_number(g, R2, 7, PICK(g, 0, 1, 2, 3));
		return BPF_FUNC_skb_change_type;
	case 10: emit_constant(g, R2, PICK(g, 0, 1, 2, 3, 4)); return BPF_FUNC_csum_level;
	case 11: return BPF_FUNC_set_hash_invalid;
	case 12: emit_number(g, R2, 127, 7); return BPF_FUNC_set_hash;
	case 13: emit_number(g, R2, 0xffff, 7); return BPF_FUNC_csum_update;
	}
	if (g->grows && g->f->kind == FUNC_MAIN && !g->loops && !g->jumps)
		return gen_growing(g);
	if (g->grows)
		return BPF_FUNC_skb_vlan_pop;
	emit_number(g, R2, 255, PICK(g, 0, 13, 14, 60, 200, 20000));
	emit_constant(g, R3, one_in(g, 10));
	return BPF_FUNC_skb_change_tail;
}

void gen_packet_helper(struct gen *g)
{
	u32 start = g->p->n_insns;
	s32 helper;

	if (one_in(g, 8)) {
		helper = one_in(g, 2) ? gen_csum_diff(g) : BPF_FUNC_get_smp_processor_id;
	} else if (!has_context(g)) {
		return;
	} else {
		helper = is_xdp(g) ? gen_xdp_helper(g) : gen_tc_helper(g);
		emit_pointer(g, R1);
	}
	emit_call(g, helper);
	g->readable |= 1, g->writable |= 1; /* the result */
	refill(g, CALLER_SAVED & ~1);
	mark(g, start);
}
