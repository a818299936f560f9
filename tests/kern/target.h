/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests put probes into: a library of its own, so that nobody else's code is
 * touched.
 */
#ifndef SKEP_TESTS_KERN_TARGET_H
#define SKEP_TESTS_KERN_TARGET_H

int target_add(int a, int b);
int target_add_more(int a);
int target_versioned(int a); /* of version TARGET_1 and, by default, TARGET_2 */
int target_probe(int a, unsigned long b);
int target_counted(int a, unsigned long b); /* 1: somebody listens */
int target_chosen(int a);

#endif
