/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is compiled, and the machine that it is compiled for.  For src/exec, and for who
 * stores or shows native code (src/load, src/tools).
 */
#ifndef SKEP_EXEC_JIT_COMPILE_H
#define SKEP_EXEC_JIT_COMPILE_H

#include "exec/jit/jit.h"
#include "exec/jit/machine.h"

/* All borrowed; of a program that image_new() took. */
struct jit_source {
	const struct prog *prog;
	struct map *const *maps; /* parallel to prog->maps */
	helper_fn (*helper)(u32 number);
	const u8 *arena, *ways; /* as image_spec's */
	struct jit_opts opts;
};

/* Native code that is not linked yet; native_fini() frees it.  Errors: ENOMEM, ENOTSUP
 * for programs that the compiler does not take, and where there is none. */
int jit_compile(const struct jit_source *src, struct native *out, struct skep_diag *diag);

/* (host.c of the machine) The machine that we run on, and what its CPU has (features
 * NULL: nobody asks); NULL: there is no compiler for it. */
const struct machine *host_machine(u32 *features);

#endif
