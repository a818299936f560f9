/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explanation of a rejection as JSON, part by part, so that editors can show each
 * step at its line.
 */
#include "tools/story.h"

#include "prog/prog.h"
#include "verify/explain.h"

static void put(struct json *j, const char *key, const char *s)
{
	if (s)
		json_string(j, key, s);
}

static void put_strings(struct json *j, const char *key, const char *const *strings,
			u32 n)
{
	if (!n)
		return;
	json_array(j, key);
	for (u32 i = 0; i < n; i++)
		json_string(j, NULL, strings[i]);
	json_array_end(j);
}

static void put_step(struct json *j, const struct story_step *step,
		     const struct prog *prog)
{
	const struct line_info *line = prog_line(prog, step->insn);

	json_object(j, NULL);
	json_u64(j, "insn", step->insn);
	if (line && line->line) {
		put(j, "file", line->file);
		json_u64(j, "line", line->line);
		put(j, "source", line->text);
	}
	json_string(j, "text", step->text);
	put(j, "state", step->state);
	json_object_end(j);
}

void story_json(struct json *j, const char *key, const struct story *story,
		const struct prog *prog)
{
	json_object(j, key);
	put(j, "function", story->function);
	put(j, "source", story->source);
	put(j, "text", story->insn);
	put(j, "register", story->subject);
	put(j, "state", story->state);
	if (story->n_steps) {
		json_array(j, "path");
		for (u32 i = 0; i < story->n_steps; i++)
			put_step(j, &story->steps[i], prog);
		json_array_end(j);
	}
	put_strings(j, "work", story->lines, story->n_lines);
	put_strings(j, "facts", story->facts, story->n_facts);
	put(j, "advice", story->advice);
	json_object_end(j);
}
