/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A benchmark program in the running kernel, for its JIT to be compared with ours.
 *
 * What bench/programs holds takes any memory for r1, which Linux allows in one place: an
 * arena, whose pointers go where they like.  So a few instructions in front turn the
 * arena's address into such a pointer and call the program, instruction for instruction
 * the one that skep runs.  It is run by BPF_PROG_TEST_RUN as a packet's program, again
 * and again; Linux measures.
 *
 * An access to an arena costs the kernel nothing that one to other memory does not: a
 * register that holds its base is part of the address.  Needs root.  Never changes what a
 * program computes.  See bench/README.md and the kernel's "BPF_MAP_TYPE_ARENA".
 */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kern/sys.h"
#include "prog/prog.h"

/* ---- loops that end ---- */

static bool goes_back(const struct insn *insn)
{
	enum op_kind kind = op_info(decode(insn))->kind;

	return (kind == KIND_JMP || kind == KIND_JA) && jump_target(insn, 0) <= 0;
}

struct rewrite {
	const struct prog *from;
	struct prog *to;
	u32 *at; /* by slot of from, and one more: where it is in to */
};

/* The copy has a MAY_GOTO before each jump back and `r0 = 0; exit` behind each function
 * that has one. */
static void place(struct rewrite *r)
{
	const struct prog *from = r->from;
	u32 at = 0;

	for (u32 s = 0; s < from->n_subprogs; s++) {
		const struct subprog *sub = &from->subprogs[s];
		bool loops = false;

		r->to->subprogs[s].start = at;
		for (u32 i = sub->start; i < sub->start + sub->n_insns; i++) {
			bool wide = i > sub->start &&
				    op_info(decode(&from->insns[i - 1]))->wide;
			bool back = !wide && goes_back(&from->insns[i]);

			r->at[i] = at;
			at += 1 + back;
			loops |= back;
		}
		at += loops ? 2 : 0;
		r->to->subprogs[s].n_insns = at - r->to->subprogs[s].start;
	}
	r->at[from->n_insns] = at;
	r->to->n_insns = at;
}

static bool set_target(struct insn *insn, s64 distance)
{
	const bool by_imm =
		jump_target(&(struct insn){.code = insn->code, .imm = 1}, 0) == 2;

	if (by_imm)
		insn->imm = (s32)distance;
	else
		insn->off = (s16)distance;
	return by_imm || insn->off == distance;
}

static bool copy_insn(struct rewrite *r, u32 i, u32 way_out)
{
	const struct insn *insn = &r->from->insns[i];
	const struct op_info *info = op_info(decode(insn));
	bool jumps = info->kind == KIND_JMP || info->kind == KIND_JA ||
		     (info->kind == KIND_CALL && insn->src_reg == CALL_LOCAL);
	struct insn *to = &r->to->insns[r->at[i]];
	bool good = true;

	if (jumps && goes_back(insn)) {
		*to = (struct insn){.code = op_infos[OP_MAY_GOTO].code};
		good = set_target(to, (s64)way_out - r->at[i] - 1);
		to++;
	}
	*to = *insn;
	if (info->wide)
		to[1] = insn[1];
	if (!jumps)
		return good;
	return good &
	       set_target(to, (s64)r->at[jump_target(insn, i)] - (to - r->to->insns) - 1);
}

static bool copy_all(struct rewrite *r)
{
	for (u32 s = 0; s < r->from->n_subprogs; s++) {
		const struct subprog *sub = &r->from->subprogs[s];
		const struct subprog *to = &r->to->subprogs[s];
		u32 way_out = to->start + to->n_insns - 2;

		r->to->insns[way_out] = (struct insn){.code = op_infos[OP_MOV64_K].code};
		r->to->insns[way_out + 1] = (struct insn){.code = op_infos[OP_EXIT].code};
		for (u32 i = sub->start; i < sub->start + sub->n_insns; i++) {
			if (!copy_insn(r, i, way_out))
				return false;
			i += op_info(decode(&r->from->insns[i]))->wide;
		}
	}
	return true;
}

struct prog *kernel_bounded(const struct prog *prog)
{
	struct rewrite r = {.from = prog, .to = malloc(sizeof(*r.to))};

	if (!r.to)
		return NULL;
	*r.to = *prog;
	r.to->lines = NULL;
	r.to->n_lines = 0;
	r.to->insns = calloc(2 * (size_t)prog->n_insns + 2 * prog->n_subprogs,
			     sizeof(*r.to->insns));
	r.to->subprogs = calloc(prog->n_subprogs, sizeof(*r.to->subprogs));
	r.at = calloc((size_t)prog->n_insns + 1, sizeof(*r.at));
	if (r.to->insns && r.to->subprogs && r.at) {
		memcpy(r.to->subprogs, prog->subprogs,
		       prog->n_subprogs * sizeof(*r.to->subprogs));
		place(&r);
		if (copy_all(&r)) {
			free(r.at);
			return r.to;
		}
	}
	free(r.at);
	kernel_bounded_free(r.to);
	return NULL;
}

void kernel_bounded_free(struct prog *prog)
{
	if (!prog)
		return;
	free(prog->insns);
	free(prog->subprogs);
	free(prog);
}

