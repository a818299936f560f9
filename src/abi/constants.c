/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's constants by name, for assembly text and for people.  Names of types are
 * constants, too: BPF_MAP_TYPE_HASH, BPF_PROG_TYPE_XDP, BPF_FUNC_redirect.
 */
#include <string.h>

#include "abi/abi.h"

struct constant {
	const char *name;
	s64 value;
};

static const struct constant constants[] = {
#define N(name, value) {#name, (s64)(value)},
#include "abi/constants.def"
#undef N
};

static bool is_prefix(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static bool find_type(const char *name, s64 *value)
{
	const struct abi_name *type = NULL;
	const struct abi_helper *helper;

	if (is_prefix(name, "BPF_MAP_TYPE_"))
		type = abi_find_map_type(name);
	else if (is_prefix(name, "BPF_PROG_TYPE_"))
		type = abi_find_prog_type(name);
	else if (is_prefix(name, "BPF_FUNC_")) {
		helper = abi_find_helper(name + strlen("BPF_FUNC_"));
		*value = helper ? helper->number : 0;
		return helper;
	}
	*value = type ? type->number : 0;
	return type;
}

bool abi_find_constant(const char *name, s64 *value)
{
	for (u32 i = 0; i < ARRAY_SIZE(constants); i++) {
		if (!strcmp(constants[i].name, name)) {
			*value = constants[i].value;
			return true;
		}
	}
	return find_type(name, value);
}
