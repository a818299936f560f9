/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of inlined helpers (inline*.c) share.  Included by them alone.
 */
#ifndef SKEP_OPT_INLINE_H
#define SKEP_OPT_INLINE_H

#include "opt/build.h"

/* Is the helper's body ours, so that we know what it does? */
bool inline_knows(const struct ir_spec *spec, u32 number);

/* run->cpu, zero-extended. */
u32 inline_cpu(struct builder *b);

/* As inline_call(), of helpers on maps. */
bool inline_map(struct builder *b, u32 number, const u32 args[5], u32 *ret);
bool inline_loop(struct builder *b, const u32 args[5], u32 *ret);

#endif
