/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep verify: the verdict on each program of an object, one line each, then why programs
 * were rejected.
 *
 * The judge is skep's verifier, for which nothing is loaded anywhere, or the running
 * kernel (judge.c).  Nothing is attached or run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skep/skep.h>

#include "base/diag.h"
#include "load/load.h"
#include "load/target.h"
#include "tools/command.h"
#include "tools/into.h"
#include "tools/json.h"
#include "tools/judge.h"
#include "tools/kconfig.h"
#include "tools/live.h"
#include "tools/options.h"
#include "tools/out.h"
#include "verify/verify.h"

enum verify_option {
	VERIFY_ENGINE,
	VERIFY_PROG,
	VERIFY_ALL,
	VERIFY_INTO,
	VERIFY_LOG,
	VERIFY_LOG_FILE,
	VERIFY_TARGET,
	VERIFY_BTF,
	VERIFY_UNPRIVILEGED,
	VERIFY_FLAG,
	VERIFY_KCONFIG,
	VERIFY_OPTIONS
};

static const struct option_def options[VERIFY_OPTIONS] = {
	[VERIFY_ENGINE] = {"engine", 0, "skep|kernel", "Program",
			   "who judges: skep's own verifier (the default), or the kernel "
			   "that runs, which loads the programs and lets go of them"},
	[VERIFY_PROG] = OPTION_ONLY_PROG("Program"),
	[VERIFY_ALL] = {"all", 'a', NULL, "Program",
			"also the programs of sections that start with ?, which are "
			"loaded only when somebody asks for them"},
	[VERIFY_INTO] = {"into", 0, "OBJECT[:PROGRAM[:FUNCTION]]", "Program",
			 "the program whose function freplace programs replace, or "
			 "fentry and fexit programs look at. Without PROGRAM, the one of "
			 "the object that has the function; FUNCTION is for sections "
			 "that name none. May be given again"},
	[VERIFY_LOG] = {"log", 0, "N", "Output",
			"what the verifier says: 1 for the way to what it rejects, 2 for "
			"every instruction that it looked at. A log of more than a "
			"screen goes to a file"},
	[VERIFY_LOG_FILE] = {"log-file", 0, "FILE", "Output",
			     "write the logs into this file, however short they are"},
	[VERIFY_TARGET] =
		{"target", 't', "NAME", "Target",
		 "the Linux that programs are judged for: linux-6.18, linux-6.12, "
		 "linux-6.1 (the one that runs)"},
	[VERIFY_UNPRIVILEGED] = {"unprivileged", 0, NULL, "Target",
				 "judge as for a user without CAP_BPF and CAP_PERFMON"},
	[VERIFY_FLAG] = {"flag", 0, "NAME", "Target",
			 "judge as when loaded with this flag; may be given again: "
			 "strict_alignment, test_state_freq, test_reg_invariants"},
	[VERIFY_BTF] = OPTION_BTF,
	[VERIFY_KCONFIG] = OPTION_KCONFIG,
};

enum { SCREEN_LINES = 50 };
static const char default_log[] = "skep-verify.log";

static const char *const outcome_names[] = {
	[ACCEPTED] = "accepted",
	[REJECTED] = "rejected",
	[UNSUPPORTED] = "unsupported",
};

/* What is told of a program after all of them were judged. */
struct finding {
	char *object, *prog, *explanation; /* owned; explanation: or NULL */
	struct skep_diag diag;
};

struct verification {
	const struct args *args;
	struct json json;
	struct table table;
	struct vec findings; /* struct finding */
	struct judge_opts how;
	struct skep_target *target; /* owned; made when the first object asks */
	FILE *log_file;             /* owned; NULL until something is written */
	const char *log_path;
	u32 n, n_judged, judged[3];
	bool refused; /* the system refused */
};

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
		    const struct verdict *verdict)
{
	struct number n;

	table_cell(&v->table, "%s", skep_object_name(prog->obj));
	table_cell(&v->table, "%s", skep_prog_name(prog));
	table_cell(&v->table, "%s", skep_prog_type_name(prog));
	table_cell(&v->table, "%s", outcome_names[verdict->outcome]);
	table_cell(&v->table, "%s", grouped(&n, skep_prog_n_insns(prog)));
	if (verdict->insns_processed)
		table_cell(&v->table, "%s", grouped(&n, verdict->insns_processed));
	else
		table_cell(&v->table, "-");
	table_cell(&v->table, "%s", grouped(&n, verdict->time_us));
}

