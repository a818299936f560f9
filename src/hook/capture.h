/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files: pcap and pcapng, compressed or not, read one packet at a time, and
 * written as pcap.  libpcap knows the formats; what a packet is to a program is made
 * elsewhere (skep/prog.h).  Never does: keep more than one packet in memory.
 */
#ifndef SKEP_HOOK_CAPTURE_H
#define SKEP_HOOK_CAPTURE_H

#include "base/types.h"

struct skep_diag;

enum capture_link {
	CAPTURE_ETHERNET,
	CAPTURE_RAW_IP, /* DLT_RAW, DLT_IPV4, DLT_IPV6; cooked captures without their
			   header */
};

struct capture;

struct captured {
	const u8 *data; /* borrowed until the next call */
	u32 len;        /* bytes in the file */
	u32 wire_len;   /* bytes on the wire, at least len */
	u64 time;       /* ns since 1970 */
	u64 number;     /* 1 for the first packet of the file */
};

/* path "-": standard input.  Errors: the errno of opening it; EINVAL for what is no
 * capture, ENOTSUP for link types that are not Ethernet and not IP. */
int capture_open(const char *path, struct capture **capture, struct skep_diag *diag);
void capture_close(struct capture *capture); /* NULL is fine */

/* 1: a packet; 0: the end; EINVAL: the file breaks off, with the packet's number. */
int capture_next(struct capture *capture, struct captured *packet,
		 struct skep_diag *diag);

enum capture_link capture_link(const struct capture *capture);

/* Packets of a cooked capture that are not IP: they were left out. */
u64 capture_skipped(const struct capture *capture);

/* How much of the file was read, in percent; -1 where nobody knows how long it is. */
int capture_progress(const struct capture *capture);

struct capture_writer;

/* path "-": standard output. */
int capture_create(const char *path, enum capture_link link,
		   struct capture_writer **writer, struct skep_diag *diag);
void capture_write(struct capture_writer *writer, const struct captured *packet);

/* Writes what is left and closes.  Errors of any write show here. */
int capture_finish(struct capture_writer *writer, struct skep_diag *diag);

#endif
