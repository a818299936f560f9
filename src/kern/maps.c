/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of the kernel: created as they were declared, filled, frozen, pinned.
 *
 * A map is first asked for with its types; kernels and map types that take none get it
 * without.  What libbpf does silently is done here too: one slot a CPU for perf events,
 * ring sizes in whole pages, names of global data made of the object's.
 */
#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "base/file.h"
#include "kern/loader.h"
#include "kern/refused.h"
#include "kern/sys.h"
#include "maps/map.h"

static const char pin_folder[] = "/sys/fs/bpf";

void kern_name(const char *name, char out[KERN_NAME_LEN])
{
	u32 i = 0;

	for (; name[i] && i + 1 < KERN_NAME_LEN; i++)
		out[i] =
			isalnum((unsigned char)name[i]) || name[i] == '.' ? name[i] : '_';
	out[i] = 0;
}

/* "firewall.rodata" of "/x/firewall.bpf.o": what fits of the object's name. */
static void data_name(const struct object *obj, const char *section,
		      char out[KERN_NAME_LEN])
{
	const char *slash = strrchr(obj->name, '/');
	const char *base = slash ? slash + 1 : obj->name;
	size_t len = strcspn(base, "."), rest = strlen(section);
	char name[2 * KERN_NAME_LEN];

	rest = rest > 7 ? 7 : rest;
	len = len + rest >= KERN_NAME_LEN ? KERN_NAME_LEN - 1 - rest : len;
	snprintf(name, sizeof(name), "%.*s%.*s", (int)len, base, (int)rest, section);
	kern_name(name, out);
}

static void name_of(const struct kern_loader *l, const struct map_def *def,
		    char out[KERN_NAME_LEN])
{
	if (def->origin == MAP_DECLARED || def->origin == MAP_STRUCT_OPS)
		kern_name(def->name, out);
	else
		data_name(l->obj, def->name, out);
}

/* ---- CPUs ---- */

u32 kern_possible_cpus(void)
{
	char text[256] = "";
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	char *last;

	if (!f)
		return 1;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	last = text + strcspn(text, "\n");
	while (last > text && isdigit((unsigned char)last[-1]))
		last--;
	return (u32)strtoul(last, NULL, 10) + 1;
}

