/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers, stack slots and frames as text.
 *
 * Numbers of up to 16 bits are decimal, others hexadecimal; equal bounds share one value:
 * "smin=umin=1".  Bytes of a slot are written from the highest address down.  Never does:
 * decide what is worth printing.  More: Documentation/bpf/verifier.rst of the kernel,
 * "Understanding eBPF verifier messages".
 */
#include "verify/print.h"

#include "base/text.h"

/* What comes next is separated from what was before. */
struct list {
	struct text *t;
	bool started;
};

static void item(struct list *list)
{
	if (list->started)
		text_puts(list->t, ",");
	list->started = true;
}

static void put_unsigned(struct text *t, u64 n)
{
	text_printf(t, n <= UINT16_MAX ? "%llu" : "%#llx", (unsigned long long)n);
}

static void put_signed(struct text *t, s64 n)
{
	text_printf(t, n >= INT16_MIN && n <= INT16_MAX ? "%lld" : "%#llx", (long long)n);
}

/* ---- ranges ---- */

struct bound {
	const char *name;
	u64 value;
	bool is_signed, known;
};

enum { BOUNDS = 8 };

/* Negative ones are hexadecimal in their own width. */
static u64 wide(s32 n)
{
	return n >= INT16_MIN && n <= INT16_MAX ? (u64)(s64)n : (u32)n;
}

static bool is_negative(const struct bound *b)
{
	return b->is_signed && (s64)b->value < 0;
}

/* Lower bounds are the even ones, upper ones the odd ones. */
static void print_bounds(struct list *list, struct bound bounds[BOUNDS])
{
	for (u32 i = 0; i < BOUNDS; i++) {
		struct bound *b = &bounds[i];

		if (!b->known)
			continue;
		item(list);
		text_printf(list->t, "%s=", b->name);
		for (u32 k = i + 2; k < BOUNDS; k += 2) {
			struct bound *same = &bounds[k];

			if (!same->known || same->value != b->value ||
			    is_negative(same) != is_negative(b))
				continue;
			same->known = false;
			text_printf(list->t, "%s=", same->name);
		}
		if (b->is_signed)
			put_signed(list->t, (s64)b->value);
		else
			put_unsigned(list->t, b->value);
	}
}

static void print_ranges(struct list *list, const struct scalar *s)
{
	struct bound bounds[BOUNDS] = {
		{"smin", (u64)s->smin, true, s->smin != INT64_MIN},
		{"smax", (u64)s->smax, true, s->smax != INT64_MAX},
		{"umin", s->umin, false, s->umin != 0},
		{"umax", s->umax, false, s->umax != UINT64_MAX},
		{"smin32", wide(s->smin32), true, s->smin32 != INT32_MIN},
		{"smax32", wide(s->smax32), true, s->smax32 != INT32_MAX},
		{"umin32", s->umin32, false, s->umin32 != 0},
		{"umax32", s->umax32, false, s->umax32 != UINT32_MAX},
	};

	print_bounds(list, bounds);
	if (tnum_is_unknown(s->bits))
		return;
	item(list);
	text_printf(list->t, "var_off=(%#llx; %#llx)", (unsigned long long)s->bits.value,
		    (unsigned long long)s->bits.mask);
}

/* ---- registers ---- */

static void print_flags(struct text *t, u32 flags)
{
	static const struct {
		u32 flag;
		const char *text;
	} names[] = {
		{RDONLY, "rdonly_"},   {RINGBUF, "ringbuf_"}, {USER, "user_"},
		{PERCPU, "percpu_"},   {RCU, "rcu_"},         {UNTRUSTED, "untrusted_"},
		{TRUSTED, "trusted_"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & names[i].flag)
			text_puts(t, names[i].text);
	}
}

void print_reg_type(struct text *t, const struct reg *reg)
{
	bool btf = reg->kind == PTR_TO_BTF_ID;

	print_flags(t, reg->flags);
	text_puts(t, reg_kind_name(reg->kind));
	if (reg->flags & MAYBE_NULL)
		text_puts(t, btf ? "or_null_" : "_or_null");
	if (btf && reg->btf)
		text_puts(t, btf_name(reg->btf, reg->btf_id));
}

