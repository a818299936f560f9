/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler makes one instruction of, in all the forms in which programs write
 * it: comparisons that are added, of sums and others; leading zeroes; logarithms;
 * checksums bit by bit; loads behind bits.  Each form is written out with every register
 * width, relation and constant, compiled for CPUs that have everything and for those that
 * have nothing, and must compute what the interpreter does.
 */
#include <stdio.h>
#include <string.h>

#include <skep/diag.h>

#include "base/arena.h"
#include "check.h"
#include "exec/exec.h"
#include "exec/jit/jit.h"
#include "helpers/helpers.h"
#include "isa/asm.h"

enum { WORDS = 4, MAX_TEXT = 2048 };

static const u64 edges[] = {
	0,
	1,
	2,
	0x7f,
	0xff,
	0x100,
	0x7fff,
	0x7fffffff,
	0x80000000,
	0xfffffffe,
	0xffffffff,
	0x100000000,
	0x8000000000000000,
	0xfffffffffffffffe,
	0xffffffffffffffff,
	0x123456789abcdef0,
};

static const struct jit_opts machines[] = {
	{0},
	{.without = UINT32_MAX},
	{.harden = JIT_BLIND},
};

/* What stands for %w, %r, %o and %k. */
struct choice {
	char width;
	const char *relation, *op;
	s32 constant;
};

/* The form with a choice put in. */
static void write_out(char text[MAX_TEXT], const char *form, const struct choice *c)
{
	u32 n = 0;

	for (; *form && n < MAX_TEXT - 16; form++) {
		if (*form != '%') {
			text[n++] = *form;
			continue;
		}
		switch (*++form) {
		case 'w': text[n++] = c->width; break;
		case 'r': n += (u32)sprintf(text + n, "%s", c->relation); break;
		case 'o': n += (u32)sprintf(text + n, "%s", c->op); break;
		default: n += (u32)sprintf(text + n, "%d", c->constant); break;
		}
	}
	text[n] = 0;
}

static int assemble(const char *text, struct arena *arena, struct prog *out)
{
	struct asm_input in = {.text = {(const u8 *)text, strlen(text)}};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct asm_linked linked = {0};
	struct asm_unit unit;
	int err = asm_parse(&in, arena, &unit, &diag);

	if (!err)
		err = asm_link(&unit, 0, arena, &linked, &diag);
	if (!CHECK(!err)) {
		fprintf(stderr, "%s\n%s\n", text, diag.text);
		return err;
	}
	struct prog prog = {
		.name = "main", .insns = linked.insns, .n_insns = linked.n_insns};

	memcpy(out, &prog, sizeof(prog));
	return 0;
}

static struct image *image_of(const struct prog *prog, const struct jit_opts *jit)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct image_spec spec = {.prog = prog, .helper = helper_body, .jit = *jit};
	struct image *image = NULL;

	if (!CHECK(!image_new(&spec, &image, &diag)))
		fprintf(stderr, "%s\n", diag.text);
	return image;
}

struct outcome {
	u64 r0, memory[WORDS];
};

static void run_on(const struct engine *engine, const struct image *image,
		   const u64 words[WORDS], struct outcome *out)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct mem_region region = {"memory", out->memory, sizeof(out->memory), true};
	struct exec_opts opts = {.regions = &region, .n_regions = 1};
	struct run run = {.ctx = out->memory, .opts = &opts, .diag = &diag};

	memcpy(out->memory, words, sizeof(out->memory));
	CHECK(!engine->run(image, &run, &out->r0));
}

static void run_with(const char *text, const struct image *image)
{
	static const u64 seed[WORDS] = {0, 0, 0x1122334455667788, 3};
	const struct engine *reference = engine_at(0), *other;
	struct outcome wanted = {0}, got = {0};
	u64 words[WORDS];

	memcpy(words, seed, sizeof(words));
	for (u32 i = 0; i < ARRAY_SIZE(edges) * ARRAY_SIZE(edges); i++) {
		words[0] = edges[i / ARRAY_SIZE(edges)];
		words[1] = edges[i % ARRAY_SIZE(edges)];
		run_on(reference, image, words, &wanted);
		for (u32 e = 1; (other = engine_at(e)); e++) {
			run_on(other, image, words, &got);
			if (!CHECK(!memcmp(&wanted, &got, sizeof(got)))) {
				fprintf(stderr, "%s: %#llx, %#llx\n%s\n", other->name,
					(unsigned long long)words[0],
					(unsigned long long)words[1], text);
				return;
			}
		}
	}
}

