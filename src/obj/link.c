/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linking: each program gets copies of the functions it calls, directly or not, behind
 * its own code; calls, maps, variables and externs are resolved; what .BTF.ext says moves
 * along.  A program that cannot be linked says why, and the next one goes on.
 *
 * The formulas of relocations are those of LLVM's documentation: the addend of a call or
 * of an address is in the instruction.
 */
#include <errno.h>
#include <stdlib.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "obj/reader.h"

/* Programs share functions by copying them: a bound, in bytes, on what a small file can
 * grow to. */
enum { MAX_TOTAL = 32 << 20 };

#define NO_OFFSET INT64_MIN

static const char too_large[] = "the linked programs are together";

/* A function as part of the program that is being linked. */
struct member {
	u32 func;  /* index in r->funcs */
	u32 start; /* slot in the program */
};

/* How far the references of a member are resolved. */
struct frame {
	u32 member; /* index in members */
	u32 next;   /* slot in the function */
	u32 rel;    /* in the relocations of its section */
};

struct linker {
	struct reader *r;
	struct object_prog *out;
	struct vec insns;   /* struct insn */
	struct vec members; /* struct member */
	struct vec frames;  /* struct frame: callers first */
	struct vec relocs;  /* struct object_reloc */
	struct vec maps;    /* const struct map_def * */
	struct vec externs; /* struct extern_ref */
	struct vec lines;   /* struct line_info */
	/* Parallel to maps and externs: their indices in the object. */
	struct vec used_maps, used_externs; /* u32 */
	/* By index of the object's functions, maps, externs: where they are in this
	 * program, or -1. */
	s32 *member_of, *map_of, *extern_of;
	u64 total; /* bytes of all programs */
	u32 text;  /* the section .text, or 0 */
};

/* Where one instruction is. */
struct place {
	const struct func *func;
	u32 pc;                      /* slot in the program */
	u32 slot;                    /* slot in the function's section */
	const struct elf_reloc *rel; /* NULL: none */
};

static struct insn *insn_at(const struct linker *l, u32 pc)
{
	return vec_at(&l->insns, pc);
}

static int no_memory(struct skep_diag *diag)
{
	return fail(diag, NO_MEMORY, NO_PC);
}

static int note(struct linker *l, enum object_reloc_kind kind, u32 pc, const char *name,
		struct skep_diag *diag)
{
	struct object_reloc *rel = vec_push(&l->relocs);

	l->total += sizeof(*rel);
	if (l->total > MAX_TOTAL)
		return fail(diag, PROG_TOO_LARGE, NO_PC, too_large);
	if (!rel)
		return no_memory(diag);
	*rel = (struct object_reloc){.kind = kind, .insn = pc, .name = name};
	return 0;
}

