/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep bench: what a program costs on each engine and in the kernel, on the same input.
 *
 * A figure of skep's own engines is a difference: the time of many runs less the time of
 * one run each, divided by how many runs lie between, so that what is done once a packet
 * (copying it, making its context) is not counted.  Of several batches the fastest
 * counts: what disturbs a batch only makes it slower.  Never does: say what a program
 * does.
 */
#include <stdlib.h>
#include <string.h>

#include <skep/skep.h>

#include "base/diag.h"
#include "base/file.h"
#include "exec/exec.h"
#include "load/load.h"
#include "tools/choose.h"
#include "tools/command.h"
#include "tools/input.h"
#include "tools/json.h"
#include "tools/kconfig.h"
#include "tools/live.h"
#include "tools/loading.h"
#include "tools/options.h"
#include "tools/out.h"

enum bench_option {
	BENCH_PCAP,
	BENCH_PACKET,
	BENCH_CTX,
	BENCH_LINK,
	BENCH_PROG,
	BENCH_ENGINE,
	BENCH_MS,
	BENCH_VAR,
	BENCH_SET,
	BENCH_BTF,
	BENCH_TARGET,
	BENCH_KCONFIG,
	BENCH_OPTIONS
};

static const struct option_def options[BENCH_OPTIONS] = {
	[BENCH_PCAP] = {"pcap", 0, "FILE", "Input",
			"run the program on each packet of a capture, the first 100 of "
			"them; may be given again"},
	[BENCH_PACKET] = OPTION_PACKET,
	[BENCH_CTX] = OPTION_CTX,
	[BENCH_LINK] = OPTION_LINK,
	[BENCH_PROG] = OPTION_CHOSEN_PROG,
	[BENCH_ENGINE] = {"engine", 0, "interp|checked|jit|kernel", "Program",
			  "only on this engine; may be given again; without it on all"},
	[BENCH_MS] = {"ms", 0, "N", "Program",
		      "how long each engine runs, in milliseconds (200)"},
	[BENCH_VAR] = OPTION_VAR,
	[BENCH_SET] = OPTION_SET,
	[BENCH_BTF] = OPTION_BTF,
	[BENCH_TARGET] = OPTION_TARGET,
	[BENCH_KCONFIG] = OPTION_KCONFIG,
};

enum { MAX_PACKETS = 100, BATCHES = 5, MAX_ENGINES = 8 };

struct stored {
	u8 *data; /* owned */
	u32 len, wire_len;
	bool raw_ip;
};

/* One engine's line. */
struct row {
	const char *engine;
	bool ran;
	double ns;      /* of one run */
	double load_us; /* of skep_object_load() */
	u64 ret;        /* of the last run */
	struct skep_diag diag;
};

struct bench {
	const struct args *args;
	const char *path;
	char *kconfig;              /* owned */
	struct skep_target *target; /* owned; NULL: the running one */
	struct stored *packets;     /* owned */
	u32 n_packets;
	struct skep_packet batch[MAX_PACKETS];
	struct file ctx; /* owned */
	bool has_ctx;
	u8 *ctx_copy; /* owned; what programs may write */
	u64 ms;
	struct row rows[MAX_ENGINES];
	u32 n_rows;
	struct skep_diag diag;
};

/* A program made ready on one engine. */
struct subject {
	struct skep_world *world;
	struct skep_object *obj;
	struct skep_prog *prog;
};

/* ---- input ---- */

static int store_packet(struct bench *b, const struct input *input)
{
	const char *link = args_value(b->args, BENCH_LINK);
	struct stored *to = &b->packets[b->n_packets];

	to->data = malloc(input->packet.len + 1);
	if (!to->data)
		return EXIT_SYSTEM;
	if (input->packet.len)
		memcpy(to->data, input->packet.data, input->packet.len);
	to->len = input->packet.len;
	to->wire_len = input->packet.wire_len;
	to->raw_ip = input->captured ? input->raw_ip : link && !strcmp(link, "ip");
	b->n_packets++;
	return EXIT_OK;
}

