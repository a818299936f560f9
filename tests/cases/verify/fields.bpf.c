/* SPDX-License-Identifier: BSD-2-Clause */
/* Special fields that do not fit together: Linux does not take the types of this object. */
#include "case.h"

struct node {
	struct bpf_list_node list;
	struct bpf_rb_node tree;
};

PRIVATE(a) struct bpf_spin_lock lock;
PRIVATE(a) struct bpf_list_head list CONTAINS(node, list);

extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;

CASE("reject BAD_SPECIAL_FIELDS")
CASE("kernel refuses requires prog BTF")
SEC("tc") int object_in_a_list_and_a_tree_is_counted(struct __sk_buff *ctx)
{
	struct node *n = bpf_obj_new_impl(LOCAL_TYPE(struct node), 0);

	if (n)
		bpf_obj_drop_impl(n, 0);
	bpf_spin_lock(&lock);
	bpf_spin_unlock(&lock);
	return 0;
}
