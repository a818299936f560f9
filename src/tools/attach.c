/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep attach: put the programs of an object at hooks of the kernel, show what they send,
 * and take them away again.
 *
 * It runs until a signal, the end of --for, or until nothing is attached any more (the
 * interface has gone); with --pin it leaves the links behind and ends at once.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <skep/skep.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "load/load.h"
#include "tools/choose.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/kconfig.h"
#include "tools/live.h"
#include "tools/loading.h"
#include "tools/options.h"
#include "tools/out.h"
#include "tools/report.h"

enum attach_option {
	ATTACH_TO,
	ATTACH_PROG,
	ATTACH_FOR,
	ATTACH_PIN,
	ATTACH_REPLACE,
	ATTACH_INTO,
	ATTACH_VAR,
	ATTACH_SET,
	ATTACH_BTF,
	ATTACH_KCONFIG,
	ATTACH_MAPS,
	ATTACH_EVENTS,
	ATTACH_EVENT_TYPE,
	ATTACH_OPTIONS
};

static const struct option_def options[ATTACH_OPTIONS] = {
	[ATTACH_TO] = {"to", 't', "HOOK", "Hook",
		       "where to: xdp:eth0, tcx:eth0:ingress, cgroup:/sys/fs/cgroup/x:"
		       "connect4, tracepoint:sched:sched_switch, uprobe:/bin/bash:"
		       "readline, ... (see below); may be given again. Without it, "
		       "programs go where the names of their sections say"},
	[ATTACH_PROG] = {"prog", 'p', "NAME", "Hook",
			 "which program; needed with --to when there are several to "
			 "choose from. Given again with --to, XDP and TC programs form "
			 "a chain: the next one runs when one returns XDP_PASS or "
			 "TC_ACT_UNSPEC"},
	[ATTACH_FOR] = {"for", 0, "TIME", "Hook",
			"detach after this time: 10s, 500ms, 5m, 1h"},
	[ATTACH_PIN] = {"pin", 0, "PATH", "Hook",
			"pin the link there, below a bpf file system, and end; of "
			"several links each goes to PATH/PROGRAM"},
	[ATTACH_REPLACE] = {"replace", 0, "PATH", "Hook",
			    "put the program into the link that is pinned there, in the "
			    "place of the one that is attached, and end"},
	[ATTACH_INTO] = {"into", 0, "PROGRAM", "Hook",
			 "the loaded program, by id, pin or name, whose function "
			 "freplace programs replace, or fentry and fexit programs look "
			 "at"},
	[ATTACH_VAR] = OPTION_VAR,
	[ATTACH_SET] = OPTION_SET,
	[ATTACH_BTF] = OPTION_BTF,
	[ATTACH_KCONFIG] = OPTION_KCONFIG,
	[ATTACH_MAPS] = {"maps", 0, "NAME", "Output",
			 "what is shown at the end: all, none, or one map. Without it, "
			 "the entries with the largest values"},
	[ATTACH_EVENTS] = OPTION_EVENTS,
	[ATTACH_EVENT_TYPE] = OPTION_EVENT_TYPE,
};

enum { TICK_MS = 500, MAX_POLLED = 64, MAX_CHAIN = 64 };

struct attachment {
	struct skep_prog *prog; /* borrowed; NULL: a map of struct_ops */
	struct skep_map *map;   /* borrowed; of struct_ops */
	const char *hook;       /* borrowed; NULL: the section's */
	struct skep_link *link; /* owned */
};

struct session {
	const struct args *args;
	struct skep_object *obj; /* owned */
	struct skep_target *target;
	struct vec all; /* struct attachment */
	struct report report;
	struct json json;
	u64 for_ms; /* 0: until a signal */
	struct skep_diag diag;
};

static struct attachment *attachment_at(const struct session *s, size_t i)
{
	return vec_at(&s->all, i);
}

static const char *name_of(const struct attachment *a)
{
	return a->prog ? skep_prog_name(a->prog) : skep_map_name(a->map);
}

/* ---- what goes where ---- */

