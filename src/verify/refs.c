/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program holds and must give back: references, locks, saved interrupt flags; and
 * what becomes of registers when it is given back.
 *
 * They are one list, in the order in which they were acquired: locks and interrupt flags
 * are released in the reverse order.  Never does: decide which call acquires or releases.
 * More: state.h; Documentation/bpf/kfuncs.rst of the kernel (KF_ACQUIRE).
 */
#include <assert.h>
#include <string.h>

#include "verify/calls.h"
#include "verify/record.h"

enum { ANY_LOCK = REF_LOCK | REF_RES_LOCK | REF_RES_LOCK_IRQ };

/* ---- registers ---- */

void reg_forget(const struct env *env, struct reg *reg)
{
	if (env->allow_ptr_leaks)
		reg_set_unknown(reg);
	else
		reg_set_uninit(reg);
}

void regs_forget_ref(struct env *env, u32 ref_id)
{
	struct reg *reg;

	for_each_reg(env->cur, reg)
	{
		if (reg->ref_id == ref_id || reg->ends_with == ref_id)
			reg_forget(env, reg);
	}
}

void refs_end_non_owning(struct env *env)
{
	struct reg *reg;

	for_each_reg(env->cur, reg) if (reg->flags & NON_OWN_REF) reg_forget(env, reg);
}

/* A value of a map of maps is a map, one of a map of sockets a socket. */
static void map_value_not_null(const struct env *env, struct reg *reg)
{
	const struct map_def *map = reg->map;
	const struct record *rec;

	reg->flags = 0;
	if (map->inner) {
		rec = map_record(env, map->inner);
		reg->kind = CONST_PTR_TO_MAP;
		reg->map = map->inner;
		/* Each look-up may find another map. */
		if (rec && rec->kinds & (FIELD_TIMER | FIELD_WORKQUEUE | FIELD_TASK_WORK))
			reg->map_uid = reg->id;
	} else if (map->type == MAP_TYPE_XSKMAP) {
		reg->kind = PTR_TO_XDP_SOCK;
	} else if (map->type == MAP_TYPE_SOCKMAP || map->type == MAP_TYPE_SOCKHASH) {
		reg->kind = PTR_TO_SOCKET;
	}
}

void reg_not_null(const struct env *env, struct reg *reg)
{
	if (reg->kind == PTR_TO_MAP_VALUE)
		map_value_not_null(env, reg);
	else
		reg->flags &= (u16)~MAYBE_NULL;
}

/* ---- the list ---- */

static struct ref *refs_add(struct env *env, enum ref_kind kind, u32 pc)
{
	struct state *st = env->cur;
	struct ref *ref;

	if (st->n_refs == MAX_REFS)
		return NULL;
	ref = &st->refs[st->n_refs++];
	*ref = (struct ref){.kind = (u8)kind, .pc = pc};
	return ref;
}

static void refs_remove(struct state *st, u32 i)
{
	st->n_refs--;
	memmove(&st->refs[i], &st->refs[i + 1], (st->n_refs - i) * sizeof(st->refs[0]));
}

int ref_acquire(struct env *env, u32 pc)
{
	struct ref *ref = refs_add(env, REF_PTR, pc);

	if (!ref)
		return reject(env, TOO_MANY_REFS, (u32)MAX_REFS);
	ref->id = env_new_id(env);
	return (int)ref->id;
}

int ref_acquire_irq(struct env *env, u32 pc)
{
	struct ref *ref = refs_add(env, REF_IRQ, pc);

	if (!ref)
		return reject(env, TOO_MANY_REFS, (u32)MAX_REFS);
	ref->id = env_new_id(env);
	env->cur->active_irq_id = ref->id;
	return (int)ref->id;
}

int ref_acquire_lock(struct env *env, u32 pc, enum ref_kind kind, u32 id, const void *ptr)
{
	struct ref *ref = refs_add(env, kind, pc);

	if (!ref)
		return reject(env, TOO_MANY_REFS, (u32)MAX_REFS);
	ref->id = id;
	ref->ptr = ptr;
	env->cur->active_locks++;
	env->cur->active_lock_id = id;
	env->cur->active_lock_ptr = ptr;
	return 0;
}

