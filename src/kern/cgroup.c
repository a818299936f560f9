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
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/attach.h"
#include "kern/sys.h"

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

/* The link by which a program is attached to the cgroup; 0: it is not. */
static u32 link_of_prog(u32 prog, int cgroup, u32 attach_type)
{
	struct stat st;

	if (fstat(cgroup, &st))
		return 0;
	for (u32 id = 0; !sys_next_id(SYS_LINK, id, &id);) {
		struct bpf_link_info info = {0};
		int fd = sys_open_id(SYS_LINK, id), err;

		if (fd < 0)
			continue;
		err = sys_info(fd, &info, sizeof(info));
		close(fd);
		if (!err && info.type == BPF_LINK_TYPE_CGROUP && info.prog_id == prog &&
		    info.cgroup.cgroup_id == st.st_ino &&
		    info.cgroup.attach_type == attach_type)
			return id;
	}
	return 0;
}

/* Cgroups tell programs that were attached by links from those that were not. */
static int cgroup_link(const struct attaching *a, int cgroup)
{
	struct link_create_attr attr = {.target_fd = (u32)cgroup,
					.attach_type = a->hook->attach_type,
					.flags = place_flags(a->hook)};
	int fd;

	attr.cgroup.relative = a->hook->anchor;
	/* without an order as kernels take it that know none */
	fd = link_create(a, &attr, attr.flags ? LINK_UPTO(cgroup) : LINK_UPTO(flags));
	if ((fd != -EINVAL && fd != -ENOENT) || !a->hook->anchor || kernel_before(6, 17))
		return fd;
	attr.cgroup.relative =
		link_of_prog(a->hook->anchor, cgroup, a->hook->attach_type);
	attr.flags |= PLACE_HAS_LINK;
	return attr.cgroup.relative ? link_create(a, &attr, LINK_UPTO(cgroup)) : -ENOENT;
}

int attach_cgroup(const struct attaching *a, struct kern_link **link,
		  struct skep_diag *diag)
{
	char where[HOOK_NAME_SIZE];
	int cgroup = open_cgroup(a->hook->path, diag), fd;

	if (cgroup < 0)
		return cgroup;
	fd = cgroup_link(a, cgroup);
	close(cgroup);
	if (fd == -EINVAL && a->hook->place != PLACE_LAST && kernel_before(6, 17))
		return fail(diag, HOOK_ORDER, NO_PC, hook_name(a->hook, where));
	if (fd == -EINVAL && kernel_before(5, 7))
		return attach_cgroup_prog(a, link, diag);
	return place_link(a, fd, link, diag);
}