static int read_packets(struct bench *b)
{
	struct input_options where = {BENCH_PCAP, BENCH_PACKET};
	struct inputs inputs;
	struct input input;
	int got = 0, status = EXIT_OK;

	b->packets = calloc(MAX_PACKETS, sizeof(*b->packets));
	if (!b->packets)
		return EXIT_SYSTEM;
	inputs_init(&inputs, b->args, where);
	while (!status && b->n_packets < MAX_PACKETS &&
	       (got = inputs_next(&inputs, &input, &b->diag)) == 1)
		status = store_packet(b, &input);
	inputs_fini(&inputs);
	return got < 0 ? refuse(&b->diag, EXIT_INPUT) : status;
}

static int read_context(struct bench *b, const char *path)
{
	if (file_read(path, &b->ctx, &b->diag))
		return refuse(&b->diag, EXIT_INPUT);
	b->has_ctx = true;
	b->ctx_copy = malloc(b->ctx.len + 1);
	return b->ctx_copy ? EXIT_OK : EXIT_SYSTEM;
}

static int read_input(struct bench *b)
{
	const char *ctx = args_value(b->args, BENCH_CTX);
	bool packets = args_has(b->args, BENCH_PCAP) || args_has(b->args, BENCH_PACKET);

	if (packets && ctx)
		return args_refuse(b->args,
				   "--ctx is for programs that do not work on packets");
	if (!packets && !ctx)
		return args_refuse(b->args, "there is nothing to run on: give --pcap, "
					    "--packet or --ctx");
	return ctx ? read_context(b, ctx) : read_packets(b);
}

/* ---- one engine ---- */

static void subject_fini(struct subject *s)
{
	skep_object_close(s->obj);
	skep_world_free(s->world);
}

static int open_subject(const struct bench *b, struct row *row, struct subject *s)
{
	struct skep_object_opts opts = {
		.engine = row->engine, .kconfig = b->kconfig, .max_steps = ~0ull};
	int err = skep_world_new_script(1, &s->world, &row->diag);

	opts.world = s->world;
	return err ? err : skep_object_open(b->path, &opts, &s->obj, &row->diag);
}

/* EXIT_USAGE: no engine would do; else the row says why this one does not. */
static int load_subject(const struct bench *b, struct row *row, struct subject *s)
{
	struct choice choice = {.obj = s->obj,
				.name = args_value(b->args, BENCH_PROG),
				.use = b->has_ctx ? FOR_CONTEXT : FOR_PACKETS};
	u64 start;
	int status = choose_prog(&choice, &s->prog);

	if (!status)
		status = loading_set_variables(b->args, BENCH_VAR, s->obj);
	if (status)
		return status;
	start = clock_ns();
	if (skep_object_load(s->obj, b->target, &row->diag))
		return EXIT_OK;
	row->load_us = (double)(clock_ns() - start) / 1000;
	row->ran = true;
	return loading_set_elements(b->args, BENCH_SET, s->obj);
}

static struct skep_packet packet_of(const struct stored *from, u32 repeat)
{
	return (struct skep_packet){.data = from->data,
				    .len = from->len,
				    .wire_len = from->wire_len,
				    .link = from->raw_ip ? SKEP_LINK_RAW_IP
							 : SKEP_LINK_ETHERNET,
				    .ifindex = 1,
				    .repeat = repeat};
}

/* All of them, in one call. */
static int run_packets(struct bench *b, struct subject *s, u32 repeat, struct row *row)
{
	int err;

	for (u32 i = 0; i < b->n_packets; i++)
		b->batch[i] = packet_of(&b->packets[i], repeat);
	err = skep_prog_run_packets(s->prog, b->batch, b->n_packets, &row->diag);
	if (!err && b->n_packets)
		row->ret = b->batch[b->n_packets - 1].ret;
	return err;
}

/* ns of a run, as the kernel says. */
static u32 kernel_packet(const struct stored *from, struct subject *s, u32 repeat,
			 struct row *row)
{
	struct skep_packet packet = packet_of(from, repeat);

	row->ran = !skep_prog_run_packet(s->prog, &packet, &row->ret, &row->diag);
	return packet.run_ns;
}

static int run_context(struct bench *b, struct subject *s, u32 repeat, struct row *row)
{
	int err = 0;

	for (u32 i = 0; i < repeat && !err; i++) {
		if (b->ctx.len)
			memcpy(b->ctx_copy, b->ctx.data, b->ctx.len);
		err = skep_prog_run(s->prog, b->ctx_copy, b->ctx.len, &row->ret,
				    &row->diag);
	}
	return err;
}

