/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of numbers, for people: never NULL where a text is wanted.  For src/tools.
 */
#ifndef SKEP_TOOLS_NAMES_H
#define SKEP_TOOLS_NAMES_H

#include "abi/abi.h"

static inline const char *prog_type_text(u32 type)
{
	const struct abi_name *name = abi_prog_type(type);

	return name ? name->name : "unknown";
}

static inline const char *attach_type_text(u32 type)
{
	const struct abi_name *name = abi_attach_type(type);

	return name ? name->name : "unknown";
}

static inline const char *map_type_text(u32 type)
{
	const struct abi_name *name = abi_map_type(type);

	return name ? name->name : "unknown";
}

/* NULL: no such helper. */
static inline const char *helper_text(u32 number)
{
	const struct abi_helper *helper = abi_helper(number);

	return helper ? helper->name : NULL;
}

#endif
