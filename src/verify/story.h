/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files that tell a story share.  For explain*.c.
 */
#ifndef SKEP_VERIFY_STORY_H
#define SKEP_VERIFY_STORY_H

#include "base/text.h"
#include "prog/prog.h"
#include "verify/explain.h"
#include "verify/reasons.h"
#include "verify/slice.h"

/* What kind of trouble it is: which steps matter, what is to be done. */
enum theme {
	THEME_OTHER,
	THEME_NULL,   /* it may be NULL */
	THEME_BOUNDS, /* a number is too large or too small */
	THEME_PACKET, /* too few bytes of the packet were compared */
	THEME_UNINIT, /* it has no value */
	THEME_STACK,  /* bytes of the stack have none */
	THEME_HELD,   /* something was not given back */
	THEME_WORK,   /* too much to look at */
	THEME_LOOP,   /* it never ends */
	THEME_DEPTH,  /* too much stack */
};

struct teller {
	const struct explanation *what;
	struct story *story;
	struct trace trace; /* no steps: there is none */
	struct slice slice;
	enum theme theme;
	s32 reg;      /* concerned; -1: none */
	s32 byte;     /* THEME_STACK: the first one without a value; 0: none */
	s32 size_reg; /* holds the size of the memory that reg points to; -1: none */
	const u64 *work_before; /* [i]: of all instructions before i; explain_work.c */
	const struct reg *was;  /* borrowed from the trace: that register; or NULL */
};

enum theme theme_of(int id); /* of a reason */

/* A copy of what was written, in the story's arena; t is empty afterwards. */
const char *story_keep(struct story *story, struct text *t);
void story_fact(struct story *story, struct text *t);
void story_line(struct story *story, struct text *t);

/* explain_steps.c */
void tell_steps(struct teller *t);
/* explain_facts.c: facts and advice. */
void tell_facts(struct teller *t);
void tell_advice(struct teller *t);
/* explain_work.c */
void tell_work_places(struct teller *t);
void tell_stack_use(struct teller *t);

#endif
