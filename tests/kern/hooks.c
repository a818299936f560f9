/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of hooks: what each means, how it is printed again, and what is said about
 * those that mean nothing.
 */
#include "kern/hook.h"

#include <linux/netfilter.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "check.h"
#include "prog/prog.h"

/* ---- what is understood ---- */

static const struct {
	const char *text, *name; /* NULL: the same */
	u32 prog_type, attach_type;
} good[] = {
	{"xdp:eth0", NULL, PROG_TYPE_XDP, ATTACH_XDP},
	{"xdp:eth0:native", NULL, PROG_TYPE_XDP, ATTACH_XDP},
	{"xdp:eth0.100:generic", NULL, PROG_TYPE_XDP, ATTACH_XDP},
	{"xdp:7:offload", NULL, PROG_TYPE_XDP, ATTACH_XDP},
	{"tcx:eth0:ingress", NULL, PROG_TYPE_SCHED_CLS, 0},
	{"tcx:eth0:egress:first", NULL, PROG_TYPE_SCHED_CLS, 0},
	{"tcx:eth0:egress:last", "tcx:eth0:egress", PROG_TYPE_SCHED_CLS, 0},
	{"tcx:eth0:egress:before=0x10", "tcx:eth0:egress:before=16", PROG_TYPE_SCHED_CLS,
	 0},
	{"tcx:eth0:egress:after=4294967295", NULL, PROG_TYPE_SCHED_CLS, 0},
	{"tc:eth0:ingress", NULL, PROG_TYPE_SCHED_CLS, 0},
	{"tc:eth0:ingress:priority=010", "tc:eth0:ingress:priority=10",
	 PROG_TYPE_SCHED_CLS, 0},
	{"tc:eth0:egress:priority=65535", NULL, PROG_TYPE_SCHED_CLS, 0},
	{"netkit:nk0:primary:first", NULL, PROG_TYPE_SCHED_CLS, 0},
	{"netkit:nk0:peer", NULL, PROG_TYPE_SCHED_CLS, 0},
	{"cgroup:/sys/fs/cgroup/x:connect4", NULL, PROG_TYPE_CGROUP_SOCK_ADDR,
	 ATTACH_CGROUP_INET4_CONNECT},
	{"cgroup:/a:b:c:ingress:first", NULL, PROG_TYPE_CGROUP_SKB, 0},
	{"cgroup:/a:egress", NULL, PROG_TYPE_CGROUP_SKB, ATTACH_CGROUP_INET_EGRESS},
	{"cgroup:/a:cgroup_inet_egress", "cgroup:/a:egress", PROG_TYPE_CGROUP_SKB,
	 ATTACH_CGROUP_INET_EGRESS},
	{"cgroup:/a:device", "cgroup:/a:dev", PROG_TYPE_CGROUP_DEVICE,
	 ATTACH_CGROUP_DEVICE},
	{"cgroup:/a:sock_ops", "cgroup:/a:sockops", PROG_TYPE_SOCK_OPS,
	 ATTACH_CGROUP_SOCK_OPS},
	{"cgroup:/a:lsm_cgroup", NULL, PROG_TYPE_LSM, ATTACH_LSM_CGROUP},
	{"cgroup:/a:sendmsg_unix", NULL, PROG_TYPE_CGROUP_SOCK_ADDR,
	 ATTACH_CGROUP_UNIX_SENDMSG},
	{"netns:/proc/self/ns/net:sk_lookup", NULL, PROG_TYPE_SK_LOOKUP,
	 ATTACH_SK_LOOKUP},
	{"netns:blue:flow_dissector", NULL, PROG_TYPE_FLOW_DISSECTOR,
	 ATTACH_FLOW_DISSECTOR},
	{"sockmap:/sys/fs/bpf/m:msg_verdict", NULL, PROG_TYPE_SK_MSG,
	 ATTACH_SK_MSG_VERDICT},
	{"sockmap:/sys/fs/bpf/m:verdict", NULL, PROG_TYPE_SK_SKB, ATTACH_SK_SKB_VERDICT},
	{"socket:3", NULL, 0, 0},
	{"netfilter:ipv4:input", NULL, PROG_TYPE_NETFILTER, ATTACH_NETFILTER},
	{"netfilter:ipv6:forward:priority=-128:defrag", NULL, PROG_TYPE_NETFILTER,
	 ATTACH_NETFILTER},
	{"netfilter:ipv6:forward:defrag:priority=-128",
	 "netfilter:ipv6:forward:priority=-128:defrag", PROG_TYPE_NETFILTER,
	 ATTACH_NETFILTER},
	{"tracepoint:sched:sched_switch", NULL, PROG_TYPE_TRACEPOINT, 0},
	{"tp:sched:sched_switch:cookie=7", "tracepoint:sched:sched_switch:cookie=0x7",
	 PROG_TYPE_TRACEPOINT, 0},
	{"tracepoint:net:first", NULL, PROG_TYPE_TRACEPOINT, 0},
	{"raw_tp.w:sys_enter", "raw_tracepoint:sys_enter", 0, 0},
	{"tp_btf:task_newtask", NULL, PROG_TYPE_TRACING, ATTACH_TRACE_RAW_TP},
	{"fentry.s:vfs_read", "fentry:vfs_read", PROG_TYPE_TRACING, ATTACH_TRACE_FENTRY},
	{"fexit:vfs_read:cookie=0xffffffffffffffff", NULL, PROG_TYPE_TRACING,
	 ATTACH_TRACE_FEXIT},
	{"fmod_ret:bpf_modify_return_test", NULL, PROG_TYPE_TRACING,
	 ATTACH_MODIFY_RETURN},
	{"lsm:file_open", NULL, PROG_TYPE_LSM, ATTACH_LSM_MAC},
	{"freplace:f:prog=12", NULL, PROG_TYPE_EXT, 0},
	{"kprobe:do_unlinkat+4", "kprobe:do_unlinkat+0x4", PROG_TYPE_KPROBE, 0},
	{"kretprobe:do_unlinkat", NULL, PROG_TYPE_KPROBE, 0},
	{"ksyscall:openat", NULL, PROG_TYPE_KPROBE, 0},
	{"kretsyscall:openat", NULL, PROG_TYPE_KPROBE, 0},
	{"kprobe.multi:vfs_*", NULL, PROG_TYPE_KPROBE, ATTACH_TRACE_KPROBE_MULTI},
	{"kretprobe.multi:vfs_?ead", NULL, PROG_TYPE_KPROBE, ATTACH_TRACE_KPROBE_MULTI},
	{"kprobe.session:vfs_*", NULL, PROG_TYPE_KPROBE, ATTACH_TRACE_KPROBE_SESSION},
	{"uprobe:/bin/bash:readline:pid=1", NULL, PROG_TYPE_KPROBE, 0},
	{"uprobe:/odd:name:main+0x10", NULL, PROG_TYPE_KPROBE, 0},
	{"uretprobe:libc.so.6:malloc@GLIBC_2.2.5", NULL, PROG_TYPE_KPROBE, 0},
	{"uprobe:/bin/bash:4660", "uprobe:/bin/bash:0x1234", PROG_TYPE_KPROBE, 0},
	{"uprobe.multi.s:/bin/bash:read*", "uprobe.multi:/bin/bash:read*",
	 PROG_TYPE_KPROBE, ATTACH_TRACE_UPROBE_MULTI},
	{"uprobe.session:/bin/bash:read*", NULL, PROG_TYPE_KPROBE,
	 ATTACH_TRACE_UPROBE_SESSION},
	{"usdt:/a:b:libc:setjmp:pid=3:cookie=0x1", NULL, PROG_TYPE_KPROBE, 0},
	{"perf_event:cpu-clock:freq=99:cpu=0:pid=5", NULL, PROG_TYPE_PERF_EVENT, 0},
	{"perf_event:cycles:period=1000000", NULL, PROG_TYPE_PERF_EVENT, 0},
	{"iter:task", NULL, PROG_TYPE_TRACING, ATTACH_TRACE_ITER},
	{"iter:bpf_map_elem:in=/sys/fs/bpf/m", NULL, PROG_TYPE_TRACING,
	 ATTACH_TRACE_ITER},
	{"struct_ops:cubic", NULL, 0, 0},
};

