/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a program ready: every slot decoded once, operands where the engines want them,
 * references to maps, functions and helpers replaced by addresses.  What no engine can
 * run is refused here, by name, so that engines meet only what they know.  Never changes
 * the program.  RFC 9669 section 5.4 and 4.3 say what the references mean.
 */
#include "exec/image.h"

#include <errno.h>
#include <stdlib.h>

#include "base/diag.h"
#include "exec/jit/compile.h"
#include "maps/map.h"
#include "verify/verify.h"

static bool is_entry(const struct image *image, u64 pc)
{
	return image->entries[pc / 8] >> pc % 8 & 1;
}

const struct code *image_function(const struct image *image, const struct code *code,
				  u64 value)
{
	u64 distance = value - (u64)(uintptr_t)code, pc = distance / sizeof(*code);

	if (distance % sizeof(*code) || pc >= image->prog->n_insns ||
	    !is_entry(image, pc))
		return NULL;
	return code + pc;
}

static u32 function_at(const struct insn *insn, u32 pc)
{
	return pc + 1 + insn->imm;
}

static void mark_entry(struct image *image, u32 pc)
{
	image->entries[pc / 8] |= 1u << pc % 8;
}

/* Notes where functions start: the entry, what is called, what is pointed to, and the
 * exception callback. */
static void find_entries(struct image *image)
{
	const struct insn *insns = image->prog->insns;

	mark_entry(image, 0);
	mark_entry(image, image->prog->exception);
	for (u32 pc = 0; pc < image->prog->n_insns; pc++) {
		enum op op = decode(&insns[pc]);

		if ((op == OP_CALL && insns[pc].src_reg == CALL_LOCAL) ||
		    (op == OP_LDDW && insns[pc].src_reg == LDDW_FUNC))
			mark_entry(image, function_at(&insns[pc], pc));
		pc += op_info(op)->wide;
	}
}

static int refuse_extern(const struct prog *prog, const struct insn *insn, u32 pc,
			 struct skep_diag *diag)
{
	const char *name = "?";

	if ((u32)insn->imm < prog->n_externs)
		name = prog->externs[insn->imm].name;
	return fail(diag, NO_KERNEL_SYMBOL, (int)pc, name);
}

/* Raw programs have no type and may call what there is. */
static const struct abi_helper *helper_row(const struct prog *prog, u32 number)
{
	if (abi_is_kfunc(number))
		return abi_kfunc_proto(number);
	if (!prog->type)
		return abi_helper(number);
	return abi_helper_at(number, prog->type, prog->attach_type);
}

const struct abi_helper *image_helper(const struct image *image, u32 number)
{
	if (number < ABI_HELPERS && image->helpers[number])
		return image->helpers[number];
	return helper_row(image->prog, number); /* callx */
}

const char *image_type_name(const struct image *image)
{
	const struct abi_name *type = abi_prog_type(image->prog->type);

	return type ? type->name : "unknown";
}

/* What is called where nobody comes need not be there: Linux cuts such code out.  Of
 * native code that was known when it was made. */
static bool is_cut(const struct image_spec *spec, u32 pc)
{
	return spec->native || (spec->ways && !spec->ways[pc]);
}

static int check_helper(const struct image *image, u32 number, u32 pc,
			struct skep_diag *diag)
{
	const struct abi_helper *any = abi_helper(number),
				*row = helper_row(image->prog, number);

	if (any && !row)
		return fail(diag, HELPER_NOT_FOR_TYPE, (int)pc, any->name,
			    image_type_name(image));
	if (number != HELPER_TAIL_CALL &&
	    (abi_is_kfunc(number) || !image->helper(number)))
		return fail(diag, NO_HELPER, (int)pc, any ? any->name : "unknown",
			    number);
	return 0;
}

static int check_call(const struct image *image, const struct insn *insn, u32 pc,
		      struct skep_diag *diag)
{
	u32 number = prog_callee(image->prog, insn);

	if (insn->src_reg == CALL_KFUNC && !image->helper(number))
		return refuse_extern(image->prog, insn, pc, diag);
	if (insn->src_reg == CALL_HELPER)
		return check_helper(image, number, pc, diag);
	return 0;
}

static void note_call(struct image *image, const struct insn *insn)
{
	u32 number = prog_callee(image->prog, insn);

	if (insn->src_reg == CALL_HELPER && number < ABI_HELPERS)
		image->helpers[number] = helper_row(image->prog, number);
	if (insn->src_reg == CALL_KFUNC)
		image->throws |= number == abi_kfunc_number(KFUNC_bpf_throw);
}

/* An address that is only compared with 0. */
static int check_extern(const struct prog *prog, const struct insn *insn, u32 pc,
			struct skep_diag *diag)
{
	u32 number = (u32)insn->imm;
	const struct extern_ref *ref =
		number < prog->n_externs ? &prog->externs[number] : NULL;

	if (ref && ref->weak && (ref->kfunc || !ref->btf_id))
		return 0;
	return refuse_extern(prog, insn, pc, diag);
}

