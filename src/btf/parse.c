/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text to a value of some type, for keys and values that people type.
 *
 * What value.c prints can be read: numbers, names of enumerators, "strings", { elements
 * }, { .member = value } and their JSON forms; what is left out is zero.  Beside that
 * bytes that are addresses can be written as such: 10.0.0.1, fe80::1, 02:00:00:00:00:01,
 * and keys of prefix tries as 10.0.0.0/8.  Never writes beyond the value.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/diag.h"
#include "btf/btf.h"

enum { MAX_DEPTH = BTF_MAX_DEPTH, MAX_STEPS = 1 << 20 };

struct parser {
	const struct btf *btf;
	const char *p; /* what is left of the text */
	u32 depth;
	u32 steps_left; /* members looked at: hostile anonymous ones can be endlessly many
			 */
	struct skep_diag *diag;
};

/* Where a value goes. */
struct room {
	u8 *data;
	u64 len;
};

static int parse_value(struct parser *ps, u32 id, struct room out);

static int wrong(struct parser *ps, const char *what)
{
	return fail(ps->diag, BTF_VALUE, NO_PC, what, *ps->p ? ps->p : "end");
}

static void skip_space(struct parser *ps)
{
	ps->p += strspn(ps->p, " \t\n");
}

static bool take(struct parser *ps, char c)
{
	skip_space(ps);
	if (*ps->p != c)
		return false;
	ps->p++;
	return true;
}

/* How long the number, name or address at the start of the text is. */
static size_t word_len(const struct parser *ps)
{
	return strcspn(ps->p, " \t\n,{}[]=\"");
}

static bool take_word(struct parser *ps, const char *word)
{
	if (word_len(ps) != strlen(word) || strncmp(ps->p, word, strlen(word)))
		return false;
	ps->p += strlen(word);
	return true;
}

/* ---- numbers ---- */

static void store(u8 *data, u32 size, u64 value, bool negative, bool big_endian)
{
	for (u32 i = 0; i < size; i++) {
		u8 byte = i < 8 ? (u8)(value >> (8 * i)) : negative ? 0xff : 0;

		data[big_endian ? size - 1 - i : i] = byte;
	}
}

/* Is the value one of so many bits?  Numbers that are written in hex may use the sign
 * bit. */
