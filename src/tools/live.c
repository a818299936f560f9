/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the subcommands about the running kernel share.
 */
#include "tools/live.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include <skep/diag.h>

#include "kern/refused.h"
#include "tools/out.h"

void live_keep_caps(u64 caps)
{
	const u64 files = KERN_CAP(CAP_DAC_OVERRIDE) | KERN_CAP(CAP_DAC_READ_SEARCH);

	/* where even that is refused, nothing is lost but a second wall */
	(void)kern_keep_caps(caps | files);
}

int live_refuse(const struct skep_diag *diag)
{
	switch (diag->err) {
	case -ENOENT:
	case -EINVAL: return refuse(diag, EXIT_INPUT);
	default: return refuse(diag, EXIT_SYSTEM);
	}
}

u64 clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

void progress_init(struct progress *p, const char *what)
{
	*p = (struct progress){.what = what, .started = clock_ns()};
}

void progress_step(struct progress *p, u64 done, u64 all)
{
	enum { FIRST_NS = 1000000000, STEP_NS = 200000000 };
	u64 now = clock_ns();
	struct number n, of;

	if (now - p->started < FIRST_NS || now - p->shown < STEP_NS ||
	    !is_terminal(stderr))
		return;
	fprintf(stderr, "\r\033[K%s", grouped(&n, done));
	if (all)
		fprintf(stderr, " of %s", grouped(&of, all));
	fprintf(stderr, " %s", p->what);
	p->shown = now;
	p->visible = true;
}

void progress_hide(struct progress *p)
{
	if (p->visible)
		fputs("\r\033[K", stderr);
	p->visible = false;
}

const char *age_text(struct age *age, u64 seconds)
{
	static const struct {
		u64 seconds;
		const char *unit;
	} units[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	u32 i = 0;

	while (i + 1 < ARRAY_SIZE(units) && seconds < 2 * units[i].seconds)
		i++;
	snprintf(age->s, sizeof(age->s), "%llu %s",
		 (unsigned long long)(seconds / units[i].seconds), units[i].unit);
	return age->s;
}

const char *size_text(struct age *size, u64 bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double n = (double)bytes;
	u32 i = 0;

	for (; n >= 1024 && i + 1 < ARRAY_SIZE(units); i++)
		n /= 1024;
	snprintf(size->s, sizeof(size->s),
		 n < 10 && n > (double)(u64)n ? "%.1f %s" : "%.0f %s", n, units[i]);
	return size->s;
}
