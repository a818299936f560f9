/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted text for programs.
 *
 * Linux first copies all arguments into 512 bytes, checking the format on the way, and
 * prints from there; both halves are visible (what is refused, where strings are cut), so
 * here the text is gone through twice: once to refuse, once to print.  Symbols are
 * unknown in user space: %ps, %pS and %pB print the address, as Linux does for an address
 * without a symbol.  %p prints a hash of the address, never the address.
 */
#include "helpers/format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "helpers/chars.h"
#include "world/world.h"

enum { ARG_BYTES = 512, MAX_WIDTH = (1 << 23) - 1 };

enum spec_kind {
	SPEC_INT,     /* %d %i %u %x %X, with l and ll */
	SPEC_CHAR,    /* %c */
	SPEC_STRING,  /* %s */
	SPEC_COPY,    /* %pks %pus: as %s, but never padded */
	SPEC_HASHED,  /* %p %pK */
	SPEC_ADDRESS, /* %px */
	SPEC_SYMBOL,  /* %ps %pS */
	SPEC_CALLER,  /* %pB: never padded */
	SPEC_IP,      /* %pi4 %pI4 %pi6 %pI6 */
};

struct spec {
	enum spec_kind kind;
	bool minus, plus, space, zero;
	u32 width;   /* 0: none */
	u32 size;    /* SPEC_INT: 4 or 8 bytes; SPEC_IP: 4 or 16 */
	char letter; /* SPEC_INT: conversion; SPEC_IP: i or I */
};

/* What is being written. */
struct out {
	char *dst;
	u32 size;
	u64 len;  /* of the whole text */
	u32 used; /* of ARG_BYTES */
};

/* ---- the text ---- */

static void put(struct out *o, const char *s, u64 n)
{
	if (o->len < o->size)
		memcpy(o->dst + o->len, s, min_u64(n, o->size - o->len));
	o->len += n;
}

static void pad(struct out *o, char c, u64 n)
{
	if (o->len < o->size)
		memset(o->dst + o->len, c, min_u64(n, o->size - o->len));
	o->len += n;
}

static void put_padded(struct out *o, const struct spec *spec, const char *s, u64 n)
{
	u64 fill = spec->width > n ? spec->width - n : 0;

	if (!spec->minus)
		pad(o, ' ', fill);
	put(o, s, n);
	if (spec->minus)
		pad(o, ' ', fill);
}

/* digits: without sign */
static void put_number(struct out *o, const struct spec *spec, const char *sign,
		       const char *digits)
{
	u64 n = strlen(digits), n_sign = strlen(sign);
	u64 fill = spec->width > n + n_sign ? spec->width - n - n_sign : 0;
	bool zeroes = spec->zero && !spec->minus;

	if (!spec->minus && !zeroes)
		pad(o, ' ', fill);
	put(o, sign, n_sign);
	if (zeroes)
		pad(o, '0', fill);
	put(o, digits, n);
	if (spec->minus)
		pad(o, ' ', fill);
}

static void put_int(struct out *o, const struct spec *spec, u64 value)
{
	bool is_signed = spec->letter == 'd' || spec->letter == 'i', negative;
	const char *sign = "";
	char digits[24];

	if (spec->size == 4)
		value = is_signed ? (u64)(s64)(s32)value : (u32)value;
	negative = is_signed && (s64)value < 0;
	if (negative)
		sign = "-";
	else if (is_signed && (spec->plus || spec->space))
		sign = spec->plus ? "+" : " ";
	snprintf(digits, sizeof(digits),
		 spec->letter == 'x'   ? "%llx"
		 : spec->letter == 'X' ? "%llX"
				       : "%llu",
		 (unsigned long long)(negative ? -value : value));
	put_number(o, spec, sign, digits);
}

static void put_address(struct out *o, const struct spec *spec, u64 value)
{
	struct spec number = *spec;
	char digits[24];

	if (!number.width) {
		number.width = 16;
		number.zero = true;
	}
	snprintf(digits, sizeof(digits), "%llx", (unsigned long long)value);
	put_number(o, &number, "", digits);
}

