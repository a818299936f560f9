/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of type perf_event: on clocks and counters, on each CPU or in each thread of a
 * process.
 *
 * An event of a process is one of each thread that it has, and of those that these start;
 * the names of events are those of perf(1).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/perf.h"

enum { DEFAULT_HZ = 99 }; /* not in step with what happens 100 times a second */

struct event_name {
	const char *name, *other;
	u32 type;
	u64 config;
};

#define HW(name) PERF_TYPE_HARDWARE, PERF_COUNT_HW_##name
#define SW(name) PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##name
static const struct event_name names[] = {
	{"cpu-cycles", "cycles", HW(CPU_CYCLES)},
	{"instructions", NULL, HW(INSTRUCTIONS)},
	{"cache-references", NULL, HW(CACHE_REFERENCES)},
	{"cache-misses", NULL, HW(CACHE_MISSES)},
	{"branch-instructions", "branches", HW(BRANCH_INSTRUCTIONS)},
	{"branch-misses", NULL, HW(BRANCH_MISSES)},
	{"bus-cycles", NULL, HW(BUS_CYCLES)},
	{"stalled-cycles-frontend", "idle-cycles-frontend", HW(STALLED_CYCLES_FRONTEND)},
	{"stalled-cycles-backend", "idle-cycles-backend", HW(STALLED_CYCLES_BACKEND)},
	{"ref-cycles", NULL, HW(REF_CPU_CYCLES)},
	{"cpu-clock", NULL, SW(CPU_CLOCK)},
	{"task-clock", NULL, SW(TASK_CLOCK)},
	{"page-faults", "faults", SW(PAGE_FAULTS)},
	{"context-switches", "cs", SW(CONTEXT_SWITCHES)},
	{"cpu-migrations", "migrations", SW(CPU_MIGRATIONS)},
	{"minor-faults", NULL, SW(PAGE_FAULTS_MIN)},
	{"major-faults", NULL, SW(PAGE_FAULTS_MAJ)},
	{"alignment-faults", NULL, SW(ALIGNMENT_FAULTS)},
	{"emulation-faults", NULL, SW(EMULATION_FAULTS)},
	{"bpf-output", NULL, SW(BPF_OUTPUT)},
};

/* "cycles", or "r1a8": what the processor's manual calls event and mask. */
static bool find_event(const char *name, u32 *type, u64 *config)
{
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i].name) != 0 &&
		    (!names[i].other || strcmp(name, names[i].other) != 0))
			continue;
		*type = names[i].type;
		*config = names[i].config;
		return true;
	}
	if (name[0] != 'r' || !strchr("0123456789abcdefABCDEF", name[1]) || !name[1])
		return false;
	*type = PERF_TYPE_RAW;
	*config = strtoull(name + 1, &end, 16);
	return !*end;
}

/* ---- whom ---- */

/* Those that are not there (a CPU that is off, a thread that has ended) are left out. */
static int add_on_cpus(struct perf_link *link, const struct attaching *a,
		       struct perf_point *point)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	int err = 0;

	point->cpu = a->hook->cpu;
	if (point->cpu >= 0)
		return perf_link_add(link, a, point);
	for (point->cpu = 0; point->cpu < n; point->cpu++) {
		err = perf_link_add(link, a, point);
		if (err && err != -ENODEV)
			return err;
	}
	return link->fds.len ? 0 : err;
}

static int add_thread(struct perf_link *link, const struct attaching *a,
		      struct perf_point *point)
{
	int err = perf_link_add(link, a, point);

	/* before 5.13 what is inherited went to child processes too */
	if (err == -EINVAL && point->attr.inherit) {
		point->attr.inherit = point->attr.inherit_thread = 0;
		err = perf_link_add(link, a, point);
	}
	return err == -ESRCH ? 0 : err;
}

static int add_in_threads(struct perf_link *link, const struct attaching *a,
			  struct perf_point *point)
{
	char path[64];
	struct dirent *entry;
	DIR *threads;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", a->hook->pid);
	threads = opendir(path);
	if (!threads)
		return -ESRCH;
	point->cpu = a->hook->cpu;
	point->attr.inherit = point->attr.inherit_thread = 1;
	while (!err && (entry = readdir(threads))) {
		point->pid = atoi(entry->d_name);
		if (point->pid > 0)
			err = add_thread(link, a, point);
	}
	closedir(threads);
	return err || link->fds.len ? err : -ESRCH;
}

/* ---- the hook ---- */

static int refused(const struct attaching *a, int err, struct skep_diag *diag)
{
	if (err == -ESRCH)
		return fail(diag, NO_PROCESS, NO_PC, a->hook->pid);
	if (a->hook->cpu >= 0 &&
	    (err == -ENODEV || a->hook->cpu >= sysconf(_SC_NPROCESSORS_CONF)))
		return fail(diag, NO_CPU, NO_PC, a->hook->cpu);
	if (err == -ENOENT || err == -EOPNOTSUPP || err == -ENODEV)
		return fail(diag, EVENT_NOT_COUNTED, NO_PC, a->hook->name);
	if (err == -EINVAL && a->hook->cookie && kernel_before(5, 15))
		return fail(diag, NO_COOKIE, NO_PC, "perf events", "5.15");
	return attach_refused(a, err, diag);
}

int attach_perf_event(const struct attaching *a, struct kern_link **link,
		      struct skep_diag *diag)
{
	const struct hook *hook = a->hook;
	struct perf_point point;
	struct perf_link *perf;
	u32 type;
	u64 config;
	int err;

	if (!find_event(hook->name ? hook->name : "cpu-clock", &type, &config))
		return fail(diag, NO_EVENT, NO_PC, hook->name);
	perf = perf_link_new(a, diag);
	if (!perf)
		return -ENOMEM;
	point = perf_point_of(hook, type, config);
	point.attr.freq = hook->is_freq || !hook->period;
	point.attr.sample_period = hook->period ? hook->period : DEFAULT_HZ;
	if (hook->pid > 0)
		err = add_in_threads(perf, a, &point);
	else
		err = add_on_cpus(perf, a, &point);
	if (!err)
		return perf_link_done(perf, a, link, diag);
	perf_link_drop(perf);
	return refused(a, err, diag);
}
