/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole file in memory.  The size that the system tells is only a guess at how much to
 * allocate: what read() gives is the truth.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"

/* The row says EIO, the caller wants to know what really happened. */
static int refuse_file(struct skep_diag *diag, const char *path, int err)
{
	bool first = diag && !diag->id;

	fail(diag, FILE_UNREADABLE, NO_PC, strerror(err));
	if (first)
		diag->err = -err;
	return diag_in(diag, -err, "%s", path);
}

static int grow(struct file *file, u64 *cap)
{
	u64 more = *cap < 4096 ? 65536 : *cap * 2;
	u8 *data = realloc(file->data, more);

	if (!data)
		return ENOMEM;
	file->data = data;
	*cap = more;
	return 0;
}

static int read_all(int fd, struct file *file)
{
	struct stat st;
	u64 cap = 0;
	ssize_t n;

	if (fstat(fd, &st))
		return errno;
	if (S_ISREG(st.st_mode) && st.st_size > FILE_MAX)
		return EFBIG;
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		cap = (u64)st.st_size + 1; /* so that the end is seen without growing */
		file->data = malloc(cap);
		if (!file->data)
			return ENOMEM;
	}
	for (;;) {
		if (file->len == cap && grow(file, &cap))
			return ENOMEM;
		n = read(fd, file->data + file->len, cap - file->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : 0;
		file->len += (u64)n;
		if (file->len > FILE_MAX)
			return EFBIG;
	}
}

int file_read(const char *path, struct file *file, struct skep_diag *diag)
{
	bool standard_input = !strcmp(path, "-");
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int err;

	*file = (struct file){0};
	if (fd < 0)
		return refuse_file(diag, path, errno);
	err = read_all(fd, file);
	if (!standard_input)
		close(fd);
	if (!err)
		return 0;
	file_fini(file);
	return refuse_file(diag, standard_input ? "standard input" : path, err);
}

int file_map(const char *path, struct file *file, struct skep_diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *data = MAP_FAILED;
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && st.st_size > 0 && st.st_size <= FILE_MAX)
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (data == MAP_FAILED)
		return file_read(path, file, diag);
	*file = (struct file){data, (u64)st.st_size, true};
	return 0;
}

void file_fini(struct file *file)
{
	if (file->mapped)
		munmap(file->data, file->len);
	else
		free(file->data);
	*file = (struct file){0};
}