static void understands(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(good); i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;
		const char *want = good[i].name ? good[i].name : good[i].text;
		u32 prog_type = 0, attach_type = 0;
		char name[HOOK_NAME_SIZE];
		struct hook hook;

		if (!CHECK_INT(hook_parse(good[i].text, &hook, &diag), 0)) {
			fprintf(stderr, "\t%s: %s\n", good[i].text, diag.text);
			continue;
		}
		CHECK_STR(hook_name(&hook, name), want);
		CHECK_INT(hook_wants(&hook, &prog_type, &attach_type),
			  good[i].prog_type != 0);
		CHECK_INT(prog_type, good[i].prog_type);
		CHECK_INT(attach_type, good[i].attach_type);
		hook_fini(&hook);
		/* and what is printed means the same */
		CHECK_INT(hook_parse(want, &hook, &diag), 0);
		CHECK_STR(hook_name(&hook, name), want);
		hook_fini(&hook);
	}
}

static void fills_in(void)
{
	struct hook h;

	CHECK_INT(hook_parse("netfilter:ipv6:output:priority=-5:defrag", &h, NULL), 0);
	CHECK(h.family == NFPROTO_IPV6 && h.number == NF_INET_LOCAL_OUT);
	CHECK(h.priority == -5 && h.defrag);
	hook_fini(&h);
	CHECK_INT(hook_parse("usdt:/a:b:p:n:pid=9", &h, NULL), 0);
	CHECK_STR(h.path, "/a:b");
	CHECK_STR(h.category, "p");
	CHECK_STR(h.name, "n");
	CHECK(h.pid == 9 && h.cpu == -1 && h.fd == -1);
	hook_fini(&h);
	CHECK_INT(hook_parse("perf_event:cycles:freq=50", &h, NULL), 0);
	CHECK(h.is_freq && h.period == 50 && h.pid == 0 && h.cpu == -1);
	hook_fini(&h);
	CHECK_INT(hook_parse("kretsyscall:openat", &h, NULL), 0);
	CHECK(h.is_return && h.is_syscall && h.kind == HOOK_KPROBE);
	hook_fini(&h);
	CHECK_INT(hook_parse("tcx:lo:egress:before=3", &h, NULL), 0);
	CHECK(h.place == PLACE_BEFORE && h.anchor == 3);
	CHECK_INT(h.attach_type, ATTACH_TCX_EGRESS);
	hook_fini(&h);
	hook_fini(&h);
}

