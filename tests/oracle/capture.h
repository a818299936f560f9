/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What capture.c writes and loads.c reads: the objects that a process gave to bpf(2), in
 * order, each a struct record with its bytes behind it.  Host byte order; for one
 * machine.
 */
#ifndef SKEP_TESTS_ORACLE_CAPTURE_H
#define SKEP_TESTS_ORACLE_CAPTURE_H

#include <stdint.h>

enum record_kind { RECORD_MAP = 1, RECORD_BTF, RECORD_VALUE, RECORD_FREEZE, RECORD_PROG };

struct record {
	uint32_t kind, len; /* len: bytes behind it */
};

struct record_map {
	int32_t fd, inner_fd, btf_fd;
	uint32_t type, key_size, value_size, max_entries, flags;
	uint32_t btf_key_id, btf_value_id;
	uint64_t extra;
};

struct record_btf {
	int32_t fd; /* the bytes follow */
};

struct record_value { /* of key 0 of an array; also of freezing */
	int32_t fd;
};

/* What the loader may: capabilities that the verifier asks for; SYS_ADMIN has them all. */
enum {
	LOADER_BPF = 1 << 0,
	LOADER_PERFMON = 1 << 1,
	LOADER_NET_ADMIN = 1 << 2,
	LOADER_ALL = LOADER_BPF | LOADER_PERFMON | LOADER_NET_ADMIN
};

struct record_prog {
	int32_t result; /* 0 or a negative errno */
	int32_t btf_fd, attach_prog_fd;
	uint32_t type, attach_type, flags, attach_btf_id;
	uint32_t loader; /* LOADER_* */
	uint32_t gpl;
	uint32_t log_size; /* of the log that was asked for; 0: none */
	/* what follows: instructions, (insn, type id) pairs, descriptors of fd_array */
	uint32_t n_insns, n_funcs, n_fds;
	char name[16];
};

#endif
