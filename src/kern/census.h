/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything of BPF that is in this kernel: programs, maps and links, who holds them,
 * where they are pinned, and what is attached where.
 *
 * A census is a value: taken once, never updated; what vanishes while it is taken is left
 * out.  It attaches and changes nothing.  Places without a link (netlink,
 * BPF_PROG_ATTACH, perf events) are found by asking each cgroup, interface of this
 * network namespace and process.  Needs CAP_SYS_ADMIN, as Linux hands out ids only to it.
 * For src/tools.
 */
#ifndef SKEP_KERN_CENSUS_H
#define SKEP_KERN_CENSUS_H

#include "base/arena.h"
#include "base/vec.h"
#include "kern/sys.h"

struct btf;

/* All strings and arrays are in the arena of the census. */
struct census_prog {
	u32 id, type; /* BPF_PROG_TYPE_* */
	const char *name;
	u8 tag[8];
	bool gpl;
	u32 uid;                      /* who loaded it */
	u32 btf_id;                   /* 0: none */
	u32 bytecode_len, native_len; /* in bytes; 0: this user may not know */
	u32 verified_insns;
	u64 memory;                    /* bytes */
	u64 loaded_ns;                 /* since boot */
	u64 run_count, run_ns, missed; /* while statistics are on */
	const u32 *maps;               /* ids */
	u32 n_maps;
};

struct census_map {
	u32 id, type; /* BPF_MAP_TYPE_* */
	const char *name;
	u32 key_size, value_size, max_entries, flags;
	u32 btf_id, key_type, value_type; /* 0: none */
	u32 kernel_type;                  /* of STRUCT_OPS: in vmlinux */
	bool frozen;
	u64 memory; /* bytes */
};

struct census_link {
	u32 id, type; /* BPF_LINK_TYPE_* */
	u32 prog;     /* id; 0: of a map (struct_ops) */
};

/* Where a program is attached; link 0: by other means. */
struct census_place {
	u32 prog, link;
	const char *where; /* as hook_parse() reads it where it can: "xdp:eth0" */
	/* What makes two of them the same. */
	u64 target; /* cgroup id, ifindex, map id */
	u32 attach_type;
};

struct census_user {
	enum sys_kind kind;
	u32 id;
	int pid;
	char comm[16];
};

struct census_pin {
	enum sys_kind kind;
	u32 id;
	const char *path;
};

struct census {
	struct arena arena;
	struct vec progs, maps, links; /* by id */
	struct vec places, users, pins;
};

/* How many steps are done; of how many, 0: not known yet. */
typedef void census_progress(void *arg, u64 done, u64 all);

struct census_opts {
	bool places, users, pins;  /* besides programs, maps and links */
	census_progress *progress; /* NULL: nobody looks */
	void *arg;
};

/* census_fini() also after it failed.  Errors: EPERM with the reason, ENOMEM. */
int census_take(struct census *c, const struct census_opts *opts, struct skep_diag *diag);
void census_fini(struct census *c);

/* One that is open; strings in the arena.  -errno. */
int census_read_prog(struct arena *a, int fd, struct census_prog *prog);
int census_read_map(struct arena *a, int fd, struct census_map *map);

/* "xdp", "tcx", "perf_event"; NULL: there is no such type. */
const char *census_link_type(u32 type);

/* The types that a BTF of the kernel has, by its id; 0: vmlinux.  In the arena. */
int census_btf(struct arena *a, u32 id, const struct btf **btf, struct skep_diag *diag);

/* Does the descriptor belong to something of BPF?  From the name of its file. */
bool census_kind_of_fd(int fd, enum sys_kind *kind);

#endif
