/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rows compute is what Linux computes: every operation of alu.def, jmp.def and
 * atomic.def, in every width and form, with telling operands, run by the live kernel.
 * Skipped without bpf(2).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/insns.h"
#include "base/bytes.h"
#include "check.h"
#include "isa/eval.h"
#include "isa/insn.h"
#include "kernel.h"

enum { SKIPPED = 77, MAX_SLOTS = 32 };

static long sys_bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const struct insn *insns, u32 n)
{
	static u8 slots[MAX_SLOTS * INSN_SIZE];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (u64)(uintptr_t)slots,
		.insn_cnt = n,
		.license = (u64)(uintptr_t) "GPL",
	};

	for (u32 i = 0; i < n; i++)
		insn_write(slots + i * INSN_SIZE, &insns[i], host_is_big_endian());
	return (int)sys_bpf(BPF_PROG_LOAD, &attr);
}

static int run(int fd, u32 *result)
{
	static u8 packet[64];
	union bpf_attr attr = {0};

	attr.test.prog_fd = (u32)fd;
	attr.test.data_in = (u64)(uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	if (sys_bpf(BPF_PROG_TEST_RUN, &attr))
		return -errno;
	*result = attr.test.retval;
	return 0;
}

struct operands {
	u64 a, b, r0; /* dst_reg or the memory, src_reg or imm, R0 */
};

static u32 put_number(struct insn *insn, u8 reg, u64 value)
{
	insn[0] = (struct insn){.code = 0x18, .dst_reg = reg, .imm = (s32)(u32)value};
	insn[1] = (struct insn){.imm = (s32)(u32)(value >> 32)};
	return 2;
}

/* The operation, with its result in R0. */
static u32 put_operation(struct insn *insns, enum op op, const struct operands *in)
{
	const struct op_info *info = op_info(op);
	struct insn insn = {info->code, R1, info->src > 1 ? R2 : 0, info->off_is,
			    info->imm ? (s32)(u32)in->b : info->imm_is};
	u32 n = 0;

	if (info->kind == KIND_JMP) {
		insn.off = 1;
		insns[n++] = (struct insn){.code = 0xb7, .imm = 1};
		insns[n++] = insn;
		insns[n++] = (struct insn){.code = 0xb7, .imm = 0};
	} else if (info->kind == KIND_ATOMIC) {
		insn.dst_reg = R10;
		insn.off = -8;
		insns[n++] = (struct insn){0x7b, R10, R1, -8, 0};
		insns[n++] = insn;
		insns[n++] = (struct insn){0x79, R0, R10, -8, 0};
	} else {
		insns[n++] = insn;
		insns[n++] = (struct insn){.code = 0xbf, .dst_reg = R0, .src_reg = R1};
	}
	return n;
}

/* A run gives back 32 bits: half says which.  Negative: Linux did not take it. */
static int linux_half(enum op op, const struct operands *in, int half, u32 *result)
{
	struct insn insns[MAX_SLOTS];
	u32 n = put_number(insns, R1, in->a);
	int fd, err;

	n += put_number(insns + n, R2, in->b);
	n += put_number(insns + n, R0, in->r0);
	n += put_operation(insns + n, op, in);
	insns[n++] = (struct insn){.code = 0x77, .imm = half * 32};
	insns[n++] = (struct insn){.code = 0x95};
	fd = load(insns, n);
	if (fd < 0)
		return -errno;
	err = run(fd, result);
	close(fd);
	return err;
}

static bool ours(enum op op, const struct operands *in, u64 *result)
{
	u64 a = in->a, b = in->b, r0 = in->r0;

	if (!op_info(op)->reg)
		b = (u64)(s64)(s32)(u32)b;
	switch ((int)op) { /* the others compute nothing */
#define A(name, code, off, sign, forms, text, value)                                     \
	case OP_##name##64_K:                                                            \
	case OP_##name##64_X: *result = alu64_##name(a, b); return true;                 \
	case OP_##name##32_K:                                                            \
	case OP_##name##32_X:                                                            \
		*result = alu32_##name(a, b);                                            \
		return true;
#include "isa/alu.def"
#undef A
#define J(name, code, sign, text, taken)                                                 \
	case OP_##name##64_K:                                                            \
	case OP_##name##64_X: *result = jmp64_##name(a, b); return true;                 \
	case OP_##name##32_K:                                                            \
	case OP_##name##32_X:                                                            \
		*result = jmp32_##name(a, b);                                            \
		return true;
#include "isa/jmp.def"
#undef J
#define T(name, imm, fetch, text, stored)                                                \
	case OP_ATOMIC_##name##64: *result = atomic64_##name(a, b, r0); return true;     \
	case OP_ATOMIC_##name##32:                                                       \
		*result = (a & 0xffffffff00000000) |                                     \
			  atomic32_##name((u32)a, (u32)b, (u32)r0);                      \
		return true;
#include "isa/atomic.def"
#undef T
#define END(bits)                                                                        \
	case OP_LE##bits: *result = end_LE##bits(a); return true;                        \
	case OP_BE##bits: *result = end_BE##bits(a); return true;                        \
	case OP_BSWAP##bits: *result = end_BSWAP##bits(a); return true;
		END(16)
		END(32)
		END(64)
#undef END
	default: return false;
	}
}

/* Linux takes no division by the constant 0 and no shift by a constant that is too large.
 */
static bool linux_refuses(enum op op, u64 b)
{
	const struct op_info *info = op_info(op);
	bool divides = info->row == ALU_DIV || info->row == ALU_SDIV ||
		       info->row == ALU_MOD || info->row == ALU_SMOD;
	bool shifts =
		info->row == ALU_LSH || info->row == ALU_RSH || info->row == ALU_ARSH;

	if (info->kind != KIND_ALU || info->reg)
		return false;
	return (divides && !(u32)b) || (shifts && (u32)b >= info->width);
}

static int compare(enum op op, const struct operands *in)
{
	u32 low = 0, high = 0;
	u64 want, got;

	if (!ours(op, in, &got) || linux_refuses(op, in->b))
		return 0;
	if (!CHECK_INT(linux_half(op, in, 0, &low), 0) ||
	    !CHECK_INT(linux_half(op, in, 1, &high), 0))
		return 1;
	want = (u64)high << 32 | low;
	if (!CHECK(got == want))
		fprintf(stderr, "\t%s a %#llx b %#llx r0 %#llx: Linux %#llx, we %#llx\n",
			op_info(op)->name, (unsigned long long)in->a,
			(unsigned long long)in->b, (unsigned long long)in->r0,
			(unsigned long long)want, (unsigned long long)got);
	return 1;
}

static const u64 values[] = {
	0,
	1,
	3,
	33,
	0x80,
	0x8000,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x8000000000000000,
	0x123456789abcdef0,
	(u64)-13,
	~0ull,
};

int main(void)
{
	static const struct insn nothing[] = {{.code = 0xb7}, {.code = 0x95}};
	const size_t n = ARRAY_SIZE(values);
	const u32 running = kernel_version();
	int compared = 0, fd = load(nothing, 2);

	if (fd < 0) {
		printf("skipped: no bpf(2) here: %s\n", strerror(errno));
		return SKIPPED;
	}
	close(fd);
	for (int op = 0; op < OPS; op++) {
		if (op_info(op)->kind == KIND_INVALID || abi_insn_since(op) > running)
			continue;
		for (size_t i = 0; i < n * n; i++) {
			struct operands in = {values[i / n], values[i % n],
					      i % 3 ? values[i / n]
						    : values[(i + 5) % n]};

			compared += compare(op, &in);
		}
	}
	CHECK(compared > 20000);
	return check_report();
}
