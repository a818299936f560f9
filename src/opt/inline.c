/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of helpers that need no call: which they are, and the simple ones.  What is put
 * in their place does what the bodies in src/helpers do, for all arguments.
 *
 * Clocks stay calls here, as which world's they are turns out when the program runs; what
 * a machine makes of them looks at a page of the world first (world/anchor.h).
 */
#include "opt/inline.h"

#include <linux/bpf.h>

#include "helpers/helpers.h"
#include "world/world.h"

bool inline_knows(const struct ir_spec *spec, u32 number)
{
	helper_fn body = spec->helper(number);

	return body && body == helper_body(number);
}

u32 inline_cpu(struct builder *b)
{
	u32 run = ir_emit(b, &(struct ir_insn){.op = IR_RUN});

	return emit_load(b, 32, run, offsetof(struct run, cpu));
}

static u32 emit_clock(struct builder *b, u32 number, enum world_clock clock)
{
	return ir_emit(b, &(struct ir_insn){.op = IR_CALL,
					    .row = (u8)(IR_CALL_CLOCK + clock),
					    .a = number,
					    .imm = (s64)(uintptr_t)helper_body(number)});
}

bool inline_call(struct builder *b, u32 number, const u32 args[5], u32 *ret)
{
	if (!inline_knows(b->spec, number))
		return false;
	switch (number) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_lookup_percpu_elem: return inline_map(b, number, args, ret);
	case BPF_FUNC_get_smp_processor_id: *ret = inline_cpu(b); return true;
	case BPF_FUNC_ktime_get_ns:
		*ret = emit_clock(b, number, CLOCK_OF_MONOTONIC);
		return true;
	case BPF_FUNC_ktime_get_boot_ns:
		*ret = emit_clock(b, number, CLOCK_OF_BOOT);
		return true;
	case BPF_FUNC_loop: return inline_loop(b, args, ret);
	default: return false;
	}
}
