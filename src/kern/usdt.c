/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * USDT probes: uprobes at the places that the notes of a file tell.
 *
 * Programs that were compiled with libbpf's usdt.bpf.h find their arguments in a map: a
 * slot for each way to pass them, and the number of the slot as the cookie of the place.
 * Other programs get the cookie of the hook.  A slot in use is marked in a byte of it
 * that programs never read, so that several processes can share a map.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/binary.h"
#include "kern/refused.h"
#include "kern/sys.h"
#include "kern/uprobes.h"
#include "kern/usdt_args.h"

/* ---- the program's map ---- */

/* "__bpf_usdt_specs", as the kernel cuts it. */
static const char specs_name[] = "__bpf_usdt_spec";

static bool is_specs(int fd, u32 *max_entries)
{
	struct bpf_map_info info = {0};

	if (sys_info(fd, &info, sizeof(info)) || strcmp(info.name, specs_name) != 0 ||
	    info.key_size != sizeof(u32) || info.value_size != sizeof(struct usdt_spec))
		return false;
	*max_entries = info.max_entries;
	return true;
}

/* Through the ids of the program's maps.  -ENOENT: it has no such map. */
static int find_by_id(const struct kern_prog *prog, u32 *max_entries)
{
	u32 ids[64];
	struct bpf_prog_info info = {
		.nr_map_ids = ARRAY_SIZE(ids),
		.map_ids = (u64)(uintptr_t)ids,
	};
	int err = sys_info(prog->fd, &info, sizeof(info)), fd;

	for (u32 i = 0; !err && i < info.nr_map_ids && i < ARRAY_SIZE(ids); i++) {
		fd = sys_open_id(SYS_MAP, ids[i]);
		if (fd < 0)
			return fd;
		if (is_specs(fd, max_entries))
			return fd;
		close(fd);
	}
	return err ? err : -ENOENT;
}

