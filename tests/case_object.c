/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases that want a verdict.  The way to it is the whole one: an object file, its types,
 * its maps, the kernel's types, fitted to the target.  Never does: run a program.
 */
#include "case_object.h"

#include <errno.h>
#include <linux/capability.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/text.h"
#include "btf/btf.h"
#include "load/into.h"
#include "load/kernel.h"
#include "load/target.h"
#include "obj/write.h"
#include "verify/reasons.h"
#include "verify/verify.h"

/* ---- objects ---- */

int case_object_of_text(const struct test_case *c, const struct skep_target *target,
			struct case_object *o, struct skep_diag *diag)
{
	struct asm_input in = {.text = {(const u8 *)c->text, strlen(c->text)},
			       .file = c->path,
			       .names = &case_names};
	const struct skep_object_opts opts = {.name = c->path};
	struct arena arena = ARENA_INIT;
	struct asm_unit unit;
	struct bytes file;
	int err = asm_parse(&in, &arena, &unit, diag);

	*o = (struct case_object){.target = target};
	for (u32 i = 0; !err && i < unit.n_funcs; i++)
		if (!unit.funcs[i].section && c->section[0])
			unit.funcs[i].section = c->section;
	if (!err && !unit.license)
		unit.license = "GPL";
	if (!err)
		err = object_write(&unit, &arena, &file, diag);
	if (!err)
		err = skep_object_open_memory(file.data, file.len, &opts, &o->obj, diag);
	arena_fini(&arena);
	return err;
}

int case_object_of_file(const char *path, const struct skep_target *target,
			struct case_object *o, struct skep_diag *diag)
{
	*o = (struct case_object){.target = target};
	return skep_object_open(path, NULL, &o->obj, diag);
}

void case_object_fini(struct case_object *o)
{
	kernel_judge_free(o->kernel);
	skep_object_close(o->obj);
}

bool case_of_tags(const struct skep_prog *prog, const char *path, struct test_case *c)
{
	static const char prefix[] = "case: ";
	const struct btf *btf = prog->prog->btf;
	u32 func = prog->prog->n_subprogs ? prog->prog->subprogs[0].btf_id : 0;
	u32 cursor = 0, tag;
	bool good = true;

	case_init(c, path);
	while (good && func && (tag = btf_next_tag(btf, func, &cursor))) {
		const char *line = btf_name(btf, tag);

		if (!strncmp(line, prefix, strlen(prefix)))
			good = !case_line(c, line + strlen(prefix));
	}
	return good && case_is_verdict(c);
}

/* ---- what is wanted ---- */

static bool is_to_be_refused(const struct test_case *c)
{
	const struct want *own = case_wants(c, WANT_KERNEL);

	if (own && own->kernel != KERNEL_R0)
		return own->kernel == KERNEL_REFUSES;
	return case_wants(c, WANT_REJECT);
}

/* By skep: what the case says of the kernel is another matter where it says both. */
static bool is_to_be_rejected(const struct test_case *c)
{
	if (case_wants(c, WANT_REJECT) || case_wants(c, WANT_ACCEPT))
		return case_wants(c, WANT_REJECT);
	return is_to_be_refused(c);
}

static void tell_verdict(struct text *told, bool refuse, const struct skep_diag *diag)
{
	text_printf(told, "wanted it to be %s\n\tgot    %s at %d (%s)",
		    refuse ? "rejected" : "accepted", skep_diag_name(diag->id),
		    diag->insn, diag->text);
}

/* ---- skep ---- */

/* What attaches to a program attaches to one of the same object. */
static int find_target(const struct case_object *o, const struct skep_prog *prog,
		       struct skep_prog **into, struct skep_diag *diag)
{
	*into = NULL;
	if (!into_is_asked(prog))
		return 0;
	int err = into_find(prog, o->obj, NULL, into, diag);

	return err || !*into ? err : load_fit(*into, target_of(o->target), diag);
}

/* judged: it was not something before it that failed. */
static int verify(const struct case_object *o, struct skep_prog *prog,
		  const struct test_case *c, bool *judged, struct skep_diag *diag)
{
	const struct target *target = target_of(o->target);
	struct verify_opts opts = {.target = target,
				   .struct_ops = load_struct_ops_of(prog),
				   .unprivileged = c->unprivileged,
				   .no_perfmon = c->no_perfmon,
				   .flags = c->flags};
	struct verify_result result = {0};
	struct skep_prog *into;
	int err = load_fit(prog, target, diag);

	if (!err)
		err = find_target(o, prog, &into, diag);
	*judged = !err;
	if (err)
		return err;
	opts.attach_prog = into ? into->prog : NULL;
	err = verify_prog(prog->prog, &opts, &result, diag);
	*judged = diag->id != REASON_UNSUPPORTED;
	verify_result_fini(&result);
	return err;
}

