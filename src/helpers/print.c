/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Printing: into the program's own memory, or to whoever watches the world.
 */
#include "helpers/bodies.h"
#include "helpers/format.h"

enum { TRACE_MAX = 1024, TRACE_PRINTK_ARGS = 3 };

static u64 trace(struct run *run, const struct format *f)
{
	char text[TRACE_MAX];
	s64 len = format_text(f, text, sizeof(text));

	if (len >= 0)
		run->world->ops->print(run->world, text,
				       (u32)min_u64((u64)len, sizeof(text) - 1));
	return answer(len);
}

HELPER(trace_printk)
{
	u64 args[TRACE_PRINTK_ARGS] = {r3, r4, r5};
	struct format f = {run->world, {pointer(r1), (u32)r2}, args, TRACE_PRINTK_ARGS};

	return trace(run, &f);
}

/* The arguments of the v-functions: an array of u64.  false: not one. */
static bool set_args(struct format *f, u64 args, u32 size)
{
	f->args = pointer(args);
	f->n_args = size / 8;
	return size % 8 == 0 && f->n_args <= FORMAT_MAX_ARGS && (args || !size);
}

HELPER(trace_vprintk)
{
	struct format f = {.world = run->world, .text = {pointer(r1), (u32)r2}};

	return set_args(&f, r3, (u32)r4) ? trace(run, &f) : answer(-EINVAL);
}

HELPER(snprintf)
{
	struct format f = {.world = run->world, .text = {pointer(r3), UINT32_MAX}};
	s64 len;

	if (!set_args(&f, r4, (u32)r5))
		return answer(-EINVAL);
	f.text.len = strlen(pointer(r3)) + 1; /* a constant string: the engine knows */
	len = format_text(&f, pointer(r1), (u32)r2);
	return answer(len < 0 ? len : len + 1);
}
