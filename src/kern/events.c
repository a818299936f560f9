/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings shared with the kernel: it writes the head, we write the tail.
 *
 * The ring buffer's data is mapped twice in a row, so that every record is in one piece;
 * records of perf events that wrap around are put together in a buffer of ours.  Kernel
 * documentation: bpf/ringbuf.rst; perf_event_open(2).
 */
#include "kern/events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kern/load.h"
#include "kern/sys.h"
#include "maps/map.h"

enum { PERF_PAGES = 64, PERF_ALL_CPUS_DATA = 1 << 16 };
enum { RECORD_BUSY = 1u << 31, RECORD_DISCARDED = 1u << 30, RECORD_HEADER = 8 };

struct perf_ring {
	int fd;                            /* -1: that CPU is offline */
	struct perf_event_mmap_page *page; /* mapped; the data follows */
};

struct kern_events {
	u32 type, page_size;
	int fd; /* of the map (borrowed), or an epoll of our own */
	/* RINGBUF */
	u8 *consumer, *producer; /* mapped */
	u64 ring_size;
	/* PERF_EVENT_ARRAY */
	struct perf_ring *rings; /* owned, one a CPU */
	u32 n_rings;
	u8 *joined; /* owned: a record that wraps */
	u64 lost;
};

/* ---- ring buffer ---- */

static int map_ring(struct kern_events *e, int fd, u32 size)
{
	u64 producer = e->page_size + 2 * (u64)size;
	void *at = mmap(NULL, e->page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	e->consumer = at;
	e->ring_size = size;
	at = mmap(NULL, producer, PROT_READ, MAP_SHARED, fd, e->page_size);
	if (at == MAP_FAILED)
		return -errno;
	e->producer = at;
	e->fd = fd;
	return 0;
}

static s64 drain_ring(struct kern_events *e, kern_event_fn fn, void *arg)
{
	u64 *tail = (u64 *)e->consumer, at = *tail;
	s64 n = 0;
	int err = 0;

	while (!err && at < __atomic_load_n((u64 *)e->producer, __ATOMIC_ACQUIRE)) {
		u8 *record = e->producer + e->page_size + (at & (e->ring_size - 1));
		u32 head = __atomic_load_n((u32 *)record, __ATOMIC_ACQUIRE);
		u32 len = head & ~(RECORD_BUSY | RECORD_DISCARDED);

		if (head & RECORD_BUSY)
			break;
		if (!(head & RECORD_DISCARDED)) {
			err = fn(arg, -1, record + RECORD_HEADER, len);
			n++;
		}
		at += round_up(len + RECORD_HEADER, 8);
		__atomic_store_n(tail, at, __ATOMIC_RELEASE);
	}
	return err < 0 ? err : n;
}

/* ---- perf events ---- */

static int open_perf(u32 cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1,
			  PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static int open_cpu(struct kern_events *e, int map_fd, u32 cpu)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = cpu};
	struct perf_ring *ring = &e->rings[cpu];
	void *at;
	int err;

	ring->fd = open_perf(cpu);
	if (ring->fd < 0)
		return ring->fd == -ENODEV ? 0 : ring->fd;
	at = mmap(NULL, (1 + PERF_PAGES) * (size_t)e->page_size, PROT_READ | PROT_WRITE,
		  MAP_SHARED, ring->fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	ring->page = at;
	err = sys_map_update(map_fd, &cpu, &ring->fd, 0);
	if (err)
		return err;
	if (ioctl(ring->fd, PERF_EVENT_IOC_ENABLE, 0) ||
	    epoll_ctl(e->fd, EPOLL_CTL_ADD, ring->fd, &event))
		return -errno;
	return 0;
}

static int open_rings(struct kern_events *e, int map_fd, u32 max_entries)
{
	u32 cpus = kern_possible_cpus();
	int err = 0;

	e->n_rings = cpus < max_entries ? cpus : max_entries;
	e->rings = calloc(e->n_rings + 1ull, sizeof(*e->rings));
	for (u32 cpu = 0; e->rings && cpu < e->n_rings; cpu++)
		e->rings[cpu].fd = -1;
	e->joined = malloc(PERF_ALL_CPUS_DATA + sizeof(struct perf_event_header));
	if (!e->rings || !e->joined)
		return -ENOMEM;
	e->fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->fd < 0)
		return -errno;
	for (u32 cpu = 0; cpu < e->n_rings && !err; cpu++)
		err = open_cpu(e, map_fd, cpu);
	return err;
}

