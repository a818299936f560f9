/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time limits hold whatever a program does: loops by hand that look as if they ended soon
 * and do not, and random nests of such loops.
 *
 *	limits [SEED [PROGRAMS]]
 *
 * Each runs twice: as intermediate form, where eval.c counts what is done between two
 * looks, and as native code, which must come back; where both ended by themselves, they
 * agree.  Never verified: what is verified ends anyway.
 */
#include <errno.h>
#include <skep/diag.h>

#include "base/diag.h"
#include "base/text.h"
#include "check.h"
#include "exec/exec.h"
#include "exec/watchdog.h"
#include "helpers/helpers.h"
#include "isa/asm.h"
#include "opt/eval.h"

enum { PROGRAMS = CHECK_IS_SANITIZED ? 10 : 600, EMULATED = 60 };
enum { MAX_NS = 200000, MAX_STEPS = 280000 /* more than may go by without a look */ };
enum { MEMORY = 64 };

struct outcome {
	int err;
	u64 r0;
};

static struct watchdog *dog;

static void set_up(struct run *run, u8 memory[MEMORY])
{
	for (u32 i = 0; i < MEMORY; i++)
		memory[i] = (u8)(i * 37 % 256);
	run->ctx = memory;
}

static struct outcome run_native(const struct prog *prog)
{
	struct image_spec spec = {.prog = prog,
				  .helper = helper_body,
				  .engines = FOR_JIT,
				  .jit = {.time_limit = true}};
	const struct exec_opts opts = {.max_ns = MAX_NS, .watchdog = dog};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct run run = {.opts = &opts, .diag = &diag};
	struct image *image;
	struct outcome out = {.err = -EINVAL};
	u8 memory[MEMORY];

	if (!CHECK(!image_new(&spec, &image, &diag)))
		return out;
	set_up(&run, memory);
	out.err = jit_run(image, &run, &out.r0);
	image_free(image);
	return out;
}

static struct outcome run_form(const struct prog *prog, struct text *listing)
{
	const struct compile_how how = {.passes = true, .time_limit = true};
	struct skep_diag diag = SKEP_DIAG_INIT;
	const struct exec_opts opts = {.max_steps = MAX_STEPS};
	struct run run = {.opts = &opts, .diag = &diag};
	struct outcome out = {.err = -EINVAL};
	struct compiled c;
	u8 memory[MEMORY];

	set_up(&run, memory);
	if (CHECK(!compiled_new(prog, NULL, &how, &c, &diag)) && CHECK(!c.wrong)) {
		ir_print(listing, &c.irs[0]);
		out.err = eval_run(&c, &run, &out.r0);
	}
	compiled_fini(&c);
	return out;
}

/* How many looks are left in the listing? */
static u32 count_looks(const struct text *listing)
{
	u32 n = 0;

	for (const char *at = text_str(listing); (at = strstr(at, "\tcheck\n")); at++)
		n++;
	return n;
}

/* Returns how many jumps back look at the limit. */
static u32 try_text(const char *text)
{
	struct arena arena = ARENA_INIT;
	struct asm_input in = {.text = {(const u8 *)text, strlen(text)}};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct text listing = TEXT_INIT;
	struct asm_unit unit;
	struct asm_linked linked = {0};
	struct outcome form, native;
	u32 looks;

	if (!CHECK(!asm_parse(&in, &arena, &unit, &diag) &&
		   !asm_link(&unit, 0, &arena, &linked, &diag)))
		fprintf(stderr, "%s\n%s\n", diag.text, text);
	const struct prog prog = {
		.name = "main", .insns = linked.insns, .n_insns = linked.n_insns};

	form = run_form(&prog, &listing);
	native = run_native(&prog);
	if (!CHECK(form.err == 0 || form.err == -ETIMEDOUT) ||
	    !CHECK(native.err == 0 || native.err == -ETIMEDOUT) ||
	    !CHECK(form.err || native.err || form.r0 == native.r0))
		fprintf(stderr, "%s\n%s\nform: %d %#llx, native: %d %#llx\n", text,
			text_str(&listing), form.err, (unsigned long long)form.r0,
			native.err, (unsigned long long)native.r0);
	looks = count_looks(&listing);
	text_fini(&listing);
	arena_fini(&arena);
	return looks;
}

/* ---- by hand ---- */

