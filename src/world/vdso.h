/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The code that the kernel puts into every process so that clocks need no system call:
 * vdso(7), Documentation/ABI/stable/vdso.  It is what the C library's clock_gettime()
 * calls.
 */
#ifndef SKEP_WORLD_VDSO_H
#define SKEP_WORLD_VDSO_H

#include <time.h>

/* As clock_gettime(2), but a failure is a negative errno. */
typedef int (*clock_fn)(clockid_t id, struct timespec *t);

/* That of this process; NULL: the kernel gave none, or none that we know how to call. */
clock_fn vdso_clock(void);

/* A function by its name and version in a shared object that lies in memory as its file
 * does, as the vDSO; NULL: it is not there.  The object is trusted: who may have put it
 * there may run code anyway. */
const void *vdso_function(const void *object, const char *name, const char *version);

#endif