static void put_json(struct verification *v, const struct skep_prog *prog,
		     const struct verdict *verdict, const struct skep_diag *diag)
{
	struct json *j = &v->json;

	json_begin(j);
	json_string(j, "object", skep_object_name(prog->obj));
	json_string(j, "program", skep_prog_name(prog));
	json_string(j, "section", skep_prog_section(prog));
	json_string(j, "type", skep_prog_type_name(prog));
	json_string(j, "verdict", outcome_names[verdict->outcome]);
	json_u64(j, "insns", skep_prog_n_insns(prog));
	if (verdict->insns_processed) {
		json_u64(j, "insns_processed", verdict->insns_processed);
		json_u64(j, "states", verdict->states);
	}
	if (verdict->memory)
		json_u64(j, "memory", verdict->memory);
	json_u64(j, "time_us", verdict->time_us);
	if (verdict->outcome != ACCEPTED) {
		json_string(j, "reason", skep_diag_name(diag->id));
		json_string(j, "message", diag->text);
		if (diag->insn >= 0)
			json_s64(j, "insn", diag->insn);
		if (diag->line) {
			json_string(j, "file", diag->file);
			json_s64(j, "line", diag->line);
		}
		if (verdict->explanation_json)
			json_raw(j, "explanation", verdict->explanation_json);
	}
	json_end(j);
}

static void keep_finding(struct verification *v, const struct skep_prog *prog,
			 const struct skep_diag *diag, const char *explanation)
{
	struct finding *f = vec_push(&v->findings);

	if (!f)
		return;
	f->object = strdup(skep_object_name(prog->obj));
	f->prog = strdup(skep_prog_name(prog));
	f->explanation = explanation ? strdup(explanation) : NULL;
	f->diag = *diag;
}

static void judge(struct verification *v, struct judge *judge, struct skep_prog *prog)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct verdict verdict;
	int err = judge_prog(judge, prog, &verdict, &diag);

	v->judged[verdict.outcome]++;
	v->n_judged++;
	v->refused |= err == -EPERM && verdict.outcome == UNSUPPORTED;
	if (v->args->json)
		put_json(v, prog, &verdict, &diag);
	else
		put_row(v, prog, &verdict);
	if (err)
		keep_finding(v, prog, &diag, verdict.explanation);
	if (verdict.log && *verdict.log &&
	    (args_has(v->args, VERIFY_LOG) || args_has(v->args, VERIFY_LOG_FILE)))
		put_log(v, prog, verdict.log);
	verdict_fini(&verdict);
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
			struct skep_diag *diag)
{
	struct judge *j;
	int err = judge_new(obj, v->target, &v->how, &j, diag);

	if (err)
		return refuse(diag, EXIT_SYSTEM);
	for (u32 i = 0; i < obj->n_progs; i++) {
		if (!obj->progs[i].unwanted)
			judge(v, j, &obj->progs[i]);
	}
	judge_free(j);
	return EXIT_OK;
}

/* One for all objects: reading the types of a kernel takes longer than most verdicts. */
static int need_target(struct verification *v, struct skep_diag *diag)
{
	if (v->target)
		return 0;
	return skep_target_new(args_value(v->args, VERIFY_TARGET),
			       args_value(v->args, VERIFY_BTF), &v->target, diag);
}

static int verify_opened(struct verification *v, struct skep_object *obj)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	u32 n = choose(v, obj);

	v->n += n;
	if (!n)
		return EXIT_OK;
	if (need_target(v, &diag))
		return refuse(&diag, EXIT_INPUT);
	return judge_object(v, obj, &diag);
}

