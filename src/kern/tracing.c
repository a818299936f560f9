/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that know where they go since they were loaded: tp_btf, fentry, fexit,
 * fmod_ret, LSM, freplace; iterators; and struct_ops, where a map goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/attach.h"
#include "kern/iter.h"
#include "kern/refused.h"
#include "kern/sys.h"

/* ---- trampolines ---- */

static int link_with_cookie(const struct attaching *a)
{
	struct link_create_attr attr = {
		.attach_type = a->prog->attach_type,
		.tracing.cookie = a->hook->cookie,
	};

	return link_create(a, &attr, LINK_UPTO(tracing));
}

static int no_cookie(const char *since, struct skep_diag *diag)
{
	return fail(diag, NO_COOKIE, NO_PC, "programs of this type", since);
}

/* Of freplace: to the program and function that it was loaded for. */
int attach_tracing(const struct attaching *a, struct kern_link **link,
		   struct skep_diag *diag)
{
	int fd;

	/* without a cookie the command of old does the same on all kernels */
	if (!a->hook->cookie)
		return link_of_fd(a, sys_raw_tracepoint(a->prog->fd, NULL, 0), link,
				  diag);
	/* older kernels take it, and forget it */
	if (a->prog->attach_type == ATTACH_TRACE_RAW_TP && kernel_before(6, 10))
		return no_cookie("6.10", diag);
	fd = link_with_cookie(a);
	if (fd < 0 && kernel_before(5, 19))
		return no_cookie("5.19", diag);
	return link_of_fd(a, fd, link, diag);
}

/* ---- iterators ---- */

/* What is opened for the time of attaching; -1: nothing. */
static int open_parameter(const char *path, bool *is_folder)
{
	struct stat st;
	int fd;

	if (stat(path, &st))
		return -errno;
	*is_folder = S_ISDIR(st.st_mode);
	if (!*is_folder)
		return sys_open_pinned(path, 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void set_info(union bpf_iter_link_info *info, int fd, bool is_folder)
{
	if (!is_folder) {
		info->map.map_fd = (u32)fd;
		return;
	}
	info->cgroup.order = BPF_CGROUP_ITER_DESCENDANTS_PRE;
	info->cgroup.cgroup_fd = (u32)fd;
}

/* info: the hook's parameter: a map, a folder of cgroups, a process; returns whether it
 * has one.  *fd: what was opened for it. */
static int iter_info(const struct attaching *a, union bpf_iter_link_info *info, int *fd,
		     struct skep_diag *diag)
{
	bool is_folder = false;

	*fd = -1;
	if (a->hook->path) {
		*fd = open_parameter(a->hook->path, &is_folder);
		if (*fd < 0)
			return fail_errno(diag, *fd, FILE_UNREADABLE, NO_PC,
					  strerror(-*fd));
		set_info(info, *fd, is_folder);
	} else if (a->hook->fd >= 0) {
		set_info(info, a->hook->fd, false);
	} else if (a->hook->pid > 0) {
		info->task.pid = (u32)a->hook->pid;
	} else {
		return 0;
	}
	return 1;
}

int attach_iter(const struct attaching *a, struct kern_link **link,
		struct skep_diag *diag)
{
	union bpf_iter_link_info info = {0};
	struct link_create_attr attr = {
		.attach_type = ATTACH_TRACE_ITER,
	};
	int parameter, fd, has = iter_info(a, &info, &parameter, diag);

	if (has < 0)
		return has;
	if (has) {
		attr.iter.info = (u64)(uintptr_t)&info;
		attr.iter.info_len = sizeof(info);
	}
	fd = link_create(a, &attr, LINK_UPTO(iter));
	if (parameter >= 0)
		close(parameter);
	/* from iterators through the elements of a map that was not said */
	if (!has && fd == -EBADF)
		return fail(diag, ITER_PARAMETER, NO_PC,
			    a->hook->name ? a->hook->name : "");
	return link_of_fd(a, fd, link, diag);
}

int kern_iter_open(const struct kern_link *link, struct skep_diag *diag)
{
	struct kern_attempt attempt = {
		.action = KERN_ATTACH,
		.prog_type = PROG_TYPE_TRACING,
		.what = link->what,
	};
	int fd = link->fd >= 0 ? sys_iter_create(link->fd) : -EINVAL;

	if (fd >= 0)
		return fd;
	attempt.err = fd;
	return kern_refused(diag, &attempt);
}

/* ---- struct_ops ---- */

/* Without that flag writing the value registered it, and deleting its key takes it back.
 */
struct value_link {
	struct kern_link link;
	int map; /* owned */
};

static int detach_value(struct kern_link *link, struct skep_diag *diag)
{
	struct value_link *value = container_of(link, struct value_link, link);
	u32 key = 0;
	int err = sys_map_delete(value->map, &key);

	if (!err)
		return 0;
	return kern_refused(diag, &(struct kern_attempt){.action = KERN_USE_MAP,
							 .err = err,
							 .what = link->what});
}

static void release_value(struct kern_link *link)
{
	struct value_link *value = container_of(link, struct value_link, link);

	close(value->map);
	free(value);
}

static const struct kern_link_ops value_ops = {
	.detach = detach_value,
	.release = release_value,
};

static int value_of_map(int map, const struct attaching *a, struct kern_link **link,
			struct skep_diag *diag)
{
	struct kern_link *head = link_new(a, &value_ops, sizeof(struct value_link), diag);
	struct value_link *value;

	if (!head)
		return -ENOMEM;
	value = container_of(head, struct value_link, link);
	value->map = fcntl(map, F_DUPFD_CLOEXEC, 0);
	if (value->map < 0) {
		int err = -errno;

		free(value);
		return attach_refused(a, err, diag);
	}
	head->outlives = true;
	*link = head;
	return 0;
}

/* The map is the hook's, or stands where other kinds have a program; its value is written
 * already. */
int attach_struct_ops(const struct attaching *a, struct kern_link **link,
		      struct skep_diag *diag)
{
	int map = a->hook->fd >= 0 ? a->hook->fd : a->prog->fd, err;
	struct link_create_attr attr = {
		.prog_fd = (u32)map,
		.attach_type = ATTACH_STRUCT_OPS,
	};
	struct bpf_map_info info = {0};

	err = sys_info(map, &info, sizeof(info));
	if (err)
		return attach_refused(a, err, diag);
	if (!(info.map_flags & STRUCT_OPS_LINK))
		return value_of_map(map, a, link, diag);
	return link_of_fd(a, sys_link_create(&attr, LINK_UPTO(flags)), link, diag);
}
