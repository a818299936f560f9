/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that the compiler does not know.
 */
#include "exec/jit/compile.h"

const struct machine *host_machine(u32 *features)
{
	if (features)
		*features = 0;
	return NULL;
}
