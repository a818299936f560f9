/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of helpers, kfuncs and functions: what files about them share.
 *
 * call.c tells calls apart and enters and leaves functions; helper.c judges the arguments
 * and the result of a helper by its row of abi/helpers.def, helper_rules.c what a row
 * cannot say; kfunc.c and kfunc_args.c do that for kfuncs by BTF and the flags of
 * abi/kfuncs.def; callback.c, refs.c, locks.c, dynptr.c, iter.c are about what both may
 * handle.  For src/verify.
 */
#ifndef SKEP_VERIFY_CALLS_H
#define SKEP_VERIFY_CALLS_H

#include "abi/abi.h"
#include "verify/env.h"

/* Numbers of helpers that are newer than the <linux/bpf.h> skep is built with. */
enum { HELPER_cgrp_storage_get = 210, HELPER_cgrp_storage_delete = 211 };

/* What the arguments of the call under way said to the ones after them, and to the result. */
struct call {
	const struct abi_helper *helper; /* NULL: a kfunc */
	u32 func;           /* number of the helper */
	const struct kfunc *kfunc;
	const struct map_def *map; /* of the CONST_PTR_TO_MAP argument */
	u32 map_uid;
	bool raw_mode;
	u32 raw_reg;        /* argument with memory that the helper fills; 0: none */
	u32 access_size;
	s32 mem_size;       /* of the result, by ARG_CONST_ALLOC_SIZE_OR_ZERO */
	u64 size_max;       /* of a size argument: the most it can be */
	u32 ref_id;         /* of an argument; released by OBJ_RELEASE */
	u32 ends_with;      /* of an argument: the result ends with it, too */
	u32 release_reg;
	u32 dynptr_id;
	u32 subprog;        /* of a PTR_TO_FUNC argument */
	const struct btf *btf;
	u32 btf_id;
	const struct btf *ret_btf; /* what kptr_xchg gives back */
	u32 ret_btf_id;
	u32 func_arg;
	s64 const_key; /* of a look-up in an array: the constant key, or -1 */
	const void *field; /* struct record_field: kptr_xchg */
	/* kfuncs: */
	struct {
		const struct btf *btf;
		u32 btf_id;
		u64 value;
		bool known;
	} constant;
	u32 iter_frame, iter_slot;
	u32 dynptr_type;
	u32 initialized_dynptr_type;
	/* helpers: */
	bool changes_packet; /* what is known of the packet ends with the call */
	bool percpu_object;  /* per_cpu_ptr of an allocated object: the result is one, too */
};

/* ---- helpers ---- */
int helper_call(struct env *env, const struct insn *insn, enum step *step);
/* Does calling it end what is known about the packet? */
bool helper_changes_packet(u32 func);
/* Callbacks: synchronous (run during the call), asynchronous (run later). */
bool helper_calls_back(u32 func);
bool helper_calls_back_later(u32 func);
bool helper_might_sleep(const struct env *env, u32 func);

/* ---- arguments of helpers: arg.c ---- */
/* The id of a struct of the kernel (enum abi_struct); 0: refused, the reason is told. */
u32 kernel_struct(struct env *env, u32 which);
/* What is known of arguments, for kfuncs and global functions, too: is the kind of
 * pointer one that such an argument (enum abi_arg and flags) takes?  btf_id: of the struct in
 * the kernel's types that PTR_TO_BTF_ID must point to.  call: all 0 where it is no helper. */
int arg_kind_check(struct env *env, u32 regno, u32 arg, u32 btf_id, const struct call *call);
/* May the pointer have the offset it has? */
int arg_offset_check(struct env *env, u32 regno, u32 arg);
/* A NUL-terminated string in constant memory: where it starts, and how many bytes follow. */
struct const_str {
	const char *text; /* NUL-terminated */
};
int const_str_check(struct env *env, u32 regno, struct const_str *str);
/* The number that a key of size bytes on the stack is known to be, -1: not known. */
int const_key_read(struct env *env, const struct reg *key, u32 size, s64 *value);

