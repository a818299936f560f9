/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The access string of a CO-RE relocation, parsed against the BTF that it was compiled
 * with.
 *
 * "0:1:2" is element 0 of a pointer to the type, then its member 1, then member or
 * element 2 of that; of a type it is "0", of an enum the index of the value.  Whatever
 * does not exist is refused.  Never looks at a target. Kernel documentation:
 * bpf/llvm_reloc.rst; the string's format is told at struct bpf_core_relo in
 * <linux/bpf.h>.
 */
#include "btf/core_spec.h"

#include "base/diag.h"
#include "base/text.h"

struct core_kind_info {
	const char *text;
	enum core_about about;
};

static const struct core_kind_info kinds[CORE_KINDS] = {
#define C(name, number, about, text) [CORE_##name] = {text, ABOUT_##about},
#include "btf/core.def"
#undef C
};

enum core_about core_about(enum core_kind kind)
{
	return kinds[kind].about;
}

const char *core_kind_name(enum core_kind kind)
{
	return kind < CORE_KINDS ? kinds[kind].text : "unknown";
}

/* One number of the access string, and the ':' behind it. */
static bool next_index(const char **s, u32 *index)
{
	u64 n = 0;

	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; ++*s) {
		n = 10 * n + (u64)(**s - '0');
		if (n > INT32_MAX)
			return false;
	}
	if (**s && *(*s)++ != ':')
		return false;
	*index = (u32)n;
	return true;
}

bool core_is_flexible(const struct btf *btf, const struct core_access *acc,
		      const struct btf_array *array)
{
	if (!acc->name || array->nelems)
		return false;
	struct btf_type t = btf_type(btf, btf_resolve(btf, acc->type));
	return acc->index + 1 == t.vlen;
}

bool core_spec_index(struct core_spec *spec, u32 type, u32 index)
{
	s64 size = btf_size(spec->btf, type);
	u64 bytes = (u64)size * index;

	if (size < 0 || bytes > UINT32_MAX)
		return false;
	spec->bit_offset += 8 * bytes;
	spec->access[spec->n++] = (struct core_access){.type = type, .index = index};
	spec->depth++;
	return true;
}

static const char *parse_member(struct core_spec *spec, const struct btf_type *t,
				u32 index, u32 *next)
{
	if (index >= t->vlen)
		return "it is about a member that does not exist";
	struct btf_member m = btf_member(spec->btf, t, index);
	spec->bit_offset += m.bit_offset;
	spec->depth++;
	if (*m.name)
		spec->access[spec->n++] = (struct core_access){t->id, index, m.name};
	*next = m.type;
	return NULL;
}

static const char *parse_element(struct core_spec *spec, const struct btf_type *t,
				 u32 index, u32 *next)
{
	struct btf_array a = btf_array(t);
	const struct core_access *last = &spec->access[spec->n - 1];

	if (index >= a.nelems && !core_is_flexible(spec->btf, last, &a))
		return "it is about an element that does not exist";
	*next = btf_resolve(spec->btf, a.type);
	return core_spec_index(spec, *next, index) ? NULL
						   : "its element has no place in memory";
}

static const char *parse_field(struct core_spec *spec, const char *s)
{
	u32 index, id = spec->root;

	if (!next_index(&s, &index) || !core_spec_index(spec, id, index))
		return "its access string is wrong";
	while (*s) {
		struct btf_type t = btf_type(spec->btf, btf_resolve(spec->btf, id));
		const char *wrong;

		if (spec->depth == CORE_MAX_ACCESS)
			return "its access string is too long";
		if (!next_index(&s, &index))
			return "its access string is wrong";
		if (t.kind == BTF_STRUCT || t.kind == BTF_UNION)
			wrong = parse_member(spec, &t, index, &id);
		else if (t.kind == BTF_ARRAY)
			wrong = parse_element(spec, &t, index, &id);
		else
			wrong = "it goes into something that has no members";
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *parse_enumval(struct core_spec *spec, const char *s)
{
	struct btf_type t = btf_type(spec->btf, btf_resolve(spec->btf, spec->root));
	u32 index;

	if (t.kind != BTF_ENUM && t.kind != BTF_ENUM64)
		return "it is about the value of something that is no enum";
	if (!next_index(&s, &index) || *s)
		return "its access string is wrong";
	if (index >= t.vlen)
		return "it is about an enumerator that does not exist";
	spec->access[0] = (struct core_access){t.id, index,
					       btf_enumerator(spec->btf, &t, index).name};
	spec->n = 1;
	return NULL;
}

static const char *parse_type(const char *s)
{
	return strcmp(s, "0") ? "its access string is not \"0\"" : NULL;
}

int core_spec_parse(struct core_spec *spec, const struct btf *btf,
		    const struct btf_core_relo *relo, struct skep_diag *diag)
{
	const char *wrong = NULL;

	if (relo->kind >= CORE_KINDS)
		return fail(diag, CORE_RELO, NO_PC, "its kind is one that nobody knows");
	spec->btf = btf;
	spec->root = relo->type;
	spec->kind = relo->kind;
	spec->n = spec->depth = 0;
	spec->bit_offset = 0;
	switch (core_about(spec->kind)) {
	case ABOUT_FIELD: wrong = parse_field(spec, relo->access); break;
	case ABOUT_TYPE: wrong = parse_type(relo->access); break;
	case ABOUT_ENUMVAL: wrong = parse_enumval(spec, relo->access); break;
	}
	return wrong ? fail(diag, CORE_RELO, NO_PC, wrong) : 0;
}

void core_spec_print(struct text *t, const struct core_spec *spec)
{
	const char *name = btf_name(spec->btf, spec->root);
	bool first = true;

	text_printf(t, "%s %s", btf_kind_name(btf_kind(spec->btf, spec->root)),
		    *name ? name : "(anonymous)");
	for (u32 i = 0; i < spec->n; i++) {
		const struct core_access *a = &spec->access[i];

		if (a->name)
			text_printf(t, "%s%s", first ? "::" : ".", a->name);
		else if (i || a->index)
			text_printf(t, "[%u]", a->index);
		first &= !a->name;
	}
}
