/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A value of some type, as text: as C would initialise it, or as JSON.
 *
 * The bytes may be fewer than the type has: what is not there is left out.  Members may
 * overlap and stick out, as nobody promised otherwise; every read is checked against the
 * bytes.  Never prints more than a budget.
 */
#include <math.h>

#include "base/text.h"
#include "btf/btf.h"

enum { MAX_LEN = 16 << 20, MAX_STEPS = 4 << 20, MAX_DEPTH = 2 * BTF_MAX_DEPTH };

struct value_printer {
	struct text *t;
	const struct btf *btf;
	struct btf_value_style style;
	u32 indent, depth;
	size_t max_len;
	u32 steps_left; /* members and elements: hostile types have endlessly many of no
			   size */
};

static bool is_json(const struct value_printer *p)
{
	return p->style.format == BTF_VALUE_JSON;
}

static void put_value(struct value_printer *p, u32 id, struct bytes data);

static bool spend(struct value_printer *p)
{
	if (!p->steps_left || p->t->len >= p->max_len)
		return false;
	p->steps_left--;
	return true;
}

/* ---- lists ---- */

/* The brackets around members or elements, and what stands between them. */
struct list {
	char open, close;
	bool empty, lines;
};

static void new_line(struct value_printer *p)
{
	text_puts(p->t, "\n");
	for (u32 i = 0; i < p->indent; i++)
		text_puts(p->t, "\t");
}

static struct list open_list(struct value_printer *p, bool json_array, bool lines)
{
	struct list l = {'{', '}', true, lines && p->style.multi_line};

	if (json_array && is_json(p)) {
		l.open = '[';
		l.close = ']';
	}
	text_write(p->t, &l.open, 1);
	p->indent += l.lines;
	return l;
}

static void next_item(struct value_printer *p, struct list *l)
{
	if (!l->empty)
		text_puts(p->t, l->lines ? "," : ", ");
	if (l->lines)
		new_line(p);
	l->empty = false;
}

static void close_list(struct value_printer *p, const struct list *l)
{
	p->indent -= l->lines;
	if (l->lines && !l->empty)
		new_line(p);
	text_write(p->t, &l->close, 1);
}

/* ---- scalars ---- */

static void put_quoted(struct value_printer *p, const char *s, size_t len)
{
	text_puts(p->t, "\"");
	for (size_t i = 0; i < len; i++) {
		u8 c = (u8)s[i];

		if (c == '"' || c == '\\')
			text_printf(p->t, "\\%c", c);
		else if (c == '\n')
			text_puts(p->t, "\\n");
		else if (c == '\t')
			text_puts(p->t, "\\t");
		else if (c == '\r')
			text_puts(p->t, "\\r");
		else if (c < 0x20 || c >= 0x7f)
			text_printf(p->t, is_json(p) ? "\\u%04x" : "\\%03o", c);
		else
			text_write(p->t, &s[i], 1);
	}
	text_puts(p->t, "\"");
}

/* An integer of up to 16 bytes: the low and the high half. */
struct wide {
	u64 low, high;
};

static struct wide read_bytes(const u8 *data, u32 size, bool big_endian)
{
	struct wide w = {0};

	for (u32 i = 0; i < size; i++) {
		u8 byte = data[big_endian ? i : size - 1 - i];

		w.high = w.high << 8 | w.low >> 56;
		w.low = w.low << 8 | byte;
	}
	return w;
}

static struct wide shift_right(struct wide w, u32 n)
{
	if (n >= 64)
		return (struct wide){n >= 128 ? 0 : w.high >> (n - 64), 0};
	if (!n)
		return w;
	return (struct wide){w.low >> n | w.high << (64 - n), w.high >> n};
}

/* Only the low bits of it, with the sign drawn out where there is one. */
static struct wide take_bits(struct wide w, u32 bits, bool is_signed)
{
	if (bits >= 128)
		return w;
	bool negative = is_signed && bits && (shift_right(w, bits - 1).low & 1);
	u64 fill = negative ? ~0ull : 0;
	if (bits > 64) {
		u64 mask = ~0ull << (bits - 64);

		w.high = (w.high & ~mask) | (fill & mask);
		return w;
	}
	u64 mask = bits == 64 ? 0 : ~0ull << bits;
	return (struct wide){(w.low & ~mask) | (fill & mask), fill};
}

static void put_wide(struct value_printer *p, struct wide w)
{
	const char *quote = is_json(p) ? "\"" : "";

	text_printf(p->t, "%s0x%llx%016llx%s", quote, (unsigned long long)w.high,
		    (unsigned long long)w.low, quote);
}

static bool is_char(const struct btf_type *t)
{
	return t->kind == BTF_INT && t->size == 1 &&
	       ((btf_int(t).encoding & BTF_CHAR) || !strcmp(t->name, "char"));
}

