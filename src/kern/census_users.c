/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who keeps things of BPF alive: descriptors of processes (/proc/PID/fdinfo names their
 * ids) and files in BPF file systems of this mount namespace.  Processes that may not be
 * looked into are left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kern/census_parts.h"
#include "kern/uapi.h"

/* ---- processes ---- */

struct process {
	int pid, dir; /* /proc/PID */
	char comm[16];
};

/* What fdinfo calls the id. */
static const char *const id_fields[] = {
	[SYS_PROG] = "prog_id",
	[SYS_MAP] = "map_id",
	[SYS_BTF] = "btf_id",
	[SYS_LINK] = "link_id",
};

static bool is_known(const struct census *c, const struct census_user *user)
{
	for (size_t i = c->users.len; i > 0; i--) {
		const struct census_user *known = vec_at(&c->users, i - 1);

		if (known->pid != user->pid)
			return false;
		if (known->kind == user->kind && known->id == user->id)
			return true;
	}
	return false;
}

static int add_user(struct census *c, const struct process *p, enum sys_kind kind, u32 id)
{
	struct census_user user = {kind, id, p->pid, ""}, *place;

	memcpy(user.comm, p->comm, sizeof(user.comm));
	if (is_known(c, &user))
		return 0;
	place = vec_push(&c->users);
	if (!place)
		return -ENOMEM;
	*place = user;
	return 0;
}

/* A perf event with a program that no link holds. */
static int add_event(struct census *c, const struct process *p, int fd)
{
	char name[128] = "";
	union bpf_attr attr = {.task_fd_query.pid = (u32)p->pid,
			       .task_fd_query.fd = (u32)fd,
			       .task_fd_query.buf = (u64)(uintptr_t)name,
			       .task_fd_query.buf_len = sizeof(name)};
	static const char *const kinds[] = {
		[BPF_FD_TYPE_RAW_TRACEPOINT] = "raw_tracepoint",
		[BPF_FD_TYPE_TRACEPOINT] = "tracepoint",
		[BPF_FD_TYPE_KPROBE] = "kprobe",
		[BPF_FD_TYPE_KRETPROBE] = "kretprobe",
		[BPF_FD_TYPE_UPROBE] = "uprobe",
		[BPF_FD_TYPE_URETPROBE] = "uretprobe",
	};
	struct census_place place = {0};
	u32 type;

	if (sys_bpf(BPF_TASK_FD_QUERY, &attr, sizeof(attr)) ||
	    !attr.task_fd_query.prog_id ||
	    attr.task_fd_query.fd_type >= ARRAY_SIZE(kinds))
		return 0;
	/* the program's link has the same event */
	for (size_t i = 0; i < c->places.len; i++) {
		const struct census_place *known = vec_at(&c->places, i);

		if (known->prog == attr.task_fd_query.prog_id && known->link)
			return 0;
	}
	type = attr.task_fd_query.fd_type;
	place.prog = attr.task_fd_query.prog_id;
	place.target = (u64)p->pid << 32 | (u32)fd;
	if (*name && attr.task_fd_query.probe_offset)
		place.where =
			arena_printf(&c->arena, "%s:%s+%#llx", kinds[type], name,
				     (unsigned long long)attr.task_fd_query.probe_offset);
	else
		place.where = arena_printf(&c->arena, "%s:%s", kinds[type], name);
	return place.where ? census_add_place(c, &place) : -ENOMEM;
}

