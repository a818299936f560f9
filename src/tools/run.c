/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep run: a program of an object on packets or on a context, and what came of it.
 *
 * The world is scripted: the clock stands at the time of the packet, random numbers come
 * from a seed, so that a run can be repeated.  Never does: touch an interface.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/bpf.h>

#include "base/file.h"
#include "load/load.h"
#include "tools/choose.h"
#include "tools/kconfig.h"
#include "tools/live.h"
#include "tools/loading.h"
#include "tools/options.h"
#include "tools/out.h"
#include "tools/run.h"
#include "verify/reasons.h"

static const struct option_def options[RUN_OPTIONS] = {
	[RUN_PCAP] = {"pcap", 0, "FILE", "Input",
		      "run the program on each packet of a capture (pcap or pcapng, also "
		      "compressed with gzip); - is standard input; may be given again"},
	[RUN_PACKET] = OPTION_PACKET,
	[RUN_CTX] = OPTION_CTX,
	[RUN_REPEAT] = {"repeat", 0, "N", "Input", "run it N times on each of them"},
	[RUN_LINK] = OPTION_LINK,
	[RUN_META] = {"meta", 0, "HEX", "Input",
		      "metadata in front of each packet, for XDP programs"},
	[RUN_EGRESS] = {"egress", 0, NULL, "Input",
			"packets leave the machine, for TC programs"},
	[RUN_IFINDEX] = {"ifindex", 0, "N", "Input", "index of the interface (1)"},
	[RUN_MARK] = {"mark", 0, "N", "Input",
		      "the mark of each packet, for TC programs (0)"},
	[RUN_PROG] = OPTION_CHOSEN_PROG,
	[RUN_ENGINE] =
		{"engine", 0, "jit|interp|checked|kernel", "Program",
		 "jit (the default on x86-64 and aarch64) compiles what skep's verifier "
		 "accepted to native code; interp (the default elsewhere) interprets it; "
		 "checked verifies nothing and checks every access while it runs, so "
		 "that any program can be tried; kernel gives "
		 "it to Linux, which verifies, compiles and runs it (BPF_PROG_TEST_RUN)"},
	[RUN_MAX_STEPS] = {"max-steps", 0, "N", "Program",
			   "instructions that one run may take (100000000); this counts "
			   "them, with --engine checked"},
	[RUN_MAX_TIME] =
		{"max-time", 0, "NS", "Program",
		 "nanoseconds that one run may take, with --engine jit and checked "
		 "(no limit)"},
	[RUN_HARDEN] = {"harden", 0, NULL, "Program",
			"with --engine jit: constants of the program do not stand in the "
			"code, and the code is only entered at marked places"},
	[RUN_UNPRIVILEGED] =
		{"unprivileged", 0, NULL, "Program",
		 "verify the program as that of a loader without CAP_BPF, and "
		 "--harden"},
	[RUN_PERF] =
		{"perf", 0, "map|jitdump", "Program",
		 "with --engine jit: write names of the code for perf; map: "
		 "/tmp/perf-PID.map, which perf report reads; jitdump: jit-PID.dump, "
		 "with source lines, for perf record -k mono and perf inject --jit.  gdb "
		 "knows without it"},
	[RUN_CHECK_CLAIMS] = {"check-claims", 0, NULL, "Program",
			      "verify the program, and while it runs in the checked "
			      "engine assert that every register holds what the verifier "
			      "claimed: finds mistakes of skep itself"},
	[RUN_VAR] = OPTION_VAR,
	[RUN_SET] = OPTION_SET,
	[RUN_BTF] = OPTION_BTF,
	[RUN_TARGET] = OPTION_TARGET,
	[RUN_KCONFIG] = OPTION_KCONFIG,
	[RUN_TIME] = {"time", 0, "NS", "World",
		      "what the clocks say, in ns; without it the time of each captured "
		      "packet (since 1970), else of the machine when skep starts"},
	[RUN_SEED] = {"seed", 0, "N", "World", "where random numbers start (1)"},
	[RUN_CPUS] = {"cpus", 0, "N", "World",
		      "how many CPUs there are: per-CPU maps have so many values (1)"},
	[RUN_CPU] = {"cpu", 0, "N", "World", "the CPU that the program runs on (0)"},
	[RUN_OUT] =
		{"out", 'o', "FILE", "Output",
		 "write what was not dropped as the program left it, with the time it "
		 "was "
		 "captured, as a pcap file; of a socket filter the bytes that it keeps"},
	[RUN_MAPS] = {"maps", 0, "NAME", "Output",
		      "all: every entry of every map; none; or every entry of one map. "
		      "Without it, the entries with the largest values"},
	[RUN_EVENTS] = OPTION_EVENTS,
	[RUN_EVENT_TYPE] = OPTION_EVENT_TYPE,
};

