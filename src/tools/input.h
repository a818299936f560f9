/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program is run on: the packets of captures and of the command line, in the order
 * in which they were given, or one context.  For src/tools.
 */
#ifndef SKEP_TOOLS_INPUT_H
#define SKEP_TOOLS_INPUT_H

#include "base/types.h"
#include "hook/capture.h"
#include "tools/command.h"

struct skep_diag;

/* The options of a command that name inputs. */
struct input_options {
	u32 pcap, packet;
};

struct inputs {
	const struct args *args;
	struct input_options options;
	size_t cursor;           /* in args->given */
	struct capture *capture; /* owned; the one that is being read */
	u8 *bytes;               /* owned; the last packet of the command line */
	const char *path;        /* of the capture; borrowed */
	u64 packets;             /* so far */
	u64 skipped;             /* packets of captures that could not be used */
};

struct input {
	struct captured packet;
	bool captured;    /* packet.time and number are real */
	bool raw_ip;      /* starts with the IP header; of captures */
	const char *path; /* of the capture; NULL: given on the command line */
};

void inputs_init(struct inputs *in, const struct args *args,
		 struct input_options options);

/* 1: there is one; 0: no more; or a negative errno.  A capture that breaks off gives
 * its packets before it fails. */
int inputs_next(struct inputs *in, struct input *input, struct skep_diag *diag);

/* Percent of the capture that is being read; -1: not known. */
int inputs_progress(const struct inputs *in);

void inputs_fini(struct inputs *in);

#endif
