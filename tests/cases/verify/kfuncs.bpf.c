/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments of kernel functions, and where they may be called. */
#include "case.h"

struct task_struct {
	int pid;
	struct task_struct *real_parent, *last_wakee;
} KERNEL_TYPE;
struct bpf_cpumask;
struct cpumask;
struct bpf_iter_css_task {
	__u64 opaque[1];
};
struct cgroup_subsys_state {
	int id;
} KERNEL_TYPE;
struct bpf_res_spin_lock {
	__u32 opaque;
};

extern struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
extern void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym;
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;
extern void *bpf_rdonly_cast(const void *p, __u32 type) __ksym;
extern int bpf_xdp_metadata_rx_timestamp(const struct xdp_md *ctx, __u64 *time) __ksym;
extern int bpf_copy_from_user_str(void *to, __u32 to__sz, const void *from,
				  __u64 flags) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;
extern void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock,
					   unsigned long *flags) __ksym;
extern void bpf_local_irq_save(unsigned long *flags) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __ksym;
extern int bpf_iter_css_task_new(struct bpf_iter_css_task *it,
				 struct cgroup_subsys_state *css, unsigned flags) __ksym;
extern void bpf_iter_css_task_destroy(struct bpf_iter_css_task *it) __ksym;
extern int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
extern void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;
extern int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock,
				     unsigned long *flags) __ksym;
extern void __bpf_trap(void) __ksym;
extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned flags) __ksym;

struct locked {
	struct bpf_res_spin_lock lock;
	int n;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, struct locked);
} locks SEC(".maps"), more_locks SEC(".maps");

struct work {
	struct bpf_wq wq;
	struct bpf_timer timer;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, struct work);
} works SEC(".maps"), more_works SEC(".maps");

static const int zero;

CASE("reject KARG_WANTS")
CASE("kernel refuses ")
SEC("tc") int context_is_cast_from_the_context(struct __sk_buff *ctx)
{
	long n = 0;

	return bpf_cast_to_kern_ctx(&n) != 0;
}

CASE("reject CAST_TYPE")
CASE("kernel refuses bpf_rdonly_cast")
SEC("tc") int cast_is_to_a_struct(struct __sk_buff *ctx)
{
	return bpf_rdonly_cast(ctx, 1) != 0;
}

CASE("reject KFUNC_DEV_BOUND")
CASE("kernel refuses metadata kfuncs require device-bound program")
SEC("xdp") int metadata_is_for_programs_of_a_device(struct xdp_md *ctx)
{
	__u64 time;

	bpf_xdp_metadata_rx_timestamp(ctx, &time);
	return XDP_PASS;
}

CASE("reject KFUNC_SLEEPS")
CASE("kernel refuses program must be sleepable to call sleepable kfunc bpf_copy_from_user_str")
SEC("uprobe") int kernel_functions_do_not_sleep_elsewhere(void *ctx)
{
	char text[8];

	return bpf_copy_from_user_str(text, sizeof(text), ctx, 0);
}

CASE("reject KFUNC_SLEEPS_IN")
CASE("kernel refuses kernel func bpf_copy_from_user_str is sleepable within rcu_read_lock region")
SEC("uprobe.s") int kernel_functions_do_not_sleep_in_sections(void *ctx)
{
	char text[8];
	int n;

	bpf_rcu_read_lock();
	n = bpf_copy_from_user_str(text, sizeof(text), ctx, 0);
	bpf_rcu_read_unlock();
	return n != 0;
}

CASE("reject KARG_POINTEE")
CASE("kernel refuses ")
SEC("tc") int object_is_taken_for_what_it_is(struct __sk_buff *ctx)
{
	long n = 0;

	bpf_task_release((void *)&n);
	return 0;
}

CASE("reject KARG_NOTHING_RELEASED")
CASE("kernel refuses ")
SEC("tp_btf/task_newtask") int what_is_released_was_acquired(__u64 *ctx)
{
	bpf_task_release((void *)ctx[0]);
	return 0;
}

CASE("reject KARG_NOT_RCU")
CASE("kernel refuses R1 must be a rcu pointer")
SEC("tp_btf/task_newtask") int what_was_walked_to_is_not_trusted(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];

	task = bpf_task_acquire(task->last_wakee);
	if (task)
		bpf_task_release(task);
	return 0;
}

CASE("reject KARG_CSS_TASK")
SEC("tc") int tasks_of_a_cgroup_are_walked_elsewhere(struct __sk_buff *ctx)
{
	struct bpf_iter_css_task it;

	bpf_iter_css_task_new(&it, 0, 0);
	bpf_iter_css_task_destroy(&it);
	return 0;
}

CASE("reject KFUNC_TRAP")
CASE("kernel refuses unexpected __bpf_trap() due to uninitialized variable?")
SEC("tc") int trap_is_not_reached(struct __sk_buff *ctx)
{
	__bpf_trap();
	return 0;
}

