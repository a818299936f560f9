/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libskep: eBPF as one complete system, in any process.
 *
 * An object (what clang -target bpf makes) is opened, its variables are set, it is loaded
 * for a target, and its programs run on bytes that the host gives them:
 *
 *	struct skep_diag diag = SKEP_DIAG_INIT;
 *	struct skep_object *obj;
 *	uint64_t verdict;
 *
 *	if (skep_object_open("filter.bpf.o", NULL, &obj, &diag) ||
 *	    skep_object_load(obj, NULL, &diag))
 *		complain(diag.where, diag.text);
 *	struct skep_prog *prog = skep_object_find_prog(obj, "xdp_filter");
 *	struct skep_packet packet = {.data = frame, .len = length};
 *	err = skep_prog_run_packet(prog, &packet, &verdict, &diag);
 *
 * Functions that can fail return 0 or a negative errno and fill the caller's struct
 * skep_diag (diag.h), which may be NULL.  The library never prints, exits, aborts or
 * touches signals, and has no global state: different objects in different threads need
 * no lock.  What one program means is decided by Linux: its documentation is the
 * reference of everything that has a BPF_ name.
 */
#ifndef SKEP_SKEP_H
#define SKEP_SKEP_H

#include <skep/diag.h>
#include <skep/link.h>
#include <skep/map.h>
#include <skep/object.h>
#include <skep/prog.h>
#include <skep/target.h>
#include <skep/world.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The version of the library that is linked.
 * @return "MAJOR.MINOR.PATCH", static. Thread-safe.
 */
const char *skep_version(void);

#ifdef __cplusplus
}
#endif
#endif
