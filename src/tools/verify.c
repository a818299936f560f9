/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep verify: the verdict on each program of an object, one line each, then why programs
 * were rejected.
 *
 * The judge is the running kernel.  Nothing is attached or run, and what was loaded is
 * gone when the verdict is known.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skep/skep.h>

#include "base/diag.h"
#include "load/kernel.h"
#include "load/target.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/kconfig.h"
#include "tools/live.h"
#include "tools/out.h"

enum verify_option {
	VERIFY_ENGINE,
	VERIFY_PROG,
	VERIFY_ALL,
	VERIFY_LOG,
	VERIFY_LOG_FILE,
	VERIFY_BTF,
	VERIFY_KCONFIG,
	VERIFY_OPTIONS
};

static const struct option_def options[VERIFY_OPTIONS] = {
	[VERIFY_ENGINE] = {"engine", 0, "kernel", "Program",
			   "who judges: the kernel that runs (the only one so far)"},
	[VERIFY_PROG] = {"prog", 'p', "NAME", "Program",
			 "only this program; may be given again"},
	[VERIFY_ALL] = {"all", 'a', NULL, "Program",
			"also the programs of sections that start with ?, which are "
			"loaded only when somebody asks for them"},
	[VERIFY_LOG] = {"log", 0, "N", "Output",
			"what the verifier says: 1 for the way to what it rejects, 2 for "
			"every instruction that it looked at. A log of more than a "
			"screen goes to a file"},
	[VERIFY_LOG_FILE] = {"log-file", 0, "FILE", "Output",
			     "write the logs into this file, however short they are"},
	[VERIFY_BTF] = {"btf", 0, "FILE", "Target",
			"types of the kernel that programs are fitted to "
			"(/sys/kernel/btf/vmlinux)"},
	[VERIFY_KCONFIG] = {"kconfig", 0, "FILE", "Target",
			    "configuration of the kernel, for externs of .kconfig "
			    "(/boot/config-RELEASE or /proc/config.gz)"},
};

enum { SCREEN_LINES = 50 };
static const char default_log[] = "skep-verify.log";

enum outcome { ACCEPTED, REJECTED, UNSUPPORTED };

static const char *const outcome_names[] = {
	[ACCEPTED] = "accepted",
	[REJECTED] = "rejected",
	[UNSUPPORTED] = "unsupported",
};

/* What is told of a program after all of them were judged. */
struct finding {
	char *object, *prog; /* owned */
	struct skep_diag diag;
};

struct verification {
	const struct args *args;
	struct json json;
	struct table table;
	struct vec findings; /* struct finding */
	enum kern_log_level level;
	FILE *log_file; /* owned; NULL until something is written */
	const char *log_path;
	u32 n, judged[3];
	bool refused; /* the system refused */
};

static enum outcome outcome_of(const struct skep_diag *diag, int err)
{
	if (!err)
		return ACCEPTED;
	return diag->id == DIAG_KERN_REJECTED ? REJECTED : UNSUPPORTED;
}

/* ---- the log ---- */

static u32 count_lines(const char *s)
{
	u32 n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static FILE *open_log(struct verification *v)
{
	if (v->log_file)
		return v->log_file;
	v->log_file = fopen(v->log_path, "we");
	if (!v->log_file)
		say(v->log_path, NULL, "cannot be written: %s", strerror(errno));
	return v->log_file;
}

static void put_log(struct verification *v, const struct skep_prog *prog, const char *log)
{
	bool to_file = args_has(v->args, VERIFY_LOG_FILE) || v->args->json ||
		       count_lines(log) > SCREEN_LINES;
	FILE *f = to_file ? open_log(v) : stdout;

	if (!f)
		return;
	if (f == stdout) {
		put_clean(stdout, log, true);
		return;
	}
	fprintf(f, "== %s: %s\n%s\n", skep_object_name(prog->obj), skep_prog_name(prog),
		log);
}

/* ---- one program ---- */

static void put_row(struct verification *v, const struct skep_prog *prog,
		    const struct kern_verdict *verdict, enum outcome outcome)
{
	struct number n;

	table_cell(&v->table, "%s", skep_object_name(prog->obj));
	table_cell(&v->table, "%s", skep_prog_name(prog));
	table_cell(&v->table, "%s", skep_prog_type_name(prog));
	table_cell(&v->table, "%s", outcome_names[outcome]);
	table_cell(&v->table, "%s", grouped(&n, skep_prog_n_insns(prog)));
	if (verdict->insns_processed)
		table_cell(&v->table, "%s", grouped(&n, verdict->insns_processed));
	else
		table_cell(&v->table, "-");
	table_cell(&v->table, "%s", grouped(&n, verdict->time_us));
}

static void put_json(struct verification *v, const struct skep_prog *prog,
		     const struct kern_verdict *verdict, const struct skep_diag *diag,
		     enum outcome outcome)
{
	struct json *j = &v->json;

	json_begin(j);
	json_string(j, "object", skep_object_name(prog->obj));
	json_string(j, "program", skep_prog_name(prog));
	json_string(j, "section", skep_prog_section(prog));
	json_string(j, "type", skep_prog_type_name(prog));
	json_string(j, "verdict", outcome_names[outcome]);
	json_u64(j, "insns", skep_prog_n_insns(prog));
	if (verdict->insns_processed) {
		json_u64(j, "insns_processed", verdict->insns_processed);
		json_u64(j, "states", verdict->states);
	}
	json_u64(j, "time_us", verdict->time_us);
	if (outcome != ACCEPTED) {
		json_string(j, "reason", skep_diag_name(diag->id));
		json_string(j, "message", diag->text);
		if (diag->insn >= 0)
			json_s64(j, "insn", diag->insn);
		if (diag->line) {
			json_string(j, "file", diag->file);
			json_s64(j, "line", diag->line);
		}
	}
	json_end(j);
}

static void keep_finding(struct verification *v, const struct skep_prog *prog,
			 const struct skep_diag *diag)
{
	struct finding *f = vec_push(&v->findings);

	if (!f)
		return;
	f->object = strdup(skep_object_name(prog->obj));
	f->prog = strdup(skep_prog_name(prog));
	f->diag = *diag;
}

static void judge(struct verification *v, struct kernel_judge *judge,
		  struct skep_prog *prog)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct kern_verdict verdict;
	int err = kernel_judge_prog(judge, prog, v->level, &verdict, &diag);
	enum outcome outcome = outcome_of(&diag, err);

	v->judged[outcome]++;
	v->refused |= err == -EPERM && outcome == UNSUPPORTED;
	if (v->args->json)
		put_json(v, prog, &verdict, &diag, outcome);
	else
		put_row(v, prog, &verdict, outcome);
	if (err)
		keep_finding(v, prog, &diag);
	if (verdict.log && *verdict.log &&
	    (args_has(v->args, VERIFY_LOG) || args_has(v->args, VERIFY_LOG_FILE)))
		put_log(v, prog, verdict.log);
	free(verdict.log);
}

