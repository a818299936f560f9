/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on perf events: tracepoints, probes, counters, clocks.
 *
 * A link of this kind is one event or several (one for each CPU, each thread or each
 * place of a probe).  Since 5.15 each of them has a link of the kernel; before, the
 * program stays as long as the event is open.  For the attach functions of src/kern.
 */
#ifndef SKEP_KERN_PERF_H
#define SKEP_KERN_PERF_H

#include <linux/perf_event.h>

#include "base/vec.h"
#include "kern/attach.h"

struct perf_link {
	struct kern_link link;
	struct vec fds;      /* int, owned: of bpf_links, or of events with the program */
	struct vec probes;   /* char *, owned: what is to be taken out of tracefs again */
	const char *control; /* the file of tracefs that they were made by; static */
	/* Runs when everything is detached: what else was made for it.  NULL: nothing. */
	void (*after)(struct perf_link *link);
	void *data;      /* after()'s to free */
	bool has_events; /* no bpf_links */
};

/* An event to be opened: of a thread (-1: all) on a CPU (-1: all). */
struct perf_point {
	struct perf_event_attr attr;
	int pid, cpu;
	u64 cookie;
};

/* A kind of event (PERF_TYPE_* or a number of its own) and what it counts; with the
 * cookie of the hook, and for the hook's process or else for all. */
struct perf_point perf_point_of(const struct hook *hook, u32 type, u64 config);

struct perf_link *perf_link_new(const struct attaching *a, struct skep_diag *diag);

/* Opens one more event, with the program in it, running.  Returns the errno of
 * perf_event_open(2) or of attaching, untold. */
int perf_link_add(struct perf_link *link, const struct attaching *a,
		  const struct perf_point *point);

/* The same for a probe that is made through tracefs first, as before 4.17: control is
 * "kprobe_events" or "uprobe_events", place what they take as such. */
int perf_link_add_traced(struct perf_link *link, const struct attaching *a,
			 const char *control, const char *place);

/* Hands the link out: as it is, or, where one bpf_link does it all, as that. */
int perf_link_done(struct perf_link *perf, const struct attaching *a,
		   struct kern_link **link, struct skep_diag *diag);

/* Undoes what was added; on the way out of a failure. */
void perf_link_drop(struct perf_link *perf);

/* A kind of events that the kernel has under /sys/bus/event_source/devices: its number
 * and the bit of config that a word of its format means.  -ENOENT: it has none. */
int perf_pmu_type(const char *pmu, u32 *type);
int perf_pmu_bit(const char *pmu, const char *word, u32 *bit);

#endif
