/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and numbers of program types, attach types and map types.  The rows are sorted by
 * number; tests/abi compares them with <linux/bpf.h>.
 */
#include <string.h>
#include <strings.h>

#include "abi/abi.h"

/* The constants' names in small letters, by the compiler. */
enum { NAME_SIZE = 32 };
#define AT(s, i)    ((i) < sizeof(s) ? (s)[(i) < sizeof(s) ? (i) : 0] : 0)
#define LOW(s, i)   (AT(s, i) >= 'A' && AT(s, i) <= 'Z' ? AT(s, i) + 32 : AT(s, i))
#define LOW4(s, i)  LOW(s, i), LOW(s, i + 1), LOW(s, i + 2), LOW(s, i + 3)
#define LOW16(s, i) LOW4(s, i), LOW4(s, i + 4), LOW4(s, i + 8), LOW4(s, i + 12)
#define LOWER(s)                                                                         \
	{                                                                                \
		LOW16(s, 0), LOW16(s, 16)                                                \
	}

static const char prog_names[][NAME_SIZE] = {
#define P(name, number, ...) [number] = LOWER(#name),
#include "abi/prog_types.def"
#undef P
};
static const char attach_names[][NAME_SIZE] = {
#define A(name, number, ...) [number] = LOWER(#name),
#include "abi/attach_types.def"
#undef A
};
static const char map_names[][NAME_SIZE] = {
#define T(name, number, ...) [number] = LOWER(#name),
#include "abi/map_types.def"
#undef T
};

static const struct abi_name prog_types[] = {
#define P(name, number, major, minor)                                                    \
	[number] = {prog_names[number], number, ABI_LINUX(major, minor)},
#include "abi/prog_types.def"
#undef P
};
static const struct abi_name attach_types[] = {
#define A(name, number, major, minor)                                                    \
	[number] = {attach_names[number], number, ABI_LINUX(major, minor)},
#include "abi/attach_types.def"
#undef A
};
static const struct abi_name map_types[] = {
#define T(name, number, major, minor, ...)                                               \
	[number] = {map_names[number], number, ABI_LINUX(major, minor)},
#include "abi/map_types.def"
#undef T
};

struct table {
	const struct abi_name *rows;
	u32 n;
	const char *prefix; /* of Linux's own constants; people may write it */
};

static const struct table prog_table = {prog_types, ARRAY_SIZE(prog_types),
					"BPF_PROG_TYPE_"};
static const struct table attach_table = {attach_types, ARRAY_SIZE(attach_types), "BPF_"};
static const struct table map_table = {map_types, ARRAY_SIZE(map_types), "BPF_MAP_TYPE_"};

static const struct abi_name *at(const struct table *table, u32 number)
{
	if (number >= table->n || !table->rows[number].name)
		return NULL;
	return &table->rows[number];
}

static const struct abi_name *find(const struct table *table, const char *name)
{
	size_t len = strlen(table->prefix);

	if (!strncasecmp(name, table->prefix, len))
		name += len;
	for (u32 i = 0; i < table->n; i++) {
		if (table->rows[i].name && !strcasecmp(table->rows[i].name, name))
			return &table->rows[i];
	}
	return NULL;
}

const struct abi_name *abi_prog_type(u32 number)
{
	return at(&prog_table, number);
}

const struct abi_name *abi_find_prog_type(const char *name)
{
	return find(&prog_table, name);
}

const struct abi_name *abi_attach_type(u32 number)
{
	return at(&attach_table, number);
}

const struct abi_name *abi_find_attach_type(const char *name)
{
	return find(&attach_table, name);
}

const struct abi_name *abi_map_type(u32 number)
{
	return at(&map_table, number);
}

const struct abi_name *abi_find_map_type(const char *name)
{
	return find(&map_table, name);
}
