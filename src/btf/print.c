/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A type as C writes it.
 *
 * A declaration has a left and a right part around the name; both walk the same chain of
 * types.  Structs are written so that a C compiler lays them out as the BTF says: holes
 * become unnamed bit fields, misaligned members make the struct a packed one.  Names that
 * are no identifiers are made ones.  Never prints more than a budget.
 */
#include "btf/print.h"

#include "base/text.h"

struct printer printer_of(struct text *t, const struct btf *btf, size_t max)
{
	return (struct printer){.t = t, .btf = btf, .max_len = t->len + max};
}

static bool exhausted(struct printer *p)
{
	if (p->t->len > p->max_len || p->depth > PRINT_MAX_DEPTH)
		p->cut = true;
	return p->cut;
}

static void put_name(struct printer *p, const char *name)
{
	for (; *name; name++) {
		bool ok = (*name >= 'a' && *name <= 'z') ||
			  (*name >= 'A' && *name <= 'Z') ||
			  (*name >= '0' && *name <= '9') || *name == '_';

		text_write(p->t, ok ? name : "_", 1);
	}
}

static void put_type_name(struct printer *p, const struct btf_type *t)
{
	u32 version = p->version ? p->version->of_type(p->version->names, t->id) : 0;

	put_name(p, t->name);
	if (version > 1)
		text_printf(p->t, "___%u", version);
}

static void new_line(struct printer *p)
{
	text_puts(p->t, "\n");
	for (u32 i = 0; i < p->indent; i++)
		text_puts(p->t, "\t");
}

static char last_char(const struct printer *p)
{
	return p->t->len ? p->t->s[p->t->len - 1] : 0;
}

/* ---- declarations ---- */

static bool is_modifier(enum btf_kind kind)
{
	return kind == BTF_CONST || kind == BTF_VOLATILE || kind == BTF_RESTRICT ||
	       kind == BTF_TYPE_TAG;
}

/* What a modifier is about: "const" of an array is about its elements. */
static enum btf_kind modified_kind(const struct btf *btf, u32 id)
{
	struct btf_type t = btf_type(btf, id);

	while (is_modifier(t.kind) || t.kind == BTF_ARRAY)
		t = btf_type(btf, t.kind == BTF_ARRAY ? btf_array(&t).type : t.type);
	return t.kind;
}

/* The compiler has this typedef already, and it is another type on each machine: what it
 * stands for is written. */
bool is_compilers_own(const struct btf_type *t)
{
	return t->kind == BTF_TYPEDEF && !strcmp(t->name, "__builtin_va_list");
}

/* Must a pointer to this be written in parentheses? */
static bool has_right_part(const struct btf *btf, u32 id)
{
	struct btf_type t = btf_type(btf, btf_skip_modifiers(btf, id));
	enum btf_kind kind = t.kind;

	if (is_compilers_own(&t))
		kind = btf_kind(btf, btf_skip_modifiers(btf, t.type));
	return kind == BTF_ARRAY || kind == BTF_FUNC_PROTO;
}

static void put_modifier(struct printer *p, const struct btf_type *t)
{
	if (t->kind == BTF_CONST)
		text_puts(p->t, "const");
	else if (t->kind == BTF_VOLATILE)
		text_puts(p->t, "volatile");
	else if (t->kind == BTF_RESTRICT)
		text_puts(p->t, "restrict");
	else {
		text_puts(p->t, t->kind_flag ? "__attribute__(("
					     : "__attribute__((btf_type_tag(\"");
		put_name(p, t->name);
		text_puts(p->t, t->kind_flag ? "))" : "\")))");
	}
}

static void put_body(struct printer *p, const struct btf_type *t);
static void put_left(struct printer *p, u32 id);

static void put_left_modifier(struct printer *p, const struct btf_type *t)
{
	enum btf_kind kind = modified_kind(p->btf, t->type);

	if (kind == BTF_FUNC_PROTO) {
		put_left(p, t->type);
		return;
	}
	/* A tag of a type stands behind it, as a qualifier of a pointer does. */
	if (kind == BTF_PTR || t->kind == BTF_TYPE_TAG) {
		put_left(p, t->type);
		if (last_char(p) != '*')
			text_puts(p->t, " ");
		put_modifier(p, t);
		return;
	}
	put_modifier(p, t);
	text_puts(p->t, " ");
	put_left(p, t->type);
}

