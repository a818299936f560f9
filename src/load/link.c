/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public side of links.  Behind each is a link of src/kern.
 */
#include <skep/link.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/iter.h"
#include "kern/link.h"
#include "kern/sys.h"
#include "kern/uapi.h"
#include "load/kernel.h"

struct skep_link {
	struct kern_link *kern; /* owned */
};

/* Takes the link. */
static int make_link(struct kern_link *kern, struct skep_link **out,
		     struct skep_diag *diag)
{
	struct skep_link *link = calloc(1, sizeof(*link));

	if (!link) {
		kern_link_free(kern);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	link->kern = kern;
	*out = link;
	return 0;
}

static struct kern_prog kern_prog_of(const struct skep_prog *prog, const int *fds)
{
	const struct prog *p = prog->prog;

	return (struct kern_prog){
		.fd = prog->fd,
		.type = p->type,
		.attach_type = p->attach_type,
		.name = p->name,
		.sleepable = p->sleepable,
		.frags = p->frags,
		.map_fds = fds,
		.n_maps = fds ? p->n_maps : 0,
	};
}

static int attach_to(struct skep_prog *prog, const struct hook *hook,
		     struct skep_link **link, struct skep_diag *diag)
{
	int *fds = kernel_map_fds(prog, diag);
	struct kern_prog kern = kern_prog_of(prog, fds);
	struct kern_link *made;
	int err = fds ? kern_attach(&kern, hook, &made, diag) : -ENOMEM;

	free(fds);
	return err ? err : make_link(made, link, diag);
}

SKEP_API int skep_prog_attach(struct skep_prog *prog, const char *hook,
			      struct skep_link **link, struct skep_diag *diag)
{
	struct hook place;
	int err;

	if (prog->fd < 0)
		return diag_in(diag, fail(diag, NOT_IN_KERNEL, NO_PC), "%s",
			       prog->prog->name);
	err = hook ? hook_parse(hook, &place, diag)
		   : hook_of_prog(prog->prog, &place, diag);
	if (err)
		return hook ? err : diag_in(diag, err, "%s", prog->prog->name);
	err = attach_to(prog, &place, link, diag);
	hook_fini(&place);
	return diag_in(diag, err, "%s", prog->prog->name);
}

/* ---- struct_ops ---- */

static bool is_by_link(const struct skep_map *map)
{
	struct bpf_map_info info = {0};

	return !sys_info(map->fd, &info, sizeof(info)) &&
	       info.map_flags & STRUCT_OPS_LINK;
}

SKEP_API int skep_map_attach(struct skep_map *map, struct skep_link **link,
			     struct skep_diag *diag)
{
	struct hook hook = {.kind = HOOK_STRUCT_OPS, .fd = map->fd};
	struct kern_prog none = {
		.fd = map->fd, .type = PROG_TYPE_STRUCT_OPS, .name = map->def->name};
	struct kern_link *made;
	const u32 zero = 0;
	int err;

	if (map->fd < 0 || !map->ops_value)
		return diag_in(diag, fail(diag, NOT_STRUCT_OPS, NO_PC), "map %s",
			       map->def->name);
	err = sys_map_update(map->fd, &zero, map->ops_value, 0);
	/* a value that links use is never written again */
	if (err && !(err == -EBUSY && is_by_link(map)))
		return diag_in(
			diag, fail_errno(diag, err, KERN_MAP_FILL, NO_PC, strerror(-err)),
			"map %s", map->def->name);
	err = kern_attach(&none, &hook, &made, diag);
	return err ? diag_in(diag, err, "map %s", map->def->name)
		   : make_link(made, link, diag);
}

/* ---- what can be done with a link ---- */

SKEP_API int skep_link_update(struct skep_link *link, const struct skep_prog *prog,
			      struct skep_diag *diag)
{
	struct kern_prog kern = kern_prog_of(prog, NULL);

	if (prog->fd < 0)
		return diag_in(diag, fail(diag, NOT_IN_KERNEL, NO_PC), "%s",
			       prog->prog->name);
	return kern_link_update(link->kern, &kern, diag);
}

SKEP_API int skep_link_pin(struct skep_link *link, const char *path,
			   struct skep_diag *diag)
{
	return kern_link_pin(link->kern, path, diag);
}

SKEP_API int skep_link_open(const char *path, struct skep_link **link,
			    struct skep_diag *diag)
{
	struct kern_link *kern;
	int err = kern_link_open_pinned(path, &kern, diag);

	return err ? err : make_link(kern, link, diag);
}

SKEP_API int skep_link_detach(struct skep_link *link, struct skep_diag *diag)
{
	return kern_link_detach(link->kern, diag);
}

static int pass_on(int fd, skep_text_fn fn, void *arg, struct skep_diag *diag)
{
	char buffer[4096];
	ssize_t n;

	for (;;) {
		int err = 0;

		n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return fail_errno(diag, -errno, KERN_MAP_READ, NO_PC,
					  strerror(errno));
		if (n)
			err = fn(arg, buffer, (size_t)n);
		if (!n || err < 0)
			return err;
	}
}

SKEP_API int skep_link_read(const struct skep_link *link, skep_text_fn fn, void *arg,
			    struct skep_diag *diag)
{
	int fd = kern_iter_open(link->kern, diag), err;

	if (fd < 0)
		return fd;
	err = pass_on(fd, fn, arg, diag);
	close(fd);
	return err;
}

SKEP_API bool skep_link_is_alive(const struct skep_link *link)
{
	struct bpf_link_info info = {0};
	int fd = kern_link_fd(link->kern);

	if (fd < 0 || sys_info(fd, &info, sizeof(info)))
		return fd < 0;
	/* XDP, TCX and netkit have their interface, cgroup its id, netns its inode in the
	 * first word or two */
	switch (info.type) {
	case BPF_LINK_TYPE_XDP:
	case LINK_TYPE_TCX:
	case LINK_TYPE_NETKIT: return info.xdp.ifindex;
	case BPF_LINK_TYPE_CGROUP: return info.cgroup.cgroup_id;
	case BPF_LINK_TYPE_NETNS: return info.netns.netns_ino;
	default: return true;
	}
}

SKEP_API u32 skep_link_id(const struct skep_link *link)
{
	return kern_link_id(link->kern);
}

SKEP_API void skep_link_close(struct skep_link *link)
{
	if (!link)
		return;
	kern_link_free(link->kern);
	free(link);
}
