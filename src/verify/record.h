/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types as the verifier needs them: special fields of values and objects, walks through
 * the kernel's structs, comparisons of types of two BTFs.
 *
 * For src/verify.
 */
#ifndef SKEP_VERIFY_RECORD_H
#define SKEP_VERIFY_RECORD_H

#include "verify/env.h"

enum field_kind {
	FIELD_SPIN_LOCK = 1 << 0,
	FIELD_TIMER = 1 << 1,
	FIELD_KPTR_UNREF = 1 << 2,
	FIELD_KPTR_REF = 1 << 3,
	FIELD_KPTR_PERCPU = 1 << 4,
	FIELD_LIST_HEAD = 1 << 5,
	FIELD_LIST_NODE = 1 << 6,
	FIELD_RB_ROOT = 1 << 7,
	FIELD_RB_NODE = 1 << 8,
	FIELD_REFCOUNT = 1 << 9,
	FIELD_WORKQUEUE = 1 << 10,
	FIELD_UPTR = 1 << 11,
	FIELD_RES_SPIN_LOCK = 1 << 12,
	FIELD_TASK_WORK = 1 << 13,
	FIELD_KPTR = FIELD_KPTR_UNREF | FIELD_KPTR_REF | FIELD_KPTR_PERCPU,
	FIELD_GRAPH_ROOT = FIELD_LIST_HEAD | FIELD_RB_ROOT,
	FIELD_GRAPH_NODE = FIELD_LIST_NODE | FIELD_RB_NODE,
};

struct record_field {
	u32 offset, size;
	u32 kind; /* one of enum field_kind */
	/* KPTR, UPTR: what it points to.  Graph roots: the struct of their nodes (value type). */
	const struct btf *btf;
	u32 btf_id;
	const char *dtor;    /* KPTR_REF to the kernel's types: kfunc that releases; or NULL */
	u32 node_offset;     /* graph roots: of the node in the value type */
	const struct record *value_record; /* graph roots: of their nodes' type */
};

struct record {
	u32 n_fields;
	u32 kinds; /* all of them */
	s32 spin_lock_off, res_spin_lock_off, timer_off, wq_off, refcount_off, task_work_off; /* -1: none */
	const struct record_field *fields; /* by offset */
};

/* Special fields of a type of the program's BTF, or NULL: none (or no BTF).  kinds: which are
 * looked for.  Negative in *err: a field that Linux refuses. */
const struct record *record_of(struct env *env, const struct btf *btf, u32 type, u32 size,
			       u32 kinds, int *err);
/* All that the program needs, once, before anything else asks: structs that can be allocated,
 * maps (records.c). */
int records_make(struct env *env);
/* Only those of maps. */
int records_of_maps(struct env *env);
/* Does a member of that type make a struct one of those? */
bool record_member_is_special(const struct btf *btf, u32 type);
/* False: no type of them does, by a few look-ups. */
bool record_may_have_special(const struct btf *btf);
/* Fills value_record of graph roots, once all structs have their records. */
void record_link(const struct env *env, const struct record *rec);
/* Of a struct of the program's BTF that bpf_obj_new() can make, or NULL. */
const struct record *struct_record(const struct env *env, const struct btf *btf, u32 id);
/* Of a map's values; NULL: none. */
const struct record *map_record(const struct env *env, const struct map_def *map);
/* From now on its values have no special fields. */
void map_forget_record(struct env *env, const struct map_def *map);
const struct record_field *record_find(const struct record *rec, u32 offset, u32 kinds);
/* Of the struct that a register points to: map values and allocated objects. */
const struct record *reg_record(const struct env *env, const struct reg *reg);

/* ---- the kernel's structs: walk.c ---- */

/* WALK_MEM: a pointer to something that is no struct: read only, untrusted memory.
 * WALK_REFUSED: the reason is told. */
enum walk_result { WALK_SCALAR, WALK_PTR, WALK_MEM, WALK_STRUCT, WALK_REFUSED };
struct walk {
	bool sized;            /* in: nothing beyond the struct's size (allocated objects) */
	const struct btf *btf; /* in: of the struct; out: of what the pointer points to */
	u32 btf_id;            /* in: struct; out (WALK_PTR): what it points to */
	s32 off;
	u32 size;
	const char *member;    /* out: its name, or NULL */
	u32 flags;             /* out: enum reg_flag by type tags (user, percpu, rcu) */
	u32 of_union;          /* walk.c: of what is in a union */
};
/* Reading size bytes at off of a struct. */
enum walk_result walk_struct(struct env *env, struct walk *walk);
/* Is a pointer to one, at that offset, a pointer to the other, too?  strict: exact type. */
bool types_match(struct env *env, const struct btf *btf, u32 id, s32 off,
		 const struct btf *need_btf, u32 need_id, bool strict);
/* What the kernel promises of a pointer that is a member of a struct. */
enum member_trust { MEMBER_RCU, MEMBER_RCU_OR_NULL, MEMBER_TRUSTED, MEMBER_TRUSTED_OR_NULL };
bool member_has_trust(const struct btf *btf, u32 id, const struct walk *member,
		      enum member_trust trust);
/* The kernel struct that is the context of a program type (or its user-visible twin). */
const char *ctx_struct_name(u32 prog_type);

/* An argument of which more is known than its type: of iterators and struct_ops. */
struct attach_arg {
	u32 off; /* in the context */
	u8 kind; /* PTR_TO_BUF or PTR_TO_BTF_ID */
	u16 flags;
	const struct btf *btf;
	u32 btf_id;
	bool counted; /* the program is given a reference */
	u32 ref_id;   /* attach_ctx_refs(): that one; or 0 */
};
enum { MAX_ATTACH_ARGS = 12 };

/* Arguments of what the program attaches to, as a context: an access to R1 at off.
 * attach_ctx.c */
struct ctx_use {
	s32 off;
	u32 size;
	enum { CTX_READ, CTX_WRITE } how;
	/* out: what is read */
	struct reg value;
	bool sign_extend_is_error;
};
int attach_ctx_access(struct env *env, struct ctx_use *use);
/* References that a struct_ops program is given with its arguments: acquires them. */
int attach_ctx_refs(struct env *env);

/* ---- before exploration: setup.c, attach.c, btf_check.c ---- */

/* All that is checked of a program as a whole: type, flags, attach target, license, maps, BTF. */
int setup_program(struct env *env);
/* All of another program, for who needs more than its verdict; verify.c. */
int env_explore_other(struct env *env, struct env *other);
void env_fini(struct env *env);
/* The struct_ops member, function, tracepoint, hook that it attaches to: fills env->attach_*. */
int attach_find(struct env *env);
/* func_info, line_info, global functions' prototypes as the kernel demands. */
int func_info_check(struct env *env);
/* The first frame's registers of main, by program type. */
int setup_main_regs(struct env *env, struct frame *frame);

#endif