static void put_left_pointer(struct printer *p, const struct btf_type *t)
{
	bool parentheses = has_right_part(p->btf, t->type);

	put_left(p, t->type);
	if (last_char(p) != '*')
		text_puts(p->t, " ");
	text_puts(p->t, parentheses ? "(*" : "*");
}

/* "struct foo", or the whole of it where it has no name. */
static void put_tag(struct printer *p, const struct btf_type *t)
{
	bool is_union = t->kind == BTF_UNION || (t->kind == BTF_FWD && t->kind_flag);
	bool is_enum = t->kind == BTF_ENUM || t->kind == BTF_ENUM64;

	text_puts(p->t, is_enum ? "enum " : is_union ? "union " : "struct ");
	if (*t->name)
		put_type_name(p, t);
	else if (p->brief || exhausted(p))
		text_puts(p->t, "{...}");
	else
		put_body(p, t);
}

/* What stands before the name. */
static void put_left(struct printer *p, u32 id)
{
	struct btf_type t = btf_type(p->btf, id);

	switch (t.kind) {
	case BTF_VOID: text_puts(p->t, "void"); break;
	case BTF_INT:
	case BTF_FLOAT:
		if (is_c_integer(t.name))
			text_puts(p->t, t.name);
		else
			put_type_name(p, &t);
		break;
	case BTF_TYPEDEF:
		if (is_compilers_own(&t))
			put_left(p, t.type);
		else
			put_type_name(p, &t);
		break;
	case BTF_PTR: put_left_pointer(p, &t); break;
	case BTF_ARRAY: put_left(p, btf_array(&t).type); break;
	case BTF_FUNC_PROTO: put_left(p, t.type); break;
	case BTF_FUNC:
	case BTF_VAR: put_left(p, t.type); break;
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_TYPE_TAG: put_left_modifier(p, &t); break;
	case BTF_STRUCT:
	case BTF_UNION:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FWD: put_tag(p, &t); break;
	case BTF_DATASEC:
	case BTF_DECL_TAG:
	case BTF_KINDS: put_name(p, t.name); break;
	}
}

static void put_parameters(struct printer *p, const struct btf_type *t)
{
	text_puts(p->t, "(");
	for (u32 i = 0; i < t->vlen && !exhausted(p); i++) {
		struct btf_param param = btf_param(p->btf, t, i);

		if (i)
			text_puts(p->t, ", ");
		if (!param.type && i + 1 == t->vlen)
			text_puts(p->t, "...");
		else
			print_declaration(p, param.type, param.name);
	}
	text_puts(p->t, t->vlen ? ")" : "void)");
}

/* What stands behind the name. */
static void put_right(struct printer *p, u32 id)
{
	for (;;) {
		struct btf_type t = btf_type(p->btf, id);

		if (t.kind == BTF_ARRAY) {
			text_printf(p->t, "[%u]", btf_array(&t).nelems);
			id = btf_array(&t).type;
		} else if (t.kind == BTF_PTR) {
			if (has_right_part(p->btf, t.type))
				text_puts(p->t, ")");
			id = t.type;
		} else if (t.kind == BTF_FUNC_PROTO) {
			put_parameters(p, &t);
			id = t.type;
		} else if (is_modifier(t.kind) || t.kind == BTF_FUNC ||
			   t.kind == BTF_VAR) {
			id = t.type;
		} else {
			return;
		}
	}
}

void print_declaration(struct printer *p, u32 id, const char *name)
{
	p->depth++;
	put_left(p, id);
	if (*name && last_char(p) != '*' && last_char(p) != '(')
		text_puts(p->t, " ");
	put_name(p, name);
	put_right(p, id);
	p->depth--;
}

/* ---- layout ---- */

enum { LARGE_HOLE = 64 * 8 };

/*
 * Fills the hole [from, to) of a struct with unnamed bit fields, none across a boundary
 * of its own size.  A large one gets an array for most of it.
 */
