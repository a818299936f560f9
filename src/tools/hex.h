/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes as people write them: "45 00 00:54", "0x4500", whatever their separators.  For
 * src/tools.
 */
#ifndef SKEP_TOOLS_HEX_H
#define SKEP_TOOLS_HEX_H

#include "base/types.h"

/* Owned by the caller, free() it; NULL with *bad pointing to what is no hex digit (or to
 * the end, when a digit is missing), or with *bad NULL when memory was out. */
u8 *hex_parse(const char *text, size_t len, size_t *n_bytes, const char **bad);

#endif
