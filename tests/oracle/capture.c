/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library to be preloaded into a process that loads eBPF: writes down what it gives to
 * bpf(2) and what the kernel answers, into the file that SKEP_CAPTURE names.
 *
 *	SKEP_CAPTURE=loads LD_PRELOAD=./libcapture.so test_verifier
 *
 * With SKEP_CAPTURE_TWICE set, programs are loaded once more before, by a loader that has
 * CAP_BPF and not CAP_PERFMON.
 *
 * scripts/parity-tables.sh judges with it what has no object files.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "oracle/capture.h"

enum { FDS = 4096, MAX_FD_ARRAY = 256, MAX_TWICE = 100000 };

static FILE *out;
static uint32_t value_sizes[FDS];

static long raw_syscall(long n, const long a[6])
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(n), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static void put(enum record_kind kind, const void *head, size_t head_len,
		const void *more, size_t len)
{
	struct record r = {kind, (uint32_t)(head_len + len)};

	if (!out && getenv("SKEP_CAPTURE"))
		out = fopen(getenv("SKEP_CAPTURE"), "we");
	if (!out)
		return;
	fwrite(&r, sizeof(r), 1, out);
	fwrite(head, head_len, 1, out);
	if (len)
		fwrite(more, len, 1, out);
	fflush(out);
}

static const void *at(uint64_t address)
{
	return (const void *)(uintptr_t)address;
}

static void put_map(const union bpf_attr *attr, int fd)
{
	struct record_map m = {.fd = fd,
			       .inner_fd = (int)attr->inner_map_fd,
			       .btf_fd = (int)attr->btf_fd,
			       .type = attr->map_type,
			       .key_size = attr->key_size,
			       .value_size = attr->value_size,
			       .max_entries = attr->max_entries,
			       .flags = attr->map_flags,
			       .btf_key_id = attr->btf_key_type_id,
			       .btf_value_id = attr->btf_value_type_id,
			       .extra = attr->map_extra};

	if (fd < FDS)
		value_sizes[fd] =
			attr->map_type == BPF_MAP_TYPE_ARRAY ? attr->value_size : 0;
	put(RECORD_MAP, &m, sizeof(m), NULL, 0);
}

static void put_value(const union bpf_attr *attr)
{
	struct record_value v = {(int)attr->map_fd};
	uint32_t key;

	if (attr->map_fd >= FDS || !value_sizes[attr->map_fd])
		return;
	memcpy(&key, at(attr->key), sizeof(key));
	if (!key)
		put(RECORD_VALUE, &v, sizeof(v), at(attr->value),
		    value_sizes[attr->map_fd]);
}

static uint64_t get_caps(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	const long a[6] = {(long)&head, (long)data};

	raw_syscall(SYS_capget, a);
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

static void set_caps(uint64_t caps)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	const long a[6] = {(long)&head, (long)data};

	raw_syscall(SYS_capget, a);
	data[0].effective = (uint32_t)caps;
	data[1].effective = (uint32_t)(caps >> 32);
	raw_syscall(SYS_capset, a);
}

static uint32_t loader_may(void)
{
	uint64_t caps = get_caps();

	if (caps >> CAP_SYS_ADMIN & 1)
		return LOADER_ALL;
	return (caps >> CAP_BPF & 1 ? LOADER_BPF : 0) |
	       (caps >> CAP_PERFMON & 1 ? LOADER_PERFMON : 0) |
	       (caps >> CAP_NET_ADMIN & 1 ? LOADER_NET_ADMIN : 0);
}

/* How many descriptors of fd_array the program names: nobody says its length. */
static uint32_t fds_used(const union bpf_attr *attr)
{
	const struct bpf_insn *insns = at(attr->insns);
	uint32_t most = 0;

	for (uint32_t i = 0; attr->fd_array && i < attr->insn_cnt; i++) {
		const struct bpf_insn *insn = &insns[i];
		uint32_t index = 0;

		if (insn->code == (BPF_JMP | BPF_CALL) &&
		    insn->src_reg == BPF_PSEUDO_KFUNC_CALL && insn->off > 0)
			index = (uint32_t)insn->off + 1;
		if (insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    (insn->src_reg == BPF_PSEUDO_MAP_IDX ||
		     insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE) &&
		    insn->imm >= 0)
			index = (uint32_t)insn->imm + 1;
		if (index > most && index <= MAX_FD_ARRAY)
			most = index;
	}
	return most;
}

