/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times every benchmark program natively and on every engine, in one run on one machine,
 * and prints ns per run, ratios to native code, and their geometric means.
 *
 *	skep-bench [--check] FOLDER-OF-OBJECTS [PROGRAM...]
 *
 * Native code is the truth: an engine whose result or memory differs is an error.  The
 * figure is the fastest of several batches: what disturbs a batch only makes it slower.
 * --check compares and times nothing: that is what the tests run.  Never does: choose
 * which programs count.  See bench/README.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/types.h"
#include "engines.h"

enum { MEMORY = 8192, BATCHES = 7 };
enum { BATCH_NS = 4000000 };

struct program {
	const char *name;
	u64 (*bench)(void *mem, u64 len);
	void (*prepare)(void *mem, u64 len); /* NULL: random bytes will do */
};

#define PROGRAM(name)                                                                    \
	u64 bench_##name(void *mem, u64 len);                                            \
	__attribute__((weak)) void prepare_##name(void *mem, u64 len);
#include "programs.def"
#undef PROGRAM

static const struct program programs[] = {
#define PROGRAM(name) {#name, bench_##name, prepare_##name},
#include "programs.def"
#undef PROGRAM
};

/* One way to run one program. */
struct runner {
	const struct program *native; /* or */
	struct bench_image *image;
	u32 engine;
};

struct outcome {
	u64 result;
	u8 memory[MEMORY];
};

static _Alignas(64) u8 memory[MEMORY];

/* The same bytes every time, on every machine. */
static void fill(const struct program *program)
{
	u64 x = 0x5eed;

	for (u32 i = 0; i < MEMORY / sizeof(x); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(memory + i * sizeof(x), &x, sizeof(x));
	}
	if (program->prepare)
		program->prepare(memory, MEMORY);
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static u64 run_once(const struct runner *runner)
{
	if (runner->native)
		return runner->native->bench(memory, MEMORY);
	return bench_run(runner->image, runner->engine, memory, MEMORY);
}

static u64 time_batch(const struct runner *runner, u64 runs)
{
	u64 start = now_ns(), sum = 0;

	for (u64 i = 0; i < runs; i++)
		sum += run_once(runner);
	__asm__ volatile("" : : "r"(sum));
	return now_ns() - start;
}

static double ns_per_run(const struct runner *runner)
{
	u64 runs = 1, best = UINT64_MAX, spent = time_batch(runner, 1);

	while (spent < BATCH_NS) {
		runs = spent < BATCH_NS / 8 ? runs * 4 : runs * BATCH_NS / spent + 1;
		spent = time_batch(runner, runs);
	}
	for (u32 i = 0; i < BATCHES; i++) {
		u64 ns = time_batch(runner, runs);

		best = min_u64(best, ns);
	}
	return (double)best / (double)runs;
}

static void observe(const struct program *program, const struct runner *runner,
		    struct outcome *outcome)
{
	fill(program);
	outcome->result = run_once(runner);
	memcpy(outcome->memory, memory, MEMORY);
}

static int same(const struct program *program, const char *engine,
		const struct outcome *native, const struct outcome *other)
{
	if (native->result != other->result)
		fprintf(stderr, "skep-bench: %s: %s: result %#llx, native %#llx\n",
			program->name, engine, (unsigned long long)other->result,
			(unsigned long long)native->result);
	else if (memcmp(native->memory, other->memory, MEMORY))
		fprintf(stderr, "skep-bench: %s: %s: memory differs from native\n",
			program->name, engine);
	else
		return 1;
	return 0;
}

/* Does every engine say what native code says? */
static int check_program(const struct program *program, struct bench_image *image)
{
	struct runner native = {.native = program};
	static struct outcome truth, other;
	int good = 1;

	observe(program, &native, &truth);
	for (u32 e = 0; bench_engine(e); e++) {
		struct runner runner = {.image = image, .engine = e};

		observe(program, &runner, &other);
		good &= same(program, bench_engine(e), &truth, &other);
	}
	return good;
}

/* One line of figures; adds the logarithm of each ratio to logs. */
static void time_program(const struct program *program, struct bench_image *image,
			 double *logs)
{
	struct runner native = {.native = program};
	double native_ns;

	fill(program);
	native_ns = ns_per_run(&native);
	printf("%-16s %10.0f", program->name, native_ns);
	for (u32 e = 0; bench_engine(e); e++) {
		struct runner runner = {.image = image, .engine = e};
		double ns = ns_per_run(&runner);

		logs[e] += log(ns / native_ns);
		printf(" %10.0f %7.1fx", ns, ns / native_ns);
		fflush(stdout);
	}
	putchar('\n');
}

/* Returns 0 when some engine was wrong; logs NULL: times nothing. */
static int bench_program(const struct program *program, const char *folder, double *logs)
{
	struct bench_image *image = bench_open(folder, program->name);
	int good;

	if (!image)
		return 0;
	good = check_program(program, image);
	if (logs)
		time_program(program, image, logs);
	bench_close(image);
	return good;
}

static void print_head(void)
{
	printf("%-16s %10s", "ns per run", "native");
	for (u32 e = 0; bench_engine(e); e++)
		printf(" %10s %8s", bench_engine(e), "ratio");
	putchar('\n');
}

static void print_means(const double *logs, u32 n)
{
	printf("%-16s %10s", "geometric mean", "");
	for (u32 e = 0; bench_engine(e); e++)
		printf(" %10s %7.1fx", "", exp(logs[e] / n));
	putchar('\n');
}

static int wanted(const char *name, char **names)
{
	if (!*names)
		return 1;
	for (; *names; names++)
		if (!strcmp(name, *names))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	bool check = argc > 1 && !strcmp(argv[1], "--check");
	double logs[BENCH_ENGINES] = {0};
	u32 n = 0, bad = 0;

	argv += check;
	if (argc - check < 2) {
		fprintf(stderr,
			"usage: skep-bench [--check] FOLDER-OF-OBJECTS [PROGRAM...]\n");
		return 2;
	}
	if (!check)
		print_head();
	for (u32 i = 0; i < ARRAY_SIZE(programs); i++) {
		if (!wanted(programs[i].name, argv + 2))
			continue;
		bad += !bench_program(&programs[i], argv[1], check ? NULL : logs);
		n++;
	}
	if (check)
		printf("%u passed, %u failed, 0 skipped\n", n - bad, bad);
	else if (n)
		print_means(logs, n);
	return bad || !n;
}