/* Addresses must not leak; what is no address (NULL, an error number) stays readable. */
static void put_hashed(struct out *o, const struct spec *spec, u64 value)
{
	bool no_address = !value || value >= (u64)-4095;

	put_address(o, spec, no_address ? value : hash_bytes(&value, sizeof(value), 0));
}

static void put_ipv4(struct out *o, const u8 *ip, bool zeroes)
{
	char text[16];
	int n = snprintf(text, sizeof(text),
			 zeroes ? "%03u.%03u.%03u.%03u" : "%u.%u.%u.%u", ip[0], ip[1],
			 ip[2], ip[3]);

	put(o, text, (u64)n);
}

static void put_ipv6(struct out *o, const u8 *ip, bool colons)
{
	for (u32 i = 0; i < 16; i += 2) {
		char text[8];
		int n = snprintf(text, sizeof(text), "%02x%02x%s", ip[i], ip[i + 1],
				 colons && i < 14 ? ":" : "");

		put(o, text, (u64)n);
	}
}

/* ---- one argument: counts what it takes of ARG_BYTES, then prints it ---- */

static int put_ip(struct out *o, const struct format *f, const struct spec *spec,
		  u64 addr)
{
	u64 before = o->len;
	u8 ip[16];

	if (ARG_BYTES - o->used < spec->size)
		return -ENOSPC;
	f->world->ops->read_memory(f->world, ip, spec->size, addr);
	if (spec->size == 4)
		put_ipv4(o, ip, spec->letter == 'i');
	else
		put_ipv6(o, ip, spec->letter == 'I');
	o->used += (u32)(o->len - before) + 1;
	return 0;
}

static int put_string(struct out *o, const struct format *f, const struct spec *spec,
		      u64 addr)
{
	struct spec unpadded = {0};
	char text[ARG_BYTES];
	s64 n;

	if (o->used == ARG_BYTES)
		return -ENOSPC;
	n = read_string(f->world, text, ARG_BYTES - o->used, addr);
	if (n < 0)
		n = 1; /* an empty string */
	put_padded(o, spec->kind == SPEC_COPY ? &unpadded : spec, text, (u64)n - 1);
	o->used += (u32)n;
	return 0;
}

static void put_symbol(struct out *o, const struct spec *spec, u64 addr)
{
	struct spec unpadded = {0};
	char text[24];
	int n = snprintf(text, sizeof(text), "0x%llx", (unsigned long long)addr);

	put_padded(o, spec->kind == SPEC_CALLER ? &unpadded : spec, text, (u64)n);
	if (spec->kind == SPEC_CALLER)
		o->used += (u32)n + 1;
}

/* Numbers lie at multiples of 4. */
static int take(struct out *o, u32 size)
{
	o->used = (u32)round_up(o->used, 4);
	if (o->used > ARG_BYTES || ARG_BYTES - o->used < size)
		return -ENOSPC;
	o->used += size;
	return 0;
}

static int put_arg(struct out *o, const struct format *f, const struct spec *spec,
		   u64 arg)
{
	char c = (char)arg;
	int err = 0;

	if (o->used > ARG_BYTES)
		return -ENOSPC;
	switch (spec->kind) {
	case SPEC_INT:
		err = take(o, spec->size);
		put_int(o, spec, arg);
		return err;
	case SPEC_HASHED:
		err = take(o, 8);
		put_hashed(o, spec, arg);
		return err;
	case SPEC_ADDRESS:
		err = take(o, 8);
		put_address(o, spec, arg);
		return err;
	case SPEC_SYMBOL:
		err = take(o, 8);
		put_symbol(o, spec, arg);
		return err;
	case SPEC_CALLER: put_symbol(o, spec, arg); return 0;
	case SPEC_CHAR:
		if (o->used++ == ARG_BYTES)
			return -ENOSPC;
		put_padded(o, spec, &c, 1);
		return 0;
	case SPEC_STRING:
	case SPEC_COPY: return put_string(o, f, spec, arg);
	case SPEC_IP: return put_ip(o, f, spec, arg);
	}
	return err;
}

