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

/* Types that old headers do not have, and new ones have: ours in any case. */
#define bpf_list_head bpf_list_head_of_headers
#define bpf_list_node bpf_list_node_of_headers
#define bpf_rb_root bpf_rb_root_of_headers
#define bpf_rb_node bpf_rb_node_of_headers
#define bpf_refcount bpf_refcount_of_headers
#define bpf_wq bpf_wq_of_headers
#define bpf_iter_num bpf_iter_num_of_headers
#include <linux/bpf.h>
#undef bpf_list_head
#undef bpf_list_node
#undef bpf_rb_root
#undef bpf_rb_node
#undef bpf_refcount
#undef bpf_wq
#undef bpf_iter_num

#include <bpf/bpf_helpers.h>
#include <stdbool.h>

struct bpf_list_head {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
	__u64 opaque[3];
} __attribute__((aligned(8)));
struct bpf_rb_root {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_rb_node {
	__u64 opaque[4];
} __attribute__((aligned(8)));
struct bpf_refcount {
	__u32 opaque[1];
} __attribute__((aligned(4)));
struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

#define CASE(line) __attribute__((btf_decl_tag("case: " line)))

/* A type of the kernel, of which members are read at the places that they have there. */
#define KERNEL_TYPE __attribute__((preserve_access_index))

/* What may lie in the values of maps and in objects. */
#define KPTR __attribute__((btf_type_tag("kptr")))
#define KPTR_UNTRUSTED __attribute__((btf_type_tag("kptr_untrusted")))
#define KPTR_PERCPU __attribute__((btf_type_tag("percpu_kptr")))
#define UPTR __attribute__((btf_type_tag("uptr")))
#define CONTAINS(type, node) __attribute__((btf_decl_tag("contains:" #type ":" #node)))
#define PRIVATE(name) SEC(".data." #name) __attribute__((visibility("hidden"), aligned(8)))

/* The id of a type of the program, and of the kernel's. */
#define LOCAL_TYPE(type) __builtin_btf_type_id(*(type *)0, 0)
#define THEIR_TYPE(type) __builtin_btf_type_id(*(type *)0, 1)

/* Arguments of global functions. */
#define ARG(tag) __attribute__((btf_decl_tag("arg:" tag)))

char LICENSE[] SEC("license") = "GPL";

#endif
