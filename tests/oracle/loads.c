/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judges the loads that capture.c wrote down, and compares with what the kernel answered.
 *
 *	oracle-loads FILE
 *
 * Prints a line for each verdict that differs and the agreement at the end.  Loads that
 * were refused for other reasons than the verifier's (EPERM, no such hook) count as far
 *as a program without instructions to blame can.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "btf/btf.h"
#include "oracle/capture.h"
#include "prog/prog.h"
#include "target/target.h"
#include "verify/reasons.h"
#include "verify/verify.h"

enum { FDS = 4096, MAPS = 256, SUBS = 512, EXTERNS = 64 };

struct judge {
	struct arena arena;
	struct target target;
	struct map_def *maps[FDS]; /* in the arena */
	const struct btf *btfs[FDS];
	u32 same, differ, wrongly_accepted, unsupported, number;
	u64 our_ns;
	bool verbose;
};

/* ---- what comes before programs ---- */

static void add_map(struct judge *j, const struct record_map *m)
{
	struct map_def *def = arena_alloc(&j->arena, sizeof(*def));

	if (m->fd < 0 || m->fd >= FDS || !def)
		return;
	*def = (struct map_def){.name = "map",
				.section = ".maps",
				.origin = MAP_DECLARED,
				.type = m->type,
				.key_size = m->key_size,
				.value_size = m->value_size,
				.max_entries = m->max_entries,
				.flags = m->flags,
				.extra = m->extra,
				.btf_key_id = m->btf_key_id,
				.btf_value_id = m->btf_value_id,
				.spin_lock_off = -1};
	if ((m->type == MAP_TYPE_ARRAY_OF_MAPS || m->type == MAP_TYPE_HASH_OF_MAPS) &&
	    m->inner_fd >= 0 && m->inner_fd < FDS)
		def->inner = j->maps[m->inner_fd];
	j->maps[m->fd] = def;
}

static void add_btf(struct judge *j, const struct record_btf *b, u32 len)
{
	u8 *copy = arena_memdup(&j->arena, b + 1, len - sizeof(*b));
	struct bytes bytes = {copy, len - sizeof(*b)};

	if (b->fd < 0 || b->fd >= FDS || !copy)
		return;
	j->btfs[b->fd] = NULL;
	btf_read(&j->arena, bytes, NULL, &j->btfs[b->fd], NULL);
}

static void add_value(struct judge *j, const struct record_value *v, u32 len)
{
	struct map_def *def = v->fd >= 0 && v->fd < FDS ? j->maps[v->fd] : NULL;

	if (!def)
		return;
	def->data = arena_memdup(&j->arena, v + 1, len - sizeof(*v));
	def->data_size = len - (u32)sizeof(*v);
}

static void freeze(struct judge *j, const struct record_value *v)
{
	if (v->fd >= 0 && v->fd < FDS && j->maps[v->fd])
		j->maps[v->fd]->origin = MAP_RODATA;
}

/* ---- a program ---- */

struct built {
	struct prog prog;
	const struct map_def *maps[MAPS];
	struct subprog subs[SUBS];
	struct extern_ref externs[EXTERNS];
};

static s32 map_index(struct judge *j, struct built *b, s32 fd)
{
	const struct map_def *def = fd >= 0 && fd < FDS ? j->maps[fd] : NULL;

	for (u32 i = 0; i < b->prog.n_maps; i++) {
		if (b->maps[i] == def)
			return (s32)i;
	}
	if (!def || b->prog.n_maps == MAPS)
		return -1;
	b->maps[b->prog.n_maps] = def;
	return (s32)b->prog.n_maps++;
}

static s32 extern_index(struct judge *j, struct built *b, u32 id, bool kfunc)
{
	struct extern_ref *e = &b->externs[b->prog.n_externs];

	if (b->prog.n_externs == EXTERNS)
		return 0;
	*e = (struct extern_ref){.name = j->target.btf ? btf_name(j->target.btf, id) : "",
				 .btf_id = id,
				 .kfunc = kfunc,
				 .typed = true};
	return (s32)b->prog.n_externs++;
}

