/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in for libFuzzer where there is none: every file of a corpus through the target,
 * and then mutations of them for some seconds.
 *
 *	fuzz-X PATH...			each file, or each file in that folder, as it is
 *	fuzz-X --seconds N PATH...	and mutated, for N seconds in all
 *	fuzz-X --only M FILE		just mutation M of FILE, to repeat what failed
 *
 * A mutation is a function of the file and its number alone.  Never does: keep what it
 * finds; when a target dies, the last line on standard error says how to repeat it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

enum { INPUT_LIMIT = 1 << 20, MAX_CHANGES = 8, INTERESTING = 10 };

struct input {
	char *path; /* owned */
	u8 *data;   /* owned */
	size_t size;
};

static struct {
	const char *program, *path;
	unsigned long long mutation; /* 0: the file as it is */
} now;

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* Runs in a dying process: nothing that allocates. */
static void tell(void)
{
	char line[600];
	int n = snprintf(line, sizeof(line), "repeat: %s --only %llu %s\n", now.program,
			 now.mutation, now.path);

	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(1);
}

static void die(int number)
{
	tell();
	signal(number, SIG_DFL);
	raise(number);
}

static u64 next_random(u64 *state)
{
	u64 x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* Numbers that lengths and counts go wrong with. */
static u32 interesting(u64 r)
{
	static const u32 numbers[INTERESTING] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, ~0u};

	return numbers[r % INTERESTING];
}

/* One change in place; returns the new size. */
static size_t change(u8 *data, size_t size, u64 *state)
{
	u64 r = next_random(state);
	size_t at = size ? next_random(state) % size : 0;
	size_t other = size ? next_random(state) % size : 0;
	size_t n = 1 + r / 8 % 64;
	u32 number = interesting(r >> 16);

	if (!size)
		return 0;
	if (n > size - at)
		n = size - at;
	if (n > size - other)
		n = size - other;
	switch (r % 6) {
	case 0: data[at] ^= (u8)(1u << (r >> 8) % 8); break;
	case 1: data[at] = (u8)(r >> 8); break;
	case 2: memcpy(data + at, &number, n < 4 ? n : 4); break;
	case 3: memmove(data + at, data + other, n); break;
	case 4: return at; /* cut */
	case 5:            /* a piece taken out */
		memmove(data + at, data + at + n, size - at - n);
		return size - n;
	}
	return size;
}

/* The target gets memory of exactly its size, so that reading behind it is seen. */
static void run(const struct input *input, u64 mutation)
{
	u8 *copy = malloc(input->size ? input->size : 1);
	u64 state = mutation * 0x9e3779b97f4a7c15 + 1;
	size_t size = input->size;
	u8 *exact;

	if (!copy)
		return;
	memcpy(copy, input->data, size);
	for (u64 n = mutation ? 1 + next_random(&state) % MAX_CHANGES : 0; n; n--)
		size = change(copy, size, &state);
	exact = realloc(copy, size ? size : 1);
	if (!exact)
		exact = copy;
	now.path = input->path;
	now.mutation = mutation;
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

struct corpus {
	struct input *inputs; /* owned */
	int n;
};

/* Takes path. */
static int add_file(struct corpus *corpus, char *path)
{
	struct input *more =
		realloc(corpus->inputs, (size_t)(corpus->n + 1) * sizeof(*more));
	struct input *input;
	FILE *file = fopen(path, "rb");

	if (more)
		corpus->inputs = more;
	if (!more || !file) {
		perror(path);
		free(path);
		return -1;
	}
	input = &more[corpus->n++];
	*input = (struct input){.path = path, .data = malloc(INPUT_LIMIT)};
	if (input->data)
		input->size = fread(input->data, 1, INPUT_LIMIT, file);
	fclose(file);
	return input->data ? 0 : -1;
}

static int add_folder(struct corpus *corpus, const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort), err = 0;

	if (n < 0) {
		perror(folder);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char *path = NULL;

		if (!err && entries[i]->d_name[0] != '.' &&
		    asprintf(&path, "%s/%s", folder, entries[i]->d_name) > 0)
			err = add_file(corpus, path);
		free(entries[i]);
	}
	free(entries);
	return err;
}

static int add(struct corpus *corpus, const char *path)
{
	struct stat st;
	char *copy;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return add_folder(corpus, path);
	copy = strdup(path);
	return copy ? add_file(corpus, copy) : -1;
}

static void corpus_fini(struct corpus *corpus)
{
	for (int i = 0; i < corpus->n; i++) {
		free(corpus->inputs[i].path);
		free(corpus->inputs[i].data);
	}
	free(corpus->inputs);
}

static unsigned long long mutate_for(const struct corpus *corpus, double seconds)
{
	double end = (double)clock() / CLOCKS_PER_SEC + seconds;
	unsigned long long mutation = 0;

	while (corpus->n && (double)clock() / CLOCKS_PER_SEC < end) {
		mutation++;
		for (int i = 0; i < corpus->n; i++)
			run(&corpus->inputs[i], mutation);
	}
	return mutation * (unsigned long long)corpus->n;
}

static void watch_for_death(void)
{
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(tell);
	else
		signal(SIGSEGV, die);
	signal(SIGABRT, die);
}

int main(int argc, char **argv)
{
	unsigned long long only = 0, mutations = 0;
	struct corpus corpus = {0};
	int first = 1, bad = 0;
	double seconds = 0;

	now.program = argv[0];
	if (argc > 2 && !strncmp(argv[1], "--", 2))
		first = 3;
	if (first == 3 && !strcmp(argv[1], "--seconds"))
		seconds = atof(argv[2]);
	if (first == 3 && !strcmp(argv[1], "--only"))
		only = strtoull(argv[2], NULL, 0);
	if (first >= argc) {
		fprintf(stderr, "usage: %s [--seconds N | --only MUTATION] PATH...\n",
			argv[0]);
		return 2;
	}
	watch_for_death();
	for (int i = first; i < argc && !bad; i++)
		bad = add(&corpus, argv[i]);
	for (int i = 0; i < corpus.n; i++)
		run(&corpus.inputs[i], only);
	if (!bad && seconds > 0)
		mutations = mutate_for(&corpus, seconds);
	fprintf(stderr, "%d files, %llu mutations\n", corpus.n, mutations);
	bad |= !corpus.n;
	corpus_fini(&corpus);
	return bad ? 2 : 0;
}
