/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The twin of kernel_run.c: the same arguments, the same lines of output, by libskep.
 *
 *	skep_run OBJECT PROGRAM CAPTURE [var NAME NUMBER]... [set MAP KEY VALUE]...
 *
 * As BPF_PROG_TEST_RUN has it, time stands still and socket filters see the network
 * header first.
 */
#define PCAP_DONT_INCLUDE_PCAP_BPF_H /* it has another struct bpf_insn */
#include <linux/bpf.h>
#include <pcap/pcap.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/types.h"

enum { MAX_FRAME = 65536, MAX_RETURNS = 16, MAX_VALUE = 1 << 20 };

struct result {
	u32 values[MAX_RETURNS];
	u32 counts[MAX_RETURNS];
	u32 n;
	u64 checksum;
};

static int complain(const struct skep_diag *diag)
{
	fprintf(stderr, "skep_run: %s: %s\n", diag->where, diag->text);
	return 1;
}

static void from_hex(const char *hex, u8 *bytes, size_t size)
{
	for (size_t n = 0; n < size && sscanf(hex + 2 * n, "%2hhx", &bytes[n]) == 1; n++)
		if (!hex[2 * n + 1])
			break;
}

static void print_hex(const u8 *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
}

/* A variable of any integer size. */
static int set_var(struct skep_object *obj, char **words)
{
	u64 number = strtoull(words[1], NULL, 0);

	for (size_t size = 1; size <= sizeof(number); size *= 2)
		if (!skep_object_set_var(obj, words[0], &number, size, NULL))
			return 0;
	return -1;
}

static int set_entry(struct skep_object *obj, char **words)
{
	struct skep_map *map = skep_object_find_map(obj, words[0]);
	u8 key[512] = {0}, value[512] = {0};

	if (!map || skep_map_value_size(map) > sizeof(value))
		return -1;
	from_hex(words[1], key, sizeof(key));
	from_hex(words[2], value, sizeof(value));
	return skep_map_update(map, key, value, SKEP_ANY);
}

/* Before loading: variables; after: entries. */
static int apply(struct skep_object *obj, char **words, bool loaded)
{
	int err = 0;

	while (*words && !err) {
		bool var = !strcmp(*words, "var");

		if (var && !loaded)
			err = set_var(obj, words + 1);
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

static int run_all(struct skep_prog *prog, pcap_t *capture, struct result *result)
{
	static u8 out[MAX_FRAME];
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct pcap_pkthdr *head;
	const u8 *data;

	while (pcap_next_ex(capture, &head, &data) == 1) {
		struct skep_packet packet = {.data = data,
					     .len = head->caplen,
					     .at_network = true,
					     .ifindex = 1,
					     .out = out,
					     .out_size = sizeof(out),
					     .cpu = 1};
		u64 ret;

		if (skep_prog_type(prog) != BPF_PROG_TYPE_XDP &&
		    is_tagged(data, head->caplen))
			continue;
		if (skep_prog_run_packet(prog, &packet, &ret, &diag))
			return complain(&diag);
		count(result, (u32)ret);
		/* the kernel gives zeroes for the link header that it took off */
		if (skep_prog_type(prog) == BPF_PROG_TYPE_SOCKET_FILTER)
			memset(out, 0, 14);
		result->checksum = checksum(result->checksum, out, packet.out_len);
	}
	return 0;
}

static void print_map(struct skep_map *map)
{
	static u8 value[MAX_VALUE];
	u8 key[512];

	for (int err = skep_map_next_key(map, NULL, key); !err;
	     err = skep_map_next_key(map, key, key)) {
		if (skep_map_lookup(map, key, value, 0))
			continue;
		printf("map %s ", skep_map_name(map));
		print_hex(key, skep_map_key_size(map));
		putchar(' ');
		print_hex(value, skep_map_value_size(map));
		putchar('\n');
	}
}

static void print_all(struct skep_object *obj, const struct result *result)
{
	struct skep_map *map = NULL;

	for (u32 i = 0; i < result->n; i++)
		printf("return %u %u\n", result->values[i], result->counts[i]);
	printf("packets %016llx\n", (unsigned long long)result->checksum);
	while ((map = skep_object_next_map(obj, map)))
		if (skep_map_type(map) != BPF_MAP_TYPE_RINGBUF &&
		    skep_map_type(map) != BPF_MAP_TYPE_PROG_ARRAY)
			print_map(map);
}

static int run(struct skep_object *obj, char **argv, pcap_t *capture)
{
	struct result result = {.checksum = 0xcbf29ce484222325};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_prog *prog = skep_object_find_prog(obj, argv[2]);

	if (!prog || apply(obj, argv + 4, false))
		return 1;
	if (skep_object_load(obj, NULL, &diag))
		return complain(&diag);
	if (apply(obj, argv + 4, true) || run_all(prog, capture, &result))
		return 1;
	print_all(obj, &result);
	return 0;
}

int main(int argc, char **argv)
{
	struct skep_object_opts opts = {0};
	struct skep_diag diag = SKEP_DIAG_INIT;
	char message[PCAP_ERRBUF_SIZE];
	struct skep_object *obj;
	pcap_t *capture;
	int status;

	if (argc < 4)
		return 2;
	capture = pcap_open_offline(argv[3], message);
	if (!capture)
		return 1;
	if (skep_world_new_script((u32)sysconf(_SC_NPROCESSORS_CONF), &opts.world,
				  &diag) ||
	    skep_object_open(argv[1], &opts, &obj, &diag))
		return complain(&diag);
	status = run(obj, argv, capture);
	skep_object_close(obj);
	skep_world_free(opts.world);
	pcap_close(capture);
	return status;
}
