/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bodies behind the rows of abi/helpers.def.  What is offered stands in offered.def,
 * one row a helper; load names what a program wants beyond it.  A body checks what Linux'
 * body checks; what Linux' verifier checks was checked by ours or is checked by the
 * engine.  bpf_tail_call is the engines' own.
 */
#ifndef SKEP_HELPERS_HELPERS_H
#define SKEP_HELPERS_HELPERS_H

#include "helpers/run.h"

enum { LOOP_MAX = 8 << 20 }; /* of one bpf_loop() */

/* The body of a helper by its number, of a kfunc by abi_kfunc_number(); NULL: not
 * offered. */
helper_fn helper_body(u32 number);

/* The same for the numbers of isa/classic.h, which only translated programs call. */
helper_fn helper_classic(u32 number);

#endif