static int add_fd(struct census *c, const struct process *p, const char *fd)
{
	char path[64], name[64], fdinfo[1024];
	enum sys_kind kind;
	ssize_t n;
	u64 id;

	snprintf(path, sizeof(path), "fd/%s", fd);
	n = readlinkat(p->dir, path, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = 0;
	if (!strcmp(name, "anon_inode:[perf_event]"))
		return add_event(c, p, atoi(fd));
	if (!census_kind_of_name(name, &kind))
		return 0;
	snprintf(path, sizeof(path), "fdinfo/%s", fd);
	if (!census_read(p->dir, path, fdinfo, sizeof(fdinfo)) ||
	    !census_field(fdinfo, id_fields[kind], &id))
		return 0;
	return add_user(c, p, kind, (u32)id);
}

static int add_process(struct census *c, struct process *p)
{
	int fd = openat(p->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *fds = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!fds)
		return 0;
	if (census_read(p->dir, "comm", p->comm, sizeof(p->comm)))
		p->comm[strcspn(p->comm, "\n")] = 0;
	while (!err && (entry = readdir(fds))) {
		if (entry->d_name[0] != '.')
			err = add_fd(c, p, entry->d_name);
	}
	closedir(fds);
	return err;
}

int census_add_users(struct census_taking *t)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	u64 done = 0;
	int err = 0;

	if (!proc)
		return 0;
	while (!err && (entry = readdir(proc))) {
		struct process p = {.pid = atoi(entry->d_name)};

		/* what this process opens for the census is not what holds them */
		if (p.pid <= 0 || p.pid == getpid())
			continue;
		p.dir = openat(dirfd(proc), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (p.dir < 0)
			continue;
		err = add_process(t->c, &p);
		close(p.dir);
		if (t->opts->progress && !(++done % 64))
			t->opts->progress(t->opts->arg, done, 0);
	}
	closedir(proc);
	return err;
}

/* ---- mounts ---- */

/* "\040" for a blank, as mountinfo writes it; in place. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		unsigned c;

		if (*s == '\\' && sscanf(s + 1, "%3o", &c) == 1 && strlen(s) >= 4) {
			*out++ = (char)c;
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = 0;
}

/* A line of mountinfo(5): the fifth word is the place, the one after " - " the type. */
static char *mount_place(char *line, const char *type)
{
	char *dash = strstr(line, " - "), *word = line, *end;
	size_t len = strlen(type);

	if (!dash || strncmp(dash + 3, type, len) || dash[3 + len] != ' ')
		return NULL;
	for (u32 i = 0; i < 4; i++) {
		word = strchr(word, ' ');
		if (!word)
			return NULL;
		word++;
	}
	end = strchr(word, ' ');
	if (!end)
		return NULL;
	*end = 0;
	unescape(word);
	return word;
}

int census_each_mount(const char *type, int (*found)(void *arg, const char *path),
		      void *arg)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *place;
	size_t size = 0;
	int err = 0;

	if (!f)
		return 0;
	while (!err && getline(&line, &size, f) > 0) {
		place = mount_place(line, type);
		if (place)
			err = found(arg, place);
	}
	free(line);
	fclose(f);
	return err;
}

/* ---- pins ---- */

enum { MAX_DEPTH = 32 };

struct walk {
	struct census *c;
	char path[4096];
	u32 depth;
};

static int id_of(int fd, struct census_pin *pin)
{
	u64 room[64] = {0};
	int err;

	if (!census_kind_of_fd(fd, &pin->kind))
		return -ENOENT;
	err = sys_info(fd, room, sizeof(struct link_info));
	switch (pin->kind) {
	case SYS_PROG: pin->id = ((struct bpf_prog_info *)room)->id; break;
	case SYS_MAP: pin->id = ((struct bpf_map_info *)room)->id; break;
	case SYS_LINK: pin->id = ((struct link_info *)room)->id; break;
	case SYS_BTF: return -ENOENT;
	}
	return err;
}

static int add_pin(struct walk *w)
{
	int fd = sys_open_pinned(w->path, 0), err;
	struct census_pin pin = {0}, *place;

	/* maps that user space may only read, or only write */
	if (fd == -EPERM)
		fd = sys_open_pinned(w->path, BPF_F_RDONLY);
	if (fd == -EPERM)
		fd = sys_open_pinned(w->path, BPF_F_WRONLY);
	if (fd < 0)
		return 0;
	err = id_of(fd, &pin);
	close(fd);
	if (err)
		return 0;
	pin.path = arena_strdup(&w->c->arena, w->path);
	place = vec_push(&w->c->pins);
	if (!place || !pin.path)
		return -ENOMEM;
	*place = pin;
	return 0;
}

static int walk_folder(struct walk *w);

static int walk_entry(struct walk *w, const char *name)
{
	size_t len = strlen(w->path), more = strlen(name);
	struct stat st;
	int err = 0;

	if (!strcmp(name, ".") || !strcmp(name, "..") || len + more + 2 > sizeof(w->path))
		return 0;
	w->path[len] = '/';
	memcpy(w->path + len + 1, name, more + 1);
	if (!lstat(w->path, &st)) {
		if (S_ISDIR(st.st_mode))
			err = walk_folder(w);
		else if (S_ISREG(st.st_mode))
			err = add_pin(w);
	}
	w->path[len] = 0;
	return err;
}

static int walk_folder(struct walk *w)
{
	DIR *dir = w->depth < MAX_DEPTH ? opendir(w->path) : NULL;
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return 0;
	w->depth++;
	while (!err && (entry = readdir(dir)))
		err = walk_entry(w, entry->d_name);
	w->depth--;
	closedir(dir);
	return err;
}

static int walk_mount(void *arg, const char *path)
{
	struct walk *w = arg;

	if (strlen(path) >= sizeof(w->path))
		return 0;
	strcpy(w->path, path);
	return walk_folder(w);
}

int census_add_pins(struct census_taking *t)
{
	struct walk w = {.c = t->c};

	return census_each_mount("bpf", walk_mount, &w);
}
