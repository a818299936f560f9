/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kfunc that the program calls: its prototype, read from BTF once, so that no transfer
 * searches names.
 *
 * kfunc_proto.c makes it, kfunc.c judges calls, kfunc_args.c arguments, kfunc_graph.c
 * lists and trees, kfunc_special.c results that BTF does not tell.  Never changes after
 * kfunc_prepare().  Documentation/bpf/kfuncs.rst of the kernel.  For src/verify.
 */
#ifndef SKEP_VERIFY_KFUNC_H
#define SKEP_VERIFY_KFUNC_H

#include "verify/calls.h"
#include "verify/record.h"

/* What type and name make of a parameter, before a register is looked at. */
enum kfunc_arg {
	KARG_IGNORED, /* "__ign", "__prog": whatever it is */
	KARG_SCALAR,
	KARG_CTX,
	KARG_ALLOC_OBJ,  /* "__alloc": what bpf_obj_new made */
	KARG_REFCOUNTED, /* "__refcounted_kptr" */
	KARG_DYNPTR,
	KARG_ITER,
	KARG_LIST_HEAD,
	KARG_LIST_NODE,
	KARG_RB_ROOT,
	KARG_RB_NODE,
	KARG_CONST_STR, /* "__str" */
	KARG_MAP,       /* "__map" */
	KARG_WORKQUEUE,
	KARG_TASK_WORK,
	KARG_IRQ_FLAG, /* "__irq_flag" */
	KARG_RES_SPIN_LOCK,
	KARG_POINTER, /* a struct of the kernel, a function, memory: the register decides
		       */
	KARG_UNKNOWN, /* neither number nor pointer */
};

struct kfunc_param {
	u8 kind;                     /* enum kfunc_arg */
	bool constant;               /* "__k" */
	bool rdonly_size, rdwr_size; /* the number is the size of the result's memory */
	bool nullable, optional, uninit; /* "__nullable", "__opt", "__uninit" */
	bool sized, const_sized;         /* the next one is its size: "__sz", "__szk" */
	bool callback;                   /* pointer to a function */
	bool to_void, to_struct, to_scalars; /* what it points to; struct: or union */
	u32 type;              /* what it points to, without modifiers and typedefs */
	const char *type_name; /* of that */
	u32 size;              /* of that; 0: has none */
};

enum kfunc_ret { KRET_VOID, KRET_SCALAR, KRET_POINTER, KRET_OTHER };

struct kfunc {
	const char *name;
	const struct abi_kfunc *row; /* static; NULL: this program may not call it */
	enum abi_kfunc_id
		special;       /* which one of vmlinux it is; KFUNC_NONE: a module's */
	u32 flags;             /* the row's */
	const struct btf *btf; /* borrowed: vmlinux's or a module's */
	u32 id, proto;         /* FUNC and FUNC_PROTO in it */
	u32 n_params;          /* may be more than 5; params are the first 5 */
	struct kfunc_param params[5];
	u8 ret;                          /* enum kfunc_ret */
	bool ret_to_void, ret_to_struct; /* struct: no union */
	bool ret_graph_node;             /* struct bpf_list_node, bpf_rb_node */
	u32 ret_type;                    /* what it points to */
	u32 ret_size;                    /* of that; 0: has none */
};

static inline bool kfunc_releases(const struct kfunc *kfunc)
{
	return kfunc->flags & KF_RELEASE;
}

static inline bool kfunc_is(const struct kfunc *kfunc, enum abi_kfunc_id id)
{
	return kfunc->special == id;
}

/* What the arguments say of the result, beside struct call. */
struct kfunc_use {
	struct call call;
	const struct kfunc *kfunc;
	const struct insn *insn;
	const struct record_field *root; /* of the list or tree */
	bool owning_ref; /* refcount_acquire: of an object that is owned */
	u32 ret_size;    /* rdonly_buf_size, rdwr_buf_size */
	bool ret_rdonly;
	u32 kern_ctx; /* cast_to_kern_ctx: the struct */
	u32 dynptr_ref;
};

/* kfunc_proto.c: what BTF and tables say of an extern of the program. */
int kfunc_read(struct env *env, const struct extern_ref *ref, struct kfunc *kfunc);
/* A struct of numbers, four deep at most? */
bool type_is_scalars(const struct btf *btf, u32 type);
/* The kernel's struct that is the context of this type of program, or 0. */
u32 kern_ctx_type(const struct env *env);

/* kfunc_args.c */
int kfunc_args_check(struct env *env, struct kfunc_use *use);
/* A kernel whose BTF has another prototype than the table's rows are for. */
int kfunc_odd_prototype(struct env *env);

/* kfunc_graph.c: lists and rb-trees. */
int kfunc_graph_root_check(struct env *env, u32 regno, struct kfunc_use *use, u32 kind);
int kfunc_graph_node_check(struct env *env, u32 regno, struct kfunc_use *use, u32 kind);
/* R0 becomes a node of the root's type. */
void graph_node_set(struct reg *reg, const struct record_field *root);
/* The object in R2 now belongs to the list or tree. */
int kfunc_graph_insert(struct env *env);
int kfunc_rbtree_add(struct env *env, struct kfunc_use *use);
/* The register becomes a non-owning reference. */
void reg_set_non_owning(struct env *env, struct reg *reg);
bool in_graph_callback(const struct env *env);

/* kfunc_special.c: results; 1: done, 0: as BTF says. */
int kfunc_special_result(struct env *env, struct kfunc_use *use, struct reg *r0);
/* RCU, preemption and interrupt sections: what the call does to them, and whether it may
 * be in them. */
int kfunc_sections(struct env *env, const struct kfunc *kfunc);
/* What calls back. */
int kfunc_callbacks(struct env *env, struct kfunc_use *use);

#endif
