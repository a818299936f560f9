/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The types of functions that programs without any need, so that their addresses can be
 * taken.  1: int, 2: int (), 3: static 2 "f".  For tests that load programs.
 */
#ifndef SKEP_TESTS_FUNCTION_BTF_H
#define SKEP_TESTS_FUNCTION_BTF_H

#include "base/types.h"

enum { FUNCTION_BTF_FUNC = 3 };

/* <linux/btf.h> and btf/btf.h have structs of one name: tests may want either */
static const struct {
	u16 magic;
	u8 version, flags;
	u32 hdr_len, type_off, type_len, str_off, str_len;
	u32 types[4 + 3 + 3];
	char strings[8];
} function_btf = {
	.magic = 0xeb9f,
	.version = 1,
	.hdr_len = 24,
	.type_len = sizeof(function_btf.types),
	.str_off = sizeof(function_btf.types),
	.str_len = sizeof(function_btf.strings),
	.types = {1, 1 << 24, 4, 1 << 24 | 32, /* int, signed */
		  0, 13 << 24, 1,              /* returns it */
		  5, 12 << 24, 2},
	.strings = "\0int\0f",
};

#endif