static void try_form(const char *form, const struct choice *choice)
{
	struct arena arena = ARENA_INIT;
	char text[MAX_TEXT];
	struct prog prog;

	write_out(text, form, choice);
	for (u32 i = 0; i < ARRAY_SIZE(machines); i++) {
		struct image *image = NULL;

		if (!assemble(text, &arena, &prog))
			image = image_of(&prog, &machines[i]);
		if (image)
			run_with(text, image);
		image_free(image);
	}
	arena_fini(&arena);
}

/* ---- carries ---- */

#define LOADS                                                                            \
	"r6 = r1\nr2 = *(u64 *)(r6 + 0)\nr3 = *(u64 *)(r6 + 8)\nr4 = *(u64 *)(r6 + "     \
	"16)\n"

/* R2, R3 and R4 are numbers from memory. */
static const char *const carries[] = {
	/* a sum, and whether it was too large; by the other addend; the sum in a jump */
	LOADS "%w2 += %w3\n%w5 = 1\nif %w2 %r %w3 goto +1\n%w5 = 0\n%w2 %o %w5\n"
	      "r0 = r2\nexit\n",
	LOADS "%w7 = %w2\n%w2 += %w3\n%w5 = 1\nif %w7 %r %w2 goto +1\n%w5 = 0\n"
	      "%w4 %o %w5\nr0 = r4\nr0 += r2\nexit\n",
	LOADS "%w2 += %w3\nr0 = 1\nif %w2 %r %w3 goto +1\n*(u64 *)(r6 + 24) = r2\nexit\n",
	/* any comparison; with what the memory was before; the sum of two of them */
	LOADS "%w5 = 1\nif %w2 %r %w3 goto +1\n%w5 = 0\n%w4 %o %w5\nr0 = r4\nexit\n",
	LOADS "%w5 = 1\nif %w2 %r %k goto +1\n%w5 = 0\n%w4 %o %w5\nr0 = r4\nexit\n",
	LOADS "r5 = 1\nif %w2 %r %w3 goto +1\nr5 = 0\nr0 = 1\nif %w3 %r %k goto +1\n"
	      "r0 = 0\n%w0 %o %w5\nexit\n",
	LOADS "%w5 = 1\nif %w2 %r %w3 goto +1\n%w5 = 0\nr0 = %k\n%w0 %o %w5\nexit\n",
	LOADS "%w5 = 1\nif %w2 %r %w3 goto +1\n%w5 = 0\n%w3 %o %w5\nr0 = r3\nexit\n",
	"r6 = r1\nr4 = *(u64 *)(r6 + 8)\nr2 = *(u8 *)(r6 + 0)\n%w5 = 1\n"
	"if %w2 %r %k goto +1\n%w5 = 0\n*(u64 *)(r6 + 0) = r4\n%w4 %o %w5\n"
	"r0 = r4\nexit\n",
	"r6 = r1\nr4 = *(u64 *)(r6 + 8)\nr2 = *(u8 *)(r6 + 0)\n%w5 = 1\n"
	"if %w2 %r %k goto +1\n%w5 = 0\n%w4 %o %w5\nr0 = r4\nexit\n",
	"r6 = r1\nr4 = *(u64 *)(r6 + 8)\nr2 = *(u32 *)(r6 + 0)\n%w5 = 1\n"
	"if %w2 %r %k goto +1\n%w5 = 0\n%w4 %o %w5\nr0 = r4\nexit\n",
	/* constants added */
	LOADS "%w7 = %w2\n%w7 += %k\n%w5 = 1\nif %w7 %r %w2 goto +1\n%w5 = 0\n"
	      "%w4 %o %w5\nr0 = r4\nr0 += r7\nexit\n",
	LOADS "%w2 += %k\n%w5 = 1\nif %w2 %r %k goto +1\n%w5 = 0\n%w2 %o %w5\n"
	      "r0 = r2\nexit\n",
	LOADS "%w7 = %w2\n%w7 -= %k\nif %w2 %r %k goto +1\n*(u64 *)(r6 + 24) = r7\n"
	      "r0 = r7\nexit\n",
	LOADS "%w7 = %w2\n%w7 -= %w3\nif %w2 %r %w3 goto +1\n*(u64 *)(r6 + 24) = r7\n"
	      "r0 = r7\nexit\n",
	/* in a loop, from one round to the next: by what was read, and by what was there
	 */
	"r6 = r1\nr2 = 0\nr0 = 0\nr3 = *(u64 *)(r6 + 0)\n%w0 += %w3\n%w5 = 1\n"
	"if %w0 %r %w3 goto +1\n%w5 = 0\n%w0 %o %w5\nr6 += 8\nr2 += 1\n"
	"if r2 != 3 goto -9\nexit\n",
	"r6 = r1\nr2 = 0\nr0 = 0\nr3 = *(u64 *)(r6 + 0)\n%w4 = %w0\n%w0 += %w3\n%w5 = 1\n"
	"if %w0 %r %w4 goto +1\n%w5 = 0\n%w0 %o %w5\nr6 += 8\nr2 += 1\n"
	"if r2 != 3 goto -10\nexit\n",
};

