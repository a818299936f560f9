/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files behind kern/load.h share: one object on its way into Linux.
 */
#ifndef SKEP_KERN_LOADER_H
#define SKEP_KERN_LOADER_H

#include <skep/diag.h>

#include "base/arena.h"
#include "kern/load.h"
#include "obj/object.h"
#include "target/target.h"

struct kern_loader {
	const struct object *obj;    /* borrowed */
	const struct target *target; /* borrowed */
	struct arena arena;
	int btf_fd;                /* the object's types; or a negative errno: none */
	struct skep_diag btf_diag; /* why not */
	u32 version;               /* of the kernel that runs */
	struct text *symbols;      /* /proc/kallsyms, owned; NULL: not read yet */
};

/* A name as Linux takes it: cut to 15 characters, others than letters, digits, '_' and
 * '.' replaced. */
enum { KERN_NAME_LEN = 16 };
void kern_name(const char *name, char out[KERN_NAME_LEN]);

/* What the kernel's types call what a program of this attach type attaches to: prefix and
 * kind of type. */
int kern_find_target(struct kern_loader *l, const struct kern_prog_spec *spec,
		     u32 *btf_id, int *btf_fd, struct skep_diag *diag);

/* The address of a symbol of the kernel, 0: there is none, or it is hidden. */
u64 kern_symbol(struct kern_loader *l, const char *name);

#endif
