/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF to eBPF, one instruction at a time: A lives in R0 and X in R7, where loads
 * from the packet and calls leave them alone; R6 is the context, as those loads want it.
 * Jumps are patched at the end, when every place is known.
 *
 * Never optimises: classic programs are short, and what runs them optimises.  The rules
 * of what is refused are those that SO_ATTACH_FILTER shows.
 */
#include "isa/classic.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/vec.h"

enum { REG_A = R0, REG_CTX = R6, REG_X = R7, REG_SAVE = R8, REG_FP = R10 };
enum { SCRATCH_WORDS = 16 };

/* Opcodes of classic BPF: class, and what a class has in its other bits. */
enum { C_LD, C_LDX, C_ST, C_STX, C_ALU, C_JMP, C_RET, C_MISC };
enum { C_MODE = 0xe0, C_IMM = 0x00, C_ABS = 0x20, C_IND = 0x40, C_MEM = 0x60 };
enum { C_LEN = 0x80, C_MSH = 0xa0, C_SIZE = 0x18, C_B = 0x10 };
enum {
	C_OP = 0xf0,
	C_JA = 0x00,
	C_NEG = 0x80,
	C_RET_A = 0x10,
	C_TAX = 0x00,
	C_TXA = 0x80
};

/* Where the extensions start among the offsets of absolute loads. */
static const u32 extensions = (u32)-0x1000;

/* What an extension is: a field of struct __sk_buff, or something else to compute. */
enum extension_kind { EXT_NONE, EXT_FIELD, EXT_BE16, EXT_DEVICE, EXT_CALL, EXT_XOR_X };

struct extension {
	const char *name;
	enum extension_kind kind;
	u32 from; /* offset of the field, or number of the helper */
};

enum { HELPER_RANDOM = 7, HELPER_CPU = 8 };

static const struct extension extension_rows[] = {
	[0] = {"protocol", EXT_BE16, 16},
	[4] = {"pkttype", EXT_FIELD, 4},
	[8] = {"ifindex", EXT_DEVICE, 40},
	[12] = {"nlattr", EXT_CALL, CLASSIC_NLATTR},
	[16] = {"nlattr_nest", EXT_CALL, CLASSIC_NLATTR_NEST},
	[20] = {"mark", EXT_FIELD, 8},
	[24] = {"queue", EXT_FIELD, 12},
	[28] = {"hatype", EXT_CALL, CLASSIC_HATYPE},
	[32] = {"rxhash", EXT_FIELD, 68},
	[36] = {"cpu", EXT_CALL, HELPER_CPU},
	[40] = {"xor_x", EXT_XOR_X, 0},
	[44] = {"vlan_tag", EXT_FIELD, 24},
	[48] = {"vlan_tag_present", EXT_FIELD, 20},
	[52] = {"pay_offset", EXT_CALL, CLASSIC_PAY_OFFSET},
	[56] = {"random", EXT_CALL, HELPER_RANDOM},
	[60] = {"vlan_tpid", EXT_BE16, 28},
};

static const struct extension *find_extension(u32 k)
{
	u32 i = k - extensions;

	if (i >= ARRAY_SIZE(extension_rows) || !extension_rows[i].name)
		return NULL;
	return &extension_rows[i];
}

static bool is_absolute(const struct classic_insn *in)
{
	return (in->code & 7) == C_LD && (in->code & C_MODE) == C_ABS;
}

static bool is_alu_by(const struct classic_insn *in, u8 op)
{
	return (in->code & 7) == C_ALU && (in->code & C_OP) == op;
}

/* The conditional jumps' operators, 1 to 4, are also those of eBPF. */
static bool is_conditional(const struct classic_insn *in)
{
	return (in->code & 7) == C_JMP && (in->code & C_OP) != C_JA;
}

