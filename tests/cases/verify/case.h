/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases that need types: each program of an object is one, its name the sentence that is
 * true, its tags the lines of a .case file without the dashes.  docs/cases.md.
 *
 *	CASE("reject SPILL_SIZE at 3")
 *	CASE("kernel refuses invalid size of register spill")
 *	SEC("tc") int half_of_a_pointer_is_not_stored(struct __sk_buff *ctx)
 */
#ifndef SKEP_TESTS_CASES_VERIFY_CASE_H
#define SKEP_TESTS_CASES_VERIFY_CASE_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define CASE(line) __attribute__((btf_decl_tag("case: " line)))

/* A type of the kernel, of which members are read at the places that they have there. */
#define KERNEL_TYPE __attribute__((preserve_access_index))

char LICENSE[] SEC("license") = "GPL";

#endif
