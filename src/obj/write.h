/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assembled text as an object file: the same sections, symbols, relocations and BTF that
 * a compiler would make, so that skep, libbpf and everybody else can read it.
 */
#ifndef SKEP_OBJ_WRITE_H
#define SKEP_OBJ_WRITE_H

#include "base/bytes.h"

struct arena;
struct asm_unit;
struct skep_diag;

/* The file, in the arena; little-endian.  EINVAL for what an object cannot say, ENOMEM.
 */
int object_write(const struct asm_unit *unit, struct arena *arena, struct bytes *file,
		 struct skep_diag *diag);

#endif
