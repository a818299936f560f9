/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where links attach their programs, in the words in which hooks are written.  A name
 * that cannot be found (an interface of another network namespace, a cgroup that is gone)
 * is given as its number, "#7".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/file.h"
#include "btf/btf.h"
#include "kern/census_parts.h"
#include "kern/uapi.h"

#define ptr(p) ((u64)(uintptr_t)(p))

/* ---- words ---- */

const char *census_link_type(u32 type)
{
	static const char *const names[LINK_TYPES] = {
		[BPF_LINK_TYPE_RAW_TRACEPOINT] = "raw_tracepoint",
		[BPF_LINK_TYPE_TRACING] = "tracing",
		[BPF_LINK_TYPE_CGROUP] = "cgroup",
		[BPF_LINK_TYPE_ITER] = "iter",
		[BPF_LINK_TYPE_NETNS] = "netns",
		[BPF_LINK_TYPE_XDP] = "xdp",
		[BPF_LINK_TYPE_PERF_EVENT] = "perf_event",
		[BPF_LINK_TYPE_KPROBE_MULTI] = "kprobe_multi",
		[BPF_LINK_TYPE_STRUCT_OPS] = "struct_ops",
		[LINK_TYPE_NETFILTER] = "netfilter",
		[LINK_TYPE_TCX] = "tcx",
		[LINK_TYPE_UPROBE_MULTI] = "uprobe_multi",
		[LINK_TYPE_NETKIT] = "netkit",
		[LINK_TYPE_SOCKMAP] = "sockmap",
	};

	return type < LINK_TYPES ? names[type] : NULL;
}

/* Attach types that the name of a section says, with what follows its slash. */
static const struct word {
	const char *section;
	u32 attach_type;
} words[] = {
#define ATTACH_NONE                                    ATTACH_TYPES
#define S(name, prog_type, the_attach_type, the_flags) {name, ATTACH_##the_attach_type},
#include "abi/sections.def"
#undef S
#undef ATTACH_NONE
};

const char *census_hook_word(u32 attach_type)
{
	const struct abi_name *name = abi_attach_type(attach_type);

	/* the name of its section says the type of the program */
	if (attach_type == ATTACH_SK_MSG_VERDICT)
		return "msg_verdict";
	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		const char *slash = strchr(words[i].section, '/');

		if (words[i].attach_type == attach_type)
			return slash ? slash + 1 : words[i].section;
	}
	return name ? name->name : "?";
}

int census_add_place(struct census *c, const struct census_place *place)
{
	struct census_place *room;

	for (size_t i = 0; !place->link && i < c->places.len; i++) {
		const struct census_place *known = vec_at(&c->places, i);

		if (known->prog == place->prog && known->target == place->target &&
		    known->attach_type == place->attach_type)
			return 0;
	}
	room = vec_push(&c->places);
	if (!room)
		return -ENOMEM;
	*room = *place;
	return 0;
}

/* ---- cgroups ---- */

enum { MAX_DEPTH = 64 };

struct walk {
	struct census_taking *t;
	char path[4096];
	u32 depth;
};

static int add_cgroup(struct walk *w, u64 id)
{
	struct census_cgroup *cgroup = vec_push(&w->t->cgroups);

	if (!cgroup)
		return -ENOMEM;
	cgroup->id = id;
	cgroup->path = arena_strdup(&w->t->c->arena, w->path);
	return cgroup->path ? 0 : -ENOMEM;
}

static int walk_cgroup(struct walk *w);

static int walk_below(struct walk *w, const struct dirent *entry)
{
	size_t len = strlen(w->path), more = strlen(entry->d_name);
	int err;

	if (entry->d_name[0] == '.' || entry->d_type != DT_DIR ||
	    len + more + 2 > sizeof(w->path))
		return 0;
	w->path[len] = '/';
	memcpy(w->path + len + 1, entry->d_name, more + 1);
	err = walk_cgroup(w);
	w->path[len] = 0;
	return err;
}

static int walk_cgroup(struct walk *w)
{
	DIR *dir = w->depth < MAX_DEPTH ? opendir(w->path) : NULL;
	struct dirent *entry;
	struct stat st;
	int err = 0;

	if (!dir)
		return 0;
	w->depth++;
	if (!fstat(dirfd(dir), &st))
		err = add_cgroup(w, st.st_ino);
	while (!err && (entry = readdir(dir)))
		err = walk_below(w, entry);
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
	return walk_cgroup(w);
}

int census_find_cgroups(struct census_taking *t)
{
	struct walk w = {.t = t};

	return census_each_mount("cgroup2", walk_mount, &w);
}

static const char *cgroup_path(const struct census_taking *t, u64 id, char room[32])
{
	for (size_t i = 0; i < t->cgroups.len; i++) {
		const struct census_cgroup *cgroup = vec_at(&t->cgroups, i);

		if (cgroup->id == id)
			return cgroup->path;
	}
	snprintf(room, 32, "#%llu", (unsigned long long)id);
	return room;
}

