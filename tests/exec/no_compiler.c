/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that the compiler does not know: this program's host_machine() takes the
 * place of the real one.
 */
#include "exec/jit/host_none.c"

#include <errno.h>
#include <skep/diag.h>

#include "base/diag.h"
#include "check.h"
#include "exec/exec.h"

int main(void)
{
	static struct insn insns[] = {{.code = 0xb7}, {.code = 0x95}};
	const struct prog prog = {.name = "main", .insns = insns, .n_insns = 2};
	struct image_spec spec = {.prog = &prog, .engines = FOR_JIT};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct run run = {.cpu = 0};
	struct image *image = NULL;
	u64 r0 = 1;

	CHECK(!engine_find("jit"));
	CHECK_STR(engine_default()->name, "interp");
	CHECK(image_new(&spec, &image, &diag) == -ENOTSUP);
	CHECK_STR(skep_diag_name(diag.id), "NO_JIT");
	spec.engines = 0;
	CHECK(!image_new(&spec, &image, &diag));
	CHECK(!interp_run(image, &run, &r0) && !r0);
	image_free(image);
	return check_report();
}