/* None of these ends, or not in the time of a life; each is nearly one that does. */
static const char *const endless[] = {
	/* no step, and one that is none in 32 bits */
	"r1 = 0\nl: r1 += 0\nif r1 != 10 goto l\nexit\n",
	"r1 = 0\nr2 = 1\nr2 <<= 32\nl: r1 += r2\nif w1 != 10 goto l\nr0 = 0\nexit\n",
	/* steps over the end */
	"r0 = 0\nl: r0 += 2\nif r0 != 9 goto l\nexit\n",
	"w0 = 0\nl: w0 += 6\nif w0 != 15 goto l\nexit\n",
	"r0 = 0\nl: r0 += -1\nif r0 != 10 goto l\nexit\n",
	"r0 = 5\nl: r0 += 1\nif r0 != 5 goto l\nexit\n",
	/* runs away from it, wraps, and never meets it */
	"r0 = 0\nl: r0 += -1\nif r0 s< 10 goto l\nexit\n",
	"r0 = 20\nl: r0 += 1\nif r0 > 10 goto l\nexit\n",
	"r0 = 0\nl: r0 += 1\nif r0 s>= 0 goto l\nexit\n",
	"r0 = 0\nl: r0 += 16\nif r0 <= -1 goto l\nexit\n",
	"w0 = 0\nl: w0 += 2\nif w0 < -1 goto l\nexit\n",
	"r0 = 0\nl: r0 += 1\nif w0 <= -1 goto l\nexit\n",
	/* the variable is written, spilled and written, or moved on one way alone */
	"r0 = 0\nl: r0 += 1\nr0 &= 7\nif r0 != 9 goto l\nexit\n",
	"r2 = 0\nl: r2 += 1\nr3 = *(u8 *)(r1 + 0)\nif r3 != 99 goto m\nr2 = 5\n"
	"m: if r3 != 98 goto n\nr2 = 0\nn: r2 &= 3\nif r2 < 10 goto l\nr0 = 0\nexit\n",
	"*(u64 *)(r10 - 8) = 0\nl: r2 = *(u64 *)(r10 - 8)\nr2 += 1\n"
	"*(u64 *)(r10 - 8) = r2\n*(u64 *)(r10 - 8) = 3\nif r2 != 10 goto l\nr0 = "
	"0\nexit\n",
	"r2 = r10\nr2 += -8\n*(u64 *)(r10 - 8) = 0\nl: r3 = *(u64 *)(r10 - 8)\nr3 += 1\n"
	"*(u64 *)(r10 - 8) = r3\n*(u8 *)(r2 + 0) = 0\nif r3 != 300 goto l\nr0 = "
	"0\nexit\n",
	"r0 = 0\nl: r2 = *(u8 *)(r1 + 0)\nif r2 != 99 goto m\nr0 += 1\nm: if r0 < 10 "
	"goto l\n"
	"exit\n",
	/* the end moves */
	"r0 = 0\nr2 = 10\nl: r0 += 1\nr2 += 1\nif r0 != r2 goto l\nexit\n",
	"r0 = 0\nr2 = 10\nl: r0 += 1\nr2 = r0\nr2 += 1\nif r0 < r2 goto l\nexit\n",
	"r0 = 0\nl: r2 = *(u8 *)(r1 + 0)\nr0 += 1\nr0 &= 1\nif r0 <= r2 goto l\nexit\n",
	/* what it starts with is beyond the end, or not known */
	"r2 = *(u8 *)(r1 + 1)\nr2 &= 3\nr2 -= 1\nr2 &= 1\nr2 ^= 1\nr0 = r2\nr0 &= 0\n"
	"l: r0 -= 1\nif r0 != 0 goto l\nexit\n",
	"r2 = *(u8 *)(r1 + 1)\nif r2 == 0 goto l\nr2 = *(u8 *)(r1 + 0)\n"
	"l: r2 -= 1\nif r2 != 0 goto l\nr0 = 0\nexit\n",
	"r2 = *(u8 *)(r1 + 1)\nl: r2 += 1\nif r2 != 30 goto l\nr0 = 0\nexit\n",
	/* what is shifted never runs out, or nobody asks for zero */
	"r0 = -1\nl: r0 s>>= 1\nif r0 != 0 goto l\nexit\n",
	"r0 = -1\nl: r0 >>= 64\nr0 |= 1\nif r0 != 0 goto l\nexit\n",
	"r0 = 7\nl: r0 >>= 1\nif r0 != 9 goto l\nexit\n",
	"r0 = 7\nl: r0 /= 1\nif r0 != 0 goto l\nexit\n",
	"r0 = 7\nr2 = 0\nl: r0 >>= r2\nif r0 != 0 goto l\nexit\n",
	/* two jumps back, each of which ends by itself and starts the other again */
	"r2 = 0\nl: r3 = *(u8 *)(r1 + 1)\nr2 += 1\nif r2 < 3 goto l\nr2 = 0\n"
	"if r3 != 99 goto l\nr0 = 0\nexit\n",
	"r2 = 0\na: r3 = 0\nb: r3 += 1\nif r3 < 5 goto b\nr2 += 1\nif r2 < 5 goto b2\nr0 "
	"= 0\n"
	"exit\nb2: r2 &= 1\ngoto a\n",
	/* two ways into a loop */
	"r0 = *(u8 *)(r1 + 1)\nr2 = 0\nr3 = 0\nif r0 != 37 goto b\na: r2 += 1\nr3 = 0\n"
	"b: r3 += 1\nr2 = 0\nif r3 < 2 goto a\nif r3 < 7 goto b\ngoto a\n",
	/* nests that end, but not today */
	"r0 = 0\nr2 = 0\na: r3 = 0\nb: r4 = 0\nc: r0 += r4\nr4 += 1\nif r4 != 4000 goto "
	"c\n"
	"r3 += 1\nif r3 != 4000 goto b\nr2 += 1\nif r2 != 4000 goto a\nexit\n",
	"r0 = 0\nl: r0 += 1\nif r0 != 0x7fffffff goto l\nr2 = 0\nm: r2 += 1\n"
	"if r2 < 0x7fffffff goto m\ngoto l\n",
};

