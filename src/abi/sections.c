/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of sections: from "fentry.s/vfs_read" to a program type, and from a typo to
 * the name that was meant.  Longer names win: "xdp.frags/devmap" is not "xdp.frags".
 */
#include <string.h>

#include "abi/abi.h"

enum { TARGET = 1, SLEEPABLE = 2, FRAGS = 4, NEEDS_BTF = 8, LOOSE = 16 };
#define NO_ATTACH   0x10000u /* no number of Linux */
#define ATTACH_NONE NO_ATTACH

static const struct abi_section sections[] = {
#define S(text, prog, at, flags)                                                         \
	{                                                                                \
		.name = (text),                                                          \
		.prog_type = PROG_TYPE_##prog,                                           \
		.attach_type = (u32)ATTACH_##at % NO_ATTACH,                             \
		.target = ((flags)&TARGET) != 0,                                         \
		.sleepable = ((flags)&SLEEPABLE) != 0,                                   \
		.frags = ((flags)&FRAGS) != 0,                                           \
		.needs_btf = ((flags)&NEEDS_BTF) != 0,                                   \
		.attach = (u32)ATTACH_##at != NO_ATTACH,                                 \
		.loose = ((flags)&LOOSE) != 0,                                           \
	},
#include "abi/sections.def"
#undef S
};

/* How much of the name a row explains; 0: the row is not about it. */
static size_t explains(const struct abi_section *row, const char *section)
{
	size_t len = strlen(row->name);

	if (strncmp(section, row->name, len) != 0)
		return 0;
	/* A slash and more is taken for every name: who wrote it meant that type. */
	if (!section[len] || section[len] == '/')
		return 2 * len + 1;
	return row->loose && strspn(section + len, "0123456789_-.") ? 2 * len : 0;
}

const struct abi_section *abi_find_section(const char *section, const char **target)
{
	const struct abi_section *best = NULL;
	size_t most = 0;

	for (u32 i = 0; i < ARRAY_SIZE(sections); i++) {
		size_t n = explains(&sections[i], section);

		if (n > most) {
			most = n;
			best = &sections[i];
		}
	}
	*target = NULL;
	if (best && section[strlen(best->name)] == '/')
		*target = section + strlen(best->name) + 1;
	return best;
}

const struct abi_section *abi_section_of(u32 attach_type)
{
	for (u32 i = 0; i < ARRAY_SIZE(sections); i++)
		if (sections[i].attach && sections[i].attach_type == attach_type)
			return &sections[i];
	return NULL;
}

/* ---- typos ---- */

enum { MAX_NAME = 40 };

/* How many letters must be changed, added, left out or swapped. */
static u32 distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	u32 rows[3][MAX_NAME + 1];

	for (u32 j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (u32 i = 1; i <= a_len; i++) {
		u32 *row = rows[i % 3];
		const u32 *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = i;
		for (u32 j = 1; j <= b_len; j++) {
			u32 least = up[j - 1] + (a[i - 1] != b[j - 1]);

			least = up[j] + 1 < least ? up[j] + 1 : least;
			least = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && up2[j - 2] + 1 < least)
				least = up2[j - 2] + 1;
			row[j] = least;
		}
	}
	return rows[a_len % 3][b_len];
}

const char *abi_nearest_section(const char *section)
{
	size_t whole = strlen(section), head = strcspn(section, "/");
	const char *best = NULL;
	u32 least = UINT32_MAX;

	for (u32 i = 0; i < ARRAY_SIZE(sections); i++) {
		const char *name = sections[i].name;
		size_t len = strchr(name, '/') ? whole : head;

		if (len > MAX_NAME)
			continue;
		u32 d = distance(section, len, name, strlen(name));
		if (d < least) {
			least = d;
			best = name;
		}
	}
	/* Of short names few letters may be wrong, or everything looks like "tc". */
	return best && least <= strlen(best) / 3 && least <= 3 ? best : NULL;
}
