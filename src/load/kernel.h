/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine "kernel": an object's maps and programs are Linux', and every operation on
 * them is a system call.  For src/load, and for tools that show the verdict of each
 * program.
 */
#ifndef SKEP_LOAD_KERNEL_H
#define SKEP_LOAD_KERNEL_H

#include "kern/load.h"
#include "load/load.h"

struct run;
struct target;

/* All chosen programs and what they need, or nothing. */
int kernel_load(struct skep_object *obj, const struct target *target,
		struct skep_diag *diag);
void kernel_unload(struct skep_object *obj);

/* Descriptors of the program's maps, for free(); NULL: one of them does not exist. */
int *kernel_map_fds(const struct skep_prog *prog, struct skep_diag *diag);

/* Does loading this program need the kernel's types? */
bool kernel_asks_for_types(const struct prog *prog);

int kernel_set_var(const struct skep_object *obj, const struct object_var *var,
		   const void *value, struct skep_diag *diag);
int kernel_get_var(const struct skep_object *obj, const struct object_var *var,
		   void *value, struct skep_diag *diag);

/* The object's program or map that has this id in the kernel; "": none of them. */
const char *kernel_ref_name(const struct skep_map *map, u32 id);

/* BPF_PROG_TEST_RUN, as skep_prog_run() and skep_prog_run_packet(). */
int kernel_run(const struct skep_prog *prog, void *ctx, size_t size, u64 *ret,
	       struct skep_diag *diag);
int kernel_run_packet(const struct skep_prog *prog, struct skep_packet *packet, u64 *ret,
		      struct skep_diag *diag);

/*
 * Judging: the programs of an object one by one.  Maps are made once, for all of them;
 * those that Linux does not create are told by each program that uses them.
 */
struct kernel_judge;
int kernel_judge_new(struct skep_object *obj, const struct target *target,
		     struct kernel_judge **out, struct skep_diag *diag);
void kernel_judge_free(struct kernel_judge *judge); /* NULL is fine */
/* What is asked for from now on: enum verify_flag. */
void kernel_judge_flags(struct kernel_judge *judge, u32 flags);

/* The verdict of one program, whose descriptor (if any) is closed again: 0, or the errno
 * with the reason.  verdict->log is the caller's. */
int kernel_judge_prog(struct kernel_judge *judge, struct skep_prog *prog,
		      enum kern_log_level log, struct kern_verdict *verdict,
		      struct skep_diag *diag);
/* The same, but it stays: *fd is the caller's. */
int kernel_judge_load(struct kernel_judge *judge, struct skep_prog *prog, int *fd,
		      struct skep_diag *diag);

#endif
