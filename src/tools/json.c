/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON, one object a line.  RFC 8259.
 *
 * A line is built in memory and printed whole, so that a reader never sees half of one.
 * Bytes that are not UTF-8 become U+FFFD: names come from hostile files.
 */
#include "tools/json.h"

#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 sequence at s (RFC 3629: no surrogates, no overlong forms), or 0.
 */
static size_t utf8_len(const u8 *s, size_t left)
{
	static const struct {
		u8 first, last, low, high, len;
	} forms[] = {
		{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t len = forms[i].len;

		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		if (len > left)
			return 0;
		if (len > 1 && (s[1] < forms[i].low || s[1] > forms[i].high))
			return 0;
		for (size_t k = 2; k < len; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		}
		return len;
	}
	return 0;
}

static void put_quoted(struct text *t, const u8 *s, size_t len)
{
	text_puts(t, "\"");
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_len(s + i, len - i);
		if (!n) {
			text_puts(t, "\\ufffd");
			n = 1;
		} else if (s[i] == '"' || s[i] == '\\') {
			text_printf(t, "\\%c", s[i]);
		} else if (s[i] == '\n') {
			text_puts(t, "\\n");
		} else if (s[i] < 0x20 || s[i] == 0x7f) {
			text_printf(t, "\\u%04x", s[i]);
		} else {
			text_write(t, s + i, n);
		}
	}
	text_puts(t, "\"");
}

static void start_value(struct json *j, const char *key)
{
	if (j->comma)
		text_puts(&j->text, ",");
	j->comma = true;
	if (!key)
		return;
	put_quoted(&j->text, (const u8 *)key, strlen(key));
	text_puts(&j->text, ":");
}

void json_bytes(struct json *j, const char *key, const void *s, size_t len)
{
	start_value(j, key);
	put_quoted(&j->text, s, len);
}

void json_string(struct json *j, const char *key, const char *s)
{
	json_bytes(j, key, s, strlen(s));
}

void json_hex(struct json *j, const char *key, const void *data, size_t len)
{
	const u8 *bytes = data;

	start_value(j, key);
	text_puts(&j->text, "\"");
	for (size_t i = 0; i < len; i++)
		text_printf(&j->text, "%02x", bytes[i]);
	text_puts(&j->text, "\"");
}

void json_u64(struct json *j, const char *key, u64 n)
{
	start_value(j, key);
	text_printf(&j->text, "%llu", (unsigned long long)n);
}

void json_s64(struct json *j, const char *key, s64 n)
{
	start_value(j, key);
	text_printf(&j->text, "%lld", (long long)n);
}

void json_fixed(struct json *j, const char *key, double n)
{
	start_value(j, key);
	text_printf(&j->text, "%.1f", n);
}

void json_bool(struct json *j, const char *key, bool b)
{
	start_value(j, key);
	text_puts(&j->text, b ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	start_value(j, key);
	text_puts(&j->text, "null");
}

void json_raw(struct json *j, const char *key, const char *value)
{
	start_value(j, key);
	text_puts(&j->text, value);
}

static void open_level(struct json *j, const char *key, const char *bracket)
{
	start_value(j, key);
	text_puts(&j->text, bracket);
	j->comma = false;
}

static void close_level(struct json *j, const char *bracket)
{
	text_puts(&j->text, bracket);
	j->comma = true;
}

void json_object(struct json *j, const char *key)
{
	open_level(j, key, "{");
}

void json_object_end(struct json *j)
{
	close_level(j, "}");
}

void json_array(struct json *j, const char *key)
{
	open_level(j, key, "[");
}

void json_array_end(struct json *j)
{
	close_level(j, "]");
}

void json_begin(struct json *j)
{
	text_clear(&j->text);
	j->comma = false;
	text_puts(&j->text, "{");
}

void json_end(struct json *j)
{
	text_puts(&j->text, "}\n");
	if (!text_failed(&j->text))
		fwrite(text_str(&j->text), 1, j->text.len, stdout);
	text_clear(&j->text);
}

void json_fini(struct json *j)
{
	text_fini(&j->text);
}
