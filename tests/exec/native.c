/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only programs that were compiled can do wrong: memory that is writable and
 * executable at once, runs that nobody can end, constants that an enemy chose.
 */
#include <errno.h>
#include <pthread.h>
#include <skep/diag.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/diag.h"
#include "base/text.h"
#include "check.h"
#include "exec/exec.h"
#include "exec/jit/compile.h"
#include "exec/watchdog.h"
#include "helpers/helpers.h"
#include "isa/asm.h"
#include "world/world.h"

struct fixture {
	struct arena arena;
	struct prog prog;
	struct image *image;
	struct skep_diag diag;
};

static int fixture_new(struct fixture *f, const char *text, const struct jit_opts *opts)
{
	struct asm_input in = {.text = {(const u8 *)text, strlen(text)}};
	struct asm_unit unit;
	struct asm_linked linked = {0};
	struct image_spec spec = {.prog = &f->prog,
				  .helper = helper_body,
				  .engines = FOR_JIT,
				  .jit = *opts};

	*f = (struct fixture){.arena = ARENA_INIT, .diag = SKEP_DIAG_INIT};
	CHECK(!asm_parse(&in, &f->arena, &unit, &f->diag));
	CHECK(!asm_link(&unit, 0, &f->arena, &linked, &f->diag));
	struct prog prog = {
		.name = "main", .insns = linked.insns, .n_insns = linked.n_insns};

	memcpy(&f->prog, &prog, sizeof(prog));
	return image_new(&spec, &f->image, &f->diag);
}

static void fixture_free(struct fixture *f)
{
	image_free(f->image);
	arena_fini(&f->arena);
}

static int run(struct fixture *f, const struct exec_opts *opts, u64 *r0)
{
	struct world_script world;
	struct run run = {.world = &world.world, .opts = opts, .diag = &f->diag};

	world_script_init(&world);
	diag_clear(&f->diag);
	return jit_run(f->image, &run, r0);
}

/* ---- memory ---- */

struct mapping {
	u64 start, end;
	char rights[5];
};

static bool next_mapping(FILE *f, struct mapping *m)
{
	char line[512];
	unsigned long long start, end;

	if (!fgets(line, sizeof(line), f) ||
	    sscanf(line, "%llx-%llx %4s", &start, &end, m->rights) != 3)
		return false;
	m->start = start;
	m->end = end;
	return true;
}

static void nothing_is_writable_and_executable(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	struct mapping m;

	if (!CHECK(f))
		return;
	while (next_mapping(f, &m))
		CHECK(!(m.rights[1] == 'w' && m.rights[2] == 'x'));
	fclose(f);
}

enum { PROGRAMS = 300, THREADS = 4 };

static void *compile_and_run(void *arg)
{
	u32 *failed = arg;

	for (u32 i = 0; i < PROGRAMS; i++) {
		const struct jit_opts opts = {.harden = i % 4, .time_limit = i % 2};
		struct fixture f;
		char text[64];
		u64 r0 = 0;

		snprintf(text, sizeof(text), "r0 = %u\nr0 *= 3\nexit\n", i);
		*failed += fixture_new(&f, text, &opts) || run(&f, NULL, &r0) ||
			   r0 != 3ull * i;
		fixture_free(&f);
	}
	return NULL;
}

static void code_is_never_writable_and_executable(void)
{
	pthread_t threads[THREADS];
	u32 failed[THREADS] = {0};

	for (u32 i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, compile_and_run, &failed[i]);
	for (u32 i = 0; i < 50; i++)
		nothing_is_writable_and_executable();
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		CHECK_INT(failed[i], 0);
	}
	nothing_is_writable_and_executable();
}

/* The rights of the mapping that has this byte: "r-xp"; "" for none. */
static const char *rights_at(u64 addr, struct mapping *m)
{
	FILE *f = fopen("/proc/self/maps", "re");
	bool found = false;

	while (f && !found && next_mapping(f, m))
		found = m->start <= addr && addr < m->end;
	if (f)
		fclose(f);
	return found ? m->rights : "";
}

