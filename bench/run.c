/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times every benchmark program natively and on every engine, in one run on one machine,
 * and prints ns per run, ratios to native code, and their geometric means.
 *
 *	skep-bench [--check|--jit|--kernel|--limit] FOLDER-OF-OBJECTS [PROGRAM...]
 *
 * Native code is the truth: an engine whose result or memory differs is an error.  The
 * figure is the fastest of several batches: what disturbs a batch only makes it slower.
 * --check compares and times nothing: that is what the tests run.  --kernel (as root)
 * times the running kernel's JIT and ours on the same instructions, --limit what time
 * limits cost ours; those of a line take turns.  Never does: choose which programs count.
 * See bench/README.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/types.h"
#include "engines.h"
#include "kernel.h"

enum { MEMORY = 8192, BATCHES = 7 };
enum { BATCH_NS = 4000000 };
enum { MAX_COLUMNS = 3 };

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
	struct bench_image *image;    /* or */
	struct kernel_prog *kernel;
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

static u64 run_in_kernel(struct kernel_prog *kernel)
{
	double ns;
	u64 result;

	memcpy(kernel_memory(kernel), memory, MEMORY);
	result = kernel_run(kernel, 1, &ns);
	memcpy(memory, kernel_memory(kernel), MEMORY);
	return result;
}

static u64 run_once(const struct runner *runner)
{
	if (runner->native)
		return runner->native->bench(memory, MEMORY);
	if (runner->kernel)
		return run_in_kernel(runner->kernel);
	return bench_run(runner->image, runner->engine, memory, MEMORY);
}

static u64 time_batch(const struct runner *runner, u64 runs)
{
	u64 start = now_ns(), sum = 0;
	double ns;

	if (runner->kernel) {
		kernel_run(runner->kernel, runs, &ns);
		return (u64)(ns * (double)runs);
	}
	for (u64 i = 0; i < runs; i++)
		sum += run_once(runner);
	__asm__ volatile("" : : "r"(sum));
	return now_ns() - start;
}

/* How many runs make a batch. */
static u64 runs_of_batch(const struct runner *runner)
{
	u64 runs = 1, spent = time_batch(runner, 1);

	while (spent < BATCH_NS) {
		runs = spent < BATCH_NS / 8 ? runs * 4 : runs * BATCH_NS / spent + 1;
		spent = time_batch(runner, runs);
	}
	return runs;
}

static double ns_per_run(const struct runner *runner)
{
	u64 runs = runs_of_batch(runner), best = UINT64_MAX;

	for (u32 i = 0; i < BATCHES; i++)
		best = min_u64(best, time_batch(runner, runs));
	return (double)best / (double)runs;
}

/* The same of several runners in turns, so that all of them have their share of what
 * disturbs. */
static void ns_in_turns(const struct runner *runners, u32 n, double *ns)
{
	u64 runs[MAX_COLUMNS];

	for (u32 i = 0; i < n; i++) {
		runs[i] = runs_of_batch(&runners[i]);
		ns[i] = INFINITY;
	}
	for (u32 round = 0; round < 2 * BATCHES; round++)
		for (u32 i = 0; i < n; i++) {
			double took = (double)time_batch(&runners[i], runs[i]);

			ns[i] = fmin(ns[i], took / (double)runs[i]);
		}
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
		printf(" %10.0f %7.2fx", ns, ns / native_ns);
		fflush(stdout);
	}
	putchar('\n');
}

/* ---- what is timed, and how it is printed ---- */

struct mode {
	const char *flag;
	const char *columns[MAX_COLUMNS]; /* beside native; NULL: all engines */
	/* Returns 0 when something was wrong; adds logarithms of ratios. */
	int (*program)(const struct program *program, struct bench_image *image,
		       double *logs);
};

static int check_only(const struct program *program, struct bench_image *image,
		      double *logs)
{
	(void)logs;
	return check_program(program, image);
}

static int time_engines(const struct program *program, struct bench_image *image,
			double *logs)
{
	int good = check_program(program, image);

	time_program(program, image, logs);
	return good;
}

static u32 find_engine(const char *name)
{
	u32 e = 0;

	while (bench_engine(e) && strcmp(bench_engine(e), name))
		e++;
	return e;
}

/* runners[0] is native code. */
static void time_columns(const struct program *program, const struct runner *runners,
			 u32 n, double *logs)
{
	double ns[MAX_COLUMNS + 1];

	fill(program);
	ns_in_turns(runners, n, ns);
	printf("%-16s %10.0f", program->name, ns[0]);
	for (u32 i = 1; i < n; i++) {
		logs[i - 1] += log(ns[i] / ns[0]);
		printf(" %10.0f %7.2fx", ns[i], ns[i] / ns[0]);
	}
}

/* ---- the running kernel ---- */

/* The program with a known length, or where Linux cannot follow its loops, one with loops
 * that say they end. */
struct pair {
	struct prog *bounded; /* owned; NULL: it is the object's program */
	struct bench_image *image;
	struct kernel_prog *kernel;
};

static bool pair_open(struct bench_image *image, struct pair *pair, const char **what)
{
	struct jit_opts opts = {0};

	*pair = (struct pair){.image = image};
	pair->kernel = kernel_open(bench_prog(image), MEMORY, KERNEL_LEN_KNOWN, what);
	if (pair->kernel)
		return true;
	pair->bounded = kernel_bounded(bench_prog(image));
	if (!pair->bounded)
		return false;
	pair->kernel = kernel_open(pair->bounded, MEMORY, KERNEL_LEN_UNKNOWN, what);
	pair->image = bench_of(pair->bounded, &opts);
	return pair->kernel && pair->image;
}

