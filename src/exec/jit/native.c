/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A blob of native code while it is written: bytes, the places that get addresses, and
 * which code comes from which instruction.  Arrays grow by doubling; when memory runs out
 * the blob is marked failed and takes no more, so that emitters need not look.
 */
#include <stdlib.h>
#include <string.h>

#include "exec/jit/machine.h"

enum { FIRST_BYTES = 4096, FIRST_ROWS = 64 };

/* Room for more of them at the end of an array; false: the blob has failed. */
static bool grow(struct native *n, void **array, u32 *cap, size_t size, u32 need)
{
	u64 want = *cap ? (u64)*cap * 2 : size == 1 ? FIRST_BYTES : FIRST_ROWS;
	void *more;

	while (want < need)
		want *= 2;
	more = n->failed || want > INT32_MAX ? NULL : realloc(*array, want * size);
	if (!more) {
		n->failed = true;
		return false;
	}
	*array = more;
	*cap = (u32)want;
	return true;
}

static u8 *room(struct native *n, u32 bytes)
{
	void *code = n->code;

	if (n->failed)
		return NULL;
	if (n->cap - n->len < bytes) {
		if (!grow(n, &code, &n->cap, 1, n->len + bytes))
			return NULL;
		n->code = code;
	}
	n->len += bytes;
	return n->code + n->len - bytes;
}

u8 *native_room(struct native *n, u32 bytes)
{
	u8 *at = room(n, bytes);

	if (at)
		n->len -= bytes;
	return at;
}

void native_byte(struct native *n, u8 byte)
{
	u8 *at = room(n, 1);

	if (at)
		*at = byte;
}

void native_u32(struct native *n, u32 word)
{
	u8 *at = room(n, sizeof(word));

	if (at)
		memcpy(at, &word, sizeof(word));
}

void native_u64(struct native *n, u64 word)
{
	u8 *at = room(n, sizeof(word));

	if (at)
		memcpy(at, &word, sizeof(word));
}

void native_reloc(struct native *n, const struct native_reloc *reloc)
{
	void *rows = n->relocs;

	if (n->n_relocs == n->cap_relocs) {
		if (!grow(n, &rows, &n->cap_relocs, sizeof(*reloc), n->n_relocs + 1))
			return;
		n->relocs = rows;
	}
	n->relocs[n->n_relocs++] = *reloc;
}

/* Rows of the same instruction, and of no code, are one. */
void native_line(struct native *n, u32 pc)
{
	struct native_line *last = n->n_lines ? &n->lines[n->n_lines - 1] : NULL;
	void *rows = n->lines;

	if (last && last->pc == pc)
		return;
	if (last && last->off == n->len) {
		last->pc = pc;
		return;
	}
	if (n->n_lines == n->cap_lines) {
		if (!grow(n, &rows, &n->cap_lines, sizeof(*n->lines), n->n_lines + 1))
			return;
		n->lines = rows;
	}
	n->lines[n->n_lines++] = (struct native_line){.off = n->len, .pc = pc};
}

void native_fini(struct native *n)
{
	free(n->code);
	free(n->relocs);
	free(n->lines);
	free(n->functions);
	*n = (struct native){0};
}