static void code_lies_between_guards(void)
{
	const struct jit_opts opts = {0};
	struct mapping code, guard;
	struct fixture f;

	CHECK(!fixture_new(&f, "r0 = 1\nexit\n", &opts));
	CHECK_STR(rights_at((uintptr_t)jit_bytes(f.image->jit).data, &code), "r-xp");
	CHECK_STR(rights_at(code.start - 1, &guard), "---p");
	CHECK_STR(rights_at(code.end, &guard), "---p");
	fixture_free(&f);
}

/* In a process that may not have executable memory: 0, or 77 where Linux lacks that. */
static int compile_without_rights(void)
{
	enum { SET_MDWE = 65, REFUSE_EXEC_GAIN = 1 };
	const struct jit_opts opts = {0};
	struct fixture f;
	bool right;

	if (prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0))
		return 77;
	right = fixture_new(&f, "r0 = 1\nexit\n", &opts) == -EACCES &&
		!strcmp(skep_diag_name(f.diag.id), "JIT_MEMORY");
	fixture_free(&f);
	return !right;
}

static void a_system_may_forbid_it(void)
{
	pid_t child = fork();
	int status = 0;

	if (!child)
		exit(compile_without_rights());
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77);
}

/* ---- time ---- */

static const char forever[] = "r0 = 0\nloop: r0 += 1\ngoto loop\n";

/* 8 million callbacks, each of them a loop */
static const char long_callbacks[] =
	".program main\nr1 = 8000000\nr2 = func[f]\nr3 = 0\nr4 = 0\ncall 181\nexit\n"
	".func f\nr1 = 1000000\nloop: r1 += -1\nif r1 != 0 goto loop\nr0 = 0\nexit\n";

static void time_is_limited(void)
{
	static const char *const texts[] = {forever, long_callbacks};
	const struct jit_opts opts = {.time_limit = true};
	struct exec_opts limits = {.max_ns = 2000000};
	struct fixture f;
	u64 r0;

	CHECK(!watchdog_new(2, &limits.watchdog, NULL));
	for (u32 i = 0; i < ARRAY_SIZE(texts); i++) {
		CHECK(!fixture_new(&f, texts[i], &opts));
		CHECK_INT(run(&f, &limits, &r0), -ETIMEDOUT);
		CHECK_STR(skep_diag_name(f.diag.id), "TIME_LIMIT");
		CHECK_INT(run(&f, &limits, &r0), -ETIMEDOUT);
		fixture_free(&f);
	}
	watchdog_free(limits.watchdog);
}

struct runner {
	struct exec_opts limits;
	u32 failed;
};

static void *run_short(void *arg)
{
	struct runner *r = arg;
	const struct jit_opts opts = {.time_limit = true};
	struct fixture f;
	u64 r0 = 0;

	if (fixture_new(&f, "r0 = 0\nloop: r0 += 1\nif r0 != 1000 goto loop\nexit\n",
			&opts))
		r->failed++;
	for (u32 i = 0; i < 2000; i++)
		r->failed += run(&f, &r->limits, &r0) || r0 != 1000;
	fixture_free(&f);
	return NULL;
}

/* More threads than places, and one run that is too long among short ones. */
static void others_are_not_disturbed(void)
{
	const struct jit_opts opts = {.time_limit = true};
	struct runner runners[THREADS];
	struct exec_opts limits = {.max_ns = 10000000000};
	pthread_t threads[THREADS];
	struct fixture f;
	u64 r0;

	CHECK(!watchdog_new(3, &limits.watchdog, NULL));
	for (u32 i = 0; i < THREADS; i++) {
		runners[i] = (struct runner){.limits = limits};
		pthread_create(&threads[i], NULL, run_short, &runners[i]);
	}
	CHECK(!fixture_new(&f, forever, &opts));
	limits.max_ns = 3000000;
	CHECK_INT(run(&f, &limits, &r0), -ETIMEDOUT);
	fixture_free(&f);
	for (u32 i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		CHECK_INT(runners[i].failed, 0);
	}
	watchdog_free(limits.watchdog);
}

/* ---- hardening ---- */

static bool code_has(const struct fixture *f, u32 constant)
{
	struct bytes code = jit_bytes(f->image->jit);

	for (u64 i = 0; i + 4 <= code.len; i++)
		if (load_u32_of(code.data + i, false) == constant)
			return true;
	return false;
}

