/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_spin_lock, one at a time, and bpf_res_spin_lock, several, which gives up where
 * waiting would take too long.
 *
 * The run knows what it holds, so a program that locks twice ends instead of waiting for
 * itself, and run_end() releases what was forgotten: others never wait for a run that is
 * over.
 */
#include "base/bytes.h"
#include "base/diag.h"
#include "helpers/bodies.h"
#include "maps/map.h"

HELPER(spin_lock)
{
	if (run->lock) {
		run->err = fail(run->diag, LOCK_HELD_TWICE, NO_PC);
		return 0;
	}
	map_spin_lock(pointer(r1));
	run->lock = pointer(r1);
	return 0;
}

HELPER(spin_unlock)
{
	if (!run->lock || run->lock != pointer(r1)) {
		run->err = fail(run->diag, LOCK_NOT_HELD, NO_PC, "bpf_spin_unlock");
		return 0;
	}
	run->lock = NULL;
	map_spin_unlock(pointer(r1));
	return 0;
}

/* ---- bpf_res_spin_lock ---- */

/* As long as Linux waits; meanwhile the run may have to end. */
enum { PATIENCE_MS = 250, NS_OF_MS = 1000000 };

static bool goes_on(struct run *run)
{
	if (run->spend)
		run->spend(run, 1000);
	return !__atomic_load_n(&run->err, __ATOMIC_RELAXED);
}

static u32 find_lock(const struct run *run, const u32 *lock)
{
	u32 i = 0;

	while (i < run->n_res_locks && run->res_locks[i] != lock)
		i++;
	return i;
}

static int lock_resilient(struct run *run, u32 *lock)
{
	u32 n = run->n_res_locks;

	if (find_lock(run, lock) < n)
		return -EDEADLK;
	for (u32 ms = 0; n < RUN_RES_LOCKS && ms < PATIENCE_MS; ms++) {
		if (map_spin_lock_within((_Atomic u32 *)lock, NS_OF_MS)) {
			run->res_locks[run->n_res_locks++] = lock;
			return 0;
		}
		if (!goes_on(run))
			break;
	}
	return -ETIMEDOUT;
}

static void unlock_resilient(struct run *run, u32 *lock)
{
	u32 i = find_lock(run, lock);

	if (i == run->n_res_locks) {
		run->err = fail(run->diag, LOCK_NOT_HELD, NO_PC, "bpf_res_spin_unlock");
		return;
	}
	run->res_locks[i] = run->res_locks[--run->n_res_locks];
	map_spin_unlock((_Atomic u32 *)lock);
}

KFUNC(bpf_res_spin_lock)
{
	return answer_int(lock_resilient(run, pointer(r1)));
}

KFUNC(bpf_res_spin_unlock)
{
	unlock_resilient(run, pointer(r1));
	return 0;
}

/* There are no interrupts to be kept away, and nothing to be saved of them. */
KFUNC(bpf_res_spin_lock_irqsave)
{
	store_u64(pointer(r2), 0);
	return answer_int(lock_resilient(run, pointer(r1)));
}

KFUNC(bpf_res_spin_unlock_irqrestore)
{
	unlock_resilient(run, pointer(r1));
	return 0;
}
