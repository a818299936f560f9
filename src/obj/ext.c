/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hands the records of .BTF.ext to the sections of code that they are about.  Functions
 * and lines that are not in order help nobody and are left out; CO-RE relocations are
 * put in order.
 */
#include <stdlib.h>

#include "base/diag.h"
#include "obj/reader.h"

/* The code of the section with that name, or NULL. */
static struct code *find_code(struct reader *r, const struct hash_index *names,
			      const char *name)
{
	u32 i;

	for (size_t c = 0; hash_index_next(names, hash_string(name), &c, &i);) {
		if (!strcmp(r->elf.sections[i].name, name))
			return &r->codes[i];
	}
	return NULL;
}

static void give_lines(struct reader *r, const struct hash_index *names)
{
	const struct btf_ext *ext = &r->obj->ext;

	for (u32 i = 0; i < ext->n_line_sections; i++) {
		const struct btf_ext_section *sec = &ext->line_sections[i];
		const struct btf_line_info *lines = ext->lines + sec->first;
		struct code *code = find_code(r, names, sec->name);
		u32 k = 1;

		while (k < sec->n && lines[k].insn_off > lines[k - 1].insn_off)
			k++;
		if (!code || k < sec->n)
			continue;
		code->lines = lines;
		code->n_lines = sec->n;
	}
}

static void give_infos(struct reader *r, const struct hash_index *names)
{
	const struct btf_ext *ext = &r->obj->ext;

	for (u32 i = 0; i < ext->n_func_sections; i++) {
		const struct btf_ext_section *sec = &ext->func_sections[i];
		const struct btf_func_info *infos = ext->funcs + sec->first;
		struct code *code = find_code(r, names, sec->name);
		u32 k = 1;

		while (k < sec->n && infos[k].insn_off > infos[k - 1].insn_off)
			k++;
		if (!code || k < sec->n)
			continue;
		code->infos = infos;
		code->n_infos = sec->n;
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct btf_core_relo *x = *(const struct btf_core_relo *const *)a;
	const struct btf_core_relo *y = *(const struct btf_core_relo *const *)b;

	return x->insn_off < y->insn_off ? -1 : x->insn_off > y->insn_off;
}

static int give_core(struct reader *r, const struct hash_index *names)
{
	const struct btf_ext *ext = &r->obj->ext;

	for (u32 i = 0; i < ext->n_relo_sections; i++) {
		const struct btf_ext_section *sec = &ext->relo_sections[i];
		struct code *code = find_code(r, names, sec->name);

		if (!code || !sec->n)
			continue;
		code->core = arena_array(&r->obj->arena, sec->n, sizeof(*code->core));
		if (!code->core)
			return -1;
		for (u32 k = 0; k < sec->n; k++)
			code->core[k] = &ext->relos[sec->first + k];
		code->n_core = sec->n;
		qsort(code->core, sec->n, sizeof(*code->core), by_offset);
	}
	return 0;
}

int read_ext(struct reader *r, struct skep_diag *diag)
{
	struct hash_index names = HASH_INDEX_INIT;
	bool ok = true;

	for (u32 i = 1; i < r->elf.n_sections && ok; i++) {
		/* Only the first of a name counts: many alike would be a long chain. */
		if (r->codes[i].slots && !find_code(r, &names, r->elf.sections[i].name))
			ok = hash_index_add(&names, hash_string(r->elf.sections[i].name),
					    i);
	}
	if (ok) {
		give_lines(r, &names);
		give_infos(r, &names);
		ok = !give_core(r, &names);
	}
	hash_index_fini(&names);
	return ok ? 0 : fail(diag, NO_MEMORY, NO_PC);
}