/* All of the input, each part of it so often; ns, or 0 when a run failed. */
static u64 time_input(struct bench *b, struct subject *s, u32 repeat, struct row *row)
{
	u64 start = clock_ns();
	int err = 0;

	if (b->has_ctx)
		err = run_context(b, s, repeat, row);
	else
		err = run_packets(b, s, repeat, row);
	return err ? 0 : clock_ns() - start;
}

static u64 fastest(struct bench *b, struct subject *s, u32 repeat, struct row *row)
{
	u64 best = ~0ull;

	for (u32 i = 0; i < BATCHES && row->ran; i++) {
		u64 ns = time_input(b, s, repeat, row);

		row->ran = ns != 0;
		best = min_u64(best, ns);
	}
	return best;
}

/*
 * The kernel measures by itself, in whole ns, and takes milliseconds to get ready for
 * each packet: what is done once cannot be found by subtraction.
 */
static double time_in_kernel(struct bench *b, struct subject *s, struct row *row)
{
	enum { REPEAT = 1000, PASSES = 2 };
	u64 repeat = REPEAT, ns = 0;

	for (u32 pass = 0; pass < PASSES && row->ran; pass++) {
		ns = 0;
		for (u32 i = 0; i < b->n_packets && row->ran; i++)
			ns += kernel_packet(&b->packets[i], s, (u32)repeat, row);
		repeat = b->ms * 1000000 / (ns + 1) + REPEAT;
	}
	return (double)ns / b->n_packets;
}

static void time_subject(struct bench *b, struct subject *s, struct row *row)
{
	enum { MOST = 100000000 };
	u64 batch = b->ms * 1000000 / BATCHES, few, many, n = 2;

	few = fastest(b, s, 1, row);
	many = row->ran ? time_input(b, s, 2, row) : 0;
	/* as many as fill a batch; at least twice what one run each takes */
	while (row->ran && many < batch && n < MOST) {
		u64 runs = many < batch / 16 ? n * 8 : n * batch / many + 1;

		n = min_u64(runs, MOST);
		many = time_input(b, s, (u32)n, row);
		row->ran = many != 0;
	}
	if (row->ran)
		many = fastest(b, s, (u32)n, row);
	if (row->ran)
		row->ns = (double)(many > few ? many - few : 0) /
			  ((double)(n - 1) * (b->has_ctx ? 1 : b->n_packets));
}

static void measure(struct bench *b, struct subject *s, struct row *row)
{
	bool kernel = s->obj->in_kernel;

	if (!kernel) {
		time_subject(b, s, row);
	} else if (!b->has_ctx) {
		row->ns = time_in_kernel(b, s, row);
	} else {
		row->ran = false;
		snprintf(row->diag.text, sizeof(row->diag.text),
			 "it measures runs on packets only");
	}
}

static int bench_engine(struct bench *b, const char *engine)
{
	struct row *row = &b->rows[b->n_rows++];
	struct subject s = {0};
	int status = EXIT_OK;

	*row = (struct row){.engine = engine, .diag = SKEP_DIAG_INIT};
	if (!open_subject(b, row, &s))
		status = load_subject(b, row, &s);
	else
		status = refuse(&row->diag, EXIT_INPUT);
	if (!status && row->ran)
		measure(b, &s, row);
	subject_fini(&s);
	return status;
}

static bool is_wanted(const struct args *args, const char *engine)
{
	const struct given *given;
	size_t cursor = 0;

	if (!args_has(args, BENCH_ENGINE))
		return true;
	while ((given = args_next(args, BENCH_ENGINE, &cursor)))
		if (!strcmp(given->values[0], engine))
			return true;
	return false;
}

static int bench_engines(struct bench *b)
{
	int status = EXIT_OK;

	for (u32 i = 0; engine_at(i) && !status; i++)
		if (is_wanted(b->args, engine_at(i)->name))
			status = bench_engine(b, engine_at(i)->name);
	if (!status && is_wanted(b->args, "kernel"))
		status = bench_engine(b, "kernel");
	return status;
}

/* ---- what came of it ---- */

/* The fastest is what the others are compared with. */
static const struct row *best_of(const struct bench *b)
{
	const struct row *best = NULL;

	for (u32 i = 0; i < b->n_rows; i++)
		if (b->rows[i].ran && (!best || b->rows[i].ns < best->ns))
			best = &b->rows[i];
	return best;
}

