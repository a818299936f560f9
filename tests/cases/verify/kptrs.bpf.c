/* SPDX-License-Identifier: BSD-2-Clause */
/* Pointers to objects of the kernel in the values of maps. */
#include "case.h"

struct task_struct {
	int pid;
	struct task_struct *real_parent;
} KERNEL_TYPE;
struct cgroup {
	int level;
} KERNEL_TYPE;

struct value {
	long before;
	struct task_struct KPTR *task;
	struct task_struct KPTR_UNTRUSTED *seen;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct value);
} values SEC(".maps");

extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern struct cgroup *bpf_cgroup_from_id(__u64 id) __ksym;
extern void bpf_cgroup_release(struct cgroup *cgroup) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

static const int zero;

static __always_inline struct value *get(void)
{
	return bpf_map_lookup_elem(&values, &zero);
}

CASE("accept")
SEC("tc") int pointer_is_exchanged(struct __sk_buff *ctx)
{
	struct value *v = get();
	struct task_struct *task;

	if (!v)
		return 0;
	task = bpf_kptr_xchg(&v->task, 0);
	if (task)
		bpf_task_release(task);
	return 0;
}

CASE("reject KPTR_STORE_REF")
CASE("kernel refuses store to referenced kptr disallowed")
SEC("tc") int pointer_with_a_reference_is_not_stored(struct __sk_buff *ctx)
{
	struct value *v = get();

	if (v)
		v->task = 0;
	return 0;
}

CASE("reject KPTR_STORE_IMM")
CASE("kernel refuses BPF_ST imm must be 0 when storing to kptr at off=16")
SEC("tc") int number_is_not_stored_for_a_pointer(struct __sk_buff *ctx)
{
	struct value *v = get();

	if (v)
		asm volatile("*(u64 *)(%0 + 16) = 1" : : "r"(v) : "memory");
	return 0;
}

CASE("reject KPTR_MISALIGNED")
CASE("kernel refuses kptr access size must be BPF_DW")
SEC("tc") int pointer_is_read_as_a_whole(struct __sk_buff *ctx)
{
	struct value *v = get();

	return v ? *(volatile int *)&v->task : 0;
}

CASE("reject KPTR_VARIABLE")
CASE("kernel refuses kptr access cannot have variable offset")
SEC("tc") int pointer_is_read_at_a_constant_place(struct __sk_buff *ctx)
{
	struct value *v = get();

	return v ? *(volatile long *)((char *)v + (ctx->len & 8)) : 0;
}

CASE("reject KPTR_INSN")
CASE("kernel refuses kptr in map can only be accessed using BPF_MEM instruction mode")
SEC("tc") int pointer_is_no_number(struct __sk_buff *ctx)
{
	struct value *v = get();

	if (v)
		__sync_fetch_and_add((long *)&v->seen, 1);
	return 0;
}

CASE("reject KPTR_BY_HELPER")
CASE("kernel refuses kptr cannot be accessed indirectly by helper")
SEC("tc") int pointer_is_not_written_by_a_helper(struct __sk_buff *ctx)
{
	struct value *v = get();

	if (v)
		bpf_probe_read_kernel(v, sizeof(*v), ctx);
	return 0;
}

CASE("reject KPTR_NONE")
CASE("kernel refuses off=0 doesn't point to kptr")
SEC("tc") int what_is_exchanged_is_a_pointer(struct __sk_buff *ctx)
{
	struct value *v = get();

	if (v)
		bpf_kptr_xchg(&v->before, 0);
	return 0;
}

CASE("reject KPTR_NOT_REFERENCED")
CASE("kernel refuses off=16 kptr isn't referenced kptr")
SEC("tc") int what_is_exchanged_holds_a_reference(struct __sk_buff *ctx)
{
	struct value *v = get();

	if (v)
		bpf_kptr_xchg(&v->seen, 0);
	return 0;
}

CASE("reject KPTR_MOVES")
CASE("kernel refuses doesn't have constant offset. kptr has to be at the constant offset")
SEC("tc") int what_is_exchanged_is_at_a_constant_place(struct __sk_buff *ctx)
{
	struct value *v = get();

	if (v)
		bpf_kptr_xchg((char *)v + (ctx->len & 8), 0);
	return 0;
}

