/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on functions of executables and libraries.
 *
 * What the hook names becomes offsets in the file; then there are three ways to one end:
 * a link of many probes (6.6), an event of the kernel's own kind for each (4.17), a line
 * in uprobe_events (before).
 */
#define _GNU_SOURCE /* asprintf() */
#include "kern/uprobes.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/binary.h"
#include "kern/glob.h"
#include "kern/refused.h"
#include "kern/sys.h"

enum { UPROBE_MULTI_RETURN = 1 };

/* ---- one link for all ---- */

static bool wants_multi(const struct kern_prog *prog)
{
	return prog->attach_type == ATTACH_TRACE_UPROBE_MULTI ||
	       prog->attach_type == ATTACH_TRACE_UPROBE_SESSION;
}

static int add_multi(struct perf_link *link, const struct uprobe_places *places,
		     const struct attaching *a)
{
	struct link_create_attr attr = {
		.attach_type = a->prog->attach_type,
		.uprobe_multi =
			{
				.path = (u64)(uintptr_t)places->path,
				.offsets = (u64)(uintptr_t)places->offsets,
				.ref_ctr_offsets = (u64)(uintptr_t)places->counters,
				.cookies = (u64)(uintptr_t)places->cookies,
				.n = places->n,
				.flags = a->hook->is_return ? UPROBE_MULTI_RETURN : 0,
				.pid = a->hook->pid > 0 ? (u32)a->hook->pid : 0,
			},
	};
	int fd = link_create(a, &attr, LINK_UPTO(uprobe_multi));
	int *slot;

	if (fd < 0)
		return fd;
	slot = vec_push(&link->fds);
	if (slot)
		*slot = fd;
	return slot ? 0 : -ENOMEM;
}

/* ---- one event for each ---- */

static int add_event(struct perf_link *link, const struct uprobe_places *places, u32 i,
		     const struct attaching *a)
{
	struct perf_point point;
	u32 type, bit = 0;

	if (perf_pmu_type("uprobe", &type))
		return -ENODEV;
	if (a->hook->is_return && perf_pmu_bit("uprobe", "retprobe", &bit))
		return -ENOTSUP;
	point = perf_point_of(a->hook, type, (u64)a->hook->is_return << bit);
	if (places->counters && places->counters[i]) {
		/* since 4.20 */
		if (perf_pmu_bit("uprobe", "ref_ctr_offset", &bit))
			return -ENOTSUP;
		point.attr.config |= places->counters[i] << bit;
	}
	point.attr.uprobe_path = (u64)(uintptr_t)places->path;
	point.attr.probe_offset = places->offsets[i];
	point.cookie = places->cookies ? places->cookies[i] : 0;
	return perf_link_add(link, a, &point);
}

/* Before 4.17. */
static int add_traced(struct perf_link *link, const struct uprobe_places *places, u32 i,
		      const struct attaching *a)
{
	char *place = NULL;
	int err;

	if (places->cookies && places->cookies[i])
		return -EINVAL;
	if (asprintf(&place, "%s:0x%llx", places->path,
		     (unsigned long long)places->offsets[i]) < 0)
		return -ENOMEM;
	err = perf_link_add_traced(link, a, "uprobe_events", place);
	free(place);
	return err;
}

static int add_events(struct perf_link *link, const struct uprobe_places *places,
		      const struct attaching *a)
{
	int err = 0;

	for (u32 i = 0; !err && i < places->n; i++) {
		err = add_event(link, places, i, a);
		if (err == -ENODEV && kernel_before(4, 17))
			err = add_traced(link, places, i, a);
	}
	return err;
}

/* What the errno of an attempt means here. */
static int refused(const struct attaching *a, int err, struct skep_diag *diag)
{
	char where[HOOK_NAME_SIZE];

	if (err == -ENOENT && !perf_pmu_type("uprobe", &(u32){0}))
		return fail(diag, NO_BINARY, NO_PC, "file", a->hook->path);
	if (err == -ENOENT || err == -ENODEV)
		return fail(diag, NO_UPROBES, NO_PC);
	if (err == -EINVAL && a->hook->is_session && kernel_before(6, 13))
		return fail(diag, NO_UPROBE_SESSION, NO_PC);
	if (err == -EINVAL && a->hook->cookie && kernel_before(5, 15))
		return fail(diag, NO_COOKIE, NO_PC, "uprobes", "5.15");
	if (err == -ESRCH)
		return fail(diag, NO_PROCESS, NO_PC, a->hook->pid);
	/* Linux gives such events to CAP_SYS_ADMIN only; links of many are not so dear */
	if (err == -EACCES && !wants_multi(a->prog))
		return kern_refused(
			diag, &(struct kern_attempt){.action = KERN_ATTACH,
						     .prog_type = a->prog->type,
						     .caps = KERN_CAP(CAP_SYS_ADMIN),
						     .err = err,
						     .what = hook_name(a->hook, where)});
	return attach_refused(a, err, diag);
}

