/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections in which Linux does not free, preempt or interrupt.  Here nothing is freed
 * under a program that runs, it keeps its CPU until it ends, and there are no interrupts:
 * what remains of them is what the verifier asks.
 */
#include "base/bytes.h"
#include "helpers/bodies.h"

KFUNC(bpf_rcu_read_lock)
{
	return 0;
}

KFUNC(bpf_rcu_read_unlock)
{
	return 0;
}

KFUNC(bpf_preempt_disable)
{
	return 0;
}

KFUNC(bpf_preempt_enable)
{
	return 0;
}

/* What it saves nobody but bpf_local_irq_restore() may look at. */
KFUNC(bpf_local_irq_save)
{
	store_u64(pointer(r1), 0);
	return 0;
}

KFUNC(bpf_local_irq_restore)
{
	return 0;
}
