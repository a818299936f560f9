/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library to put probes into: functions with and without versions, one of them twice,
 * and USDT probes, written out as <sys/sdt.h> would.
 */
#include "target.h"

#define STRING_(x) #x
#define STRING(x)  STRING_(x)

/* What DTRACE_PROBE2() makes of a probe: a nop, and a note that says where it is. */
#define PROBE(name, semaphore, a, b)                                                     \
	__asm__ volatile("990:	nop\n"                                                    \
			 "	.pushsection .note.stapsdt,\"\",\"note\"\n"                   \
			 "	.balign 4\n"                                                  \
			 "	.4byte 992f-991f, 994f-993f, 3\n"                             \
			 "991:	.asciz \"stapsdt\"\n"                                     \
			 "992:	.balign 4\n"                                              \
			 "993:	.8byte 990b\n"                                            \
			 "	.8byte _.stapsdt.base\n"                                      \
			 "	.8byte " STRING(semaphore) "\n"                          \
							   "	.asciz \"skep\"\n"          \
							   "	.asciz \"" name "\"\n"   \
							   "	.asciz \"-4@%0 8@%1\"\n"    \
							   "994:	.balign 4\n"            \
							   "	.popsection\n"              \
			 :                                                               \
			 : "nor"(a), "nor"(b))

__asm__("	.pushsection .stapsdt.base,\"a\",%progbits\n"
	"	.hidden _.stapsdt.base\n"
	"_.stapsdt.base: .space 1\n"
	"	.size _.stapsdt.base, 1\n"
	"	.popsection\n");

__attribute__((visibility("hidden"), used,
	       section(".probes"))) unsigned short target_semaphore = 0;

#define VISIBLE __attribute__((visibility("default"), noinline))

VISIBLE int target_add(int a, int b)
{
	__asm__ volatile("");
	return a + b;
}

VISIBLE int target_add_more(int a)
{
	__asm__ volatile("");
	return a + 1000;
}

int target_version_1(int a);
int target_version_2(int a);

VISIBLE int target_version_1(int a)
{
	__asm__ volatile("");
	return a + 1;
}

VISIBLE int target_version_2(int a)
{
	__asm__ volatile("");
	return a + 2;
}

__asm__(".symver target_version_1, target_versioned@TARGET_1");
__asm__(".symver target_version_2, target_versioned@@TARGET_2");

VISIBLE int target_probe(int a, unsigned long b)
{
	PROBE("plain", 0, a, b);
	return a;
}

/* One probe at two places, counted by a semaphore. */
VISIBLE int target_counted(int a, unsigned long b)
{
	if (target_semaphore) {
		PROBE("counted", target_semaphore, a, b);
		PROBE("counted", target_semaphore, 7, b);
		return 1;
	}
	return 0;
}

typedef int chosen(int);

static int chosen_one(int a)
{
	__asm__ volatile("");
	return a * 3;
}

static chosen *choose(void)
{
	return chosen_one;
}

VISIBLE int target_chosen(int a) __attribute__((ifunc("choose")));

/* A name that was a function once, and is chosen today. */
int target_was_one(int a);
int target_is_chosen(int a);

VISIBLE int target_was_one(int a)
{
	return chosen_one(a);
}

VISIBLE int target_is_chosen(int a) __attribute__((ifunc("choose")));
__asm__(".symver target_was_one, target_changed@TARGET_1");
__asm__(".symver target_is_chosen, target_changed@@TARGET_2");
