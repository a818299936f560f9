/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct_ops: an object's implementation of a struct of the kernel.
 *
 * The object's struct and the kernel's are matched member by member, by name: functions
 * become programs of that member, other members are copied where their sizes are the
 * same.  Members that the kernel lacks must be zero.  Kernel documentation: bpf/maps, and
 * libbpf's of struct_ops.
 */
#include <errno.h>
#include <stdio.h>

#include "base/diag.h"
#include "kern/loader.h"

struct matching {
	const struct map_def *def;
	const struct btf *from, *to; /* the object's, the kernel's */
	struct btf_type from_t, to_t;
	struct kern_struct_ops *ops;
	struct skep_diag *diag;
};

static int differs(const struct matching *m, const char *member, const char *why)
{
	char text[160];

	snprintf(text, sizeof(text), "its member %.80s %s", member, why);
	return fail(m->diag, KERN_STRUCT_OPS, NO_PC, m->to_t.name, text);
}

static const char *function_at(const struct map_def *def, u32 offset)
{
	for (u32 i = 0; i < def->n_slots; i++) {
		if (def->slots[i].index * 8 == offset)
			return def->slots[i].name;
	}
	return NULL;
}

static bool is_zero(const u8 *data, u64 len)
{
	for (u64 i = 0; i < len; i++) {
		if (data[i])
			return false;
	}
	return true;
}

/* The kernel's member of that name, whatever its flavour; -1: none. */
static int find_member(const struct matching *m, const char *name)
{
	size_t len = btf_essential_len(name);

	for (u32 i = 0; i < m->to_t.vlen; i++) {
		struct btf_member member = btf_member(m->to, &m->to_t, i);

		if (strlen(member.name) == len && !strncmp(member.name, name, len))
			return (int)i;
	}
	return -1;
}

static int match_member(struct matching *m, u32 i)
{
	struct btf_member from = btf_member(m->from, &m->from_t, i);
	u32 offset = from.bit_offset / 8;
	s64 size = btf_size(m->from, from.type);
	const char *func = function_at(m->def, offset);
	int k = find_member(m, from.name);
	bool zero;

	if (size < 0 || offset + (u64)size > m->def->value_size)
		return differs(m, from.name, "has no size");
	zero = !m->def->data || is_zero(m->def->data + offset, (u64)size);
	if (k < 0)
		return func || !zero
			       ? differs(m, from.name, "is not one of this kernel's")
			       : 0;
	struct btf_member to = btf_member(m->to, &m->to_t, (u32)k);
	if (func) {
		m->ops->members[m->ops->n_members++] =
			(struct kern_member){func, to.bit_offset / 8, (u32)k};
		return 0;
	}
	if (zero)
		return 0;
	if (from.bit_size || to.bit_size || btf_size(m->to, to.type) != size ||
	    to.bit_offset / 8 + (u64)size > m->to_t.size)
		return differs(m, from.name, "is of another size in this kernel");
	memcpy(m->ops->data + m->ops->data_offset + to.bit_offset / 8,
	       m->def->data + offset, (size_t)size);
	return 0;
}

/* The kernel's struct and what wraps it as the value of the map. */
static int find_types(struct matching *m, struct kern_loader *l, const char *name)
{
	char wrapper[160];

	snprintf(wrapper, sizeof(wrapper), "bpf_struct_ops_%.*s",
		 (int)btf_essential_len(name), name);
	m->ops->value_id = btf_find(m->to, wrapper, BTF_STRUCT);
	m->ops->struct_id =
		btf_find(m->to, wrapper + strlen("bpf_struct_ops_"), BTF_STRUCT);
	if (!m->ops->value_id || !m->ops->struct_id)
		return fail(m->diag, KERN_STRUCT_OPS, NO_PC, name,
			    "this kernel has no such struct_ops");
	m->to_t = btf_type(m->to, m->ops->struct_id);
	struct btf_type value = btf_type(m->to, m->ops->value_id);
	int data = btf_find_member(m->to, &value, "data");
	if (data < 0)
		return fail(m->diag, KERN_STRUCT_OPS, NO_PC, name,
			    "the kernel's value has no member data");
	m->ops->value_size = value.size;
	m->ops->data_offset = btf_member(m->to, &value, (u32)data).bit_offset / 8;
	if (m->ops->data_offset + (u64)m->to_t.size > value.size)
		return fail(m->diag, KERN_STRUCT_OPS, NO_PC, name,
			    "the kernel's value is too small for it");
	m->ops->data = arena_alloc(&l->arena, value.size);
	m->ops->members =
		arena_array(&l->arena, m->from_t.vlen + 1, sizeof(*m->ops->members));
	return m->ops->data && m->ops->members ? 0 : fail(m->diag, NO_MEMORY, NO_PC);
}

int kern_struct_ops(struct kern_loader *l, const struct map_def *def,
		    struct kern_struct_ops *ops, struct skep_diag *diag)
{
	struct matching m = {.def = def,
			     .from = l->obj->btf,
			     .to = l->target->btf,
			     .ops = ops,
			     .diag = diag};
	int err;

	*ops = (struct kern_struct_ops){0};
	if (!m.to)
		return fail(diag, KERN_NO_TYPES, NO_PC, "struct_ops");
	m.from_t = btf_type(m.from, btf_resolve(m.from, def->btf_value_id));
	if (m.from_t.kind != BTF_STRUCT)
		return fail(diag, KERN_STRUCT_OPS, NO_PC, def->name, "is no struct");
	ops->link = strstr(def->section, ".link") != NULL;
	err = find_types(&m, l, m.from_t.name);
	for (u32 i = 0; i < m.from_t.vlen && !err; i++)
		err = match_member(&m, i);
	return err;
}