/* A descriptor of its own. */
static int find_specs(const struct kern_prog *prog, u32 *max_entries)
{
	int fd;

	if (!prog->n_maps)
		return find_by_id(prog, max_entries);
	for (u32 i = 0; i < prog->n_maps; i++) {
		if (!is_specs(prog->map_fds[i], max_entries))
			continue;
		fd = fcntl(prog->map_fds[i], F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

/* ---- its slots ---- */

/* What an attached probe holds in the map. */
struct slots {
	int map;        /* owned */
	u32 max, next;  /* slots below next were looked at */
	struct vec ids; /* u32 */
};

static void free_slots(struct slots *slots)
{
	static const struct usdt_spec empty;

	for (size_t i = 0; i < slots->ids.len; i++)
		sys_map_update(slots->map, vec_at(&slots->ids, i), &empty, 0);
	vec_fini(&slots->ids);
	close(slots->map);
	free(slots);
}

static void after_detach(struct perf_link *link)
{
	free_slots(link->data);
	link->data = NULL;
}

static int refused_map(int err, struct skep_diag *diag)
{
	return kern_refused(diag, &(struct kern_attempt){.action = KERN_USE_MAP,
							 .err = err,
							 .what = "map __bpf_usdt_specs"});
}

static int take_slot(struct slots *slots, struct usdt_spec *spec, u32 *id,
		     struct skep_diag *diag)
{
	struct usdt_spec old = {.taken = 1};
	u32 *slot;
	int err = 0;

	for (; slots->next < slots->max && old.taken && !err; slots->next++)
		err = sys_map_lookup(slots->map, &slots->next, &old, 0);
	if (err)
		return refused_map(err, diag);
	if (old.taken)
		return fail(diag, USDT_MAP_FULL, NO_PC, slots->max);
	*id = slots->next - 1;
	spec->taken = 1;
	slot = vec_push(&slots->ids);
	if (!slot)
		return fail(diag, NO_MEMORY, NO_PC);
	*slot = *id;
	err = sys_map_update(slots->map, id, spec, 0);
	return err ? refused_map(err, diag) : 0;
}

/* ---- places ---- */

/* The probe in the file. */
struct usdt {
	const char *path; /* borrowed */
	u16 machine;
	struct vec sites;                  /* struct usdt_site */
	u64 *offsets, *counters, *cookies; /* owned; one for each site */
};

static void usdt_fini(struct usdt *u)
{
	usdt_sites_fini(&u->sites);
	free(u->offsets);
	free(u->counters);
	free(u->cookies);
}

static int usdt_init(struct usdt *u, const char *path, const struct attaching *a,
		     struct skep_diag *diag)
{
	struct binary bin;
	int err;

	*u = (struct usdt){.path = path, .sites = VEC_INIT(struct usdt_site)};
	err = binary_open(path, &bin, diag);
	if (err)
		return err;
	u->machine = bin.machine;
	err = binary_usdt(&bin, a->hook->category ? a->hook->category : "",
			  a->hook->name ? a->hook->name : "", &u->sites, diag);
	binary_close(&bin);
	if (err)
		return diag_in(diag, err, "%s", path);
	u->offsets = calloc(u->sites.len, sizeof(u64));
	u->counters = calloc(u->sites.len, sizeof(u64));
	u->cookies = calloc(u->sites.len, sizeof(u64));
	if (!u->offsets || !u->counters || !u->cookies)
		return fail(diag, NO_MEMORY, NO_PC);
	for (size_t i = 0; i < u->sites.len; i++) {
		const struct usdt_site *site = vec_at(&u->sites, i);

		u->offsets[i] = site->offset;
		u->counters[i] = site->semaphore;
		u->cookies[i] = a->hook->cookie;
	}
	return 0;
}

/* The slot that an earlier place with the same arguments has. */
static bool same_as_before(const struct usdt *u, size_t i, u64 *cookie)
{
	const struct usdt_site *site = vec_at(&u->sites, i);

	for (size_t j = 0; j < i; j++) {
		const struct usdt_site *other = vec_at(&u->sites, j);

		if (strcmp(site->args, other->args) != 0)
			continue;
		*cookie = u->cookies[j];
		return true;
	}
	return false;
}

/* Puts the arguments of all places into the map; cookies become slots. */
static int fill_slots(struct usdt *u, const struct attaching *a, struct slots *slots,
		      struct skep_diag *diag)
{
	int err = 0;

	for (size_t i = 0; !err && i < u->sites.len; i++) {
		const struct usdt_site *site = vec_at(&u->sites, i);
		struct usdt_spec spec;
		u32 id = 0;

		if (same_as_before(u, i, &u->cookies[i]))
			continue;
		err = usdt_parse_args(site->args, u->machine, &spec, diag);
		spec.cookie = a->hook->cookie;
		if (!err)
			err = take_slot(slots, &spec, &id, diag);
		u->cookies[i] = id;
	}
	return err;
}

static int attach_places(struct usdt *u, const struct attaching *a,
			 struct perf_link *link, struct skep_diag *diag)
{
	struct uprobe_places places = {
		.path = u->path,
		.offsets = u->offsets,
		.counters = u->counters,
		.cookies = u->cookies,
		.n = (u32)u->sites.len,
	};
	struct slots *slots;
	u32 max = 0;
	int map = find_specs(a->prog, &max), err;

	if (map == -ENOENT)
		return uprobe_attach(link, &places, a, diag);
	if (map < 0)
		return refused_map(map, diag);
	slots = calloc(1, sizeof(*slots));
	if (!slots) {
		close(map);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	*slots = (struct slots){.map = map, .max = max, .ids = VEC_INIT(u32)};
	link->data = slots;
	link->after = after_detach;
	err = fill_slots(u, a, slots, diag);
	return err ? err : uprobe_attach(link, &places, a, diag);
}

static int attach_at(const char *path, const struct attaching *a, struct kern_link **link,
		     struct skep_diag *diag)
{
	struct perf_link *perf;
	struct usdt u;
	int err = usdt_init(&u, path, a, diag);

	perf = err ? NULL : perf_link_new(a, diag);
	if (!err && !perf)
		err = -ENOMEM;
	if (!err)
		err = attach_places(&u, a, perf, diag);
	usdt_fini(&u);
	if (!err)
		return perf_link_done(perf, a, link, diag);
	if (perf)
		perf_link_drop(perf);
	return err;
}

int attach_usdt(const struct attaching *a, struct kern_link **link,
		struct skep_diag *diag)
{
	char *path;
	int err;

	if (!a->hook->path)
		return fail(diag, NO_BINARY, NO_PC, "program", "");
	err = binary_path(a->hook->path, &path, diag);
	if (err)
		return err;
	err = attach_at(path, a, link, diag);
	free(path);
	return err;
}
