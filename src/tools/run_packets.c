/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep run on packets: one after another, with the time of each, and what is not dropped
 * written to a capture.  Never does: deciding what a verdict means beyond that.
 */
#include "tools/run.h"

#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "hook/capture.h"
#include "tools/hex.h"
#include "tools/live.h"
#include "tools/out.h"

enum { MAX_OUT = 256 * 1024 + 4096, MAX_META = 252 /* of struct skep_packet */ };
enum { MAX_BATCH = 64 };

/* ---- progress ---- */

void run_hide_progress(struct session *s)
{
	if (s->progress_shown)
		fputs("\r\033[K", stderr);
	s->progress_shown = false;
}

static void show_progress(struct session *s)
{
	enum { FIRST_NS = 1000000000, STEP_NS = 200000000 };
	struct number n;
	int percent;
	u64 now;

	if (!s->progress)
		return;
	now = clock_ns();
	if (now - s->started < FIRST_NS || now - s->shown < STEP_NS)
		return;
	percent = inputs_progress(&s->inputs);
	fprintf(stderr, "\r\033[K%s packets", grouped(&n, s->inputs.packets));
	if (percent >= 0)
		fprintf(stderr, ", %d %%", percent);
	s->shown = now;
	s->progress_shown = true;
}

/* ---- packets ---- */

static int read_meta(struct session *s)
{
	const char *hex = args_value(s->args, RUN_META), *bad;

	if (!hex)
		return EXIT_OK;
	s->meta = hex_parse(hex, strlen(hex), &s->meta_len, &bad);
	if (!s->meta)
		return args_refuse(s->args, "--meta is bytes in hex, not \"%s\"", hex);
	if (s->meta_len > MAX_META || s->meta_len % 4)
		return args_refuse(s->args,
				   "--meta is up to %d bytes, a multiple of 4, not %zu",
				   MAX_META, s->meta_len);
	s->joined = malloc(MAX_OUT + s->meta_len);
	if (s->joined)
		return EXIT_OK;
	say(NULL, NULL, "out of memory");
	return EXIT_SYSTEM;
}

/* Of these nobody can say how much room one packet takes, and they are shown in the order
 * of packets: then each packet is run alone. */