static int check_lddw(const struct image *image, const struct insn *insn, u32 pc,
		      struct skep_diag *diag)
{
	const struct prog *prog = image->prog;
	void *addr;

	switch ((enum lddw_src)insn->src_reg) {
	case LDDW_MAP_FD:
	case LDDW_MAP_VALUE: return fail(diag, MAP_BY_FD, (int)pc, insn->imm);
	case LDDW_BTF_ID: return check_extern(prog, insn, pc, diag);
	case LDDW_MAP_IDX:
	case LDDW_MAP_IDX_VALUE:
		if ((u32)insn->imm >= prog->n_maps || !image->maps[insn->imm])
			return fail(diag, NO_SUCH_MAP, (int)pc, insn->imm);
		if (insn->src_reg == LDDW_MAP_IDX)
			return 0;
		if (map_value_addr(image->maps[insn->imm], (u32)insn[1].imm, &addr))
			return fail(diag, BAD_MAP_OFFSET, (int)pc, (u32)insn[1].imm,
				    prog->maps[insn->imm]->name);
		return 0;
	case LDDW_IMM:
	case LDDW_FUNC:
	case LDDW_SRCS: return 0;
	}
	return 0;
}

/* Refuses what is well formed but cannot be run by us. */
static int check_references(struct image *image, const struct image_spec *spec,
			    struct skep_diag *diag)
{
	const struct prog *prog = image->prog;
	int err = 0;

	for (u32 pc = 0; pc < prog->n_insns && !err; pc++) {
		const struct insn *insn = &prog->insns[pc];
		enum op op = decode(insn);

		if (op == OP_CALL)
			note_call(image, insn);
		if (op == OP_CALL && !is_cut(spec, pc))
			err = check_call(image, insn, pc, diag);
		if (op == OP_LDDW)
			err = check_lddw(image, insn, pc++, diag);
	}
	return err;
}

static u64 lddw_value(const struct image *image, const struct code *code, u32 pc)
{
	const struct insn *insn = &image->prog->insns[pc];
	void *addr = NULL;

	switch ((enum lddw_src)insn->src_reg) {
	case LDDW_FUNC: return (u64)(uintptr_t)&code[function_at(insn, pc)];
	case LDDW_MAP_IDX: return (u64)(uintptr_t)image->maps[insn->imm];
	case LDDW_MAP_IDX_VALUE:
		map_value_addr(image->maps[insn->imm], (u32)insn[1].imm, &addr);
		return (u64)(uintptr_t)addr;
	case LDDW_IMM: return lddw_imm(insn);
	case LDDW_BTF_ID: return prog_extern_address(image->prog, insn);
	case LDDW_MAP_FD:
	case LDDW_MAP_VALUE:
	case LDDW_SRCS: return 0;
	}
	return 0;
}

static void code_call(const struct image *image, struct code *code, u32 pc,
		      const void *const *labels)
{
	const struct insn *insn = &image->prog->insns[pc];

	if (insn->src_reg == CALL_LOCAL) {
		code[pc].go = labels[CODE_CALL_LOCAL];
		code[pc].target = &code[function_at(insn, pc)];
	} else if (prog_callee(image->prog, insn) == HELPER_TAIL_CALL) {
		code[pc].go = labels[CODE_TAIL_CALL];
	} else {
		code[pc].go = labels[CODE_CALL_HELPER];
		code[pc].helper = image->helper(prog_callee(image->prog, insn));
	}
}

static void code_insn(const struct image *image, struct code *code, u32 pc,
		      const void *const *labels)
{
	const struct insn *insn = &image->prog->insns[pc];
	enum op op = decode(insn);
	struct code *c = &code[pc];

	*c = (struct code){.go = labels[op],
			   .dst = insn->dst_reg,
			   .src = insn->src_reg,
			   .off = insn->off,
			   .imm = insn->imm};
	if (op == OP_LDDW)
		c[1].value = lddw_value(image, code, pc);
	if (op == OP_JA || op == OP_MAY_GOTO)
		c->imm = insn->off;
	if (op == OP_CALLX && !insn->dst_reg) /* LLVM has the register in imm */
		c->dst = (u8)insn->imm;
	if (op == OP_CALL)
		code_call(image, code, pc, labels);
	if (image->arena && arena_differs(image, pc))
		c->go = labels[CODE_ARENA];
}

static void code_make(const struct image *image, struct code *code,
		      const void *const *labels)
{
	const struct prog *prog = image->prog;

	for (u32 pc = 0; pc < prog->n_insns; pc++) {
		code_insn(image, code, pc, labels);
		pc += op_info(decode(&prog->insns[pc]))->wide;
	}
}

/* A jump that only goes one way goes there whatever it compares, and what was never
 * looked at says so when it is reached. */
