/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects that own each other: Linux does not take the types of this object. */
#include "case.h"

struct leaf {
	struct bpf_list_node list;
};
struct branch {
	struct bpf_list_node list;
	struct bpf_spin_lock lock;
	struct bpf_list_head leaves CONTAINS(leaf, list);
};
struct trunk {
	struct bpf_list_node list;
	struct bpf_spin_lock lock;
	struct bpf_list_head branches CONTAINS(branch, list);
};

PRIVATE(a) struct bpf_spin_lock lock;
PRIVATE(a) struct bpf_list_head trunks CONTAINS(trunk, list);

extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;

CASE("reject STRUCT_OWNS_ITSELF")
CASE("kernel refuses requires prog BTF")
SEC("tc") int owners_that_are_owned_own_no_owners(struct __sk_buff *ctx)
{
	void *n = bpf_obj_new_impl(LOCAL_TYPE(struct trunk), 0);

	if (n)
		bpf_obj_drop_impl(n, 0);
	n = bpf_obj_new_impl(LOCAL_TYPE(struct branch), 0);
	if (n)
		bpf_obj_drop_impl(n, 0);
	n = bpf_obj_new_impl(LOCAL_TYPE(struct leaf), 0);
	if (n)
		bpf_obj_drop_impl(n, 0);
	bpf_spin_lock(&lock);
	bpf_spin_unlock(&lock);
	return 0;
}
