/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program is judged and fitted for: a Linux version and its types.
 */
#ifndef SKEP_TARGET_H
#define SKEP_TARGET_H

#include <stddef.h>

#include <skep/diag.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A target.  Never changes once made: objects and threads may share it. */
struct skep_target;

/**
 * Makes a target.
 * @param name "linux" (the version that runs), "linux-6.12", ...; NULL is "linux"
 * @param btf file with the types of that kernel, for CO-RE relocations: BTF as in
 *         /sys/kernel/btf/vmlinux, or an eBPF object with a .BTF section. NULL: those of
 *         the kernel that runs, where it shows them and is of that version; else none
 * @param target out; the caller frees it with skep_target_free(), after all objects that
 *         were loaded for it
 * @param diag why it failed; may be NULL
 * @return 0; -EINVAL for a name that nobody knows or for a file that is no BTF; the
 *         errno of reading the file; -ENOMEM. Thread-safe.
 */
int skep_target_new(const char *name, const char *btf, struct skep_target **target,
		    struct skep_diag *diag);

/** Frees a target.  NULL is fine. */
void skep_target_free(struct skep_target *target);

/** "linux-6.18"; lives as long as the target.  Thread-safe. */
const char *skep_target_name(const struct skep_target *target);

#ifdef __cplusplus
}
#endif
#endif
