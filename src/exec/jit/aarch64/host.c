/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running on aarch64: which extensions the CPU has, as Linux tells them.
 */
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include "exec/jit/aarch64/a64.h"
#include "exec/jit/compile.h"

const struct machine *host_machine(u32 *features)
{
	if (features)
		*features = getauxval(AT_HWCAP) & HWCAP_ATOMICS ? A64_HAS_LSE : 0;
	return &machine_aarch64;
}
