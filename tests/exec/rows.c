/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every row of alu.def, jmp.def and the byte swaps, in every width and operand form, on
 * edge and random operands: both engines compute what eval.h says, and eval.h says what
 * the live kernel computes.  One program a form and immediate; operands come from memory.
 */
#include <stdlib.h>

#include <skep/diag.h>

#include "check.h"
#include "exec/exec.h"
#include "isa/eval.h"
#include "kernel.h"

static const u64 edges[] = {
	0,
	1,
	2,
	3,
	13,
	31,
	32,
	33,
	63,
	64,
	0x7f,
	0x80,
	0xff,
	0x7fff,
	0x8000,
	0x7fffffff,
	0x80000000,
	0x80000001,
	0xffffffff,
	0x100000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0x8000000000000001,
	0xfffffffffffffff3,
	0xffffffff80000000,
	0xffffffffffffffff,
	0x1122334455667788,
	0x8899aabbccddeeff,
};
enum { EDGES = ARRAY_SIZE(edges), RANDOM = 20 };

static u64 operands[EDGES + RANDOM];
static u32 n_operands = EDGES + RANDOM; /* or EDGES, where that takes long */

struct memory {
	u64 a, b, result;
};

/* What the row says; jumps give 1 when taken. */
static u64 evaluate(enum op op, u64 a, u64 b)
{
	switch ((int)op) {
#define ALU(name, w)                                                                     \
	case OP_##name##w##_K:                                                           \
	case OP_##name##w##_X:                                                           \
		return alu##w##_##name(a, b);
#define A(name, ...) ALU(name, 64) ALU(name, 32)
#include "isa/alu.def"
#undef A
#define JMP(name, w)                                                                     \
	case OP_##name##w##_K:                                                           \
	case OP_##name##w##_X:                                                           \
		return jmp##w##_##name(a, b);
#define J(name, ...) JMP(name, 64) JMP(name, 32)
#include "isa/jmp.def"
#undef J
#define END(bits)                                                                        \
	case OP_LE##bits: return end_LE##bits(a);                                        \
	case OP_BE##bits: return end_BE##bits(a);                                        \
	case OP_BSWAP##bits: return end_BSWAP##bits(a);
		END(16)
		END(32)
		END(64)
	}
	return 0;
}

/* R1: struct memory.  The instruction works on R3 and R4; its result is stored. */
static const struct insn before[] = {
	{CLASS_LDX | MODE_MEM | 0x18, R3, R1, 0, 0},
	{CLASS_LDX | MODE_MEM | 0x18, R4, R1, 8, 0},
};
static const struct insn taken_or_not[] = {
	{CLASS_ALU64 | 0xb0, R3, 0, 0, 0},
	{CLASS_JMP, 0, 0, 1, 0},
	{CLASS_ALU64 | 0xb0, R3, 0, 0, 1},
};
static const struct insn after[] = {
	{CLASS_STX | MODE_MEM | 0x18, R1, R3, 16, 0},
	{CLASS_ALU64 | 0xb0, R0, 0, 0, 2},
	{CLASS_JMP | 0x90, 0, 0, 0, 0},
};
/* The same on the first 24 bytes of an XDP packet. */
static const struct insn from_packet[] = {
	{CLASS_LDX | MODE_MEM, R2, R1, 4, 0},
	{CLASS_LDX | MODE_MEM, R1, R1, 0, 0},
	{CLASS_ALU64 | 0xb8, R3, R1, 0, 0},
	{CLASS_ALU64, R3, 0, 0, sizeof(struct memory)},
	{CLASS_JMP | 0xb8, R3, R2, 2, 0}, /* if r3 <= r2 goto +2 */
	{CLASS_ALU64 | 0xb0, R0, 0, 0, 0},
	{CLASS_JMP | 0x90, 0, 0, 0, 0},
};

enum { MAX_CODE = 32 };

struct program {
	struct insn insns[MAX_CODE];
	u32 n;
};

static void add(struct program *p, const struct insn *insns, u32 n)
{
	memcpy(p->insns + p->n, insns, n * sizeof(*insns));
	p->n += n;
}

/* How the instruction is tried. */
enum form {
	PLAIN,
	ON_PACKET, /* as Linux runs it */
	MOVED,     /* after R5 = R3, on R5, and back: engines make one of a move and what
		      follows it */
	MOVED32,
	BY_CONSTANT, /* R4 is a constant, of 64 bits */
};

static const struct insn move_there[] = {{CLASS_ALU64 | 0xb8, R5, R3, 0, 0}};
static const struct insn move_there32[] = {{CLASS_ALU | 0xb8, R5, R3, 0, 0}};
static const struct insn move_back[] = {{CLASS_ALU64 | 0xb8, R3, R5, 0, 0}};