int uprobe_attach(struct perf_link *link, const struct uprobe_places *places,
		  const struct attaching *a, struct skep_diag *diag)
{
	/* kernels before 6.6 take such programs, but know no such link */
	bool multi =
		wants_multi(a->prog) && (a->hook->is_session || !kernel_before(6, 6));
	int err = multi ? add_multi(link, places, a) : add_events(link, places, a);

	return err ? refused(a, err, diag) : 0;
}

/* ---- what the hook names ---- */

static int given_place(const char *path, const struct attaching *a, struct vec *offsets,
		       struct skep_diag *diag)
{
	u64 *slot = vec_push(offsets);
	struct stat st;

	if (!slot)
		return fail(diag, NO_MEMORY, NO_PC);
	*slot = a->hook->offset;
	if (stat(path, &st))
		return fail_errno(diag, -errno, FILE_UNREADABLE, NO_PC, strerror(errno));
	if (!S_ISREG(st.st_mode) || *slot >= (u64)st.st_size)
		return fail(diag, BEYOND_FILE, NO_PC, path, (unsigned long long)*slot);
	return 0;
}

/* The offsets of the functions, or the one that was given. */
static int find_places(const char *path, const struct attaching *a, struct vec *offsets,
		       struct skep_diag *diag)
{
	struct binary bin;
	u64 *slot;
	int err;

	if (!a->hook->name || !*a->hook->name)
		return given_place(path, a, offsets, diag);
	err = binary_open(path, &bin, diag);
	if (err)
		return err;
	if (is_glob(a->hook->name)) {
		err = binary_functions(&bin, a->hook->name, offsets, diag);
	} else {
		slot = vec_push(offsets);
		err = slot ? binary_function(&bin, a->hook->name, slot, diag)
			   : fail(diag, NO_MEMORY, NO_PC);
	}
	binary_close(&bin);
	for (size_t i = 0; !err && i < offsets->len; i++)
		((u64 *)offsets->data)[i] += a->hook->offset;
	return diag_in(diag, err, "%s", path);
}

static int same_cookies(const struct attaching *a, size_t n, u64 **cookies,
			struct skep_diag *diag)
{
	*cookies = NULL;
	if (!a->hook->cookie)
		return 0;
	*cookies = malloc(n * sizeof(**cookies));
	if (!*cookies)
		return fail(diag, NO_MEMORY, NO_PC);
	for (size_t i = 0; i < n; i++)
		(*cookies)[i] = a->hook->cookie;
	return 0;
}

static int attach_places(const struct attaching *a, struct uprobe_places *places,
			 struct kern_link **link, struct skep_diag *diag)
{
	struct perf_link *perf = perf_link_new(a, diag);
	u64 *cookies = NULL;
	int err = perf ? same_cookies(a, places->n, &cookies, diag) : -ENOMEM;

	places->cookies = cookies;
	if (!err)
		err = uprobe_attach(perf, places, a, diag);
	free(cookies);
	if (!err)
		return perf_link_done(perf, a, link, diag);
	if (perf)
		perf_link_drop(perf);
	return err;
}

int attach_uprobe(const struct attaching *a, struct kern_link **link,
		  struct skep_diag *diag)
{
	struct vec offsets = VEC_INIT(u64);
	char *path;
	int err;

	if (!a->hook->path)
		return fail(diag, NO_BINARY, NO_PC, "program", "");
	err = binary_path(a->hook->path, &path, diag);
	if (err)
		return err;
	err = find_places(path, a, &offsets, diag);
	if (!err) {
		struct uprobe_places places = {
			.path = path, .offsets = offsets.data, .n = (u32)offsets.len};

		err = attach_places(a, &places, link, diag);
	}
	vec_fini(&offsets);
	free(path);
	return err;
}
