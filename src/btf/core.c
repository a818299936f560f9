/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answering CO-RE relocations.
 *
 * The candidates for a local type are the target's types of the same kind and of the same
 * name without flavour. Those that match the record must all give the same answer; none
 * at all is an answer too: "it does not exist", or poison.  As Linux' loader does, a
 * candidate that did not match one record of a local type while another did is not asked
 * again for that type.  Never touches instructions (see core_apply.c). Kernel
 * documentation: bpf/llvm_reloc.rst.
 */
#include "btf/core.h"

#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "base/text.h"
#include "base/vec.h"
#include "btf/core_spec.h"

/* How many comparisons one object may cause: some 0.5 s, and a hundred times what the
 * largest objects need. */
enum { MAX_STEPS = 1 << 25, STEPS_PER_CANDIDATE = 8 };

/* Of one local type. */
struct candidates {
	struct vec ids; /* u32: of the target */
	bool found;     /* they were looked for */
};

struct core {
	struct core_match match;
	struct candidates *by_type;          /* owned; by local id */
	struct core_spec local, here, first; /* of the record being resolved */
};

struct core *core_new(const struct btf *local, const struct btf *target)
{
	struct core *core = calloc(1, sizeof(*core));

	if (!core)
		return NULL;
	core->match = (struct core_match){local, target, MAX_STEPS};
	core->by_type = calloc(btf_count(local), sizeof(*core->by_type));
	if (!core->by_type) {
		free(core);
		return NULL;
	}
	return core;
}

void core_free(struct core *core)
{
	if (!core)
		return;
	for (u32 id = 0; id < btf_count(core->match.local); id++)
		vec_fini(&core->by_type[id].ids);
	free(core->by_type);
	free(core);
}

/* ---- candidates ---- */

static bool is_enum(enum btf_kind kind)
{
	return kind == BTF_ENUM || kind == BTF_ENUM64;
}

static int find_candidates(struct core *core, u32 local, struct skep_diag *diag)
{
	struct candidates *c = &core->by_type[local];
	const struct btf *target = core->match.target;
	struct btf_type t = btf_type(core->match.local, local);
	size_t len = btf_essential_len(t.name);
	u32 id = 0, first = target ? btf_first(target) : 0;

	c->ids = (struct vec)VEC_INIT(u32);
	c->found = true;
	while (target && (id = btf_find_flavour(target, t.name, len, id))) {
		enum btf_kind kind = btf_kind(target, id);

		if (core->match.steps_left < STEPS_PER_CANDIDATE)
			return fail(diag, CORE_RELO, NO_PC,
				    "the target has too many types of that name");
		core->match.steps_left -= STEPS_PER_CANDIDATE;
		/* What the base has is not looked for in a module. */
		if (id >= first && c->ids.len && *(u32 *)vec_at(&c->ids, 0) < first)
			break;
		if (kind != t.kind && !(is_enum(kind) && is_enum(t.kind)))
			continue;
		u32 *slot = vec_push(&c->ids);
		if (!slot)
			return fail(diag, NO_MEMORY, NO_PC);
		*slot = id;
	}
	return 0;
}

/* ---- answers ---- */

/* What one spec says to a record. */
struct answer {
	bool none; /* there is no value: poison */
	u64 value;
	bool check; /* the compiler must have assumed exactly this */
	u32 size;   /* of a field that is read as a whole; 0: is not */
	u32 type;   /* of that field */
};

/* Where the bits of a field lie: the bytes to read, and the bits in them. */
struct place {
	u32 byte_offset, bytes;
	u32 bit_offset, bits; /* from the start of the root type */
};

static const char *place_bit_field(struct place *p, u32 unit)
{
	if (unit != 1 && unit != 2 && unit != 4 && unit != 8)
		return "a bit field's type has an odd size";
	p->bytes = unit;
	p->byte_offset = p->bit_offset / 8 / p->bytes * p->bytes;
	while (p->bit_offset + p->bits - p->byte_offset * 8 > p->bytes * 8) {
		if (p->bytes == 8)
			return "a bit field does not fit into 64 bits";
		p->bytes *= 2;
		p->byte_offset = p->bit_offset / 8 / p->bytes * p->bytes;
	}
	return NULL;
}