static bool known_opcode(u16 code)
{
	u16 op = code & C_OP, size = code & C_SIZE;

	if (code > 0xff)
		return false;
	switch (code & 7) {
	case C_LD:
		if ((code & C_MODE) == C_ABS || (code & C_MODE) == C_IND)
			return size != C_SIZE;
		return code == (C_LD | C_IMM) || code == (C_LD | C_MEM) ||
		       code == (C_LD | C_LEN);
	case C_LDX:
		return code == (C_LDX | C_IMM) || code == (C_LDX | C_MEM) ||
		       code == (C_LDX | C_LEN) || code == (C_LDX | C_MSH | C_B);
	case C_ST: return code == C_ST;
	case C_STX: return code == C_STX;
	case C_ALU: return code == (C_ALU | C_NEG) || (op <= 0xa0 && op != C_NEG);
	case C_JMP: return code == (C_JMP | C_JA) || (op >= 0x10 && op <= 0x40);
	case C_RET: return code == C_RET || code == (C_RET | C_RET_A);
	default: return code == (C_MISC | C_TAX) || code == (C_MISC | C_TXA);
	}
}

static int check_operand(const struct classic_insn *in, int pc, struct skep_diag *diag)
{
	bool immediate = !(in->code & SRC_X);
	u8 class = in->code & 7, mode = in->code & C_MODE;

	if ((is_alu_by(in, 0x30) || is_alu_by(in, 0x90)) && immediate && !in->k)
		return fail(diag, CLASSIC_OPERAND, pc, "it divides by zero");
	if ((is_alu_by(in, 0x60) || is_alu_by(in, 0x70)) && immediate && in->k >= 32)
		return fail(diag, CLASSIC_OPERAND, pc, "it shifts by 32 bits or more");
	if ((class <= C_LDX && mode == C_MEM) || class == C_ST || class == C_STX) {
		if (in->k >= SCRATCH_WORDS)
			return fail(diag, CLASSIC_OPERAND, pc,
				    "there are only 16 words M[]");
	}
	if (is_absolute(in) && in->k >= extensions && !find_extension(in->k))
		return fail(diag, CLASSIC_OPERAND, pc, "no extension has this offset");
	return 0;
}

static int check_jumps(const struct classic_insn *in, u32 pc, u32 n,
		       struct skep_diag *diag)
{
	u32 left = n - pc - 1; /* instructions behind this one */

	if (in->code == (C_JMP | C_JA) && in->k >= left)
		return fail(diag, CLASSIC_JUMP, (int)pc);
	if (is_conditional(in) && (in->jt >= left || in->jf >= left))
		return fail(diag, CLASSIC_JUMP, (int)pc);
	return 0;
}

/* Jumps only go forward, so one pass knows which words of M[] every path has written. */
static int check_scratch(const struct classic_insn *in, u32 n, struct arena *arena,
			 struct skep_diag *diag)
{
	u16 *unwritten = arena_array(arena, n, sizeof(*unwritten)); /* on jumps to here */
	u16 missing = 0xffff;

	if (!unwritten)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 pc = 0; pc < n; pc++, in++) {
		u8 class = in->code & 7;

		missing |= unwritten[pc];
		if (class == C_ST || class == C_STX)
			missing &= (u16) ~(1u << in->k);
		if (class <= C_LDX && (in->code & C_MODE) == C_MEM &&
		    missing >> in->k & 1)
			return fail(diag, CLASSIC_SCRATCH, (int)pc, in->k);
		if (class != C_JMP)
			continue;
		if (is_conditional(in)) {
			unwritten[pc + 1 + in->jt] |= missing;
			unwritten[pc + 1 + in->jf] |= missing;
		} else {
			unwritten[pc + 1 + in->k] |= missing;
		}
		missing = 0;
	}
	return 0;
}

static int check(const struct classic_insn *in, u32 n, struct arena *arena,
		 struct skep_diag *diag)
{
	if (!n || n > CLASSIC_MAX_INSNS)
		return fail(diag, CLASSIC_LENGTH, NO_PC, n, CLASSIC_MAX_INSNS);
	for (u32 pc = 0; pc < n; pc++) {
		if (!known_opcode(in[pc].code))
			return fail(diag, CLASSIC_OPCODE, (int)pc, in[pc].code);
		int err = check_operand(&in[pc], (int)pc, diag);
		if (!err)
			err = check_jumps(&in[pc], pc, n, diag);
		if (err)
			return err;
	}
	if ((in[n - 1].code & 7) != C_RET)
		return fail(diag, CLASSIC_END, (int)n - 1);
	return check_scratch(in, n, arena, diag);
}

