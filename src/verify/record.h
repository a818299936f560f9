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
/* Of a map's values; made once a map. */
const struct record *map_record(const struct env *env, const struct map_def *map);
const struct record_field *record_find(const struct record *rec, u32 offset, u32 kinds);
/* Of the struct that a register points to: map values and allocated objects. */
const struct record *reg_record(const struct env *env, const struct reg *reg);

/* ---- the kernel's structs: walk.c ---- */

enum walk_result { WALK_SCALAR, WALK_PTR, WALK_STRUCT, WALK_REFUSED };
struct walk {
	const struct btf *btf; /* in: of the struct; out: of what the pointer points to */
	u32 btf_id;            /* in: struct; out (WALK_PTR): what it points to */
	s32 off;
	u32 size;
	const char *member;    /* out: its name, or NULL */
	u32 flags;             /* out: enum reg_flag by type tags (user, percpu, rcu) */
};
/* Reading size bytes at off of a struct. */
enum walk_result walk_struct(struct env *env, struct walk *walk);
/* Is a pointer to one, at that offset, a pointer to the other, too?  strict: exact type. */
bool types_match(struct env *env, const struct btf *btf, u32 id, s32 off,
		 const struct btf *need_btf, u32 need_id, bool strict);
/* Members that the kernel promises: of structs by rcu, rcu-or-null, trusted, trusted-or-null tables. */
bool member_is_rcu(const struct env *env, const struct btf *btf, u32 id, const char *member);
bool member_is_rcu_or_null(const struct env *env, const struct btf *btf, u32 id, const char *member);
bool member_is_trusted(const struct env *env, const struct btf *btf, u32 id, const char *member);
bool member_is_trusted_or_null(const struct env *env, const struct btf *btf, u32 id, const char *member);
/* The kernel struct that is the context of a program type (or its user-visible twin). */
const char *ctx_struct_name(u32 prog_type);

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
/* The struct_ops member, function, tracepoint, hook that it attaches to: fills env->attach_*. */
int attach_find(struct env *env);
/* func_info, line_info, global functions' prototypes as the kernel demands. */
int func_info_check(struct env *env);
/* The first frame's registers of main, by program type. */
int setup_main_regs(struct env *env, struct frame *frame);

#endif
