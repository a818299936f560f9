/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks that say no. */
#include "../verify/case.h"

struct bpf_res_spin_lock {
	__u32 opaque;
};

extern int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
extern void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;
extern int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock,
				     unsigned long *flags) __ksym;
extern void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock,
					   unsigned long *flags) __ksym;

struct locked {
	struct bpf_res_spin_lock lock;
	__u32 n;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct locked);
} locks SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct locked);
} more_locks SEC(".maps");

CASE("r0 = 3") SEC("tc") int locks_are_taken_and_given_back(struct __sk_buff *ctx)
{
	__u32 key = 0;
	struct locked *l = bpf_map_lookup_elem(&locks, &key);
	int n = 0;

	if (!l)
		return -1;
	l->n = 0;
	for (int i = 0; i < 3; i++) {
		if (bpf_res_spin_lock(&l->lock))
			return -2;
		n = (int)++l->n;
		bpf_res_spin_unlock(&l->lock);
	}
	return n;
}

/* Only when it runs, two elements turn out to be one. */
CASE("r0 = -35") SEC("tc") int a_lock_is_not_taken_twice(struct __sk_buff *ctx)
{
	__u32 key = 1, again = 1;
	struct locked *a = bpf_map_lookup_elem(&locks, &key);
	struct locked *b = bpf_map_lookup_elem(&locks, &again);
	int err;

	if (!a || !b || bpf_res_spin_lock(&a->lock))
		return -1;
	err = bpf_res_spin_lock(&b->lock);
	if (!err)
		bpf_res_spin_unlock(&b->lock);
	bpf_res_spin_unlock(&a->lock);
	return err;
}

CASE("r0 = 7") SEC("tc") int locks_nest(struct __sk_buff *ctx)
{
	__u32 key = 0, other = 1;
	struct locked *a = bpf_map_lookup_elem(&locks, &key);
	struct locked *b = bpf_map_lookup_elem(&locks, &other);
	unsigned long flags;
	int good = 0;

	if (!a || !b || bpf_res_spin_lock_irqsave(&a->lock, &flags))
		return -1;
	good |= 1;
	if (!bpf_res_spin_lock(&b->lock)) {
		good |= 2;
		bpf_res_spin_unlock(&b->lock);
	}
	bpf_res_spin_unlock_irqrestore(&a->lock, &flags);
	if (!bpf_res_spin_lock(&b->lock)) {
		good |= 4;
		bpf_res_spin_unlock(&b->lock);
	}
	return good;
}

/* An update leaves the lock as it is. */
CASE("r0 = 5") SEC("tc") int locks_are_in_elements_of_hashes(struct __sk_buff *ctx)
{
	__u32 key = 7;
	struct locked value = {.n = 5}, *l;
	int n;

	bpf_map_update_elem(&more_locks, &key, &value, BPF_ANY);
	l = bpf_map_lookup_elem(&more_locks, &key);
	if (!l || bpf_res_spin_lock(&l->lock))
		return -1;
	n = (int)l->n;
	bpf_res_spin_unlock(&l->lock);
	return n;
}

CASE("fault LOCK_LEFT") SEC("tc") int locks_are_given_back(struct __sk_buff *ctx)
{
	__u32 key = 0;
	struct locked *l = bpf_map_lookup_elem(&locks, &key);

	return l ? bpf_res_spin_lock(&l->lock) : -1;
}

CASE("fault LOCKED_CALL") SEC("tc") int who_holds_a_lock_calls_nobody(struct __sk_buff *ctx)
{
	__u32 key = 0;
	struct locked *l = bpf_map_lookup_elem(&locks, &key);

	if (!l || bpf_res_spin_lock(&l->lock))
		return -1;
	l = bpf_map_lookup_elem(&locks, &key);
	if (l)
		bpf_res_spin_unlock(&l->lock);
	return 0;
}

CASE("fault LOCK_NOT_HELD") SEC("tc") int who_has_no_lock_gives_none_back(struct __sk_buff *ctx)
{
	__u32 key = 0;
	struct locked *l = bpf_map_lookup_elem(&locks, &key);

	if (l)
		bpf_res_spin_unlock(&l->lock);
	return 0;
}

CASE("fault BAD_ARGUMENT") SEC("tc") int numbers_are_no_locks(struct __sk_buff *ctx)
{
	__u32 key = 0;
	struct locked *l = bpf_map_lookup_elem(&locks, &key);

	if (l)
		bpf_res_spin_lock((void *)&l->n);
	return 0;
}
