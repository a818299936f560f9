/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trying hooks, each in a child process that ends with the try: what it attached goes
 * with it.  Interfaces and packet filters are those of a new network namespace, where the
 * child may make one; a cgroup is new and removed again; functions are those of
 * the child alone.
 */
#define _GNU_SOURCE /* unshare() */
#include "kern/probe.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "btf/btf.h"
#include "kern/census_parts.h"
#include "kern/link.h"
#include "kern/refused.h"

enum where { ANYWHERE, OWN_NETNS, OWN_CGROUP, OWN_CODE };

static const struct row {
	const char *words; /* for hook_parse(); %s: the cgroup, or this program */
	enum where where;
	struct probe_program program;
} hooks[] = {
	{"xdp:lo:generic",
	 OWN_NETNS,
	 {PROG_TYPE_XDP, ATTACH_XDP, .config = "CONFIG_NET"}},
	{"tcx:lo:ingress",
	 OWN_NETNS,
	 {PROG_TYPE_SCHED_CLS, ATTACH_TCX_INGRESS, .config = "CONFIG_NET_XGRESS"}},
	{"tc:lo:ingress",
	 OWN_NETNS,
	 {PROG_TYPE_SCHED_CLS, .config = "CONFIG_NET_CLS_BPF"}},
	{"netfilter:ipv4:input",
	 OWN_NETNS,
	 {PROG_TYPE_NETFILTER, ATTACH_NETFILTER, .config = "CONFIG_NETFILTER_BPF_LINK"}},
	{"netns:/proc/self/ns/net:sk_lookup",
	 OWN_NETNS,
	 {PROG_TYPE_SK_LOOKUP, ATTACH_SK_LOOKUP, .config = "CONFIG_INET"}},
	{"socket", ANYWHERE, {PROG_TYPE_SOCKET_FILTER, .config = "CONFIG_NET"}},
	{"cgroup:%s:egress",
	 OWN_CGROUP,
	 {PROG_TYPE_CGROUP_SKB, ATTACH_CGROUP_INET_EGRESS,
	  .config = "CONFIG_CGROUP_BPF"}},
	{"raw_tracepoint:sched_switch",
	 ANYWHERE,
	 {PROG_TYPE_RAW_TRACEPOINT, .config = "CONFIG_BPF_EVENTS"}},
	{"tracepoint:sched:sched_switch",
	 ANYWHERE,
	 {PROG_TYPE_TRACEPOINT, .config = "CONFIG_BPF_EVENTS"}},
	{"perf_event:cpu-clock:freq=1:cpu=0",
	 ANYWHERE,
	 {PROG_TYPE_PERF_EVENT, .config = "CONFIG_BPF_EVENTS"}},
	{"kprobe:bpf_fentry_test1",
	 ANYWHERE,
	 {PROG_TYPE_KPROBE, .config = "CONFIG_KPROBE_EVENTS"}},
	{"kprobe.multi:bpf_fentry_test1",
	 ANYWHERE,
	 {PROG_TYPE_KPROBE, ATTACH_TRACE_KPROBE_MULTI, .config = "CONFIG_FPROBE"}},
	{"uprobe:%s:pid=%d",
	 OWN_CODE,
	 {PROG_TYPE_KPROBE, .config = "CONFIG_UPROBE_EVENTS"}},
	{"uprobe.multi:%s:pid=%d",
	 OWN_CODE,
	 {PROG_TYPE_KPROBE, ATTACH_TRACE_UPROBE_MULTI, .config = "CONFIG_UPROBE_EVENTS"}},
	{"tp_btf:sched_switch",
	 ANYWHERE,
	 {PROG_TYPE_TRACING, ATTACH_TRACE_RAW_TP, "btf_trace_sched_switch", BTF_TYPEDEF,
	  .config = "CONFIG_DEBUG_INFO_BTF"}},
	{"fentry:bpf_fentry_test1",
	 ANYWHERE,
	 {PROG_TYPE_TRACING, ATTACH_TRACE_FENTRY, "bpf_fentry_test1", BTF_FUNC,
	  .config = "CONFIG_FUNCTION_TRACER and CONFIG_DEBUG_INFO_BTF"}},
	{"lsm:file_open",
	 ANYWHERE,
	 {PROG_TYPE_LSM, ATTACH_LSM_MAC, "bpf_lsm_file_open", BTF_FUNC,
	  .config = "CONFIG_BPF_LSM"}},
	{"iter:task",
	 ANYWHERE,
	 {PROG_TYPE_TRACING, ATTACH_TRACE_ITER, "bpf_iter_task", BTF_FUNC,
	  .config = "CONFIG_DEBUG_INFO_BTF"}},
};

u32 probe_hook_count(void)
{
	return ARRAY_SIZE(hooks);
}

static const char *hook_title(const struct row *row)
{
	switch (row->where) {
	case OWN_CGROUP: return "cgroup:egress";
	case OWN_CODE: return row->program.attach_type ? "uprobe.multi" : "uprobe";
	case OWN_NETNS:
	case ANYWHERE: break;
	}
	return strncmp(row->words, "netns:", 6) ? row->words : "netns:sk_lookup";
}