static void put_int(struct value_printer *p, const struct btf_type *t, struct wide w)
{
	u8 encoding = btf_int(t).encoding;

	if ((encoding & BTF_BOOL) && w.low <= 1 && !w.high)
		text_puts(p->t, w.low ? "true" : "false");
	else if (is_char(t) && !is_json(p) && w.low >= 0x20 && w.low < 0x7f)
		text_printf(p->t, w.low == '\'' || w.low == '\\' ? "'\\%c'" : "'%c'",
			    (char)w.low);
	else if (!w.high)
		text_printf(p->t, "%llu", (unsigned long long)w.low);
	else if ((encoding & BTF_SIGNED) && w.high == ~0ull && w.low >> 63)
		text_printf(p->t, "%lld", (long long)w.low);
	else
		put_wide(p, w);
}

static void put_enum(struct value_printer *p, const struct btf_type *t, u64 value)
{
	u32 bits = t->size * 8;
	u64 mask = bits >= 64 ? ~0ull : (1ull << bits) - 1;

	for (u32 i = 0; i < t->vlen; i++) {
		struct btf_enumerator e = btf_enumerator(p->btf, t, i);

		if ((e.value & mask) != (value & mask))
			continue;
		if (is_json(p))
			put_quoted(p, e.name, strlen(e.name));
		else
			text_puts(p->t, e.name);
		return;
	}
	if (t->kind_flag)
		text_printf(p->t, "%lld", (long long)value);
	else
		text_printf(p->t, "%llu", (unsigned long long)value);
}

static bool is_enum(enum btf_kind kind)
{
	return kind == BTF_ENUM || kind == BTF_ENUM64;
}

static bool is_signed(const struct btf_type *t)
{
	return is_enum(t->kind) ? t->kind_flag : (btf_int(t).encoding & BTF_SIGNED) != 0;
}

static void put_number(struct value_printer *p, const struct btf_type *t, struct wide w)
{
	if (is_enum(t->kind))
		put_enum(p, t, w.low);
	else
		put_int(p, t, w);
}

/* An integer or an enum that fills its bytes; those of old compilers may be bit fields by
 * themselves. */
static void put_whole(struct value_printer *p, const struct btf_type *t, const u8 *data)
{
	struct wide w = read_bytes(data, t->size, t->big_endian);
	struct btf_int i = {.bits = (u8)(8 * t->size)};

	if (t->kind == BTF_INT)
		i = btf_int(t);
	u32 skip = t->big_endian ? 8 * t->size - i.bit_offset - i.bits : i.bit_offset;
	put_number(p, t, take_bits(shift_right(w, skip), i.bits, is_signed(t)));
}

static void put_double(struct value_printer *p, double d, int digits)
{
	const char *quote = is_json(p) && !isfinite(d) ? "\"" : "";

	text_printf(p->t, "%s%.*g%s", quote, digits, d, quote);
}

static void put_hex(struct value_printer *p, const u8 *data, u32 size)
{
	text_puts(p->t, "\"");
	for (u32 i = 0; i < size; i++)
		text_printf(p->t, "%02x", data[i]);
	text_puts(p->t, "\"");
}

static void put_float(struct value_printer *p, const struct btf_type *t, const u8 *data)
{
	struct wide w = read_bytes(data, t->size, t->big_endian);
	u32 low = (u32)w.low;
	double d;
	float f;

	if (t->size == 4) {
		memcpy(&f, &low, sizeof(f));
		put_double(p, f, 9);
	} else if (t->size == 8) {
		memcpy(&d, &w.low, sizeof(d));
		put_double(p, d, 17);
	} else {
		put_hex(p, data, t->size); /* every machine has another one */
	}
}

static void put_pointer(struct value_printer *p, const u8 *data)
{
	struct wide w =
		read_bytes(data, btf_pointer_size(p->btf), btf_is_big_endian(p->btf));
	const char *quote = is_json(p) ? "\"" : "";

	text_printf(p->t, "%s0x%llx%s", quote, (unsigned long long)w.low, quote);
}

/* ---- bit fields ---- */

/* Where the bits of a bit field are in the bytes of its struct; false: not there. */
static bool read_bits(const struct value_printer *p, const struct btf_member *m,
		      bool sign, struct bytes data, struct wide *out)
{
	u32 first = m->bit_offset / 8, last = (m->bit_offset + m->bit_size - 1) / 8;
	bool big = btf_is_big_endian(p->btf);
	struct bytes raw = bytes_slice(data, first, last - first + 1);

	/* 128 bits that start in the middle of a byte would need 17: nobody has those. */
	if (!raw.data || raw.len > 16)
		return false;
	struct wide w = read_bytes(raw.data, (u32)raw.len, big);
	u32 start = m->bit_offset % 8;
	u32 skip = big ? 8 * (u32)raw.len - start - m->bit_size : start;
	*out = take_bits(shift_right(w, skip), m->bit_size, sign);
	return true;
}