/* Without the kernel's types some verdicts cannot be given. */
static bool lacks_types(const struct case_object *o, const struct skep_prog *prog)
{
	return !target_of(o->target)->btf &&
	       (kernel_asks_for_types(prog->prog) || prog->prog->n_externs);
}

enum kernel_answer case_verdict(const struct case_object *o, struct skep_prog *prog,
				const struct test_case *c, struct text *told)
{
	const struct want *reason = case_wants(c, WANT_REJECT);
	struct skep_diag diag = SKEP_DIAG_INIT;
	bool refuse = is_to_be_rejected(c), judged;
	int err = verify(o, prog, c, &judged, &diag);

	if (lacks_types(o, prog))
		return KERNEL_NOT_ASKED;
	if (!judged || !err == refuse) {
		tell_verdict(told, refuse, &diag);
		return KERNEL_DIFFERS;
	}
	if (!refuse || !reason ||
	    (!strcmp(skep_diag_name(diag.id), reason->name) &&
	     (reason->insn < 0 || reason->insn == diag.insn)))
		return KERNEL_AGREES;
	text_printf(told, "wanted %s at %d\n\tgot    %s at %d (%s)", reason->name,
		    reason->insn, skep_diag_name(diag.id), diag.insn, diag.text);
	return KERNEL_DIFFERS;
}

/* ---- the kernel ---- */

static bool is_wanted_version(const struct case_object *o)
{
	struct utsname host;
	unsigned int major = 0, minor = 0;

	if (uname(&host) || sscanf(host.release, "%u.%u", &major, &minor) != 2)
		return false;
	return target_of(o->target)->version >> 8 == (major << 8 | minor);
}

/* Does Linux let anybody load programs? */
static bool allows_anybody(void)
{
	FILE *f = fopen("/proc/sys/kernel/unprivileged_bpf_disabled", "re");
	int c = f ? getc(f) : EOF;

	if (f)
		fclose(f);
	return c == '0';
}

/* What the process may do from now on: of what it is permitted, these capabilities. */
static void set_rights(u64 caps)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(data); i++)
		data[i].effective = data[i].permitted & (u32)(caps >> 32 * i);
	syscall(SYS_capset, &header, data);
}

/* The verdict is in diag, its words in *log (free()). */
static int ask(struct case_object *o, struct skep_prog *prog, const struct test_case *c,
	       char **log, struct skep_diag *diag)
{
	struct kern_verdict verdict = {0};
	struct skep_prog *into;
	int err = 0;

	if (!o->kernel)
		err = kernel_judge_new(o->obj, target_of(o->target), &o->kernel, diag);
	if (!err)
		err = find_target(o, prog, &into, diag);
	if (!err && into)
		err = kernel_judge_load(o->kernel, into, &prog->target_fd, diag);
	if (err)
		return err;
	if (c->unprivileged)
		set_rights(0);
	if (c->no_perfmon)
		set_rights(1ull << CAP_BPF | 1ull << CAP_NET_ADMIN);
	kernel_judge_flags(o->kernel, c->flags);
	err = kernel_judge_prog(o->kernel, prog, KERN_LOG_FAILURE, &verdict, diag);
	set_rights(~0ull);
	*log = verdict.log;
	return err;
}

static bool says(const struct want *own, const struct skep_diag *diag, const char *log)
{
	return !own || own->kernel != KERNEL_REFUSES || strstr(diag->text, own->text) ||
	       (log && strstr(log, own->text));
}

enum kernel_answer case_verdict_of_kernel(struct case_object *o, struct skep_prog *prog,
					  const struct test_case *c, struct text *told)
{
	const struct want *own = case_wants(c, WANT_KERNEL);
	struct skep_diag diag = SKEP_DIAG_INIT;
	enum kernel_answer answer = KERNEL_DIFFERS;
	bool refuse = is_to_be_refused(c);
	char *log = NULL;
	int err;

	if (!is_wanted_version(o) || (c->unprivileged && !allows_anybody()))
		return KERNEL_NOT_ASKED;
	err = ask(o, prog, c, &log, &diag);
	if (err && !(log && log[0]) && (diag.err == -EPERM || diag.err == -EACCES))
		answer = KERNEL_NOT_ASKED; /* not for what the program does */
	else if (!err == refuse)
		tell_verdict(told, refuse, &diag);
	else if (err && !says(own, &diag, log))
		text_printf(told, "wanted in Linux' reason: %s\n\tgot    %s", own->text,
			    diag.text);
	else
		answer = KERNEL_AGREES;
	free(log);
	return answer;
}