CASE("reject IRQ_FLAG_CLASS")
CASE("kernel refuses cannot be restored with")
SEC("tc") int flags_of_a_lock_are_restored_by_it(struct __sk_buff *ctx)
{
	struct locked *v = bpf_map_lookup_elem(&locks, &zero);
	unsigned long flags, mine;

	if (!v)
		return 0;
	bpf_local_irq_save(&mine);
	if (bpf_res_spin_lock_irqsave(&v->lock, &flags))
		return 0;
	bpf_res_spin_unlock_irqrestore(&v->lock, &mine);
	bpf_local_irq_restore(&mine);
	return 0;
}

CASE("reject LOCK_TWICE")
CASE("kernel refuses Acquiring the same lock again, AA deadlock detected")
SEC("tc") int lock_is_not_taken_twice(struct __sk_buff *ctx)
{
	struct locked *v = bpf_map_lookup_elem(&locks, &zero);

	if (!v)
		return 0;
	if (bpf_res_spin_lock(&v->lock))
		return 0;
	if (!bpf_res_spin_lock(&v->lock))
		bpf_res_spin_unlock(&v->lock);
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

CASE("reject LOCK_ORDER")
CASE("kernel refuses bpf_res_spin_unlock cannot be out of order")
SEC("tc") int locks_are_released_in_reverse(struct __sk_buff *ctx)
{
	struct locked *v = bpf_map_lookup_elem(&locks, &zero), *w;

	if (!v)
		return 0;
	w = bpf_map_lookup_elem(&more_locks, &zero);
	if (!w)
		return 0;
	if (bpf_res_spin_lock(&v->lock))
		return 0;
	if (bpf_res_spin_lock(&w->lock)) {
		bpf_res_spin_unlock(&v->lock);
		return 0;
	}
	bpf_res_spin_unlock(&v->lock);
	bpf_res_spin_unlock(&w->lock);
	return 0;
}

CASE("reject MAP_NOT_OF_TIMER")
CASE("kernel refuses ")
SEC("tc") int timer_is_of_the_map_that_is_named(struct __sk_buff *ctx)
{
	struct work *v = bpf_map_lookup_elem(&works, &zero);

	if (v)
		bpf_timer_init(&v->timer, &more_works, 1);
	return 0;
}

CASE("reject KARG_MAP_MISMATCH")
CASE("kernel refuses workqueue pointer in R1")
SEC("tc") int work_queue_is_of_the_map_that_is_named(struct __sk_buff *ctx)
{
	struct work *v = bpf_map_lookup_elem(&works, &zero);

	if (v)
		bpf_wq_init(&v->wq, &more_works, 0);
	return 0;
}

static __attribute__((noinline)) int fails(void *map, int *key, struct work *v)
{
	return 5;
}

CASE("reject RETURN_RANGE")
CASE("kernel refuses At async callback return the register R0 has")
SEC("tc") int callback_of_a_timer_returns_0(struct __sk_buff *ctx)
{
	struct work *v = bpf_map_lookup_elem(&works, &zero);

	if (!v)
		return 0;
	bpf_timer_init(&v->timer, &works, 1);
	bpf_timer_set_callback(&v->timer, fails);
	return 0;
}

__attribute__((noinline)) int sleeps(void *p)
{
	long n;

	return bpf_copy_from_user(&n, sizeof(n), p);
}

CASE("reject GLOBAL_CALL_SLEEPS")
CASE("kernel refuses global functions that may sleep are not allowed in non-sleepable context")
SEC("uprobe.s") int global_functions_do_not_sleep_in_sections(void *ctx)
{
	int n;

	bpf_rcu_read_lock();
	n = sleeps((void *)1);
	bpf_rcu_read_unlock();
	return n != 0;
}

CASE("reject CAST_NO_CTX")
SEC("syscall") int context_of_the_kernel_is_there(void *ctx)
{
	return bpf_cast_to_kern_ctx(ctx) != 0;
}

CASE("no_perfmon")
CASE("reject STRUCT_PRIVILEGE")
CASE("kernel refuses access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN")
SEC("tc") int task_is_read_with_its_right(struct __sk_buff *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	int pid;

	if (!task)
		return 0;
	pid = task->pid;
	bpf_task_release(task);
	return pid;
}

CASE("reject STRUCT_POINTER_PART")
CASE("kernel refuses cannot access ptr member real_parent")
SEC("tp_btf/task_newtask") int pointer_in_a_struct_is_read_as_a_whole(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];

	return *(volatile int *)&task->real_parent != 0;
}

CASE("reject STRUCT_MEMBER_END")
CASE("kernel refuses access beyond the end of member pid")
SEC("tp_btf/task_newtask") int member_ends(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];

	return *(volatile long *)&task->pid != 0;
}

CASE("reject ARG_KERNEL_MEMORY_WRITTEN")
CASE("kernel refuses may write into memory pointed by R1 type=trusted_ptr_")
SEC("tp_btf/task_newtask") int helper_does_not_write_into_a_struct(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];

	return bpf_probe_read_kernel(task, 8, task) != 0;
}

struct cgroup {
	int level;
} KERNEL_TYPE;