/* ---- one object ---- */

static bool is_named(const struct args *args, const char *name)
{
	const struct given *given;
	size_t cursor = 0;

	while ((given = args_next(args, VERIFY_PROG, &cursor))) {
		if (!strcmp(given->values[0], name))
			return true;
	}
	return false;
}

/* Which programs are judged; how many. */
static u32 choose(const struct verification *v, struct skep_object *obj)
{
	u32 n = 0;

	for (u32 i = 0; i < obj->n_progs; i++) {
		struct skep_prog *prog = &obj->progs[i];

		if (args_has(v->args, VERIFY_PROG))
			prog->unwanted = !is_named(v->args, skep_prog_name(prog));
		else if (args_has(v->args, VERIFY_ALL))
			prog->unwanted = false;
		n += !prog->unwanted;
	}
	return n;
}

static int judge_object(struct verification *v, struct skep_object *obj,
			const struct skep_target *target, struct skep_diag *diag)
{
	struct kernel_judge *j;
	int err = kernel_judge_new(obj, target_of(target), &j, diag);

	if (err)
		return refuse(diag, EXIT_SYSTEM);
	for (u32 i = 0; i < obj->n_progs; i++) {
		if (!obj->progs[i].unwanted)
			judge(v, j, &obj->progs[i]);
	}
	kernel_judge_free(j);
	return EXIT_OK;
}

static int new_target(const struct verification *v, const struct skep_object *obj,
		      struct skep_target **target, struct skep_diag *diag)
{
	const char *btf = args_value(v->args, VERIFY_BTF);

	return btf || load_asks_for_types(obj) ? skep_target_new(NULL, btf, target, diag)
					       : target_new_untyped(target, diag);
}

static int verify_opened(struct verification *v, struct skep_object *obj)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_target *target;
	u32 n = choose(v, obj);
	int status;

	v->n += n;
	if (!n)
		return EXIT_OK;
	if (new_target(v, obj, &target, &diag))
		return refuse(&diag, EXIT_INPUT);
	status = judge_object(v, obj, target, &diag);
	skep_target_free(target);
	return status;
}

static int verify_object(struct verification *v, const char *path)
{
	struct skep_object_opts opts = {.engine = "kernel"};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj;
	char *kconfig;
	int status, err;

	if (kconfig_read(args_value(v->args, VERIFY_KCONFIG), path, &kconfig, &diag))
		return refuse(&diag, EXIT_INPUT);
	opts.name = strcmp(path, "-") ? NULL : "standard input";
	opts.kconfig = kconfig;
	err = skep_object_open(path, &opts, &obj, &diag);
	free(kconfig);
	if (err)
		return refuse(&diag, EXIT_INPUT);
	status = verify_opened(v, obj);
	skep_object_close(obj);
	return status;
}

/* ---- all of it ---- */

static void put_place(const struct finding *f)
{
	const struct skep_diag *d = &f->diag;

	if (d->insn >= 0)
		printf(", instruction %d", d->insn);
	if (d->line) {
		printf(", ");
		put_clean(stdout, d->file, false);
		printf(":%d", d->line);
	}
	printf("\n");
}