/* ---- places of its own ---- */

struct place {
	char cgroup[256]; /* "": none was made */
	char words[512];
};

static int first_mount(void *arg, const char *path)
{
	struct place *place = arg;

	if (!*place->cgroup)
		snprintf(place->cgroup, sizeof(place->cgroup), "%.200s/skep-probe-%d",
			 path, getpid());
	return 0;
}

static int make_cgroup(struct place *place, struct skep_diag *diag)
{
	int err;

	census_each_mount("cgroup2", first_mount, place);
	if (!*place->cgroup)
		return fail(diag, NO_CGROUP2, NO_PC);
	if (!mkdir(place->cgroup, 0700))
		return 0;
	err = errno;
	place->cgroup[0] = 0;
	return fail(diag, NO_OWN_PLACE, NO_PC, "cgroup", strerror(err));
}

/* A function that every process has, for this process only: of its C library, whose
 * dynamic symbols are there when the program itself is stripped. */
static void own_code(char *code, size_t size)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512], path[256];

	snprintf(code, size, "/proc/self/exe:main");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %*s %*s %255s", path) == 1 &&
		    strstr(path, "libc.so")) {
			snprintf(code, size, "%s:getppid", path);
			break;
		}
	}
	if (f)
		fclose(f);
}

/* Who may not make a network namespace may make a user namespace with one.  There he has
 * CAP_NET_ADMIN: the try is only worth something if he has it outside, too. */
static bool own_netns(void)
{
	return !unshare(CLONE_NEWNET) ||
	       (kern_has_cap(CAP_NET_ADMIN) && !unshare(CLONE_NEWUSER | CLONE_NEWNET));
}

static int make_place(struct place *place, const struct row *row, struct skep_diag *diag)
{
	char code[300] = "";
	int err = 0;

	switch (row->where) {
	case ANYWHERE: break;
	case OWN_NETNS:
		if (!own_netns())
			err = fail(diag, NO_OWN_PLACE, NO_PC, "network namespace",
				   strerror(errno));
		break;
	case OWN_CGROUP: err = make_cgroup(place, diag); break;
	case OWN_CODE: own_code(code, sizeof(code)); break;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(place->words, sizeof(place->words), row->words,
		 *place->cgroup ? place->cgroup : code, getpid());
#pragma GCC diagnostic pop
	return err;
}

/* ---- one try ---- */

static int attach(const struct kern_prog *prog, const struct place *place,
		  struct skep_diag *diag)
{
	struct hook hook = HOOK_INIT;
	struct kern_link *link;
	int err;

	if (!strcmp(place->words, "socket")) {
		hook.kind = HOOK_SOCKET;
		hook.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	} else {
		err = hook_parse(place->words, &hook, diag);
		if (err)
			return err;
	}
	err = kern_attach(prog, &hook, &link, diag);
	if (!err) {
		kern_link_detach(link, NULL);
		kern_link_free(link);
	}
	if (hook.fd >= 0)
		close(hook.fd);
	hook_fini(&hook);
	return err;
}

static int try_hook(const struct prober *p, const struct row *row, struct skep_diag *diag)
{
	struct kern_prog prog = {.type = row->program.type,
				 .attach_type = row->program.attach_type,
				 .name = "skep_probe"};
	struct place place = {0};
	int err;

	prog.fd = probe_load(p, &row->program, hook_title(row), diag);
	if (prog.fd < 0)
		return prog.fd;
	err = make_place(&place, row, diag);
	if (!err)
		err = attach(&prog, &place, diag);
	close(prog.fd);
	if (*place.cgroup)
		rmdir(place.cgroup);
	return err;
}

/* The title says where it was tried. */
static void without_place(struct skep_diag *diag, const struct row *row)
{
	static const char attached[] = "program skep_probe at ";
	char *end = strstr(diag->text, ": ");

	if (end && (!strncmp(diag->text, attached, strlen(attached)) ||
		    !strncmp(diag->text, row->words, strcspn(row->words, "%"))))
		memmove(diag->text, end + 2, strlen(end + 2) + 1);
}

struct probe probe_hook(const struct prober *p, u32 i)
{
	struct probe probe = {hook_title(&hooks[i]), .diag = SKEP_DIAG_INIT};
	struct skep_diag diag = SKEP_DIAG_INIT;
	int pipes[2];
	pid_t pid;

	if (pipe(pipes) || (pid = fork()) < 0) {
		fail(&probe.diag, KERNEL_SAYS, NO_PC, "fork", strerror(errno));
		return probe;
	}
	if (!pid) {
		try_hook(p, &hooks[i], &diag);
		_exit(write(pipes[1], &diag, sizeof(diag)) != sizeof(diag));
	}
	close(pipes[1]);
	if (read(pipes[0], &diag, sizeof(diag)) != sizeof(diag))
		fail(&diag, KERNEL_SAYS, NO_PC, "the try", "it did not end");
	close(pipes[0]);
	waitpid(pid, NULL, 0);
	/* diag.advice is static text: fork() moved nothing */
	probe.diag = diag;
	without_place(&probe.diag, &hooks[i]);
	probe.works = !diag.id;
	return probe;
}
