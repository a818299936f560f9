/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU that we run on, and what it has beside the instructions of 2003.  None of that
 * needs anything of the operating system: no state is added.
 */
#include <cpuid.h>

#include "exec/jit/compile.h"
#include "exec/jit/x86_64/x86.h"

enum {
	LEAF1_ECX_MOVBE = 1 << 22,
	LEAF_EXTENDED = 0x80000001,
	EXTENDED_ECX_LZCNT = 1 << 5,
};

/* What the third level of x86-64 has, all of it. */
static bool is_v3(void)
{
#if defined(__clang__) && __clang_major__ < 19
	return false; /* it cannot ask */
#else
	return __builtin_cpu_supports("x86-64-v3");
#endif
}

/* CPUID takes microseconds under a hypervisor.  The compiler's runtime asked already when
 * the process started, where it does not know of MOVBE alone. */
static u32 cpu_features(void)
{
	u32 eax, ebx, ecx = 0, edx, features = 0;

	if (is_v3())
		return X86_BMI1 | X86_BMI2 | X86_MOVBE | X86_POPCNT | X86_LZCNT;
	if (__builtin_cpu_supports("bmi"))
		features |= X86_BMI1;
	if (__builtin_cpu_supports("popcnt"))
		features |= X86_POPCNT;
	if (!__builtin_cpu_supports("bmi2"))
		return features;
	__cpuid(1, eax, ebx, ecx, edx);
	features |= X86_BMI2 | (ecx & LEAF1_ECX_MOVBE ? X86_MOVBE : 0);
	__cpuid(LEAF_EXTENDED, eax, ebx, ecx, edx);
	(void)eax, (void)ebx, (void)edx;
	return features | (ecx & EXTENDED_ECX_LZCNT ? X86_LZCNT : 0);
}

const struct machine *host_machine(u32 *features)
{
	if (features)
		*features = cpu_features();
	return &machine_x86_64;
}