/* These end soon, and nobody has to look. */
static const char *const short_ones[] = {
	"r0 = 0\nl: r0 += 1\nif r0 != 10 goto l\nexit\n",
	"w0 = 0\nl: w0 += -1\nif w0 != -10 goto l\nexit\n",
	"r0 = 100\nl: r0 += -7\nif r0 s> -40 goto l\nexit\n",
	"r0 = 0\nl: r0 += 16\nif r0 < 1000 goto l\nexit\n",
	"r0 = *(u64 *)(r1 + 0)\nl: r0 >>= 3\nif r0 != 0 goto l\nexit\n",
	"r0 = *(u64 *)(r1 + 0)\nl: r2 = r0\nr2 += -1\nr0 &= r2\nif r0 != 0 goto "
	"l\nexit\n",
	"r2 = *(u8 *)(r1 + 1)\nr0 = 0\nl: r0 += 1\nif r0 < r2 goto l\nexit\n",
	"r0 = *(u8 *)(r1 + 1)\nif r0 == 0 goto e\nl: r0 -= 1\nif r0 != 0 goto l\ne: "
	"exit\n",
	"r0 = 0\nr2 = 0\na: r3 = 0\nb: r0 += r3\nr3 += 1\nif r3 < 9 goto b\nr2 += 1\n"
	"if r2 != 9 goto a\nexit\n",
};

/* ---- by chance ---- */

static u64 state;

static u32 random_below(u32 n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)(state >> 20) % n;
}

static const char *one_of(const char *const *list, u32 n)
{
	return list[random_below(n)];
}

#define ONE_OF(...)                                                                      \
	one_of((const char *const[]){__VA_ARGS__},                                       \
	       (u32)ARRAY_SIZE(((const char *const[]){__VA_ARGS__})))

static const char *number(void)
{
	return ONE_OF("0", "1", "2", "3", "5", "8", "10", "16", "63", "100", "255", "256",
		      "1000", "-1", "-2", "-8", "0x7fffffff", "-2147483648", "65535");
}

static void add_start(struct text *t, u32 var)
{
	switch (random_below(4)) {
	case 0: text_printf(t, "r%u = *(u8 *)(r1 + %u)\n", var, random_below(64)); return;
	case 1:
		text_printf(t, "r%u = *(u64 *)(r1 + %u)\n", var, random_below(56));
		text_printf(t, "r%u &= %s\n", var, number());
		return;
	default: text_printf(t, "r%u = %s\n", var, number());
	}
}

static void add_step(struct text *t, u32 var)
{
	const char *w = ONE_OF("r", "r", "w");

	switch (random_below(10)) {
	case 0:
		text_printf(t, "%s%u %s= %s\n", w, var,
			    ONE_OF(">>", "<<", "/", "s>>", "&", "*", "^"),
			    ONE_OF("1", "2", "3", "7"));
		return;
	case 1:
		text_printf(t, "r2 = r%u\nr2 += -1\n%s%u &= %s2\n", var, w, var, w);
		return;
	case 2: text_printf(t, "%s%u -= 1\n", w, var); return;
	case 3: text_printf(t, "%s%u += %s\n", w, var, number()); return;
	default:
		text_printf(t, "%s%u += %s\n", w, var,
			    ONE_OF("1", "1", "-1", "2", "4", "8", "3", "-3"));
	}
}

