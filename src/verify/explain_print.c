/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A story as text: short lines, few of them, the most important ones for sure.
 *
 * Never does: find anything out (explain.c).
 */
#include <stdlib.h>
#include <string.h>

#include "verify/listing.h"
#include "verify/story.h"

struct printer {
	const struct story *story;
	const struct explanation *what;
	struct text *out;
	u32 left; /* lines */
	u32 line; /* of the source, shown before */
};

static void put_part(struct printer *p, const char *s, size_t len)
{
	if (!p->left)
		return;
	text_write(p->out, s, len);
	text_puts(p->out, "\n");
	p->left--;
}

/* What is in t becomes one line, cut where it is too long; no letter of UTF-8 is. */
static void put_line(struct printer *p, struct text *t)
{
	const char *s = text_str(t);
	size_t len = t->len;

	if (len > EXPLAIN_COLUMNS) {
		len = EXPLAIN_COLUMNS;
		while (len && ((u8)s[len] & 0xc0) == 0x80)
			len--;
	}
	put_part(p, s, len);
	text_clear(t);
}

/* The same, on as many lines as it needs. */
static void put_paragraph(struct printer *p, struct text *t, size_t indent)
{
	size_t room = EXPLAIN_COLUMNS;

	while (t->len > room) {
		const char *s = text_str(t);
		size_t at = room;
		char *rest;

		while (at > indent && s[at] != ' ')
			at--;
		if (at == indent)
			break;
		rest = strdup(s + at + 1);
		put_part(p, s, at);
		text_clear(t);
		text_pad(t, indent);
		text_puts(t, rest ? rest : "");
		free(rest);
	}
	put_line(p, t);
}

/* The first line of it, without blanks and the like at its end.  Compilers may know lines
 * and not what is there. */
static void put_source_text(struct text *t, const char *source)
{
	size_t len = source ? strcspn(source, "\n") : 0;

	while (len && strchr(" \t\\\r", source[len - 1]))
		len--;
	if (!len)
		return;
	text_puts(t, ": ");
	text_write(t, source, len);
}

static void put_refused(struct printer *p, struct text *t)
{
	const struct story *story = p->story;

	if (story->function) {
		text_printf(t, "  in %s()", story->function);
		put_source_text(t, story->source);
		put_line(p, t);
	}
	if (story->insn) {
		text_printf(t, "  %d: %s", p->what->diag->insn, story->insn);
		put_line(p, t);
	}
	if (story->subject) {
		text_printf(t, "  %s: %s", story->subject, story->state);
		put_paragraph(p, t, 4);
	}
}

static void put_source(struct printer *p, struct text *t, u32 pc)
{
	const struct line_info *line = prog_line(p->what->prog, pc);

	if (!line || !line->line || line->line == p->line || !line->text)
		return;
	p->line = line->line;
	text_printf(t, "    %s:%u", listing_file(p->what->prog, pc), line->line);
	put_source_text(t, listing_source(p->what->prog, pc));
	put_line(p, t);
}

static void put_step(struct printer *p, struct text *t, const struct story_step *step)
{
	enum { STATE_COLUMN = 44 };

	put_source(p, t, step->insn);
	text_printf(t, "    %6u: %s", step->insn, step->text);
	if (step->state) {
		text_pad(t, STATE_COLUMN - 2);
		text_printf(t, "  %s", step->state);
	}
	put_paragraph(p, t, STATE_COLUMN + 2);
}

static void put_list(struct printer *p, struct text *t, const char *head)
{
	text_printf(t, "  %s:", head);
	put_line(p, t);
}

static const char *lines_head(const struct explanation *what)
{
	return theme_of(what->diag->id) == THEME_DEPTH ? "what the functions use most"
						       : "where the work went";
}

/* Lines are kept free for what the path shows, and for what to do. */
void story_print(const struct story *story, const struct explanation *what,
		 struct text *out)
{
	struct printer p = {story, what, out, EXPLAIN_LINES - 4 - story->n_facts, 0};
	struct text t = TEXT_INIT;

	put_refused(&p, &t);
	if (story->n_steps)
		put_list(&p, &t, "how the program came here");
	for (u32 i = 0; i < story->n_steps; i++)
		put_step(&p, &t, &story->steps[i]);
	if (story->n_lines)
		put_list(&p, &t, lines_head(what));
	for (u32 i = 0; i < story->n_lines; i++) {
		text_printf(&t, "    %s", story->lines[i]);
		put_paragraph(&p, &t, 4);
	}
	p.left += story->n_facts;
	for (u32 i = 0; i < story->n_facts; i++) {
		text_printf(&t, "  %s", story->facts[i]);
		put_paragraph(&p, &t, 4);
	}
	p.left += 2;
	if (story->advice) {
		text_printf(&t, "  what to do: %s", story->advice);
		put_paragraph(&p, &t, 4);
	}
	text_fini(&t);
}