static bool add(struct session *s, struct skep_prog *prog, struct skep_map *map,
		const char *hook)
{
	struct attachment *a = vec_push(&s->all);

	if (!a) {
		say(NULL, NULL, "out of memory");
		return false;
	}
	*a = (struct attachment){.prog = prog, .map = map, .hook = hook};
	return true;
}

/* Maps of struct_ops bring their programs along. */
static bool is_struct_ops(const struct skep_prog *prog)
{
	return !strcmp(skep_prog_type_name(prog), "struct_ops");
}

static bool is_named(const struct args *args, const struct skep_prog *prog)
{
	const struct given *given;
	size_t cursor = 0;

	while ((given = args_next(args, ATTACH_PROG, &cursor))) {
		if (!strcmp(given->values[0], skep_prog_name(prog)))
			return true;
	}
	return false;
}

static int choose_by_section(struct session *s)
{
	bool name = args_has(s->args, ATTACH_PROG);

	for (u32 i = 0; i < s->obj->n_progs; i++) {
		struct skep_prog *prog = &s->obj->progs[i];

		if (name)
			skep_prog_select(prog, is_named(s->args, prog));
		if (prog->unwanted || is_struct_ops(prog))
			continue;
		if (!add(s, prog, NULL, NULL))
			return EXIT_SYSTEM;
	}
	for (u32 i = 0; i < s->obj->n_maps && !name; i++) {
		if (s->obj->maps[i].def->origin == MAP_STRUCT_OPS &&
		    !add(s, NULL, &s->obj->maps[i], NULL))
			return EXIT_SYSTEM;
	}
	if (s->all.len)
		return EXIT_OK;
	say(skep_object_name(s->obj), NULL, "there is no program to attach");
	return EXIT_USAGE;
}

static struct skep_prog *find_prog(struct session *s, const char *name)
{
	struct choice choice = {.obj = s->obj, .name = name, .use = FOR_HOOK};
	struct skep_prog *prog;

	return choose_prog(&choice, &prog) ? NULL : prog;
}

/* The only program that can be meant, or all that --prog names as a chain. */
static struct skep_prog *one_prog(struct session *s)
{
	struct skep_prog *progs[MAX_CHAIN], *first;
	const struct given *given;
	size_t cursor = 0, n = 0;

	while ((given = args_next(s->args, ATTACH_PROG, &cursor))) {
		if (n == MAX_CHAIN) {
			args_refuse(s->args, "a chain has at most %d programs",
				    MAX_CHAIN);
			return NULL;
		}
		progs[n] = find_prog(s, given->values[0]);
		if (!progs[n++])
			return NULL;
	}
	first = n ? progs[0] : find_prog(s, NULL);
	if (n < 2)
		return first;
	if (skep_prog_chain(progs, n, &s->diag)) {
		refuse(&s->diag, EXIT_USAGE);
		return NULL;
	}
	/* the last one that was found is the one that was selected */
	skep_prog_select(progs[n - 1], false);
	skep_prog_select(first, true);
	return first;
}

static int choose(struct session *s)
{
	const struct given *given;
	struct skep_prog *prog;
	size_t cursor = 0;

	if (!args_has(s->args, ATTACH_TO) && !args_has(s->args, ATTACH_REPLACE))
		return choose_by_section(s);
	prog = one_prog(s);
	if (!prog)
		return EXIT_USAGE;
	if (args_has(s->args, ATTACH_REPLACE))
		return add(s, prog, NULL, NULL) ? EXIT_OK : EXIT_SYSTEM;
	while ((given = args_next(s->args, ATTACH_TO, &cursor))) {
		if (!add(s, prog, NULL, given->values[0]))
			return EXIT_SYSTEM;
	}
	return EXIT_OK;
}

/* ---- loading ---- */

static int open_object(struct session *s)
{
	const char *path = args_operand(s->args, 0);
	struct skep_object_opts opts = {.engine = "kernel"};
	char *kconfig;
	int err;

	if (kconfig_read(args_value(s->args, ATTACH_KCONFIG), path, &kconfig, &s->diag))
		return refuse(&s->diag, EXIT_INPUT);
	opts.name = strcmp(path, "-") ? NULL : "standard input";
	opts.kconfig = kconfig;
	err = skep_object_open(path, &opts, &s->obj, &s->diag);
	free(kconfig);
	return err ? refuse(&s->diag, EXIT_INPUT) : EXIT_OK;
}