/* No wide constant of the program's choice is found in the code. */
static void constants_are_blinded(void)
{
	static const char program[] = "r0 = r2\nr0 += 1007620660\nr0 ^= 287454020\n"
				      "if r0 > 1432778632 goto +1\nr0 += 1\nexit\n";
	static const u32 constants[] = {1007620660, 287454020, 1432778632};
	struct jit_opts plain = {0}, hard = {.harden = JIT_BLIND | JIT_BRANCH_TARGETS};
	struct fixture f, g;
	u64 r0 = 0, same = 1;

	CHECK(!fixture_new(&f, program, &plain));
	CHECK(!fixture_new(&g, program, &hard));
	for (u32 i = 0; i < ARRAY_SIZE(constants); i++)
		CHECK(!code_has(&g, constants[i]));
	CHECK(!run(&f, NULL, &r0));
	CHECK(!run(&g, NULL, &same));
	CHECK(r0 == same);
	fixture_free(&f);
	fixture_free(&g);
}

/* Nor of offsets, whose instructions have constants of their own. */
static void offsets_are_blinded(void)
{
	static const char program[] = "r6 = r1\nr0 = *(u32 *)skb[1007620660]\nr7 = r0\n"
				      "r0 = *(u32 *)skb[r7 + 287454020]\nr1 = r10\n"
				      "r1 += 143278632\n*(u64 *)(r10 - 8) = r1\nexit\n";
	struct jit_opts hard = {.harden = JIT_BLIND};
	struct fixture f;

	CHECK(!fixture_new(&f, program, &hard));
	CHECK(!code_has(&f, 1007620660));
	CHECK(!code_has(&f, 287454020));
	for (u32 frame = 0; frame < 1024; frame++)
		CHECK(!code_has(&f, 143278632 + frame));
	fixture_free(&f);
}

/* ---- calls ---- */

/* Whom they call by address is only known when they run. */
static void circles_end(void)
{
	static const char program[] = "call f\nexit\n"
				      ".func f\nr2 = func[f]\ncallx r2\nexit\n";
	const struct jit_opts opts = {0};
	struct fixture f;
	u64 r0;

	CHECK(!fixture_new(&f, program, &opts));
	CHECK_INT(run(&f, NULL, &r0), -E2BIG);
	CHECK_STR(skep_diag_name(f.diag.id), "CALL_DEPTH");
	fixture_free(&f);
}

static void it_uses_what_the_cpu_has(void)
{
	static const char program[] = "r0 = 1\nexit\n";
	const struct jit_opts opts = {0};
	struct fixture f;
	struct native native;
	u32 features;

	CHECK(!fixture_new(&f, program, &opts));
	struct jit_source source = {.prog = &f.prog, .opts = opts};

	host_machine(&features);
	CHECK(!jit_compile(&source, &native, &f.diag));
	CHECK_INT(native.features, features);
	native_fini(&native);
	source.opts.without = UINT32_MAX;
	CHECK(!jit_compile(&source, &native, &f.diag));
	CHECK_INT(native.features, 0);
	native_fini(&native);
	fixture_free(&f);
}

/* ---- where loops lie ---- */

static void compile_text(const char *text, const struct jit_opts *opts,
			 struct native *native)
{
	struct fixture f;

	CHECK(!fixture_new(&f, text, opts));
	struct jit_source source = {.prog = &f.prog, .opts = *opts};

	CHECK(!jit_compile(&source, native, &f.diag));
	fixture_free(&f);
}

/* A loop of so many instructions more, which ends in ADD, JNE, and then RET. */
static void compile_loop(u32 n, bool time_limit, struct native *native)
{
	const struct jit_opts opts = {.time_limit = time_limit};
	struct text text = TEXT_INIT;

	text_puts(&text, "r1 = *(u32 *)(r1 + 0)\nr0 = 0\nloop: ");
	for (u32 i = 0; i < n; i++)
		text_puts(&text, i % 2 ? "r0 ^= r1\n" : "r0 += r1\n");
	text_puts(&text, "r1 -= 1\nif r1 != 0 goto loop\nexit\n");
	compile_text(text_str(&text), &opts, native);
	text_fini(&text);
}

