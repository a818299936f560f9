/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of a cgroup, by a link (since 5.7) or as the cgroup's own.
 *
 * Always so that several can be there and those of the folders below may add theirs;
 * what one before us has taken for itself stays taken.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/attach.h"

static int open_cgroup(const char *path, struct skep_diag *diag)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return fail_errno(diag, -errno, HOOK_PATH, NO_PC, path, strerror(errno));
	if (!fstatfs(fd, &fs) && (u32)fs.f_type == CGROUP2_SUPER_MAGIC)
		return fd;
	close(fd);
	return fail(diag, NOT_A_CGROUP, NO_PC, path);
}

int attach_cgroup_prog(const struct attaching *a, struct kern_link **link,
		       struct skep_diag *diag)
{
	char where[HOOK_NAME_SIZE];
	int cgroup;

	if (a->hook->place != PLACE_LAST)
		return fail(diag, HOOK_ORDER, NO_PC, hook_name(a->hook, where));
	cgroup = open_cgroup(a->hook->path, diag);
	return cgroup < 0 ? cgroup : attach_prog(a, cgroup, link, diag);
}

int attach_cgroup(const struct attaching *a, struct kern_link **link,
		  struct skep_diag *diag)
{
	struct link_create_attr attr = {.attach_type = a->hook->attach_type,
					.flags = place_flags(a->hook)};
	char where[HOOK_NAME_SIZE];
	int cgroup = open_cgroup(a->hook->path, diag), fd;

	if (cgroup < 0)
		return cgroup;
	attr.target_fd = (u32)cgroup;
	attr.cgroup.relative = a->hook->anchor;
	/* without an order as kernels take it that know none */
	fd = link_create(a, &attr, attr.flags ? LINK_UPTO(cgroup) : LINK_UPTO(flags));
	close(cgroup);
	if (fd == -EINVAL && attr.flags && kernel_before(6, 17))
		return fail(diag, HOOK_ORDER, NO_PC, hook_name(a->hook, where));
	if (fd == -EINVAL && kernel_before(5, 7))
		return attach_cgroup_prog(a, link, diag);
	return place_link(a, fd, link, diag);
}
