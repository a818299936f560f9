/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep in another program: a packet filter as a plug-in.
 *
 *	embed xdp_firewall.bpf.o
 *
 * Opens the object, sets one of its variables, loads it, runs the program on packets made
 * here, and reads what it counted.  Uses <skep/skep.h> and nothing else of skep:
 *
 *	cc embed.c $(pkg-config --cflags --libs skep)
 */
#include <skep/skep.h>
#include <stdio.h>
#include <string.h>

/* Ethernet, IPv4, UDP: 10.0.0.1 to 10.0.0.2, the port is filled in. */
static const unsigned char udp_packet[] = {
	0x02, 0,    0,  0,  0, 2,  0x02, 0, 0,   0,   0,   1,   0x08, 0x00, /* Ethernet */
	0x45, 0,    0,  32, 0, 0,  0,    0, 64,  17,  0,   0,   10,   0,
	0,    1,    10, 0,  0, 2,                               /* IPv4 */
	0x04, 0xd2, 0,  0,  0, 12, 0,    0, 's', 'k', 'e', 'p', /* UDP */
};
enum { PORT_OFFSET = 36 };

static int complain(const struct skep_diag *diag)
{
	fprintf(stderr, "embed: %s: %s", diag->where, diag->text);
	if (diag->advice)
		fprintf(stderr, " (%s)", diag->advice);
	fputc('\n', stderr);
	return 1;
}

static int run_on_port(struct skep_prog *prog, unsigned port, struct skep_diag *diag)
{
	unsigned char bytes[sizeof(udp_packet)];
	struct skep_packet packet = {.data = bytes, .len = sizeof(bytes)};
	const char *name;
	uint64_t verdict;

	memcpy(bytes, udp_packet, sizeof(bytes));
	bytes[PORT_OFFSET] = (unsigned char)(port >> 8);
	bytes[PORT_OFFSET + 1] = (unsigned char)port;
	if (skep_prog_run_packet(prog, &packet, &verdict, diag))
		return complain(diag);
	name = skep_prog_verdict_name(prog, verdict);
	printf("UDP to port %u: %s\n", port, name ? name : "no verdict");
	return 0;
}

/* What the program counted, over all CPUs: struct counter of the firewall. */
static void print_counters(struct skep_map *map)
{
	struct {
		uint64_t packets, bytes;
	} values[256];
	uint32_t reason;

	if (skep_map_value_size(map) > sizeof(values))
		return;
	for (int err = skep_map_next_key(map, NULL, &reason); !err;
	     err = skep_map_next_key(map, &reason, &reason)) {
		uint64_t packets = 0;

		memset(values, 0, sizeof(values));
		if (skep_map_lookup(map, &reason, values, SKEP_ANY))
			continue;
		for (size_t cpu = 0; cpu < 256; cpu++)
			packets += values[cpu].packets;
		if (packets)
			printf("reason %u: %llu packets\n", reason,
			       (unsigned long long)packets);
	}
}

static int use(struct skep_object *obj, struct skep_diag *diag)
{
	struct skep_prog *prog = skep_object_find_prog(obj, "xdp_firewall");
	struct skep_map *ports = skep_object_find_map(obj, "blocked_ports");
	struct skep_map *counters = skep_object_find_map(obj, "counters");
	uint64_t rate = 0, hits = 0;
	uint16_t port = 23;

	if (!prog || !ports || !counters) {
		fputs("embed: this is not the example firewall\n", stderr);
		return 1;
	}
	/* before loading: constants of the program */
	if (skep_object_set_var(obj, "rate_per_second", &rate, sizeof(rate), diag) ||
	    skep_object_load(obj, NULL, diag))
		return complain(diag);
	/* at any time: its maps */
	if (skep_map_update(ports, &port, &hits, SKEP_ANY)) {
		fputs("embed: the port cannot be blocked\n", stderr);
		return 1;
	}
	if (run_on_port(prog, 53, diag) || run_on_port(prog, 23, diag))
		return 1;
	print_counters(counters);
	return 0;
}

int main(int argc, char **argv)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj;
	int status;

	if (argc != 2) {
		fputs("usage: embed xdp_firewall.bpf.o\n", stderr);
		return 2;
	}
	if (skep_object_open(argv[1], NULL, &obj, &diag))
		return complain(&diag);
	status = use(obj, &diag);
	skep_object_close(obj);
	return status;
}
