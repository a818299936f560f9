/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Putting an object into Linux: its types, its maps with their first contents, its
 * programs.
 *
 * A loader is one object on its way into this kernel; what it makes are descriptors,
 * which are the caller's.  It relocates nothing: programs come fitted (obj/object.h),
 * with map indices for which the caller has descriptors.  One thread at a time.  For
 * src/load. Semantics: bpf(2), and libbpf's documentation where the kernel leaves it to
 * loaders.
 */
#ifndef SKEP_KERN_LOAD_H
#define SKEP_KERN_LOAD_H

#include "base/types.h"

struct map_def;
struct object;
struct prog;
struct skep_diag;
struct target;
struct kern_loader;

/* obj, target: borrowed, and must outlive the loader.  target->btf: the running kernel's,
 * or NULL where no program asks for it. */
int kern_loader_new(const struct object *obj, const struct target *target,
		    struct kern_loader **out, struct skep_diag *diag);
void kern_loader_free(struct kern_loader *loader); /* NULL is fine */

/* ---- maps ---- */

/*
 * A descriptor of the new map, filled with the values of global variables, constants
 * frozen; one that is pinned by name is opened if it exists already: KERN_MAP_FOUND, not
 * 0.  Errors: the kernel's, with its reason.
 */
enum { KERN_MAP_FOUND = 1 };
int kern_map_create(struct kern_loader *loader, const struct map_def *def, int *fd,
		    struct skep_diag *diag);

/* At the place of its name, and away from there. */
int kern_map_pin(const struct map_def *def, int fd, struct skep_diag *diag);
void kern_map_unpin(const struct map_def *def);

/* Bytes that a user reads and writes for one element: value_size, or a multiple of 8 for
 * each possible CPU. */
u64 kern_map_value_size(u32 type, u32 value_size);
bool kern_map_is_percpu(u32 type);
u32 kern_possible_cpus(void);

/* ---- programs ---- */

enum kern_log_level { KERN_LOG_FAILURE, KERN_LOG_STATS, KERN_LOG_ALL, KERN_LOG_MORE };

struct kern_prog_spec {
	const struct prog *prog; /* fitted */
	const int *map_fds;      /* by the program's map index */
	enum kern_log_level log; /* FAILURE: only when it is rejected */
	int target_fd;           /* a program that this one attaches to; -1: none */
	/* Of STRUCT_OPS: which member of which struct of the kernel (kern_struct_ops()).
	 */
	u32 struct_id, member;
	u32 flags; /* prog_flags beside those that prog says */
};

/* What Linux said. */
struct kern_verdict {
	int fd;                      /* the caller's, or the negative errno */
	char *log;                   /* the caller's, free(); NULL: there is none */
	u64 insns_processed, states; /* 0: not known */
	u64 time_us;                 /* that the system call took */
	u64 verify_us;               /* that the verifier took, it says; 0: not known */
};

/* Returns 0 with a descriptor, or the negative errno of the kernel, told in diag with the
 * line of the log that says why and the instruction it is about. */
int kern_prog_load(struct kern_loader *loader, const struct kern_prog_spec *spec,
		   struct kern_verdict *verdict, struct skep_diag *diag);

/* ---- struct_ops ---- */

/* Which program of the object is which member of the kernel's struct that the map
 * implements. */
struct kern_member {
	const char *prog; /* name of a function of the object */
	u32 offset;       /* of the member in the struct, in bytes */
	u32 member;       /* index in the kernel's struct */
};

struct kern_struct_ops {
	u32 struct_id; /* of the kernel's struct */
	u32 value_id;  /* of the kernel's struct bpf_struct_ops_NAME */
	u32 value_size, data_offset;
	bool link; /* attached by a link, not by its value */
	u8 *data;  /* the value but for its programs; in the loader's arena, as: */
	struct kern_member *members;
	u32 n_members;
};

int kern_struct_ops(struct kern_loader *loader, const struct map_def *def,
		    struct kern_struct_ops *ops, struct skep_diag *diag);

#endif
