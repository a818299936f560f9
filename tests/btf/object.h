/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A section of an ELF file that clang made a moment ago, for tests of src/btf: it stands
 * before src/obj in the tree and cannot use its reader.  Trusts the file.  Only tests/btf
 * includes this.
 */
#ifndef SKEP_TESTS_BTF_OBJECT_H
#define SKEP_TESTS_BTF_OBJECT_H

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

/* The whole file, owned by the caller; data NULL when it cannot be read. */
static inline struct bytes read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	u8 *data = NULL;
	size_t len = 0, cap = 1 << 16, n;

	if (!f)
		return (struct bytes){0};
	while ((data = realloc(data, cap)) &&
	       (n = fread(data + len, 1, cap - len, f)) > 0) {
		len += n;
		if (len == cap)
			cap *= 2;
	}
	fclose(f);
	return (struct bytes){data, len};
}

/* ELF64: section headers of 64 bytes with name, offset and size at 0, 24 and 32. */
static inline struct bytes find_section(struct bytes file, const char *name)
{
	bool big = file.data[5] == 2;
	const u8 *headers = file.data + load_u64_of(file.data + 40, big);
	u32 n = load_u16_of(file.data + 60, big);
	const u8 *names = headers + 64 * (size_t)load_u16_of(file.data + 62, big);
	u64 strings = load_u64_of(names + 24, big);

	for (u32 i = 0; i < n; i++) {
		const u8 *h = headers + 64 * (size_t)i;

		if (!strcmp((const char *)file.data + strings + load_u32_of(h, big),
			    name))
			return bytes_slice(file, load_u64_of(h + 24, big),
					   load_u64_of(h + 32, big));
	}
	return (struct bytes){0};
}

#endif
