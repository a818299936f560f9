/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files behind kern/census.h share.
 */
#ifndef SKEP_KERN_CENSUS_PARTS_H
#define SKEP_KERN_CENSUS_PARTS_H

#include "kern/census.h"

struct census_taking {
	struct census *c;
	const struct census_opts *opts;
	const struct btf *vmlinux; /* NULL: not needed yet */
	struct vec cgroups;        /* struct census_cgroup */
};

struct census_cgroup {
	u64 id;
	const char *path;
};

/* All return 0 or -ENOMEM: what cannot be read is not there. */
int census_find_cgroups(struct census_taking *t);
int census_add_link(struct census_taking *t, int fd, struct census_link *link);
int census_add_attached(struct census_taking *t); /* without a link */
int census_add_users(struct census_taking *t);
int census_add_pins(struct census_taking *t);

/* Adds it unless there is a link there with that program. */
int census_add_place(struct census *c, const struct census_place *place);

/* "connect4" for CGROUP_INET4_CONNECT: as in the names of sections. */
const char *census_hook_word(u32 attach_type);

/* Each mount of a file system type; the path is the callee's for the call. */
int census_each_mount(const char *type, int (*found)(void *arg, const char *path),
		      void *arg);

/* "memlock", "prog_id": a number of the text of a fdinfo; false: it is not there. */
bool census_field(const char *fdinfo, const char *name, u64 *value);

/* Of the name of a descriptor in /proc. */
bool census_kind_of_name(const char *name, enum sys_kind *kind);

/* The first bytes of a small file as a string; false: it cannot be read. */
bool census_read(int dir, const char *path, char *text, size_t size);

#endif