/* A value that is asked, of the variable, in r2; what it is compared with. */
static void add_jump(struct text *t, u32 var, const char *to)
{
	const char *w = ONE_OF("r", "r", "w");
	const char *row = ONE_OF("==", "!=", "!=", "!=", "<", "<", "<=", ">", ">=", "s<",
				 "s<=", "s>", "s>=", "&");

	text_printf(t, "r2 = r%u\n", var);
	if (!random_below(5))
		text_printf(t, "%s2 %s= %s\n", ONE_OF("r", "w"),
			    ONE_OF("+", "-", "&", "<<", ">>"), ONE_OF("1", "3", "8"));
	if (random_below(4)) {
		text_printf(t, "if %s2 %s %s goto %s\n", w, row, number(), to);
		return;
	}
	text_printf(t, "r3 = *(u8 *)(r1 + %u)\n", random_below(64));
	text_printf(t, "if %s2 %s %s3 goto %s\n", w, row, w, to);
}

enum { VARS = 4, FIRST_VAR = 6 }; /* r6 to r9 */

/* Something that has nothing to do with the loop, or all too much. */
static void add_trouble(struct text *t, u32 var, u32 label)
{
	char to[16];

	switch (random_below(13)) {
	case 12:
		snprintf(to, sizeof(to), "j%u", label);
		add_jump(t, FIRST_VAR + random_below(VARS), to);
		return;
	case 0: text_printf(t, "r%u = r0\n", var); return;
	case 1: add_step(t, var); return;
	case 2: add_start(t, var); return;
	case 3:
		snprintf(to, sizeof(to), "l%u", random_below(label + 1));
		add_jump(t, FIRST_VAR + random_below(VARS), to);
		return;
	case 4:
		snprintf(to, sizeof(to), "e%u", label);
		add_jump(t, var, to);
		return;
	default: text_printf(t, "r0 += r%u\n", var);
	}
}

/* The end of a loop: a branch back, or one over or to bare jumps. */
static void add_back(struct text *t, u32 var, u32 label)
{
	char back[16], out[16], jump[16];
	u32 form = random_below(4);

	snprintf(back, sizeof(back), "l%u", label);
	snprintf(out, sizeof(out), "e%u", label);
	snprintf(jump, sizeof(jump), "j%u", label);
	if (form < 2)
		add_jump(t, var, form ? jump : back);
	else
		add_jump(t, var, out);
	text_printf(t, "goto %s\n", form < 2 ? out : form == 2 ? back : jump);
	text_printf(t, "%s:\ngoto %s\n", jump, random_below(40) ? back : jump);
}

static void add_loop(struct text *t, u32 depth, u32 *labels)
{
	u32 var = FIRST_VAR + depth, label = (*labels)++;
	char back[16], out[16];
	bool top = !random_below(4);

	snprintf(back, sizeof(back), "l%u", label);
	snprintf(out, sizeof(out), "e%u", label);
	add_start(t, var);
	if (!random_below(4))
		text_printf(t, "if r%u == 0 goto %s\n", var, out);
	text_printf(t, "%s:\n", back);
	if (top)
		add_jump(t, var, out);
	add_trouble(t, var, label);
	if (depth + 1 < VARS && random_below(3))
		add_loop(t, depth + 1, labels);
	add_step(t, var);
	if (top)
		text_printf(t, "j%u:\ngoto %s\n", label, back);
	else
		add_back(t, var, label);
	text_printf(t, "%s:\n", out);
}

static u32 try_random(void)
{
	struct text t = TEXT_INIT;
	u32 labels = 0, n = 1 + random_below(2), looks;

	text_printf(&t, "r0 = 0\nr6 = 1\nr7 = 2\nr8 = 3\nr9 = 4\n");
	while (n--)
		add_loop(&t, random_below(2), &labels);
	text_printf(&t, "exit\n");
	looks = try_text(text_str(&t));
	text_fini(&t);
	return labels > looks ? labels - looks : 0;
}

int main(int argc, char **argv)
{
	u32 programs = check_is_emulated() ? EMULATED : PROGRAMS, lost = 0;

	state = argc > 1 ? strtoull(argv[1], NULL, 0) : 0x5eed;
	if (argc > 2)
		programs = (u32)atoi(argv[2]);
	CHECK(!watchdog_new(2, &dog, NULL));
	for (u32 i = 0; i < ARRAY_SIZE(endless); i++)
		CHECK(try_text(endless[i]) > 0);
	for (u32 i = 0; i < ARRAY_SIZE(short_ones); i++)
		CHECK_INT(try_text(short_ones[i]), 0);
	for (u32 i = 0; i < programs; i++)
		lost += try_random();
	CHECK(!programs || lost);
	watchdog_free(dog);
	return check_report();
}
