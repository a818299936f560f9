/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generated programs in the live kernel and in every engine.  A seed is a program (or
 * some that tail-call each other) and its inputs; a difference is shrunk and written as a
 * case file.
 *
 *	programs [--seed N] [--count N] [--inputs N] [--seconds N] [--cpu N] [--cases DIR]
 *		[--dump] [--verifier] [--claims] [--mutate] [--small] [--unsafe]
 *		[--no-kernel] [--engines NAME,...]
 *
 * --verifier: skep's verifier is asked, too, and must say what the kernel says.
 * --claims: what it claims of accepted programs must be true.  --mutate: programs are
 * changed a little, so that many are refused; only verdicts and claims are compared.
 * --small: programs of some fifty instructions, of which many more are run in a second.
 * --unsafe: programs that must be refused, as one way through them is unsafe.
 * --no-kernel: needs no privileges.  --engines: those that take part; without the kernel
 * the others are compared with the first of them.  Default: all, and without the kernel
 * those that can do no harm, which then only must get to the end.
 *
 * Prints how many runs agreed, how many programs the verifier refused and its most
 * frequent reasons.  Exit status 1 after a difference, 77 where bpf(2) is refused.
 */
#define _GNU_SOURCE /* sched_setaffinity() */
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "check.h"
#include "exec/exec.h"
#include "kernel.h"
#include "oracle/compare.h"
#include "oracle/shrink.h"

/* Linux 6.18's verifier may crash when it gives up (maybe_fork_scalars); the generator
 * keeps away from that, and if it does not, this program stops. */
enum { REASONS = 64, MAX_DIFFERENCES = 10, MAX_COMPLEX = 3, KEPT_MEMORY = 64 << 20 };

struct options {
	u64 seed, count;
	u32 inputs, cpu;
	double seconds;    /* 0: no limit */
	const char *cases; /* folder */
	bool dump, mutate, small, unsafe;
	struct sides_opts sides;
};

struct reason {
	char text[120];
	u64 n, seed;
};

struct totals {
	u64 programs, runs, refused, unclaimed, insns;
	u32 differences, too_complex;
	struct reason reasons[REASONS];
	u32 n_reasons;
};

/* For the words of somebody who dies. */
static volatile u64 current_seed;

static void died(int sig)
{
	static const char words[] = "programs: an engine crashed on seed ";
	char digits[24];
	int at = sizeof(digits);
	u64 n = current_seed;

	digits[--at] = '\n';
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	if (write(2, words, sizeof(words) - 1) +
		    write(2, digits + at, sizeof(digits) - (size_t)at) <
	    0)
		_exit(3);
	signal(sig, SIG_DFL);
	raise(sig);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The same reason, whatever the registers and numbers in it. */
static void plain(char *to, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 1 < size; text++) {
		bool digit = *text >= '0' && *text <= '9';

		if (digit && n && to[n - 1] == '#')
			continue;
		to[n++] = digit ? '#' : *text;
	}
	to[n] = 0;
}

static void count_reason(struct totals *t, u64 seed, const char *text)
{
	struct reason *r = t->reasons;
	char key[sizeof(r->text)];

	plain(key, sizeof(key), text);
	while (r < t->reasons + t->n_reasons && strcmp(r->text, key))
		r++;
	if (r == t->reasons + REASONS)
		return;
	if (r == t->reasons + t->n_reasons) {
		memcpy(r->text, key, sizeof(key));
		r->seed = seed;
		t->n_reasons++;
	}
	r->n++;
}

static int by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : 0;
}

static void report(struct totals *t, const struct options *o, double start)
{
	double seconds = now() - start;

	qsort(t->reasons, t->n_reasons, sizeof(t->reasons[0]), by_count);
	printf("seeds %llu to %llu: %llu programs (%llu instructions each), %.2f %% "
	       "accepted, %llu runs compared in %.1f s (%.0f a second), %u differences\n",
	       (unsigned long long)o->seed,
	       (unsigned long long)(o->seed + t->programs - 1),
	       (unsigned long long)t->programs,
	       (unsigned long long)(t->programs ? t->insns / t->programs : 0),
	       t->programs
		       ? 100.0 * (double)(t->programs - t->refused) / (double)t->programs
		       : 0.0,
	       (unsigned long long)t->runs, seconds, (double)t->runs / seconds,
	       t->differences);
	if (t->unclaimed)
		printf("\tof %llu more is claimed than can be checked\n",
		       (unsigned long long)t->unclaimed);
	for (u32 i = 0; i < t->n_reasons && i < 8; i++)
		printf("\trefused %llu times (seed %llu): %s\n",
		       (unsigned long long)t->reasons[i].n,
		       (unsigned long long)t->reasons[i].seed, t->reasons[i].text);
	fflush(stdout);
}

static void differs(struct sides *s, struct gen_case *c, const struct options *o,
		    struct comparison *result)
{
	fprintf(stderr, "seed %llu, input %u: %s\n", (unsigned long long)c->seed,
		result->input, result->text);
	shrink(s, c, o->inputs, o->cases);
	fprintf(stderr, "\tagain: programs --seed %llu --count 1 --inputs %u%s%s%s\n",
		(unsigned long long)c->seed, o->inputs, o->small ? " --small" : "",
		o->unsafe ? " --unsafe" : "", o->mutate ? " --mutate" : "");
}

