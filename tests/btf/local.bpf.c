/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE relocations of every kind: what core.c in this folder relocates against
 * target.bpf.c.  Each section is one case, and its name says what is special about it.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define CASE(name) __attribute__((section(name), used))
#define ACCESS     __attribute__((preserve_access_index))

enum { BYTE_OFFSET, BYTE_SIZE, EXISTS, SIGNED, LSHIFT, RSHIFT };
#define FIELD(what, kind)          __builtin_preserve_field_info(what, kind)
#define TYPE(type, kind)           __builtin_preserve_type_info(*(type *)0, kind)
#define TYPE_ID(type, kind)        __builtin_btf_type_id(*(type *)0, kind)
#define ENUMVAL(type, value, kind) __builtin_preserve_enum_value(*(type *)value, kind)

struct inner {
	int x;
	int y;
} ACCESS;

struct plain {
	u32 first;
	u32 moved;
	struct inner in;
	struct inner many[4];
	u16 grown;  /* u64 in the target */
	u64 shrunk; /* u16 in the target */
	short signed_grown;
	void *pointer;
	u32 gone;
	u32 now_array;
	int bits : 5;
	u32 more_bits : 12;
	u32 now_bits;
	u32 in_anonymous;
	struct {
		u32 was_anonymous;
	};
	char text[8];
	u64 tail[];
} ACCESS;

CASE("field-first") u64 field_first(struct plain *p)
{
	return p->first;
}
CASE("field-moved") u64 field_moved(struct plain *p)
{
	return p->moved;
}
CASE("field-nested") u64 field_nested(struct plain *p)
{
	return p->in.y;
}
CASE("field-of-element") u64 field_of_element(struct plain *p)
{
	return p->many[2].y;
}
CASE("pointer-as-array") u64 pointer_as_array(struct plain *p)
{
	return p[3].moved;
}
CASE("load-grows") u64 load_grows(struct plain *p)
{
	return p->grown;
}
CASE("load-shrinks") u64 load_shrinks(struct plain *p)
{
	return p->shrunk;
}
CASE("store-grows") u64 store_grows(struct plain *p)
{
	p->grown = 7;
	return 0;
}
CASE("signed-cannot-grow") u64 signed_cannot_grow(struct plain *p)
{
	return p->signed_grown;
}
CASE("pointer-stays") u64 pointer_stays(struct plain *p)
{
	return (u64)p->pointer;
}
CASE("field-gone") u64 field_gone(struct plain *p)
{
	return p->gone;
}
CASE("field-other-kind") u64 field_other_kind(struct plain *p)
{
	return FIELD(p->now_array, EXISTS);
}
CASE("into-anonymous") u64 into_anonymous(struct plain *p)
{
	return p->in_anonymous;
}
CASE("out-of-anonymous") u64 out_of_anonymous(struct plain *p)
{
	return p->was_anonymous;
}
CASE("array-element") u64 array_element(struct plain *p)
{
	return p->text[5];
}
CASE("flexible-array") u64 flexible_array(struct plain *p)
{
	return p->tail[3];
}
CASE("offset-as-number") u64 offset_as_number(struct plain *p)
{
	return FIELD(p->moved, BYTE_OFFSET);
}
CASE("size-of-field") u64 size_of_field(struct plain *p)
{
	return FIELD(p->grown, BYTE_SIZE);
}
CASE("size-of-array") u64 size_of_array(struct plain *p)
{
	return FIELD(p->text, BYTE_SIZE);
}
CASE("field-exists") u64 field_exists(struct plain *p)
{
	return FIELD(p->moved, EXISTS);
}
CASE("field-exists-not") u64 field_exists_not(struct plain *p)
{
	return FIELD(p->gone, EXISTS);
}
CASE("field-signed") u64 field_signed(struct plain *p)
{
	return FIELD(p->in.x, SIGNED);
}
CASE("size-of-gone") u64 size_of_gone(struct plain *p)
{
	return FIELD(p->gone, BYTE_SIZE);
}

