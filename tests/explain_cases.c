/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is said of a rejection: each NAME.case beside a NAME.txt, which has the words.
 *
 *	explain-cases [--update] FILE.case...
 *
 * Comments of the assembly stand for the lines of the source; a case without any has no
 * line information.  With --update the files are written as the words are now: read the
 * difference.
 */
#include <skep/diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "base/text.h"
#include "case.h"
#include "target/target.h"
#include "verify/explain.h"

/* ---- lines of the source ---- */

/* What follows the # of that line, or NULL. */
static const char *comment(struct case_built *built, const struct test_case *c, u32 line)
{
	const char *s = c->text;
	size_t len, hash;

	for (u32 i = 1; i < line && s; i++) {
		s = strchr(s, '\n');
		s = s ? s + 1 : NULL;
	}
	if (!s)
		return NULL;
	len = strcspn(s, "\n");
	hash = strcspn(s, "#\n");
	if (hash == len)
		return NULL;
	s += hash + 1;
	len -= hash + 1;
	return arena_strndup(&built->arena, s, len);
}

/* Instructions whose line has no comment belong to the line before. */
static void add_source(struct case_built *built, const struct test_case *c,
		       struct prog *prog)
{
	u32 n = 0;

	for (u32 i = 0; i < prog->n_lines; i++) {
		struct line_info line = prog->lines[i];

		line.text = comment(built, c, line.line);
		if (line.text)
			prog->lines[n++] = line;
	}
	prog->n_lines = n;
	for (u32 i = 0; i < prog->n_subprogs; i++) {
		struct subprog *sub = &prog->subprogs[i];
		bool last = i + 1 == prog->n_subprogs;

		sub->n_insns = (last ? prog->n_insns : sub[1].start) - sub->start;
	}
}

/* ---- one case ---- */

/* By its section, where the case names a hook that no case is run at. */
static void set_type(const struct test_case *c, struct prog *prog)
{
	const char *target;
	const struct abi_section *section =
		c->hook == HOOK_OTHER ? abi_find_section(c->section, &target) : NULL;

	if (!section)
		return;
	prog->type = section->prog_type;
	prog->attach_type = section->attach_type;
	prog->attach_target = target;
}

/* The words; false: it was not rejected. */
static bool explain_prog(const struct prog *prog, bool unprivileged, struct text *out)
{
	const struct target target = {.version = LINUX_DEFAULT};
	const struct verify_opts opts = {.target = &target, .unprivileged = unprivileged};
	struct verify_result result;
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct explanation what = {prog, &opts, &result, &diag};
	int err = verify_prog(prog, &opts, &result, &diag);

	if (err) {
		text_printf(out, "%s at %d\n", skep_diag_name(diag.id), diag.insn);
		explain(&what, out);
	}
	verify_result_fini(&result);
	return err;
}

static bool explain_case(const char *path, struct text *out)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct case_built built = {0};
	struct test_case c;
	bool told = false;

	if (!case_read(&c, path) && !case_build(&c, &built, &diag)) {
		for (u32 i = 0; i < built.unit.n_funcs && !told; i++) {
			if (!built.unit.funcs[i].program)
				continue;
			set_type(&c, &built.progs[i]);
			add_source(&built, &c, &built.progs[i]);
			told = explain_prog(&built.progs[i], c.unprivileged, out);
		}
	}
	if (!told)
		fprintf(stderr, "%s: not rejected: %s\n", path, diag.text);
	case_built_fini(&built);
	case_free(&c);
	return told;
}

static bool is_short(const char *path, const char *s)
{
	u32 lines = 0;
	bool good = true;

	for (; *s; lines++) {
		size_t len = strcspn(s, "\n");

		good &= len < 100;
		s += len + (s[len] != 0);
	}
	good &= lines < EXPLAIN_LINES;
	if (!good)
		fprintf(stderr, "%s: %u lines, or one of more than 99 columns\n", path,
			lines);
	return good;
}

/* ---- what is wanted ---- */

static char *read_whole(const char *path)
{
	FILE *f = fopen(path, "r");
	struct text t = TEXT_INIT;
	char buf[4096];
	size_t n;

	text_puts(&t, "");
	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		text_write(&t, buf, n);
	if (f)
		fclose(f);
	return t.s;
}

static bool write_whole(const char *path, const char *s)
{
	FILE *f = fopen(path, "w");
	bool good = f && fputs(s, f) >= 0;

	return f && !fclose(f) && good;
}

static bool check(const char *path, bool update)
{
	struct text out = TEXT_INIT, wanted = TEXT_INIT;
	bool good = explain_case(path, &out);
	char *want;

	text_printf(&wanted, "%.*s.txt", (int)(strlen(path) - strlen(".case")), path);
	want = read_whole(text_str(&wanted));
	if (good && update) {
		good = write_whole(text_str(&wanted), text_str(&out));
	} else if (good && (!want || strcmp(want, text_str(&out)) != 0)) {
		fprintf(stderr, "%s: wanted\n%s\tgot\n%s\trepeat: explain-cases %s\n",
			path, want ? want : "", text_str(&out), path);
		good = false;
	}
	good = good && is_short(path, text_str(&out));
	free(want);
	text_fini(&out);
	text_fini(&wanted);
	return good;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && !strcmp(argv[1], "--update");
	int failed = 0, n = argc - 1 - update;

	for (int i = 1 + update; i < argc; i++) {
		size_t len = strlen(argv[i]);

		failed += len < 6 || strcmp(argv[i] + len - 5, ".case") != 0 ||
			  !check(argv[i], update);
	}
	printf("explain-cases: %d passed, %d failed\n", n - failed, failed);
	return failed || !n;
}
