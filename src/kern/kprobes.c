/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on functions of the kernel: one by an event, many by a link.
 *
 * Patterns are matched against what the kernel says can be traced; where that list has
 * addresses they are used, as one name may stand for several functions.  The kernel
 * itself decides what must not be probed.
 */
#define _GNU_SOURCE /* asprintf() */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "base/file.h"
#include "kern/glob.h"
#include "kern/perf.h"
#include "kern/sys.h"
#include "kern/tracefs.h"

enum { KPROBE_MULTI_RETURN = 1 };

/* ---- one function ---- */

static int add_event(struct perf_link *link, const struct attaching *a)
{
	const struct hook *hook = a->hook;
	struct perf_point point;
	u32 type, bit = 0;

	if (perf_pmu_type("kprobe", &type))
		return -ENODEV;
	if (hook->is_return && perf_pmu_bit("kprobe", "retprobe", &bit))
		return -ENOTSUP;
	point = perf_point_of(hook, type, (u64)hook->is_return << bit);
	/* without a name the offset is an address */
	point.attr.kprobe_func = (u64)(uintptr_t)(hook->name ? hook->name : "");
	point.attr.probe_offset = hook->offset;
	return perf_link_add(link, a, &point);
}

/* Before 4.17. */
static int add_traced(struct perf_link *link, const struct attaching *a)
{
	char *place = NULL;
	int err;

	if (a->hook->cookie)
		return -EINVAL;
	if (asprintf(&place, "%s+0x%llx", a->hook->name,
		     (unsigned long long)a->hook->offset) < 0)
		return -ENOMEM;
	err = perf_link_add_traced(link, a, "kprobe_events", place);
	free(place);
	return err;
}

static int refused(const struct attaching *a, int err, struct skep_diag *diag)
{
	if (err == -ENODEV)
		return fail(diag, NO_KPROBES, NO_PC);
	if (err == -ENOENT)
		return fail(diag, NO_KERNEL_FUNCTION, NO_PC, a->hook->name);
	if (err == -EADDRNOTAVAIL)
		return fail(diag, MANY_KERNEL_FUNCTIONS, NO_PC, a->hook->name);
	if (err == -EILSEQ)
		return fail(diag, INSIDE_INSN, NO_PC, a->hook->name,
			    (unsigned long long)a->hook->offset);
	if (err == -EINVAL && a->hook->cookie && kernel_before(5, 15))
		return fail(diag, NO_COOKIE, NO_PC, "kprobes", "5.15");
	return attach_refused(a, err, diag);
}

static int add_function_probe(struct perf_link *perf, const struct attaching *a)
{
	int err = add_event(perf, a);

	if (err == -ENODEV && kernel_before(4, 17) && a->hook->name)
		err = add_traced(perf, a);
	return err;
}

/* The functions of system calls: since 4.17 they have wrappers, which are named after the
 * machine. */
static const char *const syscall_prefixes[] = {
#if defined(__x86_64__)
	"__x64_sys_",
#elif defined(__aarch64__)
	"__arm64_sys_",
#endif
	"sys_",
};

static int add_syscall_probe(struct perf_link *perf, const struct attaching *a)
{
	int err = -ENOENT;

	for (size_t i = 0; err == -ENOENT && i < ARRAY_SIZE(syscall_prefixes); i++) {
		struct hook hook = *a->hook;
		char name[128];

		snprintf(name, sizeof(name), "%s%s", syscall_prefixes[i], a->hook->name);
		hook.name = name;
		err = add_function_probe(perf, &(struct attaching){a->prog, &hook});
	}
	return err;
}

int attach_kprobe(const struct attaching *a, struct kern_link **link,
		  struct skep_diag *diag)
{
	struct perf_link *perf = perf_link_new(a, diag);
	int err;

	if (!perf)
		return -ENOMEM;
	if (a->hook->is_syscall && a->hook->name)
		err = add_syscall_probe(perf, a);
	else
		err = add_function_probe(perf, a);
	if (!err)
		return perf_link_done(perf, a, link, diag);
	perf_link_drop(perf);
	return refused(a, err, diag);
}

/* ---- many functions ---- */

/* What a pattern means: addresses, or names where the kernel does not tell them. */
struct functions {
	struct file list;     /* owned: what the names point into */
	struct vec names;     /* const char *, borrowed from list */
	struct vec addresses; /* u64; as many as names, or none */
};

static void functions_fini(struct functions *f)
{
	file_fini(&f->list);
	vec_fini(&f->names);
	vec_fini(&f->addresses);
}

/* How a line of a list reads. */
enum list_form {
	LIST_NAMES,    /* "name [module]" */
	LIST_ADDRESSES /* "address name [module]" */
};

static int add_function(struct functions *f, const char *name, const u64 *address)
{
	const char **slot = vec_push(&f->names);
	u64 *at = address ? vec_push(&f->addresses) : NULL;

	if (!slot || (address && !at))
		return -ENOMEM;
	*slot = name;
	if (at)
		*at = *address;
	return 0;
}

