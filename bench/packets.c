/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet costs: skep's engines beside the running kernel's BPF_PROG_TEST_RUN.
 *
 *	skep-bench-packets LOOKUP.bpf.o FIREWALL.bpf.o CAPTURE.pcap
 *
 * LOOKUP is packets.bpf.c: one hash look-up and one counter a packet.  FIREWALL is the
 * example, with the demo's rules, CAPTURE the demo's.  "repeated" is what TEST_RUN
 * measures: a packet is made once and the program runs on it again and again.  "capture"
 * is what a user has: each packet once, copied from memory to where programs may change
 * it, the whole capture over and over with the clock going on.  The time to consume
 *events is not counted.
 *
 * Engines take turns and the fastest of each counts: what else the machine does only
 * makes them slower.  Without root the kernel is left out.  See bench/README.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <skep/skep.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/types.h"

enum { INTERP, JIT, KERNEL, ENGINES };
enum { ROUNDS = 7, MAX_PACKETS = 4096, BATCH = 64, SAMPLE = 50 };

static const char *const engines[ENGINES] = {"interp", "jit", "kernel"};

/* Packets in memory and when they came. */
struct capture {
	struct file file; /* owned */
	struct skep_packet packets[MAX_PACKETS];
	u64 times[MAX_PACKETS]; /* ns */
	u32 n;
};

/* A program made ready on one engine; NULL: this engine is not there. */
struct subject {
	struct skep_world *world;
	struct skep_object *obj;
	struct skep_prog *prog;
	u64 now; /* ns; what a capture's time is added to */
};

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static void give_up(const char *what, const struct skep_diag *diag)
{
	fprintf(stderr, "skep-bench-packets: %s: %s\n", what, diag->text);
	exit(1);
}

/* ---- captures ---- */

/* Classic pcap of this machine's byte order, in microseconds. */
static void read_capture(const char *path, struct capture *c)
{
	enum { MAGIC = 0xa1b2c3d4, HEAD = 24, RECORD = 16 };
	struct skep_diag diag = SKEP_DIAG_INIT;
	u64 at = HEAD;

	if (file_read(path, &c->file, &diag))
		give_up(path, &diag);
	if (c->file.len < HEAD || load_u32(c->file.data) != MAGIC)
		at = c->file.len;
	while (c->n < MAX_PACKETS && c->file.len - at >= RECORD) {
		const u8 *record = c->file.data + at;
		u32 len = load_u32(record + 8);

		at += RECORD;
		if (len > c->file.len - at)
			break;
		c->times[c->n] =
			load_u32(record) * 1000000000ull + load_u32(record + 4) * 1000ull;
		c->packets[c->n++] = (struct skep_packet){
			.data = record + RECORD, .len = len, .ifindex = 1};
		at += len;
	}
	if (c->n)
		return;
	fprintf(stderr, "skep-bench-packets: %s: no packets\n", path);
	exit(1);
}

/* So many IPv4 UDP packets of 64 bytes from 10.0.0.1. */
static void make_packets(struct capture *c, u32 n)
{
	static const u8 bytes[64] = {
		2,    0, 0, 0,  0, 2, 2,    0, 0,  0,  0, 1, 8,  0, /* Ethernet */
		0x45, 0, 0, 50, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
	};

	for (; c->n < n; c->n++)
		c->packets[c->n] = (struct skep_packet){
			.data = bytes, .len = sizeof(bytes), .ifindex = 1};
}

/* ---- programs ---- */

static void set_element(struct subject *s, const char *map, const void *key)
{
	const u64 zero = 0;
	struct skep_map *found = skep_object_find_map(s->obj, map);

	if (!found || !skep_map_update(found, key, &zero, 0))
		return;
	fprintf(stderr, "skep-bench-packets: no element of %s can be set\n", map);
	exit(1);
}

/* Those of scripts/demo.sh, and the source of make_packets(). */
static void set_rules(struct subject *s)
{
	static const u8 v4[8] = {24, 0, 0, 0, 203, 0, 113, 0};
	static const u8 v6[20] = {48, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, 0x0b, 0xad};
	static const u8 source[4] = {10, 0, 0, 1};
	const u16 port = 23;

	set_element(s, "blocked_v4", v4);
	set_element(s, "blocked_v6", v6);
	set_element(s, "blocked_ports", &port);
	set_element(s, "sources", source);
}

static void subject_fini(struct subject *s)
{
	skep_object_close(s->obj);
	skep_world_free(s->world);
	*s = (struct subject){0};
}

static void open_subject(const char *path, u32 engine, struct subject *s)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object_opts opts = {.engine = engines[engine]};
	const u64 rate = 200;

	*s = (struct subject){0};
	if (skep_world_new_script(1, &s->world, &diag))
		give_up(path, &diag);
	opts.world = s->world;
	if (skep_object_open(path, &opts, &s->obj, &diag))
		give_up(path, &diag);
	skep_object_set_var(s->obj, "rate_per_second", &rate, sizeof(rate), NULL);
	s->prog = skep_object_next_prog(s->obj, NULL);
	if (!s->prog || skep_object_load(s->obj, NULL, &diag)) {
		fprintf(stderr, "%s: %s\n", engines[engine], diag.text);
		subject_fini(s);
		return;
	}
	set_rules(s);
}

