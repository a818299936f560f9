/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types of an object as Linux takes them, and the types of Linux' modules.
 *
 * What a compiler writes is not what the kernel accepts: externs, sections of the loader,
 * and kinds that the kernel is too old for are turned into harmless types of the same
 * length, so that no id changes.  For src/kern.
 */
#ifndef SKEP_KERN_KERNEL_BTF_H
#define SKEP_KERN_KERNEL_BTF_H

#include "base/types.h"

struct object;
struct skep_diag;
struct text;

/* A descriptor of the object's BTF in the kernel; -ENOENT where the object has none.
 * diag: the kernel's reason. */
int kernel_btf_load(const struct object *obj, struct skep_diag *diag);

/* Loads BTF bytes; log (NULL: not wanted) gets the kernel's words when it refuses. */
int kernel_btf_load_bytes(const struct text *bytes, struct text *log);

#endif