/* ---- arrays ---- */

/* The length of the string that these chars are, or -1: they are none. */
static s64 string_len(struct bytes b)
{
	const u8 *end = b.len ? memchr(b.data, 0, b.len) : NULL;
	u64 len = end ? (u64)(end - b.data) : b.len;

	for (u64 i = 0; i < len; i++) {
		u8 c = b.data[i];

		if ((c < 0x20 || c >= 0x7f) && c != '\n' && c != '\t' && c != '\r')
			return -1;
	}
	return bytes_all_zero((struct bytes){b.data + len, b.len - len}) ? (s64)len : -1;
}

static void put_element(struct value_printer *p, const struct btf_array *a,
			struct bytes part, bool hex)
{
	if (hex)
		text_printf(p->t, "0x%02x", part.data[0]);
	else
		put_value(p, a->type, part);
}

/* How many elements the bytes have, without the zeroes at the end if these are not
 * wanted. */
static u64 shown_elements(const struct value_printer *p, const struct btf_array *a,
			  s64 size, struct bytes data)
{
	u64 n = a->nelems;

	if (size < 0 || (!size && p->style.skip_zeroes))
		return 0;
	if (!size)
		return n;
	n = min_u64(n, data.len / (u64)size);
	while (p->style.skip_zeroes && n &&
	       bytes_all_zero(bytes_slice(data, (n - 1) * (u64)size, (u64)size)))
		n--;
	return n;
}

/* Byte arrays are addresses and digests more often than numbers: C shows them in hex. */
static bool is_byte(const struct btf_type *t)
{
	return t->kind == BTF_INT && t->size == 1 && !is_char(t) && !btf_int(t).encoding;
}

static void put_array(struct value_printer *p, const struct btf_array *a,
		      struct bytes data)
{
	struct btf_type elem = btf_type(p->btf, btf_resolve(p->btf, a->type));
	s64 size = btf_size(p->btf, a->type), len = -1;
	u64 n;

	if (is_char(&elem))
		len = string_len((struct bytes){data.data, min_u64(a->nelems, data.len)});
	if (len >= 0) {
		put_quoted(p, (const char *)data.data, (size_t)len);
		return;
	}
	bool hex = is_byte(&elem) && !is_json(p);
	bool composite = elem.kind == BTF_STRUCT || elem.kind == BTF_UNION ||
			 elem.kind == BTF_ARRAY;
	struct list l = open_list(p, true, composite);
	n = shown_elements(p, a, size, data);
	for (u64 i = 0; i < n && spend(p); i++) {
		next_item(p, &l);
		put_element(p, a, bytes_slice(data, i * (u64)size, (u64)size), hex);
	}
	close_list(p, &l);
}

/* ---- structs ---- */

static void put_key(struct value_printer *p, const char *name)
{
	if (is_json(p)) {
		put_quoted(p, name, strlen(name));
		text_puts(p->t, ": ");
	} else {
		text_printf(p->t, ".%s = ", name);
	}
}

/* An array without a length at the end of all: the rest of the bytes are its elements. */
static bool is_flexible(const struct value_printer *p, const struct btf_member *m)
{
	struct btf_type t = btf_type(p->btf, btf_resolve(p->btf, m->type));

	return t.kind == BTF_ARRAY && !btf_array(&t).nelems && *m->name &&
	       btf_size(p->btf, btf_array(&t).type) > 0;
}

static void put_flexible(struct value_printer *p, const struct btf_member *m,
			 struct bytes data, struct list *l)
{
	struct btf_type t = btf_type(p->btf, btf_resolve(p->btf, m->type));
	struct btf_array a = btf_array(&t);
	u64 start = m->bit_offset / 8;
	struct bytes rest = bytes_slice(data, start, data.len - min_u64(data.len, start));

	a.nelems = (u32)min_u64(rest.len / (u64)btf_size(p->btf, a.type), UINT32_MAX);
	if (!a.nelems)
		return;
	next_item(p, l);
	put_key(p, m->name);
	put_array(p, &a, rest);
}

static void put_bit_field(struct value_printer *p, const struct btf_member *m,
			  struct bytes data, struct list *l)
{
	struct btf_type t = btf_type(p->btf, btf_resolve(p->btf, m->type));
	struct wide w;

	if (!*m->name || (t.kind != BTF_INT && !is_enum(t.kind)) ||
	    !read_bits(p, m, is_signed(&t), data, &w))
		return;
	if (p->style.skip_zeroes && !w.low && !w.high)
		return;
	next_item(p, l);
	put_key(p, m->name);
	put_number(p, &t, w);
}

static void put_members(struct value_printer *p, const struct btf_type *t,
			struct bytes data, struct list *l);

