/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cases of building and of passes: a case as in cases/exec, which run_cases runs, then,
 * for some, what becomes of the program.
 *
 *	cases [-u] FILE.case...
 *
 * Behind a line "-- built", "-- after passes", "-- built, calls kept", "-- verified,
 * after passes" (with what the verifier says of jumps) or "-- time limited, after passes"
 * stands the listing (ir_print) of all functions.  -u writes into the files what comes
 * out, for cases whose lines stand there but are no longer, or not yet, right: read it
 * before you commit it.
 */
#include <skep/diag.h>
#include <string.h>

#include "base/text.h"
#include "check.h"
#include "opt/listing.h"

static const struct {
	const char *line;
	struct compile_how how;
} stages[] = {
	{"-- built\n", {0}},
	{"-- after passes\n", {.passes = true}},
	{"-- built, calls kept\n", {.keep_calls = true}},
	{"-- verified, after passes\n", {.passes = true, .verified = true}},
	{"-- time limited, after passes\n", {.passes = true, .time_limit = true}},
};

static bool read_file(const char *path, struct text *out)
{
	FILE *f = fopen(path, "r");
	char buf[4096];
	size_t n;

	while (f && (n = fread(buf, 1, sizeof(buf), f)))
		text_write(out, buf, n);
	if (f)
		fclose(f);
	return f && !text_failed(out);
}

static const char *first_stage(const char *text)
{
	const char *first = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(stages); i++) {
		const char *at = strstr(text, stages[i].line);

		if (at && (!first || at < first))
			first = at;
	}
	return first;
}

/* The lines behind the stage's own. */
static bool find_wanted(const char *text, const char *line, struct text *out)
{
	const char *at = strstr(text, line), *end;

	if (!at)
		return false;
	at += strlen(line);
	end = strstr(at, "\n-- ");
	text_write(out, at, end ? (size_t)(end - at) + 1 : strlen(at));
	return true;
}

static void try_stage(const char *path, const char *text, u32 stage, struct text *made)
{
	struct text wanted = TEXT_INIT, got = TEXT_INIT;

	if (find_wanted(text, stages[stage].line, &wanted)) {
		bool good = listing_of_file(path, &stages[stage].how, &got);

		text_printf(made, "%s%s", stages[stage].line, text_str(&got));
		if (!CHECK(good && !strcmp(text_str(&got), text_str(&wanted))))
			fprintf(stderr, "%s, %swanted:\n%s\ngot:\n%s\n", path,
				stages[stage].line + 3, text_str(&wanted),
				text_str(&got));
	}
	text_fini(&wanted);
	text_fini(&got);
}

static void write_back(const char *path, const struct text *made)
{
	FILE *f = fopen(path, "w");

	if (!CHECK(f))
		return;
	CHECK(fwrite(text_str(made), 1, made->len, f) == made->len);
	fclose(f);
}

static void try_case(const char *path, bool update)
{
	struct text text = TEXT_INIT, made = TEXT_INIT;
	const char *rest = NULL;

	if (CHECK(read_file(path, &text)))
		rest = first_stage(text_str(&text));
	if (rest) {
		text_write(&made, text.s, (size_t)(rest - text.s));
		for (u32 i = 0; i < ARRAY_SIZE(stages); i++)
			try_stage(path, text_str(&text), i, &made);
	}
	if (rest && update)
		write_back(path, &made);
	text_fini(&text);
	text_fini(&made);
}

int main(int argc, char **argv)
{
	bool update = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-u"))
			update = true;
		else
			try_case(argv[i], update);
	}
	return check_report();
}