static void add_sub(struct built *b, s64 start)
{
	u32 i = b->prog.n_subprogs;

	if (start < 0 || start >= b->prog.n_insns || i == SUBS)
		return;
	for (u32 k = 0; k < i; k++) {
		if (b->subs[k].start == (u32)start)
			return;
	}
	for (; i && b->subs[i - 1].start > (u32)start; i--)
		b->subs[i] = b->subs[i - 1];
	b->subs[i] = (struct subprog){.name = "function", .start = (u32)start};
	b->prog.n_subprogs++;
}

/* Descriptors become indices; false: a map that was never made. */
static bool resolve(struct judge *j, struct built *b)
{
	struct insn *insns = b->prog.insns;

	add_sub(b, 0);
	for (u32 i = 0; i < b->prog.n_insns; i++) {
		struct insn *insn = &insns[i];

		if (insn->code == 0x85 && insn->src_reg == CALL_LOCAL)
			add_sub(b, (s64)i + 1 + insn->imm);
		else if (insn->code == 0x85 && insn->src_reg == CALL_KFUNC)
			insn->imm = extern_index(j, b, (u32)insn->imm, true);
		if (insn->code != 0x18)
			continue;
		if (insn->src_reg == LDDW_FUNC)
			add_sub(b, (s64)i + 1 + insn->imm);
		if (insn->src_reg == LDDW_BTF_ID)
			insn->imm = extern_index(j, b, (u32)insn->imm, false);
		if (insn->src_reg == LDDW_MAP_FD || insn->src_reg == LDDW_MAP_VALUE) {
			s32 index = map_index(j, b, insn->imm);

			if (index < 0)
				return false;
			insn->src_reg = insn->src_reg == LDDW_MAP_FD ? LDDW_MAP_IDX
								     : LDDW_MAP_IDX_VALUE;
			insn->imm = index;
		}
		i++;
	}
	return true;
}

static void type_subs(struct built *b, const u32 *infos, u32 n)
{
	for (u32 i = 0; i < b->prog.n_subprogs; i++) {
		struct subprog *sub = &b->subs[i];
		u32 end = i + 1 < b->prog.n_subprogs ? b->subs[i + 1].start
						     : b->prog.n_insns;

		sub->n_insns = end - sub->start;
		for (u32 k = 0; k < n; k++) {
			if (infos[2 * k] == sub->start)
				sub->btf_id = infos[2 * k + 1];
		}
		if (sub->btf_id && b->prog.btf) {
			struct btf_type t = btf_type(b->prog.btf, sub->btf_id);

			sub->name = t.name;
			sub->global = t.kind == BTF_FUNC && btf_linkage(&t) == BTF_GLOBAL;
		}
	}
}

static const char *attach_target(const struct judge *j, const struct record_prog *p)
{
	static const char *const prefixes[] = {"btf_trace_", "bpf_lsm_", "bpf_iter_"};
	const char *name = p->attach_btf_id && j->target.btf
				   ? btf_name(j->target.btf, p->attach_btf_id)
				   : NULL;

	for (u32 i = 0; name && i < 3; i++) {
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	}
	return name;
}

enum {
	F_STRICT = 1,
	F_ANY = 2,
	F_TEST_FREQ = 8,
	F_SLEEPABLE = 16,
	F_FRAGS = 32,
	F_INVARIANTS = 128
};

static void tell(struct judge *j, const struct record_prog *p, int err,
		 const struct skep_diag *diag)
{
	if (err && diag->id == REASON_UNSUPPORTED)
		j->unsupported++;
	else if (!err == !p->result)
		j->same++;
	else
		j->differ++, j->wrongly_accepted += !err;
	if ((!err == !p->result && !(err && diag->id == REASON_UNSUPPORTED)) &&
	    !j->verbose)
		return;
	printf("%u %.16s type %u %s: Linux %d, skep %d %s [%d] %s\n", j->number, p->name,
	       p->type, p->privileged ? "" : "unprivileged", p->result, err,
	       skep_diag_name(diag->id), diag->insn, diag->text);
}