static void put_findings(const struct verification *v)
{
	for (size_t i = 0; i < v->findings.len; i++) {
		const struct finding *f = vec_at(&v->findings, i);

		printf("\n%s", style_on(stdout, STYLE_NAME));
		put_clean(stdout, f->object ? f->object : "", false);
		printf(": ");
		put_clean(stdout, f->prog ? f->prog : "", false);
		printf("%s", style_off(stdout));
		put_place(f);
		printf("  ");
		put_clean(stdout, f->diag.text, false);
		printf("\n");
		if (f->diag.advice)
			printf("  %s\n", f->diag.advice);
	}
}

/* The right that kept every program from being judged, or NULL. */
static const struct skep_diag *one_refusal(const struct verification *v)
{
	const struct finding *first = v->findings.len ? vec_at(&v->findings, 0) : NULL;

	if (!first || v->findings.len != v->n || first->diag.id != DIAG_NO_CAPABILITY)
		return NULL;
	for (size_t i = 1; i < v->findings.len; i++) {
		const struct finding *f = vec_at(&v->findings, i);

		if (strcmp(f->diag.text, first->diag.text) != 0)
			return NULL;
	}
	return &first->diag;
}

static int finish(struct verification *v, int status)
{
	const struct skep_diag *denied = one_refusal(v);

	if (denied && !v->args->json) {
		table_fini(&v->table);
		return refuse(denied, EXIT_SYSTEM);
	}
	if (!v->args->json) {
		table_print(&v->table);
		put_findings(v);
	}
	if (v->log_file && (fflush(v->log_file) || ferror(v->log_file)))
		say(v->log_path, NULL, "cannot be written: %s", strerror(errno));
	else if (v->log_file)
		fprintf(stderr, "skep: the log is in %s\n", v->log_path);
	if (!status && args_has(v->args, VERIFY_PROG) && !v->n)
		status = args_refuse(v->args, "no object has such a program");
	else if (!status && !v->n)
		say_warning(NULL, "there are no programs to judge");
	if (status)
		return status;
	if (v->refused)
		return EXIT_SYSTEM;
	return v->judged[REJECTED] + v->judged[UNSUPPORTED] ? EXIT_NO : EXIT_OK;
}

static int read_level(const struct args *args, enum kern_log_level *level)
{
	static const enum kern_log_level levels[] = {KERN_LOG_STATS, KERN_LOG_ALL,
						     KERN_LOG_MORE};
	u64 n = 0;
	int status = args_number(args, VERIFY_LOG, ARRAY_SIZE(levels) - 1, &n);

	if (!status)
		*level = levels[n];
	return status;
}

static int run(const struct args *args)
{
	static const char *const heads[] = {"OBJECT", "PROGRAM",    "TYPE", "VERDICT",
					    ">INSNS", ">PROCESSED", ">US",  NULL};
	struct verification v = {.args = args,
				 .json = JSON_INIT,
				 .findings = VEC_INIT(struct finding),
				 .log_path = default_log};
	int status = read_level(args, &v.level);

	if (status)
		return status;
	if (args_has(args, VERIFY_LOG_FILE))
		v.log_path = args_value(args, VERIFY_LOG_FILE);
	table_init(&v.table, heads, 0);
	for (size_t i = 0; args_operand(args, i); i++) {
		int one = verify_object(&v, args_operand(args, i));

		status = status ? status : one;
	}
	status = finish(&v, status);
	for (size_t i = 0; i < v.findings.len; i++) {
		free(((struct finding *)vec_at(&v.findings, i))->object);
		free(((struct finding *)vec_at(&v.findings, i))->prog);
	}
	vec_fini(&v.findings);
	if (v.log_file)
		fclose(v.log_file);
	json_fini(&v.json);
	return status;
}

static const struct example examples[] = {
	{"skep verify firewall.bpf.o", "does the running kernel accept its programs?"},
	{"skep verify *.bpf.o --json", "for a script: one line a program"},
	{"skep verify agent.bpf.o --prog on_exec --log 2 --log-file why.txt",
	 "all that the verifier says about one program"},
};

const struct command command_verify = {
	.name = "verify",
	.operands = "OBJECT...",
	.summary = "ask the kernel for its verdict on each program",
	.text = "Loads each program of each object into the kernel that runs, tells "
		"whether its verifier accepts it, and lets go of it again; nothing is "
		"attached or run.  Programs are judged one by one: one that is rejected "
		"does not keep others from being judged.\n\n"
		"A program is rejected when the verifier says no, with its reason, the "
		"instruction and the source line.  It is unsupported when it did not "
		"come to that: the kernel lacks a map type, a function or a hook that it "
		"needs, or the user lacks a privilege.\n\n"
		"The exit status is 1 when a program is not accepted, 4 when that was "
		"for "
		"missing privileges.",
	.min_operands = 1,
	.max_operands = 100000,
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = examples,
	.n_examples = ARRAY_SIZE(examples),
	.caps = LIVE_CAPS,
	.run = run,
};
