/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes in user space, where the places are known already.  For uprobes.c and usdt.c.
 */
#ifndef SKEP_KERN_UPROBES_H
#define SKEP_KERN_UPROBES_H

#include "kern/perf.h"

/* Places in one file; all of it borrowed. */
struct uprobe_places {
	const char *path;
	const u64 *offsets;  /* in the file */
	const u64 *counters; /* offsets of semaphores that count who listens; or NULL */
	const u64 *cookies;  /* or NULL: none */
	u32 n;
};

/* Attaches to all of them: by one link where the program was loaded for that and the
 * kernel knows it, else by an event for each. */
int uprobe_attach(struct perf_link *link, const struct uprobe_places *places,
		  const struct attaching *a, struct skep_diag *diag);

#endif