static u64 is_signed(const struct btf_type *t)
{
	if (is_enum(t->kind))
		return t->kind_flag;
	return t->kind == BTF_INT && (btf_int(t).encoding & BTF_SIGNED);
}

static u64 left_shift(const struct place *p, bool big_endian)
{
	u32 skip = p->bit_offset - p->byte_offset * 8;

	return big_endian ? (8 - p->bytes) * 8 + skip : 64 - (skip + p->bits);
}

/* The value of a field that lies at p; t is its type. */
static void field_value(const struct place *p, const struct btf_type *t,
			const struct core_spec *spec, struct answer *out)
{
	switch (spec->kind) {
	case CORE_FIELD_BYTE_OFFSET: out->value = p->byte_offset; break;
	case CORE_FIELD_BYTE_SIZE: out->value = p->bytes; break;
	case CORE_FIELD_SIGNED:
		out->value = is_signed(t);
		out->check = true;
		break;
	case CORE_FIELD_LSHIFT_U64:
		out->value = left_shift(p, btf_is_big_endian(spec->btf));
		break;
	case CORE_FIELD_RSHIFT_U64:
		out->value = 64 - p->bits;
		out->check = true;
		break;
	case CORE_FIELD_EXISTS:
	case CORE_TYPE_ID_LOCAL:
	case CORE_TYPE_ID_TARGET:
	case CORE_TYPE_EXISTS:
	case CORE_TYPE_SIZE:
	case CORE_TYPE_MATCHES:
	case CORE_ENUMVAL_EXISTS:
	case CORE_ENUMVAL_VALUE:
	case CORE_KINDS: break;
	}
}

/* The size of what the spec ends at, or why there is none. */
static const char *whole_size(const struct core_spec *spec, u32 type, u32 *size)
{
	s64 n = btf_size(spec->btf, type);

	if (n < 0)
		return "the field has no size";
	*size = (u32)n;
	return NULL;
}

/* An element of an array, or all of what the pointer points to. */
static const char *answer_element(const struct core_spec *spec, struct answer *out)
{
	const struct core_access *last = &spec->access[spec->n - 1];
	u32 size;
	const char *wrong = whole_size(spec, last->type, &size);

	if (wrong)
		return wrong;
	if (spec->kind != CORE_FIELD_BYTE_OFFSET && spec->kind != CORE_FIELD_BYTE_SIZE)
		return "only offset and size of an array element can be asked for";
	out->value = size;
	if (spec->kind == CORE_FIELD_BYTE_OFFSET) {
		out->value = spec->bit_offset / 8;
		out->size = size;
		out->type = btf_resolve(spec->btf, last->type);
	}
	out->check = true;
	return NULL;
}

static const char *answer_member(const struct core_spec *spec, struct answer *out)
{
	const struct core_access *last = &spec->access[spec->n - 1];
	struct btf_type in = btf_type(spec->btf, last->type);
	struct btf_member m = btf_member(spec->btf, &in, last->index);
	struct btf_type t = btf_type(spec->btf, btf_resolve(spec->btf, m.type));
	struct place p = {.bit_offset = (u32)spec->bit_offset, .bits = m.bit_size};
	const char *wrong;

	if (spec->bit_offset + m.bit_size > UINT32_MAX - 64)
		return "the field lies beyond 512 MB";
	if (m.bit_size) {
		bool whole = t.kind == BTF_INT || is_enum(t.kind);

		wrong = place_bit_field(&p, whole ? t.size : 0);
	} else {
		wrong = whole_size(spec, t.id, &p.bytes);
		p.byte_offset = p.bit_offset / 8;
		p.bits = p.bytes * 8;
	}
	if (wrong)
		return wrong;
	out->check = !m.bit_size;
	if (spec->kind == CORE_FIELD_BYTE_OFFSET && !m.bit_size) {
		out->size = p.bytes;
		out->type = t.id;
	}
	field_value(&p, &t, spec, out);
	return NULL;
}