/* Where it is slow: some, others of each form; 19 has no factor in common. */
static u32 sampling(void)
{
	return CHECK_IS_SANITIZED || check_is_emulated() ? 19 : 1;
}

static void carries_of(const char *form)
{
	static const char *const relations[] = {"<", "<=", ">", ">=", "==", "!=", "s<"};
	static const s32 constants[] = {
		0, 1, -1, 254, 255, 32767, 32768, INT32_MAX - 1, INT32_MAX, INT32_MIN};
	u32 n = strstr(form, "%k") ? ARRAY_SIZE(constants) : 1, step = sampling();

	for (u32 i = (u32)strlen(form) % step; i < ARRAY_SIZE(relations) * 4 * n;
	     i += step)
		try_form(form,
			 &(struct choice){
				 .width = i & 1 ? 'w' : 'r',
				 .op = i & 2 ? "-=" : "+=",
				 .relation = relations[i / 4 % ARRAY_SIZE(relations)],
				 .constant = constants[i / 4 / ARRAY_SIZE(relations)],
			 });
}

/* ---- leading zeroes ---- */

#define SMEAR(by) "%w5 = %w2\n%w5 >>= " by "\n%w2 |= %w5\n"
#define COUNT_32                                                                         \
	"w3 = w2\nw3 >>= 1\nw3 &= 0x55555555\nw2 -= w3\nw3 = w2\nw3 &= 0x33333333\n"     \
	"w2 >>= 2\nw2 &= 0x33333333\nw3 += w2\nw2 = w3\nw2 >>= 4\nw3 += w2\n"            \
	"w3 &= 0x0f0f0f0f\nw3 *= 0x01010101\nw3 >>= 24\n"
#define COUNT_64                                                                         \
	"r3 = r2\nr3 >>= 1\nr5 = 0x5555555555555555 ll\nr3 &= r5\nr2 -= r3\nr3 = r2\n"   \
	"r5 = 0x3333333333333333 ll\nr3 &= r5\nr2 >>= 2\nr2 &= r5\nr3 += r2\nr2 = r3\n"  \
	"r2 >>= 4\nr3 += r2\nr5 = 0x0f0f0f0f0f0f0f0f ll\nr3 &= r5\n"                     \
	"r5 = 0x0101010101010101 ll\nr3 *= r5\nr3 >>= 56\n"

/* The right %k makes it a count of leading zeroes; of any other the bits are counted, and
 * the same where what was smeared is needed. */
static const char *const counts_32[] = {
	LOADS SMEAR("1") SMEAR("2") SMEAR("4") SMEAR("%k")
		SMEAR("16") "w2 ^= -1\n" COUNT_32 "r0 = r3\nexit\n",
	LOADS SMEAR("1") SMEAR("2") SMEAR("4") SMEAR("%k")
		SMEAR("16") "r4 = r2\n"
			    "w2 ^= -1\n" COUNT_32 "r0 = r3\nr0 += r4\nexit\n",
	LOADS "r2 >>= 32\n" SMEAR("1") SMEAR("2") SMEAR("4") SMEAR("8")
		SMEAR("16") "w2 ^= %k\n" COUNT_32 "r0 = r3\nexit\n",
};
static const char *const counts_64[] = {
	LOADS SMEAR("1") SMEAR("2") SMEAR("4") SMEAR("%k") SMEAR("16")
		SMEAR("32") "r2 ^= -1\n" COUNT_64 "r0 = r3\nexit\n",
	LOADS SMEAR("1") SMEAR("2") SMEAR("4") SMEAR("8") SMEAR("16")
		SMEAR("32") "r2 ^= %k\n" COUNT_64 "r0 = r3\nr0 ^= 63\nexit\n",
	"r2 = *(u32 *)(r1 + 4)\n" SMEAR("1") SMEAR("2") SMEAR("4") SMEAR("8") SMEAR("16")
		SMEAR("32") "r2 ^= -1\n" COUNT_64 "r0 = r3\nexit\n",
};

