/* SPDX-License-Identifier: BSD-2-Clause */
/* Iterators, sections of RCU, preemption and interrupts. */
#include "case.h"

struct task_struct {
	int pid;
} KERNEL_TYPE;
struct bpf_iter_task {
	long opaque[3];
};

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task,
			     unsigned int flags) __ksym;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern void bpf_local_irq_save(unsigned long *flags) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __ksym;

CASE("accept")
SEC("tc") int iterator_ends(struct __sk_buff *ctx)
{
	struct bpf_iter_num it;
	int *n, sum = 0;

	bpf_iter_num_new(&it, 0, 10);
	while ((n = bpf_iter_num_next(&it)))
		sum += *n;
	bpf_iter_num_destroy(&it);
	return sum;
}

CASE("reject REF_LEAK")
CASE("kernel refuses Unreleased reference")
SEC("tc") int iterator_is_destroyed(struct __sk_buff *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	return 0;
}

CASE("reject ITER_NOT_INIT")
CASE("kernel refuses expected an initialized iter_num as arg #0")
SEC("tc") int iterator_is_made_before_its_use(struct __sk_buff *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_next(&it);
	return 0;
}

CASE("reject ITER_NOT_FREE")
CASE("kernel refuses expected uninitialized iter_num as arg #0")
SEC("tc") int iterator_is_made_once(struct __sk_buff *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 10);
	bpf_iter_num_new(&it, 0, 10);
	bpf_iter_num_destroy(&it);
	return 0;
}

CASE("reject ITER_NOT_STACK")
CASE("kernel refuses arg#0 expected pointer to an iterator on stack")
SEC("tc") int iterator_is_on_the_stack(struct __sk_buff *ctx)
{
	static long it;

	bpf_iter_num_new((void *)&it, 0, 10);
	bpf_iter_num_destroy((void *)&it);
	return 0;
}

CASE("reject KFUNC_NEEDS_RCU")
CASE("kernel refuses kernel func bpf_iter_task_new requires RCU critical section protection")
SEC("iter.s/bpf_map") int iterator_over_tasks_needs_rcu(void *ctx)
{
	struct bpf_iter_task it;

	bpf_iter_task_new(&it, 0, 0);
	bpf_iter_task_next(&it);
	bpf_iter_task_destroy(&it);
	return 0;
}

CASE("reject ITER_NEEDS_RCU")
CASE("kernel refuses expected an RCU CS when using bpf_iter_task_next")
SEC("iter.s/bpf_map") int iterator_over_tasks_stays_in_its_section(void *ctx)
{
	struct bpf_iter_task it;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, 0, 0);
	bpf_rcu_read_unlock();
	bpf_iter_task_next(&it);
	bpf_iter_task_destroy(&it);
	return 0;
}

CASE("reject KFUNC_UNMATCHED")
CASE("kernel refuses unmatched rcu read unlock")
SEC("tc") int section_is_entered_before_it_is_left(struct __sk_buff *ctx)
{
	bpf_rcu_read_unlock();
	return 0;
}

CASE("reject IN_RCU_SECTION")
CASE("kernel refuses BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region")
SEC("tc") int rcu_section_is_left(struct __sk_buff *ctx)
{
	bpf_rcu_read_lock();
	return 0;
}

CASE("reject KFUNC_NESTED_RCU")
CASE("kernel refuses nested rcu read lock")
SEC("tc") int rcu_sections_do_not_nest(struct __sk_buff *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	bpf_rcu_read_unlock();
	return 0;
}

CASE("reject IN_PREEMPT_SECTION")
CASE("kernel refuses BPF_EXIT instruction in main prog cannot be used inside bpf_preempt_disable-ed region")
SEC("tc") int preemption_is_enabled_again(struct __sk_buff *ctx)
{
	bpf_preempt_disable();
	return 0;
}

CASE("reject IN_IRQ_SECTION")
CASE("kernel refuses BPF_EXIT instruction in main prog cannot be used inside bpf_local_irq_save-ed region")
SEC("tc") int interrupts_are_enabled_again(struct __sk_buff *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	return 0;
}

CASE("reject IRQ_FLAG_NOT_FREE")
CASE("kernel refuses expected uninitialized irq flag as arg#0")
SEC("tc") int interrupt_flags_are_saved_once(struct __sk_buff *ctx)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	bpf_local_irq_save(&flags);
	bpf_local_irq_restore(&flags);
	return 0;
}

CASE("reject IRQ_FLAG_NOT_INIT")
CASE("kernel refuses expected an initialized irq flag as arg#0")
SEC("tc") int interrupt_flags_are_saved_before_they_are_restored(struct __sk_buff *ctx)
{
	unsigned long flags;

	bpf_local_irq_restore(&flags);
	return 0;
}

CASE("reject IRQ_ORDER")
CASE("kernel refuses cannot restore irq state out of order")
SEC("tc") int interrupt_flags_are_restored_in_order(struct __sk_buff *ctx)
{
	unsigned long a, b;

	bpf_local_irq_save(&a);
	bpf_local_irq_save(&b);
	bpf_local_irq_restore(&a);
	bpf_local_irq_restore(&b);
	return 0;
}

CASE("reject HELPER_SLEEPS_IN")
CASE("kernel refuses sleepable helper bpf_copy_from_user#148 in")
SEC("uprobe.s") int helpers_do_not_sleep_in_rcu_sections(void *ctx)
{
	long n;

	bpf_rcu_read_lock();
	bpf_copy_from_user(&n, sizeof(n), ctx);
	bpf_rcu_read_unlock();
	return 0;
}

CASE("accept")
SEC("uprobe.s") int helpers_may_sleep_in_programs_that_do(void *ctx)
{
	long n;

	bpf_copy_from_user(&n, sizeof(n), (void *)1);
	return 0;
}

CASE("reject HELPER_MAY_SLEEP")
SEC("tc") int helpers_may_not_sleep_elsewhere(struct __sk_buff *ctx)
{
	long n;

	bpf_copy_from_user(&n, sizeof(n), (void *)1);
	return 0;
}