static const char *answer_field(const struct core_spec *spec, struct answer *out)
{
	if (spec->kind == CORE_FIELD_EXISTS) {
		out->value = 1;
		return NULL;
	}
	return spec->access[spec->n - 1].name ? answer_member(spec, out)
					      : answer_element(spec, out);
}

static const char *answer_type(const struct core_spec *spec, struct answer *out)
{
	u32 size;
	const char *wrong = NULL;

	switch (spec->kind) {
	case CORE_TYPE_ID_LOCAL:
	case CORE_TYPE_ID_TARGET:
		out->value = spec->root;
		out->check = false; /* linking objects renumbers types */
		break;
	case CORE_TYPE_EXISTS:
	case CORE_TYPE_MATCHES: out->value = 1; break;
	case CORE_TYPE_SIZE:
		wrong = whole_size(spec, spec->root, &size);
		out->value = wrong ? 0 : size;
		break;
	case CORE_FIELD_BYTE_OFFSET:
	case CORE_FIELD_BYTE_SIZE:
	case CORE_FIELD_EXISTS:
	case CORE_FIELD_SIGNED:
	case CORE_FIELD_LSHIFT_U64:
	case CORE_FIELD_RSHIFT_U64:
	case CORE_ENUMVAL_EXISTS:
	case CORE_ENUMVAL_VALUE:
	case CORE_KINDS: break;
	}
	return wrong;
}

static void answer_enumval(const struct core_spec *spec, struct answer *out)
{
	struct btf_type t = btf_type(spec->btf, spec->access[0].type);

	out->value = 1;
	if (spec->kind == CORE_ENUMVAL_VALUE)
		out->value = btf_enumerator(spec->btf, &t, spec->access[0].index).value;
}

static int answer(const struct core_spec *spec, struct answer *out,
		  struct skep_diag *diag)
{
	const char *wrong = NULL;

	*out = (struct answer){.check = true};
	switch (core_about(spec->kind)) {
	case ABOUT_FIELD: wrong = answer_field(spec, out); break;
	case ABOUT_TYPE: wrong = answer_type(spec, out); break;
	case ABOUT_ENUMVAL: answer_enumval(spec, out); break;
	}
	return wrong ? fail(diag, CORE_RELO, NO_PC, wrong) : 0;
}

/* What a record gets when nothing in the target matches. */
static struct answer answer_nothing(enum core_kind kind)
{
	bool value_needed =
		kind == CORE_ENUMVAL_VALUE ||
		(core_about(kind) == ABOUT_FIELD && kind != CORE_FIELD_EXISTS);

	return (struct answer){.none = value_needed};
}

/* ---- resolving ---- */

static int ambiguous(const struct core *core, const struct answer *a,
		     const struct answer *b, struct skep_diag *diag)
{
	struct text name = TEXT_INIT;

	core_spec_print(&name, &core->local);
	int err = fail(diag, CORE_AMBIGUOUS, NO_PC, text_str(&name), core->first.root,
		       core->here.root, (unsigned long long)a->value,
		       (unsigned long long)b->value);
	text_fini(&name);
	return err;
}

/*
 * Asks all candidates; those that match stay.  *out is what they agree on, *n how many
 * they are.
 */
static int ask_candidates(struct core *core, struct candidates *c, struct answer *out,
			  u32 *n, struct skep_diag *diag)
{
	u32 *ids = c->ids.data;

	*n = 0;
	for (u32 i = 0; i < c->ids.len; i++) {
		struct answer a;
		int yes =
			core_spec_match(&core->match, &core->local, ids[i], &core->here);

		if (yes < 0)
			return fail(diag, CORE_RELO, NO_PC,
				    "its types are nested too deep to be compared");
		if (!yes)
			continue;
		int err = answer(&core->here, &a, diag);
		if (err)
			return err;
		if (!*n) {
			*out = a;
			core->first = core->here;
		} else if (core->here.bit_offset != core->first.bit_offset ||
			   a.value != out->value) {
			return ambiguous(core, out, &a, diag);
		}
		ids[(*n)++] = ids[i];
	}
	if (*n)
		c->ids.len = *n;
	return 0;
}