/* The eBPF program as it grows. */
struct out {
	struct vec insns; /* struct insn */
	struct vec jumps; /* struct jump */
	bool failed;      /* memory is out */
};

struct jump {
	u32 from;   /* slot */
	u32 target; /* classic instruction */
};

static void emit(struct out *o, struct insn insn)
{
	struct insn *slot = vec_push(&o->insns);

	if (slot)
		*slot = insn;
	else
		o->failed = true;
}

static void emit_jump(struct out *o, struct insn insn, u32 target)
{
	struct jump *j = vec_push(&o->jumps);

	if (j)
		*j = (struct jump){(u32)o->insns.len, target};
	else
		o->failed = true;
	emit(o, insn);
}

static void mov_k(struct out *o, u8 dst, u32 k)
{
	emit(o, (struct insn){.code = CLASS_ALU | 0xb0 | SRC_K, dst, .imm = (s32)k});
}

static void mov_x(struct out *o, u8 dst, u8 src)
{
	emit(o, (struct insn){.code = CLASS_ALU | 0xb0 | SRC_X, dst, src});
}

static void return_zero(struct out *o)
{
	mov_k(o, REG_A, 0);
	emit(o, (struct insn){.code = CLASS_JMP | 0x90});
}

static void load_field(struct out *o, u8 dst, u32 offset)
{
	emit(o, (struct insn){CLASS_LDX | MODE_MEM, dst, REG_CTX, (s16)offset});
}

static void call(struct out *o, u32 helper)
{
	emit(o, (struct insn){.code = CLASS_ALU64 | 0xb0 | SRC_X, R1, REG_CTX});
	mov_x(o, R2, REG_A);
	mov_x(o, R3, REG_X);
	emit(o, (struct insn){.code = CLASS_JMP | 0x80, .imm = (s32)helper});
}

static void emit_extension(struct out *o, const struct extension *ext)
{
	switch (ext->kind) {
	case EXT_FIELD:
	case EXT_BE16:
	case EXT_DEVICE: load_field(o, REG_A, ext->from); break;
	case EXT_CALL: call(o, ext->from); break;
	case EXT_XOR_X:
		emit(o, (struct insn){.code = CLASS_ALU | 0xa0 | SRC_X, REG_A, REG_X});
		break;
	case EXT_NONE: break;
	}
	if (ext->kind == EXT_BE16)
		emit(o,
		     (struct insn){.code = CLASS_ALU | 0xd0 | SRC_X, REG_A, .imm = 16});
	if (ext->kind == EXT_DEVICE) { /* no device: the packet is dropped */
		emit(o, (struct insn){.code = CLASS_JMP | 0x50, REG_A, .off = 1});
		emit(o, (struct insn){.code = CLASS_JMP | 0x90});
	}
}

static struct insn scratch(u8 code, u8 dst, u8 src, u32 k)
{
	return (struct insn){code | MODE_MEM, dst, src,
			     (s16)(4 * (s32)k - 4 * SCRATCH_WORDS)};
}