/* ---- into the kernel ---- */

struct kernel_prog {
	int map, prog; /* owned descriptors, or -1 */
	u8 *memory;    /* owned mapping of the arena: bytes of r1, result, length */
	u32 bytes;
};

enum { PAGE = 4096, RESULT = 0, LENGTH = 8, LOG = 1 << 16 };

static bool make_arena(struct kernel_prog *k)
{
	enum { MAP_ARENA = 33, MMAPABLE = 1 << 10 };
	union bpf_attr attr = {.map_type = MAP_ARENA,
			       .max_entries = k->bytes / PAGE + 1,
			       .map_flags = MMAPABLE};

	k->map = sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (k->map < 0)
		return false;
	k->memory = mmap(NULL, k->bytes + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 k->map, 0);
	if (k->memory == MAP_FAILED)
		return false;
	memset(k->memory, 0, k->bytes + PAGE);
	memcpy(k->memory + k->bytes + LENGTH, &k->bytes, sizeof(k->bytes));
	return true;
}

enum { PREFIX = 10 };

/* r6 = the arena; r0 of the program goes behind its memory. */
static void write_prefix(const struct kernel_prog *k, enum kernel_len len,
			 struct insn insns[PREFIX])
{
	const s16 behind = (s16)k->bytes;
	const struct insn prefix[PREFIX] = {
		{.code = op_infos[OP_LDDW].code,
		 .dst_reg = 6,
		 .src_reg = LDDW_MAP_VALUE,
		 .imm = k->map},
		{0},
		{.code = op_infos[OP_ADDR_SPACE_CAST].code,
		 .dst_reg = 6,
		 .src_reg = 6,
		 .off = 1,
		 .imm = 1},
		{.code = op_infos[OP_MOV64_X].code, .dst_reg = 1, .src_reg = 6},
		{.code = op_infos[OP_MOV64_K].code, .dst_reg = 2, .imm = (s32)k->bytes},
		{.code = op_infos[OP_LDX64].code,
		 .dst_reg = 2,
		 .src_reg = 6,
		 .off = (s16)(behind + LENGTH)},
		{.code = op_infos[OP_CALL].code, .src_reg = CALL_LOCAL, .imm = 3},
		{.code = op_infos[OP_STX64].code,
		 .dst_reg = 6,
		 .src_reg = 0,
		 .off = (s16)(behind + RESULT)},
		{.code = op_infos[OP_MOV64_K].code},
		{.code = op_infos[OP_EXIT].code},
	};

	memcpy(insns, prefix, sizeof(prefix));
	if (len == KERNEL_LEN_KNOWN)
		insns[5] = insns[4];
}

static bool load(struct kernel_prog *k, const struct prog *prog, enum kernel_len len,
		 const char **what)
{
	static char log[LOG];
	u32 n = PREFIX + prog->n_insns;
	struct insn prefix[PREFIX];
	u8 *code = malloc((size_t)n * INSN_SIZE);
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SCHED_CLS,
			       .insn_cnt = n,
			       .insns = (u64)(uintptr_t)code,
			       .license = (u64)(uintptr_t) "GPL"};

	if (!code)
		return false;
	write_prefix(k, len, prefix);
	for (u32 i = 0; i < n; i++)
		insn_write(code + (size_t)i * INSN_SIZE,
			   i < PREFIX ? &prefix[i] : &prog->insns[i - PREFIX], false);
	k->prog = sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (k->prog < 0) { /* again, for what Linux says */
		attr.log_level = 1;
		attr.log_buf = (u64)(uintptr_t)log;
		attr.log_size = LOG;
		log[0] = 0;
		sys_bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
		*what = log;
	}
	free(code);
	return k->prog >= 0;
}

struct kernel_prog *kernel_open(const struct prog *prog, u32 bytes, enum kernel_len len,
				const char **what)
{
	struct kernel_prog *k = calloc(1, sizeof(*k));

	*what = "no memory";
	if (!k)
		return NULL;
	*k = (struct kernel_prog){
		.map = -1, .prog = -1, .memory = MAP_FAILED, .bytes = bytes};
	*what = "no arena can be made";
	if (make_arena(k) && load(k, prog, len, what))
		return k;
	kernel_close(k);
	return NULL;
}

void kernel_close(struct kernel_prog *k)
{
	if (!k)
		return;
	if (k->memory != MAP_FAILED)
		munmap(k->memory, k->bytes + PAGE);
	if (k->prog >= 0)
		close(k->prog);
	if (k->map >= 0)
		close(k->map);
	free(k);
}

u8 *kernel_memory(struct kernel_prog *k)
{
	return k->memory;
}

u64 kernel_run(struct kernel_prog *k, u64 runs, double *ns)
{
	u8 packet[64] = {0};
	union bpf_attr attr = {0};
	u64 result;

	attr.test.prog_fd = (u32)k->prog;
	attr.test.data_in = (u64)(uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	attr.test.repeat = (u32)runs;
	if (sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr.test))) {
		perror("skep-bench: BPF_PROG_TEST_RUN");
		exit(1);
	}
	*ns = attr.test.duration;
	memcpy(&result, k->memory + k->bytes + RESULT, sizeof(result));
	return result;
}
