/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reasons of base/reasons.def as an enumeration that continues that of diag.def, and
 * their formats, so that the compiler checks the arguments of reject().  For src/verify
 * and who tells apart what it says.
 */
#ifndef SKEP_VERIFY_REASONS_H
#define SKEP_VERIFY_REASONS_H

#include "base/diag.h"

enum reason_id {
	REASON_NONE = DIAG_REASONS,
#define V(id, err, text, advice) REASON_##id,
#include "base/reasons.def"
#undef V
	REASON_IDS
};

#define V(id, err, text, advice) static const char reason_text_##id[] __attribute__((unused)) = text;
#include "base/reasons.def"
#undef V

#endif