static void emit_load(struct out *o, const struct classic_insn *in)
{
	u8 dst = (in->code & 7) == C_LD ? REG_A : REG_X, size = in->code & C_SIZE;

	switch (in->code & C_MODE) {
	case C_IMM: mov_k(o, dst, in->k); break;
	case C_LEN: load_field(o, dst, 0); break;
	case C_MEM: emit(o, scratch(CLASS_LDX, dst, REG_FP, in->k)); break;
	case C_ABS:
		if (in->k >= extensions)
			emit_extension(o, find_extension(in->k));
		else
			emit(o, (struct insn){.code = CLASS_LD | MODE_ABS | size,
					      .imm = (s32)in->k});
		break;
	case C_IND:
		emit(o, (struct insn){.code = CLASS_LD | MODE_IND | size,
				      .src_reg = REG_X,
				      .imm = (s32)in->k});
		break;
	case C_MSH: /* X = 4 * (packet[k] & 15), A stays */
		mov_x(o, REG_SAVE, REG_A);
		emit(o,
		     (struct insn){.code = CLASS_LD | MODE_ABS | C_B, .imm = (s32)in->k});
		emit(o, (struct insn){.code = CLASS_ALU | 0x50, REG_A, .imm = 15});
		emit(o, (struct insn){.code = CLASS_ALU | 0x60, REG_A, .imm = 2});
		mov_x(o, REG_X, REG_A);
		mov_x(o, REG_A, REG_SAVE);
		break;
	default: break; /* known_opcode() lets nothing else in */
	}
}

static void emit_alu(struct out *o, const struct classic_insn *in)
{
	bool by_x = in->code & SRC_X;

	if (by_x && (is_alu_by(in, 0x30) || is_alu_by(in, 0x90))) {
		emit(o, (struct insn){.code = CLASS_JMP | 0x50, REG_X, .off = 2});
		return_zero(o);
	}
	emit(o, (struct insn){.code = (u8)in->code,
			      REG_A,
			      by_x ? REG_X : R0,
			      .imm = by_x || is_alu_by(in, C_NEG) ? 0 : (s32)in->k});
}

/* Operators of conditional jumps and their opposites; JSET has none. */
static u8 opposite(u8 op)
{
	switch (op) {
	case 0x10: return 0x50; /* == != */
	case 0x20: return 0xb0; /* > <= */
	case 0x30: return 0xa0; /* >= < */
	default: return 0;
	}
}

static void emit_conditional(struct out *o, const struct classic_insn *in, u32 pc)
{
	bool by_x = in->code & SRC_X;
	u8 op = in->code & C_OP, not_op = opposite(op);
	struct insn jump = {CLASS_JMP32 | (in->code & SRC_X), REG_A, by_x ? REG_X : R0,
			    .imm = by_x ? 0 : (s32)in->k};

	if (!in->jt && not_op) {
		jump.code |= not_op;
		emit_jump(o, jump, pc + 1 + in->jf);
		return;
	}
	jump.code |= op;
	emit_jump(o, jump, pc + 1 + in->jt);
	if (in->jf)
		emit_jump(o, (struct insn){.code = CLASS_JMP}, pc + 1 + in->jf);
}

static void emit_insn(struct out *o, const struct classic_insn *in, u32 pc)
{
	switch (in->code & 7) {
	case C_LD:
	case C_LDX: emit_load(o, in); break;
	case C_ST: emit(o, scratch(CLASS_STX, REG_FP, REG_A, in->k)); break;
	case C_STX: emit(o, scratch(CLASS_STX, REG_FP, REG_X, in->k)); break;
	case C_ALU: emit_alu(o, in); break;
	case C_JMP:
		if (is_conditional(in))
			emit_conditional(o, in, pc);
		else
			emit_jump(o, (struct insn){.code = CLASS_JMP}, pc + 1 + in->k);
		break;
	case C_RET:
		if (in->code == C_RET)
			mov_k(o, REG_A, in->k);
		emit(o, (struct insn){.code = CLASS_JMP | 0x90});
		break;
	default:
		if (in->code == (C_MISC | C_TAX))
			mov_x(o, REG_X, REG_A);
		else
			mov_x(o, REG_A, REG_X);
		break;
	}
}

