/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of helpers that need no call: which they are, and the simple ones.  What is put
 * in their place does what the bodies in src/helpers do, for all arguments.
 *
 * Clocks stay calls: they are questions to the world of the run, which the program does
 * not know when it is compiled.
 */
#include "opt/inline.h"

#include <linux/bpf.h>

#include "helpers/helpers.h"

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

bool inline_call(struct builder *b, u32 number, const u32 args[5], u32 *ret)
{
	if (!inline_knows(b->spec, number))
		return false;
	switch (number) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_lookup_percpu_elem: return inline_map(b, number, args, ret);
	case BPF_FUNC_get_smp_processor_id: *ret = inline_cpu(b); return true;
	case BPF_FUNC_loop: return inline_loop(b, args, ret);
	default: return false;
	}
}
