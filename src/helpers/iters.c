/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-coded iterators over numbers.  Their state is the program's, on its stack: 8
 * bytes, as Linux has them; what next() gives points into them.
 */
#include "helpers/bodies.h"
#include "helpers/helpers.h"

struct numbers {
	s32 current, end;
};

KFUNC(bpf_iter_num_new)
{
	struct numbers *it = pointer(r1);
	s32 start = (s32)r2, end = (s32)r3;
	int err = 0;

	if (start > end)
		err = -EINVAL;
	else if ((s64)end - start > LOOP_MAX)
		err = -E2BIG;
	/* one before the first: it may wrap */
	*it = err ? (struct numbers){0, 0} : (struct numbers){(s32)((u32)start - 1), end};
	return answer_int(err);
}

KFUNC(bpf_iter_num_next)
{
	struct numbers *it = pointer(r1);

	/* what wrapped counts on from there */
	if ((s32)((u32)it->current + 1) >= it->end) {
		*it = (struct numbers){0, 0};
		return 0;
	}
	it->current = (s32)((u32)it->current + 1);
	return (uintptr_t)&it->current;
}

KFUNC(bpf_iter_num_destroy)
{
	*(struct numbers *)pointer(r1) = (struct numbers){0, 0};
	return 0;
}