/* ---- what is refused ---- */

#define XDP_WANTED "xdp:DEV[:native|generic|offload]"
#define TC_WANTED  "tc:DEV:ingress|egress[:priority=N]"

static const struct {
	const char *text, *says;
} refused[] = {
	{"", "\"\" is no kind of hook"},
	{"xpd:eth0", "\"xpd:eth0\" is no kind of hook"},
	{":xdp", "\":xdp\" is no kind of hook"},
	{"xdp", "hook xdp: an interface has no such name; wanted: " XDP_WANTED},
	{"xdp:", "hook xdp:: an interface has no such name; wanted: " XDP_WANTED},
	{"xdp:a/b", "hook xdp:a/b: an interface has no such name; wanted: " XDP_WANTED},
	{"xdp:0123456789abcdef",
	 "hook xdp:0123456789abcdef: an interface has no such name; wanted: " XDP_WANTED},
	{"xdp:eth0:quick",
	 "hook xdp:eth0:quick: there are too many parts; wanted: " XDP_WANTED},
	{"xdp:eth0:native:generic",
	 "hook xdp:eth0:native:generic: an option is given twice; wanted: " XDP_WANTED},
	{"xdp:eth0:priority=1",
	 "hook xdp:eth0:priority=1: an option is for other kinds of hooks; "
	 "wanted: " XDP_WANTED},
	{"tc:eth0", "hook tc:eth0: a part is missing; wanted: " TC_WANTED},
	{"tc:eth0:in", "hook tc:eth0:in: neither ingress nor egress; wanted: " TC_WANTED},
	{"tc:eth0:ingress:priority=0", "hook tc:eth0:ingress:priority=0: the value of an "
				       "option is wrong; wanted: " TC_WANTED},
	{"tc:eth0:ingress:priority=65536",
	 "hook tc:eth0:ingress:priority=65536: the value of an option is wrong; "
	 "wanted: " TC_WANTED},
	{"tc:eth0:ingress:priority=-1",
	 "hook tc:eth0:ingress:priority=-1: the value of an option is wrong; "
	 "wanted: " TC_WANTED},
	{"netns:x:connect4", "hook netns:x:connect4: a network namespace has no such "
			     "hook; wanted: netns:PATH:sk_lookup|flow_dissector"},
	{"netns:sk_lookup", "hook netns:sk_lookup: a part is missing; wanted: "
			    "netns:PATH:sk_lookup|flow_dissector"},
	{"netns::sk_lookup", "hook netns::sk_lookup: the path is empty or too long; "
			     "wanted: netns:PATH:sk_lookup|flow_dissector"},
	{"socket:0x", "hook socket:0x: that is no file descriptor; wanted: "
		      "socket:DESCRIPTOR"},
	{"socket:-1", "hook socket:-1: that is no file descriptor; wanted: "
		      "socket:DESCRIPTOR"},
	{"socket:2147483648", "hook socket:2147483648: that is no file descriptor; "
			      "wanted: socket:DESCRIPTOR"},
	{"tracepoint:../../x:y", "hook tracepoint:../../x:y: a name is empty, too long "
				 "or has wrong characters; wanted: "
				 "tracepoint:CATEGORY:NAME[:cookie=N]"},
	{"tracepoint:..:id", "hook tracepoint:..:id: a name is empty, too long or has "
			     "wrong characters; wanted: "
			     "tracepoint:CATEGORY:NAME[:cookie=N]"},
	{"ksyscall:a b", "hook ksyscall:a b: a name is empty, too long or has wrong "
			 "characters; wanted: ksyscall:SYSCALL[:cookie=N]"},
	{"kprobe:f+", "hook kprobe:f+: neither a function nor an offset; wanted: "
		      "kprobe:FUNCTION[+OFFSET][:cookie=N]"},
	{"kprobe:f+0x10000000000000000",
	 "hook kprobe:f+0x10000000000000000: neither a function nor an offset; wanted: "
	 "kprobe:FUNCTION[+OFFSET][:cookie=N]"},
	{"kprobe:f:cookie=-1", "hook kprobe:f:cookie=-1: the value of an option is "
			       "wrong; wanted: kprobe:FUNCTION[+OFFSET][:cookie=N]"},
	{"struct_ops:", "hook struct_ops:: a name is empty, too long or has wrong "
			"characters; wanted: struct_ops:MAP"},
	{"iter:task:in=", "hook iter:task:in=: the value of an option is wrong; wanted: "
			  "iter:NAME[:pid=N][:in=PIN|CGROUP]"},
	{"xdp:eth0\n", "the hook's name is too long, or has characters that cannot be "
		       "printed"},
};