CASE("bits-offset") u64 bits_offset(struct plain *p)
{
	return FIELD(p->more_bits, BYTE_OFFSET);
}
CASE("bits-size") u64 bits_size(struct plain *p)
{
	return FIELD(p->more_bits, BYTE_SIZE);
}
CASE("bits-lshift") u64 bits_lshift(struct plain *p)
{
	return FIELD(p->more_bits, LSHIFT);
}
CASE("bits-rshift") u64 bits_rshift(struct plain *p)
{
	return FIELD(p->more_bits, RSHIFT);
}
CASE("bits-signed") u64 bits_signed(struct plain *p)
{
	return FIELD(p->bits, SIGNED);
}
CASE("now-bits-rshift") u64 now_bits_rshift(struct plain *p)
{
	return FIELD(p->now_bits, RSHIFT);
}
CASE("now-bits-lshift") u64 now_bits_lshift(struct plain *p)
{
	return FIELD(p->now_bits, LSHIFT);
}

struct plain___old {
	u32 moved;
	u32 gone;
} ACCESS;
CASE("flavour-name") u64 flavour_name(struct plain___old *p)
{
	return p->moved;
}
CASE("flavour-gone") u64 flavour_gone(struct plain___old *p)
{
	return FIELD(p->gone, EXISTS);
}

/* Two of that name in the target. */
struct twice {
	u32 same, other, only_in_second;
} ACCESS;
CASE("twice-same") u64 twice_same(struct twice *p)
{
	return p->same;
}
CASE("twice-ambiguous") u64 twice_ambiguous(struct twice *p)
{
	return p->other;
}
struct twice___b {
	u32 other, only_in_second;
} ACCESS;
CASE("twice-narrowed")
u64 twice_narrowed(struct twice___b *p)
{
	if (!FIELD(p->only_in_second, EXISTS))
		return 0;
	return p->other;
}

struct nowhere {
	u32 a;
} ACCESS;
typedef struct inner inner_t;
typedef int (*callback_t)(struct inner *, int);
union either {
	int a;
	long b;
};
enum color { RED, GREEN = 5, BLUE = 0x7fffffff };
enum color___x { GREEN___x = 1, NONE___x = 2 };
enum wide { WIDE = 0x1122334455667788 };
struct matching {
	struct nowhere *unknown_behind_pointer;
	enum color color;
	int numbers[3];
	callback_t callback;
} ACCESS;
struct not_matching {
	int a;
} ACCESS;

CASE("type-exists") u64 type_exists(void)
{
	return TYPE(struct plain, 0);
}
CASE("type-exists-not") u64 type_exists_not(void)
{
	return TYPE(struct nowhere, 0);
}
CASE("type-of-other-kind") u64 type_of_other_kind(void)
{
	return TYPE(union either, 0);
}
CASE("typedef-exists") u64 typedef_exists(void)
{
	return TYPE(inner_t, 0);
}
CASE("function-pointer-exists") u64 function_pointer_exists(void)
{
	return TYPE(callback_t, 0);
}
CASE("type-size") u64 type_size(void)
{
	return TYPE(struct inner, 1);
}
CASE("type-size-of-nothing") u64 type_size_of_nothing(void)
{
	return TYPE(struct nowhere, 1);
}
CASE("type-matches") u64 type_matches(void)
{
	return TYPE(struct matching, 2);
}
CASE("type-matches-not") u64 type_matches_not(void)
{
	return TYPE(struct not_matching, 2);
}
CASE("type-id-target") u64 type_id_target(void)
{
	return TYPE_ID(struct inner, 1);
}
CASE("type-id-local") u64 type_id_local(void)
{
	return TYPE_ID(struct inner, 0);
}
CASE("enumval-value") u64 enumval_value(void)
{
	return ENUMVAL(enum color, GREEN, 1);
}
CASE("enumval-exists") u64 enumval_exists(void)
{
	return ENUMVAL(enum color, BLUE, 0);
}
CASE("enumval-flavour") u64 enumval_flavour(void)
{
	return ENUMVAL(enum color___x, GREEN___x, 1);
}
CASE("enumval-gone") u64 enumval_gone(void)
{
	return ENUMVAL(enum color___x, NONE___x, 1);
}
CASE("enumval-exists-not") u64 enumval_exists_not(void)
{
	return ENUMVAL(enum color___x, NONE___x, 0);
}
CASE("enumval-64-bits") u64 enumval_64_bits(void)
{
	return ENUMVAL(enum wide, WIDE, 1);
}
