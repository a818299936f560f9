/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case before skep's verifier: it must say what the file says of Linux, for the same
 * reason and at the same instruction where a "reject" line names them.
 */
#include "case_verify.h"

#include <skep/diag.h>
#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "target/target.h"
#include "verify/verify.h"

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
	return case_wants(c, WANT_FAULT) || case_wants(c, WANT_REFUSE) ||
	       case_wants(c, WANT_REJECT);
}

static bool same_reason(const struct want *want, const struct skep_diag *diag,
			struct text *told)
{
	if (!want || (!strcmp(skep_diag_name(diag->id), want->name) &&
		      (want->insn < 0 || want->insn == diag->insn)))
		return true;
	text_printf(told, "wanted %s at %d\n\tgot    %s at %d (%s)", want->name,
		    want->insn, skep_diag_name(diag->id), diag->insn, diag->text);
	return false;
}

bool case_in_verifier(const struct test_case *c, struct text *told)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct case_built built;
	bool good = false, refuse = is_to_be_refused(c);
	int err = case_build(c, &built, &diag);

	if (!err)
		err = verify_all(&built, &diag);
	if (!err == refuse)
		text_printf(told, "wanted it to be %s\n\tgot    %s at %d (%s)",
			    refuse ? "rejected" : "accepted", skep_diag_name(diag.id),
			    diag.insn, diag.text);
	else
		good = same_reason(case_wants(c, WANT_REJECT), &diag, told);
	case_built_fini(&built);
	return good;
}
