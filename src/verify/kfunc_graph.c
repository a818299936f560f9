/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linked lists and red-black trees of the program's own objects.
 *
 * A root lies in a map value or an object, beside the bpf_spin_lock that protects it, and
 * __contains() names the struct and member of its nodes.  Adding an object gives its
 * reference away: what still points to it is a non-owning reference, good until the lock
 * is given back.  Documentation/bpf/graph_ds_impl.rst of the kernel.
 */
#include "verify/kfunc.h"

static const char *field_name(u32 kind)
{
	switch (kind) {
	case FIELD_LIST_HEAD: return "bpf_list_head";
	case FIELD_LIST_NODE: return "bpf_list_node";
	case FIELD_RB_ROOT: return "bpf_rb_root";
	}
	return "bpf_rb_node";
}

/* The lock that is held must be in the same map value or object as the root. */
static bool allocation_locked(const struct env *env, const struct reg *reg)
{
	const void *ptr = reg->kind == PTR_TO_MAP_VALUE ? (const void *)reg->map
							: (const void *)reg->btf;

	return env->cur->active_locks &&
	       ref_find_lock(env->cur, REF_LOCK | REF_RES_LOCK | REF_RES_LOCK_IRQ,
			     reg->id, ptr);
}

int kfunc_graph_root_check(struct env *env, u32 regno, struct kfunc_use *use, u32 kind)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct record *rec = reg_record(env, reg);
	s64 off = (s64)reg->off + (s64)reg->var.bits.value;
	const struct record_field *field;

	if (!scalar_is_const(&reg->var))
		return reject(env, GRAPH_FIELD_VARIABLE, use->kfunc->name, (int)regno);
	field = off >= 0 && off <= UINT32_MAX ? record_find(rec, (u32)off, kind) : NULL;
	if (!field)
		return reject(env, GRAPH_FIELD_MISSING, use->kfunc->name,
			      field_name(kind), (long long)off, (int)regno);
	if (!allocation_locked(env, reg))
		return reject(env, GRAPH_NOT_LOCKED, use->kfunc->name, field_name(kind),
			      (int)regno);
	use->root = field;
	return 0;
}

int kfunc_graph_node_check(struct env *env, u32 regno, struct kfunc_use *use, u32 kind)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct record_field *root = use->root;
	s64 off = (s64)reg->off + (s64)reg->var.bits.value;

	if (!scalar_is_const(&reg->var))
		return reject(env, GRAPH_FIELD_VARIABLE, use->kfunc->name, (int)regno);
	if (off < 0 || off > UINT32_MAX ||
	    !record_find(reg_record(env, reg), (u32)off, kind))
		return reject(env, GRAPH_FIELD_MISSING, use->kfunc->name,
			      field_name(kind), (long long)off, (int)regno);
	/* no kfunc has a node without a root before it */
	if (!root)
		return unsupported(env, "a node without its list or tree");
	if (!types_match(env, reg->btf, reg->btf_id, 0, root->btf, root->btf_id, true) ||
	    off != root->node_offset)
		return reject(env, GRAPH_NODE_TYPE, use->kfunc->name, (int)regno,
			      btf_name(reg->btf, reg->btf_id), (long long)off,
			      btf_name(root->btf, root->btf_id), root->node_offset);
	use->call.btf = reg->btf;
	use->call.btf_id = reg->btf_id;
	return 0;
}

void graph_node_set(struct reg *reg, const struct record_field *root)
{
	reg_set_pointer(reg, PTR_TO_BTF_ID, ALLOCATED);
	reg->btf = root->btf;
	reg->btf_id = root->btf_id;
	reg->off = (s32)root->node_offset;
}

void reg_set_non_owning(struct env *env, struct reg *reg)
{
	const struct record *rec = reg_record(env, reg);

	reg->flags |= NON_OWN_REF;
	/* Somebody else may hold a reference: it lives as long as an RCU section. */
	if (rec && rec->refcount_off >= 0)
		reg->flags |= RCU;
}

int kfunc_graph_insert(struct env *env)
{
	u32 ref_id = env_regs(env)[R2].ref_id;
	struct reg *reg;

	if (!ref_id || !ref_find(env->cur, ref_id))
		return reject(env, REF_NOT_HELD);
	for_each_reg(env->cur, reg)
	{
		if (reg->ref_id != ref_id)
			continue;
		reg->ref_id = 0;
		reg_set_non_owning(env, reg);
	}
	ref_drop(env->cur, ref_id);
	regs_forget_ref(env, ref_id); /* sums with it */
	return 0;
}

/* The comparison gets two nodes of the tree; it runs with the lock held. */
static int less_args(struct env *env, const struct call *call, const struct frame *caller,
		     struct frame *callee)
{
	const struct reg *root = &caller->regs[R1];
	const struct record_field *field;

	(void)call;
	field = record_find(reg_record(env, root),
			    (u32)(root->off + (s32)root->var.bits.value), FIELD_RB_ROOT);
	if (!field)
		return unsupported(env, "a tree without a root");
	for (u32 i = R1; i <= R2; i++) {
		graph_node_set(&callee->regs[i], field);
		reg_set_non_owning(env, &callee->regs[i]);
	}
	for (u32 i = R3; i <= R5; i++)
		reg_set_uninit(&callee->regs[i]);
	callee->in_callback = true;
	callee->callback_ret_min = 0;
	callee->callback_ret_max = 1;
	return 0;
}

int kfunc_rbtree_add(struct env *env, struct kfunc_use *use)
{
	struct callback callback = {
		.subprog = use->call.subprog,
		.set_args = less_args,
	};

	return callback_enter(env, &use->call, &callback);
}

static bool is_tree(const struct kfunc *kfunc)
{
	return kfunc && (kfunc_is(kfunc, KFUNC_bpf_rbtree_add_impl) ||
			 kfunc_is(kfunc, KFUNC_bpf_rbtree_remove) ||
			 kfunc_is(kfunc, KFUNC_bpf_rbtree_first) ||
			 kfunc_is(kfunc, KFUNC_bpf_rbtree_root) ||
			 kfunc_is(kfunc, KFUNC_bpf_rbtree_left) ||
			 kfunc_is(kfunc, KFUNC_bpf_rbtree_right));
}

bool in_graph_callback(const struct env *env)
{
	const struct state *st = env->cur;

	for (u32 i = st->depth; i; i--)
		if (st->frames[i]->in_callback &&
		    is_tree(env->aux[st->frames[i]->callsite].kfunc))
			return true;
	return false;
}
