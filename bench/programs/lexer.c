/* SPDX-License-Identifier: BSD-2-Clause */
/* A state machine over text: names, numbers, strings, comments, one byte a step. */
#include "bench.h"

enum { BYTES = 3072 };
enum state { BLANK, NAME, NUMBER, STRING, ESCAPE, SLASH, COMMENT, STATES };

INLINE int is_letter(u8 c)
{
	return (c | 32) - 'a' < 26u || c == '_';
}

INLINE enum state start(u8 c)
{
	if (is_letter(c))
		return NAME;
	if (c - '0' < 10u)
		return NUMBER;
	return c == '"' ? STRING : c == '/' ? SLASH : BLANK;
}

INLINE enum state next(enum state state, u8 c)
{
	switch (state) {
	case NAME: return is_letter(c) || c - '0' < 10u ? NAME : start(c);
	case NUMBER: return c - '0' < 10u || (c | 32) == 'x' ? NUMBER : start(c);
	case STRING: return c == '\\' ? ESCAPE : c == '"' ? BLANK : STRING;
	case ESCAPE: return STRING;
	case SLASH: return c == '/' ? COMMENT : start(c);
	case COMMENT: return c == '\n' ? BLANK : COMMENT;
	case BLANK:
	case STATES: break;
	}
	return start(c);
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *text = mem;
	u32 *count = scratch(mem, len);
	enum state state = BLANK;
	u64 sum = 0;

	for (u32 i = 0; i < STATES; i++)
		count[i] = 0;
	for (u32 i = 0; i < BYTES; i++) {
		enum state was = state;

		state = next(state, text[i]);
		count[state] += state != was;
	}
	for (u32 i = 0; i < STATES; i++)
		sum = mix(sum, count[i]);
	return sum;
}

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	static const char text[] = "if (count_7 < 0x1f) // too few\n"
				   "\tputs(\"a \\\"word\\\"\"), x1 = y / 24 + 1000;\n";
	u8 *out = mem;

	for (u64 i = 0; i < input_size(len); i++) {
		u32 odd = out[i] % 41; /* random */

		out[i] = odd == 40 ? '/' : text[i % (sizeof(text) - 1)];
	}
}
#endif