/* x86-64: some CPUs decode those jumps anew in each round, others take each line for
 * itself. */
static void a_loop_lies_well(void)
{
	enum { BORDER = 32, LINE = 64, ADD = 4, JNE_SHORT = 2, JNE_LONG = 6, RET = 0xc3 };
	enum { EACH = 3, ANYWHERE = LINE - BORDER / 2 }; /* so long it has a choice */

	if (strcmp(host_machine(NULL)->name, "x86_64"))
		return;
	for (u32 n = 0; n < 60; n++) {
		struct native native;
		u32 end, jump, length;

		compile_loop(n, false, &native);
		end = native.functions[0].start + native.functions[0].size - 1;
		CHECK_INT(native.code[end], RET);
		jump = ADD + (native.code[end - 5] == 0x85 ? JNE_LONG : JNE_SHORT);
		CHECK(end % BORDER >= jump);
		length = n * EACH + jump;
		CHECK(length > ANYWHERE || (end - length) / LINE == (end - 1) / LINE);
		native_fini(&native);
	}
}

/* ---- what is one instruction ---- */

/* libbpf-tools' log2(), with the bound of one step; of the number that start puts into
 * R2, by shifts or by jumps. */
static u32 size_of_log2(const char *start, bool jumps, u32 bound)
{
	struct text text = TEXT_INIT;
	struct native native;
	u32 size;

	text_puts(&text, start);
	for (u32 by = strstr(start, "w3") ? 8 : 16; by > 1; by /= 2)
		text_printf(&text,
			    jumps ? "if w2 <= %u goto +2\nw2 >>= %u\nw0 += %u\n"
				  : "w3 = 1\nif w2 > %u goto +1\nw3 = 0\nw3 <<= %u\n"
				    "w2 >>= w3\nw0 |= w3\n",
			    by == 4 ? bound : (1u << by) - 1,
			    jumps ? by : (u32)__builtin_ctz(by), by);
	text_puts(&text, "w2 >>= 1\nw0 |= w2\nexit\n");
	compile_text(text_str(&text), &(struct jit_opts){0}, &native);
	size = native.functions[0].size;
	native_fini(&native);
	text_fini(&text);
	return size;
}

static void logarithms_are_counted(void)
{
	static const char *const starts[] = {
		"r2 = *(u32 *)(r1 + 0)\nr0 = 0\n",
		/* the upper half, asked for in the whole */
		"r2 = *(u64 *)(r1 + 0)\nr0 = 0\nr5 = 0x1000000000000 ll\nw3 = 1\n"
		"if r2 >= r5 goto +1\nw3 = 0\nw3 <<= 4\nr2 >>= 32\nw2 >>= w3\nw0 |= w3\n",
		/* the whole, where its upper half is known to be empty */
		"r2 = *(u64 *)(r1 + 0)\nr0 = 0\nr5 = 0x100000000 ll\nif r2 < r5 goto +1\n"
		"exit\nw3 = 1\nif r2 > 65535 goto +1\nw3 = 0\nw3 <<= 4\nw2 >>= w3\n"
		"w0 |= w3\n",
	};
	enum { RIGHT = 15, WRONG = 14, SAVED = 40 };

	for (u32 i = 0; i < ARRAY_SIZE(starts); i++)
		for (u32 jumps = 0; jumps < 2; jumps++)
			CHECK(size_of_log2(starts[i], jumps, RIGHT) + SAVED <
			      size_of_log2(starts[i], jumps, WRONG));
}

/* Of a choice that is never made, a side as deep as the program is long: nobody may go
 * down there. */
