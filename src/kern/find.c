/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding things by their words.  Names are no keys in Linux: all ids are gone through,
 * so that a name which two things have is never taken for one of them.
 */
#include "kern/find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "kern/census.h"
#include "kern/refused.h"

static const char *const kinds[] = {
	[SYS_PROG] = "program",
	[SYS_MAP] = "map",
	[SYS_BTF] = "BTF",
	[SYS_LINK] = "link",
};

/* ---- pins ---- */

static int find_pin(enum sys_kind kind, const char *path, struct skep_diag *diag)
{
	int fd = sys_open_pinned(path, 0);
	struct kern_attempt attempt = {KERN_PIN, .what = path};
	enum sys_kind found;

	/* to look, reading is enough; only maps know the difference */
	if ((fd == -EACCES || fd == -EPERM) && kind == SYS_MAP)
		fd = sys_open_pinned(path, BPF_F_RDONLY);
	if (fd == -ENOENT)
		return fail(diag, NO_SUCH_PIN, NO_PC, path);
	if (fd < 0) {
		attempt.err = fd;
		attempt.path = path;
		return kern_refused(diag, &attempt);
	}
	if (census_kind_of_fd(fd, &found) && found == kind)
		return fd;
	close(fd);
	return fail(diag, PIN_OF_OTHER, NO_PC, path, kinds[kind]);
}

/* ---- ids ---- */

static int find_id(enum sys_kind kind, const char *words, struct skep_diag *diag)
{
	unsigned long id = strtoul(words, NULL, 10);
	int fd = id < UINT32_MAX ? sys_open_id(kind, (u32)id) : -ENOENT;
	struct kern_attempt attempt = {KERN_LIST, .err = fd, .what = words};

	if (fd == -ENOENT)
		return fail(diag, NO_SUCH_ID, NO_PC, kinds[kind], words);
	return fd < 0 ? kern_refused(diag, &attempt) : fd;
}

/* ---- names ---- */

struct search {
	enum sys_kind kind;
	const char *name;
	int fd; /* of the first */
	u32 n;
	char ids[160];
};

static bool has_name(const struct search *s, int fd)
{
	struct arena a = ARENA_INIT;
	struct census_prog prog = {0};
	struct census_map map = {0};
	const char *name = NULL;
	bool same;

	if (s->kind == SYS_PROG && !census_read_prog(&a, fd, &prog))
		name = prog.name;
	else if (s->kind == SYS_MAP && !census_read_map(&a, fd, &map))
		name = map.name;
	/* the kernel has only the first 15 characters */
	same = name && *name &&
	       (!strcmp(name, s->name) ||
		(strlen(name) == BPF_OBJ_NAME_LEN - 1 &&
		 !strncmp(name, s->name, BPF_OBJ_NAME_LEN - 1)) ||
		(strlen(s->name) == BPF_OBJ_NAME_LEN - 1 &&
		 !strncmp(name, s->name, BPF_OBJ_NAME_LEN - 1)));
	arena_fini(&a);
	return same;
}

static void found_one(struct search *s, int fd, u32 id)
{
	size_t len = strlen(s->ids);

	if (s->n++)
		close(fd);
	else
		s->fd = fd;
	snprintf(s->ids + len, sizeof(s->ids) - len, "%s%u", len ? ", " : "", id);
}

static int search_all(struct search *s)
{
	u32 id = 0;
	int err, fd;

	while (!(err = sys_next_id(s->kind, id, &id))) {
		fd = sys_open_id(s->kind, id);
		if (fd == -ENOENT || fd == -EAGAIN)
			continue;
		if (fd < 0)
			return fd;
		if (has_name(s, fd))
			found_one(s, fd, id);
		else
			close(fd);
	}
	return err == -ENOENT ? 0 : err;
}

static int find_name(enum sys_kind kind, const char *name, struct skep_diag *diag)
{
	struct search s = {kind, name, .fd = -1};
	struct kern_attempt attempt = {KERN_LIST, .err = search_all(&s), .what = name};

	if (!attempt.err && s.n == 1)
		return s.fd;
	if (s.fd >= 0)
		close(s.fd);
	if (attempt.err)
		return kern_refused(diag, &attempt);
	if (!s.n)
		return fail(diag, NO_SUCH_NAME, NO_PC, kinds[kind], name);
	return fail(diag, NAME_OF_SEVERAL, NO_PC, s.n, kinds[kind], name, s.ids);
}

int kern_find(enum sys_kind kind, const char *words, struct skep_diag *diag)
{
	if (strchr(words, '/'))
		return find_pin(kind, words, diag);
	if (*words && strspn(words, "0123456789") == strlen(words))
		return find_id(kind, words, diag);
	return find_name(kind, words, diag);
}
