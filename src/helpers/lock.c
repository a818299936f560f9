/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_spin_lock: one at a time.
 *
 * The run knows what it holds, so a program that locks twice ends instead of waiting for
 * itself, and run_end() releases what was forgotten: others never wait for a run that is
 * over.
 */
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
		run->err = fail(run->diag, LOCK_NOT_HELD, NO_PC);
		return 0;
	}
	run->lock = NULL;
	map_spin_unlock(pointer(r1));
	return 0;
}
