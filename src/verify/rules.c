/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of a version: a comparison a row.  Never does: judge.
 */
#include "verify/rules.h"

#include "abi/abi.h"

void rules_of(u32 version, struct rules *rules)
{
	*rules = (struct rules){
		.version = version,
#define RULE(name, major, minor, what) .name = version >= ABI_LINUX(major, minor),
#include "verify/rules.def"
#undef RULE
	};
}