static const char *dynptr_name(u32 type)
{
	switch ((enum dynptr_type)type) {
	case DYNPTR_NONE: return "<invalid>";
	case DYNPTR_LOCAL: return "local";
	case DYNPTR_RINGBUF: return "ringbuf";
	case DYNPTR_SKB: return "skb";
	case DYNPTR_XDP: return "xdp";
	case DYNPTR_SKB_META: return "skb_meta";
	}
	return "<unknown>";
}

static bool of_map(const struct reg *reg)
{
	return (reg->kind == CONST_PTR_TO_MAP || reg->kind == PTR_TO_MAP_VALUE ||
		reg->kind == PTR_TO_MAP_KEY) &&
	       reg->map;
}

static void print_ids(struct list *list, const struct reg *reg)
{
	if (reg->id) {
		item(list);
		text_printf(list->t, "id=%u", reg->id & ~ID_ADD_CONST);
	}
	if (reg->id & ID_ADD_CONST)
		text_printf(list->t, "%+d", reg->off);
	if (reg->ref_id) {
		item(list);
		text_printf(list->t, "ref_obj_id=%u", reg->ref_id);
	}
	if (reg->flags & NON_OWN_REF) {
		item(list);
		text_puts(list->t, "non_own_ref");
	}
}

/* What only some kinds have. */
static void print_own(struct list *list, const struct reg *reg)
{
	if (of_map(reg)) {
		item(list);
		if (reg->map->name && *reg->map->name)
			text_printf(list->t, "map=%s,", reg->map->name);
		text_printf(list->t, "ks=%u,vs=%u", reg->map->key_size,
			    reg->map->value_size);
	}
	if (reg->kind != SCALAR && reg->off) {
		item(list);
		text_puts(list->t, "off=");
		put_signed(list->t, reg->off);
	}
	if (reg_is_packet(reg)) {
		item(list);
		text_puts(list->t, "r=");
		put_unsigned(list->t, reg->range);
	}
	if (reg->kind == PTR_TO_MEM) {
		item(list);
		text_puts(list->t, "sz=");
		put_unsigned(list->t, reg->mem_size);
	}
	if (reg->kind == CONST_PTR_TO_DYNPTR) {
		item(list);
		text_printf(list->t, "type=%s", dynptr_name(reg->dynptr_type));
	}
}

static void print_details(struct text *t, const struct reg *reg)
{
	struct list list = {t, false};

	text_puts(t, "(");
	print_ids(&list, reg);
	print_own(&list, reg);
	if (!scalar_is_const(&reg->var)) {
		print_ranges(&list, &reg->var);
	} else if (reg->var.bits.value) {
		item(&list);
		text_puts(t, "imm=");
		put_signed(t, (s64)reg->var.bits.value);
	}
	text_puts(t, ")");
}

void print_reg(struct text *t, const struct frame *frame, const struct reg *reg)
{
	if (reg->kind == SCALAR && reg->precise)
		text_puts(t, "P");
	if (reg_is_const(reg)) {
		put_signed(t, (s64)reg->var.bits.value);
		return;
	}
	print_reg_type(t, reg);
	if (reg->kind == PTR_TO_ARENA || reg->kind == UNINIT)
		return;
	if (reg->kind == PTR_TO_STACK) {
		if (reg->frame != frame->no)
			text_printf(t, "[%u]", reg->frame);
		if (scalar_is_const(&reg->var)) {
			put_signed(t, (s64)(reg->var.bits.value + (u64)reg->off));
			return;
		}
	}
	print_details(t, reg);
}

/* ---- stack slots ---- */

