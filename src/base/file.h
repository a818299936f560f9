/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole file in memory.  Pipes and files without a size (/sys, /proc) work too.
 * Anybody may include this.
 */
#ifndef SKEP_BASE_FILE_H
#define SKEP_BASE_FILE_H

#include "base/bytes.h"

struct skep_diag;

struct file {
	u8 *data; /* owned; 8-byte aligned; NULL when it is empty */
	u64 len;
	bool mapped; /* data is read-only and shared with the system */
};

enum { FILE_MAX = 1 << 30 };

/* path "-": standard input.  The errno of opening or reading it, EISDIR, ENOMEM, or EFBIG
 * beyond FILE_MAX. */
int file_read(const char *path, struct file *file, struct skep_diag *diag);

/* The same for a file that nobody can change, such as /sys/kernel/btf/vmlinux: mapped
 * where the system can do that (Linux 6.16), which saves a copy. */
int file_map(const char *path, struct file *file, struct skep_diag *diag);
void file_fini(struct file *file);

static inline struct bytes file_bytes(const struct file *file)
{
	return (struct bytes){file->data, file->len};
}

#endif
