/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tracepoints, by the number that tracefs gives to category and name; and raw ones, which
 * the kernel knows by name.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/perf.h"
#include "kern/refused.h"
#include "kern/sys.h"
#include "kern/tracefs.h"

/* What may be a part of a path and stay below where it belongs. */
static bool is_name(const char *name)
{
	return name && *name && *name != '.' && !strchr(name, '/');
}

static int tracepoint_number(const struct attaching *a, u64 *id, struct skep_diag *diag)
{
	const char *category = a->hook->category ? a->hook->category : "";
	const char *name = a->hook->name ? a->hook->name : "";
	char path[512];
	int tracefs, err = -ENOENT;

	tracefs = tracefs_open(diag);
	if (tracefs < 0)
		return tracefs;
	if (is_name(category) && is_name(name) &&
	    snprintf(path, sizeof(path), "events/%s/%s/id", category, name) <
		    (int)sizeof(path))
		err = tracefs_number(tracefs, path, id);
	close(tracefs);
	if (err == -EACCES)
		return fail(diag, TRACEFS_CLOSED, NO_PC);
	return err ? fail(diag, NO_TRACEPOINT, NO_PC, category, name) : 0;
}

int attach_tracepoint(const struct attaching *a, struct kern_link **link,
		      struct skep_diag *diag)
{
	struct perf_point point;
	struct perf_link *perf;
	u64 id;
	int err = tracepoint_number(a, &id, diag);

	if (err)
		return err;
	perf = perf_link_new(a, diag);
	if (!perf)
		return -ENOMEM;
	point = perf_point_of(a->hook, PERF_TYPE_TRACEPOINT, id);
	err = perf_link_add(perf, a, &point);
	if (!err)
		return perf_link_done(perf, a, link, diag);
	perf_link_drop(perf);
	if (err == -EACCES && kern_has_cap(CAP_PERFMON))
		return fail(diag, TRACEPOINT_CONTEXT, NO_PC, a->hook->category,
			    a->hook->name);
	if (err == -EINVAL && a->hook->cookie && kernel_before(5, 15))
		return fail(diag, NO_COOKIE, NO_PC, "tracepoints", "5.15");
	return attach_refused(a, err, diag);
}

int attach_raw_tracepoint(const struct attaching *a, struct kern_link **link,
			  struct skep_diag *diag)
{
	const char *name = a->hook->name ? a->hook->name : "";
	int fd = sys_raw_tracepoint(a->prog->fd, name, a->hook->cookie);

	if (fd == -ENOENT)
		return fail(diag, NO_RAW_TRACEPOINT, NO_PC, name);
	if (fd < 0 && a->hook->cookie && kernel_before(6, 10))
		return fail(diag, NO_COOKIE, NO_PC, "raw tracepoints", "6.10");
	return link_of_fd(a, fd, link, diag);
}
