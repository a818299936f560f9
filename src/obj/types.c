/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BTF of an object file.  Compilers leave sizes and offsets of its data sections open
 * (they are relocations, or nothing at all): what the ELF file says is put into our copy.
 * Broken BTF does not stop an object without declared maps; it is kept as a diagnostic.
 */
#include "base/diag.h"
#include "obj/reader.h"

static void put_u32(const struct reader *r, const u8 *at, u32 value)
{
	u8 *p = (u8 *)at; /* in our own copy of the file */

	store_u32(p, r->elf.big_endian == host_is_big_endian()
			     ? value
			     : __builtin_bswap32(value));
}

static void fix_datasec(const struct reader *r, const struct btf_type *sec, u32 section)
{
	const struct btf *btf = r->obj->btf;
	u64 size = r->elf.sections[section].size;

	if (!sec->size)
		put_u32(r, sec->data - 4, (u32)min_u64(size, UINT32_MAX));
	for (u32 k = 0; k < sec->vlen; k++) {
		struct btf_secvar v = btf_secvar(sec, k);
		const struct elf_symbol *sym =
			find_symbol(r, btf_name(btf, v.type), section);

		if (sym && sym->value < size)
			put_u32(r, sec->data + 12 * (size_t)k + 4, (u32)sym->value);
	}
}

/* The first section of a name is the one that the BTF is about. */
static int fix_datasecs(const struct reader *r, struct skep_diag *diag)
{
	const struct btf *btf = r->obj->btf;
	bool *done = arena_array(&r->obj->arena, btf_count(btf), sizeof(*done));

	if (!done)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 1; i < r->elf.n_sections; i++) {
		u32 id = find_datasec(r, r->elf.sections[i].name);
		struct btf_type sec = btf_type(btf, id);

		if (!id || done[id])
			continue;
		done[id] = true;
		fix_datasec(r, &sec, i);
	}
	return 0;
}

int read_btf(struct reader *r, struct skep_diag *diag)
{
	const struct elf_section *sec = elf_find_section(&r->elf, ".BTF");
	const struct elf_section *ext = elf_find_section(&r->elf, ".BTF.ext");
	struct object *obj = r->obj;
	const struct btf *btf;

	if (!sec || !sec->data.len)
		return 0;
	diag_clear(&obj->btf_diag);
	if (btf_read(&obj->arena, sec->data, NULL, &btf, &obj->btf_diag)) {
		diag_in(&obj->btf_diag, obj->btf_diag.err, "section .BTF");
		/* Without types nobody can say what the declared maps are. */
		if (elf_find_section(&r->elf, ".maps") && diag)
			*diag = obj->btf_diag;
		return elf_find_section(&r->elf, ".maps") ? obj->btf_diag.err : 0;
	}
	obj->btf = btf;
	int err = fix_datasecs(r, diag);
	if (err)
		return err;
	if (ext && ext->data.len &&
	    btf_ext_read(&obj->arena, ext->data, btf, &obj->ext, &obj->btf_diag)) {
		diag_in(&obj->btf_diag, obj->btf_diag.err, "section .BTF.ext");
		obj->ext = (struct btf_ext){0};
	}
	return 0;
}