/* A program that Linux rejects is an answer; a privilege that is missing is none. */
static int refuse_load(const struct session *s)
{
	return refuse(&s->diag, s->diag.id == DIAG_KERN_REJECTED ? EXIT_NO : EXIT_INPUT);
}

/* Of programs that may attach to another one. */
static int set_targets(struct session *s)
{
	const char *into = args_value(s->args, ATTACH_INTO);

	for (size_t i = 0; into && i < s->all.len; i++) {
		struct skep_prog *prog = attachment_at(s, i)->prog;
		u32 type = prog ? skep_prog_type(prog) : 0;

		if (type != PROG_TYPE_EXT && type != PROG_TYPE_TRACING)
			continue;
		if (skep_prog_set_target(prog, into, &s->diag))
			return refuse(&s->diag, EXIT_SYSTEM);
	}
	return EXIT_OK;
}

static int load(struct session *s)
{
	static const struct report_options shown = {ATTACH_MAPS, ATTACH_EVENTS,
						    ATTACH_EVENT_TYPE};
	const char *btf = args_value(s->args, ATTACH_BTF);
	int status = loading_set_variables(s->args, ATTACH_VAR, s->obj);

	if (!status)
		status = set_targets(s);
	if (status)
		return status;
	if (btf && skep_target_new(NULL, btf, &s->target, &s->diag))
		return refuse(&s->diag, EXIT_INPUT);
	if (skep_object_load(s->obj, s->target, &s->diag))
		return refuse_load(s);
	status = loading_set_elements(s->args, ATTACH_SET, s->obj);
	return status ? status : loading_choose_maps(s->args, &shown, s->obj, &s->report);
}

/* ---- attaching ---- */

static void tell_attached(struct session *s, const struct attachment *a, const char *pin)
{
	const char *hook = a->hook   ? a->hook
			   : a->prog ? skep_prog_section(a->prog)
				     : "struct_ops";

	bool replaced = args_has(s->args, ATTACH_REPLACE);

	if (s->report.json) {
		json_begin(&s->json);
		json_string(&s->json, a->prog ? "program" : "map", name_of(a));
		if (!replaced)
			json_string(&s->json, "hook", hook);
		json_u64(&s->json, "link", skep_link_id(a->link));
		if (pin)
			json_string(&s->json, "pinned", pin);
		json_end(&s->json);
		return;
	}
	if (replaced)
		fprintf(stderr,
			"skep: %s is attached in place of another, pinned at %s\n",
			name_of(a), pin);
	else if (pin)
		fprintf(stderr, "skep: %s is attached to %s, pinned at %s\n", name_of(a),
			hook, pin);
	else
		fprintf(stderr, "skep: %s is attached to %s\n", name_of(a), hook);
}

static int pin(struct session *s, struct attachment *a, const char *path)
{
	struct text full = TEXT_INIT;
	int err;

	text_printf(&full, "%s", path);
	if (s->all.len > 1)
		text_printf(&full, "/%s", name_of(a));
	err = skep_link_pin(a->link, text_str(&full), &s->diag);
	if (!err)
		tell_attached(s, a, text_str(&full));
	text_fini(&full);
	return err ? refuse(&s->diag, EXIT_SYSTEM) : EXIT_OK;
}

static int attach_all(struct session *s)
{
	const char *path = args_value(s->args, ATTACH_PIN);
	int status = EXIT_OK;

	for (size_t i = 0; i < s->all.len; i++) {
		struct attachment *a = attachment_at(s, i);
		int err = a->prog ? skep_prog_attach(a->prog, a->hook, &a->link, &s->diag)
				  : skep_map_attach(a->map, &a->link, &s->diag);

		/* no hook, or none where the section says nothing */
		if (a->hook ? err == -EINVAL : s->diag.id == DIAG_HOOK_OPEN)
			return refuse(&s->diag, EXIT_USAGE);
		if (err)
			return refuse(&s->diag, EXIT_SYSTEM);
	}
	for (size_t i = 0; i < s->all.len && !status; i++) {
		if (path)
			status = pin(s, attachment_at(s, i), path);
		else
			tell_attached(s, attachment_at(s, i), NULL);
	}
	return status;
}

