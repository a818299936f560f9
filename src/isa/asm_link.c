/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of an assembled unit as one array of instructions: its own, then those of
 * every function it reaches, in the order in which they are first named.  Changes nothing
 * in the unit.
 */
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "isa/asm.h"

enum { NOT_PLACED = UINT32_MAX };

struct link {
	const struct asm_unit *unit; /* borrowed from the caller */
	struct asm_linked *out;
	u32 *starts; /* in the arena; of each function of the unit, or NOT_PLACED */
};

static void place(struct link *l, u32 func)
{
	if (l->starts[func] != NOT_PLACED)
		return;
	l->starts[func] = l->out->n_insns;
	l->out->places[l->out->n_places++] = (struct asm_place){func, l->out->n_insns};
	l->out->n_insns += l->unit->funcs[func].n_insns;
}

static bool is_function(const struct asm_ref *ref)
{
	return ref->kind == ASM_REF_CALL || ref->kind == ASM_REF_FUNC;
}

/* Places what the program needs; the list grows while it is walked. */
static void place_all(struct link *l, u32 program)
{
	place(l, program);
	for (u32 i = 0; i < l->out->n_places; i++) {
		const struct asm_func *f = &l->unit->funcs[l->out->places[i].func];

		for (u32 k = 0; k < f->n_refs; k++)
			if (is_function(&f->refs[k]))
				place(l, f->refs[k].index);
	}
}

static void copy_function(struct link *l, const struct asm_place *at)
{
	const struct asm_func *f = &l->unit->funcs[at->func];

	if (!f->n_insns)
		return;
	memcpy(l->out->insns + at->start, f->insns, f->n_insns * sizeof(*f->insns));
	memcpy(l->out->lines + at->start, f->lines, f->n_insns * sizeof(*f->lines));
	for (u32 k = 0; k < f->n_refs; k++) {
		const struct asm_ref *ref = &f->refs[k];
		u32 pc = at->start + ref->insn;

		if (is_function(ref))
			l->out->insns[pc].imm = (s32)(l->starts[ref->index] - pc - 1);
	}
}

int asm_link(const struct asm_unit *unit, u32 func, struct arena *arena,
	     struct asm_linked *out, struct skep_diag *diag)
{
	struct link l = {unit, out, NULL};

	*out = (struct asm_linked){0};
	l.starts = arena_array(arena, unit->n_funcs, sizeof(*l.starts));
	out->places = arena_array(arena, unit->n_funcs, sizeof(*out->places));
	if (!l.starts || !out->places)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < unit->n_funcs; i++)
		l.starts[i] = NOT_PLACED;
	place_all(&l, func);
	out->insns = arena_array(arena, out->n_insns, sizeof(*out->insns));
	out->lines = arena_array(arena, out->n_insns, sizeof(*out->lines));
	if (!out->insns || !out->lines)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < out->n_places; i++)
		copy_function(&l, &out->places[i]);
	return 0;
}
