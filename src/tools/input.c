/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program is run on.  The command line is walked once; a capture is open only
 * while it is read.
 */
#include "tools/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "tools/hex.h"

void inputs_init(struct inputs *in, const struct args *args, struct input_options options)
{
	*in = (struct inputs){.args = args, .options = options};
}

void inputs_fini(struct inputs *in)
{
	capture_close(in->capture);
	free(in->bytes);
}

int inputs_progress(const struct inputs *in)
{
	return in->capture ? capture_progress(in->capture) : -1;
}

/* The next option that names an input, or NULL. */
static const struct given *next_given(struct inputs *in)
{
	while (in->cursor < in->args->given.len) {
		const struct given *given = vec_at(&in->args->given, in->cursor++);

		if (given->option == in->options.pcap ||
		    given->option == in->options.packet)
			return given;
	}
	return NULL;
}

static int from_hex(struct inputs *in, const char *hex, struct input *input,
		    struct skep_diag *diag)
{
	const char *bad;
	size_t len;

	free(in->bytes);
	in->bytes = hex_parse(hex, strlen(hex), &len, &bad);
	if (!in->bytes && !bad)
		return fail(diag, NO_MEMORY, NO_PC);
	if (!in->bytes)
		return diag_in(diag, fail(diag, BAD_HEX, NO_PC, (int)(bad - hex) + 1),
			       "--packet");
	*input = (struct input){.packet = {.data = in->bytes,
					   .len = (u32)len,
					   .wire_len = (u32)len,
					   .number = in->packets + 1}};
	return 1;
}

/* 0: the capture ended. */
static int from_capture(struct inputs *in, struct input *input, struct skep_diag *diag)
{
	int got = capture_next(in->capture, &input->packet, diag);

	if (got == 1) {
		input->captured = true;
		input->raw_ip = capture_link(in->capture) == CAPTURE_RAW_IP;
		input->path = in->path;
		return 1;
	}
	in->skipped += capture_skipped(in->capture);
	capture_close(in->capture);
	in->capture = NULL;
	return got;
}

int inputs_next(struct inputs *in, struct input *input, struct skep_diag *diag)
{
	const struct given *given;
	int got = 0;

	*input = (struct input){0};
	while (!got) {
		if (in->capture) {
			got = from_capture(in, input, diag);
			continue;
		}
		given = next_given(in);
		if (!given)
			return 0;
		in->path = given->values[0];
		if (given->option == in->options.packet)
			got = from_hex(in, in->path, input, diag);
		else
			got = capture_open(in->path, &in->capture, diag);
	}
	in->packets += got == 1;
	return got;
}