/* The least that two readings of the clock are apart. */
static u64 cost_of_clock(void)
{
	u64 least = ~0ull;

	for (u32 i = 0; i < 100; i++) {
		u64 t = clock_ns();

		least = min_u64(least, clock_ns() - t);
	}
	return least;
}

/* ---- what programs print ---- */

static void print_line(void *arg, const char *text, u32 len)
{
	struct session *s = arg;
	struct text copy = TEXT_INIT;

	if (!report_wants_event(&s->report))
		return;
	if (s->report.json) {
		json_begin(s->report.json);
		json_bytes(s->report.json, "print", text,
			   len && text[len - 1] == '\n' ? len - 1 : len);
		json_end(s->report.json);
		return;
	}
	text_write(&copy, text, len);
	run_hide_progress(s);
	printf("%sprint%s ", style_on(stdout, STYLE_DIM), style_off(stdout));
	put_clean(stdout, text_str(&copy), true);
	if (!len || text[len - 1] != '\n')
		putchar('\n');
	text_fini(&copy);
}

/* ---- set up ---- */

static int make_world(struct session *s)
{
	enum { TAI_AHEAD_S = 37 };
	u64 cpus = 1, seed = 1;
	int err;

	if (args_count(s->args, RUN_CPUS, 1024, &cpus) ||
	    args_number(s->args, RUN_CPU, 1023, &s->cpu) ||
	    args_number(s->args, RUN_SEED, ~0ull, &seed) ||
	    args_number(s->args, RUN_TIME, ~0ull, &s->time))
		return EXIT_USAGE;
	if (s->cpu >= cpus)
		return args_refuse(s->args, "there is no CPU %llu of %llu",
				   (unsigned long long)s->cpu, (unsigned long long)cpus);
	err = skep_world_new_script((u32)cpus, &s->world, &s->diag);
	if (err)
		return refuse(&s->diag, EXIT_SYSTEM);
	s->time_given = args_has(s->args, RUN_TIME);
	skep_world_set_time(s->world, s->time_given ? s->time : clock_ns());
	skep_world_set_tai_offset(s->world, TAI_AHEAD_S * 1000000000ull);
	skep_world_set_seed(s->world, seed);
	skep_world_set_print(s->world, print_line, s);
	return EXIT_OK;
}

/* The engine that was asked for. */
static const char *choose_engine(const struct session *s)
{
	const char *name = args_value(s->args, RUN_ENGINE);

	if (!name)
		return args_has(s->args, RUN_MAX_STEPS) ||
				       args_has(s->args, RUN_CHECK_CLAIMS)
			       ? "checked"
			       : engine_default()->name;
	return name;
}

/* gdb always: who runs a command does not mind some microseconds. */
static unsigned int choose_tell(const struct session *s)
{
	const char *perf = args_value(s->args, RUN_PERF);

	if (!perf)
		return SKEP_TELL_GDB;
	return SKEP_TELL_GDB |
	       (strcmp(perf, "map") ? SKEP_TELL_PERF_DUMP : SKEP_TELL_PERF_MAP);
}

