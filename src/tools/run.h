/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What skep run is made of: run.c reads the options, makes the object ready and tells
 * what came of it, run_packets.c gives it packets.  For those two.
 */
#ifndef SKEP_TOOLS_RUN_H
#define SKEP_TOOLS_RUN_H

#include <skep/skep.h>

#include "tools/command.h"
#include "tools/input.h"
#include "tools/json.h"
#include "tools/report.h"
#include "tools/tally.h"

struct capture_writer;

enum run_option {
	RUN_PCAP,
	RUN_PACKET,
	RUN_CTX,
	RUN_REPEAT,
	RUN_LINK,
	RUN_META,
	RUN_EGRESS,
	RUN_IFINDEX,
	RUN_MARK,
	RUN_PROG,
	RUN_ENGINE,
	RUN_MAX_STEPS,
	RUN_MAX_TIME,
	RUN_HARDEN,
	RUN_UNPRIVILEGED,
	RUN_PERF,
	RUN_CHECK_CLAIMS,
	RUN_VAR,
	RUN_SET,
	RUN_BTF,
	RUN_TARGET,
	RUN_KCONFIG,
	RUN_TIME,
	RUN_SEED,
	RUN_CPUS,
	RUN_CPU,
	RUN_OUT,
	RUN_MAPS,
	RUN_EVENTS,
	RUN_EVENT_TYPE,
	RUN_OPTIONS
};

struct session {
	const struct args *args;
	struct skep_world *world;
	struct skep_target *target;
	struct skep_object *obj;
	struct skep_prog *prog;
	struct skep_packet packet; /* what is the same for all packets */
	struct inputs inputs;
	struct tally tally;
	struct report report;
	struct json json;
	struct capture_writer *out;
	u8 *out_bytes; /* the packet as the program left it */
	u8 *meta;
	u8 *joined; /* metadata and packet */
	size_t meta_len;
	struct skep_packet *batch; /* n_batch of them: runs of one call */
	u32 n_batch;
	u64 repeat, time, cpu;
	u64 started;    /* ns */
	u64 clock_cost; /* what measuring costs, ns */
	u64 shown;      /* when progress was shown last, ns */
	bool time_given, progress, progress_shown;
	struct skep_diag diag;
};

/* All packets that the command line names, each as often as it says: EXIT_OK, or the exit
 * status after saying why. */
int run_packets(struct session *s);

/* Before anything else is written to a terminal. */
void run_hide_progress(struct session *s);

#endif
