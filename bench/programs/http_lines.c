/* SPDX-License-Identifier: BSD-2-Clause */
/* A state machine over requests, a byte at a time. */
#include "bench.h"

enum { BYTES = 2400 };
enum state { METHOD, PATH, QUERY, VERSION, LINE_FEED, NAME, SPACE, VALUE, END };

#ifndef __bpf__
void prepare(void *mem, u64 len)
{
	static const char text[] =
		"GET /index.html?a=1 HTTP/1.1\r\nHost: example.org\r\n"
		"Accept: */*\r\nX-Long-Header: some value here\r\n\r\n";
	u8 *bytes = mem;

	for (u64 i = 0; i < len / 2; i++)
		bytes[i] = text[i % (sizeof(text) - 1)];
}
#endif

PROGRAM u64 bench(void *mem, u64 len)
{
	const char *bytes = mem;
	enum state state = METHOD;
	u64 requests = 0, headers = 0, values = 0;
	u32 hash = 0;

	(void)len;
	for (u32 i = 0; i < BYTES; i++) {
		char c = bytes[i];

		switch (state) {
		case METHOD: state = c == ' ' ? PATH : METHOD; break;
		case PATH:
			if (c == ' ')
				state = VERSION;
			else if (c == '?')
				state = QUERY;
			else
				hash = 33 * hash + c;
			break;
		case QUERY: state = c == ' ' ? VERSION : QUERY; break;
		case VERSION: state = c == '\r' ? LINE_FEED : VERSION; break;
		case LINE_FEED: state = c == '\n' ? NAME : METHOD; break;
		case NAME:
			if (c == '\r') {
				state = END;
			} else if (c == ':') {
				state = SPACE;
				headers++;
			}
			break;
		case SPACE: state = c == ' ' ? SPACE : VALUE; break;
		case VALUE:
			if (c == '\r')
				state = LINE_FEED;
			else
				values++;
			break;
		case END:
			state = METHOD;
			requests++;
			break;
		}
	}
	return hash ^ requests << 32 ^ headers << 40 ^ values << 48;
}