static int open_object(struct session *s)
{
	const char *path = args_operand(s->args, 0);
	struct skep_object_opts opts = {
		.name = strcmp(path, "-") ? NULL : "standard input",
		.engine = choose_engine(s),
		.world = s->world,
		.harden = args_has(s->args, RUN_HARDEN),
		.unprivileged = args_has(s->args, RUN_UNPRIVILEGED),
		.tell = choose_tell(s),
		.check_claims = args_has(s->args, RUN_CHECK_CLAIMS)};
	char *kconfig = NULL;
	int err;

	err = args_count(s->args, RUN_MAX_STEPS, ~0ull, &opts.max_steps);
	if (!err)
		err = args_count(s->args, RUN_MAX_TIME, ~0ull, &opts.max_ns);
	if (err)
		return err;
	if (kconfig_read(args_value(s->args, RUN_KCONFIG), path, &kconfig, &s->diag))
		return refuse(&s->diag, EXIT_INPUT);
	opts.kconfig = kconfig;
	err = skep_object_open(path, &opts, &s->obj, &s->diag);
	free(kconfig);
	s->report.engine = opts.engine;
	return err ? refuse(&s->diag, EXIT_INPUT) : EXIT_OK;
}

/* The verifier's no is an answer; everything else is an object that cannot be run. */
static int refuse_load(struct session *s)
{
	bool rejected = s->diag.id > DIAG_REASONS && s->diag.id != REASON_UNSUPPORTED;
	int status = refuse(&s->diag, rejected ? EXIT_NO : EXIT_INPUT);

	if (rejected)
		fprintf(stderr, "skep: skep verify explains it; --engine checked runs it "
				"all the same, every access checked\n");
	return status;
}

static int load(struct session *s)
{
	struct choice choice = {.obj = s->obj,
				.name = args_value(s->args, RUN_PROG),
				.use = args_has(s->args, RUN_CTX) ? FOR_CONTEXT
								  : FOR_PACKETS};
	int err = choose_prog(&choice, &s->prog);

	if (!err)
		err = loading_set_variables(s->args, RUN_VAR, s->obj);
	if (err)
		return err;
	if ((args_has(s->args, RUN_TARGET) || args_has(s->args, RUN_BTF)) &&
	    skep_target_new(args_value(s->args, RUN_TARGET), args_value(s->args, RUN_BTF),
			    &s->target, &s->diag))
		return refuse(&s->diag, EXIT_INPUT);
	if (skep_object_load(s->obj, s->target, &s->diag))
		return refuse_load(s);
	return loading_set_elements(s->args, RUN_SET, s->obj);
}

/* ---- contexts ---- */

static int run_context(struct session *s, struct file *ctx)
{
	u8 *copy = malloc(ctx->len + 1);
	int status = copy ? EXIT_OK : EXIT_SYSTEM;

	for (u64 i = 0; i < s->repeat && !status; i++) {
		u64 start, ns, ret;
		int err;

		if (ctx->len)
			memcpy(copy, ctx->data, ctx->len);
		start = clock_ns();
		err = skep_prog_run(s->prog, copy, ctx->len, &ret, &s->diag);
		ns = clock_ns() - start;
		report_events(&s->report);
		if (err)
			status = refuse(&s->diag, EXIT_NO);
		else
			tally_add(&s->tally, ret, 0,
				  ns > s->clock_cost ? ns - s->clock_cost : 0);
	}
	free(copy);
	return status;
}

static int run_contexts(struct session *s)
{
	const struct given *given;
	int status = EXIT_OK;
	size_t cursor = 0;
	struct file ctx;

	while (!status && (given = args_next(s->args, RUN_CTX, &cursor))) {
		if (file_read(given->values[0], &ctx, &s->diag))
			return refuse(&s->diag, EXIT_INPUT);
		status = run_context(s, &ctx);
		file_fini(&ctx);
	}
	return status;
}

/* ---- all of it ---- */

/* Writing a capture while it is read would destroy it. */
static int check_out(const struct args *args, const char *out)
{
	const struct given *given;
	struct stat to, from;
	size_t cursor = 0;

	if (!strcmp(out, "-"))
		return args_refuse(args,
				   "--out needs a file: standard output has the report");
	if (stat(out, &to) || !S_ISREG(to.st_mode))
		return EXIT_OK;
	while ((given = args_next(args, RUN_PCAP, &cursor))) {
		if (!stat(given->values[0], &from) && from.st_dev == to.st_dev &&
		    from.st_ino == to.st_ino)
			return args_refuse(args, "--out %s is a capture that is read",
					   out);
	}
	return EXIT_OK;
}