/* The members of an anonymous member are members of the struct around it. */
static void put_member(struct value_printer *p, const struct btf_member *m,
		       struct bytes data, struct list *l)
{
	s64 size = btf_size(p->btf, m->type);
	struct bytes part =
		bytes_slice(data, m->bit_offset / 8, size < 0 ? 0 : (u64)size);
	struct btf_type t = btf_type(p->btf, btf_resolve(p->btf, m->type));

	if (m->bit_size) {
		put_bit_field(p, m, data, l);
		return;
	}
	if (!part.data || (p->style.skip_zeroes && bytes_all_zero(part)))
		return;
	if (!*m->name) {
		if (t.kind == BTF_STRUCT || t.kind == BTF_UNION)
			put_members(p, &t, part, l);
		return;
	}
	next_item(p, l);
	put_key(p, m->name);
	put_value(p, t.id, part);
}

static void put_members(struct value_printer *p, const struct btf_type *t,
			struct bytes data, struct list *l)
{
	if (p->depth == MAX_DEPTH)
		return;
	p->depth++;
	for (u32 i = 0; i < t->vlen && spend(p); i++) {
		struct btf_member m = btf_member(p->btf, t, i);

		put_member(p, &m, data, l);
	}
	p->depth--;
}

static void put_struct(struct value_printer *p, const struct btf_type *t,
		       struct bytes data)
{
	struct list l = open_list(p, false, true);
	struct btf_type fixed = *t;
	struct btf_member last = {0};

	if (p->depth == 1 && t->kind == BTF_STRUCT && t->vlen)
		last = btf_member(p->btf, t, t->vlen - 1);
	fixed.vlen -= last.name && is_flexible(p, &last);
	put_members(p, &fixed, data, &l);
	if (fixed.vlen < t->vlen)
		put_flexible(p, &last, data, &l);
	close_list(p, &l);
}

/* The variables of a section, which is what a map of global variables holds. */
static void put_section(struct value_printer *p, const struct btf_type *t,
			struct bytes data)
{
	struct list l = open_list(p, false, true);

	for (u32 i = 0; i < t->vlen && spend(p); i++) {
		struct btf_secvar v = btf_secvar(t, i);
		struct bytes part = bytes_slice(data, v.offset, v.size);

		if (!part.data || (p->style.skip_zeroes && bytes_all_zero(part)))
			continue;
		next_item(p, &l);
		put_key(p, btf_name(p->btf, v.type));
		put_value(p, v.type, part);
	}
	close_list(p, &l);
}

static void put_nothing(struct value_printer *p)
{
	text_puts(p->t, is_json(p) ? "null" : "{}");
}

static void put_kind(struct value_printer *p, const struct btf_type *t, struct bytes data)
{
	struct btf_array a;

	switch (t->kind) {
	case BTF_INT:
	case BTF_ENUM:
	case BTF_ENUM64: put_whole(p, t, data.data); break;
	case BTF_FLOAT: put_float(p, t, data.data); break;
	case BTF_PTR: put_pointer(p, data.data); break;
	case BTF_STRUCT:
	case BTF_UNION: put_struct(p, t, data); break;
	case BTF_DATASEC: put_section(p, t, data); break;
	case BTF_VAR: put_value(p, t->type, data); break;
	case BTF_ARRAY:
		a = btf_array(t);
		put_array(p, &a, data);
		break;
	case BTF_VOID:
	case BTF_FWD:
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_FUNC:
	case BTF_FUNC_PROTO:
	case BTF_DECL_TAG:
	case BTF_TYPE_TAG:
	case BTF_KINDS: put_nothing(p); break;
	}
}

/* What is cut off is printed as far as it goes if it has parts, and as nothing if it has
 * none. */
static void put_value(struct value_printer *p, u32 id, struct bytes data)
{
	struct btf_type t = btf_type(p->btf, btf_resolve(p->btf, id));
	s64 size = btf_size(p->btf, t.id);
	bool has_parts = t.kind == BTF_STRUCT || t.kind == BTF_UNION ||
			 t.kind == BTF_ARRAY || t.kind == BTF_DATASEC ||
			 t.kind == BTF_VAR;

	if (p->depth == MAX_DEPTH || p->t->len >= p->max_len || !data.data ||
	    (!has_parts && (size < 0 || data.len < (u64)size))) {
		put_nothing(p);
		return;
	}
	p->depth++;
	put_kind(p, &t, data);
	p->depth--;
}

void btf_print_value(struct text *t, const struct btf *btf, u32 id, struct bytes data,
		     const struct btf_value_style *style)
{
	struct value_printer p = {
		.t = t, .btf = btf, .max_len = t->len + MAX_LEN, .steps_left = MAX_STEPS};

	if (style)
		p.style = *style;
	p.indent = p.style.indent;
	put_value(&p, id, data);
}
