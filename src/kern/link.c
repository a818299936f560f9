/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links: which function attaches to which kind of hook, and what all links have in
 * common.
 *
 * A link that the kernel knows (bpf_link) is detached by closing its last descriptor; the
 * others detach themselves.  kern/attach.h has the inside.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/attach.h"
#include "kern/refused.h"
#include "kern/sys.h"

static attach_fn *const attach_fns[] = {
	[HOOK_XDP] = attach_xdp,
	[HOOK_TCX] = attach_tcx,
	[HOOK_TC] = attach_tc,
	[HOOK_NETKIT] = attach_netkit,
	[HOOK_CGROUP] = attach_cgroup,
	[HOOK_NETNS] = attach_netns,
	[HOOK_SOCKET] = attach_socket,
	[HOOK_SOCKMAP] = attach_sockmap,
	[HOOK_NETFILTER] = attach_netfilter,
	[HOOK_TRACEPOINT] = attach_tracepoint,
	[HOOK_RAW_TRACEPOINT] = attach_raw_tracepoint,
	[HOOK_TRACING] = attach_tracing,
	[HOOK_FREPLACE] = attach_tracing,
	[HOOK_KPROBE] = attach_kprobe,
	[HOOK_KPROBE_MULTI] = attach_kprobe_multi,
	[HOOK_UPROBE] = attach_uprobe,
	[HOOK_UPROBE_MULTI] = attach_uprobe,
	[HOOK_USDT] = attach_usdt,
	[HOOK_PERF_EVENT] = attach_perf_event,
	[HOOK_ITER] = attach_iter,
	[HOOK_STRUCT_OPS] = attach_struct_ops,
};

/* BPF_LINK_TYPE_* whose program can be replaced; struct_ops replaces its map. */
enum {
	LINK_CGROUP = 3,
	LINK_ITER = 4,
	LINK_NETNS = 5,
	LINK_XDP = 6,
	LINK_STRUCT_OPS = 9,
	LINK_TCX = 11,
	LINK_NETKIT = 13,
	LINK_SOCKMAP = 14,
};

static const char *name_of(const struct kern_prog *prog)
{
	return prog->name ? prog->name : "without a name";
}

static int refused(const char *what, u32 prog_type, int err, struct skep_diag *diag)
{
	const struct kern_attempt attempt = {
		.action = KERN_ATTACH, .prog_type = prog_type, .err = err, .what = what};

	return kern_refused(diag, &attempt);
}

/* ---- attaching ---- */

static void describe(const struct attaching *a, char *what, size_t size)
{
	char where[HOOK_NAME_SIZE];

	hook_name(a->hook, where);
	snprintf(what, size, "program %.31s at %s", name_of(a->prog), where);
}

int attach_refused(const struct attaching *a, int err, struct skep_diag *diag)
{
	u32 prog_type = 0, attach_type = 0;
	char what[sizeof(((struct kern_link *)0)->what)];
	const struct abi_name *is, *wants;

	describe(a, what, sizeof(what));
	hook_wants(a->hook, &prog_type, &attach_type);
	is = abi_attach_type(a->prog->attach_type);
	wants = abi_attach_type(attach_type);
	if (err == -EINVAL && attach_type && attach_type != a->prog->attach_type)
		return fail(diag, HOOK_ATTACH_TYPE, NO_PC, what, is ? is->name : "?",
			    wants ? wants->name : "?");
	return refused(what, a->prog->type, err, diag);
}

int link_refused(const struct kern_link *link, int err, const char *why,
		 struct skep_diag *diag)
{
	if (!*why || err == -EPERM || err == -EACCES)
		return refused(link->what, link->prog_type, err, diag);
	return fail_errno(diag, err, KERNEL_WORDS, NO_PC, link->what, strerror(-err),
			  why);
}

struct kern_link *link_new(const struct attaching *a, const struct kern_link_ops *ops,
			   size_t size, struct skep_diag *diag)
{
	struct kern_link *link = calloc(1, size);

	if (!link) {
		fail(diag, NO_MEMORY, NO_PC);
		return NULL;
	}
	link->ops = ops;
	link->fd = -1;
	link->prog_type = a->prog->type;
	describe(a, link->what, sizeof(link->what));
	return link;
}

static int check_type(const struct attaching *a, struct skep_diag *diag)
{
	const struct abi_name *is = abi_prog_type(a->prog->type), *wants;
	char where[HOOK_NAME_SIZE];
	u32 prog_type, attach_type;

	if (!hook_wants(a->hook, &prog_type, &attach_type) || prog_type == a->prog->type)
		return 0;
	wants = abi_prog_type(prog_type);
	return fail(diag, HOOK_PROG_TYPE, NO_PC, name_of(a->prog), is ? is->name : "?",
		    hook_name(a->hook, where), wants ? wants->name : "?");
}

int kern_attach(const struct kern_prog *prog, const struct hook *hook,
		struct kern_link **link, struct skep_diag *diag)
{
	const struct attaching a = {prog, hook};
	int err = check_type(&a, diag);

