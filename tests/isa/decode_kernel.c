/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What decode() refuses is what Linux refuses.  Every opcode with telling values of every
 * other field is put to the live kernel inside of a small program; its log says whether
 * it took offence at the encoding or at something later.  Random small programs ask the
 * same of insns_check().  Skipped without bpf(2).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/abi.h"
#include "abi/insns.h"
#include "base/bytes.h"
#include "base/diag.h"
#include "check.h"
#include "isa/insn.h"
#include "kernel.h"

enum { SKIPPED = 77 };

/* What Linux says of an encoding, as opposed to of what the instruction does. */
static const char *const complaints[] = {
	"unknown opcode",
	"reserved field",
	"invalid BPF_LD_IMM insn",
	"invalid bpf_ld_imm64 insn",
	"unrecognized bpf_ld_imm64 insn",
	"R11 is invalid",
	"R15 is invalid",
	"invalid may_goto",
	"invalid atomic operand size",
	"invalid atomic opcode",
	"BPF_ATOMIC uses",
	"addr_space_cast insn can only convert",
	"invalid BPF_JMP",
	"unknown insn class",
	"invalid BPF_ALU opcode",
};

/* What Linux says when it never came to look at the encoding. */
static const char *const inconclusive[] = {
	"jump out of range",
	"last insn is not an exit or jmp",
	"call to invalid destination",
	"is not a function",
};

/* Behind jumps: as many as the offsets reach, of the one that has it in imm more. */
enum { FILLERS = 80, FILLERS_FAR = 300, MAX_SLOTS = FILLERS_FAR + 32 };

static char log_text[65536];

static int load(const struct insn *insns, u32 n)
{
	static u8 slots[MAX_SLOTS * INSN_SIZE];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (u64)(uintptr_t)slots,
		.insn_cnt = n,
		.license = (u64)(uintptr_t) "GPL",
		.log_buf = (u64)(uintptr_t)log_text,
		.log_size = sizeof(log_text),
		.log_level = 1,
	};
	int fd;

	for (u32 i = 0; i < n; i++)
		insn_write(slots + i * INSN_SIZE, &insns[i], host_is_big_endian());
	log_text[0] = 0;
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool log_has_one_of(const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(log_text, texts[i]))
			return true;
	return false;
}

enum answer { REFUSED, TAKEN, UNKNOWN };

/* Every register holds a number; the instruction is reached, and what it may jump to
 * exists and is reached some other way too. */
static enum answer kernel_says(const struct insn *insn, bool wide)
{
	struct insn insns[MAX_SLOTS];
	bool jump = insn_class(insn->code) == CLASS_JMP ||
		    insn_class(insn->code) == CLASS_JMP32;
	int fillers = insn->code == 0x06 ? FILLERS_FAR : jump ? FILLERS : 2;
	u32 n = 0;

	insns[n++] = (struct insn){.code = 0xbf, .dst_reg = 6, .src_reg = 1};
	for (int r = 0; r < 10; r++)
		if (r != 6)
			insns[n++] = (struct insn){.code = 0xb7, .dst_reg = r};
	insns[n++] = (struct insn){.code = 0x15, .off = 1 + wide, .imm = 1};
	insns[n++] = *insn;
	if (wide)
		insns[n++] = (struct insn){0};
	for (int i = 0; i < fillers; i++)
		insns[n++] = (struct insn){.code = 0xb7, .dst_reg = 0};
	insns[n++] = (struct insn){.code = 0x95};
	if (!load(insns, n))
		return TAKEN;
	if (log_has_one_of(complaints, ARRAY_SIZE(complaints)))
		return REFUSED;
	return log_has_one_of(inconclusive, ARRAY_SIZE(inconclusive)) ? UNKNOWN : TAKEN;
}

static int differences;

static u32 running; /* version of the kernel */

static int unknown_code = -1; /* whatever the other fields: no need to ask again */

/* Encodings that came later than the instruction itself. */
static bool is_younger_form(const struct insn *insn, enum op op)
{
	return op == OP_MAY_GOTO && !insn->off && running < ABI_LINUX(6, 14);
}

static void compare(const struct insn *insn)
{
	enum op op = decode(insn);
	bool known = abi_insn_since(op) <= running && !is_younger_form(insn, op);
	enum answer answer;

	if (op == OP_CALLX)
		return; /* in RFC 9669, not in Linux */
	if (op == OP_JA32 && running < ABI_LINUX(6, 6))
		return; /* late patch levels of 6.1 have it, too */
	if (insn->code == unknown_code)
		answer = REFUSED;
	else
		answer = kernel_says(insn, insn->code == 0x18);
	if (answer == REFUSED && strstr(log_text, "unknown opcode"))
		unknown_code = insn->code;
	if (answer == UNKNOWN || CHECK_INT(known, answer == TAKEN) || differences++ > 20)
		return;
	fprintf(stderr, "\tcode %02x dst %d src %d off %d imm %d: %s; Linux: %s\n",
		insn->code, insn->dst_reg, insn->src_reg, insn->off, insn->imm,
		op_info(op)->name, log_text);
}