static void says_why(const char *text, const char *says)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct hook hook;

	if (!CHECK_INT(hook_parse(text, &hook, &diag), -EINVAL))
		fprintf(stderr, "\t%.100s\n", text);
	CHECK_INT(diag.err, -EINVAL);
	CHECK_STR(diag.text, says);
	CHECK(!hook.words);
	hook_fini(&hook);
}

static void refuses(void)
{
	char longest[1 << 14];

	for (u32 i = 0; i < ARRAY_SIZE(refused); i++)
		says_why(refused[i].text, refused[i].says);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	memcpy(longest, "xdp:", 4);
	says_why(longest, "the hook's name is too long, or has characters that cannot be "
			  "printed");
}

/* Every beginning of a good name, and every one with a byte changed: never a crash, and
 * what is taken is printed as something that is taken. */
static void mangle(char *text)
{
	char name[HOOK_NAME_SIZE], again[HOOK_NAME_SIZE];
	struct hook hook;

	if (hook_parse(text, &hook, NULL))
		return;
	hook_name(&hook, name);
	hook_fini(&hook);
	if (!CHECK_INT(hook_parse(name, &hook, NULL), 0))
		fprintf(stderr, "\t%s -> %s\n", text, name);
	CHECK_STR(hook_name(&hook, again), name);
	hook_fini(&hook);
}