/* May an access of the old size become one of the new size?  Only where both are
 * zero-extended. */
static bool can_resize(const struct core *core, const struct answer *old,
		       const struct answer *new)
{
	struct btf_type a = btf_type(core->match.local, old->type);
	struct btf_type b = btf_type(core->match.target, new->type);

	if (a.kind == BTF_PTR && b.kind == BTF_PTR)
		return true;
	return a.kind == BTF_INT && b.kind == BTF_INT && !is_signed(&a) && !is_signed(&b);
}

static int resolve_in_target(struct core *core, struct core_result *out,
			     struct skep_diag *diag)
{
	struct candidates *c = &core->by_type[core->local.root];
	struct answer old, new = {0};
	u32 n = 0;
	int err = 0;

	if (!*btf_name(core->match.local, core->local.root))
		return fail(diag, CORE_RELO, NO_PC, "its type has no name to look for");
	if (!c->found)
		err = find_candidates(core, core->local.root, diag);
	if (!err)
		err = answer(&core->local, &old, diag);
	if (!err)
		err = ask_candidates(core, c, &new, &n, diag);
	if (err)
		return err;
	out->outcome = n ? CORE_RESOLVED : c->ids.len ? CORE_NO_MATCH : CORE_NO_CANDIDATE;
	if (!n)
		new = answer_nothing(core->local.kind);
	out->candidates = n;
	out->target_type = n ? core->first.root : 0;
	out->poison = new.none;
	out->local = old.value;
	out->value = new.value;
	out->check_local = old.check;
	out->local_size = old.size;
	out->target_size = new.size;
	out->resize_fails = n && old.size != new.size && !can_resize(core, &old, &new);
	return 0;
}

int core_resolve(struct core *core, const struct btf_core_relo *relo,
		 struct core_result *out, struct skep_diag *diag)
{
	*out = (struct core_result){0};
	if (relo->type >= btf_count(core->match.local))
		return fail(diag, CORE_RELO, NO_PC, "its type does not exist");
	int err = core_spec_parse(&core->local, core->match.local, relo, diag);
	if (err)
		return err;
	if (relo->kind == CORE_TYPE_ID_LOCAL) {
		out->local = out->value = relo->type;
		return 0;
	}
	err = resolve_in_target(core, out, diag);
	if (!err)
		return 0;
	struct text name = TEXT_INIT;
	core_spec_print(&name, &core->local);
	err = diag_in(diag, err, "%s", text_str(&name));
	text_fini(&name);
	return err;
}

void core_print(struct text *t, const struct btf *local, const struct btf_core_relo *relo,
		const struct core_result *res)
{
	struct core_spec *spec = malloc(sizeof(*spec));

	if (!spec) {
		t->failed = true;
		return;
	}
	if (core_spec_parse(spec, local, relo, NULL)) {
		text_printf(t, "(malformed relocation of type %u, \"%s\")", relo->type,
			    relo->access);
		free(spec);
		return;
	}
	core_spec_print(t, spec);
	text_printf(t, " %s ", core_kind_name(relo->kind));
	free(spec);
	if (res->outcome != CORE_RESOLVED)
		text_puts(t, res->outcome == CORE_NO_CANDIDATE
				     ? "(not in the target) "
				     : "(does not match the target) ");
	if (res->poison)
		text_puts(t, "poisoned");
	else if (res->value == res->local || relo->kind == CORE_TYPE_ID_LOCAL)
		text_printf(t, "%llu", (unsigned long long)res->value);
	else
		text_printf(t, "%llu -> %llu", (unsigned long long)res->local,
			    (unsigned long long)res->value);
}
