/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf(2) itself: one function for each command that skep uses.
 *
 * Every function returns a descriptor or 0, or a negative errno, and knows nothing of
 * objects.  Descriptors are close-on-exec and the caller's.  The structs that Debian 12's
 * <linux/bpf.h> does not know yet are in kern/uapi.h.  For src/kern and its tests;
 * semantics: bpf(2) and the kernel's userspace-api/ebpf/syscall.rst.
 */
#ifndef SKEP_KERN_SYS_H
#define SKEP_KERN_SYS_H

#include <linux/bpf.h>

#include "base/types.h"

struct skep_diag;

/* Any command.  attr: zeroes behind the fields in use; size: of what is given, so that
 * kernels which know less accept it.  Before Linux 5.11 the limit of locked memory is
 * raised as far as it goes when something new does not fit in. */
int sys_bpf(int cmd, void *attr, size_t size);

/* Of the kernel that runs: ABI_LINUX(major, minor); 0: not known. */
u32 sys_version(void);

/* ---- maps ---- */

int sys_map_lookup(int fd, const void *key, void *value, u64 flags);
int sys_map_update(int fd, const void *key, const void *value, u64 flags);
int sys_map_delete(int fd, const void *key);
int sys_map_lookup_and_delete(int fd, const void *key, void *value, u64 flags);
int sys_map_next_key(int fd, const void *key, void *next); /* key NULL: the first */
int sys_map_freeze(int fd);

/* ---- things by id, by path, by descriptor ---- */

enum sys_kind { SYS_PROG, SYS_MAP, SYS_BTF, SYS_LINK };

/* The id after `id` (0: the first); -ENOENT after the last. */
int sys_next_id(enum sys_kind kind, u32 id, u32 *next);
int sys_open_id(enum sys_kind kind, u32 id);
/* size: of the struct at info; cleared first but for the caller's pointers in it; fields
 * that the kernel does not know stay as they are. */
int sys_info(int fd, void *info, u32 size);
int sys_pin(int fd, const char *path);
int sys_open_pinned(const char *path, u32 flags);

/* ---- links ---- */

/* attr: struct link_create_attr (kern/uapi.h) */
int sys_link_create(const void *attr, size_t size);
/* Replaces the program; old_prog_fd >= 0: only if that is the one attached. */
int sys_link_update(int link_fd, int prog_fd, int old_prog_fd);
int sys_link_detach(int link_fd);
int sys_prog_attach(int prog_fd, int target_fd, u32 attach_type, u32 flags,
		    int replace_fd);
int sys_prog_detach(int prog_fd, int target_fd, u32 attach_type);
int sys_raw_tracepoint(int prog_fd, const char *name, u64 cookie); /* NULL: in BTF */
int sys_iter_create(int link_fd);

#endif
