/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracefs: the numbers of tracepoints, the names of functions that can be traced, and, in
 * old kernels, the only way to probes.
 *
 * Nothing is mounted where others could see it.  For src/kern; the kernel's
 * trace/events.rst and trace/kprobetrace.rst.
 */
#ifndef SKEP_KERN_TRACEFS_H
#define SKEP_KERN_TRACEFS_H

#include "base/types.h"

struct file;
struct skep_diag;

/* A descriptor of its folder, which the caller closes.  Errors: ENOENT where no tracefs
 * is mounted and none can be had; EACCES. */
int tracefs_open(struct skep_diag *diag);

/* A number that is all a file has; -ENOENT, -EACCES, ...; tells no diag. */
int tracefs_number(int tracefs, const char *path, u64 *number);

/* All of a file, for file_fini(). */
int tracefs_read(int tracefs, const char *path, struct file *file);

/* Appends a line to a file, as kprobe_events and uprobe_events take their commands. */
int tracefs_command(int tracefs, const char *path, const char *line);

#endif
