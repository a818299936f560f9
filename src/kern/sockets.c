/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hooks around sockets: a network namespace, netfilter, maps of sockets, one socket.
 *
 * A map of sockets had no links before 6.10: there the map itself keeps the program.  A
 * socket keeps its program as long as anybody has the socket open.  socket(7).
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/attach.h"
#include "kern/sys.h"

/* ---- network namespaces ---- */

int attach_netns(const struct attaching *a, struct kern_link **link,
		 struct skep_diag *diag)
{
	/* as ip-netns(8) names them, or a file */
	const char *folder = strchr(a->hook->path, '/') ? "" : "/run/netns/";
	struct link_create_attr attr = {.attach_type = a->hook->attach_type};
	char path[PATH_MAX];
	int netns, fd;

	snprintf(path, sizeof(path), "%s%s", folder, a->hook->path);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return fail_errno(diag, -errno, HOOK_PATH, NO_PC, path, strerror(errno));
	attr.target_fd = (u32)netns;
	fd = link_create(a, &attr, LINK_UPTO(flags));
	close(netns);
	return link_of_fd(a, fd, link, diag);
}

/* ---- netfilter ---- */

int attach_netfilter(const struct attaching *a, struct kern_link **link,
		     struct skep_diag *diag)
{
	const struct hook *h = a->hook;
	struct link_create_attr attr = {
		.attach_type = ATTACH_NETFILTER,
		.netfilter = {.pf = h->family,
			      .hooknum = h->number,
			      .priority = h->priority,
			      .flags = h->defrag ? NETFILTER_IP_DEFRAG : 0},
	};
	char where[HOOK_NAME_SIZE];
	int fd = link_create(a, &attr, LINK_UPTO(netfilter));

	if (fd == -EBUSY)
		return fail(diag, NETFILTER_PRIORITY, NO_PC, hook_name(h, where),
			    h->priority);
	return link_of_fd(a, fd, link, diag);
}

/* ---- maps of sockets ---- */

/* The caller's descriptor, or the map that is pinned there. */
static int open_map(const struct hook *hook, struct skep_diag *diag)
{
	int fd = hook->fd >= 0 ? fcntl(hook->fd, F_DUPFD_CLOEXEC, 0)
			       : sys_open_pinned(hook->path, 0);
	int err = fd < 0 && hook->fd >= 0 ? -errno : fd;

	return fd < 0 ? fail_errno(diag, err, HOOK_PATH, NO_PC,
				   hook->path ? hook->path : "the map", strerror(-err))
		      : fd;
}

int attach_sockmap_prog(const struct attaching *a, struct kern_link **link,
			struct skep_diag *diag)
{
	int map = open_map(a->hook, diag);

	return map < 0 ? map : attach_prog(a, map, link, diag);
}

int attach_sockmap(const struct attaching *a, struct kern_link **link,
		   struct skep_diag *diag)
{
	struct link_create_attr attr = {.attach_type = a->hook->attach_type};
	int map = open_map(a->hook, diag), fd;

	if (map < 0)
		return map;
	attr.target_fd = (u32)map;
	fd = link_create(a, &attr, LINK_UPTO(flags));
	if (fd == -EINVAL && kernel_before(6, 10))
		return attach_prog(a, map, link, diag);
	close(map);
	return link_of_fd(a, fd, link, diag);
}

/* ---- one socket ---- */

struct socket_link {
	struct kern_link link;
	int socket; /* owned */
};

/* A program of type SK_REUSEPORT chooses among the sockets of a group. */
static int set_program(int socket, const struct kern_prog *prog)
{
	int option = prog->type == PROG_TYPE_SK_REUSEPORT ? SO_ATTACH_REUSEPORT_EBPF
							  : SO_ATTACH_BPF;

	return setsockopt(socket, SOL_SOCKET, option, &prog->fd, sizeof(prog->fd))
		       ? -errno
		       : 0;
}

static int socket_update(struct kern_link *link, const struct kern_prog *prog,
			 struct skep_diag *diag)
{
	struct socket_link *l = container_of(link, struct socket_link, link);
	int err = prog->type == link->prog_type ? set_program(l->socket, prog) : -EINVAL;

	return err ? link_refused(link, err, "", diag) : 0;
}

static int socket_detach(struct kern_link *link, struct skep_diag *diag)
{
	struct socket_link *l = container_of(link, struct socket_link, link);
	int option = link->prog_type == PROG_TYPE_SK_REUSEPORT ? SO_DETACH_REUSEPORT_BPF
							       : SO_DETACH_BPF;
	int unused = 0;

	if (!setsockopt(l->socket, SOL_SOCKET, option, &unused, sizeof(unused)) ||
	    errno == ENOENT)
		return 0;
	return link_refused(link, -errno, "", diag);
}

static void socket_release(struct kern_link *link)
{
	struct socket_link *l = container_of(link, struct socket_link, link);

	if (l->socket >= 0)
		close(l->socket);
	free(l);
}

static const struct kern_link_ops socket_ops = {
	.update = socket_update, .detach = socket_detach, .release = socket_release};

int attach_socket(const struct attaching *a, struct kern_link **out,
		  struct skep_diag *diag)
{
	struct kern_link *link =
		link_new(a, &socket_ops, sizeof(struct socket_link), diag);
	struct socket_link *l;
	int err;

	if (!link)
		return -ENOMEM;
	l = container_of(link, struct socket_link, link);
	l->socket = fcntl(a->hook->fd, F_DUPFD_CLOEXEC, 0);
	err = l->socket < 0 ? -errno : set_program(l->socket, a->prog);
	if (err) {
		socket_release(link);
		return attach_refused(a, err, diag);
	}
	*out = link;
	return 0;
}