static void put_prog(const union bpf_attr *attr, long ret)
{
	struct record_prog p = {.result = ret < 0 ? (int)ret : 0,
				.btf_fd = (int)attr->prog_btf_fd,
				.attach_prog_fd = (int)attr->attach_prog_fd,
				.type = attr->prog_type,
				.attach_type = attr->expected_attach_type,
				.flags = attr->prog_flags,
				.attach_btf_id = attr->attach_btf_id,
				.loader = loader_may(),
				.gpl = attr->license && strstr(at(attr->license), "GPL"),
				.log_size = attr->log_level ? attr->log_size : 0,
				.n_insns = attr->insn_cnt,
				.n_fds = fds_used(attr)};
	size_t insns = attr->insn_cnt * 8ul, funcs = 0, fds = p.n_fds * 4ul;
	char *body;

	if (attr->func_info_rec_size == 8)
		p.n_funcs = attr->func_info_cnt, funcs = p.n_funcs * 8ul;
	body = malloc(insns + funcs + fds + 1);
	if (!body)
		return;
	memcpy(p.name, attr->prog_name, sizeof(p.name));
	memcpy(body, at(attr->insns), insns);
	if (funcs)
		memcpy(body + insns, at(attr->func_info), funcs);
	if (fds)
		memcpy(body + insns + funcs, at(attr->fd_array), fds);
	put(RECORD_PROG, &p, sizeof(p), body, insns + funcs + fds);
	free(body);
}

static void load_with_less(const long a[6], const union bpf_attr *attr)
{
	uint64_t caps = get_caps();
	long close_it[6] = {0};

	/* Linux takes half a minute for a million instructions */
	if (!(caps >> CAP_PERFMON & 1) || attr->insn_cnt > MAX_TWICE)
		return;
	set_caps(caps & (1ull << CAP_BPF | 1ull << CAP_NET_ADMIN));
	close_it[0] = raw_syscall(SYS_bpf, a);
	put_prog(attr, close_it[0]);
	set_caps(caps);
	if (close_it[0] >= 0)
		raw_syscall(SYS_close, close_it);
}

static void note(long cmd, const union bpf_attr *attr, long ret)
{
	struct record_btf btf = {(int)ret};
	struct record_value frozen = {(int)attr->map_fd};

	if (cmd == BPF_PROG_LOAD)
		put_prog(attr, ret);
	else if (ret < 0)
		return;
	else if (cmd == BPF_MAP_CREATE)
		put_map(attr, (int)ret);
	else if (cmd == BPF_BTF_LOAD)
		put(RECORD_BTF, &btf, sizeof(btf), at(attr->btf), attr->btf_size);
	else if (cmd == BPF_MAP_UPDATE_ELEM)
		put_value(attr);
	else if (cmd == BPF_MAP_FREEZE)
		put(RECORD_FREEZE, &frozen, sizeof(frozen), NULL, 0);
}

__attribute__((visibility("default"))) long syscall(long n, ...)
{
	union bpf_attr attr;
	long a[6], ret;
	va_list ap;

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (n == SYS_bpf) {
		size_t size = (size_t)a[2] < sizeof(attr) ? (size_t)a[2] : sizeof(attr);

		memset(&attr, 0, sizeof(attr));
		memcpy(&attr, (void *)a[1], size);
		if (a[0] == BPF_PROG_LOAD && getenv("SKEP_CAPTURE_TWICE"))
			load_with_less(a, &attr);
	}
	ret = raw_syscall(n, a);
	if (n == SYS_bpf)
		note(a[0], &attr, ret);
	if (ret < 0 && ret > -4096) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}
