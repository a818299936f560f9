/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking a census: the ids of each kind one after another, and what the kernel tells
 * about each.  Between two system calls anything may vanish: what cannot be opened any
 * more was not there.
 */
#include "kern/census.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "btf/btf.h"
#include "kern/census_parts.h"
#include "kern/refused.h"

#define ptr(p) ((u64)(uintptr_t)(p))

enum { FDINFO_MAX = 2048 };

/* ---- small files ---- */

bool census_read(int dir, const char *path, char *text, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

bool census_field(const char *fdinfo, const char *name, u64 *value)
{
	size_t len = strlen(name);

	for (const char *line = fdinfo; line && *line; line++) {
		if (!strncmp(line, name, len) && line[len] == ':') {
			*value = strtoull(line + len + 1, NULL, 10);
			return true;
		}
		line = strchr(line, '\n');
		if (!line)
			break;
	}
	return false;
}

static void read_fdinfo(int fd, char text[FDINFO_MAX])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	census_read(AT_FDCWD, path, text, FDINFO_MAX);
}

bool census_kind_of_name(const char *name, enum sys_kind *kind)
{
	static const struct {
		const char *name;
		enum sys_kind kind;
	} names[] = {
		{"anon_inode:bpf-prog", SYS_PROG}, {"anon_inode:bpf-map", SYS_MAP},
		{"anon_inode:bpf_link", SYS_LINK}, /* as it was made */
		{"anon_inode:bpf-link", SYS_LINK}, /* opened by id or path */
		{"anon_inode:btf", SYS_BTF},
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i].name)) {
			*kind = names[i].kind;
			return true;
		}
	}
	return false;
}

