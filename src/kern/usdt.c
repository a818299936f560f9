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

struct slot {
	u32 id;           /* first: the key in the map */
	const char *args; /* borrowed from the place that it was taken for */
};

/* What an attached probe holds in the map. */
struct slots {
	int map;          /* owned */
	u32 max, next;    /* slots below next were looked at */
	struct vec taken; /* struct slot; args are gone once the probe is attached */
};

static void free_slots(struct slots *slots)
{
	static const struct usdt_spec empty;

	for (size_t i = 0; i < slots->taken.len; i++) {
		const struct slot *slot = vec_at(&slots->taken, i);

		sys_map_update(slots->map, &slot->id, &empty, 0);
	}
	vec_fini(&slots->taken);
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

static int take_slot(struct slots *slots, const char *args, struct usdt_spec *spec,
		     struct skep_diag *diag)
{
	struct usdt_spec old = {.taken = 1};
	struct slot *slot;
	int err = 0;

	for (; slots->next < slots->max && old.taken && !err; slots->next++)
		err = sys_map_lookup(slots->map, &slots->next, &old, 0);
	if (err)
		return refused_map(err, diag);
	if (old.taken)
		return fail(diag, USDT_MAP_FULL, NO_PC, slots->max);
	slot = vec_push(&slots->taken);
	if (!slot)
		return fail(diag, NO_MEMORY, NO_PC);
	*slot = (struct slot){slots->next - 1, args};
	spec->taken = 1;
	err = sys_map_update(slots->map, &slot->id, spec, 0);
	return err ? refused_map(err, diag) : 0;
}

/* The slot that these arguments have already, or NULL. */
static const struct slot *find_slot(const struct slots *slots, const char *args)
{
	for (size_t i = 0; i < slots->taken.len; i++) {
		const struct slot *slot = vec_at(&slots->taken, i);

		if (!strcmp(slot->args, args))
			return slot;
	}
	return NULL;
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

static int fill_slot(const struct usdt *u, const struct attaching *a, const char *args,
		     struct slots *slots, struct skep_diag *diag)
{
	struct usdt_spec spec;
	int err = usdt_parse_args(args, u->machine, &spec, diag);

	spec.cookie = a->hook->cookie;
	return err ? err : take_slot(slots, args, &spec, diag);
}

/* Puts the arguments of all places into the map; cookies become slots. */
static int fill_slots(struct usdt *u, const struct attaching *a, struct slots *slots,
		      struct skep_diag *diag)
{
	for (size_t i = 0; i < u->sites.len; i++) {
		const char *args = ((struct usdt_site *)vec_at(&u->sites, i))->args;
		const struct slot *slot = find_slot(slots, args);
		int err = slot ? 0 : fill_slot(u, a, args, slots, diag);

		if (err)
			return err;
		u->cookies[i] = slot ? slot->id : slots->next - 1;
	}
	return 0;
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
	*slots = (struct slots){.map = map, .max = max, .taken = VEC_INIT(struct slot)};
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