/* Which instructions some path reaches: Linux loads no eBPF program with dead code. */
static bool *find_reached(const struct classic_insn *in, u32 n, struct arena *arena)
{
	bool *reached = arena_array(arena, n, sizeof(*reached));

	for (u32 pc = 0; pc < n && reached; pc++) {
		reached[pc] |= pc == 0;
		if (!reached[pc] || (in[pc].code & 7) == C_RET)
			continue;
		if (is_conditional(&in[pc])) {
			reached[pc + 1 + in[pc].jt] = true;
			reached[pc + 1 + in[pc].jf] = true;
		} else if ((in[pc].code & 7) == C_JMP) {
			reached[pc + 1 + in[pc].k] = true;
		} else {
			reached[pc + 1] = true;
		}
	}
	return reached;
}

/* No classic instruction becomes more than 7 slots, so every offset fits into 16 bits. */
_Static_assert(CLASSIC_MAX_INSNS * 7 < INT16_MAX, "classic jumps must fit");

static void patch_jumps(struct out *o, const u32 *start)
{
	for (size_t i = 0; i < o->jumps.len; i++) {
		const struct jump *j = vec_at(&o->jumps, i);
		struct insn *insn = vec_at(&o->insns, j->from);

		insn->off = (s16)(start[j->target] - j->from - 1);
	}
}

int classic_translate(const struct classic_insn *classic, u32 n_classic,
		      struct arena *arena, struct insn **insns, u32 *n_insns,
		      struct skep_diag *diag)
{
	struct out o = {VEC_INIT(struct insn), VEC_INIT(struct jump), false};
	int err = check(classic, n_classic, arena, diag);

	if (err)
		return err;
	u32 *start = arena_array(arena, n_classic, sizeof(*start));
	const bool *reached = find_reached(classic, n_classic, arena);

	*insns = NULL;
	emit(&o, (struct insn){.code = CLASS_ALU64 | 0xb0 | SRC_X, REG_CTX, R1});
	mov_k(&o, REG_A, 0);
	mov_k(&o, REG_X, 0);
	for (u32 pc = 0; pc < n_classic && start && reached; pc++) {
		start[pc] = (u32)o.insns.len;
		if (reached[pc])
			emit_insn(&o, &classic[pc], pc);
	}
	if (start && reached && !o.failed) {
		patch_jumps(&o, start);
		*n_insns = (u32)o.insns.len;
		*insns = arena_memdup(arena, o.insns.data, o.insns.len * sizeof(**insns));
	}
	if (!*insns)
		err = fail(diag, NO_MEMORY, NO_PC);
	vec_fini(&o.insns);
	vec_fini(&o.jumps);
	return err;
}

/* The next decimal number of the text, at most `max`. */
static bool parse_number(struct bytes *text, u64 max, u64 *value)
{
	const u8 *p = text->data, *end = p + text->len;

	while (p < end &&
	       (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == ','))
		p++;
	const u8 *first = p;
	for (*value = 0; p < end && *p >= '0' && *p <= '9' && *value <= max; p++)
		*value = *value * 10 + (*p - '0');
	*text = (struct bytes){p, (u64)(end - p)};
	return p > first && *value <= max;
}

int classic_parse(struct bytes text, struct arena *arena, struct classic_insn **insns,
		  u32 *n_insns, struct skep_diag *diag)
{
	u64 n, code, jt, jf, k;

	if (!parse_number(&text, UINT32_MAX, &n))
		return fail(diag, CLASSIC_TEXT, NO_PC, "the number of instructions");
	if (!n || n > CLASSIC_MAX_INSNS)
		return fail(diag, CLASSIC_LENGTH, NO_PC, (u32)n, CLASSIC_MAX_INSNS);
	*insns = arena_array(arena, n, sizeof(**insns));
	if (!*insns)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < n; i++) {
		if (!parse_number(&text, UINT16_MAX, &code) ||
		    !parse_number(&text, UINT8_MAX, &jt) ||
		    !parse_number(&text, UINT8_MAX, &jf) ||
		    !parse_number(&text, UINT32_MAX, &k))
			return fail(diag, CLASSIC_TEXT, (int)i, "code, jt, jf and k");
		(*insns)[i] = (struct classic_insn){(u16)code, (u8)jt, (u8)jf, (u32)k};
	}
	*n_insns = (u32)n;
	return 0;
}
