/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table from the number of a helper or kfunc to its body, and the end of a run.  Made
 * from offered.def and abi/kfunc_protos.def: nothing is written down here.
 */
#include "helpers/helpers.h"

#include <stdlib.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "helpers/bodies.h"
#include "maps/map.h"

static const helper_fn bodies[] = {
#define B(name) [BPF_FUNC_##name] = helper_##name,
#include "helpers/offered.def"
#undef B
};

static const helper_fn kfuncs[] = {
#define P(name, ...) [KFUNC_##name] = kfunc_##name,
#include "abi/kfunc_protos.def"
#undef P
};

helper_fn helper_body(u32 number)
{
	u32 kfunc = number - KFUNC_NUMBERS;

	if (number < ARRAY_SIZE(bodies))
		return bodies[number];
	if (number < KFUNC_NUMBERS)
		return helper_classic(number);
	return kfunc < ARRAY_SIZE(kfuncs) ? kfuncs[kfunc] : NULL;
}

u64 no_packet(struct run *run)
{
	run->err = fail(run->diag, NO_PACKET, NO_PC);
	return 0;
}

int run_end(struct run *run)
{
	int err = 0;

	if (run->lock) {
		map_spin_unlock((_Atomic u32 *)run->lock);
		run->lock = NULL;
		err = fail(run->diag, LOCK_LEFT, NO_PC, "bpf_spin_lock");
	}
	while (run->n_res_locks) {
		map_spin_unlock((_Atomic u32 *)run->res_locks[--run->n_res_locks]);
		err = fail(run->diag, LOCK_LEFT, NO_PC, "bpf_res_spin_lock");
	}
	for (; run->held; run->held &= run->held - 1) {
		const struct run_record *record = &run->records[__builtin_ctz(run->held)];

		ringbuf_discard(record->map, record->data, 0);
		err = fail(run->diag, RECORD_LEFT, NO_PC);
	}
	while (run->memory) {
		struct run_memory *memory = run->memory;

		run->memory = memory->next;
		free(memory);
	}
	return err;
}
