/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 (FIPS 180-4): has a file changed?  Anybody may include this.
 */
#ifndef SKEP_BASE_SHA256_H
#define SKEP_BASE_SHA256_H

#include "base/types.h"

enum { SHA256_LEN = 32 };

void sha256(const void *data, size_t len, u8 digest[SHA256_LEN]);

#endif