/* ---- the kinds of links ---- */

static const char *device_name(u32 ifindex, char name[IF_NAMESIZE])
{
	if (!ifindex)
		return "gone";
	if (!if_indextoname(ifindex, name))
		snprintf(name, IF_NAMESIZE, "#%u", ifindex);
	return name;
}

static const char *netns_name(u32 inode, char room[32])
{
	struct stat st;

	if (!stat("/proc/self/ns/net", &st) && st.st_ino == inode)
		return "/proc/self/ns/net";
	snprintf(room, 32, "#%u", inode);
	return room;
}

/* "vfs_read": what a tracing program attaches to; "" where it cannot be known. */
static const char *traced_name(struct census_taking *t, const struct link_info *info)
{
	u32 obj = info->tracing.target_obj_id, id = info->tracing.target_btf_id;
	const struct btf *btf;

	/* vmlinux is read once: it has all that most programs trace */
	if (!t->vmlinux && census_btf(&t->c->arena, 0, &t->vmlinux, NULL))
		return "";
	if (id < btf_count(t->vmlinux))
		return btf_name(t->vmlinux, id);
	return census_btf(&t->c->arena, obj, &btf, NULL) ? "" : btf_name(btf, id);
}

static const char *put_tracing(struct census_taking *t, const struct link_info *info)
{
	u32 type = info->tracing.attach_type;
	const char *name;

	/* target_obj_id is the program that is replaced or traced */
	if (!type)
		return arena_printf(&t->c->arena, "freplace:#%u",
				    info->tracing.target_obj_id);
	name = traced_name(t, info);
	if (type == ATTACH_TRACE_RAW_TP && !strncmp(name, "btf_trace_", 10))
		name += 10;
	if ((type == ATTACH_LSM_MAC || type == ATTACH_LSM_CGROUP) &&
	    !strncmp(name, "bpf_lsm_", 8))
		name += 8;
	return arena_printf(&t->c->arena, "%s:%s", census_hook_word(type), name);
}

static const char *put_netfilter(struct arena *a, const struct link_info *info)
{
	static const char *const hooks[] = {"prerouting", "input", "forward", "output",
					    "postrouting"};
	u32 hook = info->netfilter.hooknum;

	return arena_printf(a, "netfilter:%s:%s:priority=%d",
			    info->netfilter.pf == 2    ? "ipv4"
			    : info->netfilter.pf == 10 ? "ipv6"
						       : "?",
			    hook < ARRAY_SIZE(hooks) ? hooks[hook] : "?",
			    info->netfilter.priority);
}

static const char *put_event(struct arena *a, const struct link_info *info,
			     const char *name)
{
	static const char *const kinds[] = {
		[LINK_EVENT_NONE] = "perf_event",
		[LINK_EVENT_UPROBE] = "uprobe",
		[LINK_EVENT_URETPROBE] = "uretprobe",
		[LINK_EVENT_KPROBE] = "kprobe",
		[LINK_EVENT_KRETPROBE] = "kretprobe",
		[LINK_EVENT_TRACEPOINT] = "tracepoint",
		[LINK_EVENT_EVENT] = "perf_event",
	};
	u32 type = info->perf.type;

	if (type >= ARRAY_SIZE(kinds))
		return "perf_event";
	switch ((enum link_event)type) {
	case LINK_EVENT_NONE: return "perf_event";
	case LINK_EVENT_TRACEPOINT: return arena_printf(a, "tracepoint:%s", name);
	case LINK_EVENT_EVENT:
		return arena_printf(a, "perf_event:%u:%llu", info->perf.event.type,
				    (unsigned long long)info->perf.event.config);
	case LINK_EVENT_UPROBE:
	case LINK_EVENT_URETPROBE:
		return arena_printf(a, "%s:%s:%#x", kinds[type], name, info->perf.offset);
	case LINK_EVENT_KPROBE:
	case LINK_EVENT_KRETPROBE: break;
	}
	return info->perf.offset ? arena_printf(a, "%s:%s+%#x", kinds[type], name,
						info->perf.offset)
				 : arena_printf(a, "%s:%s", kinds[type], name);
}

/* Linux 6.1 knows less: the number of functions is 0 then. */
static const char *put_multi(struct arena *a, const struct link_info *info,
			     const char *name)
{
	enum { RETURN = 1 }; /* BPF_F_KPROBE_MULTI_RETURN, BPF_F_UPROBE_MULTI_RETURN */
	bool kernel = info->type == BPF_LINK_TYPE_KPROBE_MULTI;
	u32 flags = kernel ? info->kprobe_multi.flags : info->uprobe_multi.flags;
	u32 n = kernel ? info->kprobe_multi.n : info->uprobe_multi.n;
	const char *kind = flags & RETURN ? (kernel ? "kretprobe" : "uretprobe")
					  : (kernel ? "kprobe" : "uprobe");

	return arena_printf(a, "%s.multi:%s%s%u place%s", kind, name, *name ? ":" : "", n,
			    n == 1 ? "" : "s");
}