bool census_kind_of_fd(int fd, enum sys_kind *kind)
{
	char path[64], name[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = 0;
	return census_kind_of_name(name, kind);
}

/* ---- types ---- */

static int read_whole(struct arena *a, int fd, struct bpf_btf_info *info, char name[64])
{
	int err;

	info->name = ptr(name);
	info->name_len = 64;
	err = sys_info(fd, info, sizeof(*info));
	if (err && err != -ENOSPC)
		return err;
	info->btf = ptr(arena_alloc(a, info->btf_size));
	if (!info->btf)
		return -ENOMEM;
	info->name_len = 64;
	return sys_info(fd, info, sizeof(*info));
}

static int read_vmlinux(struct arena *a, const struct btf **btf, struct skep_diag *diag)
{
	struct file file;
	struct bytes data;
	int err = file_read("/sys/kernel/btf/vmlinux", &file, diag);

	if (err)
		return err;
	data = (struct bytes){arena_memdup(a, file.data, file.len), file.len};
	file_fini(&file);
	return data.data ? btf_read(a, data, NULL, btf, diag)
			 : fail(diag, NO_MEMORY, NO_PC);
}

static int read_btf(struct arena *a, int fd, const struct btf **btf,
		    struct skep_diag *diag)
{
	struct bpf_btf_info info = {0};
	const struct btf *base = NULL;
	char name[64] = "";
	int err = read_whole(a, fd, &info, name);

	if (err)
		return fail(diag, KERNEL_SAYS, NO_PC, "types", strerror(-err));
	if (info.kernel_btf && strcmp(name, "vmlinux")) {
		err = read_vmlinux(a, &base, diag);
		if (err)
			return err;
	}
	return btf_read(a, (struct bytes){(u8 *)(uintptr_t)info.btf, info.btf_size}, base,
			btf, diag);
}

int census_btf(struct arena *a, u32 id, const struct btf **btf, struct skep_diag *diag)
{
	struct kern_attempt attempt = {KERN_LIST, .what = "types"};
	int fd, err;

	if (!id)
		return read_vmlinux(a, btf, diag);
	fd = sys_open_id(SYS_BTF, id);
	if (fd < 0) {
		attempt.err = fd;
		return kern_refused(diag, &attempt);
	}
	err = read_btf(a, fd, btf, diag);
	close(fd);
	return err;
}

/* ---- programs ---- */

enum { NAME_CUT = BPF_OBJ_NAME_LEN - 1 };

/* The kernel cuts names; the types of the program have the whole. */
static const char *whole_name(struct arena *keep, const char *name, u32 btf_id, u32 type)
{
	struct arena a = ARENA_INIT;
	const struct btf *btf;
	const char *whole = name;

	if (btf_id && type && !census_btf(&a, btf_id, &btf, NULL)) {
		whole = btf_name(btf, type);
		if (strncmp(whole, name, NAME_CUT))
			whole = name;
	}
	whole = arena_strdup(keep, whole);
	arena_fini(&a);
	return whole;
}

enum { MAP_IDS = 64 };

static int copy_map_ids(struct arena *a, int fd, struct census_prog *prog, const u32 *ids)
{
	struct bpf_prog_info info = {0};
	u32 *copy = arena_array(a, prog->n_maps, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	prog->maps = copy;
	memcpy(copy, ids, min_u64(prog->n_maps, MAP_IDS) * sizeof(*copy));
	if (prog->n_maps <= MAP_IDS)
		return 0;
	info.nr_map_ids = prog->n_maps;
	info.map_ids = ptr(copy);
	return sys_info(fd, &info, sizeof(info));
}

int census_read_prog(struct arena *a, int fd, struct census_prog *prog)
{
	struct bpf_func_info func = {0};
	u32 ids[MAP_IDS];
	struct bpf_prog_info info = {
		.nr_map_ids = MAP_IDS,
		.map_ids = ptr(ids),
		.nr_func_info = 1,
		.func_info_rec_size = sizeof(func),
		.func_info = ptr(&func),
	};
	char fdinfo[FDINFO_MAX], name[BPF_OBJ_NAME_LEN + 1] = "";
	int err = sys_info(fd, &info, sizeof(info));

	if (err)
		return err;
	memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	*prog = (struct census_prog){
		.id = info.id,
		.type = info.type,
		.gpl = info.gpl_compatible,
		.uid = info.created_by_uid,
		.btf_id = info.btf_id,
		.bytecode_len = info.xlated_prog_len,
		.native_len = info.jited_prog_len,
		.verified_insns = info.verified_insns,
		.loaded_ns = info.load_time,
		.run_count = info.run_cnt,
		.run_ns = info.run_time_ns,
		.missed = info.recursion_misses,
		.n_maps = info.nr_map_ids,
	};
	memcpy(prog->tag, info.tag, sizeof(prog->tag));
	read_fdinfo(fd, fdinfo);
	census_field(fdinfo, "memlock", &prog->memory);
	prog->name = strlen(name) < NAME_CUT
			     ? arena_strdup(a, name)
			     : whole_name(a, name, info.btf_id, func.type_id);
	if (!prog->name)
		return -ENOMEM;
	return prog->n_maps ? copy_map_ids(a, fd, prog, ids) : 0;
}

/* ---- maps ---- */

int census_read_map(struct arena *a, int fd, struct census_map *map)
{
	struct bpf_map_info info = {0};
	char fdinfo[FDINFO_MAX], name[BPF_OBJ_NAME_LEN + 1] = "";
	int err = sys_info(fd, &info, sizeof(info));
	u64 frozen = 0;

	if (err)
		return err;
	memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	*map = (struct census_map){
		.id = info.id,
		.type = info.type,
		.name = arena_strdup(a, name),
		.key_size = info.key_size,
		.value_size = info.value_size,
		.max_entries = info.max_entries,
		.flags = info.map_flags,
		.btf_id = info.btf_id,
		.key_type = info.btf_key_type_id,
		.value_type = info.btf_value_type_id,
		.kernel_type = info.btf_vmlinux_value_type_id,
	};
	read_fdinfo(fd, fdinfo);
	census_field(fdinfo, "memlock", &map->memory);
	map->frozen = census_field(fdinfo, "frozen", &frozen) && frozen;
	return map->name ? 0 : -ENOMEM;
}

/* ---- all of them ---- */

static int add_one(struct census_taking *t, enum sys_kind kind, int fd)
{
	struct census *c = t->c;
	struct census_prog prog;
	struct census_map map;
	struct census_link link;
	struct vec *all = NULL;
	const void *one = NULL;
	void *place;
	int err = 0;

	switch (kind) {
	case SYS_PROG:
		err = census_read_prog(&c->arena, fd, &prog);
		all = &c->progs;
		one = &prog;
		break;
	case SYS_MAP:
		err = census_read_map(&c->arena, fd, &map);
		all = &c->maps;
		one = &map;
		break;
	case SYS_LINK:
		err = census_add_link(t, fd, &link);
		all = &c->links;
		one = &link;
		break;
	case SYS_BTF: return 0;
	}
	if (err)
		return err == -ENOMEM ? err : 0;
	place = vec_push(all);
	if (!place)
		return -ENOMEM;
	memcpy(place, one, all->elem_size);
	return 0;
}

static int refused_list(int err, struct skep_diag *diag)
{
	struct kern_attempt attempt = {KERN_LIST, .err = err, .what = "list"};

	return err == -ENOMEM ? fail(diag, NO_MEMORY, NO_PC)
			      : kern_refused(diag, &attempt);
}

static int take_kind(struct census_taking *t, enum sys_kind kind, struct skep_diag *diag)
{
	u64 done = 0;
	u32 id = 0;
	int err, fd;

	while (!(err = sys_next_id(kind, id, &id))) {
		fd = sys_open_id(kind, id);
		if (fd == -ENOENT || fd == -EAGAIN) /* gone; a link that is not done */
			continue;
		if (fd < 0)
			return refused_list(fd, diag);
		err = add_one(t, kind, fd);
		close(fd);
		if (err)
			return refused_list(err, diag);
		if (t->opts->progress && !(++done % 64))
			t->opts->progress(t->opts->arg, done, 0);
	}
	/* links: since 5.8 */
	if (err == -ENOENT || (kind == SYS_LINK && err == -EINVAL))
		return 0;
	return refused_list(err, diag);
}

static int take_parts(struct census_taking *t)
{
	int err = 0;

	if (t->opts->places)
		err = census_add_attached(t);
	if (!err && t->opts->users)
		err = census_add_users(t);
	if (!err && t->opts->pins)
		err = census_add_pins(t);
	return err;
}

int census_take(struct census *c, const struct census_opts *opts, struct skep_diag *diag)
{
	static const enum sys_kind kinds[] = {SYS_PROG, SYS_MAP, SYS_LINK};
	struct census_taking t = {c, opts, .cgroups = VEC_INIT(struct census_cgroup)};
	int err = 0;

	*c = (struct census){
		.arena = ARENA_INIT,
		.progs = VEC_INIT(struct census_prog),
		.maps = VEC_INIT(struct census_map),
		.links = VEC_INIT(struct census_link),
		.places = VEC_INIT(struct census_place),
		.users = VEC_INIT(struct census_user),
		.pins = VEC_INIT(struct census_pin),
	};
	if (opts->places && census_find_cgroups(&t))
		err = fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; !err && i < ARRAY_SIZE(kinds); i++)
		err = take_kind(&t, kinds[i], diag);
	if (!err && take_parts(&t))
		err = fail(diag, NO_MEMORY, NO_PC);
	vec_fini(&t.cgroups);
	return err;
}

void census_fini(struct census *c)
{
	vec_fini(&c->progs);
	vec_fini(&c->maps);
	vec_fini(&c->links);
	vec_fini(&c->places);
	vec_fini(&c->users);
	vec_fini(&c->pins);
	arena_fini(&c->arena);
}