static void pair_close(struct pair *pair)
{
	kernel_close(pair->kernel);
	if (pair->bounded)
		bench_close(pair->image);
	kernel_bounded_free(pair->bounded);
}

/* The last but one line of the verifier's log. */
static void print_refusal(const struct program *program, const char *what)
{
	size_t end = strlen(what), start;

	while (end && what[end - 1] == '\n')
		end--;
	for (start = end; start && what[start - 1] != '\n';)
		start--;
	if (start && !strncmp(what + start, "processed", 9))
		for (end = --start; start && what[start - 1] != '\n';)
			start--;
	printf("%-16s refused: %.*s\n", program->name, (int)(end - start), what + start);
}

static int time_pair(const struct program *program, const struct pair *pair, double *logs)
{
	static struct outcome truth, other;
	u32 jit = find_engine("jit");
	struct runner runners[] = {{.native = program},
				   {.kernel = pair->kernel},
				   {.image = pair->image, .engine = jit}};
	int good;

	observe(program, &runners[0], &truth);
	observe(program, &runners[1], &other);
	good = same(program, "kernel", &truth, &other);
	observe(program, &runners[2], &other);
	good &= same(program, "jit", &truth, &other);
	time_columns(program, runners, 3, logs);
	return good;
}

static int time_kernel(const struct program *program, struct bench_image *image,
		       double *logs)
{
	struct pair pair;
	const char *what;
	double before[2] = {logs[0], logs[1]};
	int good = 1;

	if (pair_open(image, &pair, &what)) {
		good = time_pair(program, &pair, logs);
		printf("  %.2f of the kernel's%s\n",
		       exp(logs[1] - before[1] - logs[0] + before[0]),
		       pair.bounded ? ", with may_goto" : "");
	} else {
		print_refusal(program, what);
		good = -1;
	}
	pair_close(&pair);
	return good;
}

/* ---- our compiler alone ---- */

static int time_jit(const struct program *program, struct bench_image *image,
		    double *logs)
{
	struct runner runners[] = {{.native = program},
				   {.image = image, .engine = find_engine("jit")}};

	time_columns(program, runners, 2, logs);
	putchar('\n');
	return 1;
}

/* ---- time limits ---- */

static int time_limits(const struct program *program, struct bench_image *image,
		       double *logs)
{
	struct jit_opts opts = {.time_limit = true};
	struct bench_image *limited = bench_of(bench_prog(image), &opts);
	struct bench_image *bounded;
	u32 jit = find_engine("jit");

	opts.bounded = true;
	bounded = bench_of(bench_prog(image), &opts);
	if (limited && bounded) {
		struct runner runners[] = {{.image = image, .engine = jit},
					   {.image = limited, .engine = jit},
					   {.image = bounded, .engine = jit}};

		time_columns(program, runners, 3, logs);
		putchar('\n');
	}
	bench_close(limited);
	bench_close(bounded);
	return limited && bounded;
}

static const struct mode modes[] = {
	{"--check", {NULL}, check_only},
	{"--jit", {"jit"}, time_jit},
	{"--kernel", {"kernel", "jit"}, time_kernel},
	{"--limit", {"any", "verified"}, time_limits},
	{NULL, {NULL}, time_engines},
};

static const char *column(const struct mode *mode, u32 i)
{
	return mode->columns[0] ? i < MAX_COLUMNS ? mode->columns[i] : NULL
				: bench_engine(i);
}

static void print_head(const struct mode *mode)
{
	printf("%-16s %10s", "ns per run",
	       mode->program == time_limits ? "no limit" : "native");
	for (u32 i = 0; column(mode, i); i++)
		printf(" %10s %8s", column(mode, i), "ratio");
	putchar('\n');
}

static void print_means(const struct mode *mode, const double *logs, u32 n)
{
	printf("%-16s %10s", "geometric mean", "");
	for (u32 i = 0; column(mode, i); i++)
		printf(" %10s %7.2fx", "", exp(logs[i] / n));
	putchar('\n');
}

/* Returns 0 when some engine was wrong, -1 when it is not among those that count. */
static int bench_program(const struct mode *mode, const struct program *program,
			 const char *folder, double *logs)
{
	struct bench_image *image = bench_open(folder, program->name);
	int good = image ? mode->program(program, image, logs) : 0;

	fflush(stdout);
	bench_close(image);
	return good;
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

static const struct mode *mode_of(const char *arg)
{
	const struct mode *mode = modes;

	while (mode->flag && strcmp(mode->flag, arg))
		mode++;
	return mode;
}

int main(int argc, char **argv)
{
	const struct mode *mode = mode_of(argc > 1 ? argv[1] : "");
	double logs[BENCH_ENGINES] = {0};
	u32 n = 0, bad = 0;

	argv += !!mode->flag;
	if (argc - !!mode->flag < 2) {
		fprintf(stderr, "usage: skep-bench [--check|--jit|--kernel|--limit] "
				"FOLDER-OF-OBJECTS [PROGRAM...]\n");
		return 2;
	}
	if (mode->program != check_only)
		print_head(mode);
	for (u32 i = 0; i < ARRAY_SIZE(programs); i++) {
		int good;

		if (!wanted(programs[i].name, argv + 2))
			continue;
		good = bench_program(mode, &programs[i], argv[1], logs);
		bad += !good;
		n += good >= 0;
	}
	if (mode->program == check_only)
		printf("%u passed, %u failed, 0 skipped\n", n - bad, bad);
	else if (n)
		print_means(mode, logs, n);
	return bad || !n;
}