enum { NAME_ROOM = 4096 };

/* Which strings the kernel is to give depends on the type. */
static void ask_for_name(struct link_info *info, char *name)
{
	switch (info->type) {
	case BPF_LINK_TYPE_RAW_TRACEPOINT:
		info->raw_tracepoint.name = ptr(name);
		info->raw_tracepoint.name_len = NAME_ROOM;
		break;
	case BPF_LINK_TYPE_ITER:
		info->iter.name = ptr(name);
		info->iter.name_len = NAME_ROOM;
		break;
	case BPF_LINK_TYPE_PERF_EVENT:
		if (info->perf.type == LINK_EVENT_EVENT)
			break;
		info->perf.name = ptr(name);
		info->perf.name_len = NAME_ROOM;
		break;
	case LINK_TYPE_UPROBE_MULTI:
		info->uprobe_multi.path = ptr(name);
		info->uprobe_multi.path_size = NAME_ROOM;
		info->uprobe_multi.n = 0;
		break;
	default: break;
	}
}

static int read_link(int fd, struct link_info *info, char *name)
{
	int err = sys_info(fd, info, sizeof(*info));
	u32 n;

	if (err)
		return err;
	n = info->type == LINK_TYPE_UPROBE_MULTI ? info->uprobe_multi.n : 0;
	ask_for_name(info, name);
	err = sys_info(fd, info, sizeof(*info));
	if (info->type == LINK_TYPE_UPROBE_MULTI)
		info->uprobe_multi.n = n;
	return err;
}

static const char *put_where(struct census_taking *t, const struct link_info *info,
			     const char *name, struct census_place *place)
{
	struct arena *a = &t->c->arena;
	char room[64], dev[IF_NAMESIZE];

	switch (info->type) {
	case BPF_LINK_TYPE_RAW_TRACEPOINT:
		return arena_printf(a, "raw_tracepoint:%s", name);
	case BPF_LINK_TYPE_TRACING: return put_tracing(t, info);
	case BPF_LINK_TYPE_CGROUP:
		place->target = info->cgroup.id;
		place->attach_type = info->cgroup.attach_type;
		return arena_printf(a, "cgroup:%s:%s",
				    cgroup_path(t, info->cgroup.id, room),
				    census_hook_word(place->attach_type));
	case BPF_LINK_TYPE_ITER: return arena_printf(a, "iter:%s", name);
	case BPF_LINK_TYPE_NETNS:
		place->target = info->netns.inode;
		place->attach_type = info->netns.attach_type;
		return arena_printf(a, "netns:%s:%s", netns_name(info->netns.inode, room),
				    census_hook_word(place->attach_type));
	case BPF_LINK_TYPE_XDP:
		place->target = info->device.ifindex;
		place->attach_type = ATTACH_XDP;
		return arena_printf(a, "xdp:%s", device_name(info->device.ifindex, dev));
	case LINK_TYPE_TCX:
	case LINK_TYPE_NETKIT:
		place->target = info->device.ifindex;
		place->attach_type = info->device.attach_type;
		return arena_printf(a, "%s:%s:%s", census_link_type(info->type),
				    device_name(info->device.ifindex, dev),
				    census_hook_word(place->attach_type));
	case BPF_LINK_TYPE_PERF_EVENT: return put_event(a, info, name);
	case BPF_LINK_TYPE_KPROBE_MULTI:
	case LINK_TYPE_UPROBE_MULTI: return put_multi(a, info, name);
	case BPF_LINK_TYPE_STRUCT_OPS:
		return arena_printf(a, "struct_ops:#%u", info->map.map_id);
	case LINK_TYPE_NETFILTER: return put_netfilter(a, info);
	case LINK_TYPE_SOCKMAP:
		place->target = info->map.map_id;
		place->attach_type = info->map.attach_type;
		return arena_printf(a, "sockmap:#%u:%s", info->map.map_id,
				    census_hook_word(place->attach_type));
	default: return arena_printf(a, "a link of type %u", info->type);
	}
}

int census_add_link(struct census_taking *t, int fd, struct census_link *link)
{
	char *name = calloc(1, NAME_ROOM);
	struct link_info info = {0};
	struct census_place place;
	int err;

	if (!name)
		return -ENOMEM;
	err = read_link(fd, &info, name);
	if (!err) {
		*link = (struct census_link){info.id, info.type, info.prog_id};
		place = (struct census_place){.prog = info.prog_id, .link = info.id};
		place.where = put_where(t, &info, name, &place);
		err = place.where ? census_add_place(t->c, &place) : -ENOMEM;
	}
	free(name);
	return err;
}
