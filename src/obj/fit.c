/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fitting a linked program to a target: CO-RE relocations become the numbers of its
 * types, kernel symbols and kfuncs become ids of its BTF, LINUX_KERNEL_VERSION its
 * version.  The linked program stays as it is; the fitted one is a copy.
 */
#include <errno.h>

#include "base/diag.h"
#include "obj/object.h"
#include "target/target.h"

static int apply_core(struct object *obj, const struct object_prog *from,
		      const struct target *target, struct prog *prog,
		      struct skep_diag *diag)
{
	struct core *core = NULL;
	int err = 0;

	for (u32 i = 0; i < from->n_relocs && !err; i++) {
		const struct object_reloc *rel = &from->relocs[i];

		if (!rel->core)
			continue;
		core = core ? core : core_new(obj->btf, target->btf);
		if (!core)
			return fail(diag, NO_MEMORY, NO_PC);
		err = core_relocate(core, prog->insns, prog->n_insns, rel->insn,
				    rel->core, NULL, diag);
	}
	core_free(core);
	return err;
}

/* "bpf_task_acquire___two" is bpf_task_acquire, as its author knows it in a second way.
 */
static int find_extern(struct object *obj, const struct target *target,
		       struct extern_ref *ref, struct skep_diag *diag)
{
	enum btf_kind kind = ref->kfunc ? BTF_FUNC : BTF_VAR;
	size_t len = btf_essential_len(ref->name);
	const char *name = ref->name;

	if (name[len])
		name = arena_strndup(&obj->arena, name, len);
	if (!name)
		return fail(diag, NO_MEMORY, NO_PC);
	ref->btf_id = btf_find(target->btf, name, kind);
	if (!ref->btf_id && target->modules)
		target->modules->find(target->modules, name, kind, &ref->btf_id,
				      &ref->module);
	if (!ref->btf_id && ref->typed && !ref->weak)
		return fail(diag, NO_KSYM, NO_PC, ref->name);
	if (!ref->btf_id && ref->kfunc)
		ref->number = CORE_POISON_HELPER; /* nobody gets there */
	return 0;
}

static int find_externs(struct object *obj, const struct object_prog *from,
			const struct target *target, struct prog *prog,
			struct skep_diag *diag)
{
	struct extern_ref *refs = arena_memdup(&obj->arena, from->prog.externs,
					       from->prog.n_externs * sizeof(*refs));
	int err = refs ? 0 : fail(diag, NO_MEMORY, NO_PC);

	for (u32 i = 0; i < from->prog.n_externs && target->btf && !err; i++)
		err = find_extern(obj, target, &refs[i], diag);
	prog->externs = refs;
	return err;
}

/* A weak kernel symbol that the target does not have has the address 0. */
static void clear_missing(struct prog *prog)
{
	for (u32 pc = 0; pc < prog->n_insns; pc++) {
		struct insn *insn = &prog->insns[pc];

		if (decode(insn) != OP_LDDW)
			continue;
		if (insn->src_reg == LDDW_BTF_ID && (u32)insn->imm < prog->n_externs &&
		    prog->externs[insn->imm].weak && !prog->externs[insn->imm].btf_id) {
			insn[0].src_reg = LDDW_IMM;
			insn[0].imm = 0;
			insn[1].imm = 0;
		}
		pc++;
	}
}

int object_set_facts(struct object *obj, u32 version)
{
	const struct {
		const char *name;
		u64 value;
	} facts[] = {
		{"LINUX_KERNEL_VERSION", version},
		{"LINUX_HAS_BPF_COOKIE", version >= linux_version(5, 15, 0)},
		{"LINUX_HAS_SYSCALL_WRAPPER", version >= linux_version(4, 17, 0)},
	};
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(facts) && !err; i++) {
		int var = object_find_var(obj, facts[i].name);
		u8 value[8];

		if (var < 0 || obj->vars[var].map->origin != MAP_KCONFIG ||
		    obj->vars[var].size > sizeof(value))
			continue;
		store_u64(value, facts[i].value);
		if (host_is_big_endian())
			store_u64(value,
				  facts[i].value << (64 - 8 * obj->vars[var].size));
		err = object_set_var(obj, facts[i].name, value, obj->vars[var].size,
				     NULL);
	}
	return err;
}

static int fit(struct object *obj, const struct object_prog *from,
	       const struct target *target, struct prog *prog, struct skep_diag *diag)
{
	prog->insns = arena_memdup(&obj->arena, from->prog.insns,
				   from->prog.n_insns * sizeof(*prog->insns));
	if (!prog->insns)
		return fail(diag, NO_MEMORY, NO_PC);
	int err = apply_core(obj, from, target, prog, diag);
	if (!err)
		err = find_externs(obj, from, target, prog, diag);
	if (err)
		return err;
	clear_missing(prog);
	return object_set_facts(obj, target->version);
}

int object_fit(struct object *obj, u32 i, const struct target *target,
	       const struct prog **fitted, struct skep_diag *diag)
{
	const struct object_prog *from = &obj->progs[i];
	int err = from->err;

	if (err) {
		if (diag && !diag->id)
			*diag = from->diag;
	} else if (obj->big_endian != host_is_big_endian()) {
		err = fail(diag, FOREIGN_ENDIAN, NO_PC);
	} else {
		struct prog *prog = arena_memdup(&obj->arena, &from->prog, sizeof(*prog));

		err = prog ? fit(obj, from, target, prog, diag)
			   : fail(diag, NO_MEMORY, NO_PC);
		*fitted = prog;
	}
	if (!err)
		return 0;
	if (diag && diag->insn >= 0 && from->prog.lines) {
		const struct line_info *line = prog_line(&from->prog, (u32)diag->insn);

		if (line)
			diag_at_line(diag, line->file, (int)line->line);
	}
	return err;
}

int object_core_result(struct object *obj, const struct object_reloc *reloc,
		       const struct target *target, struct core_result *result,
		       struct skep_diag *diag)
{
	struct core *core = core_new(obj->btf, target->btf);
	int err = core ? core_resolve(core, reloc->core, result, diag)
		       : fail(diag, NO_MEMORY, NO_PC);

	core_free(core);
	return err;
}