/* One line, cut into words where it stands. */
static int match_line(struct functions *f, char *line, enum list_form form,
		      const char *pattern)
{
	char *name = line;
	u64 address = 0;

	if (form == LIST_ADDRESSES) {
		address = strtoull(line, &name, 16);
		name += *name == ' ';
	}
	name[strcspn(name, " \t")] = 0;
	if (!*name || !glob_matches(pattern, name))
		return 0;
	return add_function(f, name, form == LIST_ADDRESSES ? &address : NULL);
}

static int match_list(struct functions *f, enum list_form form, const char *pattern)
{
	char *line = (char *)f->list.data, *end = line + f->list.len, *next;
	int err = 0;

	for (; !err && line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		if (!next)
			break; /* the kernel ends every line */
		*next = 0;
		err = match_line(f, line, form, pattern);
	}
	return err;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names that stand for one function only: the kernel would not know which is meant. */
static void keep_unique(struct vec *names)
{
	const char **n = names->data;
	size_t kept = 0;

	qsort(n, names->len, sizeof(*n), compare_names);
	for (size_t i = 0, same; i < names->len; i += same) {
		for (same = 1; i + same < names->len; same++)
			if (strcmp(n[i], n[i + same]) != 0)
				break;
		if (same == 1)
			n[kept++] = n[i];
	}
	names->len = kept;
}

static int find_functions(const struct attaching *a, struct functions *f,
			  struct skep_diag *diag)
{
	const char *pattern = a->hook->name;
	enum list_form form = LIST_ADDRESSES;
	int tracefs = tracefs_open(diag), err;

	if (tracefs < 0)
		return tracefs;
	/* with addresses since 6.5 */
	err = tracefs_read(tracefs, "available_filter_functions_addrs", &f->list);
	if (err == -ENOENT) {
		form = LIST_NAMES;
		err = tracefs_read(tracefs, "available_filter_functions", &f->list);
	}
	close(tracefs);
	if (err == -ENOENT)
		return fail(diag, NO_FUNCTION_LIST, NO_PC);
	if (err)
		return attach_refused(a, err, diag);
	if (match_list(f, form, pattern))
		return fail(diag, NO_MEMORY, NO_PC);
	if (form == LIST_NAMES)
		keep_unique(&f->names);
	if (!f->names.len)
		return fail(diag, NO_KERNEL_FUNCTION, NO_PC, pattern);
	return 0;
}

static int multi_refused(const struct attaching *a, int err, struct skep_diag *diag)
{
	if (err == -EOPNOTSUPP)
		return fail(diag, NO_KPROBE_MULTI, NO_PC, "it was built without");
	if (err == -EINVAL && a->hook->is_session && kernel_before(6, 10))
		return fail(diag, NO_KPROBE_MULTI, NO_PC,
			    "Linux 6.10 was the first with sessions");
	if (err == -EINVAL && kernel_before(5, 18))
		return fail(diag, NO_KPROBE_MULTI, NO_PC,
			    "Linux 5.18 was the first with them");
	if (err == -ESRCH || err == -ENOENT)
		return fail(diag, NO_KERNEL_FUNCTION, NO_PC, a->hook->name);
	return attach_refused(a, err, diag);
}

static int link_functions(const struct attaching *a, const struct functions *f,
			  const u64 *cookies)
{
	struct link_create_attr attr = {
		.attach_type = a->prog->attach_type,
		.kprobe_multi =
			{
				.flags = a->hook->is_return && !a->hook->is_session
						 ? KPROBE_MULTI_RETURN
						 : 0,
				.n = (u32)f->names.len,
				.cookies = (u64)(uintptr_t)cookies,
			},
	};

	if (f->addresses.len)
		attr.kprobe_multi.addrs = (u64)(uintptr_t)f->addresses.data;
	else
		attr.kprobe_multi.syms = (u64)(uintptr_t)f->names.data;
	return link_create(a, &attr, LINK_UPTO(kprobe_multi));
}

static int attach_functions(const struct attaching *a, const struct functions *f,
			    struct kern_link **link, struct skep_diag *diag)
{
	u64 *cookies = NULL;
	int fd;

	if (a->hook->cookie) {
		cookies = calloc(f->names.len, sizeof(*cookies));
		if (!cookies)
			return fail(diag, NO_MEMORY, NO_PC);
	}
	for (size_t i = 0; cookies && i < f->names.len; i++)
		cookies[i] = a->hook->cookie;
	fd = link_functions(a, f, cookies);
	free(cookies);
	if (fd < 0)
		return multi_refused(a, fd, diag);
	return link_of_fd(a, fd, link, diag);
}

int attach_kprobe_multi(const struct attaching *a, struct kern_link **link,
			struct skep_diag *diag)
{
	struct functions f = {
		.names = VEC_INIT(const char *),
		.addresses = VEC_INIT(u64),
	};
	int err;

	if (!a->hook->name)
		return fail(diag, NO_KERNEL_FUNCTION, NO_PC, "");
	if (is_glob(a->hook->name))
		err = find_functions(a, &f, diag);
	else if (add_function(&f, a->hook->name, NULL))
		err = fail(diag, NO_MEMORY, NO_PC);
	else
		err = 0;
	if (!err)
		err = attach_functions(a, &f, link, diag);
	functions_fini(&f);
	return err;
}
