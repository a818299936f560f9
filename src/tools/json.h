/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON, one object a line, written as it is known.
 *
 * Commas and quotes are kept here so that callers only name keys and values.  What comes
 * out is always valid: strings are made UTF-8, an object that was begun is closed.  Never
 * does: reading.  For src/tools.
 */
#ifndef SKEP_TOOLS_JSON_H
#define SKEP_TOOLS_JSON_H

#include "base/text.h"

struct json {
	struct text text; /* owned */
	bool comma;       /* the next value of this level needs one before it */
};

#define JSON_INIT                                                                        \
	{                                                                                \
		.text = TEXT_INIT                                                        \
	}

/* A value in an array or after a key; key NULL: in an array. */
void json_string(struct json *j, const char *key, const char *s);
void json_bytes(struct json *j, const char *key, const void *s, size_t len);
void json_hex(struct json *j, const char *key, const void *data, size_t len);
void json_u64(struct json *j, const char *key, u64 n);
void json_s64(struct json *j, const char *key, s64 n);
void json_fixed(struct json *j, const char *key, double n); /* one decimal */
void json_bool(struct json *j, const char *key, bool b);
void json_null(struct json *j, const char *key);

/* Text that is JSON already. */
void json_raw(struct json *j, const char *key, const char *value);

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

/* A line of standard output. */
void json_begin(struct json *j);
void json_end(struct json *j); /* prints it; empty again, memory kept */
void json_fini(struct json *j);

#endif
