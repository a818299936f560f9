/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf_event_open(2), and programs on what it gives.
 *
 * BPF_LINK_CREATE is tried first; kernels before 5.15 answer EINVAL, as they do to a
 * program of a wrong type: then the ioctl of old decides which of the two it was.
 */
#define _GNU_SOURCE /* asprintf() */
#include "kern/perf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "base/file.h"
#include "kern/sys.h"
#include "kern/tracefs.h"

/* ---- events ---- */

struct perf_point perf_point_of(const struct hook *hook, u32 type, u64 config)
{
	bool one = hook->pid > 0;

	return (struct perf_point){
		.attr =
			{
				.type = type,
				.size = sizeof(struct perf_event_attr),
				.config = config,
				.disabled = 1,
			},
		.pid = one ? hook->pid : -1,
		/* what has no thread needs a CPU; probes run on all of them anyway */
		.cpu = one ? -1 : 0,
		.cookie = hook->cookie,
	};
}

static int open_event(const struct perf_point *point)
{
	struct perf_event_attr attr =
		point->attr; /* the kernel writes its size into it */
	long fd = syscall(SYS_perf_event_open, &attr, point->pid, point->cpu, -1,
			  PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static int pmu_file(const char *pmu, const char *name, struct file *file)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/%s", pmu, name);
	if (file_read(path, file, NULL) || !file->data)
		return -ENOENT;
	return 0;
}

/* The number behind `word`, or at the start. */
static int pmu_number(const char *pmu, const char *name, const char *word, u32 *number)
{
	struct file file;
	char text[64], *at, *end;
	size_t len;

	if (pmu_file(pmu, name, &file))
		return -ENOENT;
	len = min_u64(file.len, sizeof(text) - 1);
	memcpy(text, file.data, len);
	text[len] = 0;
	file_fini(&file);
	at = strstr(text, word);
	if (!at)
		return -ENOENT;
	at += strlen(word);
	*number = (u32)strtoul(at, &end, 10);
	return end == at ? -ENOENT : 0;
}

int perf_pmu_type(const char *pmu, u32 *type)
{
	return pmu_number(pmu, "type", "", type);
}

int perf_pmu_bit(const char *pmu, const char *word, u32 *bit)
{
	char name[64];

	snprintf(name, sizeof(name), "format/%s", word);
	return pmu_number(pmu, name, "config:", bit);
}

/* ---- programs on them ---- */

/* A bpf_link, or -EINVAL where the kernel has none for events. */
static int link_event(int event, const struct kern_prog *prog, u64 cookie)
{
	struct link_create_attr attr = {
		.prog_fd = (u32)prog->fd,
		.target_fd = (u32)event,
		.attach_type = ATTACH_PERF_EVENT,
		.perf_event.cookie = cookie,
	};

	return sys_link_create(&attr, LINK_UPTO(perf_event));
}

/* The descriptor that keeps the program attached: a link's or the event's, which is taken
 * either way. */
static int attach_event(int event, const struct kern_prog *prog, u64 cookie,
			bool *is_event)
{
	int fd = link_event(event, prog, cookie), err = 0;

	*is_event = fd == -EINVAL && !cookie;
	if (*is_event && ioctl(event, PERF_EVENT_IOC_SET_BPF, prog->fd))
		err = -errno;
	else if (!*is_event && fd < 0)
		err = fd;
	if (!err && ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		err = -errno;
	if (!err && *is_event)
		return event;
	close(event);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

int perf_link_add(struct perf_link *link, const struct attaching *a,
		  const struct perf_point *point)
{
	int event = open_event(point), fd, *slot;
	bool is_event;

	if (event < 0)
		return event;
	fd = attach_event(event, a->prog, point->cookie, &is_event);
	if (fd < 0)
		return fd;
	slot = vec_push(&link->fds);
	if (!slot) {
		close(fd);
		return -ENOMEM;
	}
	*slot = fd;
	link->has_events |= is_event;
	return 0;
}

/* ---- probes of tracefs ---- */

/* A name that nobody else has. */
static char *probe_name(void)
{
	struct timespec now;
	char *name = NULL;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (asprintf(&name, "skep/p%d_%llx", (int)getpid(),
		     (unsigned long long)now.tv_sec * 1000000000 +
			     (unsigned long long)now.tv_nsec) < 0)
		return NULL;
	return name;
}

/* kind: 'p' where a function starts, 'r' where it returns. */
static int make_probe(struct perf_link *link, int tracefs, char kind, const char *place)
{
	char *line, **slot = vec_push(&link->probes);
	int err = -ENOMEM;

	if (!slot)
		return -ENOMEM;
	*slot = probe_name();
	if (*slot && asprintf(&line, "%c:%s %s", kind, *slot, place) >= 0) {
		err = tracefs_command(tracefs, link->control, line);
		free(line);
	}
	if (err) {
		free(*slot);
		link->probes.len--;
	}
	return err;
}

static int open_probe(struct perf_link *link, const struct attaching *a, int tracefs)
{
	const char *name = *(char **)vec_at(&link->probes, link->probes.len - 1);
	struct perf_point point;
	char path[128];
	u64 id;
	int err;

	snprintf(path, sizeof(path), "events/%s/id", name);
	err = tracefs_number(tracefs, path, &id);
	if (err)
		return err;
	point = perf_point_of(a->hook, PERF_TYPE_TRACEPOINT, id);
	return perf_link_add(link, a, &point);
}

int perf_link_add_traced(struct perf_link *link, const struct attaching *a,
			 const char *control, const char *place)
{
	int tracefs = tracefs_open(NULL), err;

	if (tracefs < 0)
		return tracefs;
	link->control = control;
	err = make_probe(link, tracefs, a->hook->is_return ? 'r' : 'p', place);
	if (!err)
		err = open_probe(link, a, tracefs);
	close(tracefs);
	return err;
}

/* ---- the link ---- */

static void close_all(struct perf_link *perf)
{
	for (size_t i = 0; i < perf->fds.len; i++)
		close(*(int *)vec_at(&perf->fds, i));
	vec_clear(&perf->fds);
}

/* A probe of tracefs can go only when no event uses it any more. */
static void remove_probes(struct perf_link *perf)
{
	int tracefs = perf->probes.len ? tracefs_open(NULL) : -1;

	for (size_t i = 0; i < perf->probes.len; i++) {
		char line[128], *name = *(char **)vec_at(&perf->probes, i);

		snprintf(line, sizeof(line), "-:%s", name);
		if (tracefs >= 0)
			tracefs_command(tracefs, perf->control, line);
		free(name);
	}
	vec_clear(&perf->probes);
	if (tracefs >= 0)
		close(tracefs);
}

static int detach_events(struct kern_link *link, struct skep_diag *diag)
{
	struct perf_link *perf = container_of(link, struct perf_link, link);

	(void)diag;
	close_all(perf);
	remove_probes(perf);
	if (perf->after)
		perf->after(perf);
	perf->after = NULL;
	return 0;
}

static void release_events(struct kern_link *link)
{
	struct perf_link *perf = container_of(link, struct perf_link, link);

	close_all(perf);
	vec_fini(&perf->fds);
	vec_fini(&perf->probes);
	free(perf);
}

/* Linux cannot replace the program of an event. */
static const struct kern_link_ops perf_ops = {
	.detach = detach_events,
	.release = release_events,
};

struct perf_link *perf_link_new(const struct attaching *a, struct skep_diag *diag)
{
	struct kern_link *link = link_new(a, &perf_ops, sizeof(struct perf_link), diag);
	struct perf_link *perf;

	if (!link)
		return NULL;
	perf = container_of(link, struct perf_link, link);
	perf->fds = (struct vec)VEC_INIT(int);
	perf->probes = (struct vec)VEC_INIT(char *);
	return perf;
}

void perf_link_drop(struct perf_link *perf)
{
	detach_events(&perf->link, NULL);
	release_events(&perf->link);
}

int perf_link_done(struct perf_link *perf, const struct attaching *a,
		   struct kern_link **link, struct skep_diag *diag)
{
	int fd;

	if (perf->fds.len != 1 || perf->has_events || perf->after) {
		*link = &perf->link;
		return 0;
	}
	fd = *(int *)vec_at(&perf->fds, 0);
	vec_clear(&perf->fds);
	release_events(&perf->link);
	return link_of_fd(a, fd, link, diag);
}