static int verify_object(struct verification *v, const char *path)
{
	struct skep_object_opts opts = {.engine = v->how.kernel ? "kernel" : "checked"};
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
		if (f->explanation)
			put_clean(stdout, f->explanation, true);
		else if (f->diag.advice)
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
	if (!v->args->json && !v->n_judged)
		table_fini(&v->table);
	else if (!v->args->json) {
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

static int read_flags(const struct args *args, u32 *flags)
{
	const struct given *given;
	size_t cursor = 0;

	while ((given = args_next(args, VERIFY_FLAG, &cursor))) {
		u32 flag = verify_flag(given->values[0]);

		if (!flag)
			return args_refuse(args,
					   "no flag is called %s: strict_alignment, "
					   "test_state_freq or test_reg_invariants",
					   given->values[0]);
		*flags |= flag;
	}
	return EXIT_OK;
}

static int read_options(const struct args *args, struct judge_opts *how)
{
	const char *engine = args_value(args, VERIFY_ENGINE);
	u64 n = 0;
	int status = args_number(args, VERIFY_LOG, 2, &n);

	how->log = (u32)n;
	how->unprivileged = args_has(args, VERIFY_UNPRIVILEGED);
	how->kernel = engine && !strcmp(engine, "kernel");
	status = status ? status : read_flags(args, &how->flags);
	if (status)
		return status;
	if (engine && !how->kernel && strcmp(engine, "skep") != 0)
		return args_refuse(args, "no verifier is called %s: skep or kernel",
				   engine);
	if (how->kernel && (how->unprivileged || args_has(args, VERIFY_TARGET)))
		return args_refuse(args,
				   "--engine kernel judges for the kernel that runs, "
				   "with the rights that you have");
	return EXIT_OK;
}

/* What programs attach to. */
static int read_into(const struct args *args, struct judge_opts *how)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	const struct given *given;
	size_t cursor = 0;
	int err = 0;

	if (args_has(args, VERIFY_INTO))
		err = into_new(how->kernel, &how->into, &diag);
	while (!err && (given = args_next(args, VERIFY_INTO, &cursor)))
		err = into_add(how->into, given->values[0], &diag);
	return err ? refuse(&diag, EXIT_INPUT) : EXIT_OK;
}

static int run(const struct args *args)
{
	static const char *const heads[] = {"OBJECT", "PROGRAM",    "TYPE", "VERDICT",
					    ">INSNS", ">PROCESSED", ">US",  NULL};
	struct verification v = {.args = args,
				 .json = JSON_INIT,
				 .findings = VEC_INIT(struct finding),
				 .log_path = default_log};
	int status = read_options(args, &v.how);

	if (!status)
		status = read_into(args, &v.how);
	if (status) {
		into_free(v.how.into);
		return status;
	}
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
		free(((struct finding *)vec_at(&v.findings, i))->explanation);
	}
	vec_fini(&v.findings);
	into_free(v.how.into);
	skep_target_free(v.target);
	if (v.log_file)
		fclose(v.log_file);
	json_fini(&v.json);
	return status;
}

static const struct example examples[] = {
	{"skep verify firewall.bpf.o", "does the kernel that runs accept its programs?"},
	{"skep verify firewall.bpf.o --target linux-6.1", "would Linux 6.1?"},
	{"skep verify *.bpf.o --json", "for a script: one line a program"},
	{"skep verify agent.bpf.o --prog on_exec --log 2 --log-file why.txt",
	 "all that the verifier says about one program"},
	{"skep verify mend.bpf.o --into firewall.bpf.o",
	 "may its freplace programs take the place of functions of the firewall?"},
};

const struct command command_verify = {
	.name = "verify",
	.operands = "OBJECT...",
	.summary = "Linux's verdict on each program",
	.text = "Tells of each program of each object whether the verifier of Linux "
		"accepts "
		"it, and if not, why: what happened, at which line of the source, how "
		"the "
		"program came there, and what to do.  skep judges itself, as any user "
		"and on "
		"any machine, for the version of Linux that --target names and the types "
		"that --btf has.  With --engine kernel the programs are loaded into the "
		"kernel that runs, judged there, and let go of again.  Nothing is "
		"attached "
		"or run.  Programs are judged one by one: one that is rejected does not "
		"keep "
		"others from being judged.\n\n"
		"A program is unsupported when nobody could judge it: it needs types of "
		"the "
		"kernel and there are none, a function or a hook that the target does "
		"not "
		"have, or (--engine kernel) a privilege.\n\n"
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
