/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spin locks in map values and allocated objects, and the sections in which nothing may
 * sleep; timers, work queues and task work in map values.
 *
 * A lock is known by the map or BTF that it is in and by the id of the pointer: two
 * look-ups are two ids, so they count as different elements.  Never does: see which calls
 * lock (helper and kfunc files).  More: calls.h.
 */
#include "verify/calls.h"

#include <assert.h>

#include "verify/record.h"

/* Where the lock is, as ref_acquire_lock() wants it. */
static const void *lock_owner(const struct reg *reg)
{
	return reg->kind == PTR_TO_MAP_VALUE ? (const void *)reg->map
					     : (const void *)reg->btf;
}

/* Does the register point to a lock? */
static int lock_place(struct env *env, u32 regno, bool resilient)
{
	const char *what = resilient ? "bpf_res_spin_lock" : "bpf_spin_lock";
	const struct reg *reg = &env_regs(env)[regno];
	u32 kind = resilient ? FIELD_RES_SPIN_LOCK : FIELD_SPIN_LOCK;
	const struct record *rec;
	s64 off, at;

	if (!scalar_is_const(&reg->var))
		return reject(env, LOCK_VARIABLE_OFFSET, (int)regno, what);
	rec = reg_record(env, reg);
	if (!rec || !(rec->kinds & kind))
		return reject(env, LOCK_NO_FIELD, (int)regno,
			      reg->kind == PTR_TO_MAP_VALUE ? reg->map->name
							    : "an object",
			      what);
	at = resilient ? rec->res_spin_lock_off : rec->spin_lock_off;
	off = (s64)reg->var.bits.value + reg->off;
	if (off != at)
		return reject(env, LOCK_WRONG_OFFSET, (int)regno, (long long)off, what,
			      (int)at);
	return 0;
}

static int lock_take(struct env *env, const struct reg *reg, enum ref_kind kind)
{
	const void *owner = lock_owner(reg);

	/* of spin locks there is none yet: with a lock held the helper is not called */
	if (kind != REF_LOCK &&
	    ref_find_lock(env->cur, REF_RES_LOCK | REF_RES_LOCK_IRQ, reg->id, owner))
		return reject(env, LOCK_TWICE);
	return ref_acquire_lock(env, env->pc, kind, reg->id, owner);
}

static int lock_release(struct env *env, const struct reg *reg, enum ref_kind kind)
{
	const char *what = kind == REF_LOCK ? "bpf_spin_lock" : "bpf_res_spin_lock";
	const struct state *st = env->cur;
	const void *owner = lock_owner(reg);
	int err;

	if (!st->active_locks)
		return reject(env, LOCK_NOT_HELD, what);
	if (!ref_find_lock(st, kind, reg->id, owner))
		return reject(env, LOCK_DIFFERENT, what);
	if (reg->id != st->active_lock_id || owner != st->active_lock_ptr)
		return reject(env, LOCK_ORDER, what);
	err = ref_release_lock(env, kind, reg->id, owner);
	if (!err)
		refs_end_non_owning(env);
	return err;
}

int lock_check(struct env *env, u32 regno, u32 how)
{
	const struct reg *reg = &env_regs(env)[regno];
	enum ref_kind kind = REF_LOCK;
	int err = lock_place(env, regno, how & LOCK_RES);

	if (err)
		return err;
	if (how & LOCK_RES)
		kind = how & LOCK_IRQ ? REF_RES_LOCK_IRQ : REF_RES_LOCK;
	return how & LOCK_TAKE ? lock_take(env, reg, kind) : lock_release(env, reg, kind);
}

/* ---- sections ---- */

bool in_sleepable(const struct env *env)
{
	return env->cur->in_sleepable;
}

bool in_rcu_section(const struct env *env)
{
	return env->cur->active_rcu || env->cur->active_locks || !in_sleepable(env);
}

const char *atomic_section(const struct env *env)
{
	const struct state *st = env->cur;

	if (st->active_rcu)
		return "RCU read section";
	if (st->active_preempt)
		return "section without preemption";
	if (st->active_irq_id)
		return "section without interrupts";
	if (st->active_locks)
		return "section with a lock held";
	return in_sleepable(env) ? NULL : "program that must not sleep";
}

/* ---- what runs later ---- */

struct field_place {
	const char *what;
	s32 off;
};

static struct field_place field_place(const struct record *rec, u32 field_kind)
{
	switch (field_kind) {
	case FIELD_TIMER:
		return (struct field_place){"bpf_timer", rec ? rec->timer_off : -1};
	case FIELD_WORKQUEUE:
		return (struct field_place){"bpf_wq", rec ? rec->wq_off : -1};
	default:
		return (struct field_place){"bpf_task_work",
					    rec ? rec->task_work_off : -1};
	}
}

int map_field_check(struct env *env, u32 regno, u32 field_kind, struct call *call)
{
	const struct reg *reg = &env_regs(env)[regno];
	const struct record *rec = map_record(env, reg->map);
	struct field_place place = field_place(rec, field_kind);
	s64 off = (s64)reg->var.bits.value + reg->off;

	if (!scalar_is_const(&reg->var))
		return reject(env, LOCK_VARIABLE_OFFSET, (int)regno, place.what);
	if (!rec || !(rec->kinds & field_kind))
		return reject(env, LOCK_NO_FIELD, (int)regno, reg->map->name, place.what);
	if (place.off != off)
		return reject(env, LOCK_WRONG_OFFSET, (int)regno, (long long)off,
			      place.what, place.off);
	assert(!call->map); /* the field is the first argument that has one */
	call->map = reg->map;
	call->map_uid = reg->map_uid;
	return 0;
}
