/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live kernel's answer for a capture: loads an object with libbpf, gives every packet
 * to one program by BPF_PROG_TEST_RUN, prints what it returned and what is in the maps.
 *
 *	kernel_run OBJECT PROGRAM CAPTURE [var NAME NUMBER]... [set MAP KEY VALUE]...
 *
 * KEY and VALUE in hex.  Prints lines "return VALUE COUNT", "packets CHECKSUM" (of all
 * packets as the program left them) and "map NAME KEY VALUE".  Exit status 77 where there
 * is no bpf(2).  Attaches nothing.
 */
#define PCAP_DONT_INCLUDE_PCAP_BPF_H /* both libraries call theirs struct bpf_insn */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"

enum { MAX_FRAME = 65536, MAX_RETURNS = 16, MAX_VALUE = 4096, SKIPPED = 77 };

struct result {
	u32 values[MAX_RETURNS];
	u32 counts[MAX_RETURNS];
	u32 n;
	u64 checksum;
};

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static int fail_with(const char *what)
{
	fprintf(stderr, "kernel_run: %s: %s\n", what, strerror(errno));
	return errno == EPERM ? SKIPPED : 1;
}

static size_t from_hex(const char *hex, u8 *bytes, size_t size)
{
	size_t n = 0;

	for (; n < size && sscanf(hex + 2 * n, "%2hhx", &bytes[n]) == 1; n++)
		if (!hex[2 * n + 1])
			break;
	return n;
}

static void print_hex(const u8 *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
}

/* Writes a number to a variable of .rodata, before the object is loaded. */
static int set_var(struct bpf_object *obj, const char *name, u64 number)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, ".rodata");
	const struct btf *btf = bpf_object__btf(obj);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = id > 0 ? btf__type_by_id(btf, (u32)id) : NULL;
	const struct btf_var_secinfo *var;
	size_t size;
	u8 *data = map ? (u8 *)bpf_map__initial_value(map, &size) : NULL;

	for (u32 i = 0; section && data && i < btf_vlen(section); i++) {
		var = btf_var_secinfos(section) + i;
		if (strcmp(btf__name_by_offset(btf,
					       btf__type_by_id(btf, var->type)->name_off),
			   name))
			continue;
		memcpy(data + var->offset, &number,
		       var->size < sizeof(number) ? var->size : sizeof(number));
		return 0;
	}
	fprintf(stderr, "kernel_run: no variable %s\n", name);
	return -1;
}

static int set_entry(struct bpf_object *obj, char **words)
{
	u8 key[MAX_VALUE] = {0}, value[MAX_VALUE] = {0};
	struct bpf_map *map = bpf_object__find_map_by_name(obj, words[0]);

	if (!map)
		return -1;
	from_hex(words[1], key, sizeof(key));
	from_hex(words[2], value, sizeof(value));
	return bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY);
}

/* Before loading: variables; after: entries. */
static int apply(struct bpf_object *obj, char **words, bool loaded)
{
	int err = 0;

	while (*words && !err) {
		bool var = !strcmp(*words, "var");

		if (var && !loaded)
			err = set_var(obj, words[1], strtoull(words[2], NULL, 0));
		if (!var && loaded)
			err = set_entry(obj, words + 1);
		words += var ? 3 : 4;
	}
	return err;
}

static void count(struct result *result, u32 value)
{
	u32 i = 0;

	while (i < result->n && result->values[i] != value)
		i++;
	if (i == MAX_RETURNS)
		return;
	if (i == result->n)
		result->values[result->n++] = value;
	result->counts[i]++;
}

static u64 checksum(u64 sum, const u8 *data, u32 size)
{
	for (u32 i = 0; i < size; i++)
		sum = (sum ^ data[i]) * 0x100000001b3;
	return sum;
}

/* BPF_PROG_TEST_RUN leaves VLAN tags among the bytes; on receipt they are taken out
 * before a program of an skb runs. */
static bool is_tagged(const u8 *data, u32 len)
{
	return len > 13 && data[12] == 0x81 && data[13] == 0x00;
}

static int run_all(const struct bpf_program *prog, pcap_t *capture, struct result *result)
{
	static u8 out[MAX_FRAME];
	bool xdp = bpf_program__type(prog) == BPF_PROG_TYPE_XDP;
	int fd = bpf_program__fd(prog);
	struct pcap_pkthdr *head;
	const u8 *data;

	while (pcap_next_ex(capture, &head, &data) == 1) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data,
			    .data_size_in = head->caplen, .data_out = out,
			    .data_size_out = sizeof(out), .repeat = 1);

		if (!xdp && is_tagged(data, head->caplen))
			continue;
		if (bpf_prog_test_run_opts(fd, &opts))
			return fail_with("BPF_PROG_TEST_RUN");
		count(result, opts.retval);
		result->checksum = checksum(result->checksum, out, opts.data_size_out);
	}
	return 0;
}

static void print_map(struct bpf_map *map)
{
	u8 key[MAX_VALUE], next[MAX_VALUE];
	static u8 value[1 << 20];
	u32 value_size = bpf_map__value_size(map);
	int fd = bpf_map__fd(map);
	u8 *last = NULL;

	if (bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY ||
	    bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_HASH)
		value_size =
			(u32)round_up(value_size, 8) * (u32)libbpf_num_possible_cpus();
	while (!bpf_map_get_next_key(fd, last, next)) {
		memcpy(key, next, sizeof(key));
		last = key;
		if (bpf_map_lookup_elem(fd, key, value))
			continue;
		printf("map %s ", bpf_map__name(map));
		print_hex(key, bpf_map__key_size(map));
		putchar(' ');
		print_hex(value, value_size);
		putchar('\n');
	}
}

static void print_all(struct bpf_object *obj, const struct result *result)
{
	struct bpf_map *map;

	for (u32 i = 0; i < result->n; i++)
		printf("return %u %u\n", result->values[i], result->counts[i]);
	printf("packets %016llx\n", (unsigned long long)result->checksum);
	bpf_object__for_each_map(map,
				 obj) if (bpf_map__type(map) != BPF_MAP_TYPE_RINGBUF &&
					  bpf_map__type(map) != BPF_MAP_TYPE_PROG_ARRAY)
		print_map(map);
}

int main(int argc, char **argv)
{
	struct result result = {.checksum = 0xcbf29ce484222325};
	char message[PCAP_ERRBUF_SIZE];
	struct bpf_program *prog;
	struct bpf_object *obj;
	pcap_t *capture;
	int err;

	if (argc < 4)
		return 2;
	libbpf_set_print(quiet);
	obj = bpf_object__open(argv[1]);
	capture = pcap_open_offline(argv[3], message);
	if (!obj || !capture)
		return fail_with(argv[1]);
	if (apply(obj, argv + 4, false))
		return 1;
	if (bpf_object__load(obj))
		return fail_with("load");
	prog = bpf_object__find_program_by_name(obj, argv[2]);
	if (!prog || apply(obj, argv + 4, true))
		return fail_with(argv[2]);
	err = run_all(prog, capture, &result);
	if (!err)
		print_all(obj, &result);
	pcap_close(capture);
	bpf_object__close(obj);
	return err;
}