static void what_is_never_chosen_may_be_deep(void)
{
	enum { LONG = CHECK_IS_SANITIZED ? 20000 : 200000 };
	struct text text = TEXT_INIT;
	struct native native;

	text_puts(&text, "r2 = *(u32 *)(r1 + 0)\nr7 = *(u64 *)(r1 + 8)\n"
			 "r9 = *(u64 *)(r1 + 16)\nr8 = r9\n");
	for (u32 i = 0; i < LONG; i++)
		text_puts(&text, i % 2 ? "r8 ^= r7\n" : "r8 += r9\n");
	text_puts(&text, "w4 = 16\nif w2 >= 65536 goto +1\nr4 = r8\n"
			 "w3 = 1\nif w2 > 65535 goto +1\nw3 = 0\nw3 <<= 4\n"
			 "r0 = 0\nif w2 <= 65535 goto +1\nr0 = r4\nw2 >>= w3\n");
	for (u32 by = 8; by > 1; by /= 2)
		text_printf(&text,
			    "w3 = 1\nif w2 > %u goto +1\nw3 = 0\nw3 <<= %d\nw2 >>= w3\n"
			    "w0 |= w3\n",
			    (1u << by) - 1, __builtin_ctz(by));
	text_puts(&text, "w2 >>= 1\nw0 |= w2\nexit\n");
	compile_text(text_str(&text), &(struct jit_opts){0}, &native);
	CHECK(native.functions[0].size > LONG);
	native_fini(&native);
	text_fini(&text);
}

/* ---- what lies where ---- */

/* How often code comes from an instruction of the program, without a break. */
static u32 times_there(const struct native *native, u32 pc)
{
	u32 n = 0;

	for (u32 i = 0; i < native->n_lines; i++)
		n += native->lines[i].pc == pc;
	return n;
}

/* x86-64: then one look is enough for both rounds. */
static void a_short_loop_with_a_limit_is_there_twice(void)
{
	enum { SECOND = 3, SHORT = 4, LONG = 40 };
	struct native native;

	if (strcmp(host_machine(NULL)->name, "x86_64"))
		return;
	compile_loop(SHORT, true, &native);
	CHECK_INT(times_there(&native, SECOND), 2);
	native_fini(&native);
	compile_loop(LONG, true, &native);
	CHECK_INT(times_there(&native, SECOND), 1);
	native_fini(&native);
	compile_loop(SHORT, false, &native);
	CHECK_INT(times_there(&native, SECOND), 1);
	native_fini(&native);
}

static u32 starts_at(const struct native *native, u32 pc)
{
	for (u32 i = 0; i < native->n_lines; i++)
		if (native->lines[i].pc == pc)
			return native->lines[i].off;
	return UINT32_MAX;
}

/* x86-64: what four ways lead to lies in front of where it leads to. */
static void the_end_of_a_loop_lies_in_front_of_it(void)
{
	enum { HEAD = 2, END = 13, WAYS = 4 };
	const struct jit_opts opts = {0};

	if (strcmp(host_machine(NULL)->name, "x86_64"))
		return;
	for (u32 ways = 3; ways <= WAYS; ways++) {
		struct text text = TEXT_INIT;
		struct native native;

		text_puts(&text, "r2 = r1\nr0 = 0\n"
				 "loop: r3 = *(u32 *)(r2 + 0)\n"
				 "if r3 == 1 goto one\nif r3 == 2 goto two\n");
		text_puts(&text, ways == WAYS ? "if r3 == 3 goto end\n" : "r0 += 5\n");
		text_puts(&text, "*(u32 *)(r2 + 0) = r0\ngoto end\n"
				 "one: *(u32 *)(r2 + 4) = r3\nr0 += 2\ngoto end\n"
				 "two: *(u32 *)(r2 + 8) = r3\nr0 ^= 3\n"
				 "end: r2 += 4\nif r3 != 0 goto loop\nexit\n");
		compile_text(text_str(&text), &opts, &native);
		CHECK((starts_at(&native, END) < starts_at(&native, HEAD)) ==
		      (ways == WAYS));
		/* and behind each of the three that go on to it */
		CHECK_INT(times_there(&native, END), ways == WAYS ? 1 + 3 : 1);
		native_fini(&native);
		text_fini(&text);
	}
}

int main(void)
{
	if (!engine_find("jit"))
		return 77;
	it_uses_what_the_cpu_has();
	code_is_never_writable_and_executable();
	code_lies_between_guards();
	a_system_may_forbid_it();
	time_is_limited();
	others_are_not_disturbed();
	constants_are_blinded();
	offsets_are_blinded();
	circles_end();
	a_loop_lies_well();
	logarithms_are_counted();
	what_is_never_chosen_may_be_deep();
	a_short_loop_with_a_limit_is_there_twice();
	the_end_of_a_loop_lies_in_front_of_it();
	return check_report();
}