/* The lock that was taken before it is the one to be released next. */
int ref_release_lock(struct env *env, enum ref_kind kind, u32 id, const void *ptr)
{
	struct state *st = env->cur;
	const void *before_ptr = NULL;
	u32 before_id = 0;

	for (u32 i = 0; i < st->n_refs; i++) {
		const struct ref *ref = &st->refs[i];

		if (ref->kind == kind && ref->id == id && ref->ptr == ptr) {
			refs_remove(st, i);
			st->active_locks--;
			st->active_lock_id = before_id;
			st->active_lock_ptr = before_ptr;
			return 0;
		}
		if (ref->kind & ANY_LOCK) {
			before_id = ref->id;
			before_ptr = ref->ptr;
		}
	}
	return reject(env, LOCK_NOT_HELD, "the lock");
}

int ref_release_irq(struct env *env, u32 id)
{
	struct state *st = env->cur;
	const struct ref *newest = ref_find(st, st->active_irq_id);
	u32 before = 0;

	if (id != st->active_irq_id)
		return reject(env, IRQ_ORDER, newest ? newest->pc : 0);
	assert(newest);
	for (u32 i = 0; i < st->n_refs; i++) {
		if (st->refs[i].kind != REF_IRQ)
			continue;
		if (st->refs[i].id == id) {
			refs_remove(st, i);
			break;
		}
		before = st->refs[i].id;
	}
	st->active_irq_id = before;
	return 0;
}

bool ref_drop(struct state *st, u32 ref_id)
{
	for (u32 i = 0; i < st->n_refs; i++) {
		if (st->refs[i].kind == REF_PTR && st->refs[i].id == ref_id) {
			refs_remove(st, i);
			return true;
		}
	}
	return false;
}

int ref_release(struct env *env, u32 ref_id)
{
	if (!ref_drop(env->cur, ref_id))
		return reject(env, REF_NOT_HELD);
	regs_forget_ref(env, ref_id);
	return 0;
}

const struct ref *ref_find(const struct state *st, u32 ref_id)
{
	for (u32 i = 0; i < st->n_refs; i++)
		if (st->refs[i].id == ref_id && !(st->refs[i].kind & ANY_LOCK))
			return &st->refs[i];
	return NULL;
}

const struct ref *ref_find_lock(const struct state *st, u32 kinds, u32 id,
				const void *ptr)
{
	for (u32 i = 0; i < st->n_refs; i++) {
		const struct ref *ref = &st->refs[i];

		if (ref->kind & kinds && ref->id == id && ref->ptr == ptr)
			return ref;
	}
	return NULL;
}

/* ---- may something be held here? ---- */

/* Functions of the program hand what they hold to their callers.  A struct_ops program
 * may return a reference to the kernel (return_check() asks whether it fits). */
static int no_references(struct env *env, const char *at, bool exception_exit)
{
	const struct state *st = env->cur;
	bool may_return = env->prog_type == PROG_TYPE_STRUCT_OPS && !exception_exit;

	if (!exception_exit && st->depth)
		return 0;
	for (u32 i = 0; i < st->n_refs; i++) {
		const struct ref *ref = &st->refs[i];

		if (ref->kind != REF_PTR)
			continue;
		if (may_return && env_regs(env)[R0].ref_id == ref->id)
			continue;
		return reject(env, REF_LEAK, at, ref->pc);
	}
	return 0;
}

int refs_none(struct env *env, const char *at, bool exception_exit, bool check_locks)
{
	const struct state *st = env->cur;
	const struct ref *irq;
	int err;

	if (check_locks && st->active_locks)
		return reject(env, IN_LOCK, at);
	err = no_references(env, at, exception_exit);
	if (err || !check_locks)
		return err;
	if (st->active_irq_id) {
		irq = ref_find(st, st->active_irq_id);
		return reject(env, IN_IRQ_SECTION, at, irq ? irq->pc : 0);
	}
	if (st->active_rcu)
		return reject(env, IN_RCU_SECTION, at);
	if (st->active_preempt)
		return reject(env, IN_PREEMPT_SECTION, at);
	return 0;
}
