/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2): fill the part of the attribute that a command reads, call, and turn errno into
 * a result.
 */
#include "kern/sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "abi/abi.h"
#include "kern/uapi.h"

#define ptr(p) ((u64)(uintptr_t)(p))

/* The attribute up to and including a field, as kernels of any age take it. */
#define UPTO(attr, field) (offsetof(union bpf_attr, field) + sizeof((attr)->field))

u32 sys_version(void)
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return ABI_LINUX(major, minor);
}

/* Memory of maps and programs counted as locked memory until 5.11; too much of it is
 * EPERM.  true: there is more room now. */
static bool raise_memlock(int cmd)
{
	struct rlimit limit, all = {RLIM_INFINITY, RLIM_INFINITY};
	u32 version;

	if (cmd != BPF_MAP_CREATE && cmd != BPF_PROG_LOAD && cmd != BPF_BTF_LOAD)
		return false;
	version = sys_version();
	if (!version || version >= ABI_LINUX(5, 11) ||
	    getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return false;
	if (!setrlimit(RLIMIT_MEMLOCK, &all))
		return true;
	all.rlim_cur = all.rlim_max = limit.rlim_max;
	return limit.rlim_cur < limit.rlim_max && !setrlimit(RLIMIT_MEMLOCK, &all);
}

int sys_bpf(int cmd, void *attr, size_t size)
{
	int err = 0;

	for (int tries = 0; tries < 16; tries++) {
		long result = syscall(SYS_bpf, cmd, attr, (u32)size);

		if (result >= 0)
			return (int)result;
		err = -errno;
		/* BPF_PROG_LOAD: the verifier saw a signal and gave up */
		if (err == -EAGAIN && cmd == BPF_PROG_LOAD)
			continue;
		if (err != -EPERM || !raise_memlock(cmd))
			break;
	}
	return err;
}

/* ---- maps ---- */

static int map_elem(int cmd, int fd, const void *key, const void *value, u64 flags)
{
	union bpf_attr attr = {0};

	attr.map_fd = (u32)fd;
	attr.key = ptr(key);
	attr.value = ptr(value);
	attr.flags = flags;
	return sys_bpf(cmd, &attr, UPTO(&attr, flags));
}

int sys_map_lookup(int fd, const void *key, void *value, u64 flags)
{
	return map_elem(BPF_MAP_LOOKUP_ELEM, fd, key, value, flags);
}

int sys_map_update(int fd, const void *key, const void *value, u64 flags)
{
	return map_elem(BPF_MAP_UPDATE_ELEM, fd, key, value, flags);
}

int sys_map_delete(int fd, const void *key)
{
	return map_elem(BPF_MAP_DELETE_ELEM, fd, key, NULL, 0);
}

int sys_map_lookup_and_delete(int fd, const void *key, void *value, u64 flags)
{
	return map_elem(BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, key, value, flags);
}

int sys_map_next_key(int fd, const void *key, void *next)
{
	return map_elem(BPF_MAP_GET_NEXT_KEY, fd, key, next, 0);
}

int sys_map_freeze(int fd)
{
	union bpf_attr attr = {0};

	attr.map_fd = (u32)fd;
	return sys_bpf(BPF_MAP_FREEZE, &attr, UPTO(&attr, map_fd));
}

/* ---- things by id, by path, by descriptor ---- */

int sys_next_id(enum sys_kind kind, u32 id, u32 *next)
{
	static const int commands[] = {
		[SYS_PROG] = BPF_PROG_GET_NEXT_ID,
		[SYS_MAP] = BPF_MAP_GET_NEXT_ID,
		[SYS_BTF] = BPF_BTF_GET_NEXT_ID,
		[SYS_LINK] = BPF_LINK_GET_NEXT_ID,
	};
	union bpf_attr attr = {0};
	int err;

	attr.start_id = id;
	err = sys_bpf(commands[kind], &attr, UPTO(&attr, open_flags));
	*next = attr.next_id;
	return err;
}

int sys_open_id(enum sys_kind kind, u32 id)
{
	static const int commands[] = {
		[SYS_PROG] = BPF_PROG_GET_FD_BY_ID,
		[SYS_MAP] = BPF_MAP_GET_FD_BY_ID,
		[SYS_BTF] = BPF_BTF_GET_FD_BY_ID,
		[SYS_LINK] = BPF_LINK_GET_FD_BY_ID,
	};
	union bpf_attr attr = {0};

	attr.start_id = id;
	return sys_bpf(commands[kind], &attr, UPTO(&attr, open_flags));
}

int sys_info(int fd, void *info, u32 size)
{
	union bpf_attr attr = {0};

	attr.info.bpf_fd = (u32)fd;
	attr.info.info_len = size;
	attr.info.info = ptr(info);
	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, UPTO(&attr, info));
}