/* The record at a place of the ring, in one piece. */
static const struct perf_event_header *record_at(struct kern_events *e, const u8 *data,
						 u64 at)
{
	u64 size = (u64)PERF_PAGES * e->page_size, off = at & (size - 1);
	const struct perf_event_header *h = (const void *)(data + off);
	u64 first = size - off;

	if (h->size <= first)
		return h;
	memcpy(e->joined, h, first);
	memcpy(e->joined + first, data, h->size - first);
	return (const void *)e->joined;
}

static int take_record(struct kern_events *e, const struct perf_event_header *h, u32 cpu,
		       kern_event_fn fn, void *arg)
{
	struct lost {
		struct perf_event_header head;
		u64 id, n;
	} lost;
	u32 size;

	if (h->type == PERF_RECORD_LOST && h->size >= sizeof(lost)) {
		memcpy(&lost, h, sizeof(lost));
		e->lost += lost.n;
		return 0;
	}
	if (h->type != PERF_RECORD_SAMPLE || h->size < sizeof(*h) + 4)
		return 0;
	memcpy(&size, h + 1, sizeof(size));
	if (size > h->size - sizeof(*h) - 4)
		return 0;
	return fn(arg, (int)cpu, (const u8 *)(h + 1) + 4, size);
}

static s64 drain_cpu(struct kern_events *e, u32 cpu, kern_event_fn fn, void *arg)
{
	struct perf_event_mmap_page *page = e->rings[cpu].page;
	const u8 *data;
	u64 head, at;
	s64 n = 0;
	int err = 0;

	if (!page)
		return 0;
	data = (const u8 *)page + e->page_size;
	at = page->data_tail;
	head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	while (at < head && !err) {
		const struct perf_event_header *h = record_at(e, data, at);

		if (h->size < sizeof(*h))
			break;
		n += h->type == PERF_RECORD_SAMPLE;
		err = take_record(e, h, cpu, fn, arg);
		at += h->size;
		__atomic_store_n(&page->data_tail, at, __ATOMIC_RELEASE);
	}
	return err < 0 ? err : n;
}

/* ---- both ---- */

int kern_events_new(int map_fd, struct kern_events **out)
{
	struct bpf_map_info info = {0};
	struct kern_events *e = calloc(1, sizeof(*e));
	int err = e ? sys_info(map_fd, &info, sizeof(info)) : -ENOMEM;

	if (e) {
		e->type = info.type;
		e->fd = -1;
		e->page_size = (u32)sysconf(_SC_PAGESIZE);
	}
	if (!err && info.type == MAP_TYPE_RINGBUF)
		err = map_ring(e, map_fd, info.max_entries);
	else if (!err && info.type == MAP_TYPE_PERF_EVENT_ARRAY)
		err = open_rings(e, map_fd, info.max_entries);
	else if (!err)
		err = -EINVAL;
	if (err)
		kern_events_free(e);
	else
		*out = e;
	return err;
}

static void free_rings(struct kern_events *e)
{
	for (u32 i = 0; e->rings && i < e->n_rings; i++) {
		if (e->rings[i].page)
			munmap(e->rings[i].page, (1 + PERF_PAGES) * (size_t)e->page_size);
		if (e->rings[i].fd >= 0)
			close(e->rings[i].fd);
	}
	free(e->rings);
	free(e->joined);
	if (e->fd >= 0)
		close(e->fd);
}

void kern_events_free(struct kern_events *e)
{
	if (!e)
		return;
	if (e->consumer)
		munmap(e->consumer, e->page_size);
	if (e->producer)
		munmap(e->producer, e->page_size + 2 * e->ring_size);
	if (e->type == MAP_TYPE_PERF_EVENT_ARRAY)
		free_rings(e);
	free(e);
}

s64 kern_events_drain(struct kern_events *e, kern_event_fn fn, void *arg)
{
	s64 all = 0;

	if (e->type == MAP_TYPE_RINGBUF)
		return drain_ring(e, fn, arg);
	for (u32 cpu = 0; cpu < e->n_rings; cpu++) {
		s64 n = drain_cpu(e, cpu, fn, arg);

		if (n < 0)
			return n;
		all += n;
	}
	return all;
}

u64 kern_events_lost(const struct kern_events *e)
{
	return e->lost;
}

int kern_events_fd(const struct kern_events *e)
{
	return e->fd;
}