static void put_hole(struct printer *p, u64 from, u64 to)
{
	while (from < to) {
		u64 left = to - from, byte = 8 - from % 8;
		bool wide = from % 64 == 0 && left >= 64;
		u64 n = wide ? 64 : left < byte ? left : byte;

		new_line(p);
		if (wide && left >= LARGE_HOLE) {
			n = left & ~63ull;
			text_printf(p->t, "char __hole_%llu[%llu];",
				    (unsigned long long)from / 8,
				    (unsigned long long)n / 8);
		} else {
			text_printf(p->t, "%s : %llu;", wide ? "long long" : "char",
				    (unsigned long long)n);
		}
		from += n;
	}
}

/* Does C need to be told that members stand closer than they like to? */
static bool is_packed(const struct btf *btf, const struct btf_type *t)
{
	if (btf_align(btf, t->id) > 1)
		return false;
	for (u32 i = 0; i < t->vlen; i++) {
		if (btf_align(btf, btf_member(btf, t, i).type) > 1)
			return true;
	}
	return false;
}

/* Where C puts a member that follows bit "at"; size: of its type, in bits. */
static u64 natural_place(const struct btf_member *m, u64 at, u64 align, u64 size)
{
	if (!m->bit_size)
		return round_up(at, align);
	if (align == 8 || !size) /* packed */
		return at;
	return at % size + m->bit_size > size ? round_up(at, size) : at;
}

static void put_members(struct printer *p, const struct btf_type *t)
{
	bool packed = is_packed(p->btf, t), hollow = t->kind == BTF_STRUCT;
	u64 at = 0;

	for (u32 i = 0; i < t->vlen && !exhausted(p); i++) {
		struct btf_member m = btf_member(p->btf, t, i);
		s64 size = btf_size(p->btf, m.type);
		u64 bits = size < 0 ? 0 : 8 * (u64)size;
		u64 align = packed ? 8 : 8 * (u64)btf_align(p->btf, m.type);

		if (hollow && natural_place(&m, at, align, bits) != m.bit_offset)
			put_hole(p, at, m.bit_offset);
		new_line(p);
		print_declaration(p, m.type, m.name);
		if (m.bit_size)
			text_printf(p->t, "%s: %u", *m.name ? "" : " ", m.bit_size);
		text_puts(p->t, ";");
		at = m.bit_offset + (m.bit_size ? m.bit_size : bits);
	}
	u64 align = packed ? 8 : 8 * (u64)btf_align(p->btf, t->id);
	if (hollow && round_up(at, align) < 8 * (u64)t->size)
		put_hole(p, at, 8 * (u64)t->size);
}

static void put_enumerators(struct printer *p, const struct btf_type *t)
{
	for (u32 i = 0; i < t->vlen && !exhausted(p); i++) {
		struct btf_enumerator e = btf_enumerator(p->btf, t, i);
		const char *suffix = (s64)e.value == (s32)e.value ? "" : "LL";
		u32 version =
			p->version ? p->version->of_enumerator(p->version->names, e.name)
				   : 0;

		new_line(p);
		put_name(p, e.name);
		if (version > 1)
			text_printf(p->t, "___%u", version);
		if (t->kind_flag)
			text_printf(p->t, " = %lld%s,", (long long)e.value, suffix);
		else
			text_printf(p->t, " = %llu%s%s,", (unsigned long long)e.value,
				    *suffix && e.value > UINT32_MAX ? "U" : "",
				    e.value > UINT32_MAX ? suffix : "");
	}
}

/* An enum has the size of an int unless it is told otherwise. */
static const char *enum_mode(u32 size)
{
	switch (size) {
	case 1: return " __attribute__((mode(QI)))";
	case 2: return " __attribute__((mode(HI)))";
	case 8: return " __attribute__((mode(DI)))";
	}
	return "";
}

static void put_body(struct printer *p, const struct btf_type *t)
{
	bool is_enum = t->kind == BTF_ENUM || t->kind == BTF_ENUM64;

	text_puts(p->t, last_char(p) == ' ' ? "{" : " {");
	p->indent++;
	p->depth++;
	if (is_enum)
		put_enumerators(p, t);
	else
		put_members(p, t);
	p->depth--;
	p->indent--;
	new_line(p);
	text_puts(p->t, "}");
	if (is_enum)
		text_puts(p->t, enum_mode(t->size));
	else if (is_packed(p->btf, t))
		text_puts(p->t, " __attribute__((packed))");
}

