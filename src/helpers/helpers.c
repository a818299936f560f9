/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table from a helper's number to its body, and the end of a run.  Made from
 * offered.def: nothing is written down here.
 */
#include "helpers/helpers.h"

#include "base/diag.h"
#include "helpers/bodies.h"
#include "maps/map.h"

static const helper_fn bodies[] = {
#define B(name) [BPF_FUNC_##name] = helper_##name,
#include "helpers/offered.def"
#undef B
};

helper_fn helper_body(u32 number)
{
	return number < ARRAY_SIZE(bodies) ? bodies[number] : helper_classic(number);
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
		err = fail(run->diag, LOCK_LEFT, NO_PC);
	}
	for (u32 i = 0; i < RUN_RECORDS && run->n_records; i++) {
		struct run_record *record = &run->records[i];

		if (!record->data)
			continue;
		ringbuf_discard(record->map, record->data, 0);
		record->data = NULL;
		run->n_records--;
		err = fail(run->diag, RECORD_LEFT, NO_PC);
	}
	return err;
}