	*link = NULL;
	return err ? err : attach_fns[hook->kind](&a, link, diag);
}

u32 prog_id(int prog_fd)
{
	struct bpf_prog_info info = {0};

	return sys_info(prog_fd, &info, sizeof(info)) ? 0 : info.id;
}

bool kernel_before(u32 major, u32 minor)
{
	u32 version = sys_version();

	return version && version < ABI_LINUX(major, minor);
}

/* ---- bpf_links ---- */

static const struct kern_link_ops bpf_link_ops = {
	.update = bpf_link_update,
	.detach = bpf_link_detach,
};

int link_of_fd(const struct attaching *a, int fd, struct kern_link **link,
	       struct skep_diag *diag)
{
	if (fd < 0)
		return attach_refused(a, fd, diag);
	*link = link_new(a, &bpf_link_ops, sizeof(**link), diag);
	if (!*link) {
		close(fd);
		return -ENOMEM;
	}
	(*link)->fd = fd;
	return 0;
}

int link_create(const struct attaching *a, struct link_create_attr *attr, size_t size)
{
	attr->prog_fd = (u32)a->prog->fd;
	return sys_link_create(attr, size);
}

u32 place_flags(const struct hook *hook)
{
	switch (hook->place) {
	case PLACE_LAST: return 0;
	case PLACE_FIRST: return PLACE_IS_BEFORE;
	case PLACE_BEFORE: return PLACE_IS_BEFORE | PLACE_HAS_ID;
	case PLACE_AFTER: return PLACE_IS_AFTER | PLACE_HAS_ID;
	}
	return 0;
}

int place_link(const struct attaching *a, int fd, struct kern_link **link,
	       struct skep_diag *diag)
{
	char where[HOOK_NAME_SIZE];

	hook_name(a->hook, where);
	if (fd == -ENOENT && a->hook->anchor)
		return fail(diag, HOOK_ANCHOR, NO_PC, where, a->hook->anchor);
	if (fd == -EEXIST)
		return fail(diag, HOOK_TWICE, NO_PC, where, name_of(a->prog));
	return link_of_fd(a, fd, link, diag);
}

static bool link_info(int fd, struct bpf_link_info *info)
{
	memset(info, 0, sizeof(*info));
	return fd >= 0 && !sys_info(fd, info, sizeof(*info));
}

static bool has_update(int fd)
{
	const u32 types = 1 << LINK_CGROUP | 1 << LINK_ITER | 1 << LINK_NETNS |
			  1 << LINK_XDP | 1 << LINK_STRUCT_OPS | 1 << LINK_TCX |
			  1 << LINK_NETKIT | 1 << LINK_SOCKMAP;
	struct bpf_link_info info;

	return !link_info(fd, &info) || (info.type < 32 && types >> info.type & 1);
}

int bpf_link_update(struct kern_link *link, const struct kern_prog *prog,
		    struct skep_diag *diag)
{
	int err = sys_link_update(link->fd, prog->fd, -1);

	if (!err)
		return 0;
	if ((err == -EINVAL || err == -EOPNOTSUPP) && !has_update(link->fd))
		return fail(diag, LINK_UPDATE, NO_PC, link->what);
	if (err == -ENOLINK)
		return fail(diag, LINK_GONE, NO_PC, link->what);
	return refused(link->what, prog->type, err, diag);
}

/* The pin that we made or opened, if it is still this link's. */
static void unpin(struct kern_link *link, u32 id)
{
	struct bpf_link_info info;
	int fd = link->pin ? sys_open_pinned(link->pin, 0) : -1;

	if (link_info(fd, &info) && info.id == id)
		unlink(link->pin);
	if (fd >= 0)
		close(fd);
}

/* Links that know no detaching go when nobody holds them.  Who may not open links by id
 * cannot know that another one does. */
static int let_go(struct kern_link *link, u32 id, struct skep_diag *diag)
{
	int fd;

	close(link->fd);
	link->fd = -1;
	fd = sys_open_id(SYS_LINK, id);
	if (fd < 0)
		return 0;
	link->fd = fd;
	return fail(diag, LINK_HELD, NO_PC, link->what);
}

int bpf_link_detach(struct kern_link *link, struct skep_diag *diag)
{
	u32 id = kern_link_id(link);
	int err = sys_link_detach(link->fd);

	if (!err || err == -EOPNOTSUPP || err == -EINVAL)
		unpin(link, id);
	/* EINVAL: Linux before 5.9 has no such command */
	if (err == -EOPNOTSUPP || err == -EINVAL)
		return let_go(link, id, diag);
	return err ? refused(link->what, link->prog_type, err, diag) : 0;
}

/* ---- opening ---- */

/* Takes the descriptor. */
static int open_fd(int fd, const char *what, struct kern_link **out,
		   struct skep_diag *diag)
{
	struct kern_link *link = calloc(1, sizeof(*link));