/* ---- kptrs: kptr.c ---- */
struct record_field;
/* Field of a map's value or of an allocated object that kptr_xchg exchanges: call->field. */
int kptr_dest_check(struct env *env, u32 regno, struct call *call);
/* May the pointer in that register be kept in the field? */
int kptr_match(struct env *env, const struct record_field *field, u32 regno);

/* ---- what a row cannot say: helper_rules.c, helper_callbacks.c ---- */
/* The row that this program is offered, or NULL. */
const struct abi_helper *helper_row(const struct env *env, u32 func);
/* May this program call it at all?  Beside the row: privileges and where it attaches to. */
int helper_allowed(struct env *env, const struct abi_helper *helper);
/* After the arguments, before the result. */
int helper_special(struct env *env, struct call *call);
/* The index of a tail call, where it is constant: aux->map_key. */
int tail_call_key(struct env *env, const struct call *call);
/* snprintf()'s format against the number of values. */
int format_check(struct env *env, const char *format, u32 n_values);
/* bpf_loop() and its like: enters the callback where it may run once more. */
int helper_callback(struct env *env, const struct call *call);

/* ---- kfuncs: kfunc.c ---- */
int kfunc_call(struct env *env, const struct insn *insn, enum step *step);
/* Finds all kfuncs of the program and their prototypes, once, before exploration: fills
 * aux->kfunc. */
int kfunc_prepare(struct env *env);
/* What cfg and explorer ask before: by the instruction's aux. */
/* Is it one that may be called while a lock is held (graph roots, iterators of numbers, ...)? */
bool kfunc_allowed_in_lock(const struct kfunc *kfunc);
enum iter_role { ITER_OTHER, ITER_NEW, ITER_NEXT, ITER_DESTROY };
enum iter_role kfunc_iter_role(const struct kfunc *kfunc);
bool kfunc_is_rcu_protected(const struct kfunc *kfunc);
/* The struct that the argument (0: the first) points to, when it is an iterator's state
 * ("bpf_iter_..."; a multiple of 8 bytes), or 0. */
u32 kfunc_iter_struct(const struct kfunc *kfunc, u32 arg, const struct btf **btf);
bool kfunc_is_iter_next(const struct kfunc *kfunc);
bool kfunc_is_throw(const struct kfunc *kfunc);
bool kfunc_calls_back(const struct kfunc *kfunc);       /* synchronously */
bool kfunc_calls_back_later(const struct kfunc *kfunc); /* bpf_wq_set_callback */
bool kfunc_changes_packet(const struct kfunc *kfunc);
bool kfunc_might_sleep(const struct kfunc *kfunc);
bool kfunc_is_fastcall(const struct kfunc *kfunc);
u32 kfunc_n_args(const struct kfunc *kfunc);
bool kfunc_returns_void(const struct kfunc *kfunc);
const char *kfunc_name(const struct kfunc *kfunc);

/* ---- functions of the program: call.c, callback.c ---- */
/* Enters the callback in argument func_reg: set_args fills the new frame's R1 to R5. */
struct callback {
	u32 subprog;
	bool later; /* runs after the program */
	bool sleepable;
	int (*set_args)(struct env *env, const struct call *call, const struct frame *caller, struct frame *callee);
};
/* Enters it: during the call (may be many times), or later.  env->pc is the call.  The call
 * itself goes on as if the callback had not run. */
int callback_enter(struct env *env, const struct call *call, const struct callback *callback);
/* Judges the arguments of a call to a global function by its BTF; global_call.c. */
int global_args_check(struct env *env, u32 sub);
/* Is a static function given what its BTF says?  global_call.c */
bool static_args_fit(struct env *env, u32 sub);
/* What BTF and tags say of a function's arguments: fills subs[sub].args, once.  global_call.c */
int global_args_read(struct env *env, u32 sub);
/* The state in which a global function is verified: fills R1.. by subs[sub].args. */
int global_args_set(struct env *env, u32 sub, struct frame *frame);

/* Leaves the current frame, which is not main's, as exit does: env->pc is where its caller goes
 * on.  Tail calls in functions do so, too.  call.c */
int frame_return(struct env *env);