static void survives(void)
{
	static const char bytes[] = ":=+./0-9a\x7f\xff ";

	for (u32 i = 0; i < ARRAY_SIZE(good); i++) {
		size_t len = strlen(good[i].text);
		char text[128];

		for (size_t at = 0; at < len; at++)
			for (u32 b = 0; b < sizeof(bytes); b++) {
				memcpy(text, good[i].text, len + 1);
				text[at] = bytes[b]; /* the last of them is a NUL */
				mangle(text);
			}
	}
}

/* ---- sections ---- */

static const struct {
	const char *section, *name; /* NULL: it does not say */
} sections[] = {
	{"tracepoint/sched/sched_switch", "tracepoint:sched:sched_switch"},
	{"tp/syscalls/sys_enter_openat", "tracepoint:syscalls:sys_enter_openat"},
	{"raw_tp/sys_enter", "raw_tracepoint:sys_enter"},
	{"raw_tracepoint.w/x", "raw_tracepoint:x"},
	{"?fentry.s/vfs_read", "fentry:vfs_read"},
	{"lsm/file_open", "lsm:file_open"},
	{"freplace/f", "freplace:f"},
	{"kprobe/do_unlinkat+0x8", "kprobe:do_unlinkat+0x8"},
	{"kretsyscall/openat", "kretsyscall:openat"},
	{"kprobe.multi/vfs_*", "kprobe.multi:vfs_*"},
	{"kprobe.session/vfs_*", "kprobe.session:vfs_*"},
	{"uprobe//bin/bash:readline", "uprobe:/bin/bash:readline"},
	{"uretprobe/libc.so.6:malloc", "uretprobe:libc.so.6:malloc"},
	{"uprobe.multi.s//bin/bash:*", "uprobe.multi:/bin/bash:*"},
	{"usdt//bin/x:prov:name", "usdt:/bin/x:prov:name"},
	{"iter.s/task", "iter:task"},
	{"xdp", NULL},
	{"xdp/eth0", NULL},
	{"tc", NULL},
	{"cgroup/connect4", NULL},
	{"kprobe", NULL},
	{"uprobe/", NULL},
	{"perf_event", NULL},
	{"struct_ops/x", NULL},
	{"nonsense", NULL},
	{"", NULL},
};

static void reads_sections(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct prog prog = {.section = "tracepoint/sched"};
	char name[HOOK_NAME_SIZE];
	struct hook hook;

	for (u32 i = 0; i < ARRAY_SIZE(sections); i++) {
		prog.section = sections[i].section;
		if (!CHECK_INT(hook_of_prog(&prog, &hook, NULL),
			       sections[i].name ? 0 : -ENOENT)) {
			fprintf(stderr, "\t%s\n", prog.section);
			continue;
		}
		if (sections[i].name)
			CHECK_STR(hook_name(&hook, name), sections[i].name);
		hook_fini(&hook);
	}
	prog.section = "tracepoint/sched";
	CHECK_INT(hook_of_prog(&prog, &hook, NULL), -EINVAL);
	prog.section = "uprobe/bash";
	CHECK_INT(hook_of_prog(&prog, &hook, NULL), -EINVAL);
	prog.section = "xdp";
	CHECK_INT(hook_of_prog(&prog, &hook, &diag), -ENOENT);
	CHECK_STR(diag.text, "section \"xdp\" does not say where the program is to be "
			     "attached");
}

int main(void)
{
	understands();
	fills_in();
	refuses();
	survives();
	reads_sections();
	return check_report();
}
