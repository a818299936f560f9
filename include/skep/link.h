/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links: one program attached to one hook.
 *
 * Programs of objects that were opened with the engine "kernel" are attached to the hooks
 * of Linux.  Closing a link detaches, unless it was pinned; so does the end of the
 * process, but for hooks that know no owner (a filter of a clsact qdisc).
 */
#ifndef SKEP_LINK_H
#define SKEP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skep/diag.h>

#ifdef __cplusplus
extern "C" {
#endif

struct skep_map;
struct skep_prog;

/** A link.  One thread at a time may use it. */
struct skep_link;

/**
 * Attaches a program.
 * @param prog of a loaded object
 * @param hook "xdp:eth0", "tcx:eth0:egress", "cgroup:/sys/fs/cgroup/x:connect4",
 *        "tracepoint:sched:sched_switch", "uprobe:/bin/bash:readline", ...
 *        (skep-attach(1) has them all); NULL: where the program's section name says
 * @param link out; closed by skep_link_close(), which may outlive the object
 * @param diag why not: a capability that is missing, a hook that this kernel does not
 *        have; may be NULL
 * @return 0; -EINVAL when the program is not loaded into the kernel, when the text is no
 *         hook, or when it is one of another type of program; -ENOENT when hook is NULL
 *         and the section name leaves it open; -ENODEV, -ENOENT for a hook that does not
 *         exist; the errno of the kernel. Thread-safe.
 */
int skep_prog_attach(struct skep_prog *prog, const char *hook, struct skep_link **link,
		     struct skep_diag *diag);

/**
 * Registers a struct_ops map: its programs become the operations that it names.
 * @param map a struct_ops variable of a loaded object
 * @return as skep_prog_attach()
 */
int skep_map_attach(struct skep_map *map, struct skep_link **link,
		    struct skep_diag *diag);

/**
 * Puts another program in the place of the attached one; there is no moment in which none
 * is attached.
 * @param prog loaded, of the same type
 * @return 0; -EOPNOTSUPP for hooks that cannot; the errno of the kernel
 */
int skep_link_update(struct skep_link *link, const struct skep_prog *prog,
		     struct skep_diag *diag);

/**
 * Pins a link: it stays when it is closed and when the process ends, until the file is
 * removed.
 * @param path below a bpf file system (/sys/fs/bpf/...); folders that are missing are
 *        made
 * @return 0; -EEXIST; -EOPNOTSUPP for hooks without a link in the kernel; the errno
 */
int skep_link_pin(struct skep_link *link, const char *path, struct skep_diag *diag);

/**
 * Opens a pinned link.  Closing it does not detach.
 * @return 0; -ENOENT; -EINVAL for what is no link; the errno
 */
int skep_link_open(const char *path, struct skep_link **link, struct skep_diag *diag);

/** Detaches now, pinned or not; the link is still to be closed.  Returns 0, -EOPNOTSUPP,
 * or the errno. */
int skep_link_detach(struct skep_link *link, struct skep_diag *diag);

/** A piece of what an iterator prints; negative: stop. */
typedef int (*skep_text_fn)(void *arg, const char *text, size_t len);

/**
 * Reads what an attached iterator prints.  Each call walks anew.
 * @param fn gets the text piece by piece, as the program wrote it
 * @return 0; what fn returned, when that was negative; -EINVAL for links of other
 *         programs; the errno of the kernel
 */
int skep_link_read(const struct skep_link *link, skep_text_fn fn, void *arg,
		   struct skep_diag *diag);

/** Is it still attached?  False once its interface, cgroup or namespace is gone. */
bool skep_link_is_alive(const struct skep_link *link);

/** The kernel's id of the link, or 0 for hooks without one. */
uint32_t skep_link_id(const struct skep_link *link);

/** Closes a link: detaches, unless it is pinned or was opened.  NULL is fine. */
void skep_link_close(struct skep_link *link);

#ifdef __cplusplus
}
#endif
#endif