bool kern_map_is_percpu(u32 type)
{
	return type == MAP_TYPE_PERCPU_ARRAY || type == MAP_TYPE_PERCPU_HASH ||
	       type == MAP_TYPE_LRU_PERCPU_HASH || type == MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

u64 kern_map_value_size(u32 type, u32 value_size)
{
	bool of_fds = type == MAP_TYPE_PROG_ARRAY || type == MAP_TYPE_ARRAY_OF_MAPS ||
		      type == MAP_TYPE_HASH_OF_MAPS ||
		      type == MAP_TYPE_PERF_EVENT_ARRAY || type == MAP_TYPE_CGROUP_ARRAY;

	if (of_fds)
		return 4;
	return kern_map_is_percpu(type)
		       ? round_up(value_size, 8) * (u64)kern_possible_cpus()
		       : value_size;
}

/* ---- creation ---- */

/* A power of two, in pages. */
static u32 ring_size(u32 wanted)
{
	u64 size = (u64)sysconf(_SC_PAGESIZE);

	while (size < wanted && size < 1u << 31)
		size *= 2;
	return wanted ? (u32)size : 0;
}

static u32 max_entries_of(const struct map_def *def)
{
	if (def->type == MAP_TYPE_PERF_EVENT_ARRAY && !def->max_entries)
		return kern_possible_cpus();
	if (def->type == MAP_TYPE_RINGBUF || def->type == MAP_TYPE_USER_RINGBUF)
		return ring_size(def->max_entries);
	return def->max_entries;
}

static void set_attr(const struct kern_loader *l, const struct map_def *def,
		     union bpf_attr *attr)
{
	char name[KERN_NAME_LEN];

	memset(attr, 0, sizeof(*attr));
	name_of(l, def, name);
	memcpy(attr->map_name, name, sizeof(name));
	attr->map_type = def->type;
	attr->key_size = def->key_size;
	attr->value_size = def->value_size;
	attr->max_entries = max_entries_of(def);
	attr->map_flags = def->flags;
	attr->map_extra = def->extra;
	if (def->flags & BPF_F_NUMA_NODE)
		attr->numa_node = def->numa_node;
}

static bool has_types(const struct kern_loader *l, const struct map_def *def)
{
	return l->btf_fd >= 0 && (def->btf_key_id || def->btf_value_id);
}

/* Types of keys and values; frees what they stand for nowhere. */
static int create(const struct kern_loader *l, const struct map_def *def,
		  union bpf_attr *attr)
{
	int fd;

	if (has_types(l, def)) {
		attr->btf_fd = (u32)l->btf_fd;
		attr->btf_key_type_id = def->btf_key_id;
		attr->btf_value_type_id = def->btf_value_id;
		fd = sys_bpf(BPF_MAP_CREATE, attr, sizeof(*attr));
		if (fd >= 0 || fd == -EPERM)
			return fd;
		attr->btf_fd = 0;
		attr->btf_key_type_id = 0;
		attr->btf_value_type_id = 0;
	}
	return sys_bpf(BPF_MAP_CREATE, attr, sizeof(*attr));
}

static int create_inner(struct kern_loader *l, const struct map_def *inner)
{
	union bpf_attr attr;

	set_attr(l, inner, &attr);
	return create(l, inner, &attr);
}

static int create_struct_ops(struct kern_loader *l, const struct map_def *def,
			     union bpf_attr *attr, struct skep_diag *diag)
{
	struct kern_struct_ops ops;
	int err = kern_struct_ops(l, def, &ops, diag);

	if (err)
		return err;
	attr->value_size = ops.value_size;
	attr->btf_vmlinux_value_type_id = ops.value_id;
	attr->btf_fd = l->btf_fd >= 0 ? (u32)l->btf_fd : 0;
	attr->map_flags |= ops.link ? MAP_LINK : 0;
	return sys_bpf(BPF_MAP_CREATE, attr, sizeof(*attr));
}

static int refused(struct skep_diag *diag, const struct map_def *def, int err)
{
	if (diag && diag->id)
		return err;
	if (err == -EINVAL && !def->max_entries)
		return fail(diag, KERN_MAP_EMPTY, NO_PC);
	if (err != -EPERM)
		return fail_errno(diag, err, KERN_MAP, NO_PC, strerror(-err));
	return kern_refused(diag, &(struct kern_attempt){.action = KERN_CREATE_MAP,
							 .err = err,
							 .what = "creating it"});
}

static int create_new(struct kern_loader *l, const struct map_def *def, int *fd,
		      struct skep_diag *diag)
{
	union bpf_attr attr;
	int inner = -1;

	set_attr(l, def, &attr);
	if (def->origin == MAP_STRUCT_OPS) {
		*fd = create_struct_ops(l, def, &attr, diag);
	} else {
		inner = def->inner ? create_inner(l, def->inner) : -1;
		attr.inner_map_fd = inner < 0 ? 0 : (u32)inner;
		*fd = def->inner && inner < 0 ? inner : create(l, def, &attr);
	}
	if (inner >= 0)
		close(inner);
	return *fd < 0 ? refused(diag, def, *fd) : 0;
}

/* ---- first contents ---- */

static int fill_arena(const struct map_def *def, int fd)
{
	size_t size = (size_t)def->max_entries * (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap((void *)(uintptr_t)def->extra, size, PROT_READ | PROT_WRITE,
			MAP_SHARED | (def->extra ? MAP_FIXED_NOREPLACE : 0), fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	if (def->data && def->data_size <= size)
		memcpy(at, def->data, def->data_size);
	munmap(at, size);
	return 0;
}

static int fill(const struct map_def *def, int fd)
{
	bool constant = def->origin == MAP_RODATA || def->origin == MAP_KCONFIG;
	const u32 zero = 0;
	int err = 0;

	if (def->type == MAP_TYPE_ARENA)
		return fill_arena(def, fd);
	if (def->origin == MAP_DECLARED || def->origin == MAP_STRUCT_OPS)
		return 0;
	if (def->data)
		err = sys_map_update(fd, &zero, def->data, BPF_ANY);
	if (!err && constant)
		err = sys_map_freeze(fd);
	/* before 5.2 nothing freezes, and the program may not write it anyway */
	return err == -EINVAL && constant ? 0 : err;
}

/* ---- pinned by name ---- */

enum { PIN_PATH_SIZE = 300 };

static const char *pin_path(const struct map_def *def, char path[PIN_PATH_SIZE])
{
	snprintf(path, PIN_PATH_SIZE, "%s/%.255s", pin_folder, def->name);
	return path;
}

static bool is_alike(const struct map_def *def, int fd)
{
	struct bpf_map_info info = {0};
	u32 added = 0;

	/* Linux adds it to these by itself */
	if (def->type == MAP_TYPE_DEVMAP || def->type == MAP_TYPE_DEVMAP_HASH)
		added = BPF_F_RDONLY_PROG;
	return !sys_info(fd, &info, sizeof(info)) && info.type == def->type &&
	       info.key_size == def->key_size && info.value_size == def->value_size &&
	       info.max_entries == max_entries_of(def) &&
	       (info.map_flags | added) == (def->flags | added);
}

/* 0 with a descriptor; -ENOENT when there is none yet. */
static int open_pinned(const struct map_def *def, const char *path, int *fd,
		       struct skep_diag *diag)
{
	*fd = sys_open_pinned(path, 0);
	if (*fd < 0)
		return *fd == -ENOENT ? *fd
				      : fail_errno(diag, *fd, KERN_MAP_PIN, NO_PC, path,
						   strerror(-*fd));
	if (is_alike(def, *fd))
		return 0;
	close(*fd);
	*fd = -1;
	return fail(diag, KERN_MAP_DIFFERS, NO_PC, path);
}

int kern_map_create(struct kern_loader *l, const struct map_def *def, int *fd,
		    struct skep_diag *diag)
{
	char path[PIN_PATH_SIZE];
	int err;

	*fd = -1;
	pin_path(def, path);
	err = def->pin_by_name ? open_pinned(def, path, fd, diag) : -ENOENT;
	if (err != -ENOENT)
		return err ? err : KERN_MAP_FOUND;
	err = create_new(l, def, fd, diag);
	if (err)
		return err;
	err = fill(def, *fd);
	if (err) {
		close(*fd);
		*fd = -1;
		return fail_errno(diag, err, KERN_MAP_FILL, NO_PC, strerror(-err));
	}
	return 0;
}

int kern_map_pin(const struct map_def *def, int fd, struct skep_diag *diag)
{
	char path[PIN_PATH_SIZE];
	int err = sys_pin(fd, pin_path(def, path));

	if (err == -ENOENT || err == -EPERM)
		return fail_errno(diag, err, KERN_NO_BPFFS, NO_PC, path);
	return err ? fail_errno(diag, err, KERN_MAP_PIN, NO_PC, path, strerror(-err)) : 0;
}

void kern_map_unpin(const struct map_def *def)
{
	char path[PIN_PATH_SIZE];

	unlink(pin_path(def, path));
}
