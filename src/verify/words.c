/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of registers and numbers, in words.
 *
 * Only what matters to a person who reads why a program was rejected: not all that the
 * log has (print.c).  Never does: judge.
 */
#include "verify/words.h"

#include "base/text.h"
#include "btf/btf.h"
#include "prog/prog.h"

enum { DECIMAL_MAX = 10000000 };

static void put_number(struct text *t, s64 n)
{
	bool negative = n < 0;
	u64 size = negative ? 0 - (u64)n : (u64)n;

	text_printf(t, size <= DECIMAL_MAX ? "%s%llu" : "%s%#llx", negative ? "-" : "",
		    (unsigned long long)size);
}

/* ---- numbers ---- */

static void put_from_to(struct text *t, s64 min, s64 max)
{
	if (min == INT64_MIN && max == INT64_MAX) {
		text_puts(t, "any number");
	} else if (min == INT64_MIN) {
		text_puts(t, "at most ");
		put_number(t, max);
		text_puts(t, ", without a lower bound");
	} else if (max == INT64_MAX) {
		text_puts(t, "at least ");
		put_number(t, min);
		text_puts(t, ", without an upper bound");
	} else {
		put_number(t, min);
		text_puts(t, " to ");
		put_number(t, max);
	}
}

static bool low_half_is_known(const struct scalar *s)
{
	return s->umin32 || s->umax32 != UINT32_MAX || s->smin32 != INT32_MIN ||
	       s->smax32 != INT32_MAX;
}

void words_range(struct text *t, const struct scalar *s)
{
	if (scalar_is_const(s)) {
		put_number(t, (s64)s->bits.value);
	} else if (s->smin != INT64_MIN || s->smax != INT64_MAX) {
		put_from_to(t, s->smin, s->smax);
	} else if (s->umin || s->umax != UINT64_MAX) {
		text_printf(t, "%#llx to %#llx, unsigned", (unsigned long long)s->umin,
			    (unsigned long long)s->umax);
	} else if (low_half_is_known(s)) {
		bool is_signed = s->umax32 == UINT32_MAX;

		text_puts(t, "any number, its low 32 bits ");
		put_from_to(t, is_signed ? (s64)s->smin32 : s->umin32,
			    is_signed ? (s64)s->smax32 : s->umax32);
	} else {
		text_puts(t, "any number");
	}
}

/* ---- pointers ---- */

static const char *map_text(const struct reg *reg)
{
	return reg->map && reg->map->name ? reg->map->name : "?";
}

static void put_flags(struct text *t, const struct reg *reg)
{
	static const struct {
		u32 flag;
		const char *text;
	} names[] = {
		{UNTRUSTED, "untrusted "},    {TRUSTED, "trusted "},
		{RCU, "RCU-protected "},      {PERCPU, "per-CPU "},
		{USER, "user-space "},        {RDONLY, "read-only "},
		{NON_OWN_REF, "non-owning "},
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (reg->flags & names[i].flag)
			text_puts(t, names[i].text);
	}
}

static const char *simple_kind(enum reg_kind kind)
{
	switch (kind) {
	case PTR_TO_CTX: return "the context";
	case PTR_TO_STACK: return "the stack";
	case PTR_TO_PACKET_META: return "the packet's metadata";
	case PTR_TO_PACKET: return "the packet";
	case PTR_TO_PACKET_END: return "the packet's end";
	case PTR_TO_FLOW_KEYS: return "flow keys";
	case PTR_TO_SOCKET: return "a socket";
	case PTR_TO_SOCK_COMMON: return "a socket (common part)";
	case PTR_TO_TCP_SOCK: return "a TCP socket";
	case PTR_TO_TP_BUFFER: return "a tracepoint's buffer";
	case PTR_TO_XDP_SOCK: return "an XDP socket";
	case PTR_TO_ARENA: return "an arena";
	case PTR_TO_BUF: return "a buffer";
	case PTR_TO_FUNC: return "a function";
	case CONST_PTR_TO_DYNPTR: return "a dynptr";
	case UNINIT:
	case SCALAR:
	case CONST_PTR_TO_MAP:
	case PTR_TO_MAP_VALUE:
	case PTR_TO_MAP_KEY:
	case PTR_TO_BTF_ID:
	case PTR_TO_MEM:
	case REG_KINDS: break;
	}
	return "something";
}