/* The first relocation at or behind a slot of a section. */
static u32 first_reloc(const struct code *code, u32 slot)
{
	u32 lo = 0, hi = code->n_relocs;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (code->relocs[mid].offset < (u64)slot * INSN_SIZE)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int add_lines(struct linker *l, const struct member *m, struct skep_diag *diag)
{
	const struct func *f = vec_at(&l->r->funcs, m->func);
	const struct code *code = &l->r->codes[f->section];
	u64 from = (u64)f->start * INSN_SIZE, to = from + (u64)f->n_insns * INSN_SIZE;
	u32 lo = 0, hi = code->n_lines;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (code->lines[mid].insn_off < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < code->n_lines && code->lines[lo].insn_off < to; lo++) {
		const struct btf_line_info *info = &code->lines[lo];
		struct line_info *line = vec_push(&l->lines);

		if (!line)
			return no_memory(diag);
		*line = (struct line_info){
			m->start + (u32)((info->insn_off - from) / INSN_SIZE), info->line,
			info->column, info->file, info->text};
	}
	return 0;
}

static int add_core(struct linker *l, const struct member *m, struct skep_diag *diag)
{
	const struct func *f = vec_at(&l->r->funcs, m->func);
	const struct code *code = &l->r->codes[f->section];
	u64 from = (u64)f->start * INSN_SIZE, to = from + (u64)f->n_insns * INSN_SIZE;
	u32 lo = 0, hi = code->n_core;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (code->core[mid]->insn_off < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < code->n_core && code->core[lo]->insn_off < to; lo++) {
		u32 pc = m->start + (u32)((code->core[lo]->insn_off - from) / INSN_SIZE);
		int err = note(l, OBJECT_RELOC_CORE, pc, NULL, diag);

		if (err)
			return err;
		((struct object_reloc *)vec_at(&l->relocs, l->relocs.len - 1))->core =
			code->core[lo];
	}
	return 0;
}

/* Copies a function behind what is there; its references are resolved next, before the
 * rest of its caller's: the order in which Linux' own loader puts functions. */
static int begin_member(struct linker *l, u32 func, struct skep_diag *diag)
{
	const struct func *f = vec_at(&l->r->funcs, func);
	const struct code *code = &l->r->codes[f->section];
	struct member m = {func, (u32)l->insns.len};

	if (l->insns.len + f->n_insns > MAX_INSNS)
		return fail(diag, PROG_TOO_LARGE, NO_PC, "the linked program is");
	l->total += f->n_insns * sizeof(struct insn) + sizeof(struct subprog);
	if (l->total > MAX_TOTAL)
		return fail(diag, PROG_TOO_LARGE, NO_PC, too_large);
	struct insn *insns = vec_push_many(&l->insns, f->n_insns);
	struct member *member = vec_push(&l->members);
	struct frame *frame = vec_push(&l->frames);
	if (!insns || !member || !frame)
		return no_memory(diag);
	for (u32 i = 0; i < f->n_insns; i++)
		insns[i] = insn_read(code->slots + (u64)(f->start + i) * INSN_SIZE,
				     l->r->elf.big_endian);
	*member = m;
	l->member_of[func] = (s32)l->members.len - 1;
	*frame = (struct frame){(u32)l->members.len - 1, 0, first_reloc(code, f->start)};
	int err = add_lines(l, &m, diag);

	return err ? err : add_core(l, &m, diag);
}

static int refer_to_func(struct linker *l, const struct place *p, u32 section, s64 slot,
			 struct skep_diag *diag)
{
	s32 func = slot < 0 ? -1 : func_at(l->r, section, (u64)slot);
	bool is_call = insn_at(l, p->pc)->code == (CLASS_JMP | 0x80);

	if (func < 0)
		return fail(diag, NO_CODE, (int)p->pc, l->r->elf.sections[section].name,
			    (unsigned long long)slot * INSN_SIZE);
	int err = l->member_of[func] < 0 ? begin_member(l, (u32)func, diag) : 0;
	if (!err && p->rel)
		err = note(l, is_call ? OBJECT_RELOC_CALL : OBJECT_RELOC_FUNC, p->pc,
			   ((struct func *)vec_at(&l->r->funcs, (u32)func))->name, diag);
	if (err)
		return err;
	const struct member *m = vec_at(&l->members, (u32)l->member_of[func]);
	struct insn *insn = insn_at(l, p->pc);

	insn[0].src_reg = is_call ? CALL_LOCAL : LDDW_FUNC;
	insn[0].imm = (s32)m->start - (s32)p->pc - 1;
	if (!is_call)
		insn[1].imm = 0;
	return 0;
}

/* Compilers refer to variables of the file by their section. */
static const char *variable_name(const struct reader *r, const struct elf_symbol *sym,
				 const struct map_def *def, s64 offset)
{
	const struct object_var *var =
		sym->type == ELF_SECTION ? var_at(r, def, (u64)offset) : NULL;

	return var ? var->name : symbol_name(r, sym);
}

/* offset: of a variable in the map's data; NO_OFFSET: the map itself is meant. */
static int refer_to_map(struct linker *l, const struct place *p, u32 map, s64 offset,
			struct skep_diag *diag)
{
	struct insn *insn = insn_at(l, p->pc);
	const struct map_def *def = reader_map(l->r, map);
	bool value = offset != NO_OFFSET;

	if (l->map_of[map] < 0) {
		const struct map_def **slot = vec_push(&l->maps);
		u32 *used = vec_push(&l->used_maps);

		if (!slot || !used)
			return no_memory(diag);
		*slot = def;
		*used = map;
		l->map_of[map] = (s32)l->maps.len - 1;
	}
	if (value && (offset < 0 || offset > def->data_size))
		return fail(diag, BAD_RELOC, (int)p->pc, def->name,
			    "points outside of it");
	insn[0].src_reg = value ? LDDW_MAP_IDX_VALUE : LDDW_MAP_IDX;
	insn[0].imm = l->map_of[map];
	insn[1].imm = value ? (s32)offset : 0;
	if (!value)
		return note(l, OBJECT_RELOC_MAP, p->pc, def->name, diag);
	return note(l, OBJECT_RELOC_DATA, p->pc,
		    variable_name(l->r, &l->r->elf.symbols[p->rel->symbol], def, offset),
		    diag);
}

/* An extern of .kconfig is a variable of the map of that name. */
static int refer_to_setting(struct linker *l, const struct place *p,
			    const struct object_extern *e, struct skep_diag *diag)
{
	if (!e->resolved)
		return fail(diag, NO_KCONFIG, (int)p->pc, e->name, e->error);
	return refer_to_map(l, p, l->r->kconfig_map, l->r->obj->vars[e->var].offset,
			    diag);
}

static int refer_to_extern(struct linker *l, const struct place *p, u32 index,
			   struct skep_diag *diag)
{
	const struct object_extern *e = &l->r->obj->externs[index];
	struct insn *insn = insn_at(l, p->pc);
	bool is_call = insn->code == (CLASS_JMP | 0x80);

	if (e->kind == EXTERN_KCONFIG && !is_call)
		return refer_to_setting(l, p, e, diag);
	if (e->kind == EXTERN_UNKNOWN && !e->weak)
		return fail(diag, UNRESOLVED, (int)p->pc, e->name);
	if (l->extern_of[index] < 0) {
		struct extern_ref *ref = vec_push(&l->externs);
		u32 *used = vec_push(&l->used_externs);

		if (!ref || !used)
			return no_memory(diag);
		*used = index;
		*ref = (struct extern_ref){.name = e->name,
					   .weak = e->weak,
					   .number = abi_kfunc_number_of(e->name),
					   .kfunc = e->kind == EXTERN_KFUNC,
					   .typed = e->typed};
		l->extern_of[index] = (s32)l->externs.len - 1;
	}
	insn->src_reg = is_call ? CALL_KFUNC : LDDW_BTF_ID;
	insn->imm = l->extern_of[index];
	return note(l, OBJECT_RELOC_EXTERN, p->pc, e->name, diag);
}

/* Why a place in that section is in no map. */
static const char *no_map(const struct elf_section *sec)
{
	return strcmp(sec->name, ".addr_space.1")
		       ? "is about no map and no variable"
		       : "is about a variable of an arena, and .maps declares no arena";
}

/* A map, or a variable by its symbol or by its section and offset. */
static int refer_to_data(struct linker *l, const struct place *p, u64 target,
			 struct skep_diag *diag)
{
	const struct elf_symbol *sym = &l->r->elf.symbols[p->rel->symbol];
	s64 offset = (s64)target;

	if (l->r->arena_section && sym->section == l->r->arena_section)
		return refer_to_map(l, p, l->r->arena_map, offset, diag);
	s32 map = map_at(l->r, sym->section, target);

	if (map < 0)
		map = map_at(l->r, sym->section, sym->value);
	if (map < 0)
		return fail(diag, BAD_RELOC, (int)p->pc, symbol_name(l->r, sym),
			    no_map(&l->r->elf.sections[sym->section]));
	const struct map_def *def = reader_map(l->r, (u32)map);
	bool whole = def->origin == MAP_DECLARED || def->origin == MAP_STRUCT_OPS;

	return refer_to_map(l, p, (u32)map, whole ? NO_OFFSET : offset, diag);
}

static int apply_reloc(struct linker *l, const struct place *p, struct skep_diag *diag)
{
	const struct elf_symbol *sym = &l->r->elf.symbols[p->rel->symbol];
	struct insn *insn = insn_at(l, p->pc);
	bool is_call = insn->code == (CLASS_JMP | 0x80);
	bool is_lddw = decode(insn) == OP_LDDW;
	u64 target = reloc_target(l->r, p->rel, insn);
	s32 ext = l->r->symbol_extern[p->rel->symbol];

	if (!is_call && !is_lddw)
		return fail(diag, BAD_RELOC, (int)p->pc, symbol_name(l->r, sym),
			    "is at an instruction that takes no address");
	if (p->rel->offset % INSN_SIZE || p->rel->offset / INSN_SIZE != p->slot)
		return fail(diag, BAD_RELOC, (int)p->pc, symbol_name(l->r, sym),
			    "is inside of an instruction");
	if (p->rel->type != (is_call ? ELF_BPF_64_32 : ELF_BPF_64_64))
		return fail(diag, BAD_RELOC, (int)p->pc, symbol_name(l->r, sym),
			    "is of a type that its instruction does not have");
	if (ext >= 0)
		return refer_to_extern(l, p, (u32)ext, diag);
	if (sym->section >= l->r->elf.n_sections)
		return fail(diag, UNRESOLVED, (int)p->pc, symbol_name(l->r, sym));
	if (l->r->codes[sym->section].slots)
		return target % INSN_SIZE
			       ? fail(diag, NO_CODE, (int)p->pc,
				      l->r->elf.sections[sym->section].name,
				      (unsigned long long)target)
			       : refer_to_func(l, p, sym->section,
					       (s64)(target / INSN_SIZE), diag);
	if (is_call)
		return fail(diag, BAD_RELOC, (int)p->pc, symbol_name(l->r, sym),
			    "is a call of something that is no function");

	return refer_to_data(l, p, target, diag);
}

/* References of code to code of the same section need no relocation. */
static int apply_relative(struct linker *l, const struct place *p, struct skep_diag *diag)
{
	const struct insn *insn = insn_at(l, p->pc);
	enum op op = decode(insn);

	if ((op == OP_CALL && insn->src_reg == CALL_LOCAL) ||
	    (op == OP_LDDW && insn->src_reg == LDDW_FUNC))
		return refer_to_func(l, p, p->func->section, (s64)p->slot + insn->imm + 1,
				     diag);
	return 0;
}

/* What cannot be resolved stops the program from being run, not from being shown. */
static int leave_open(struct linker *l, const struct place *p, int err,
		      struct skep_diag *diag)
{
	const struct elf_symbol *sym = &l->r->elf.symbols[p->rel->symbol];
	bool is_call = insn_at(l, p->pc)->code == (CLASS_JMP | 0x80);
	enum object_reloc_kind kind = sym->section == ELF_UNDEF ? OBJECT_RELOC_EXTERN
				      : is_call                 ? OBJECT_RELOC_CALL
								: OBJECT_RELOC_DATA;

	if (!l->out->err)
		l->out->err = diag_in(diag, err, "function %s", p->func->name);
	err = note(l, kind, p->pc, symbol_name(l->r, sym), diag);
	if (!err)
		((struct object_reloc *)vec_at(&l->relocs, l->relocs.len - 1))
			->unresolved = true;
	return err;
}

/* One instruction of the function on top. */
static int step(struct linker *l, const struct func *f, struct skep_diag *diag)
{
	const struct code *code = &l->r->codes[f->section];
	struct frame *frame = vec_at(&l->frames, l->frames.len - 1);
	const struct member *m = vec_at(&l->members, frame->member);
	struct place p = {f, m->start + frame->next, f->start + frame->next, NULL};
	bool wide = op_info(decode(insn_at(l, p.pc)))->wide;

	if (wide && frame->next + 1 == f->n_insns)
		return fail(diag, BAD_CODE, (int)p.pc, "a wide instruction is cut off");
	for (; frame->rel < code->n_relocs &&
	       code->relocs[frame->rel].offset / INSN_SIZE <= p.slot;
	     frame->rel++)
		p.rel = code->relocs[frame->rel].type == ELF_BPF_NONE
				? p.rel
				: &code->relocs[frame->rel];
	frame->next += 1 + wide;
	int err = p.rel ? apply_reloc(l, &p, diag) : apply_relative(l, &p, diag);

	return err && p.rel && err != -ENOMEM && err != -E2BIG
		       ? leave_open(l, &p, err, diag)
		       : err;
}

/* Until every function of the program is resolved. */
static int resolve(struct linker *l, struct skep_diag *diag)
{
	while (l->frames.len) {
		const struct frame *frame = vec_at(&l->frames, l->frames.len - 1);
		const struct member *m = vec_at(&l->members, frame->member);
		const struct func *f = vec_at(&l->r->funcs, m->func);

		if (frame->next == f->n_insns) {
			l->frames.len--;
			continue;
		}
		int err = step(l, f, diag);
		if (err)
			return diag_in(diag, err, "function %s", f->name);
	}
	return 0;
}

static u32 func_btf_id(const struct code *code, const struct func *f)
{
	u32 lo = 0, hi = code->n_infos;
	u64 off = (u64)f->start * INSN_SIZE;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (code->infos[mid].insn_off < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < code->n_infos && code->infos[lo].insn_off == off
		       ? code->infos[lo].type
		       : f->btf_id;
}

static int by_insn(const void *a, const void *b)
{
	const struct object_reloc *x = a, *y = b;

	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

/* Whatever its symbol says: Linux knows the types only. */
static bool is_static_type(const struct btf *btf, u32 btf_id)
{
	struct btf_type t;

	if (!btf || !btf_id)
		return false;
	t = btf_type(btf, btf_id);
	return t.kind == BTF_FUNC && btf_linkage(&t) == BTF_STATIC;
}

/* Moves what was linked into the object's arena. */
static int keep(struct linker *l, struct skep_diag *diag)
{
	struct arena *a = &l->r->obj->arena;
	struct prog *prog = &l->out->prog;

	l->total += l->lines.len * sizeof(struct line_info);
	if (l->total > MAX_TOTAL)
		return fail(diag, PROG_TOO_LARGE, NO_PC, too_large);
	if (l->relocs.len)
		qsort(l->relocs.data, l->relocs.len, l->relocs.elem_size, by_insn);
	prog->n_insns = (u32)l->insns.len;
	prog->n_subprogs = (u32)l->members.len;
	prog->n_lines = (u32)l->lines.len;
	prog->n_maps = (u32)l->maps.len;
	prog->n_externs = (u32)l->externs.len;
	l->out->n_relocs = (u32)l->relocs.len;
	prog->insns = arena_memdup(a, l->insns.data, l->insns.len * sizeof(struct insn));
	prog->subprogs = arena_array(a, l->members.len, sizeof(struct subprog));
	prog->lines =
		arena_memdup(a, l->lines.data, l->lines.len * sizeof(struct line_info));
	prog->maps =
		arena_memdup(a, l->maps.data, l->maps.len * sizeof(struct map_def *));
	prog->externs = arena_memdup(a, l->externs.data,
				     l->externs.len * sizeof(struct extern_ref));
	l->out->relocs = arena_memdup(a, l->relocs.data,
				      l->relocs.len * sizeof(struct object_reloc));
	if (!prog->insns || !prog->subprogs || !prog->lines || !prog->maps ||
	    !prog->externs || !l->out->relocs)
		return no_memory(diag);
	for (u32 i = 0; i < l->members.len; i++) {
		const struct member *m = vec_at(&l->members, i);
		const struct func *f = vec_at(&l->r->funcs, m->func);
		u32 btf_id = func_btf_id(&l->r->codes[f->section], f);

		prog->subprogs[i] = (struct subprog){
			f->name,
			m->start,
			f->n_insns,
			btf_id,
			f->global && !is_static_type(l->r->obj->btf, btf_id),
		};
	}
	return 0;
}

static bool is_gpl_compatible(const char *license)
{
	static const char *const licenses[] = {
		"GPL",          "GPL v2",       "GPL and additional rights",
		"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL",
	};

	for (u32 i = 0; i < ARRAY_SIZE(licenses); i++) {
		if (license && !strcmp(license, licenses[i]))
			return true;
	}
	return false;
}

/* What the section's name says. */
static void describe(const struct object *obj, const struct func *f, const char *section,
		     struct prog *prog)
{
	bool optional = section[0] == '?';
	const struct abi_section *row =
		abi_find_section(section + optional, &prog->attach_target);

	prog->name = f->name;
	prog->section = section + optional;
	prog->optional = optional;
	prog->btf = obj->btf;
	prog->license = obj->license;
	prog->gpl_compatible = is_gpl_compatible(obj->license);
	prog->kern_version = obj->version;
	if (!row)
		return;
	prog->type = row->prog_type;
	prog->attach_type = row->attach ? row->attach_type : 0;
	prog->sleepable = row->sleepable;
	prog->frags = row->frags;
}

/* The function that a program names to be called when it throws: behind all others, as
 * nothing calls it. */
static int add_exception_callback(struct linker *l, const struct func *f,
				  struct skep_diag *diag)
{
	static const char prefix[] = "exception_callback:";
	const struct btf *btf = l->r->obj->btf;
	u32 cursor = 0, tag;

	while (btf && f->btf_id && (tag = btf_next_tag(btf, f->btf_id, &cursor))) {
		const char *text = btf_name(btf, tag);

		if (strncmp(text, prefix, strlen(prefix)) != 0)
			continue;
		text += strlen(prefix);
		const struct elf_symbol *sym = find_symbol(l->r, text, l->text);
		s32 func = sym ? func_at(l->r, sym->section, sym->value / INSN_SIZE) : -1;

		if (func < 0)
			return fail(diag, UNRESOLVED, NO_PC, text);
		int err = l->member_of[func] < 0 ? begin_member(l, (u32)func, diag) : 0;
		if (err)
			return err;
		const struct member *m = vec_at(&l->members, (u32)l->member_of[func]);

		l->out->prog.exception = m->start;
		return 0; /* a second one is the verifier's business */
	}
	return 0;
}

static int link_one(struct linker *l, u32 func, struct skep_diag *diag)
{
	int err = begin_member(l, func, diag);

	if (!err)
		err = resolve(l, diag);
	if (!err)
		err = add_exception_callback(l, vec_at(&l->r->funcs, func), diag);
	if (!err)
		err = resolve(l, diag);
	return err ? err : keep(l, diag);
}

/* Ready for the next program. */
static void reset(struct linker *l)
{
	for (u32 i = 0; i < l->members.len; i++)
		l->member_of[((struct member *)vec_at(&l->members, i))->func] = -1;
	for (u32 i = 0; i < l->used_maps.len; i++)
		l->map_of[*(u32 *)vec_at(&l->used_maps, i)] = -1;
	for (u32 i = 0; i < l->used_externs.len; i++)
		l->extern_of[*(u32 *)vec_at(&l->used_externs, i)] = -1;
	vec_clear(&l->insns);
	vec_clear(&l->members);
	vec_clear(&l->frames);
	vec_clear(&l->relocs);
	vec_clear(&l->lines);
	vec_clear(&l->maps);
	vec_clear(&l->used_maps);
	vec_clear(&l->externs);
	vec_clear(&l->used_externs);
}

static int link_all(struct linker *l, struct skep_diag *diag)
{
	struct object *obj = l->r->obj;

	for (u32 i = 0; i < l->r->funcs.len; i++) {
		const struct func *f = vec_at(&l->r->funcs, i);

		if (!f->entry)
			continue;
		l->out = &obj->progs[obj->n_progs++];
		l->out->diag = (struct skep_diag)SKEP_DIAG_INIT;
		describe(obj, f, l->r->elf.sections[f->section].name, &l->out->prog);
		int err = link_one(l, i, &l->out->diag);

		if (err == -ENOMEM)
			return no_memory(diag);
		l->out->err = l->out->err ? l->out->err : err;
		reset(l);
	}
	return 0;
}

int link_programs(struct reader *r, struct skep_diag *diag)
{
	struct arena *a = &r->obj->arena;
	struct linker l = {
		.r = r,
		.insns = VEC_INIT(struct insn),
		.members = VEC_INIT(struct member),
		.frames = VEC_INIT(struct frame),
		.relocs = VEC_INIT(struct object_reloc),
		.maps = VEC_INIT(const struct map_def *),
		.externs = VEC_INIT(struct extern_ref),
		.lines = VEC_INIT(struct line_info),
		.used_maps = VEC_INIT(u32),
		.used_externs = VEC_INIT(u32),
		.member_of = arena_array(a, r->funcs.len, sizeof(s32)),
		.map_of = arena_array(a, r->maps.len, sizeof(s32)),
		.extern_of = arena_array(a, r->externs.len, sizeof(s32)),
	};
	const struct elf_section *text = elf_find_section(&r->elf, ".text");
	u32 entries = 0;
	int err = 0;

	l.text = text ? (u32)(text - r->elf.sections) : 0;
	for (u32 i = 0; i < r->funcs.len; i++)
		entries += ((struct func *)vec_at(&r->funcs, i))->entry;
	if (entries > OBJECT_MAX_PROGS)
		return fail(diag, TOO_MANY_PROGS, NO_PC, OBJECT_MAX_PROGS);
	r->obj->progs = arena_array(a, entries, sizeof(*r->obj->progs));
	if (!r->obj->progs || !l.member_of || !l.map_of || !l.extern_of)
		return no_memory(diag);
	memset(l.member_of, 0xff, r->funcs.len * sizeof(s32));
	memset(l.map_of, 0xff, r->maps.len * sizeof(s32));
	memset(l.extern_of, 0xff, r->externs.len * sizeof(s32));
	err = link_all(&l, diag);
	vec_fini(&l.insns);
	vec_fini(&l.members);
	vec_fini(&l.frames);
	vec_fini(&l.used_maps);
	vec_fini(&l.used_externs);
	vec_fini(&l.relocs);
	vec_fini(&l.maps);
	vec_fini(&l.externs);
	vec_fini(&l.lines);
	return err;
}