CASE("reject ARG_OTHER_STRUCT")
CASE("kernel refuses R1 is of type cgroup but task_struct is expected")
SEC("tp_btf/cgroup_mkdir") int struct_is_the_one_that_is_taken(__u64 *ctx)
{
	return bpf_task_pt_regs((void *)ctx[0]) != 0;
}

CASE("reject ARG_KIND")
CASE("kernel refuses R1 type=trusted_ptr_or_null_ expected=ptr_, trusted_ptr_, rcu_ptr_")
SEC("tp_btf/sched_pi_setprio") int argument_that_may_be_null_is_compared(__u64 *ctx)
{
	return bpf_task_pt_regs((void *)ctx[1]) != 0;
}

CASE("reject HELPER_NOT_SUPPORTED")
SEC("tp_btf/task_newtask") int tracepoint_has_no_function(__u64 *ctx)
{
	return bpf_get_func_ip(ctx) != 0;
}

struct task_struct___missing {
	int no_such_member;
} KERNEL_TYPE;

CASE("reject CORE_UNRESOLVED")
SEC("tp_btf/task_newtask") int member_that_is_not_there_is_not_read(__u64 *ctx)
{
	struct task_struct___missing *task = (void *)ctx[0];

	return task->no_such_member != 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, long);
	__type(value, long);
} table SEC(".maps");

CASE("reject RELEASE_MOVED")
CASE("kernel refuses must have zero offset when passed to release func or trusted arg to kfunc")
SEC("tc") int record_is_submitted_as_it_was_reserved(struct __sk_buff *ctx)
{
	char *record = bpf_ringbuf_reserve(&ring, 16, 0);

	if (record)
		bpf_ringbuf_submit(record + 8, 0);
	return 0;
}

CASE("reject TWO_REFERENCES")
CASE("kernel refuses more than one arg with ref_obj_id")
SEC("tc") int one_argument_has_a_reference(struct __sk_buff *ctx)
{
	long *a = bpf_ringbuf_reserve(&ring, 8, 0), *b;

	if (!a)
		return 0;
	b = bpf_ringbuf_reserve(&ring, 8, 0);
	if (b) {
		*a = *b = 0;
		bpf_map_update_elem(&table, a, b, 0);
		bpf_ringbuf_discard(b, 0);
	}
	bpf_ringbuf_discard(a, 0);
	return 0;
}

__attribute__((noinline)) long each(__u32 i, void *arg)
{
	return 0;
}

CASE("reject FUNC_NOT_STATIC")
CASE("kernel refuses callback function not static")
SEC("tc") int callback_is_static(struct __sk_buff *ctx)
{
	return bpf_loop(1, each, 0, 0);
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} programs SEC(".maps");

static __attribute__((noinline)) void leaves(struct __sk_buff *ctx)
{
	bpf_tail_call(ctx, &programs, 0);
}

CASE("reject TAIL_CALL_RETURNS_INT")
CASE("kernel refuses tail_call is only allowed in functions that return 'int'.")
SEC("tc") int function_with_a_tail_call_returns_a_number(struct __sk_buff *ctx)
{
	leaves(ctx);
	return 0;
}

unsigned long long load_byte(void *skb, unsigned long long off) asm("llvm.bpf.load.byte");

static __attribute__((noinline)) void reads(struct __sk_buff *ctx)
{
	asm volatile("" : : "r"(load_byte(ctx, 0)));
}

CASE("reject LD_ABS_RETURNS_INT")
CASE("kernel refuses LD_ABS is only allowed in functions that return 'int'.")
SEC("tc") int function_with_ld_abs_returns_a_number(struct __sk_buff *ctx)
{
	reads(ctx);
	return 0;
}

static __attribute__((noinline)) int later(void *map, int *key, struct work *v)
{
	asm volatile("r1 = 0; if r1 == 0 goto +1; call 12;"
		     :
		     :
		     : "r0", "r1", "r2", "r3", "r4", "r5");
	return 0;
}

CASE("reject TAIL_CALL_IN_ASYNC_CALLBACK")
CASE("kernel refuses ")
SEC("tc") int callback_of_a_timer_makes_no_tail_call(struct __sk_buff *ctx)
{
	struct work *v = bpf_map_lookup_elem(&works, &zero);

	if (!v)
		return 0;
	bpf_timer_init(&v->timer, &works, 1);
	bpf_timer_set_callback(&v->timer, later);
	return 0;
}

extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer,
			      __u32 buffer__szk) __ksym;

CASE("reject READ_ONLY_MEMORY")
CASE("kernel refuses cannot write into rdonly_mem")
SEC("tc") int slice_is_only_read(struct __sk_buff *ctx)
{
	static long memory;
	struct bpf_dynptr d;
	long *p;

	bpf_dynptr_from_mem(&memory, sizeof(memory), 0, &d);
	p = bpf_dynptr_slice(&d, 0, 0, 8);
	if (p)
		*p = 0;
	return 0;
}

__attribute__((noinline)) int count(int *n ARG("trusted"))
{
	return n != 0 && bpf_get_prandom_u32();
}


CASE("reject ARG_KIND")
CASE("kernel refuses ")
SEC("tc") int trusted_argument_is_no_number(struct __sk_buff *ctx)
{
	return count(0);
}