static void counts_of(const char *form, char width)
{
	static const s32 constants[] = {8, 7, 16, -1, 1};

	for (u32 i = 0; i < ARRAY_SIZE(constants); i++)
		if (constants[i] > 0 || strstr(form, "^= %k"))
			try_form(form, &(struct choice){.width = width,
							.constant = constants[i]});
}

/* ---- logarithms ---- */

#define BY_SHIFT(w, bound, bits)                                                         \
	w "5 = 1\nif " w "2 > " bound " goto +1\n" w "5 = 0\nw5 <<= " bits               \
	  "\nw2 >>= w5\nw4 |= w5\n"
#define BY_JUMP(bound, by, adds)                                                         \
	"if w2 < " bound " goto +2\nw2 >>= " by "\nw4 " adds " " by "\n"
#define LAST "w2 >>= 1\nw4 |= w2\nr0 = r4\nexit\n"

/* In most the right %k makes it a logarithm, with any other it is computed as it stands;
 * in two %k is added to one.  %w says whether the upper half is asked for, too. */
static const char *const logarithms[] = {
	LOADS "w4 = 0\n" BY_SHIFT("w", "65535", "4") BY_SHIFT("w", "255", "3")
		BY_SHIFT("w", "%k", "2") BY_SHIFT("w", "3", "1") LAST,
	LOADS "w4 = 0\n" BY_SHIFT("%w", "65535", "4") BY_SHIFT("w", "255", "3")
		BY_SHIFT("w", "15", "2")
			BY_SHIFT("w", "3", "1") "w2 >>= 1\nw4 += w2\n"
						"r0 = r4\nr0 += %k\nexit\n",
	/* the upper half, asked for in the whole; and where there is none */
	LOADS "w4 = 0\nr5 = 0x1000000000000 ll\n%w7 = %w2\nr2 >>= 32\nw3 = 1\n"
	      "if r7 >= r5 goto +1\nw3 = 0\nw3 <<= 4\nw2 >>= w3\nw4 |= w3\n" BY_SHIFT(
		      "w", "255", "3") BY_SHIFT("w", "%k", "2") BY_SHIFT("w", "3", "1")
		      LAST,
	LOADS
	"w4 = 0\nr5 = 0x100000000 ll\nif %w2 < %w5 goto +2\nr0 = r2\nexit\n" BY_SHIFT(
		"r", "65535", "4") BY_SHIFT("w", "255", "3") BY_SHIFT("w", "%k", "2")
		BY_SHIFT("w", "3", "1") LAST,
	LOADS "w4 = 0\n" BY_JUMP("65536", "16", "+=") BY_JUMP("256", "8", "+=")
		BY_JUMP("16", "4", "|=")
			BY_JUMP("4", "2", "+=") "w2 >>= 1\nw4 += w2\n"
						"r0 = r4\nr0 ^= %k\nexit\n",
	LOADS "w4 = 0\n" BY_JUMP("65536", "16", "+=") BY_JUMP("256", "8", "+=")
		BY_JUMP("16", "%k", "|=") BY_JUMP("4", "2", "+=") LAST,
	/* a number and a sum on the way are needed, too */
	LOADS
	"w4 = 0\n" BY_SHIFT("%w", "65535", "4") "w7 = w2\n" BY_SHIFT("w", "255", "3")
		BY_SHIFT("w", "%k", "2") "w3 = w4\n" BY_SHIFT(
			"w", "3",
			"1") "w2 >>= 1\nw4 |= w2\nr0 = r4\nr0 <<= 32\nr0 += r7\n"
			     "r0 += r3\nexit\n",
};

