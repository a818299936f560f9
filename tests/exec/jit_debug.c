/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What debuggers and profilers are told of native code: the files for perf are read back;
 * gdb.sh runs this under gdb, which stops in the helper.  jit_debug PROGRAM.
 */
#include <elf.h>
#include <fcntl.h>
#include <skep/diag.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "check.h"
#include "exec/exec.h"
#include "exec/jit/jit.h"
#include "helpers/run.h"
#include "isa/asm.h"

struct fixture {
	struct arena arena;
	struct prog prog;
	struct image *image;
	struct skep_diag diag;
};

u64 debugged_helper(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5);

__attribute__((noinline)) u64 debugged_helper(struct run *run, u64 r1, u64 r2, u64 r3,
					      u64 r4, u64 r5)
{
	__asm__ volatile("" ::: "memory");
	return run ? 100 : r1 + r2 + r3 + r4 + r5;
}

static helper_fn only_helper(u32 number)
{
	(void)number;
	return debugged_helper;
}

static void add_lines(struct fixture *f, const struct asm_linked *linked,
		      const char *path)
{
	static const char *const names[] = {"outer", "middle", "inner"};
	struct line_info *lines = arena_array(&f->arena, linked->n_insns, sizeof(*lines));
	struct subprog *subprogs =
		arena_array(&f->arena, linked->n_places, sizeof(*subprogs));

	for (u32 i = 0; i < linked->n_insns; i++)
		lines[i] = (struct line_info){
			.insn = i, .line = linked->lines[i], .column = 9, .file = path};
	f->prog.lines = lines;
	f->prog.n_lines = linked->n_insns;
	for (u32 i = 0; i < linked->n_places; i++) {
		u32 start = linked->places[i].start;
		u32 end = i + 1 < linked->n_places ? linked->places[i + 1].start
						   : linked->n_insns;

		subprogs[i] = (struct subprog){
			.name = names[i], .start = start, .n_insns = end - start};
	}
	f->prog.subprogs = subprogs;
	f->prog.n_subprogs = linked->n_places;
}

static int fixture_new(struct fixture *f, const char *path, u32 known_to)
{
	struct image_spec spec = {.prog = &f->prog,
				  .helper = only_helper,
				  .engines = FOR_JIT,
				  .jit = {.keep_calls = true, .known_to = known_to}};
	struct asm_linked linked = {0};
	struct asm_unit unit;
	struct file file;

	*f = (struct fixture){.arena = ARENA_INIT, .diag = SKEP_DIAG_INIT};
	if (!CHECK(!file_read(path, &file, &f->diag)))
		return -1;
	CHECK(!asm_parse(&(struct asm_input){.text = file_bytes(&file)}, &f->arena, &unit,
			 &f->diag));
	CHECK(!asm_link(&unit, 0, &f->arena, &linked, &f->diag));
	file_fini(&file);
	f->prog = (struct prog){.name = "outer",
				.insns = linked.insns,
				.n_insns = linked.n_insns,
				.type = 1};
	add_lines(f, &linked, path);
	return image_new(&spec, &f->image, &f->diag);
}

static void fixture_free(struct fixture *f)
{
	image_free(f->image);
	arena_fini(&f->arena);
}

static void runs(struct fixture *f)
{
	struct run run = {.ctx = NULL, .diag = &f->diag};
	u64 r0 = 0;

	CHECK_INT(jit_run(f->image, &run, &r0), 0);
	CHECK_INT(r0, 106);
}

static char *whole(const char *path, size_t *len)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct file file;
	char *copy;

	if (!CHECK(!file_read(path, &file, &diag)))
		return NULL;
	copy = calloc(1, file.len + 1);
	if (copy && file.len)
		memcpy(copy, file.data, file.len);
	*len = file.len;
	file_fini(&file);
	return copy;
}

/* START SIZE NAME, one line each. */
static void perf_gets_a_map(const char *program)
{
	char path[64], *text;
	struct fixture f;
	size_t len;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	unlink(path);
	if (CHECK_INT(fixture_new(&f, program, JIT_PERF_MAP), 0)) {
		runs(&f);
		text = whole(path, &len);
		CHECK(text && strstr(text, " outer\n"));
		CHECK(text && strstr(text, " middle\n"));
		CHECK(text && strstr(text, " inner\n"));
		free(text);
	}
	fixture_free(&f);
	unlink(path);
}

static u32 word_at(const char *bytes, size_t at)
{
	u32 word;

	memcpy(&word, bytes + at, sizeof(word));
	return word;
}

/* The records fill the file, each function has one, and its lines come before. */
static void check_dump(const char *bytes, size_t len)
{
	u32 loads = 0, lines = 0;
	size_t at = 40, size;

	if (!CHECK(len > 40) || !CHECK_INT(word_at(bytes, 0), 0x4a695444))
		return;
	CHECK_INT(word_at(bytes, 4), 1);
	CHECK_INT(word_at(bytes, 20), getpid());
	for (; at + 16 <= len; at += size) {
		size = word_at(bytes, at + 4);
		if (!CHECK(size >= 16 && size <= len - at))
			return;
		loads += word_at(bytes, at) == 0;
		lines += word_at(bytes, at) == 2;
	}
	CHECK_INT(at, len);
	CHECK_INT(loads, 4);
	CHECK_INT(lines, 3);
}

static void perf_gets_a_dump(const char *program)
{
	char path[64], *bytes;
	struct fixture f;
	size_t len = 0;

	snprintf(path, sizeof(path), "jit-%d.dump", (int)getpid());
	unlink(path);
	if (CHECK_INT(fixture_new(&f, program, JIT_DUMP), 0)) {
		bytes = whole(path, &len);
		if (bytes)
			check_dump(bytes, len);
		free(bytes);
	}
	fixture_free(&f);
	unlink(path);
}

/* Somebody else may have put something there: it is never followed. */
static void strange_files_are_left_alone(const char *program)
{
	struct fixture f;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	unlink(path);
	CHECK_INT(symlink("/dev/null", path), 0);
	CHECK(fixture_new(&f, program, JIT_PERF_MAP) < 0);
	CHECK_STR(skep_diag_name(f.diag.id), "JIT_PROFILE");
	fixture_free(&f);
	unlink(path);
}

static void gdb_stops_here(const char *program)
{
	struct fixture f, other;

	if (CHECK_INT(fixture_new(&other, program, JIT_GDB), 0) &&
	    CHECK_INT(fixture_new(&f, program, JIT_GDB), 0)) {
		runs(&f);
		fixture_free(&f);
		runs(&other);
	}
	fixture_free(&other);
}

int main(int argc, char **argv)
{
	if (argc < 2 || !engine_find("jit"))
		return 77;
	gdb_stops_here(argv[1]);
	perf_gets_a_map(argv[1]);
	perf_gets_a_dump(argv[1]);
	strange_files_are_left_alone(argv[1]);
	return check_report();
}
