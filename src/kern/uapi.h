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

/* BPF_LINK_CREATE; what follows flags depends on the attach type */
struct link_create_attr {
	u32 prog_fd;   /* of struct_ops: map_fd */
	u32 target_fd; /* or an ifindex */
	u32 attach_type;
	u32 flags;
	union {
		u32 target_btf_id;
		struct {
			u64 info;
			u32 info_len;
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
			u32 n, flags, pid;
		} uprobe_multi; /* 6.6 */
	};
};

#endif