static void one(struct sides *s, u64 seed, const struct options *o, struct totals *t)
{
	static struct gen_case c;
	struct comparison result;

	current_seed = seed;
	generate(&c, seed, o->small, o->unsafe);
	if (o->mutate)
		gen_mutate(&c);
	compare(s, &c, 0, o->inputs, &result);
	t->programs++;
	t->runs += result.runs;
	t->unclaimed += result.unclaimed;
	for (u32 i = 0; i < c.n_progs; i++)
		t->insns += c.progs[i].n_insns;
	if (o->dump)
		write_case(stdout, &c, 0, NULL, "");
	if (o->unsafe && result.verdict == SAME) {
		t->differences++;
		fprintf(stderr, "seed %llu: accepted, and it is unsafe\n",
			(unsigned long long)seed);
	} else if (result.verdict == REFUSED) {
		t->refused++;
		t->too_complex += result.too_complex;
		count_reason(t, seed, result.text);
	} else if (result.verdict == DIFFERENT) {
		t->differences++;
		differs(s, &c, o, &result);
	}
}

static bool is_flag(const char *name, struct options *o)
{
	const struct {
		const char *name;
		bool *flag, value;
	} flags[] = {{"--dump", &o->dump, true},
		     {"--mutate", &o->mutate, true},
		     {"--small", &o->small, true},
		     {"--unsafe", &o->unsafe, true},
		     {"--verifier", &o->sides.verifier, true},
		     {"--claims", &o->sides.claims, true},
		     {"--no-kernel", &o->sides.kernel, false}};

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(name, flags[i].name) != 0)
			continue;
		*flags[i].flag = flags[i].value;
		return true;
	}
	return false;
}

static bool are_engines(const char *list)
{
	char names[128], *rest = names, *name;

	snprintf(names, sizeof(names), "%s", list);
	while ((name = strsep(&rest, ",")))
		if (!engine_find(name))
			return false;
	return true;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";

		if (is_flag(name, o))
			continue;
		if (!strcmp(name, "--seed"))
			o->seed = strtoull(value, NULL, 0);
		else if (!strcmp(name, "--count"))
			o->count = strtoull(value, NULL, 0);
		else if (!strcmp(name, "--inputs"))
			o->inputs = (u32)strtoul(value, NULL, 0);
		else if (!strcmp(name, "--seconds"))
			o->seconds = strtod(value, NULL);
		else if (!strcmp(name, "--cpu"))
			o->cpu = (u32)strtoul(value, NULL, 0);
		else if (!strcmp(name, "--cases"))
			o->cases = value;
		else if (!strcmp(name, "--engines"))
			o->sides.engines = value;
		else
			return false;
		i++;
	}
	o->sides.cpu = o->cpu;
	o->sides.log_to = o->dump ? stdout : NULL;
	/* what the kernel does not judge runs on our word alone */
	o->sides.verifier |= o->sides.claims || o->mutate || !o->sides.kernel;
	o->sides.runs = o->sides.kernel && !o->mutate;
	o->sides.same = !o->mutate;
	return o->inputs && o->inputs <= GEN_INPUTS &&
	       (!o->sides.engines || are_engines(o->sides.engines));
}

static bool stay_on(u32 cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static bool goes_on(const struct totals *t, const struct options *o, double start)
{
	bool refused = o->mutate || o->unsafe; /* as many programs are */

	if (t->too_complex >= MAX_COMPLEX && !refused)
		fprintf(stderr, "stopped: the verifier gave up %u times\n",
			t->too_complex);
	return t->differences < MAX_DIFFERENCES &&
	       (t->too_complex < MAX_COMPLEX || refused) &&
	       (!o->seconds || now() - start < o->seconds);
}

int main(int argc, char **argv)
{
	struct options o = {.seed = 1,
			    .count = 400,
			    .inputs = 32,
			    .cases = ".",
			    .sides.kernel = true};
	static struct totals t;
	const char *why = NULL;
	struct sides *s;
	double start = now(), told = start;

	if (!read_options(argc, argv, &o)) {
		fprintf(stderr, "what the options are is said in programs.c\n");
		return 2;
	}
	if (o.sides.kernel)
		why = kernel_refuses();
	s = why || (o.sides.kernel && !stay_on(o.cpu)) ? NULL : sides_new(&o.sides);
	if (!s) {
		printf("skipped: bpf(2): %s\n", why ? why : strerror(errno));
		return KERNEL_SKIP;
	}
	mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY); /* each program takes as much again */
	mallopt(M_TOP_PAD, KEPT_MEMORY / 16);
	signal(SIGSEGV, died);
	signal(SIGBUS, died);
	for (u64 i = 0; i < o.count && goes_on(&t, &o, start); i++) {
		one(s, o.seed + i, &o, &t);
		if (now() - told > 30) {
			report(&t, &o, start);
			told = now();
		}
	}
	report(&t, &o, start);
	sides_free(s);
	/* a generator whose programs are refused tests nothing */
	return t.differences ||
	       (!o.mutate && !o.unsafe &&
		(t.too_complex >= MAX_COMPLEX || t.refused * 20 > t.programs));
}
