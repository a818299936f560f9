// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Locks where few look for them: in a struct in the value, and among global variables. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct value {
	long long before;
	struct {
		struct bpf_spin_lock lock;
		int n;
	} inner;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct value);
} values SEC(".maps");

static struct bpf_spin_lock lock SEC(".data.lock");
static int n SEC(".data.lock") = 40;
static const int zero;

/* An update spares the lock: what it gives is no lock that somebody holds. */
SEC("tc") int nested(struct __sk_buff *ctx)
{
	struct value new = {.inner = {.n = 7}};
	struct value *v = bpf_map_lookup_elem(&values, &zero);
	long err;

	if (!v)
		return -1;
	new.inner.lock.val = 1;
	err = bpf_map_update_elem(&values, &zero, &new, BPF_F_LOCK);
	if (err)
		return err;
	bpf_spin_lock(&v->inner.lock);
	err = v->inner.n;
	bpf_spin_unlock(&v->inner.lock);
	return err;
}

SEC("tc") int global(struct __sk_buff *ctx)
{
	int result;

	bpf_spin_lock(&lock);
	result = n += 2;
	bpf_spin_unlock(&lock);
	return result;
}

char _license[] SEC("license") = "GPL";