static int check_inputs(const struct args *args)
{
	bool packets = args_has(args, RUN_PCAP) || args_has(args, RUN_PACKET);
	bool ctx = args_has(args, RUN_CTX);
	const char *out = args_value(args, RUN_OUT);

	if (!packets && !ctx)
		return args_refuse(args,
				   "there is nothing to run on: give --pcap, --packet "
				   "or --ctx");
	if (packets && ctx)
		return args_refuse(args,
				   "--ctx is for programs that do not work on packets");
	return out ? check_out(args, out) : EXIT_OK;
}

/* What happened until then is shown also when the run ended early. */
static int run_and_report(struct session *s)
{
	int status;

	s->started = clock_ns();
	s->clock_cost = cost_of_clock();
	tally_init(&s->tally, s->prog);
	status = skep_prog_takes_packets(s->prog) ? run_packets(s) : run_contexts(s);
	if (s->tally.runs || !status) {
		report_tally(&s->report, &s->tally);
		report_maps(&s->report);
	}
	tally_fini(&s->tally);
	return status;
}

static int run_session(struct session *s)
{
	static const struct report_options shown = {RUN_MAPS, RUN_EVENTS, RUN_EVENT_TYPE};
	int status = check_inputs(s->args);

	if (!status)
		status = args_count(s->args, RUN_REPEAT, ~0ull, &s->repeat);
	if (!status)
		status = make_world(s);
	if (!status)
		status = open_object(s);
	if (!status)
		status = load(s);
	if (!status)
		status = loading_choose_maps(s->args, &shown, s->obj, &s->report);
	return status ? status : run_and_report(s);
}

static int run(const struct args *args)
{
	struct session s = {.args = args,
			    .repeat = 1,
			    .json = JSON_INIT,
			    .progress = is_terminal(stderr),
			    .diag = SKEP_DIAG_INIT};
	int status;

	s.report.json = args->json ? &s.json : NULL;
	status = run_session(&s);
	skep_object_close(s.obj);
	skep_target_free(s.target);
	skep_world_free(s.world);
	free(s.batch);
	free(s.out_bytes);
	free(s.meta);
	free(s.joined);
	json_fini(&s.json);
	return status;
}

static const struct example examples[] = {
	{"skep run firewall.bpf.o --pcap traffic.pcap",
	 "the only program of an object on each packet of a capture: verdicts and maps"},
	{"skep run firewall.bpf.o --pcap traffic.pcap.gz --out passed.pcap --set blocked "
	 "10.0.0.0/8 1 --var rate=100",
	 "with a rule and a setting, and what passed in a new capture"},
	{"skep run lb.bpf.o --prog balance --packet 'ffffffffffff 020000000001 0800 45 "
	 "00 ...' "
	 "--json",
	 "one program on one packet, for a script"},
	{"tcpdump -w - -c 100 | skep run count.bpf.o --pcap -", "what tcpdump sees now"},
};

const struct command command_run = {
	.name = "run",
	.operands = "OBJECT",
	.summary = "run a program on packets",
	.text = "Loads a compiled eBPF object and runs one of its programs on the "
		"packets of a "
		"capture, on packets given in hex, or on a context; no privileges and no "
		"support of the kernel are needed.  XDP, TC (sched_cls, sched_act) and "
		"socket-filter programs take packets; the context is the one that they "
		"have on "
		"Linux.\n\n"
		"Events sent through ring buffers and perf buffers and lines of "
		"bpf_trace_printk are shown as they come, decoded by the types of the "
		"object; "
		"at the end how often the program returned which verdict, the time a run "
		"took, "
		"and what the maps hold.\n\n"
		"Programs are verified as Linux does it, compiled to native code, and "
		"run "
		"unchecked.  With --engine checked nothing is verified (but programs "
		"with an arena), and every access is checked: when a program breaks a "
		"rule, the run ends with the account "
		"of it and exit status 1.\n\n"
		"The run can be repeated exactly: the clock is the packet's time, random "
		"numbers come from a seed.",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.caps = LIVE_CAPS,
	.run = run,
};
