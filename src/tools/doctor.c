/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep doctor: what this machine lets this user load and attach, found by trying, and for
 * each "no" the reason and what would change it.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/diag.h"
#include "btf/btf.h"
#include "kern/probe.h"
#include "kern/refused.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/live.h"
#include "tools/out.h"

struct examination {
	struct prober prober;
	struct json *json; /* NULL: text */
	struct json line;
	struct progress progress;
	u64 tried;
	struct probe first; /* the simplest program: nothing works without it */
};

/* ---- the machine ---- */

static const u32 caps[] = {CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN};

static u64 held_caps(void)
{
	u64 held = 0;

	for (u32 i = 0; i < ARRAY_SIZE(caps); i++)
		held |= kern_has_cap(caps[i]) ? KERN_CAP(caps[i]) : 0;
	return held;
}

/* The first line of a small file of /proc or /sys, or NULL. */
static const char *first_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");
	const char *got = f ? fgets(line, size, f) : NULL;

	if (f)
		fclose(f);
	if (got)
		line[strcspn(line, "\n")] = 0;
	return got;
}

static bool is_mounted(const char *path, u32 magic)
{
	struct statfs fs;

	return !statfs(path, &fs) && (u32)fs.f_type == magic;
}

/* What is looked at, not tried: files that say how the machine is set up. */
struct fact {
	const char *name;
	char room[128];
};

static void fact_types(struct fact *f, const struct prober *p)
{
	f->name = "types";
	if (p->vmlinux)
		snprintf(f->room, sizeof(f->room), "/sys/kernel/btf/vmlinux has %u",
			 btf_count(p->vmlinux) - 1);
	else
		snprintf(f->room, sizeof(f->room), "none: %.100s", p->types_diag.text);
}

static void fact_compiler(struct fact *f)
{
	int jit = probe_jit();

	f->name = "native code";
	snprintf(f->room, sizeof(f->room), "%s",
		 jit > 0         ? "yes: Linux compiles what it loads"
		 : jit == 0      ? "no: sysctl net.core.bpf_jit_enable=1 switches it on"
		 : jit == -EPERM ? "cannot be known without CAP_BPF"
				 : "cannot be known");
}

static void fact_unprivileged(struct fact *f)
{
	char line[16];
	const char *value = first_line("/proc/sys/kernel/unprivileged_bpf_disabled", line,
				       sizeof(line));

	f->name = "users";
	snprintf(f->room, sizeof(f->room), "%s",
		 !value          ? "the kernel does not say who may load programs"
		 : *value == '0' ? "socket filters are open to all"
				 : "programs need CAP_BPF "
				   "(kernel.unprivileged_bpf_disabled)");
}

static void fact_mounts(struct fact *f)
{
	enum { BPF = 0xcafe4a11, CGROUP2 = 0x63677270, TRACE = 0x74726163 };
	static const struct {
		const char *path;
		u32 magic;
	} mounts[] = {{"/sys/fs/bpf", BPF},
		      {"/sys/fs/cgroup", CGROUP2},
		      {"/sys/fs/cgroup/unified", CGROUP2},
		      {"/sys/kernel/tracing", TRACE},
		      {"/sys/kernel/debug/tracing", TRACE}};
	size_t len = 0;

	f->name = "mounted";
	snprintf(f->room, sizeof(f->room), "no file system of BPF, cgroups or tracing");
	for (u32 i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (is_mounted(mounts[i].path, mounts[i].magic))
			len += (size_t)snprintf(f->room + len, sizeof(f->room) - len,
						"%s%s", len ? ", " : "", mounts[i].path);
	}
}

static void fact_lockdown(struct fact *f)
{
	char line[64];
	const char *value =
		first_line("/sys/kernel/security/lockdown", line, sizeof(line));

	f->name = "lockdown";
	snprintf(f->room, sizeof(f->room), "%s", value ? value : "not known");
}

static void fact_user(struct fact *f)
{
	struct kern_cap_names names;
	u64 held = held_caps();

	f->name = "user";
	snprintf(f->room, sizeof(f->room), "%u, with %s", geteuid(),
		 held ? kern_cap_names(&names, held)
		      : "no capability that counts for BPF");
}

static void fact_kernel(struct fact *f)
{
	struct utsname name;

	f->name = "kernel";
	uname(&name);
	snprintf(f->room, sizeof(f->room), "%.20s %.60s, %.30s", name.sysname,
		 name.release, name.machine);
}

enum { FACTS = 7 };

static void look_at_machine(struct examination *x)
{
	static const char *const heads[] = {"", "", NULL};
	struct fact facts[FACTS] = {0};
	struct table table;

	fact_kernel(&facts[0]);
	fact_user(&facts[1]);
	fact_types(&facts[2], &x->prober);
	fact_compiler(&facts[3]);
	fact_unprivileged(&facts[4]);
	fact_lockdown(&facts[5]);
	fact_mounts(&facts[6]);
	if (x->json) {
		json_begin(x->json);
		json_string(x->json, "check", "machine");
		for (u32 i = 0; i < FACTS; i++)
			json_string(x->json, facts[i].name, facts[i].room);
		json_end(x->json);
		return;
	}
	printf("%smachine%s\n", style_on(stdout, STYLE_NAME), style_off(stdout));
	table_init(&table, heads, 2);
	for (u32 i = 0; i < FACTS; i++) {
		table_cell(&table, "%s", facts[i].name);
		table_cell(&table, "%s", facts[i].room);
	}
	table_print(&table);
}

/* ---- what was tried ---- */