static bool sends_events(const struct session *s)
{
	struct skep_map *map = NULL;

	while ((map = skep_object_next_map(s->obj, map)))
		if (skep_map_type(map) == BPF_MAP_TYPE_RINGBUF ||
		    skep_map_type(map) == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			return true;
	return false;
}

static int prepare_packets(struct session *s)
{
	u64 ifindex = 1, mark = 0;

	if (args_number(s->args, RUN_IFINDEX, ~0u, &ifindex) ||
	    args_number(s->args, RUN_MARK, ~0u, &mark))
		return EXIT_USAGE;
	s->packet = (struct skep_packet){.ifindex = (u32)ifindex,
					 .mark = (u32)mark,
					 .egress = args_has(s->args, RUN_EGRESS),
					 .cpu = (int32_t)s->cpu + 1};
	s->n_batch = sends_events(s) ? 1 : (u32)min_u64(s->repeat, MAX_BATCH);
	s->batch = calloc(s->n_batch, sizeof(*s->batch));
	s->out_bytes = malloc(MAX_OUT);
	if (s->batch && s->out_bytes)
		return read_meta(s);
	say(NULL, NULL, "out of memory");
	return EXIT_SYSTEM;
}

static bool is_raw_ip(const struct session *s, const struct input *input)
{
	const char *link = args_value(s->args, RUN_LINK);

	return input->captured ? input->raw_ip : link && !strcmp(link, "ip");
}

static struct skep_packet packet_of(struct session *s, const struct input *input)
{
	struct skep_packet packet = s->packet;

	packet.data = input->packet.data;
	packet.len = input->packet.len;
	packet.wire_len = input->packet.wire_len;
	packet.link = is_raw_ip(s, input) ? SKEP_LINK_RAW_IP : SKEP_LINK_ETHERNET;
	if (input->captured && !packet.egress)
		packet.tstamp = input->packet.time;
	packet.out = s->out ? s->out_bytes : NULL;
	packet.out_size = s->out ? MAX_OUT : 0;
	if (s->meta) {
		memcpy(s->joined, s->meta, s->meta_len);
		memcpy(s->joined + s->meta_len, input->packet.data, input->packet.len);
		packet.data = s->joined;
		packet.len += (u32)s->meta_len;
		packet.meta_len = (u32)s->meta_len;
	}
	return packet;
}

/* Does the packet go on, somewhere? */
static bool goes_on(const struct session *s, u64 verdict)
{
	switch (skep_prog_type(s->prog)) {
	case BPF_PROG_TYPE_XDP:
		return verdict == XDP_PASS || verdict == XDP_TX ||
		       verdict == XDP_REDIRECT;
	case BPF_PROG_TYPE_SOCKET_FILTER: return verdict;
	default:
		return verdict != TC_ACT_SHOT && verdict != TC_ACT_STOLEN &&
		       verdict != TC_ACT_QUEUED && verdict != TC_ACT_TRAP;
	}
}

static void write_packet(struct session *s, const struct input *input,
			 const struct skep_packet *packet)
{
	u64 verdict = packet->ret;
	struct captured out = input->packet;

	if (!s->out || !goes_on(s, verdict))
		return;
	out.data = s->out_bytes;
	out.wire_len = packet->out_len;
	out.len = (u32)min_u64(packet->out_len, MAX_OUT);
	/* what was cut off when it was captured is still missing */
	if (packet->out_len == input->packet.len)
		out.wire_len = input->packet.wire_len;
	if (skep_prog_type(s->prog) == BPF_PROG_TYPE_SOCKET_FILTER && verdict < out.len)
		out.len = (u32)verdict;
	capture_write(s->out, &out);
}

static int open_out(struct session *s, const struct input *input)
{
	const char *path = args_value(s->args, RUN_OUT);

	if (!path || s->out)
		return EXIT_OK;
	if (!capture_create(path, is_raw_ip(s, input) ? CAPTURE_RAW_IP : CAPTURE_ETHERNET,
			    &s->out, &s->diag))
		return EXIT_OK;
	return refuse(&s->diag, EXIT_SYSTEM);
}

static int refuse_packet(struct session *s, const struct input *input)
{
	char number[64];

	snprintf(number, sizeof(number), "packet %llu",
		 (unsigned long long)input->packet.number);
	run_hide_progress(s);
	say_diag(&s->diag);
	say(input->path ? input->path : "--packet", NULL, "the run ended at %s", number);
	return EXIT_NO;
}

/* A packet without its link header says nothing about the program: it is left out. */
static bool is_too_short(const struct session *s)
{
	return !strcmp(skep_diag_name(s->diag.id), "PACKET_TOO_SHORT");
}

/* What a run took is not told apart from the others of its call. */
static void tally_runs(struct session *s, u32 n, u64 ns)
{
	u64 left = ns > s->clock_cost ? ns - s->clock_cost : 0;

	for (u32 i = 0; i < n && s->batch[i].ran; i++) {
		const struct skep_packet *packet = &s->batch[i];

		tally_add(&s->tally, packet->ret, packet->len,
			  packet->run_ns ? packet->run_ns : left);
		left = 0;
	}
}

/* The packet so often, in one call. */
static int run_times(struct session *s, const struct input *input, u32 n)
{
	u64 start;
	int err;

	for (u32 i = 0; i < n; i++)
		s->batch[i] = packet_of(s, input);
	start = clock_ns();
	err = skep_prog_run_packets(s->prog, s->batch, n, &s->diag);
	tally_runs(s, n, clock_ns() - start);
	report_events(&s->report);
	return err;
}

static int run_packet(struct session *s, const struct input *input)
{
	u32 n = 0;
	int err = open_out(s, input);

	if (err)
		return err;
	if (!s->time_given && input->captured)
		skep_world_set_time(s->world, input->packet.time);
	for (u64 left = s->repeat; left && !err; left -= n) {
		n = (u32)min_u64(left, s->n_batch);
		err = run_times(s, input, n);
	}
	if (err && is_too_short(s)) {
		s->diag = (struct skep_diag)SKEP_DIAG_INIT;
		s->inputs.skipped++;
		return EXIT_OK;
	}
	if (err)
		return refuse_packet(s, input);
	write_packet(s, input, &s->batch[n - 1]);
	return EXIT_OK;
}

static void tell_skipped(const struct session *s)
{
	struct number n;

	if (s->inputs.skipped == 1)
		say_warning(NULL, "1 packet was left out: cut off in its link header, or "
				  "neither IPv4 nor IPv6");
	else if (s->inputs.skipped)
		say_warning(NULL,
			    "%s packets were left out: cut off in their link headers, or "
			    "neither IPv4 nor IPv6",
			    grouped(&n, s->inputs.skipped));
}

static int close_out(struct session *s, int status)
{
	struct capture_writer *out = s->out;

	s->out = NULL;
	if (out && capture_finish(out, &s->diag) && !status)
		return refuse(&s->diag, EXIT_SYSTEM);
	return status;
}

int run_packets(struct session *s)
{
	struct input_options options_of_input = {RUN_PCAP, RUN_PACKET};
	struct input input;
	int got = 0, status = prepare_packets(s);

	if (status)
		return status;
	inputs_init(&s->inputs, s->args, options_of_input);
	while (!status && (got = inputs_next(&s->inputs, &input, &s->diag)) == 1) {
		status = run_packet(s, &input);
		show_progress(s);
	}
	run_hide_progress(s);
	if (got < 0)
		status = refuse(&s->diag, EXIT_INPUT);
	tell_skipped(s);
	inputs_fini(&s->inputs);
	return close_out(s, status);
}
