/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs in the kernel send: ring buffers and perf event arrays, read in place.
 * One thread at a time for each.  For src/load.
 */
#ifndef SKEP_KERN_EVENTS_H
#define SKEP_KERN_EVENTS_H

#include "base/types.h"

struct kern_events;

/* map_fd: of a RINGBUF or a PERF_EVENT_ARRAY; borrowed, must stay open.  Perf buffers are
 * opened for each CPU and put into the map.  -EINVAL for other types. */
int kern_events_new(int map_fd, struct kern_events **out);
void kern_events_free(struct kern_events *events); /* NULL is fine */

/* cpu: -1 of ring buffers; data: valid during the call; negative: stop. */
typedef int (*kern_event_fn)(void *arg, int cpu, const void *data, u32 size);

/* All that is there.  How many, or what fn gave when that was negative. */
s64 kern_events_drain(struct kern_events *events, kern_event_fn fn, void *arg);
u64 kern_events_lost(const struct kern_events *events);

/* Readable (poll) when there may be events. */
int kern_events_fd(const struct kern_events *events);

#endif