/* From the highest address on; of a spill of less than 8 bytes what is above it. */
static void print_bytes(struct text *t, const struct slot *slot)
{
	static const char letters[] = {
		[SLOT_INVALID] = '?',  [SLOT_SPILL] = 'r',  [SLOT_MISC] = 'm',
		[SLOT_ZERO] = '0',     [SLOT_DYNPTR] = 'd', [SLOT_ITER] = 'i',
		[SLOT_IRQ_FLAG] = 'f',
	};

	for (u32 i = 8; i-- > 0;) {
		if (slot_is_spill(slot) && slot->type[i] == SLOT_SPILL)
			return;
		text_write(t, &letters[slot->type[i]], 1);
	}
}

static bool is_used(const struct slot *slot)
{
	for (u32 i = 0; i < 8; i++) {
		if (slot->type[i] != SLOT_INVALID)
			return true;
	}
	return false;
}

static void print_dynptr(struct text *t, const struct reg *reg)
{
	struct list list = {t, false};

	text_printf(t, "dynptr_%s(", dynptr_name(reg->dynptr_type));
	if (reg->id) {
		item(&list);
		text_printf(t, "id=%u", reg->id);
	}
	if (reg->ref_id) {
		item(&list);
		text_printf(t, "ref_id=%u", reg->ref_id);
	}
	text_puts(t, ")");
}

static void print_iter(struct text *t, const struct reg *reg)
{
	enum { PREFIX = 9 }; /* "bpf_iter_" */
	const char *name = reg->iter_btf ? btf_name(reg->iter_btf, reg->iter_id) : "";
	const char *state = reg->iter_state == ITER_ACTIVE    ? "active"
			    : reg->iter_state == ITER_DRAINED ? "drained"
							      : "<invalid>";
	u32 len = 0;

	while (len < PREFIX && name[len])
		len++;
	text_printf(t, "iter_%s(ref_id=%u,state=%s,depth=%u)", name + len, reg->ref_id,
		    state, reg->iter_depth);
}

static void print_slot(struct text *t, const struct frame *frame, u32 no)
{
	const struct slot *slot = &frame->slots[no];
	const struct reg *reg = &slot->spilled;
	u8 type = slot->type[0];

	/* Dynptrs and iterators are printed where they start: at their lowest address. */
	if ((type == SLOT_DYNPTR && !reg->first_slot) ||
	    (type == SLOT_ITER && !reg->ref_id))
		return;
	text_printf(t, " fp-%u=", (no + 1) * 8);
	if (type == SLOT_DYNPTR) {
		print_dynptr(t, reg);
	} else if (type == SLOT_ITER) {
		print_iter(t, reg);
	} else {
		print_bytes(t, slot);
		if (slot_is_spill(slot))
			print_reg(t, frame, reg);
	}
}

/* ---- frames ---- */

static void print_refs(struct text *t, const struct state *st)
{
	const char *sep = " refs=";

	for (u32 i = 0; i < st->n_refs; i++) {
		if (!st->refs[i].id)
			continue;
		text_printf(t, "%s%u", sep, st->refs[i].id);
		sep = ",";
	}
}

void print_frame(struct text *t, const struct state *st, u32 no,
		 const struct print_parts *parts)
{
	const struct frame *frame = st->frames[no];

	if (no)
		text_printf(t, " frame%u:", no);
	for (u32 i = 0; i < N_REGS; i++) {
		if (frame->regs[i].kind == UNINIT || !(parts->regs >> i & 1))
			continue;
		text_printf(t, " R%u=", i);
		print_reg(t, frame, &frame->regs[i]);
	}
	for (u32 i = 0; i < frame->n_slots; i++) {
		if ((parts->slots >> i & 1) && is_used(&frame->slots[i]))
			print_slot(t, frame, i);
	}
	print_refs(t, st);
	if (frame->in_callback)
		text_puts(t, " cb");
	if (frame->in_async_callback)
		text_puts(t, " async_cb");
}

void print_state(struct text *t, const struct state *st)
{
	static const struct print_parts all = {0xffff, ~0ull};

	print_frame(t, st, st->depth, &all);
}
