/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Behind kern/link.h: what a link is made of, and the function that attaches for each
 * kind of hook.
 *
 * A kind has one function in the table of link.c.  Most ask for a link of the kernel
 * (link_create()) and are done; what needs more puts a struct kern_link first into a
 * struct of its own and brings three functions.  For src/kern only.
 */
#ifndef SKEP_KERN_ATTACH_H
#define SKEP_KERN_ATTACH_H

#include "kern/link.h"
#include "kern/uapi.h"

struct kern_link_ops {
	/* NULL: this hook cannot */
	int (*update)(struct kern_link *link, const struct kern_prog *prog,
		      struct skep_diag *diag);
	/* Never called twice with success. */
	int (*detach)(struct kern_link *link, struct skep_diag *diag);
	/* Frees the struct that the link is the start of, and what it holds beside fd and
	 * pin.  Before it a link without fd was detached, unless it is to stay.  NULL:
	 * free(). */
	void (*release)(struct kern_link *link);
};

struct kern_link {
	const struct kern_link_ops *ops;
	int fd;        /* owned: of a bpf_link; -1: there is none */
	char *pin;     /* owned: where it was pinned or opened; NULL: nowhere */
	u32 prog_type; /* 0: not known (opened) */
	bool is_kept;  /* freeing does not detach: it is pinned, or was opened */
	bool is_detached;
	bool outlives;  /* the process, though nobody pinned it */
	char what[208]; /* for messages: "program count_packets at xdp:eth0" */
};

/* What goes where.  Both are borrowed during the call. */
struct attaching {
	const struct kern_prog *prog;
	const struct hook *hook;
};

/* One kind of hook.  The program is of a type that the hook wants: that has been checked.
 * On success *link owns all it needs. */
typedef int attach_fn(const struct attaching *a, struct kern_link **link,
		      struct skep_diag *diag);

attach_fn attach_xdp;
attach_fn attach_tcx, attach_tc, attach_netkit;
attach_fn attach_cgroup;
attach_fn attach_netns, attach_socket, attach_sockmap, attach_netfilter;

attach_fn attach_tracepoint, attach_raw_tracepoint;
attach_fn attach_tracing; /* freplace, too */
attach_fn attach_kprobe, attach_kprobe_multi;
attach_fn attach_uprobe, attach_usdt; /* one place or many */
attach_fn attach_perf_event, attach_iter, attach_struct_ops;

/* The older ways, which the others choose where the kernel has no link; nobody owns what
 * they attach. */
attach_fn attach_xdp_netlink, attach_cgroup_prog, attach_sockmap_prog;

/* ---- for those functions ---- */

/* A link of `size` bytes, zeroed but for its head (fd: -1); NULL: told in diag. */
struct kern_link *link_new(const struct attaching *a, const struct kern_link_ops *ops,
			   size_t size, struct skep_diag *diag);

/* The link for a descriptor of a bpf_link, just as the system call returned it: a
 * negative errno is told as attach_refused() does.  Takes the descriptor, also when it
 * fails. */
int link_of_fd(const struct attaching *a, int fd, struct kern_link **link,
	       struct skep_diag *diag);

/* BPF_LINK_CREATE; fills in prog_fd.  size: LINK_UPTO the last field in use. */
int link_create(const struct attaching *a, struct link_create_attr *attr, size_t size);
#define LINK_UPTO(field)                                                                 \
	(offsetof(struct link_create_attr, field) +                                      \
	 sizeof(((struct link_create_attr *)0)->field))

/* The flags of BPF_LINK_CREATE that put a program where hook->place says. */
u32 place_flags(const struct hook *hook);

/* link_of_fd() for such links: what is wrong with the place is told. */
int place_link(const struct attaching *a, int fd, struct kern_link **link,
	       struct skep_diag *diag);

/* BPF_PROG_ATTACH to a cgroup or map, as a link.  Takes the target's descriptor, also
 * when it fails. */
int attach_prog(const struct attaching *a, int target, struct kern_link **out,
		struct skep_diag *diag);

/* Says why the kernel does not attach (kern/refused.h); returns err. */
int attach_refused(const struct attaching *a, int err, struct skep_diag *diag);

/* The same for what is attached already; why: the kernel's own words, or "". */
int link_refused(const struct kern_link *link, int err, const char *why,
		 struct skep_diag *diag);

/* Its id; 0: not known. */
u32 prog_id(int prog_fd);

/* Is the running kernel older?  For what cannot be asked in another way. */
bool kernel_before(u32 major, u32 minor);

/* What bpf_links do: for ops of others that have one. */
int bpf_link_update(struct kern_link *link, const struct kern_prog *prog,
		    struct skep_diag *diag);
int bpf_link_detach(struct kern_link *link, struct skep_diag *diag);

#endif
