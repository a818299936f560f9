/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON text stepped through: strings and their escapes, depth of brackets, numbers. */
#include "bench.h"

struct totals {
	u32 strings, numbers, deepest;
};

INLINE u64 end_of_string(const u8 *text, u64 n, u64 at)
{
	for (at++; at < n && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at;
}

INLINE int is_number(u8 c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '.' || c == 'e';
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u8 *text = mem;
	struct totals totals = {};
	u64 n = input_size(len);
	u32 depth = 0;

	for (u64 at = 0; at < n; at++) {
		u8 c = text[at];

		if (c == '"') {
			at = end_of_string(text, n, at);
			totals.strings++;
		} else if (c == '{' || c == '[') {
			depth++;
			if (depth > totals.deepest)
				totals.deepest = depth;
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (is_number(c)) {
			while (at + 1 < n && is_number(text[at + 1]))
				at++;
			totals.numbers++;
		}
	}
	return (u64)totals.strings << 32 | totals.numbers << 8 | totals.deepest;
}

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	static const char record[] = "{\"name\":\"queen \\\"bee\\\" "
				     "7\",\"load\":[1,-22,3.5e3],\"up\":{\"days\":12}},";
	u8 *text = mem;

	for (u64 at = 0; at < input_size(len); at++)
		text[at] = at ? record[(at - 1) % (sizeof(record) - 1)] : '[';
}
#endif