/* ---- figures ---- */

/* ns of a run on packets in turn, so often; of a long capture on some dozen: the kernel
 * needs milliseconds to get ready for each. */
static double time_repeated(struct subject *s, struct capture *c, u32 repeat)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	u64 kernel = 0, start = now_ns(), ns;
	u32 step = c->n / SAMPLE + 1, n = 0;

	for (u32 i = 0; i < c->n; i += step, n++) {
		c->packets[i].repeat = repeat;
		if (skep_prog_run_packets(s->prog, &c->packets[i], 1, &diag))
			give_up("repeated", &diag);
		kernel += c->packets[i].run_ns;
	}
	ns = now_ns() - start;
	return kernel ? (double)kernel / n : (double)ns / repeat / n;
}

static int ignore(void *arg, int cpu, const void *data, u32 size)
{
	(void)arg, (void)cpu, (void)data, (void)size;
	return 0;
}

/* ns of one packet of a capture that goes by passes times. */
static double time_capture(struct subject *s, struct capture *c, u32 passes)
{
	struct skep_map *events = skep_object_find_map(s->obj, "events");
	struct skep_diag diag = SKEP_DIAG_INIT;
	u64 ns = 0;

	for (u32 pass = 0; pass < passes; pass++) {
		u64 start = now_ns();

		for (u32 i = 0; i < c->n; i += BATCH) {
			skep_world_set_time(s->world, s->now + c->times[i] - c->times[0]);
			if (skep_prog_run_packets(s->prog, &c->packets[i],
						  min_u64(BATCH, c->n - i), &diag))
				give_up("capture", &diag);
		}
		ns += now_ns() - start;
		s->now += c->times[c->n - 1] - c->times[0] + 1000000;
		if (events)
			skep_map_consume(events, ignore, NULL);
	}
	return (double)ns / passes / c->n;
}

static void print_line(const char *what, const double ns[ENGINES])
{
	printf("%-24s", what);
	for (u32 e = 0; e < ENGINES; e++) {
		if (ns[e] > 0)
			printf(" %9.1f", ns[e]);
		else
			printf(" %9s", "-");
	}
	if (ns[KERNEL] > 0)
		printf(" %10.2f", ns[JIT] / ns[KERNEL]);
	else
		printf(" %10s", "-");
	printf(" %12.1f\n", 1000 / ns[JIT]);
	fflush(stdout);
}

static void bench_repeated(const char *what, const char *path, struct capture *c)
{
	u32 repeat = c->n == 1 ? 200000 : 2000;
	struct subject subjects[ENGINES];
	double best[ENGINES] = {0};

	for (u32 e = 0; e < ENGINES; e++)
		open_subject(path, e, &subjects[e]);
	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 e = 0; e < ENGINES; e++) {
			double ns;

			if (!subjects[e].obj)
				continue;
			ns = time_repeated(&subjects[e], c, repeat);
			best[e] = best[e] > 0 && best[e] < ns ? best[e] : ns;
		}
	}
	print_line(what, best);
	for (u32 e = 0; e < ENGINES; e++)
		subject_fini(&subjects[e]);
	for (u32 i = 0; i < c->n; i++)
		c->packets[i].repeat = 0;
}

static void bench_capture(const char *what, const char *path, struct capture *c)
{
	enum { PACKETS = 200000 };
	u32 passes = PACKETS / c->n + 1;
	struct subject subjects[KERNEL];
	double best[ENGINES] = {0};

	for (u32 e = 0; e < KERNEL; e++)
		open_subject(path, e, &subjects[e]);
	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 e = 0; e < KERNEL; e++) {
			double ns;

			if (!subjects[e].obj)
				continue;
			ns = time_capture(&subjects[e], c, passes);
			best[e] = best[e] > 0 && best[e] < ns ? best[e] : ns;
		}
	}
	print_line(what, best);
	for (u32 e = 0; e < KERNEL; e++)
		subject_fini(&subjects[e]);
}

int main(int argc, char **argv)
{
	static struct capture one, many, traffic;

	if (argc != 4) {
		fprintf(stderr, "usage: skep-bench-packets LOOKUP.bpf.o FIREWALL.bpf.o "
				"CAPTURE.pcap\n");
		return 2;
	}
	make_packets(&one, 1);
	make_packets(&many, BATCH);
	read_capture(argv[3], &traffic);
	printf("%-24s %9s %9s %9s %10s %12s\n", "ns per packet", "interp", "jit",
	       "kernel", "jit/kernel", "jit, Mpkt/s");
	bench_repeated("look-up, repeated", argv[1], &one);
	bench_capture("look-up, each once", argv[1], &many);
	bench_repeated("firewall, repeated", argv[2], &traffic);
	bench_capture("firewall, capture", argv[2], &traffic);
	file_fini(&traffic.file);
	return 0;
}
