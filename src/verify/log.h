/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exploration as text, as it goes, in the form of the kernel's log: instructions with
 * the registers they changed, states where paths begin.  For tools that show it.
 */
#ifndef SKEP_VERIFY_LOG_H
#define SKEP_VERIFY_LOG_H

#include "verify/verify.h"

struct logged; /* log.c */

struct verify_log {
	struct text *out;      /* borrowed */
	u32 level;             /* 1: the way to what is rejected; 2: all ways */
	struct logged *logged; /* owned; for log.c */
};

/* Watches for the log, which outlives it; verify_log_end() afterwards. */
struct verify_observer verify_log_observer(struct verify_log *log);
/* Ends the last line; frees. */
void verify_log_end(struct verify_log *log);

#endif