/* ---- returning: returns.c ---- */
/* R0 (or regno) at exit of the program or of a callback that runs later. */
int return_check(struct env *env, u32 regno);
/* "5", "0 to 3", "any number": in w. */
struct range_words {
	char s[48];
};
const char *range_words(struct range_words *w, s64 min, s64 max);

/* ---- references: refs.c ---- */
/* Counts a new reference; its id, or negative when there are too many. */
int ref_acquire(struct env *env, u32 pc);
int ref_acquire_irq(struct env *env, u32 pc);
int ref_acquire_lock(struct env *env, u32 pc, enum ref_kind kind, u32 id, const void *ptr);
int ref_release_lock(struct env *env, enum ref_kind kind, u32 id, const void *ptr);
/* Restores saved interrupt flags: the newest ones only. */
int ref_release_irq(struct env *env, u32 id);
/* Gives it back and makes every register that stands for it unknown. */
int ref_release(struct env *env, u32 ref_id);
/* Drops it from the list only; false: it was not held. */
bool ref_drop(struct state *st, u32 ref_id);
const struct ref *ref_find(const struct state *st, u32 ref_id);
const struct ref *ref_find_lock(const struct state *st, u32 kinds, u32 id, const void *ptr);
/* Nothing may be held (references, locks, RCU, preemption, interrupts) at this kind of
 * instruction: "exit", "tail_call", ... */
int refs_none(struct env *env, const char *at, bool exception_exit, bool check_locks);
/* Registers with this id lose their meaning: become unknown numbers. */
void regs_forget_ref(struct env *env, u32 ref_id);
/* Non-owning references end (unlock). */
void refs_end_non_owning(struct env *env);

/* ---- spin locks and sections: locks.c ---- */
enum { LOCK_TAKE = 1 << 0, LOCK_RES = 1 << 1, LOCK_IRQ = 1 << 2 };
int lock_check(struct env *env, u32 regno, u32 how);
/* May code that must not sleep or be preempted be running here? "RCU read section" or NULL. */
bool in_rcu_section(const struct env *env);
bool in_sleepable(const struct env *env);
const char *atomic_section(const struct env *env); /* NULL: here may be slept */
/* Timers, work queues, task work in map values: the field must be where the pointer points. */
int map_field_check(struct env *env, u32 regno, u32 field_kind, struct call *call);

/* ---- dynptrs: dynptr.c ---- */
/* arg_flags: MEM_UNINIT (it is made, of the type given), MEM_RDONLY (it may be const),
 * dynptr_flag(); kfuncs know types for which there are no flags in abi.h. */
enum { DYNPTR_TYPE_SKB_META = 1 << 21 };
u32 dynptr_flag(enum dynptr_type type);
int dynptr_arg_check(struct env *env, u32 regno, u32 insn_pc, u32 arg_flags, u32 clone_ref_id);
int dynptr_unmark(struct env *env, struct reg *reg);
/* Stores over the stack slots of a dynptr: ends it, or is refused where it holds a reference. */
int dynptr_destroy_if_overwritten(struct env *env, struct frame *frame, u32 slot);
bool dynptr_is_valid(const struct env *env, const struct reg *reg);
enum dynptr_type dynptr_type_of(const struct env *env, const struct reg *reg);
u32 dynptr_id_of(const struct env *env, const struct reg *reg);
u32 dynptr_ref_of(const struct env *env, const struct reg *reg);
/* slot and frame of a PTR_TO_STACK to a dynptr, iterator or flag: constant, aligned; negative: refused */
int stack_object_slot(struct env *env, const struct reg *reg, const char *what, u32 n_slots);

/* ---- iterators and saved flags: iter.c ---- */
struct iter_arg;
int iter_arg_check(struct env *env, u32 regno, struct call *call);
int iter_next_call(struct env *env, const struct insn *insn, struct call *call);
int irq_flag_arg_check(struct env *env, u32 regno, struct call *call);

/* ---- map and helper fit each other: map_rules.c ---- */
int map_call_check(struct env *env, const struct map_def *map, u32 func);
/* The program's maps fit the program: all of them, before exploration. */
int maps_check(struct env *env);

#endif