static double ratio(const struct row *row, const struct row *best)
{
	return best->ns > 0 ? row->ns / best->ns : 1;
}

static void print_rows(const struct bench *b)
{
	static const char *const heads[] = {"ENGINE", ">NS PER RUN", ">RATIO", ">LOAD US",
					    NULL};
	const struct row *best = best_of(b);
	struct table t;

	table_init(&t, heads, 0);
	for (u32 i = 0; i < b->n_rows; i++) {
		const struct row *row = &b->rows[i];

		if (!row->ran)
			continue;
		table_cell(&t, "%s", row->engine);
		table_cell(&t, "%.1f", row->ns);
		table_cell(&t, "%.2f", ratio(row, best));
		table_cell(&t, "%.0f", row->load_us);
	}
	table_print(&t);
	fflush(stdout);
	for (u32 i = 0; i < b->n_rows; i++) {
		if (!b->rows[i].ran)
			say_warning(b->rows[i].engine, "%s", b->rows[i].diag.text);
	}
}

static void json_rows(const struct bench *b)
{
	const struct row *best = best_of(b);
	struct json j = JSON_INIT;

	for (u32 i = 0; i < b->n_rows; i++) {
		const struct row *row = &b->rows[i];

		json_begin(&j);
		json_string(&j, "engine", row->engine);
		json_bool(&j, "ran", row->ran);
		if (row->ran) {
			json_fixed(&j, "ns_per_run", row->ns);
			json_fixed(&j, "percent", 100 * ratio(row, best));
			json_fixed(&j, "load_us", row->load_us);
			json_u64(&j, "ret", row->ret);
		} else {
			json_string(&j, "why", row->diag.text);
		}
		json_end(&j);
	}
	json_fini(&j);
}

static int bench_all(struct bench *b)
{
	int status = args_count(b->args, BENCH_MS, 3600000, &b->ms);

	if (!status)
		status = read_input(b);
	if (status)
		return status;
	if (kconfig_read(args_value(b->args, BENCH_KCONFIG), b->path, &b->kconfig,
			 &b->diag))
		return refuse(&b->diag, EXIT_INPUT);
	if ((args_has(b->args, BENCH_TARGET) || args_has(b->args, BENCH_BTF)) &&
	    skep_target_new(args_value(b->args, BENCH_TARGET),
			    args_value(b->args, BENCH_BTF), &b->target, &b->diag))
		return refuse(&b->diag, EXIT_INPUT);
	status = bench_engines(b);
	if (status)
		return status;
	if (b->args->json)
		json_rows(b);
	else
		print_rows(b);
	return best_of(b) ? EXIT_OK : EXIT_NO;
}

static int run_bench(const struct args *args)
{
	struct bench b = {.args = args,
			  .path = args_operand(args, 0),
			  .ms = 200,
			  .diag = SKEP_DIAG_INIT};
	int status = bench_all(&b);

	for (u32 i = 0; i < b.n_packets; i++)
		free(b.packets[i].data);
	free(b.packets);
	if (b.has_ctx)
		file_fini(&b.ctx);
	free(b.ctx_copy);
	free(b.kconfig);
	skep_target_free(b.target);
	return status;
}

static const struct example examples[] = {
	{"skep bench firewall.bpf.o --pcap traffic.pcap",
	 "what a packet costs on each engine and in the kernel"},
	{"skep bench lb.bpf.o -p balance --packet 'ffffffffffff 020000000001 0800 45 00 "
	 "...' --engine jit --engine kernel --json",
	 "two of them, on one packet, for a script"},
};

const struct command command_bench = {
	.name = "bench",
	.operands = "OBJECT",
	.summary = "time a program on all engines",
	.text = "Loads an object once for each engine, and for the kernel where that is "
		"allowed, runs one of its programs again and again on the same input, "
		"and "
		"prints how many ns a run takes and how much more that is than on the "
		"fastest.\n\n"
		"As in BPF_PROG_TEST_RUN, a packet is made once and the runs on it "
		"follow "
		"each other: each works on what the one before left.  The time to make "
		"the packet is not counted; that of a context is.  The kernel's figure "
		"is its own.  LOAD US is the time "
		"to "
		"load the object, in microseconds: verification, compiling, maps.\n\n"
		"An engine that does not take the program is left out, with the reason "
		"on "
		"standard error.",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.caps = LIVE_CAPS,
	.run = run_bench,
};