static const u8 regs[] = {0, 1, 2, 3, 4, 6, 7, 10, 11, 15};
static const s16 offs[] = {0, 1, -1, 2, 8, 16, 32, 64};
static const s32 imms[] = {0,    1,    -1,    2,     3,     16,    17,      32,   64,
			   0x40, 0x50, 0xa0,  0x41,  0x51,  0xa1,  0xe1,    0xf1, 0xe0,
			   0xf0, 0x10, 0x100, 0x110, 0x101, 0x111, 1 << 16, 5};

/* Each field through all of its values, with plain values of the others. */
static void compare_code(u8 code)
{
	static const s32 plain[] = {0, 1, 16, 0x100, 0x110};
	struct insn insn = {.code = code};

	for (size_t i = 0; i < ARRAY_SIZE(imms); i++)
		for (size_t j = 0; j < ARRAY_SIZE(offs); j++) {
			insn.imm = imms[i];
			insn.off = offs[j];
			compare(&insn);
		}
	insn.off = 0;
	for (size_t k = 0; k < ARRAY_SIZE(plain); k++)
		for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
			insn.imm = plain[k];
			insn.dst_reg = regs[i];
			insn.src_reg = 0;
			compare(&insn);
			insn.src_reg = regs[i];
			compare(&insn);
			insn.dst_reg = 0;
			compare(&insn);
		}
}

/* What Linux says of where jumps and calls go. */
static const char *const shapes[] = {
	"jump out of range",         "last insn is not an exit or jmp",
	"invalid destination",       "jump into the middle of ldimm64",
	"invalid bpf_ld_imm64 insn", "unrecognized bpf_ld_imm64",
	"unknown opcode 00",
};

static u32 random_below(u32 n)
{
	static u32 seed = 7;

	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % n;
}

/* Jumps and calls to anywhere near. */
static u32 random_program(struct insn *insns)
{
	u32 n = 0, size = 1 + random_below(8);

	while (n < size) {
		s32 to = (s32)random_below(size + 3) - 1 - (s32)n;

		switch (random_below(9)) {
		case 0: insns[n] = (struct insn){.code = 0x05, .off = (s16)to}; break;
		case 1: insns[n] = (struct insn){.code = 0x06, .imm = to}; break;
		case 2:
			insns[n] =
				(struct insn){.code = 0x15, .dst_reg = 1, .off = (s16)to};
			break;
		case 3:
			insns[n] = (struct insn){.code = 0x85, .src_reg = 1, .imm = to};
			break;
		case 4:
			insns[n++] = (struct insn){.code = 0x18, .dst_reg = 2};
			insns[n] = (struct insn){0};
			break;
		case 5:
			insns[n++] = (struct insn){.code = 0x18, .src_reg = 4, .imm = to};
			insns[n] = (struct insn){0};
			break;
		case 6: insns[n] = (struct insn){.code = 0xb7}; break;
		default: insns[n] = (struct insn){.code = 0x95}; break;
		}
		n++;
	}
	return n - (random_below(20) == 0 && n > 1);
}

/* Most of the time is Linux's: sanitizers see a part. */
enum { PROGRAMS = CHECK_IS_SANITIZED ? 5000 : 20000 };

/* insns_check() refuses what Linux refuses for its shape; what no path reaches is for the
 * verifier to refuse. */
static void compare_programs(void)
{
	int refused = 0, taken = 0;

	for (int i = 0; i < PROGRAMS; i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct insn insns[16];
		u32 n = random_program(insns);
		bool ours = !insns_check(insns, n, &diag);
		bool linux_takes =
			!load(insns, n) || !log_has_one_of(shapes, ARRAY_SIZE(shapes));

		*(ours ? &taken : &refused) += 1;
		if (ours == linux_takes || strstr(log_text, "unreachable") ||
		    strstr(log_text, "back-edge")) /* what 6.1 looks at first */
			continue;
		CHECK(!"insns_check() agrees with Linux");
		if (differences++ > 20)
			break;
		fprintf(stderr, "\tours: %s at %d; Linux: %s\n", diag.text, diag.insn,
			log_text);
		for (u32 k = 0; k < n; k++)
			fprintf(stderr, "\t%u: %02x src %d off %d imm %d\n", k,
				insns[k].code, insns[k].src_reg, insns[k].off,
				insns[k].imm);
	}
	CHECK(refused > PROGRAMS / 20 && taken > PROGRAMS / 20);
}

int main(void)
{
	static const struct insn nothing[] = {{.code = 0xb7}, {.code = 0x95}};

	if (load(nothing, 2)) {
		printf("skipped: no bpf(2) here: %s\n", strerror(errno));
		return SKIPPED;
	}
	running = kernel_version();
	for (int code = 0; code < 256; code++)
		compare_code(code);
	compare_programs();
	return check_report();
}
