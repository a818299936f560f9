/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case before skep's verifier.  For run_cases.c.
 */
#ifndef SKEP_TESTS_CASE_VERIFY_H
#define SKEP_TESTS_CASE_VERIFY_H

#include "case.h"

/* Does it say what the case says of Linux?  told: what differs. */
bool case_in_verifier(const struct test_case *c, struct text *told);

#endif