static void logarithms_of(const char *form)
{
	static const s32 constants[] = {15, 4, 16, 14, 3};

	for (u32 i = 0; i < 2 * ARRAY_SIZE(constants); i++)
		try_form(form, &(struct choice){.width = i % 2 ? 'w' : 'r',
						.constant = constants[i / 2]});
}

/* ---- checksums ---- */

#define EIGHT(step) step step step step step step step step
#define RIGHT       "%w3 = %w2\n%w3 &= 1\n%w2 >>= 1\nif %w3 == 0 goto +1\n%w2 ^= %k\n"
#define RIGHT_MASK  "%w3 = %w2\n%w3 &= 1\n%w3 = -%w3\n%w3 &= %k\n%w2 >>= 1\n%w2 ^= %w3\n"
#define LEFT        "%w3 = %w2\n%w2 <<= 1\nif %w3 s>= 0 goto +1\n%w2 ^= %k\n"
#define LEFT_16     "%w3 = %w2\n%w3 &= 0x8000\n%w2 <<= 1\nif %w3 == 0 goto +1\n%w2 ^= %k\n"

static const char *const checksums[] = {
	LOADS EIGHT(RIGHT) "r0 = r2\nexit\n",
	LOADS EIGHT(RIGHT_MASK) "r0 = r2\nexit\n",
	LOADS EIGHT(LEFT) "r0 = r2\nexit\n",
	LOADS EIGHT(LEFT_16) "r0 = r2\nexit\n",
	LOADS EIGHT(LEFT_16) "r0 = r2\nr0 &= 0xffff\nexit\n",
	LOADS "w2 = w2\n" EIGHT(RIGHT) EIGHT(RIGHT) "r0 = r2\nexit\n",
	"r2 = *(u16 *)(r1 + 2)\n" EIGHT(
		LEFT_16) "*(u16 *)(r1 + 16) = r2\nr0 = r2\nexit\n",
};

static void checksums_of(const char *form)
{
	static const s32 constants[] = {1, 0x1021, INT32_MIN, (s32)0xedb88320, -1};

	for (u32 i = 0; i < 2 * ARRAY_SIZE(constants); i++)
		try_form(form, &(struct choice){.width = i % 2 ? 'w' : 'r',
						.constant = constants[i / 2]});
}

/* ---- loads behind bits ---- */

#define BITS(start, load, change)                                                        \
	"r6 = r1\nr2 = *(u64 *)(r6 + 0)\nr0 = *(" start " *)(r6 + 8)\nr3 = 0\n"          \
	"r4 = r2\nr4 &= %k\nif r4 %r 0 goto +2\nr5 = *(" load " *)(r6 + 0)\n" change     \
	"\nr6 += 8\n%w2 <<= 1\nr3 += 1\nif r3 != 4 goto -9\nexit\n"

static const char *const loads[] = {
	BITS("u64", "u64", "%w0 %o %w5"), BITS("u32", "u32", "%w0 %o %w5"),
	BITS("u32", "u16", "w0 %o w5"),   BITS("u64", "u8", "w5 %o w0"),
	BITS("u16", "u64", "w0 %o w5"),   BITS("u64", "u32", "r0 %o r0"),
};

static void loads_of(const char *form)
{
	static const char *const ops[] = {"+=", "^=", "|=", "-=", "&="};
	static const s32 constants[] = {1, 128, INT32_MIN, 6};

	u32 step = sampling();

	for (u32 i = (u32)strlen(form) % step;
	     i < 4 * ARRAY_SIZE(ops) * ARRAY_SIZE(constants); i += step)
		try_form(form, &(struct choice){
				       .width = i & 1 ? 'w' : 'r',
				       .relation = i & 2 ? "==" : "!=",
				       .op = ops[i / 4 % ARRAY_SIZE(ops)],
				       .constant = constants[i / 4 / ARRAY_SIZE(ops)],
			       });
}

int main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(loads); i++)
		loads_of(loads[i]);
	for (u32 i = 0; i < ARRAY_SIZE(checksums); i++)
		checksums_of(checksums[i]);
	for (u32 i = 0; i < ARRAY_SIZE(carries); i++)
		carries_of(carries[i]);
	for (u32 i = 0; i < ARRAY_SIZE(logarithms); i++)
		logarithms_of(logarithms[i]);
	for (u32 i = 0; i < ARRAY_SIZE(counts_32); i++) {
		counts_of(counts_32[i], 'w');
		counts_of(counts_64[i], 'r');
	}
	return check_report();
}