static int replace(struct session *s)
{
	const char *path = args_value(s->args, ATTACH_REPLACE);
	struct attachment *a = attachment_at(s, 0);

	if (skep_link_open(path, &a->link, &s->diag) ||
	    skep_link_update(a->link, a->prog, &s->diag))
		return refuse(&s->diag, EXIT_SYSTEM);
	tell_attached(s, a, path);
	return EXIT_OK;
}

/* ---- iterators ---- */

static bool is_iterator(const struct attachment *a)
{
	return a->prog && a->prog->prog->type == PROG_TYPE_TRACING &&
	       a->prog->prog->attach_type == ATTACH_TRACE_ITER;
}

static int print_text(void *arg, const char *text, size_t len)
{
	struct session *s = arg;
	struct text copy = TEXT_INIT;

	if (s->report.json) {
		json_begin(&s->json);
		json_bytes(&s->json, "print", text, len);
		json_end(&s->json);
		return 0;
	}
	text_write(&copy, text, len);
	put_clean(stdout, text_str(&copy), true);
	text_fini(&copy);
	return 0;
}

/* What they print, once; *all: there is nothing else to wait for. */
static int print_iterators(struct session *s, bool *all)
{
	*all = true;
	for (size_t i = 0; i < s->all.len; i++) {
		struct attachment *a = attachment_at(s, i);

		if (!is_iterator(a))
			*all = false;
		else if (skep_link_read(a->link, print_text, s, &s->diag))
			return refuse(&s->diag, EXIT_SYSTEM);
	}
	return EXIT_OK;
}

/* ---- waiting ---- */

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000 + (u64)t.tv_nsec / 1000000;
}

static bool any_alive(const struct session *s)
{
	for (size_t i = 0; i < s->all.len; i++) {
		if (skep_link_is_alive(attachment_at(s, i)->link))
			return true;
	}
	return false;
}

static u32 collect_events(struct session *s, struct pollfd *fds)
{
	struct skep_map *map = NULL;
	u32 n = 0;

	while (n < MAX_POLLED && (map = skep_object_next_map(s->obj, map))) {
		int fd = skep_map_event_fd(map);

		if (fd >= 0)
			fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return n;
}

/* Until a signal, the end of the time, or of what is attached. */
static int wait_and_show(struct session *s)
{
	struct pollfd fds[MAX_POLLED + 1];
	u64 end = now_ms() + s->for_ms;
	sigset_t signals;
	u32 n;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fds[0] = (struct pollfd){.fd = signalfd(-1, &signals, SFD_CLOEXEC),
				 .events = POLLIN};
	n = 1 + collect_events(s, fds + 1);
	for (;;) {
		u64 now = now_ms(), left = s->for_ms ? end - now : TICK_MS;

		if (s->for_ms && now >= end)
			break;
		poll(fds, n, left < TICK_MS ? (int)left : TICK_MS);
		report_events(&s->report);
		fflush(stdout);
		if (fds[0].revents)
			break;
		if (!any_alive(s)) {
			say_warning(NULL, "nothing is attached any more: what it was "
					  "attached to has gone");
			break;
		}
	}
	close(fds[0].fd);
	return EXIT_OK;
}

/* Detaches first, so that maps stand still while they are shown. */
static void detach_all(struct session *s)
{
	for (size_t i = 0; i < s->all.len; i++) {
		skep_link_close(attachment_at(s, i)->link);
		attachment_at(s, i)->link = NULL;
	}
}

/* ---- all of it ---- */

static int read_time(struct session *s)
{
	static const struct {
		const char *unit;
		u64 ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}};
	const char *text = args_value(s->args, ATTACH_FOR);
	char *end;
	u64 n;

	if (!text)
		return EXIT_OK;
	errno = 0;
	n = strtoull(text, &end, 10);
	for (u32 i = 0; i < ARRAY_SIZE(units); i++) {
		if (end == text || errno || strcmp(end, units[i].unit) != 0 || !n ||
		    n > ~0ull / 8 / units[i].ms)
			continue;
		s->for_ms = n * units[i].ms;
		return EXIT_OK;
	}
	return args_refuse(s->args, "--for is a time, such as 10s or 500ms, not \"%s\"",
			   text);
}

