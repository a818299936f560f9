/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of programs: made, dropped, in lists and in trees. */
#include "case.h"

struct node {
	long value;
	struct bpf_list_node list;
};

struct leaf {
	long value;
	struct bpf_rb_node tree;
};

struct other {
	struct bpf_list_node list;
};

struct plain {
	long value;
};

struct counted {
	struct bpf_refcount refs;
	struct bpf_list_node list;
};

struct large {
	char bytes[1024];
};

struct special {
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, long);
} numbers SEC(".maps");

PRIVATE(a) struct bpf_spin_lock lock_of_a;
PRIVATE(a) struct bpf_list_head list CONTAINS(node, list);
PRIVATE(a) struct bpf_list_head list_of_counted CONTAINS(counted, list);
PRIVATE(b) struct bpf_spin_lock lock_of_b;
PRIVATE(b) struct bpf_rb_root tree CONTAINS(leaf, tree);

extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_percpu_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_percpu_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_refcount_acquire_impl(void *object, void *meta) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *head,
				    struct bpf_list_node *node, void *meta,
				    __u64 offset) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			       bool (*less)(struct bpf_rb_node *a,
					    const struct bpf_rb_node *b),
			       void *meta, __u64 offset) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root,
					     struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

#define NEW(type) ((type *)bpf_obj_new_impl(LOCAL_TYPE(type), 0))

static const int zero;

/* 0 + p: a number to which a pointer is added. */
static __always_inline void *sum_of(void *p)
{
	void *sum;

	asm volatile("%0 = 0; %0 += %1" : "=&r"(sum) : "r"(p));
	return sum;
}