static void build(struct program *p, struct insn insn, u64 b, enum form form)
{
	bool jump = op_info(decode(&insn))->kind == KIND_JMP;
	struct insn constant[] = {{.code = 0x18, .dst_reg = R4, .imm = (s32)b},
				  {.imm = (s32)(b >> 32)}};

	p->n = 0;
	if (form == ON_PACKET)
		add(p, from_packet, ARRAY_SIZE(from_packet));
	add(p, before, ARRAY_SIZE(before));
	if (form == BY_CONSTANT)
		add(p, constant, ARRAY_SIZE(constant));
	if (form == MOVED)
		add(p, move_there, 1);
	if (form == MOVED32)
		add(p, move_there32, 1);
	if (form == MOVED || form == MOVED32)
		insn.dst_reg = R5;
	if (jump)
		insn.off = 2;
	add(p, &insn, 1);
	if (jump)
		add(p, taken_or_not, ARRAY_SIZE(taken_or_not));
	else if (insn.dst_reg == R5)
		add(p, move_back, 1);
	add(p, after, ARRAY_SIZE(after));
}

static helper_fn no_helper(u32 number)
{
	(void)number;
	return NULL;
}

static void complain(const struct insn *insn, const char *engine,
		     const struct memory *mem, u64 want)
{
	fprintf(stderr, "%s %s: a=%#llx b=%#llx imm=%d: wanted %#llx, got %#llx\n",
		engine, op_info(decode(insn))->name, (unsigned long long)mem->a,
		(unsigned long long)mem->b, insn->imm, (unsigned long long)want,
		(unsigned long long)mem->result);
}

static void run_form_on_engines(const struct insn *insn, u64 b, enum form form)
{
	enum op op = decode(insn);
	struct program program;
	struct image *image = NULL;
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct memory mem;
	struct mem_region region = {"memory", &mem, sizeof(mem), true};
	struct exec_opts opts = {.regions = &region, .n_regions = 1};

	build(&program, *insn, b, form);
	struct prog prog = {.insns = program.insns, .n_insns = program.n};
	struct image_spec spec = {.prog = &prog, .helper = no_helper};

	if (!CHECK(!image_new(&spec, &image, &diag))) {
		fprintf(stderr, "%s: %s\n", op_info(op)->name, diag.text);
		return;
	}
	for (u32 e = 0; engine_at(e); e++)
		for (u32 i = 0; i < n_operands; i++) {
			struct run run = {.ctx = &mem, .opts = &opts, .diag = &diag};
			u64 a = form == MOVED32 ? (u32)operands[i] : operands[i];
			u64 ret = 0, want = evaluate(op, a, b);

			mem = (struct memory){.a = operands[i], .b = b};
			if (engine_at(e)->run(image, &run, &ret) || ret != 2)
				mem.result = ~want;
			if (!CHECK(mem.result == want))
				complain(insn, engine_at(e)->name, &mem, want);
		}
	image_free(image);
}

static void run_engines(const struct insn *insn, u64 b)
{
	run_form_on_engines(insn, b, PLAIN);
	run_form_on_engines(insn, b, MOVED);
	run_form_on_engines(insn, b, MOVED32);
	if (insn->code & SRC_X)
		run_form_on_engines(insn, b, BY_CONSTANT);
}

static void run_kernel(const struct insn *insn, u64 b)
{
	struct program program;
	char log[4096] = "";
	u8 packet[64];
	int fd;

	build(&program, *insn, b, ON_PACKET);
	fd = kernel_load(BPF_PROG_TYPE_XDP, program.insns, program.n, log, sizeof(log));
	if (!CHECK(fd >= 0)) {
		fprintf(stderr, "%s: %s\n", op_info(decode(insn))->name, log);
		return;
	}
	for (u32 i = 0; i < n_operands; i++) {
		u64 want = evaluate(decode(insn), operands[i], b);
		struct memory mem = {.a = operands[i], .b = b, .result = ~want};
		u32 len = sizeof(packet), ret = 0;

		memset(packet, 0, sizeof(packet));
		memcpy(packet, &mem, sizeof(mem));
		CHECK(!kernel_run(fd, (struct bytes){packet, sizeof(packet)}, packet,
				  &len, &ret));
		CHECK_INT(ret, 2);
		memcpy(&mem, packet, sizeof(mem));
		if (!CHECK(mem.result == want))
			complain(insn, "kernel", &mem, want);
	}
	close(fd);
}

typedef void (*runner)(const struct insn *insn, u64 b);

static void run_row(struct insn insn, u32 step, runner run)
{
	bool immediate = !(insn.code & SRC_X);

	if (op_info(decode(&insn))->kind == KIND_END || (insn.code & 0xf0) == 0x80) {
		run(&insn, 0);
		return;
	}
	for (u32 i = 0; i < n_operands; i += step) {
		if (immediate)
			insn.imm = (s32)operands[i];
		run(&insn, immediate ? (u64)(s64)insn.imm : operands[i]);
	}
}

