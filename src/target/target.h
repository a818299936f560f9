/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program is judged for and fitted to: a version of Linux and its types.
 *
 * Facts about versions stand in src/abi, one column of each table; a target says which
 * version to read them for.  obj and everything above may include this.
 */
#ifndef SKEP_TARGET_TARGET_H
#define SKEP_TARGET_TARGET_H

#include "base/types.h"

struct btf;
struct skep_diag;

/* A version as Linux' KERNEL_VERSION() gives it. */
static inline u32 linux_version(u32 major, u32 minor, u32 patch)
{
	return major << 16 | minor << 8 | (patch > 255 ? 255 : patch);
}

enum { LINUX_DEFAULT = 6 << 16 | 18 << 8 };

/* Types that are not vmlinux's: those of the modules that the kernel has loaded. */
struct target_modules {
	/* The first function or variable of that name: its id, and the id of the module's
	 * BTF in the kernel.  False: there is none. */
	bool (*find)(struct target_modules *modules, const char *name, u32 kind,
		     u32 *btf_id, u32 *module);
	/* The types of a module by the id of its BTF in the kernel; NULL: there are none.
	 * May be NULL itself. */
	const struct btf *(*btf)(struct target_modules *modules, u32 module);
};

struct target {
	/* Are programs told the address of that variable?  NULL: yes.  Kernels that were built
	 * without CONFIG_KALLSYMS_ALL tell those of functions only. */
	bool (*tells_address)(const struct target *target, const char *name);
	u32 version;           /* of Linux */
	const struct btf *btf; /* its types; borrowed; NULL: not known */
	struct target_modules *modules; /* borrowed; NULL: none */
};

/*
 * "linux" is the version that runs (LINUX_DEFAULT where no Linux runs), "linux-6.12" and
 * "linux-6.12.3" name one.  Errors: EINVAL for anything else.
 */
int target_parse(const char *name, struct target *target, struct skep_diag *diag);

#endif