CASE("accept")
SEC("tc") int object_is_made_and_dropped(struct __sk_buff *ctx)
{
	struct plain *p = NEW(struct plain);

	if (!p)
		return 0;
	p->value = 5;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject REF_LEAK")
CASE("kernel refuses Unreleased reference")
SEC("tc") int object_is_dropped(struct __sk_buff *ctx)
{
	struct plain *p = NEW(struct plain);

	return p ? p->value : 0;
}

CASE("reject KARG_NOT_REFERENCED")
CASE("kernel refuses allocated object must be referenced")
SEC("tc") int object_is_not_dropped_by_a_sum(struct __sk_buff *ctx)
{
	struct plain *p = NEW(struct plain);

	if (p)
		bpf_obj_drop_impl(sum_of(p), 0);
	return 0;
}

CASE("reject OBJECT_GONE")
CASE("kernel refuses ref_obj_id for allocated object must be non-zero")
SEC("tc") int object_is_not_read_by_a_sum(struct __sk_buff *ctx)
{
	struct plain *p = NEW(struct plain), *sum;

	if (!p)
		return 0;
	sum = sum_of(p);
	sum->value = 5;
	bpf_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject KARG_MAYBE_NULL")
CASE("kernel refuses Possibly NULL pointer passed to trusted arg0")
SEC("tc") int object_is_there_before_it_is_dropped(struct __sk_buff *ctx)
{
	bpf_obj_drop_impl(NEW(struct plain), 0);
	return 0;
}

CASE("reject OBJ_NEW_STRUCT")
CASE("kernel refuses bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct")
SEC("tc") int object_is_a_struct(struct __sk_buff *ctx)
{
	void *p = bpf_obj_new_impl(LOCAL_TYPE(long), 0);

	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject OBJ_NEW_ID")
CASE("kernel refuses local type ID argument must be in range")
SEC("tc") int type_of_an_object_has_32_bits(struct __sk_buff *ctx)
{
	void *p = bpf_obj_new_impl(1ull << 40, 0);

	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject KARG_NOT_CONSTANT")
CASE("kernel refuses must be a known constant")
SEC("tc") int type_of_an_object_is_constant(struct __sk_buff *ctx)
{
	void *p = bpf_obj_new_impl(ctx->len, 0);

	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject KARG_NOT_NUMBER")
CASE("kernel refuses R1 is not a scalar")
SEC("tc") int type_of_an_object_is_a_number(struct __sk_buff *ctx)
{
	void *p = bpf_obj_new_impl((long)ctx, 0);

	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject OBJ_NEW_PERCPU_SIZE")
CASE("kernel refuses bpf_percpu_obj_new type size (1024) is greater than 512")
SEC("tc") int percpu_object_is_small(struct __sk_buff *ctx)
{
	void *p = bpf_percpu_obj_new_impl(LOCAL_TYPE(struct large), 0);

	if (p)
		bpf_percpu_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject OBJ_NEW_PERCPU_FIELDS")
CASE("kernel refuses bpf_percpu_obj_new type ID argument must not contain special fields")
SEC("tc") int percpu_object_has_numbers_only(struct __sk_buff *ctx)
{
	void *p = bpf_percpu_obj_new_impl(LOCAL_TYPE(struct special), 0);

	if (p)
		bpf_percpu_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject KARG_WRONG_DROP")
CASE("kernel refuses arg#0 expected for bpf_obj_drop_impl()")
SEC("tc") int object_is_dropped_as_it_was_made(struct __sk_buff *ctx)
{
	struct plain *p = NEW(struct plain);

	if (p)
		bpf_percpu_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject KARG_NOT_TRUSTED")
CASE("kernel refuses R1 must be referenced or trusted")
SEC("tc") int memory_that_was_not_made_is_not_dropped(struct __sk_buff *ctx)
{
	long *n = bpf_map_lookup_elem(&numbers, &zero);

	if (n)
		bpf_obj_drop_impl(n, 0);
	return 0;
}

CASE("reject KARG_NO_REFCOUNT")
CASE("kernel refuses Couldn't find btf_record")
SEC("tc") int object_that_is_counted_has_a_count(struct __sk_buff *ctx)
{
	struct plain *p = NEW(struct plain);
	void *q;

	if (!p)
		return 0;
	q = bpf_refcount_acquire_impl(p, 0);
	bpf_obj_drop_impl(p, 0);
	bpf_obj_drop_impl(q, 0);
	return 0;
}

CASE("accept")
SEC("tc") int object_goes_into_a_list(struct __sk_buff *ctx)
{
	struct node *n = NEW(struct node);

	if (!n)
		return 0;
	bpf_spin_lock(&lock_of_a);
	bpf_list_push_front_impl(&list, &n->list, 0, 0);
	bpf_spin_unlock(&lock_of_a);
	return 0;
}

CASE("reject GRAPH_NOT_LOCKED")
CASE("kernel refuses bpf_spin_lock at off=0 must be held for bpf_list_head")
SEC("tc") int list_is_locked(struct __sk_buff *ctx)
{
	struct node *n = NEW(struct node);

	if (!n)
		return 0;
	bpf_list_push_front_impl(&list, &n->list, 0, 0);
	return 0;
}

/* Linux 6.18 lets a sum be used when the list has the object, and may have dropped it. */
CASE("reject KARG_WANTS")
CASE("kernel accepts")
SEC("tc") int sum_ends_where_the_object_goes_into_a_list(struct __sk_buff *ctx)
{
	struct counted *n = NEW(struct counted), *sum;
	void *p;

	if (!n)
		return 0;
	sum = sum_of(n);
	bpf_spin_lock(&lock_of_a);
	bpf_list_push_front_impl(&list_of_counted, &n->list, 0, 0);
	bpf_spin_unlock(&lock_of_a);
	p = bpf_refcount_acquire_impl(sum, 0);
	if (p)
		bpf_obj_drop_impl(p, 0);
	return 0;
}

CASE("reject GRAPH_NOT_LOCKED")
CASE("kernel refuses held lock and object are not in the same allocation")
SEC("tc") int list_is_locked_by_the_lock_beside_it(struct __sk_buff *ctx)
{
	struct node *n = NEW(struct node);

	if (!n)
		return 0;
	bpf_spin_lock(&lock_of_b);
	bpf_list_push_front_impl(&list, &n->list, 0, 0);
	bpf_spin_unlock(&lock_of_b);
	return 0;
}

CASE("reject GRAPH_FIELD_MISSING")
CASE("kernel refuses bpf_list_head not found at offset=0")
SEC("tc") int list_is_where_it_is(struct __sk_buff *ctx)
{
	struct node *n = NEW(struct node);

	if (!n)
		return 0;
	bpf_spin_lock(&lock_of_a);
	bpf_list_push_front_impl((void *)&lock_of_a, &n->list, 0, 0);
	bpf_spin_unlock(&lock_of_a);
	return 0;
}

CASE("reject GRAPH_FIELD_VARIABLE")
CASE("kernel refuses R1 doesn't have constant offset")
SEC("tc") int list_is_at_a_constant_place(struct __sk_buff *ctx)
{
	struct node *n = NEW(struct node);
	char *head;

	if (!n)
		return 0;
	head = (char *)&list + (ctx->len & 4);
	bpf_spin_lock(&lock_of_a);
	bpf_list_push_front_impl((void *)head, &n->list, 0, 0);
	bpf_spin_unlock(&lock_of_a);
	return 0;
}

CASE("reject GRAPH_NODE_TYPE")
CASE("kernel refuses operation on bpf_list_head expects arg#1 bpf_list_node at offset=8 in struct node")
SEC("tc") int node_is_of_the_type_that_the_list_has(struct __sk_buff *ctx)
{
	struct other *n = NEW(struct other);

	if (!n)
		return 0;
	bpf_spin_lock(&lock_of_a);
	bpf_list_push_front_impl(&list, &n->list, 0, 0);
	bpf_spin_unlock(&lock_of_a);
	return 0;
}

static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return 0;
}

CASE("accept")
SEC("tc") int object_goes_into_a_tree(struct __sk_buff *ctx)
{
	struct leaf *n = NEW(struct leaf);

	if (!n)
		return 0;
	bpf_spin_lock(&lock_of_b);
	bpf_rbtree_add_impl(&tree, &n->tree, less, 0, 0);
	bpf_spin_unlock(&lock_of_b);
	return 0;
}

CASE("reject GRAPH_NODE_OWNED")
CASE("kernel refuses bpf_rbtree_remove can only take non-owning or refcounted bpf_rb_node pointer")
SEC("tc") int node_is_in_the_tree_that_it_leaves(struct __sk_buff *ctx)
{
	void *n = bpf_map_lookup_elem(&numbers, &zero);

	if (!n)
		return 0;
	bpf_spin_lock(&lock_of_b);
	bpf_rbtree_remove(&tree, n);
	bpf_spin_unlock(&lock_of_b);
	return 0;
}

CASE("reject KARG_WANTS")
CASE("kernel refuses arg#1 expected pointer to allocated object")
SEC("tc") int node_of_a_tree_is_not_added_again(struct __sk_buff *ctx)
{
	struct bpf_rb_node *first;

	bpf_spin_lock(&lock_of_b);
	first = bpf_rbtree_first(&tree);
	if (first)
		bpf_rbtree_add_impl(&tree, first, less, 0, 0);
	bpf_spin_unlock(&lock_of_b);
	return 0;
}

static bool less_that_removes(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_rbtree_remove(&tree, a);
	return 0;
}

CASE("reject GRAPH_IN_CALLBACK")
CASE("kernel refuses rbtree_remove not allowed in rbtree cb")
SEC("tc") int comparison_does_not_change_the_tree(struct __sk_buff *ctx)
{
	struct leaf *n = NEW(struct leaf);

	if (!n)
		return 0;
	bpf_spin_lock(&lock_of_b);
	bpf_rbtree_add_impl(&tree, &n->tree, less_that_removes, 0, 0);
	bpf_spin_unlock(&lock_of_b);
	return 0;
}

static bool less_that_unlocks(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_spin_unlock(&lock_of_b);
	return 0;
}

CASE("reject LOCK_IN_TREE_CALLBACK")
CASE("kernel refuses can't spin_{lock,unlock} in rbtree cb")
SEC("tc") int comparison_does_not_unlock(struct __sk_buff *ctx)
{
	struct leaf *n = NEW(struct leaf);

	if (!n)
		return 0;
	bpf_spin_lock(&lock_of_b);
	bpf_rbtree_add_impl(&tree, &n->tree, less_that_unlocks, 0, 0);
	bpf_spin_unlock(&lock_of_b);
	return 0;
}

static bool less_that_unprotects(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_rcu_read_unlock();
	bpf_rcu_read_lock();
	return 0;
}

CASE("reject CALL_IN_LOCK")
CASE("kernel refuses function calls are not allowed while holding a lock")
SEC("tc") int comparison_leaves_no_section(struct __sk_buff *ctx)
{
	struct leaf *n = NEW(struct leaf);

	if (!n)
		return 0;
	bpf_rcu_read_lock();
	bpf_spin_lock(&lock_of_b);
	bpf_rbtree_add_impl(&tree, &n->tree, less_that_unprotects, 0, 0);
	bpf_spin_unlock(&lock_of_b);
	bpf_rcu_read_unlock();
	return 0;
}

CASE("reject OBJECT_FIELD")
CASE("kernel refuses direct access to bpf_list_node is disallowed")
SEC("tc") int node_of_an_object_is_not_read(struct __sk_buff *ctx)
{
	struct node *n = NEW(struct node);
	long first = 0;

	if (!n)
		return 0;
	first = *(volatile long *)&n->list;
	bpf_obj_drop_impl(n, 0);
	return first;
}

CASE("reject STRUCT_BEYOND")
CASE("kernel refuses access beyond struct plain at off 8 size 8")
SEC("tc") int object_ends(struct __sk_buff *ctx)
{
	struct plain *p = NEW(struct plain);
	long value;

	if (!p)
		return 0;
	value = *(volatile long *)(p + 1);
	bpf_obj_drop_impl(p, 0);
	return value;
}

struct holes {
	char first;
	long second;
};

CASE("reject STRUCT_HOLE")
SEC("tc") int holes_of_objects_are_not_read(struct __sk_buff *ctx)
{
	struct holes *p = NEW(struct holes);
	int value;

	if (!p)
		return 0;
	value = *(volatile int *)((char *)p + 4);
	bpf_obj_drop_impl(p, 0);
	return value;
}

CASE("reject STRUCT_PERCPU")
SEC("tc") int percpu_object_is_not_read_directly(struct __sk_buff *ctx)
{
	struct plain *p = bpf_percpu_obj_new_impl(LOCAL_TYPE(struct plain), 0);
	int value;

	if (!p)
		return 0;
	value = p->value;
	bpf_percpu_obj_drop_impl(p, 0);
	return value;
}