static bool fits(u64 value, bool negative, u32 bits, bool is_signed)
{
	if (bits >= 64)
		return !negative || is_signed;
	if (negative)
		return is_signed && (s64)value >= -(s64)(1ull << (bits - 1));
	return value < 1ull << bits;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Decimal or hex, with a sign; or a character. */
static int parse_number(struct parser *ps, u64 *value, bool *negative)
{
	const char *start = ps->p;
	u64 n = 0;

	if (ps->p[0] == '\'' && ps->p[1] && ps->p[1] != '\\' && ps->p[2] == '\'') {
		*value = (u8)ps->p[1];
		*negative = false;
		ps->p += 3;
		return 0;
	}
	*negative = *ps->p == '-';
	ps->p += *negative;
	int base = ps->p[0] == '0' && (ps->p[1] | 0x20) == 'x' ? 16 : 10;
	ps->p += base == 16 ? 2 : 0;
	const char *digits = ps->p;
	for (; digit_of(*ps->p) < base; ps->p++) {
		if (__builtin_mul_overflow(n, (u64)base, &n) ||
		    __builtin_add_overflow(n, (u64)digit_of(*ps->p), &n))
			return wrong(ps, "the number is too large");
	}
	if (ps->p == digits || word_len(ps)) {
		ps->p = start;
		return wrong(ps, "this is no number");
	}
	if (*negative && n > 1ull << 63)
		return wrong(ps, "the number is too small");
	*value = *negative ? 0 - n : n;
	*negative = *negative && n;
	return 0;
}

static bool is_enum(enum btf_kind kind)
{
	return kind == BTF_ENUM || kind == BTF_ENUM64;
}

static bool parse_enumerator(struct parser *ps, const struct btf_type *t, u64 *value)
{
	bool quoted = *ps->p == '"';

	ps->p += quoted;
	for (u32 i = 0; i < t->vlen; i++) {
		struct btf_enumerator e = btf_enumerator(ps->btf, t, i);

		if (!take_word(ps, e.name))
			continue;
		ps->p += quoted && *ps->p == '"';
		*value = e.value;
		return true;
	}
	ps->p -= quoted;
	return false;
}

/* A number, an enumerator or a truth value of so many bits. */
static int parse_scalar(struct parser *ps, const struct btf_type *t, u32 bits, u64 *value,
			bool *negative)
{
	bool is_signed = is_enum(t->kind) ? t->kind_flag
					  : t->kind == BTF_INT &&
						    (btf_int(t).encoding & BTF_SIGNED);

	*negative = false;
	if (is_enum(t->kind) && parse_enumerator(ps, t, value)) {
		*negative = t->kind_flag && (s64)*value < 0;
		return 0;
	}
	if (t->kind == BTF_INT && (btf_int(t).encoding & BTF_BOOL)) {
		*value = take_word(ps, "true");
		if (*value || take_word(ps, "false"))
			return 0;
	}
	bool quoted = t->kind == BTF_PTR && *ps->p == '"';
	const char *start = ps->p;
	ps->p += quoted;
	int err = parse_number(ps, value, negative);
	if (err)
		return err;
	ps->p += quoted && *ps->p == '"';
	if (fits(*value, *negative, bits, is_signed))
		return 0;
	ps->p = start;
	return wrong(ps, "the number does not fit");
}

static int parse_float(struct parser *ps, const struct btf_type *t, struct room out)
{
	char *end;
	double d = strtod(ps->p, &end);
	float f = (float)d;
	u64 bits = 0;
	u32 half;

	if (end == ps->p || (t->size != 4 && t->size != 8))
		return wrong(ps, "this is no float of 4 or 8 bytes");
	ps->p = end;
	memcpy(&half, &f, sizeof(half));
	memcpy(&bits, &d, sizeof(bits));
	store(out.data, t->size, t->size == 4 ? half : bits, false, t->big_endian);
	return 0;
}

/* ---- addresses ---- */

static bool parse_mac(const char *word, u8 out[6])
{
	for (int i = 0; i < 6; i++, word += 3) {
		int high = digit_of(word[0]), low = high > 15 ? 99 : digit_of(word[1]);

		if (low > 15 || word[2] != (i < 5 ? ':' : 0))
			return false;
		out[i] = (u8)(high << 4 | low);
	}
	return true;
}

/* The word as an address of exactly len bytes, in the order of the network. */
static bool parse_address(struct parser *ps, size_t word, u8 *out, u64 len)
{
	char text[INET6_ADDRSTRLEN];
	u8 address[16];
	bool ok = false;

	if (word >= sizeof(text))
		return false;
	memcpy(text, ps->p, word);
	text[word] = 0;
	if (len == 4 && strchr(text, '.'))
		ok = inet_pton(AF_INET, text, address) == 1;
	else if (len == 16 && strchr(text, ':'))
		ok = inet_pton(AF_INET6, text, address) == 1;
	else if (len == 6)
		ok = parse_mac(text, address);
	if (!ok)
		return false;
	memcpy(out, address, len);
	ps->p += word;
	return true;
}

/* A key of a prefix trie: a length in bits, then 4 or 16 bytes. */
static bool parse_prefix(struct parser *ps, const struct btf_type *t, struct room out)
{
	size_t word = word_len(ps), address = strcspn(ps->p, "/");
	const char *start = ps->p;
	u64 bits;
	bool negative;

	if (t->kind != BTF_STRUCT || (t->size != 8 && t->size != 20) || address >= word ||
	    !parse_address(ps, address, out.data + 4, t->size - 4))
		return false;
	ps->p++;
	if (digit_of(*ps->p) < 10 && !parse_number(ps, &bits, &negative) &&
	    bits <= 8 * (t->size - 4)) {
		store(out.data, 4, bits, false, t->big_endian);
		return true;
	}
	ps->p = start;
	return false;
}

/* ---- strings and lists ---- */

static int escape_of(struct parser *ps)
{
	static const char names[] = "ntr0\"\\", values[] = "\n\t\r\0\"\\";
	const char *name = *ps->p ? strchr(names, *ps->p) : NULL;

	if (!name)
		return -1;
	ps->p++;
	return (u8)values[name - names];
}

static int parse_string(struct parser *ps, struct room out)
{
	u64 n = 0;

	for (ps->p++; *ps->p && *ps->p != '"';) {
		int c = (u8)*ps->p++;

		if (c == '\\')
			c = escape_of(ps);
		if (c < 0)
			return wrong(ps, "this escape is not known");
		if (n == out.len)
			return wrong(ps, "the string is too long");
		out.data[n++] = (u8)c;
	}
	return take(ps, '"') ? 0 : wrong(ps, "the string does not end");
}

static int parse_array(struct parser *ps, const struct btf_type *t, struct room out)
{
	struct btf_array a = btf_array(t);
	s64 size = btf_size(ps->btf, a.type);
	char close = *ps->p == '[' ? ']' : '}';

	if (size == 1 && *ps->p == '"')
		return parse_string(ps, out);
	if (size == 1 && parse_address(ps, word_len(ps), out.data, out.len))
		return 0;
	if (!take(ps, '{') && !take(ps, '['))
		return wrong(ps, "here begins an array");
	for (u32 i = 0; !take(ps, close); i++) {
		if (i && !take(ps, ','))
			return wrong(ps, "a comma or the end of the array is missing");
		if (i && take(ps, close))
			break;
		if (i >= a.nelems)
			return wrong(ps, "the array has no more elements");
		int err = parse_value(ps, a.type,
				      (struct room){out.data + i * (u64)size, (u64)size});
		if (err)
			return err;
	}
	return 0;
}

static void store_bits(struct room out, const struct btf_member *m, u64 value,
		       bool big_endian)
{
	for (u32 i = 0; i < m->bit_size; i++) {
		u32 at = m->bit_offset + (big_endian ? m->bit_size - 1 - i : i);
		u8 mask = (u8)(big_endian ? 0x80 >> at % 8 : 1 << at % 8);

		out.data[at / 8] &= (u8)~mask;
		if (i < 64 && value >> i & 1)
			out.data[at / 8] |= mask;
	}
}

static int parse_member(struct parser *ps, const struct btf_member *m, struct room out)
{
	struct btf_type t = btf_type(ps->btf, btf_resolve(ps->btf, m->type));
	s64 size = btf_size(ps->btf, m->type);
	u64 bits = m->bit_size ? m->bit_size : size < 0 ? 0 : 8 * (u64)size;
	bool negative;
	u64 value;

	if (size < 0 || m->bit_offset + bits > 8 * out.len)
		return wrong(ps, "this member has no place in its struct");
	if (!m->bit_size)
		return parse_value(
			ps, t.id, (struct room){out.data + m->bit_offset / 8, (u64)size});
	if (t.kind != BTF_INT && !is_enum(t.kind))
		return wrong(ps, "this bit field has an odd type");
	int err = parse_scalar(ps, &t, m->bit_size, &value, &negative);
	if (!err)
		store_bits(out, m, value, t.big_endian);
	return err;
}

/* The member of that name, also inside of anonymous ones; its offset is then that in t.
 */
static bool find_member(struct parser *ps, const struct btf_type *t, const char *name,
			size_t len, struct btf_member *out)
{
	for (u32 i = 0; i < t->vlen && ps->steps_left; i++) {
		ps->steps_left--;
		struct btf_member m = btf_member(ps->btf, t, i);
		struct btf_type inner = btf_type(ps->btf, btf_resolve(ps->btf, m.type));
		bool found = strlen(m.name) == len && !strncmp(m.name, name, len);

		if (!*m.name && (inner.kind == BTF_STRUCT || inner.kind == BTF_UNION)) {
			found = find_member(ps, &inner, name, len, out);
			if (found)
				out->bit_offset += m.bit_offset;
		} else if (found) {
			*out = m;
		}
		if (found)
			return true;
	}
	return false;
}

/* ".name =" or "\"name\":" before a value; 1: *m is that member, 0: there is none, errno.
 */
static int parse_designator(struct parser *ps, const struct btf_type *t,
			    struct btf_member *m)
{
	bool quoted = take(ps, '"');

	if (!quoted && !take(ps, '.'))
		return 0;
	size_t len = strcspn(ps->p, quoted ? "\"" : " \t\n=,{}");
	if (!len || !find_member(ps, t, ps->p, len, m))
		return wrong(ps, "there is no such member");
	ps->p += len + (quoted && ps->p[len]);
	return take(ps, quoted ? ':' : '=') ? 1
					    : wrong(ps, "the member's value is missing");
}

static int parse_struct(struct parser *ps, const struct btf_type *t, struct room out)
{
	struct btf_member m;

	if (parse_prefix(ps, t, out))
		return 0;
	if (!take(ps, '{'))
		return wrong(ps, "here begins a struct");
	for (u32 i = 0; !take(ps, '}'); i++) {
		if (i && !take(ps, ','))
			return wrong(ps, "a comma or the end of the struct is missing");
		if (i && take(ps, '}'))
			break;
		int named = parse_designator(ps, t, &m);
		if (named < 0)
			return named;
		if (!named && i >= t->vlen)
			return wrong(ps, "the struct has no more members");
		if (!named)
			m = btf_member(ps->btf, t, i);
		int err = parse_member(ps, &m, out);
		if (err)
			return err;
	}
	return 0;
}

static int parse_whole(struct parser *ps, const struct btf_type *t, struct room out)
{
	bool negative;
	u64 value;

	/* An address in an integer is one in the order of the network. */
	if (t->kind == BTF_INT && parse_address(ps, word_len(ps), out.data, out.len))
		return 0;
	int err = parse_scalar(ps, t, 8 * (u32)out.len, &value, &negative);
	if (!err)
		store(out.data, (u32)out.len, value, negative,
		      btf_is_big_endian(ps->btf));
	return err;
}

static int parse_kind(struct parser *ps, const struct btf_type *t, struct room out)
{
	switch (t->kind) {
	case BTF_INT:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_PTR: return parse_whole(ps, t, out);
	case BTF_FLOAT: return parse_float(ps, t, out);
	case BTF_ARRAY: return parse_array(ps, t, out);
	case BTF_STRUCT:
	case BTF_UNION: return parse_struct(ps, t, out);
	case BTF_VAR: return parse_value(ps, t->type, out);
	case BTF_VOID:
	case BTF_FWD:
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_FUNC:
	case BTF_FUNC_PROTO:
	case BTF_DATASEC:
	case BTF_DECL_TAG:
	case BTF_TYPE_TAG:
	case BTF_KINDS: break;
	}
	return wrong(ps, "values of this type cannot be written");
}

static int parse_value(struct parser *ps, u32 id, struct room out)
{
	struct btf_type t = btf_type(ps->btf, btf_resolve(ps->btf, id));
	s64 size = btf_size(ps->btf, t.id);

	skip_space(ps);
	if (size < 0 || (u64)size > out.len)
		return wrong(ps, "the type of this value has no size, or a larger one");
	if (ps->depth == MAX_DEPTH)
		return wrong(ps, "this is nested too deep");
	out.len = (u64)size;
	ps->depth++;
	int err = parse_kind(ps, &t, out);
	ps->depth--;
	return err;
}

int btf_parse_value(const struct btf *btf, u32 id, const char *text, u8 *out, u64 len,
		    struct skep_diag *diag)
{
	struct parser ps = {.btf = btf, .p = text, .steps_left = MAX_STEPS, .diag = diag};

	if (btf_size(btf, id) != (s64)len)
		return fail(diag, BTF_VALUE, NO_PC,
			    "the value's size is not that of its type", text);
	if (len)
		memset(out, 0, len);
	int err = parse_value(&ps, id, (struct room){out, len});
	skip_space(&ps);
	if (!err && *ps.p)
		err = wrong(&ps, "something follows the value");
	return err;
}