	if (!link) {
		close(fd);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	link->ops = &bpf_link_ops;
	link->fd = fd;
	link->is_kept = true;
	snprintf(link->what, sizeof(link->what), "%s", what);
	*out = link;
	return 0;
}

/* Nothing else than a link gets as far as to look at the new program. */
static bool is_link(int fd)
{
	return sys_link_update(fd, -1, -1) == -EBADF;
}

int kern_link_open_pinned(const char *path, struct kern_link **link,
			  struct skep_diag *diag)
{
	char what[sizeof((*link)->what)];
	int fd = sys_open_pinned(path, 0), err;

	*link = NULL;
	snprintf(what, sizeof(what), "link %s", path);
	if (fd < 0)
		return kern_refused(diag, &(struct kern_attempt){.action = KERN_PIN,
								 .err = fd,
								 .what = what,
								 .path = path});
	if (!is_link(fd)) {
		close(fd);
		return fail(diag, NOT_A_LINK, NO_PC, path);
	}
	err = open_fd(fd, what, link, diag);
	if (err)
		return err;
	(*link)->pin = strdup(path);
	return 0;
}

int kern_link_open_id(u32 id, struct kern_link **link, struct skep_diag *diag)
{
	char what[sizeof((*link)->what)];
	int fd = sys_open_id(SYS_LINK, id);

	*link = NULL;
	snprintf(what, sizeof(what), "link %u", id);
	if (fd == -ENOENT)
		return fail(diag, NO_LINK, NO_PC, id);
	if (fd < 0)
		return kern_refused(diag, &(struct kern_attempt){.action = KERN_LIST,
								 .err = fd,
								 .what = what});
	return open_fd(fd, what, link, diag);
}

/* ---- pinning ---- */

static bool below_bpffs(const char *path)
{
	const char *slash = strrchr(path, '/');
	int len = slash ? (int)(slash - path) + (slash == path) : 1;
	char folder[PATH_MAX];
	struct statfs fs;

	snprintf(folder, sizeof(folder), "%.*s", len, slash ? path : ".");
	return !statfs(folder, &fs) && (u32)fs.f_type == BPF_FS_MAGIC;
}

static int make_folder(const char *path)
{
	struct stat st;

	if (!stat(path, &st))
		return 0;
	if (!below_bpffs(path))
		return -EXDEV;
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

/* Makes the folders of a path that are missing; only in a bpffs. */
static int make_folders(char *path)
{
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		int err = make_folder(path);
		*at = '/';
		if (err)
			return err;
	}
	return 0;
}

static int pin_at(struct kern_link *link, char *path, struct skep_diag *diag)
{
	struct kern_attempt attempt = {
		.action = KERN_PIN, .what = link->what, .path = path};

	attempt.err = make_folders(path);
	if (attempt.err == -EXDEV)
		return fail(diag, NOT_BPFFS, NO_PC, link->what, path);
	if (!attempt.err)
		attempt.err = sys_pin(link->fd, path);
	return attempt.err ? kern_refused(diag, &attempt) : 0;
}

int kern_link_pin(struct kern_link *link, const char *path, struct skep_diag *diag)
{
	char *copy;
	int err;

	if (!*path)
		return fail(diag, NOT_BPFFS, NO_PC, link->what, path);
	if (link->fd < 0)
		return fail(diag, LINK_PIN, NO_PC, link->what);
	copy = strdup(path);
	if (!copy)
		return fail(diag, NO_MEMORY, NO_PC);
	err = pin_at(link, copy, diag);
	if (err) {
		free(copy);
		return err;
	}
	free(link->pin);
	link->pin = copy;
	link->is_kept = true;
	return 0;
}

/* ---- the rest of kern/link.h ---- */

int kern_link_update(struct kern_link *link, const struct kern_prog *prog,
		     struct skep_diag *diag)
{
	if (link->is_detached)
		return fail(diag, LINK_GONE, NO_PC, link->what);
	if (!link->ops->update)
		return fail(diag, LINK_UPDATE, NO_PC, link->what);
	return link->ops->update(link, prog, diag);
}

int kern_link_detach(struct kern_link *link, struct skep_diag *diag)
{
	int err = link->is_detached ? 0 : link->ops->detach(link, diag);

	if (!err)
		link->is_detached = true;
	return err;
}

void kern_link_free(struct kern_link *link)
{
	if (!link)
		return;
	if (link->fd < 0 && !link->is_kept && !link->is_detached)
		link->ops->detach(link, NULL);
	if (link->fd >= 0)
		close(link->fd);
	free(link->pin);
	if (link->ops->release)
		link->ops->release(link);
	else
		free(link);
}

int kern_link_fd(const struct kern_link *link)
{
	return link->fd;
}

u32 kern_link_id(const struct kern_link *link)
{
	struct bpf_link_info info;

	return link_info(link->fd, &info) ? info.id : 0;
}

bool kern_link_outlives(const struct kern_link *link)
{
	return link->outlives;
}
