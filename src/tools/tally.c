/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runs of a program answered.  Verdicts have names; a socket filter's answer is
 * how many bytes to keep, so that it is counted as KEEP or DROP; other results are
 * numbers.
 */
#include "tools/tally.h"

#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <skep/skep.h>

#include "base/text.h"
#include "tools/json.h"
#include "tools/out.h"

struct tally_row {
	char name[32];
	u64 count;
};

void tally_init(struct tally *t, const struct skep_prog *prog)
{
	*t = (struct tally){.prog = prog, .rows = VEC_INIT(struct tally_row)};
}

void tally_fini(struct tally *t)
{
	vec_fini(&t->rows);
}

static void name_result(const struct tally *t, u64 ret, char *name, size_t size)
{
	const char *verdict = skep_prog_verdict_name(t->prog, ret);

	if (verdict)
		snprintf(name, size, "%s", verdict);
	else if (skep_prog_type(t->prog) == BPF_PROG_TYPE_SOCKET_FILTER)
		snprintf(name, size, "%s", ret ? "KEEP" : "DROP");
	else if (ret >= (u64)-4096)
		snprintf(name, size, "%lld", (long long)ret);
	else
		snprintf(name, size, "%llu", (unsigned long long)ret);
}

static struct tally_row *find_row(struct tally *t, const char *name)
{
	struct tally_row *row;

	for (size_t i = 0; i < t->rows.len; i++) {
		row = vec_at(&t->rows, i);
		if (!strcmp(row->name, name))
			return row;
	}
	if (t->rows.len == TALLY_MAX)
		return find_row(t, "other");
	row = vec_push(&t->rows);
	if (row)
		snprintf(row->name, sizeof(row->name), "%s",
			 t->rows.len == TALLY_MAX ? "other" : name);
	return row;
}

void tally_add(struct tally *t, u64 ret, u32 len, u64 ns)
{
	struct tally_row *row;
	char name[32];

	t->runs++;
	t->ns += ns;
	if (skep_prog_type(t->prog) == BPF_PROG_TYPE_SOCKET_FILTER)
		t->bytes_kept += ret < len ? ret : len;
	name_result(t, ret, name, sizeof(name));
	row = find_row(t, name);
	if (row)
		row->count++;
}

double tally_ns_per_run(const struct tally *t)
{
	return t->runs ? (double)t->ns / (double)t->runs : 0;
}

static int more_first(const void *a, const void *b)
{
	const struct tally_row *ra = a, *rb = b;

	if (ra->count != rb->count)
		return ra->count < rb->count ? 1 : -1;
	return strcmp(ra->name, rb->name);
}

static void sort_rows(struct tally *t)
{
	if (t->rows.len)
		qsort(t->rows.data, t->rows.len, sizeof(struct tally_row), more_first);
}

void tally_print(struct tally *t, struct text *text)
{
	struct number n;

	sort_rows(t);
	for (size_t i = 0; i < t->rows.len; i++) {
		struct tally_row *row = vec_at(&t->rows, i);

		text_printf(text, "%s%s %s", i ? "  " : "", row->name,
			    grouped(&n, row->count));
	}
	if (t->bytes_kept)
		text_printf(text, "  (%s bytes kept)", grouped(&n, t->bytes_kept));
}

void tally_json(struct tally *t, struct json *j)
{
	sort_rows(t);
	json_object(j, "returns");
	for (size_t i = 0; i < t->rows.len; i++) {
		struct tally_row *row = vec_at(&t->rows, i);

		json_u64(j, row->name, row->count);
	}
	json_object_end(j);
	if (skep_prog_type(t->prog) == BPF_PROG_TYPE_SOCKET_FILTER)
		json_u64(j, "bytes_kept", t->bytes_kept);
}
