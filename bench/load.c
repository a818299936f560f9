/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What loading an object into Linux costs, whole process, beside bpftool:
 *
 *	skep-bench-load [--times N] OBJECT...
 *	skep-bench-load --load OBJECT [TIMES]		(what is measured; also to look
 *for leaks)
 *
 * Both are run in turn; printed are the medians of wall-clock and processor time and the
 * largest memory.  Needs root; bpftool pins below a bpf file system of its own (run it
 * under unshare -m).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <skep/skep.h>

enum { MAX_TIMES = 1001 };
static const char pins[] = "/sys/fs/bpf/skep-bench-load";

static int load(const char *path, int times)
{
	const struct skep_object_opts opts = {.engine = "kernel"};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct skep_object *obj;

	for (int i = 0; i < times; i++) {
		if (skep_object_open(path, &opts, &obj, &diag) ||
		    skep_object_load(obj, NULL, &diag)) {
			fprintf(stderr, "%s: %s\n", diag.where, diag.text);
			return 1;
		}
		skep_object_close(obj);
	}
	return 0;
}

struct cost {
	double wall[MAX_TIMES], cpu[MAX_TIMES]; /* ms */
	long memory;                            /* KiB, the largest */
};

static double ms(double seconds, double micro)
{
	return seconds * 1e3 + micro / 1e3;
}

static int measure(char *const argv[], struct cost *cost, int i)
{
	struct timespec start, end;
	struct rusage used;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid || status) {
		fprintf(stderr, "%s: failed\n", argv[0]);
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	cost->wall[i] = ms((double)(end.tv_sec - start.tv_sec), 0) +
			(double)(end.tv_nsec - start.tv_nsec) / 1e6;
	cost->cpu[i] = ms((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec),
			  (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
	if (used.ru_maxrss > cost->memory)
		cost->memory = used.ru_maxrss;
	return 0;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *all, int n)
{
	qsort(all, (size_t)n, sizeof(*all), ascending);
	return all[n / 2];
}

static void remove_pins(void)
{
	char *const argv[] = {"rm", "-rf", (char *)pins, NULL};
	pid_t pid = fork();

	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static int compare(const char *self, char *path, int times)
{
	static struct cost ours, theirs;
	char *const our[] = {(char *)self, "--load", path, NULL};
	char *const their[] = {"bpftool", "prog", "loadall", path, (char *)pins, NULL};
	double w, c, their_w, their_c;

	ours.memory = theirs.memory = 0;
	for (int i = 0; i < times; i++) {
		if (measure(our, &ours, i) || measure(their, &theirs, i))
			return 1;
		remove_pins();
	}
	w = median(ours.wall, times), c = median(ours.cpu, times);
	their_w = median(theirs.wall, times), their_c = median(theirs.cpu, times);
	printf("%s\n  skep     %8.2f ms  %8.2f ms CPU  %6ld KiB\n"
	       "  bpftool  %8.2f ms  %8.2f ms CPU  %6ld KiB\n"
	       "  ratio    %8.2f     %8.2f         %6.2f\n",
	       path, w, c, ours.memory, their_w, their_c, theirs.memory, w / their_w,
	       c / their_c, (double)ours.memory / (double)theirs.memory);
	return 0;
}

int main(int argc, char **argv)
{
	int first = 1, times = 21, status = 0;

	if (argc > 2 && !strcmp(argv[1], "--load"))
		return load(argv[2], argc > 3 ? atoi(argv[3]) : 1);
	if (argc > 3 && !strcmp(argv[1], "--times")) {
		times = atoi(argv[2]);
		first = 3;
	}
	if (first >= argc || times < 1 || times > MAX_TIMES) {
		fprintf(stderr, "usage: skep-bench-load [--times N] OBJECT...\n");
		return 2;
	}
	if (mount("none", "/sys/fs/bpf", "bpf", 0, NULL) && errno != EBUSY) {
		perror("/sys/fs/bpf");
		return 4;
	}
	for (int i = first; i < argc && !status; i++)
		status = compare(argv[0], argv[i], times);
	return status;
}