/* ---- the format ---- */

static bool ends_word(u8 c)
{
	return !c || is_space(c) || is_punctuation(c);
}

static const char *parse_flags(const char *s, struct spec *spec)
{
	for (;; s++) {
		switch (*s) {
		case '0': spec->zero = true; break;
		case '+': spec->plus = true; break;
		case '-': spec->minus = true; break;
		case ' ': spec->space = true; break;
		default: return s;
		}
	}
}

static const char *parse_width(const char *s, struct spec *spec)
{
	u64 width = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		width = min_u64(width * 10 + (u64)(*s - '0'), MAX_WIDTH);
	spec->width = (u32)width;
	return s;
}

static const char *skip_word(const char *s)
{
	while (is_alnum((u8)*s))
		s++;
	return s;
}

/* s: behind the p.  Letters that follow an address are swallowed, as in Linux.  NULL:
 * refused. */
static const char *parse_pointer(const char *s, struct spec *spec)
{
	if (ends_word((u8)*s)) {
		spec->kind = SPEC_HASHED;
		return s;
	}
	if ((*s == 'k' || *s == 'u') && s[1] == 's') {
		spec->kind = SPEC_COPY;
		return ends_word((u8)s[2]) ? s + 2 : NULL;
	}
	switch (*s) {
	case 'K': spec->kind = SPEC_HASHED; return skip_word(s);
	case 'x': spec->kind = SPEC_ADDRESS; return skip_word(s);
	case 's':
	case 'S': spec->kind = SPEC_SYMBOL; return skip_word(s);
	case 'B': spec->kind = SPEC_CALLER; return skip_word(s);
	case 'i':
	case 'I':
		if (s[1] != '4' && s[1] != '6')
			return NULL;
		spec->kind = SPEC_IP;
		spec->letter = *s;
		spec->size = s[1] == '4' ? 4 : 16;
		return skip_word(s);
	default: return NULL;
	}
}

static const char *parse_int(const char *s, struct spec *spec)
{
	spec->kind = SPEC_INT;
	spec->size = *s == 'l' ? 8 : 4;
	for (u32 i = 0; i < 2 && *s == 'l'; i++)
		s++;
	spec->letter = *s;
	return *s && strchr("diuxX", *s) ? s + 1 : NULL;
}

/* s: behind the %; returns what follows the specifier, or NULL: refused. */
static const char *parse_spec(const char *s, struct spec *spec)
{
	*spec = (struct spec){0};
	s = parse_width(parse_flags(s, spec), spec);
	switch (*s) {
	case 'p': return parse_pointer(s + 1, spec);
	case 's': spec->kind = SPEC_STRING; return ends_word((u8)s[1]) ? s + 1 : NULL;
	case 'c': spec->kind = SPEC_CHAR; return s + 1;
	default: return parse_int(s, spec);
	}
}

static bool refused_char(u8 c)
{
	return c < 0x80 && is_control(c) && !is_space(c);
}

/* Goes through the whole format: 0, or why it is refused. */
static int print(const struct format *f, struct out *o)
{
	const char *s = (const char *)f->text.data;
	u32 arg = 0;

	while (*s) {
		struct spec spec;
		int err;

		if (refused_char((u8)*s))
			return -EINVAL;
		if (*s != '%' || s[1] == '%') {
			put(o, s, 1);
			s += *s == '%' ? 2 : 1;
			continue;
		}
		if (arg >= f->n_args)
			return -EINVAL;
		s = parse_spec(s + 1, &spec);
		if (!s)
			return -EINVAL;
		err = put_arg(o, f, &spec, load_u64(f->args + arg++));
		if (err)
			return err;
	}
	return 0;
}

s64 format_text(const struct format *f, char *dst, u32 size)
{
	struct out dry = {0}, out = {.dst = dst, .size = size ? size - 1 : 0};
	int err = bytes_string(f->text, 0) ? print(f, &dry) : -EINVAL;

	if (err)
		return err;
	print(f, &out);
	if (size)
		dst[min_u64(out.len, size - 1)] = 0;
	return (s64)out.len;
}