void words_pointer(struct text *t, const struct reg *reg)
{
	put_flags(t, reg);
	text_puts(t, "pointer to ");
	if (reg->kind == PTR_TO_BTF_ID)
		text_printf(t, "%sstruct %s", reg->flags & ALLOCATED ? "an own " : "",
			    reg->btf ? btf_name(reg->btf, reg->btf_id) : "?");
	else if (reg->kind == CONST_PTR_TO_MAP)
		text_printf(t, "the map %s", map_text(reg));
	else if (reg->kind == PTR_TO_MAP_VALUE)
		text_printf(t, "a value of map %s (%u bytes)", map_text(reg),
			    reg->map ? reg->map->value_size : 0);
	else if (reg->kind == PTR_TO_MAP_KEY)
		text_printf(t, "a key of map %s (%u bytes)", map_text(reg),
			    reg->map ? reg->map->key_size : 0);
	else if (reg->kind == PTR_TO_MEM && reg->flags & RINGBUF)
		text_printf(t, "a ring-buffer record (%u bytes)", reg->mem_size);
	else if (reg->kind == PTR_TO_MEM)
		text_printf(t, "%u bytes of memory", reg->mem_size);
	else
		text_puts(t, simple_kind((enum reg_kind)reg->kind));
	if (reg->flags & MAYBE_NULL)
		text_puts(t, ", or NULL");
}

static bool has_offset(const struct reg *reg)
{
	return reg->off || !tnum_equals(reg->var.bits, 0);
}

/* What is added to both bounds must not wrap. */
static void put_offset(struct text *t, const struct reg *reg)
{
	const struct scalar *var = &reg->var;
	bool small = var->smin > -MAX_VAR_OFF && var->smax < MAX_VAR_OFF;

	if (scalar_is_const(var)) {
		put_number(t, (s64)(var->bits.value + (u64)(s64)reg->off));
	} else if (small) {
		put_from_to(t, var->smin + reg->off, var->smax + reg->off);
	} else {
		if (reg->off) {
			put_number(t, reg->off);
			text_puts(t, " plus ");
		}
		words_range(t, var);
	}
}

static void put_packet(struct text *t, const struct reg *reg)
{
	const char *start = reg->kind == PTR_TO_PACKET ? "data" : "data_meta";
	bool moved = !scalar_is_const(&reg->var);

	text_puts(t, "packet pointer, ");
	put_offset(t, reg);
	text_printf(t, " bytes behind %s; ", start);
	if ((s32)reg->range == PACKET_AT_END || (s32)reg->range == PACKET_BEYOND_END)
		text_puts(t, "at or beyond data_end here");
	else if (!reg->range)
		text_puts(t, "not compared with data_end");
	else
		text_printf(t, "%u bytes %s are known to be there", reg->range,
			    moved ? "from its unknown part on" : "of the packet");
}

static void put_stack(struct text *t, const struct reg *reg, u32 frame)
{
	text_puts(t, "pointer to the stack");
	if (reg->frame != frame)
		text_puts(t, " of a caller");
	text_puts(t, " at offset ");
	put_offset(t, reg);
}

void words_reg(struct text *t, const struct reg *reg, u32 frame)
{
	if (reg->kind == UNINIT) {
		text_puts(t, "no value");
	} else if (reg->kind == SCALAR) {
		if (scalar_is_const(&reg->var))
			text_puts(t, "the number ");
		else if (!scalar_is_const(&reg->var) && !tnum_is_unknown(reg->var.bits))
			text_puts(t, "a number, ");
		words_range(t, &reg->var);
	} else if (reg_is_packet(reg) && !(reg->flags & MAYBE_NULL)) {
		put_packet(t, reg);
	} else if (reg->kind == PTR_TO_STACK) {
		put_stack(t, reg, frame);
	} else {
		words_pointer(t, reg);
		if (has_offset(reg) && reg->kind != PTR_TO_PACKET_END &&
		    reg->kind != CONST_PTR_TO_MAP) {
			text_puts(t, ", at offset ");
			put_offset(t, reg);
		}
	}
}
