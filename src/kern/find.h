/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs, maps and links of the running kernel by what a person calls them: a pin (it
 * has a slash), an id, or a name.  For src/tools.
 */
#ifndef SKEP_KERN_FIND_H
#define SKEP_KERN_FIND_H

#include "kern/sys.h"

/*
 * A descriptor, the caller's.  A name may be whole or as the kernel cuts it; links have
 * none.  Errors: ENOENT; ENOTUNIQ with the ids where several things have that name;
 * EPERM, EACCES with the reason; EINVAL where the pin is of another kind.
 */
int kern_find(enum sys_kind kind, const char *words, struct skep_diag *diag);

#endif
