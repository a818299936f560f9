/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fuzz target is one function that takes bytes nobody vouches for.  Whatever they are,
 * it returns 0: crashes, leaks and undefined behaviour are for the sanitizers to see, and
 * EXPECT is for what must be true of them.
 *
 * libFuzzer calls it (make fuzz), or replay.c (make check).
 */
#ifndef SKEP_TESTS_FUZZ_H
#define SKEP_TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define EXPECT(x)                                                                        \
	do {                                                                             \
		if (x)                                                                   \
			break;                                                           \
		fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x);        \
		abort();                                                                 \
	} while (0)

#endif
