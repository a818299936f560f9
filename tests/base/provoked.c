/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Part of every program of a build with -Dprovoked=true: each diagnostic that somebody is
 * told is noted by name in a file, once a process, so that provoked.py can say which rows
 * of diag.def no test provokes.  The linker puts it before diag_fail(); the library knows
 * nothing of it.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"

int __real_diag_fail(struct skep_diag *diag, enum diag_id id, int pc, const char *fmt,
		     ...);
int __wrap_diag_fail(struct skep_diag *diag, enum diag_id id, int pc, const char *fmt,
		     ...);

static void note(enum diag_id id)
{
	static _Atomic unsigned char noted[DIAG_IDS];
	char line[64];
	int fd, len;

	if (noted[id])
		return;
	noted[id] = 1;
	len = snprintf(line, sizeof(line), "%s\n", skep_diag_name(id));
	fd = open(PROVOKED_LOG, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return; /* nobody asked */
	if (write(fd, line, (size_t)len) != len)
		noted[id] = 0;
	close(fd);
}

int __wrap_diag_fail(struct skep_diag *diag, enum diag_id id, int pc, const char *fmt,
		     ...)
{
	char text[sizeof(diag->text)];
	va_list ap;

	if (diag && !diag->id)
		note(id);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return __real_diag_fail(diag, id, pc, "%s", text);
}