static void probe_json(struct json *j, const char *check, const struct probe *probe)
{
	json_begin(j);
	json_string(j, "check", check);
	json_string(j, "name", probe->name);
	json_bool(j, "works", probe->works);
	if (!probe->works) {
		json_string(j, "reason", skep_diag_name(probe->diag.id));
		json_string(j, "message", probe->diag.text);
		if (probe->diag.advice)
			json_string(j, "advice", probe->diag.advice);
	}
	json_end(j);
}

enum { WIDTH = 80 };

/* "xdp, tc, ...": words of one paragraph, broken at the width. */
struct paragraph {
	size_t at;
};

static void put_word(struct paragraph *p, const char *word)
{
	size_t len = strlen(word);

	if (!p->at) {
		p->at = (size_t)printf("  yes  %s", word);
	} else if (p->at + 2 + len > WIDTH) {
		p->at = 7 + len;
		printf(",\n       %s", word);
	} else {
		p->at += (size_t)printf(", %s", word);
	}
}

/* The reason, which may begin with the name. */
static const char *reason(const struct probe *probe)
{
	const char *text = probe->diag.text;
	size_t len = strlen(probe->name);

	return !strncmp(text, probe->name, len) && !strncmp(text + len, ": ", 2)
		       ? text + len + 2
		       : text;
}

static bool same_reason(const struct probe *a, const struct probe *b)
{
	return !a->works && !b->works && !strcmp(reason(a), reason(b));
}

/* What fails for one reason stands in one line; the first of them prints it. */
static void put_no(const struct probe *probes, u32 n, u32 i)
{
	const char *advice = probes[i].diag.advice;

	for (u32 k = 0; k < i; k++) {
		if (same_reason(&probes[k], &probes[i]))
			return;
	}
	printf("  %sno%s   %s", style_on(stdout, STYLE_BAD), style_off(stdout),
	       probes[i].name);
	for (u32 k = i + 1; k < n; k++) {
		if (same_reason(&probes[k], &probes[i]))
			printf(", %s", probes[k].name);
	}
	printf(": ");
	put_clean(stdout, reason(&probes[i]), false);
	if (advice)
		printf(" %s(%s)%s", style_on(stdout, STYLE_DIM), advice,
		       style_off(stdout));
	printf("\n");
}

static void put_kind(const char *title, const struct probe *probes, u32 n)
{
	struct paragraph yes = {0};
	u32 works = 0;

	for (u32 i = 0; i < n; i++)
		works += probes[i].works;
	printf("\n%s%s%s  %u of %u\n", style_on(stdout, STYLE_NAME), title,
	       style_off(stdout), works, n);
	for (u32 i = 0; i < n; i++) {
		if (probes[i].works)
			put_word(&yes, probes[i].name);
	}
	if (yes.at)
		printf("\n");
	for (u32 i = 0; i < n; i++) {
		if (!probes[i].works)
			put_no(probes, n, i);
	}
}

enum { MOST_PROBES = 64 };

static const struct {
	const char *check, *title;
} kinds[PROBE_KINDS] = {
	[PROBE_PROGRAM] = {"program", "program types"},
	[PROBE_MAP] = {"map", "map types"},
	[PROBE_HELPER] = {"helper", "helpers"},
	[PROBE_HOOK] = {"hook", "hooks"},
};

static void try_kind(struct examination *x, enum probe_kind kind)
{
	struct probe probes[MOST_PROBES];
	u32 n = probe_count(kind);

	for (u32 i = 0; i < n && i < MOST_PROBES; i++) {
		probes[i] = probe_try(&x->prober, kind, i);
		if (x->json)
			probe_json(x->json, kinds[kind].check, &probes[i]);
		progress_step(&x->progress, ++x->tried, 0);
	}
	progress_hide(&x->progress);
	if (kind == PROBE_PROGRAM)
		x->first = probes[0];
	if (!x->json)
		put_kind(kinds[kind].title, probes, n);
}

/* ---- the command ---- */

static int examine(struct examination *x)
{
	progress_init(&x->progress, "things tried");
	look_at_machine(x);
	fflush(stdout);
	for (u32 kind = 0; kind < PROBE_KINDS; kind++) {
		try_kind(x, (enum probe_kind)kind);
		fflush(stdout);
	}
	/* who can load nothing is told so in one line, too */
	if (!x->first.works)
		return live_refuse(&x->first.diag);
	return EXIT_OK;
}

static int run(const struct args *args)
{
	struct examination x = {.line = JSON_INIT};
	struct skep_diag diag = SKEP_DIAG_INIT;
	int status;

	x.json = args->json ? &x.line : NULL;
	if (prober_init(&x.prober, &diag))
		status = live_refuse(&diag);
	else
		status = examine(&x);
	prober_fini(&x.prober);
	json_fini(&x.line);
	return status;
}

static const struct example examples[] = {
	{"skep doctor", "what can be loaded and attached here, and why the rest cannot"},
	{"skep doctor --json | grep '\"works\":false'", "only what does not work"},
};

const struct command command_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "tell what this machine lets this user load and attach",
	.text = "Loads a smallest program of each type, creates a smallest map of each "
		"type, calls helpers, and attaches to hooks of its own: an interface and "
		"a network namespace that only it has, a new cgroup, its own functions, "
		"and tracepoints that a program which does nothing visits for a moment.  "
		"For each \"no\" it names the reason, and what would change it.\n\n"
		"Nothing stays behind.  Run it as the user, and with the capabilities, "
		"that the program will have.  The exit status is 4 when not even a "
		"socket filter can be loaded.",
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.caps = LIVE_CAPS,
	.run = run,
};
