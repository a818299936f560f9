/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exploration as text: every instruction that was looked at, and the state before it.
 * For tools that show it.
 */
#ifndef SKEP_VERIFY_LOG_H
#define SKEP_VERIFY_LOG_H

#include "verify/verify.h"

struct verify_log {
	struct text *out; /* borrowed */
	u32 level; /* 1: states where paths begin or join; 2: before every instruction */
	u32 last;  /* instruction shown before; for log.c */
};

/* Watches for the log, which outlives it. */
struct verify_observer verify_log_observer(struct verify_log *log);

#endif
