/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts: which field an access through R1 touches, and whether Linux allows it.
 *
 * The rows of all contexts stand in one table; each context is a slice of it.  Never
 * does: look at memory.  Linux' documentation: bpf/prog_*.rst, and struct comments in
 * <linux/bpf.h>.
 */
#include <string.h>

#include "abi/abi.h"

/* What the columns of ctx.def are made of. */
enum {
#define P(name, number, ...) name = 1ull << number,
#include "abi/prog_types.def"
#undef P
	TC = SCHED_CLS | SCHED_ACT,
	LWT = LWT_IN | LWT_OUT | LWT_XMIT | LWT_SEG6LOCAL,
	SKB = SOCKET_FILTER | TC | LWT | CGROUP_SKB | SK_SKB,
};

#define ON(name) (1ull << ATTACH_##name)
enum {
	ADDR4 = ON(CGROUP_INET4_BIND) | ON(CGROUP_INET4_CONNECT) |
		ON(CGROUP_INET4_GETPEERNAME) | ON(CGROUP_INET4_GETSOCKNAME) |
		ON(CGROUP_UDP4_SENDMSG) | ON(CGROUP_UDP4_RECVMSG),
	ADDR6 = ON(CGROUP_INET6_BIND) | ON(CGROUP_INET6_CONNECT) |
		ON(CGROUP_INET6_GETPEERNAME) | ON(CGROUP_INET6_GETSOCKNAME) |
		ON(CGROUP_UDP6_SENDMSG) | ON(CGROUP_UDP6_RECVMSG),
};

/* struct pt_regs as programs see it on this host. */
#if defined(__x86_64__)
enum { PT_REGS = 168 };
#elif defined(__aarch64__)
enum { PT_REGS = 272 };
#else
enum { PT_REGS = 256 };
#endif

/* An array of fields for each context ... */
#define BEGIN(text) static const struct abi_ctx_field fields_of_##text[] = {
#define END(text, n)                                                                     \
	}                                                                                \
	;
#define END_OPEN END
#define F(...)   F_SINCE(3, 18, __VA_ARGS__)
#define F_SINCE(major, minor, text, off, width, n, what, how, by, into, at)              \
	{                                                                                \
		.since = ABI_LINUX(major, minor),                                        \
		.name = #text,                                                           \
		.offset = (off),                                                         \
		.unit = (width),                                                         \
		.count = (n),                                                            \
		.value = CTX_##what,                                                     \
		.rule = CTX_##how,                                                       \
		.readers = (by),                                                         \
		.writers = (into),                                                       \
		.attach = (at),                                                          \
	},
#include "abi/ctx.def"
#undef F_SINCE
#undef F
#undef END_OPEN
#undef END
#undef BEGIN

/* ... and one of the contexts.  Who reads any of its fields: 0 | by | by ... */
static const struct abi_ctx contexts[] = {
#define BEGIN(text)                                                                      \
	{                                                                                \
		.name = #text, .readers = 0

#define F_SINCE(major, minor, text, off, width, n, what, how, by, into, at) | (by)

#define F(...) F_SINCE(3, 18, __VA_ARGS__)

#define CONTEXT(text, bytes, is_open)                                                    \
	, .size = (bytes), .open = (is_open), .fields = fields_of_##text,                \
	  .n_fields = ARRAY_SIZE(fields_of_##text)                                       \
	}                                                                                \
	,
#define END(text, bytes)      CONTEXT(text, bytes, false)
#define END_OPEN(text, bytes) CONTEXT(text, bytes, true)
#include "abi/ctx.def"
#undef END_OPEN
#undef END
#undef CONTEXT
#undef F
#undef F_SINCE
#undef BEGIN
};

const struct abi_ctx *abi_find_ctx(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(contexts); i++) {
		if (!strcmp(contexts[i].name, name))
			return &contexts[i];
	}
	return NULL;
}

/* The one in which that type may read something. */
const struct abi_ctx *abi_ctx(u32 prog_type)
{
	if (prog_type >= PROG_TYPES)
		return NULL;
	for (u32 i = 0; i < ARRAY_SIZE(contexts); i++) {
		if (contexts[i].readers >> prog_type & 1)
			return &contexts[i];
	}
	return NULL;
}

static u32 field_size(const struct abi_ctx_field *field)
{
	return (u32)field->unit * field->count;
}

static bool is_for(const struct abi_ctx_field *field, const struct abi_ctx_access *access)
{
	u64 types = access->write ? field->writers : field->readers;

	return access->prog_type < PROG_TYPES && types >> access->prog_type & 1 &&
	       (!field->attach || (access->attach_type < ATTACH_TYPES &&
				   field->attach >> access->attach_type & 1));
}

/* off: in the field. */
static bool fits(const struct abi_ctx_field *field, u32 off,
		 const struct abi_ctx_access *access)
{
	u32 in_unit = off % field->unit;
	bool whole = access->size == field->unit && !in_unit;
	bool part = !access->write && access->size < field->unit;

	switch ((enum abi_ctx_rule)field->rule) {
	case CTX_WHOLE: return whole;
	case CTX_NARROW: return whole || part;
	case CTX_NARROW2: return whole || (part && access->size >= 2);
	case CTX_START: return whole || (part && !in_unit);
	case CTX_WIDE: return whole || part || access->size == 8;
	case CTX_ANY: return true;
	}
	return false;
}

/* Is the access to the field and aligned to its own size, and may it touch that part? */
static bool is_within(const struct abi_ctx_field *field,
		      const struct abi_ctx_access *access)
{
	u32 off = access->offset - field->offset;

	if (!access->size || access->size > 8 || access->size & (access->size - 1) ||
	    access->offset % access->size)
		return false;
	return access->offset >= field->offset && off < field_size(field) &&
	       access->size <= field_size(field) - off && fits(field, off, access);
}

const struct abi_ctx_field *abi_ctx_allows(const struct abi_ctx *ctx,
					   const struct abi_ctx_access *access)
{
	for (u32 i = 0; i < ctx->n_fields; i++) {
		const struct abi_ctx_field *field = &ctx->fields[i];

		if (is_for(field, access) && is_within(field, access))
			return field;
	}
	return NULL;
}

const struct abi_ctx_field *abi_ctx_has(const struct abi_ctx *ctx, u32 offset, u32 size)
{
	struct abi_ctx_access access = {.offset = offset, .size = size};

	for (u32 i = 0; i < ctx->n_fields; i++) {
		if (is_within(&ctx->fields[i], &access))
			return &ctx->fields[i];
	}
	return NULL;
}

const struct abi_ctx_field *abi_ctx_field(const struct abi_ctx *ctx, u32 offset)
{
	for (u32 i = 0; i < ctx->n_fields; i++) {
		const struct abi_ctx_field *field = &ctx->fields[i];

		if (offset >= field->offset && offset - field->offset < field_size(field))
			return field;
	}
	return NULL;
}