/* Linux refuses to load a division by a constant zero and shifts by constants that are
 * too large. */
static bool kernel_takes(const struct insn *insn, u64 b)
{
	u8 code = insn->code & 0xf0, class = insn_class(insn->code);
	u32 width = class == CLASS_ALU64 ? 64 : 32;

	if (insn->code & SRC_X || (class != CLASS_ALU && class != CLASS_ALU64))
		return true;
	if (code == 0x30 || code == 0x90)
		return b != 0;
	if (code == 0x60 || code == 0x70 || code == 0xc0)
		return b < width;
	return true;
}

static void kernel_if_it_takes(const struct insn *insn, u64 b)
{
	if (kernel_takes(insn, b))
		run_kernel(insn, b);
}

/* Every slot that decodes to a row, found by trying them all: nothing to forget. */
static u32 run_rows(runner run, u32 step)
{
	static const s16 offs[] = {0, 1, 8, 16, 32};
	static const s32 imms[] = {0, 16, 32, 64};
	bool seen[OPS] = {0};
	u32 n = 0;

	for (u32 i = 0; i < 256 * ARRAY_SIZE(offs) * ARRAY_SIZE(imms) * 2; i++) {
		struct insn insn = {.code = (u8)i, .dst_reg = R3};
		enum op op;

		insn.off = offs[i / 256 % ARRAY_SIZE(offs)];
		insn.imm = imms[i / 256 / ARRAY_SIZE(offs) % ARRAY_SIZE(imms)];
		insn.src_reg = insn.code & SRC_X && i >= 256 * 20 ? R4 : 0;
		op = decode(&insn);
		if (seen[op] || (insn.code & SRC_X && op_info(op)->kind != KIND_END &&
				 insn.src_reg != R4))
			continue;
		if (op_info(op)->kind != KIND_ALU && op_info(op)->kind != KIND_JMP &&
		    op_info(op)->kind != KIND_END)
			continue;
		seen[op] = true;
		n++;
		run_row(insn, step, run);
	}
	return n;
}

static u64 random_number(void)
{
	static u64 x = 0x2545f4914f6cdd1d;

	x ^= x << 13, x ^= x >> 7, x ^= x << 17;
	return x >> (x & 0x30);
}

/* Around multiples of the divisor, where a reciprocal that is not quite right shows. */
static void divide_by(u64 d)
{
	static const u8 codes[] = {CLASS_ALU64 | SRC_X, CLASS_ALU | SRC_X};
	static const u64 quotients[] = {0, 1, UINT64_MAX};

	for (u32 i = EDGES / 2; i < n_operands; i++) {
		u64 most = (i & 1 ? UINT64_MAX : INT64_MAX) / (d ? d : 1);
		u64 q = i % 7 < 3   ? quotients[i % 7]
			: i % 7 < 5 ? most - i / 7 % 2
				    : random_number();

		operands[i] = q * d + i % 3 - 1;
	}
	for (u32 i = 0; i < 8; i++) {
		struct insn insn = {.code = codes[i & 1] | (i & 2 ? 0x30 : 0x90),
				    .dst_reg = R3,
				    .src_reg = R4,
				    .off = i & 4 ? 1 : 0};

		run_form_on_engines(&insn, d, BY_CONSTANT);
	}
}

static void divide_by_many(void)
{
	static const u64 divisors[] = {
		5,   6,   7,   9,    10,   11,         12,         25,         60,
		100, 125, 333, 1000, 1024, 1000000007, 1000000000, 0x100000001};

	for (u32 i = 0; i < EDGES; i++) {
		divide_by(edges[i]);
		divide_by(0 - edges[i]);
	}
	for (u32 i = 0; i < ARRAY_SIZE(divisors); i++) {
		divide_by(divisors[i]);
		divide_by(0 - divisors[i]);
	}
	for (u32 i = 0; i < (n_operands == EDGES ? 50 : 300); i++)
		divide_by(random_number());
}

int main(void)
{
	u32 rows;

	if (CHECK_IS_SANITIZED || check_is_emulated())
		n_operands = EDGES;
	memcpy(operands, edges, sizeof(edges));
	for (u32 i = EDGES; i < n_operands; i++)
		operands[i] = random_number();
	rows = run_rows(run_engines, 1);
#define A(name, code, off, sign, forms, ...) FORMS_##forms +
#define J(...)                               4 +
	enum {
		FORMS_ALL = 4,
		FORMS_K = 2,
		FORMS_X = 2,
		FORMS_X64 = 1,
		WANTED =
#include "isa/alu.def"
#include "isa/jmp.def"
			9
	};
#undef A
#undef J
	CHECK_INT(rows, WANTED);
	if (kernel_refuses())
		fprintf(stderr, "the kernel was not asked: %s\n", kernel_refuses());
	else
		CHECK_INT(run_rows(kernel_if_it_takes, 3), WANTED);
	divide_by_many();
	return check_report();
}
