/* SPDX-License-Identifier: BSD-2-Clause */
/* Spin locks in the values of maps. */
#include "case.h"

struct value {
	int before;
	struct bpf_spin_lock lock;
	int after;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, struct value);
} values SEC(".maps"), others SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, long);
} plain SEC(".maps");

static const int zero, one = 1;

CASE("accept")
SEC("tc") int lock_is_taken_and_released(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&values, &zero);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	v->after++;
	bpf_spin_unlock(&v->lock);
	return 0;
}

CASE("reject IN_LOCK")
CASE("kernel refuses BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region")
SEC("tc") int lock_is_released_before_exit(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&values, &zero);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	v->after++;
	return 0;
}

CASE("reject LOCK_NOT_HELD")
CASE("kernel refuses bpf_spin_unlock without taking a lock")
SEC("tc") int lock_is_taken_before_it_is_released(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&values, &zero);

	if (!v)
		return 0;
	bpf_spin_unlock(&v->lock);
	return 0;
}

CASE("reject CALL_IN_LOCK")
CASE("kernel refuses function calls are not allowed while holding a lock")
SEC("tc") int one_lock_is_held_at_a_time(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&values, &zero), *w;

	if (!v)
		return 0;
	w = bpf_map_lookup_elem(&values, &one);
	if (!w)
		return 0;
	bpf_spin_lock(&v->lock);
	bpf_spin_lock(&w->lock);
	bpf_spin_unlock(&w->lock);
	bpf_spin_unlock(&v->lock);
	return 0;
}

CASE("reject LOCK_DIFFERENT")
CASE("kernel refuses bpf_spin_unlock of different lock")
SEC("tc") int lock_that_is_held_is_released(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&values, &zero);
	struct value *w = bpf_map_lookup_elem(&others, &zero);

	if (!v || !w)
		return 0;
	bpf_spin_lock(&v->lock);
	bpf_spin_unlock(&w->lock);
	return 0;
}

CASE("reject CALL_IN_LOCK")
CASE("kernel refuses function calls are not allowed while holding a lock")
SEC("tc") int helpers_are_not_called_with_a_lock(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&values, &zero);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	v->after = bpf_get_prandom_u32();
	bpf_spin_unlock(&v->lock);
	return 0;
}

CASE("reject LOCK_WRONG_OFFSET")
CASE("kernel refuses off 0 doesn't point to 'struct bpf_spin_lock' that is at 4")
SEC("tc") int lock_is_where_it_was_declared(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&values, &zero);

	if (!v)
		return 0;
	bpf_spin_lock((struct bpf_spin_lock *)&v->before);
	bpf_spin_unlock((struct bpf_spin_lock *)&v->before);
	return 0;
}

CASE("reject LOCK_NO_FIELD")
CASE("kernel refuses map 'plain' has no valid bpf_spin_lock")
SEC("tc") int lock_is_declared(struct __sk_buff *ctx)
{
	void *v = bpf_map_lookup_elem(&plain, &zero);

	if (!v)
		return 0;
	bpf_spin_lock(v);
	bpf_spin_unlock(v);
	return 0;
}

CASE("reject LOCK_VARIABLE_OFFSET")
CASE("kernel refuses doesn't have constant offset")
SEC("tc") int lock_is_at_a_constant_place(struct __sk_buff *ctx)
{
	char *v = bpf_map_lookup_elem(&values, &zero);
	struct bpf_spin_lock *lock;

	if (!v)
		return 0;
	lock = (void *)(v + (ctx->len & 4));
	bpf_spin_lock(lock);
	bpf_spin_unlock(lock);
	return 0;
}

CASE("reject MAP_FIELD_DIRECT")
CASE("kernel refuses bpf_spin_lock cannot be accessed directly")
SEC("tc") int lock_is_not_read(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&values, &zero);

	return v ? *(volatile int *)&v->lock : 0;
}

CASE("reject MAP_FIELD_TRACING")
CASE("kernel refuses tracing progs cannot use bpf_spin_lock yet")
SEC("kprobe") int tracing_uses_no_locks(struct __sk_buff *ctx)
{
	return bpf_map_lookup_elem(&values, &zero) != 0;
}

CASE("reject MAP_FIELD_FILTER")
CASE("kernel refuses socket filter progs cannot use bpf_spin_lock yet")
SEC("socket") int socket_filters_use_no_locks(struct __sk_buff *ctx)
{
	return bpf_map_lookup_elem(&values, &zero) != 0;
}

__attribute__((noinline)) int global(int x)
{
	return x + bpf_get_prandom_u32();
}

CASE("reject GLOBAL_CALL_IN_LOCK")
CASE("kernel refuses global function calls are not allowed while holding a lock")
SEC("tc") int global_functions_are_not_called_with_a_lock(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&values, &zero);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	global(v->after);
	bpf_spin_unlock(&v->lock);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 2);
	__type(value, struct value);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, struct value);
} frozen SEC(".maps");

CASE("accept")
SEC("tc") int map_that_has_no_locks_is_made_without(struct __sk_buff *ctx)
{
	long n[2];

	return bpf_map_pop_elem(&queue, n);
}

CASE("reject LOCK_NO_FIELD")
CASE("kernel refuses map 'frozen' has to have BTF in order to use bpf_spin_lock")
SEC("tc") int map_that_is_only_read_has_no_locks(struct __sk_buff *ctx)
{
	struct value *v = bpf_map_lookup_elem(&frozen, &zero);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	bpf_spin_unlock(&v->lock);
	return 0;
}

struct timed {
	struct bpf_timer timer;
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct timed);
} timed SEC(".maps");

CASE("reject MAP_FIELDS")
SEC("tc") int storage_of_sockets_has_no_timers(struct __sk_buff *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	if (sk)
		bpf_sk_storage_delete(&timed, sk);
	return 0;
}

CASE("unprivileged")
CASE("reject MAP_FIELDS_PRIVILEGED")
SEC("socket") int locks_are_for_those_with_rights(struct __sk_buff *ctx)
{
	return bpf_map_lookup_elem(&values, &zero) != 0;
}
