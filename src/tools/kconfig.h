/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration of a kernel, for externs of .kconfig.  For src/tools.
 */
#ifndef SKEP_TOOLS_KCONFIG_H
#define SKEP_TOOLS_KCONFIG_H

struct skep_diag;

/*
 * The text of the file, or (path NULL) of the running kernel's configuration where it
 * shows one: *text is for free(), NULL: none.  Files may be compressed with gzip.
 * object: path of the object that it is for; the running kernel's is only read if that
 * can have externs of .kconfig.
 */
int kconfig_read(const char *path, const char *object, char **text,
		 struct skep_diag *diag);

#endif