static void keep_to_ways(const struct prog *prog, const u8 *ways, struct code *code,
			 const void *const *labels)
{
	for (u32 pc = 0; pc < prog->n_insns; pc++) {
		const struct op_info *info = op_info(decode(&prog->insns[pc]));

		if (!ways[pc]) {
			code[pc].go = labels[CODE_UNSEEN];
		} else if (info->kind == KIND_JMP &&
			   ways[pc] != (VERIFY_WENT_ON | VERIFY_JUMPED)) {
			code[pc].go = labels[OP_JA];
			code[pc].imm =
				ways[pc] == VERIFY_JUMPED ? prog->insns[pc].off : 0;
		}
		pc += info->wide;
	}
}

static helper_fn no_helper(u32 number)
{
	(void)number;
	return NULL;
}

static int image_alloc(struct image *image, const struct image_spec *spec)
{
	u32 n = spec->prog->n_insns, n_maps = spec->prog->n_maps;

	image->prog = spec->prog;
	image->type = spec->prog->type;
	image->helper = spec->helper ? spec->helper : no_helper;
	image->claims = spec->claims;
	image->entries = calloc(n / 8 + 1, 1);
	image->helpers = calloc(ABI_HELPERS, sizeof(*image->helpers));
	image->maps = calloc(n_maps + 1, sizeof(*image->maps));
	if (!image->entries || !image->helpers || !image->maps)
		return -ENOMEM;
	for (u32 i = 0; i < n_maps; i++)
		image->maps[i] = spec->maps ? spec->maps[i] : NULL;
	for (u32 i = 0; i < n_maps; i++)
		if (image->maps[i] && image->maps[i]->type == MAP_TYPE_ARENA)
			image->arena = image->maps[i];
	image->marks = spec->arena;
	return 0;
}

/* ---- one form an engine ---- */

static int make_interp(struct image *image, const u8 *ways, struct skep_diag *diag)
{
	image->interp = calloc(image->prog->n_insns, sizeof(*image->interp));
	if (!image->interp)
		return fail(diag, NO_MEMORY, NO_PC);
	code_make(image, image->interp, interp_labels());
	if (ways)
		keep_to_ways(image->prog, ways, image->interp, interp_labels());
	interp_fuse(image->prog, image->interp);
	return 0;
}

static int make_checked(struct image *image, const u8 *ways, struct skep_diag *diag)
{
	image->checked = calloc(image->prog->n_insns, sizeof(*image->checked));
	if (!image->checked)
		return fail(diag, NO_MEMORY, NO_PC);
	code_make(image, image->checked, checked_labels());
	if (ways)
		keep_to_ways(image->prog, ways, image->checked, checked_labels());
	checked_guard(image->prog, image->checked);
	return 0;
}

static int make_jit(struct image *image, const struct image_spec *spec,
		    struct skep_diag *diag)
{
	struct jit_source src = {.prog = image->prog,
				 .maps = image->maps,
				 .helper = image->helper,
				 .arena = spec->arena,
				 .ways = spec->ways,
				 .opts = spec->jit};
	struct native native;
	int err;

	if (spec->native) {
		err = jit_link(image, spec->native, &image->jit, diag);
	} else {
		err = jit_compile(&src, &native, diag);
		if (err)
			return err;
		err = jit_link(image, &native, &image->jit, diag);
		native_fini(&native);
	}
	if (!err)
		image->entry = jit_entry(image);
	return err;
}

static int make_forms(struct image *image, const struct image_spec *spec,
		      struct skep_diag *diag)
{
	u32 engines = spec->engines;
	int err = 0;

	if (image->arena && !image->marks && !spec->native)
		return fail(diag, ARENA_UNVERIFIED, NO_PC);
	for (u32 i = 0; !spec->engines && engine_at(i); i++)
		engines |= engine_at(i)->images;
	if (engines & (FOR_INTERP | FOR_CHECKED))
		find_entries(image);
	if (engines & FOR_INTERP)
		err = make_interp(image, spec->ways, diag);
	if (!err && engines & FOR_CHECKED)
		err = make_checked(image, spec->ways, diag);
	if (!err && engines & FOR_JIT)
		err = make_jit(image, spec, diag);
	return err;
}

int image_new(const struct image_spec *spec, struct image **out, struct skep_diag *diag)
{
	const struct prog *prog = spec->prog;
	struct image *image;
	int err = insns_check(prog->insns, prog->n_insns, diag);

	if (err)
		return err;
	image = calloc(1, sizeof(*image));
	if (!image)
		return fail(diag, NO_MEMORY, NO_PC);
	err = image_alloc(image, spec);
	if (err) {
		fail(diag, NO_MEMORY, NO_PC);
		goto free_image;
	}
	err = check_references(image, spec, diag);
	if (err)
		goto free_image;
	err = make_forms(image, spec, diag);
	if (err)
		goto free_image;
	*out = image;
	return 0;

free_image:
	image_free(image);
	return err;
}

void image_free(struct image *image)
{
	if (!image)
		return;
	free(image->interp);
	free(image->checked);
	jit_free(image->jit);
	free(image->entries);
	free(image->helpers);
	free(image->maps);
	free(image);
}

const struct prog *image_prog(const struct image *image)
{
	return image->prog;
}
