/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libpcap, loaded when a capture is read or written and not before: with what it depends
 * on (D-Bus, systemd, libgcrypt) it costs each start of the command 3 ms and 1.3 MB.  For
 * src/hook.
 */
#ifndef SKEP_HOOK_LIBPCAP_H
#define SKEP_HOOK_LIBPCAP_H

#include <pcap/pcap.h>

struct skep_diag;

/* The functions in use, named as in libpcap without pcap_. */
#define LIBPCAP_FUNCTIONS(X)                                                             \
	X(close)                                                                         \
	X(datalink)                                                                      \
	X(datalink_val_to_name)                                                          \
	X(dump)                                                                          \
	X(dump_close)                                                                    \
	X(dump_file)                                                                     \
	X(dump_flush)                                                                    \
	X(dump_open)                                                                     \
	X(fopen_offline_with_tstamp_precision)                                           \
	X(geterr)                                                                        \
	X(next_ex)                                                                       \
	X(open_dead_with_tstamp_precision)

struct libpcap {
	void *handle; /* owned; of dlopen() */
#define X(name) typeof(pcap_##name) *name;
	LIBPCAP_FUNCTIONS(X)
#undef X
};

int libpcap_open(struct libpcap *lib, struct skep_diag *diag);
void libpcap_close(struct libpcap *lib);

#endif
