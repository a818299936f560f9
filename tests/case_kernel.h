/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case in the live kernel.  For run_cases.c.
 */
#ifndef SKEP_TESTS_CASE_KERNEL_H
#define SKEP_TESTS_CASE_KERNEL_H

#include "case.h"

struct text;

/* NOT_ASKED: bpf(2) is refused, or only a scripted world could answer. */
enum kernel_answer { KERNEL_NOT_ASKED, KERNEL_AGREES, KERNEL_DIFFERS };

/* Does it load programs of this process? */
bool kernel_is_open(void);

/* told: what differs. */
enum kernel_answer case_in_kernel(const struct test_case *c, struct text *told);

#endif