static int check(const struct args *args)
{
	bool pins = args_has(args, ATTACH_PIN), replaces = args_has(args, ATTACH_REPLACE);

	if (replaces && (pins || args_has(args, ATTACH_TO)))
		return args_refuse(args, "--replace puts a program into a link that "
					 "exists: it takes neither --to nor --pin");
	if ((pins || replaces) && args_has(args, ATTACH_FOR))
		return args_refuse(args, "what is pinned stays: --for does not go with "
					 "--pin or --replace");
	return EXIT_OK;
}

static int run_session(struct session *s)
{
	int status = check(s->args);
	bool done;

	if (!status)
		status = read_time(s);
	if (!status)
		status = open_object(s);
	if (!status)
		status = choose(s);
	if (!status)
		status = load(s);
	if (status)
		return status;
	if (args_has(s->args, ATTACH_REPLACE))
		return replace(s);
	status = attach_all(s);
	if (status || args_has(s->args, ATTACH_PIN))
		return status;
	status = print_iterators(s, &done);
	if (!status && !done)
		status = wait_and_show(s);
	detach_all(s);
	report_events(&s->report);
	report_maps(&s->report);
	return status;
}

static int run(const struct args *args)
{
	struct session s = {.args = args,
			    .all = VEC_INIT(struct attachment),
			    .json = JSON_INIT,
			    .diag = SKEP_DIAG_INIT};
	int status;

	s.report.json = args->json ? &s.json : NULL;
	s.report.engine = "kernel";
	status = run_session(&s);
	detach_all(&s);
	vec_fini(&s.all);
	skep_object_close(s.obj);
	skep_target_free(s.target);
	json_fini(&s.json);
	return status;
}

/* The parts of a row that hook.c is about. */
#define H(word, kind, parts, options, flags, type, usage) word usage,
static const char *const hooks[] = {
#include "kern/hooks.def"
	NULL,
};
#undef H

static const struct example examples[] = {
	{"skep attach firewall.bpf.o --to xdp:eth0 --set blocked 10.0.0.0/8 1",
	 "an XDP program at an interface until Ctrl-C, with a rule"},
	{"skep attach trace.bpf.o --for 10s",
	 "programs where their sections say, for ten seconds: events, then maps"},
	{"skep attach net.bpf.o --prog limit --prog count --to xdp:eth0",
	 "two programs at one interface: count sees what limit passes"},
	{"skep attach firewall.bpf.o --to xdp:eth0 --pin /sys/fs/bpf/firewall",
	 "attached to stay"},
	{"skep attach mend.bpf.o --into 42",
	 "a freplace program in the place of a function of program 42"},
	{"skep attach new.bpf.o --replace /sys/fs/bpf/firewall",
	 "another program in its place, without a packet lost"},
};

const struct command command_attach = {
	.name = "attach",
	.operands = "OBJECT",
	.summary = "attach programs to hooks of the kernel",
	.text = "Loads an object into the kernel and attaches its programs: to the hooks "
		"that are given, or to those that their section names say "
		"(SEC(\"tracepoint/sched/sched_switch\")).  What they send through ring "
		"buffers and perf buffers is shown as it comes, decoded by the types of "
		"the object; at the end everything is detached and the maps are "
		"shown.\n\n"
		"With --pin the links stay when skep ends; remove the file, or use skep "
		"detach, to detach.  Without it they go with skep, however it ends.",
	.list_title = "HOOKS",
	.list = hooks,
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.caps = LIVE_CAPS,
	.run = run,
};
