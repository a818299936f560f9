/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs attach to: what the files about it share.
 *
 * attach.c finds it and knows iterators and struct_ops; attach_ctx.c makes a context of
 * its arguments; lsm.c knows the hooks of security modules.  For src/verify.
 */
#ifndef SKEP_VERIFY_ATTACH_H
#define SKEP_VERIFY_ATTACH_H

#include "verify/record.h"

/* ---- attach.c ---- */
/* Can the kernel hand over the arguments and result of env->attach_proto? */
int attach_proto_check(struct env *env);

/* ---- attach_args.c ---- */
int attach_iter_args(struct env *env);
/* The member of a struct_ops that the program is. */
int attach_find_member(struct env *env);

/* ---- attach_prog.c ---- */
/* The function of opts->attach_prog. */
int attach_find_in_prog(struct env *env);
/* Does the program no more than callers of that function know of? */
int attach_effects_check(struct env *env);

/* ---- lsm.c: of an LSM program's hook, env->attach_name ---- */
int lsm_check(struct env *env);
bool lsm_is_sleepable(const char *hook);
bool lsm_args_are_trusted(const struct env *env);
/* What it may return; false: nothing, or anything. */
bool lsm_return_range(const struct env *env, s32 *min, s32 *max);

/* ---- attach_names.c: what may be attached to, where types do not say it ---- */
/* May a program that sleeps be attached to this function of the kernel? */
bool trace_is_sleepable(const struct env *env, const char *func);
/* May its result be replaced? */
bool trace_is_modifiable(const struct env *env, const char *func);
/* Never traced; never returns. */
bool trace_is_denied(const char *func);
bool trace_never_returns(const char *func);

/* The kernel's struct behind the context of a type of program, or 0. */
u32 kernel_ctx_struct(const struct btf *kernel, u32 prog_type);

#endif