/* ---- definitions ---- */

bool is_c_integer(const char *name)
{
	static const char *const words[] = {"char",   "short",    "int",      "long",
					    "signed", "unsigned", "__int128", "_Bool",
					    "float",  "double"};

	while (*name) {
		size_t len = strcspn(name, " ");
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			known |= strlen(words[i]) == len && !memcmp(words[i], name, len);
		if (!known)
			return false;
		name += len;
		name += *name == ' ';
	}
	return true;
}

/* An integer of some other language, or one that the compiler made up. */
static void define_integer(struct printer *p, const struct btf_type *t)
{
	bool is_signed = t->kind == BTF_INT && (btf_int(t).encoding & BTF_SIGNED);

	if (is_c_integer(t->name) || !*t->name)
		return;
	if (t->kind == BTF_FLOAT)
		text_puts(p->t, t->size == 4   ? "typedef float "
				: t->size == 8 ? "typedef double "
					       : "typedef long double ");
	else if (btf_int(t).encoding & BTF_BOOL)
		text_puts(p->t, "typedef _Bool ");
	else if (t->size == 16)
		text_puts(p->t,
			  is_signed ? "typedef __int128 " : "typedef unsigned __int128 ");
	else
		text_printf(p->t, "typedef %s __attribute__((mode(%s))) ",
			    is_signed ? "int" : "unsigned int",
			    t->size == 1   ? "QI"
			    : t->size == 2 ? "HI"
			    : t->size == 4 ? "SI"
					   : "DI");
	put_type_name(p, t);
	text_puts(p->t, ";\n");
}

static void define_tag(struct printer *p, const struct btf_type *t)
{
	bool empty_enum = (t->kind == BTF_ENUM || t->kind == BTF_ENUM64) && !t->vlen;

	put_tag(p, t);
	if (*t->name && t->kind != BTF_FWD && !empty_enum)
		put_body(p, t);
	text_puts(p->t, ";\n");
}

static void define_section(struct printer *p, const struct btf_type *t)
{
	text_puts(p->t, "/* section ");
	put_name(p, t->name);
	text_puts(p->t, " */\n");
	for (u32 i = 0; i < t->vlen && !exhausted(p); i++)
		print_definition(p, btf_secvar(t, i).type);
}

void print_definition(struct printer *p, u32 id)
{
	struct btf_type t = btf_type(p->btf, id);

	switch (t.kind) {
	case BTF_INT:
	case BTF_FLOAT: define_integer(p, &t); break;
	case BTF_STRUCT:
	case BTF_UNION:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FWD: define_tag(p, &t); break;
	case BTF_TYPEDEF:
		text_puts(p->t, "typedef ");
		put_left(p, t.type);
		if (last_char(p) != '*')
			text_puts(p->t, " ");
		put_type_name(p, &t);
		put_right(p, t.type);
		text_puts(p->t, ";\n");
		break;
	case BTF_FUNC:
	case BTF_VAR:
		text_puts(p->t, btf_linkage(&t) == BTF_STATIC ? "static " : "extern ");
		print_declaration(p, t.type, t.name);
		text_puts(p->t, ";\n");
		break;
	case BTF_DATASEC: define_section(p, &t); break;
	case BTF_VOID:
	case BTF_PTR:
	case BTF_ARRAY:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_FUNC_PROTO:
	case BTF_TYPE_TAG:
		print_declaration(p, id, "");
		text_puts(p->t, ";\n");
		break;
	case BTF_DECL_TAG:
	case BTF_KINDS: break;
	}
	if (p->cut)
		text_puts(p->t, "/* ... */\n");
}

void btf_print_c(struct text *t, const struct btf *btf, u32 id)
{
	struct printer p = printer_of(t, btf, PRINT_MAX_TYPE);

	print_definition(&p, id);
}

void btf_print_declarator(struct text *t, const struct btf *btf, u32 id, const char *name)
{
	struct printer p = printer_of(t, btf, PRINT_MAX_TYPE);

	p.brief = true;
	print_declaration(&p, id, name);
}

void btf_print_type_name(struct text *t, const struct btf *btf, u32 id)
{
	btf_print_declarator(t, btf, id, "");
}