static void judge_prog(struct judge *j, const struct record_prog *p, u32 len)
{
	struct built *b = calloc(1, sizeof(*b));
	const u8 *bytes = (const u8 *)(p + 1);
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct verify_result result = {0};
	struct verify_opts opts = {.target = &j->target,
				   .unprivileged = !p->privileged,
				   .strict_alignment = p->flags & F_STRICT,
				   .any_alignment = p->flags & F_ANY,
				   .test_state_freq = p->flags & F_TEST_FREQ,
				   .test_invariants = p->flags & F_INVARIANTS};
	int err;

	j->number++;
	if (!b || p->n_insns * 8ull + p->n_funcs * 8ull + sizeof(*p) != len)
		goto out;
	b->prog = (struct prog){.name = p->name,
				.section = "captured",
				.type = p->type,
				.attach_type = p->attach_type,
				.attach_target = attach_target(j, p),
				.sleepable = p->flags & F_SLEEPABLE,
				.frags = p->flags & F_FRAGS,
				.gpl_compatible = p->gpl,
				.n_insns = p->n_insns,
				.subprogs = b->subs,
				.maps = b->maps,
				.externs = b->externs};
	if (p->btf_fd > 0 && p->btf_fd < FDS)
		b->prog.btf = j->btfs[p->btf_fd];
	b->prog.insns = calloc(p->n_insns + 1, sizeof(struct insn));
	if (!b->prog.insns)
		goto out;
	for (u32 i = 0; i < p->n_insns; i++)
		b->prog.insns[i] = insn_read(bytes + i * 8ull, false);
	if (resolve(j, b)) {
		type_subs(b, (const u32 *)(bytes + p->n_insns * 8ull), p->n_funcs);
		err = verify_prog(&b->prog, &opts, &result, &diag);
		j->our_ns += result.stats.time_ns;
		tell(j, p, err, &diag);
		verify_result_fini(&result);
	}
out:
	if (b)
		free(b->prog.insns);
	free(b);
}

/* ---- the file ---- */

static void take(struct judge *j, const struct record *r)
{
	const void *body = r + 1;

	switch ((enum record_kind)r->kind) {
	case RECORD_MAP: add_map(j, body); return;
	case RECORD_BTF: add_btf(j, body, r->len); return;
	case RECORD_VALUE: add_value(j, body, r->len); return;
	case RECORD_FREEZE: freeze(j, body); return;
	case RECORD_PROG: judge_prog(j, body, r->len); return;
	}
}

int main(int argc, char **argv)
{
	struct judge j = {.target = {.version = LINUX_DEFAULT},
			  .verbose = getenv("VERBOSE") != NULL};
	struct file file, types;

	if (argc != 2 || file_read(argv[1], &file, NULL)) {
		fprintf(stderr, "oracle-loads FILE\n");
		return 2;
	}
	if (!file_map("/sys/kernel/btf/vmlinux", &types, NULL))
		btf_read(&j.arena, file_bytes(&types), NULL, &j.target.btf, NULL);
	for (size_t at = 0; at + sizeof(struct record) <= file.len;) {
		const struct record *r = (const void *)(file.data + at);

		if (r->len > file.len - at - sizeof(*r))
			break;
		take(&j, r);
		at += sizeof(*r) + r->len;
	}
	printf("agreement with Linux: %u of %u loads, %.2f %%; %u wrongly accepted, %u "
	       "unsupported; %.1f ms\n",
	       j.same, j.same + j.differ + j.unsupported,
	       100.0 * j.same / (j.same + j.differ + j.unsupported), j.wrongly_accepted,
	       j.unsupported, (double)j.our_ns / 1e6);
	arena_fini(&j.arena);
	return j.differ != 0;
}