CASE("reject KPTR_MISMATCH")
CASE("kernel refuses invalid kptr access, R2 type=ptr_cgroup expected=ptr_task_struct")
SEC("tc") int pointer_is_of_the_type_of_its_place(struct __sk_buff *ctx)
{
	struct value *v = get();
	struct cgroup *cgroup;
	void *old;

	if (!v)
		return 0;
	cgroup = bpf_cgroup_from_id(1);
	if (!cgroup)
		return 0;
	old = bpf_kptr_xchg(&v->task, cgroup);
	if (old)
		bpf_task_release(old);
	return 0;
}

CASE("reject KARG_STRUCT")
CASE("kernel refuses kernel function bpf_cgroup_release args#0 expected pointer to STRUCT cgroup but R1 has a pointer to STRUCT task_struct")
SEC("tc") int task_is_released_as_a_task(struct __sk_buff *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (task)
		bpf_cgroup_release((void *)task);
	return 0;
}

CASE("reject KARG_MAYBE_NULL")
CASE("kernel refuses Possibly NULL pointer passed to trusted arg0")
SEC("tc") int task_is_there_before_it_is_released(struct __sk_buff *ctx)
{
	bpf_task_release(bpf_task_from_pid(1));
	return 0;
}

CASE("reject KARG_NOT_TRUSTED")
CASE("kernel refuses R1 must be referenced or trusted")
SEC("tc") int task_that_was_walked_to_is_not_released(struct __sk_buff *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (!task)
		return 0;
	bpf_task_release(task->real_parent);
	bpf_task_release(task);
	return 0;
}

CASE("reject KARG_NOT_RCU")
CASE("kernel refuses must be a rcu pointer")
SEC("tc") int pointer_that_nothing_protects_is_not_acquired(struct __sk_buff *ctx)
{
	struct value *v = get();
	struct task_struct *task;

	if (!v)
		return 0;
	task = v->seen;
	if (!task)
		return 0;
	task = bpf_task_acquire(task);
	if (task)
		bpf_task_release(task);
	return 0;
}

CASE("accept")
SEC("tc") int pointer_in_an_rcu_section_is_acquired(struct __sk_buff *ctx)
{
	struct value *v = get();
	struct task_struct *task;

	if (!v)
		return 0;
	bpf_rcu_read_lock();
	task = v->task;
	if (task) {
		task = bpf_task_acquire(task);
		if (task)
			bpf_task_release(task);
	}
	bpf_rcu_read_unlock();
	return 0;
}

CASE("reject STRUCT_READ_ONLY")
CASE("kernel refuses only read is supported")
SEC("tc") int task_is_not_written(struct __sk_buff *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (!task)
		return 0;
	task->pid = 1;
	bpf_task_release(task);
	return 0;
}

CASE("reject STRUCT_NEGATIVE")
CASE("kernel refuses is ptr_task_struct invalid negative access: off=-8")
SEC("tc") int task_begins(struct __sk_buff *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	long n;

	if (!task)
		return 0;
	n = *(volatile long *)((char *)task - 8);
	bpf_task_release(task);
	return n;
}

CASE("reject STRUCT_VARIABLE")
CASE("kernel refuses is ptr_task_struct invalid variable offset")
SEC("tc") int member_of_a_task_is_at_a_constant_place(struct __sk_buff *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	long n;

	if (!task)
		return 0;
	n = *(volatile long *)((char *)task + (ctx->len & 8));
	bpf_task_release(task);
	return n;
}

CASE("reject STRUCT_BEYOND")
CASE("kernel refuses access beyond struct task_struct")
SEC("tc") int task_ends(struct __sk_buff *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	long n;

	if (!task)
		return 0;
	n = *(volatile long *)((char *)task + 30000);
	bpf_task_release(task);
	return n;
}

CASE("reject ARG_MAYBE_NULL")
CASE("kernel refuses Possibly NULL pointer passed to helper arg2")
SEC("tc") int pointer_is_there_before_it_is_kept(struct __sk_buff *ctx)
{
	struct value *v = get();
	void *old;

	if (!v)
		return 0;
	old = bpf_kptr_xchg(&v->task, bpf_task_from_pid(1));
	if (old)
		bpf_task_release(old);
	return 0;
}

struct shared {
	long n;
} mine;
struct with_uptr {
	struct shared UPTR *shared;
};
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct with_uptr);
} tasks SEC(".maps");

CASE("reject UPTR_STORE")
CASE("kernel refuses store to uptr disallowed")
SEC("tp_btf/task_newtask") int pointer_to_user_memory_is_not_stored(__u64 *ctx)
{
	struct with_uptr *v =
		bpf_task_storage_get(&tasks, (struct task_struct *)ctx[0], 0, 0);

	if (v)
		v->shared = 0;
	return mine.n;
}
