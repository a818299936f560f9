/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of targets.
 */
#include "target/target.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/diag.h"

static u32 running_version(void)
{
	struct utsname host;
	unsigned int major, minor, patch = 0;

	if (uname(&host) || strcmp(host.sysname, "Linux") != 0 ||
	    sscanf(host.release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return LINUX_DEFAULT;
	return linux_version(major, minor, patch);
}

int target_parse(const char *name, struct target *target, struct skep_diag *diag)
{
	unsigned int major, minor, patch = 0;
	int len = 0;

	*target = (struct target){0};
	if (!strcmp(name, "linux")) {
		target->version = running_version();
		return 0;
	}
	if (sscanf(name, "linux-%3u.%3u%n.%5u%n", &major, &minor, &len, &patch, &len) <
		    2 ||
	    name[len] || major > 255 || minor > 255)
		return fail(diag, BAD_TARGET, NO_PC, name);
	target->version = linux_version(major, minor, patch);
	return 0;
}
