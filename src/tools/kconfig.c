/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /boot/config-RELEASE or /proc/config.gz, as Linux' distributors and Linux itself give
 * it.
 */
#define _GNU_SOURCE /* memmem() */
#include "tools/kconfig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/text.h"

enum { MAX_CONFIG = 16 << 20 };

/* Plain files pass through zlib as they are. */
static int read_file(const char *path, char **text, struct skep_diag *diag)
{
	struct text t = TEXT_INIT;
	gzFile f = gzopen(path, "rb");
	char buffer[8192];
	int n = 0, err = 0;

	if (!f)
		return diag_in(
			diag,
			fail_errno(diag, -errno, FILE_UNREADABLE, NO_PC, strerror(errno)),
			"%s", path);
	while (t.len < MAX_CONFIG && (n = gzread(f, buffer, sizeof(buffer))) > 0)
		text_write(&t, buffer, (size_t)n);
	if (n < 0 || t.len >= MAX_CONFIG)
		err = diag_in(diag,
			      fail(diag, FILE_UNREADABLE, NO_PC,
				   n < 0 ? "it is broken" : "it is too large"),
			      "%s", path);
	gzclose(f);
	*text = err || text_failed(&t) ? NULL : strdup(text_str(&t));
	text_fini(&t);
	return err || *text ? err : fail(diag, NO_MEMORY, NO_PC);
}

/* Who has no section of that name does not mention it: not in its types either. */
static bool may_have_settings(const char *object)
{
	static const char section[] = ".kconfig";
	struct file file;
	bool found;

	if (!strcmp(object, "-") || file_read(object, &file, NULL))
		return true;
	found = memmem(file.data, file.len, section, sizeof(section) - 1);
	file_fini(&file);
	return found;
}

int kconfig_read(const char *path, const char *object, char **text,
		 struct skep_diag *diag)
{
	struct utsname name;
	char boot[128];

	*text = NULL;
	if (path)
		return read_file(path, text, diag);
	if (!may_have_settings(object) || uname(&name))
		return 0;
	snprintf(boot, sizeof(boot), "/boot/config-%s", name.release);
	if (read_file(boot, text, NULL))
		read_file("/proc/config.gz", text, NULL);
	return 0;
}
