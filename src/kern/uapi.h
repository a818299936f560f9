/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bpf(2) takes and gives beyond the <linux/bpf.h> of Linux 6.1 that skep is built
 * with: layouts and numbers that appeared up to 6.18.
 *
 * Only facts of the system call's interface; names are ours where a field is ours to
 * name.  For src/kern.
 */
#ifndef SKEP_KERN_UAPI_H
#define SKEP_KERN_UAPI_H

#include <stddef.h>

#include "base/types.h"

/* BPF_RAW_TRACEPOINT_OPEN; cookie: 6.9 */
struct raw_tracepoint_attr {
	u64 name;
	u32 prog_fd, pad;
	u64 cookie;
};

/* Flags of BPF_LINK_CREATE where programs have an order: tcx, netkit, cgroups (6.17).
 * BEFORE nobody is first; ID: what it is relative to is the id of a program, or with LINK
 * of a link. */
enum {
	PLACE_IS_BEFORE = 1 << 3,
	PLACE_IS_AFTER = 1 << 4,
	PLACE_HAS_ID = 1 << 5,
	PLACE_HAS_LINK = 1 << 13,
};

/* A flag of netfilter links: fragments are put together first. */
enum { NETFILTER_IP_DEFRAG = 1 };

/* Flag of a map of struct_ops, BPF_F_LINK: a link registers it, not its value.  6.4 */
enum { STRUCT_OPS_LINK = 1 << 13 };

/* BPF_LINK_CREATE; what follows flags depends on the attach type.  Padding has a name:
 * Linux wants zeroes there, and compilers need not put them into what has none. */
struct link_create_attr {
	u32 prog_fd;   /* of struct_ops: map_fd */
	u32 target_fd; /* or an ifindex */
	u32 attach_type;
	u32 flags;
	union {
		u32 target_btf_id;
		struct {
			u64 info;
			u32 info_len, pad;
		} iter;
		struct {
			u64 cookie;
		} perf_event;
		struct {
			u32 flags, n;
			u64 syms, addrs, cookies;
		} kprobe_multi; /* 5.18 */
		struct {
			u32 btf_id, pad;
			u64 cookie;
		} tracing;
		struct {
			u32 pf, hooknum;
			s32 priority;
			u32 flags;
		} netfilter; /* 6.4 */
		struct {
			u32 relative; /* descriptor or id */
			u32 pad;
			u64 expected_revision;
		} tcx, netkit, cgroup; /* 6.6, 6.7, 6.17 */
		struct {
			u64 path, offsets, ref_ctr_offsets, cookies;
			u32 n, flags, pid, pad;
		} uprobe_multi; /* 6.6 */
	};
};

/* BPF_OBJ_GET_INFO_BY_FD of a link.  Pointers and their lengths are the caller's. */
struct link_info {
	u32 type; /* enum bpf_link_type, or one of those below */
	u32 id, prog_id, pad;
	union {
		struct {
			u64 name;
			u32 name_len, pad;
			u64 cookie;
		} raw_tracepoint;
		struct {
			u32 attach_type;
			u32 target_obj_id; /* of a BTF; EXT: of a program */
			u32 target_btf_id, pad;
			u64 cookie;
		} tracing;
		struct {
			u64 id;
			u32 attach_type;
		} cgroup;
		struct {
			u64 name;
			u32 name_len;
			u32 map_id;
		} iter;
		struct {
			u32 inode, attach_type;
		} netns;
		struct {
			u32 ifindex; /* 0: the interface is gone */
			u32 attach_type;
		} device; /* XDP, TCX, NETKIT */
		struct {
			u32 map_id, attach_type;
		} map; /* STRUCT_OPS, SOCKMAP */
		struct {
			u32 pf, hooknum;
			s32 priority;
			u32 flags;
		} netfilter;
		struct {
			u64 addrs;
			u32 n, flags;
			u64 missed, cookies;
		} kprobe_multi; /* 6.6 */
		struct {
			u64 path, offsets, ref_ctr_offsets, cookies;
			u32 path_size, n, flags, pid;
		} uprobe_multi; /* 6.8 */
		struct {
			u32 type; /* enum link_event */
			u32 pad;
			union {
				struct {
					u64 name;
					u32 name_len, offset;
				};
				struct {
					u64 config;
					u32 type;
				} event;
			};
			u64 rest[4];
		} perf; /* 6.6 */
	};
};

enum {
	LINK_TYPE_NETFILTER = 10,
	LINK_TYPE_TCX = 11,
	LINK_TYPE_UPROBE_MULTI = 12,
	LINK_TYPE_NETKIT = 13,
	LINK_TYPE_SOCKMAP = 14,
	LINK_TYPES
};

enum link_event {
	LINK_EVENT_NONE,
	LINK_EVENT_UPROBE,
	LINK_EVENT_URETPROBE,
	LINK_EVENT_KPROBE,
	LINK_EVENT_KRETPROBE,
	LINK_EVENT_TRACEPOINT,
	LINK_EVENT_EVENT,
};

/* BPF_PROG_QUERY */
struct prog_query_attr {
	u32 target; /* a descriptor, or an ifindex */
	u32 attach_type;
	u32 query_flags, attach_flags;
	u64 prog_ids;
	u32 n; /* room, then how many there are */
	u32 pad;
	u64 prog_attach_flags;              /* 6.1 */
	u64 link_ids, link_flags, revision; /* 6.6 */
};

#endif
