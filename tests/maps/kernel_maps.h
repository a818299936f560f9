/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of the live kernel, with the results that src/maps gives: 0 or a negative errno.
 * BTF for a value with a bpf_spin_lock is made by hand, as no object file is read here.
 * Nothing is pinned or attached.  The oracle tests of maps include this.
 */
#ifndef SKEP_TESTS_KERNEL_MAPS_H
#define SKEP_TESTS_KERNEL_MAPS_H

#include <errno.h>
#include <linux/btf.h>
#include <stdlib.h>

#include "base/diag.h"
#include "check.h"
#include "kernel.h"
#include "maps/map.h"

/* The value that lock_btf() describes. */
struct lock_value {
	u32 a;
	u32 lock;
	u64 b;
};

static const struct map_field lock_field[] = {
	{.off = offsetof(struct lock_value, lock), .size = 4, .is_spin_lock = true}};

/* 1: u32, 2: struct bpf_spin_lock, 3: u64, 4: struct lock_value. */
static inline int lock_btf(void)
{
	static const char strings[] =
		"\0u32\0bpf_spin_lock\0val\0u64\0lock_value\0a\0lock\0b";
	enum {
		U32 = 1,
		LOCK = 5,
		VAL = 19,
		U64 = 23,
		VALUE = 27,
		A = 38,
		LOCK_M = 40,
		B = 45
	};
	static const u32 types[] = {
		U32,   BTF_KIND_INT << 24,        4,  32,        /* 1 */
		LOCK,  BTF_KIND_STRUCT << 24 | 1, 4,  VAL, 1, 0, /* 2 */
		U64,   BTF_KIND_INT << 24,        8,  64,        /* 3 */
		VALUE, BTF_KIND_STRUCT << 24 | 3, 16, A,   1, 0, LOCK_M, 2, 32, B, 3,
		64, /* 4 */
	};
	struct {
		struct btf_header h;
		u8 data[sizeof(types) + sizeof(strings)];
	} btf = {.h = {.magic = BTF_MAGIC,
		       .version = BTF_VERSION,
		       .hdr_len = sizeof(struct btf_header),
		       .type_len = sizeof(types),
		       .str_off = sizeof(types),
		       .str_len = sizeof(strings)}};
	union bpf_attr attr = {.btf = (u64)(uintptr_t)&btf,
			       .btf_size = offsetof(__typeof__(btf), data) +
					   sizeof(btf.data)};

	memcpy(btf.data, types, sizeof(types));
	memcpy(btf.data + sizeof(types), strings, sizeof(strings));
	return (int)kernel_bpf(BPF_BTF_LOAD, &attr);
}

/* A descriptor, or a negative errno. */
static inline int kernel_map_new(const struct map_attr *a, int inner_fd)
{
	union bpf_attr attr = {
		.map_type = a->type,
		.key_size = a->key_size,
		.value_size = a->value_size,
		.max_entries = a->max_entries,
		.map_flags = a->flags,
		.map_extra = a->extra,
		.inner_map_fd = (u32)inner_fd,
	};
	int fd, btf = -1;

	if (a->name)
		memcpy(attr.map_name, a->name, strnlen(a->name, sizeof(attr.map_name)));
	if (a->n_fields) {
		btf = lock_btf();
		attr.btf_fd = (u32)btf;
		attr.btf_key_type_id = 1;
		attr.btf_value_type_id = 4;
	}
	fd = (int)kernel_bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0)
		fd = -errno;
	if (btf >= 0)
		close(btf);
	return fd;
}

static inline int kernel_map_op(int cmd, int fd, const void *key, const void *value,
				u64 flags)
{
	union bpf_attr attr = {
		.map_fd = (u32)fd,
		.key = (u64)(uintptr_t)key,
		.value = (u64)(uintptr_t)value, /* and next_key */
		.flags = flags,
	};

	return kernel_bpf(cmd, &attr) ? -errno : 0;
}

static inline int kernel_map_freeze(int fd)
{
	union bpf_attr attr = {.map_fd = (u32)fd};

	return kernel_bpf(BPF_MAP_FREEZE, &attr) ? -errno : 0;
}

/* What per-CPU values of the kernel have. */
static inline u32 kernel_cpus(void)
{
	u32 n = 1, last = 0;
	FILE *f = fopen("/sys/devices/system/cpu/possible", "r");

	if (f && fscanf(f, "0-%u", &last) == 1)
		n = last + 1;
	if (f)
		fclose(f);
	return n;
}

static inline u32 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(*state >> 33);
}

#endif
