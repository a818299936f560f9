/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types of the modules that the kernel has loaded.  For src/kern and src/load.
 */
#ifndef SKEP_KERN_MODULES_H
#define SKEP_KERN_MODULES_H

#include "base/arena.h"
#include "target/target.h"

struct btf;

struct kern_module {
	u32 id; /* of its BTF in the kernel */
	char name[64];
	const struct btf *btf; /* in the arena */
};

/* Read when somebody first asks. */
struct kern_modules {
	struct target_modules target; /* what fitting asks */
	const struct btf *vmlinux;    /* borrowed */
	struct arena arena;
	struct kern_module *list; /* in the arena */
	u32 n;
	bool is_read;
};

void kern_modules_init(struct kern_modules *m, const struct btf *vmlinux);
void kern_modules_fini(struct kern_modules *m);
bool kern_modules_find(struct kern_modules *m, const char *name, u32 kind, u32 *btf_id,
		       u32 *module);

#endif