int sys_pin(int fd, const char *path)
{
	union bpf_attr attr = {0};

	attr.pathname = ptr(path);
	attr.bpf_fd = (u32)fd;
	return sys_bpf(BPF_OBJ_PIN, &attr, UPTO(&attr, file_flags));
}

int sys_open_pinned(const char *path, u32 flags)
{
	union bpf_attr attr = {0};

	attr.pathname = ptr(path);
	attr.file_flags = flags;
	return sys_bpf(BPF_OBJ_GET, &attr, UPTO(&attr, file_flags));
}

/* ---- links ---- */

int sys_link_create(const void *attr, size_t size)
{
	union bpf_attr copy = {0};

	if (size > sizeof(copy))
		return -E2BIG;
	memcpy(&copy, attr, size);
	return sys_bpf(BPF_LINK_CREATE, &copy, size);
}

int sys_link_update(int link_fd, int prog_fd, int old_prog_fd)
{
	union bpf_attr attr = {0};

	attr.link_update.link_fd = (u32)link_fd;
	attr.link_update.new_prog_fd = (u32)prog_fd;
	if (old_prog_fd >= 0) {
		attr.link_update.flags = BPF_F_REPLACE;
		attr.link_update.old_prog_fd = (u32)old_prog_fd;
	}
	return sys_bpf(BPF_LINK_UPDATE, &attr, UPTO(&attr, link_update));
}

int sys_link_detach(int link_fd)
{
	union bpf_attr attr = {0};

	attr.link_detach.link_fd = (u32)link_fd;
	return sys_bpf(BPF_LINK_DETACH, &attr, UPTO(&attr, link_detach));
}

int sys_prog_attach(int prog_fd, int target_fd, u32 attach_type, u32 flags,
		    int replace_fd)
{
	union bpf_attr attr = {0};

	attr.target_fd = (u32)target_fd;
	attr.attach_bpf_fd = (u32)prog_fd;
	attr.attach_type = attach_type;
	attr.attach_flags = flags;
	if (flags & BPF_F_REPLACE)
		attr.replace_bpf_fd = (u32)replace_fd;
	return sys_bpf(BPF_PROG_ATTACH, &attr, UPTO(&attr, replace_bpf_fd));
}

int sys_prog_detach(int prog_fd, int target_fd, u32 attach_type)
{
	union bpf_attr attr = {0};

	attr.target_fd = (u32)target_fd;
	attr.attach_bpf_fd = (u32)prog_fd;
	attr.attach_type = attach_type;
	return sys_bpf(BPF_PROG_DETACH, &attr, UPTO(&attr, replace_bpf_fd));
}

int sys_raw_tracepoint(int prog_fd, const char *name, u64 cookie)
{
	struct raw_tracepoint_attr attr = {
		.name = ptr(name), .prog_fd = (u32)prog_fd, .cookie = cookie};

	return sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr,
		       cookie ? sizeof(attr) : offsetof(typeof(attr), cookie));
}

int sys_iter_create(int link_fd)
{
	union bpf_attr attr = {0};

	attr.iter_create.link_fd = (u32)link_fd;
	return sys_bpf(BPF_ITER_CREATE, &attr, UPTO(&attr, iter_create));
}
