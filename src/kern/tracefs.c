/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracefs, where it is mounted, or else a mount of our own that is attached to no folder:
 * only the descriptor leads to it, and it is gone when that is closed.
 */
#define _GNU_SOURCE /* O_PATH */
#include "kern/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"

static const char *const mount_points[] = {
	"/sys/kernel/tracing",
	"/sys/kernel/debug/tracing",
};

static int open_mounted(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return -errno;
	/* before 4.1 it was a part of debugfs */
	if (!fstatfs(fd, &fs) &&
	    (fs.f_type == TRACEFS_MAGIC || fs.f_type == DEBUGFS_MAGIC))
		return fd;
	close(fd);
	return -ENOENT;
}

/* Until 6.9 mounting tracefs anew would have reset the owner and mode of the one that
 * others use.  Those kernels take any option, even one that does not exist. */
static bool takes_any_option(int context)
{
	return !syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "skep", NULL, 0);
}

static int open_detached(void)
{
	int context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	int fd = -1;

	if (context < 0)
		return -errno;
	if (takes_any_option(context))
		errno = ENOENT;
	else if (!syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
				  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					  MOUNT_ATTR_NOEXEC);
	if (fd < 0)
		fd = -errno;
	close(context);
	return fd;
}

int tracefs_open(struct skep_diag *diag)
{
	bool denied = false;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++) {
		fd = open_mounted(mount_points[i]);
		if (fd >= 0)
			return fd;
		denied |= fd == -EACCES;
	}
	fd = open_detached();
	if (fd >= 0)
		return fd;
	if (denied)
		return fail(diag, TRACEFS_CLOSED, NO_PC);
	return fail(diag, NO_TRACEFS, NO_PC);
}

int tracefs_number(int tracefs, const char *path, u64 *number)
{
	int fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	char text[32], *end;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = 0;
	*number = strtoull(text, &end, 10);
	return end == text ? -EIO : 0;
}

int tracefs_read(int tracefs, const char *path, struct file *file)
{
	int fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC), err;
	char name[32];

	if (fd < 0)
		return -errno;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	err = file_read(name, file, NULL);
	close(fd);
	return err;
}

int tracefs_command(int tracefs, const char *path, const char *line)
{
	int fd = openat(tracefs, path, O_WRONLY | O_APPEND | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = write(fd, line, strlen(line));
	err = n < 0 ? -errno : (size_t)n < strlen(line) ? -EIO : 0;
	close(fd);
	return err;
}
