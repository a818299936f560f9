/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case before skep's verifier: it must say what the file says of Linux.  Cases that
 * want nothing but a verdict: case_object.c.
 */
#include "case_verify.h"

#include <skep/diag.h>
#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "btf/btf.h"
#include "function_btf.h"
#include "target/target.h"
#include "verify/verify.h"

/* Functions have types, as in the kernel: their addresses may be taken. */
static int add_types(struct case_built *built, struct skep_diag *diag)
{
	const struct bytes bytes = {(const u8 *)&function_btf, sizeof(function_btf)};
	const struct btf *btf;
	int err = btf_read(&built->arena, bytes, NULL, &btf, diag);

	for (u32 i = 0; i < built->unit.n_funcs && !err; i++) {
		struct prog *prog = &built->progs[i];

		prog->btf = btf;
		for (u32 k = 0; k < prog->n_subprogs; k++)
			prog->subprogs[k].btf_id = FUNCTION_BTF_FUNC;
	}
	return err;
}

static int verify_all(const struct case_built *built, struct skep_diag *diag)
{
	const struct target target = {.version = LINUX_DEFAULT};
	const struct verify_opts opts = {.target = &target};
	struct verify_result result;
	int err = 0;

	for (u32 i = 0; i < built->unit.n_funcs && !err; i++) {
		if (!built->unit.funcs[i].program)
			continue;
		result = (struct verify_result){0};
		err = verify_prog(&built->progs[i], &opts, &result, diag);
		verify_result_fini(&result);
	}
	return err;
}

static bool is_to_be_refused(const struct test_case *c)
{
	const struct want *own = case_wants(c, WANT_KERNEL);

	if (own && own->kernel != KERNEL_R0)
		return own->kernel == KERNEL_REFUSES;
	return case_wants(c, WANT_FAULT) || case_wants(c, WANT_REFUSE);
}

bool case_in_verifier(const struct test_case *c, struct text *told)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct case_built built;
	bool refuse = is_to_be_refused(c);
	int err = case_build(c, &built, &diag);

	if (!err)
		err = add_types(&built, &diag);
	if (!err)
		err = verify_all(&built, &diag);
	if (!err == refuse)
		text_printf(told, "wanted it to be %s\n\tgot    %s at %d (%s)",
			    refuse ? "rejected" : "accepted", skep_diag_name(diag.id),
			    diag.insn, diag.text);
	case_built_fini(&built);
	return !err != refuse;
}
