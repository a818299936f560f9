/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judges the loads that capture.c wrote down, and compares with what the kernel answered.
 *
 *	oracle-loads [--target linux-6.12] [--btf FILE] [--log-size N] [--show NUMBER]
 *		FILE
 *
 * Prints a line for each verdict that differs and the agreement at the end; exit status 1
 * below 99.5 %, or when something was wrongly accepted, or nothing judged.  --log-size:
 * only loads that asked for a log of so many bytes, which tells tests from the probes of
 * libraries.  --show: the verifier's log of that load.  Not judged: what the machine
 * refuses whoever asks (EPERM in spite of all capabilities), programs that extend others.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/text.h"
#include "btf/btf.h"
#include "oracle/capture.h"
#include "prog/prog.h"
#include "target/target.h"
#include "verify/log.h"
#include "verify/reasons.h"
#include "verify/verify.h"

enum { FDS = 4096, MAPS = 256, SUBS = 512, EXTERNS = 64 };

struct types {
	struct types *next;
	struct bytes bytes;
	const struct btf *btf;
};

struct judge {
	struct arena arena;
	struct target target;
	struct map_def *maps[FDS]; /* in the arena */
	const struct btf *btfs[FDS];
	const struct btf *map_btfs[FDS]; /* what the map's type ids are of */
	struct types *types;             /* in the arena: all that were loaded */
	u32 same, differ, wrongly_accepted, unsupported, number, refused;
	u64 our_ns;
	const char *btf_file;
	u32 log_size, show;
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
				.btf_value_id = m->btf_value_id};
	if ((m->type == MAP_TYPE_ARRAY_OF_MAPS || m->type == MAP_TYPE_HASH_OF_MAPS) &&
	    m->inner_fd >= 0 && m->inner_fd < FDS)
		def->inner = j->maps[m->inner_fd];
	j->maps[m->fd] = def;
	j->map_btfs[m->fd] = def->btf_value_id && m->btf_fd > 0 && m->btf_fd < FDS
				     ? j->btfs[m->btf_fd]
				     : NULL;
	j->btfs[m->fd] = NULL;
}

/* The same types again are the same: maps and programs load them each for itself. */
static const struct btf *read_types(struct judge *j, struct bytes bytes)
{
	struct types *t = j->types;

	while (t && (t->bytes.len != bytes.len ||
		     memcmp(t->bytes.data, bytes.data, bytes.len) != 0))
		t = t->next;
	if (t)
		return t->btf;
	t = arena_alloc(&j->arena, sizeof(*t));
	if (!t)
		return NULL;
	*t = (struct types){.next = j->types};
	t->bytes.data = arena_memdup(&j->arena, bytes.data, bytes.len);
	t->bytes.len = bytes.len;
	if (t->bytes.data)
		btf_read(&j->arena, t->bytes, NULL, &t->btf, NULL);
	j->types = t;
	return t->btf;
}

static void add_btf(struct judge *j, const struct record_btf *b, u32 len)
{
	struct bytes bytes = {(const u8 *)(b + 1), len - sizeof(*b)};

	if (b->fd < 0 || b->fd >= FDS)
		return;
	j->btfs[b->fd] = read_types(j, bytes);
	j->maps[b->fd] = NULL;
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
	s32 map_fds[MAPS];
	const s32 *fds; /* fd_array */
	u32 n_fds;
	struct subprog subs[SUBS];
	struct extern_ref externs[EXTERNS];
};

/* A program without types takes those of its maps; a map with others has no fields. */
static const struct map_def *with_types(struct judge *j, struct built *b, s32 fd)
{
	const struct btf *types = j->map_btfs[fd];
	struct map_def *copy;

	if (!b->prog.btf)
		b->prog.btf = types;
	if (!types || b->prog.btf == types)
		return j->maps[fd];
	copy = arena_memdup(&j->arena, j->maps[fd], sizeof(*copy));
	if (copy)
		copy->btf_key_id = copy->btf_value_id = 0;
	return copy;
}

static s32 map_index(struct judge *j, struct built *b, s32 fd)
{
	u32 i = 0;

	if (fd < 0 || fd >= FDS || !j->maps[fd])
		return -1;
	while (i < b->prog.n_maps && b->map_fds[i] != fd)
		i++;
	if (i == MAPS)
		return -1;
	if (i == b->prog.n_maps) {
		b->map_fds[i] = fd;
		b->maps[i] = with_types(j, b, fd);
		b->prog.n_maps += b->maps[i] != NULL;
	}
	return (s32)i;
}

/* The descriptor that an instruction names, itself or by its place in fd_array. */
static s32 map_fd(const struct built *b, const struct insn *insn)
{
	if (insn->src_reg == LDDW_MAP_FD || insn->src_reg == LDDW_MAP_VALUE)
		return insn->imm;
	return insn->imm >= 0 && (u32)insn->imm < b->n_fds ? b->fds[insn->imm] : -1;
}

static bool names_map(const struct insn *insn)
{
	return insn->src_reg == LDDW_MAP_FD || insn->src_reg == LDDW_MAP_VALUE ||
	       insn->src_reg == LDDW_MAP_IDX || insn->src_reg == LDDW_MAP_IDX_VALUE;
}

static void name_map(struct insn *insn, s32 index)
{
	bool value =
		insn->src_reg == LDDW_MAP_VALUE || insn->src_reg == LDDW_MAP_IDX_VALUE;

	insn->src_reg = value ? LDDW_MAP_IDX_VALUE : LDDW_MAP_IDX;
	insn->imm = index;
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

/* Descriptors become indices; of maps that were never made: such as there are none of. */
static void resolve(struct judge *j, struct built *b)
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
		if (names_map(insn))
			name_map(insn, map_index(j, b, map_fd(b, insn)));
		i++;
	}
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
	F_INVARIANTS = 128,
	F_KNOWN = F_STRICT | F_ANY | F_TEST_FREQ | F_SLEEPABLE | F_FRAGS | F_INVARIANTS
};

/* Said for reasons that no verifier knows? */
static bool is_policy(const struct record_prog *p)
{
	return (p->result == -EPERM && p->loader == LOADER_ALL) ||
	       p->type == PROG_TYPE_EXT || p->attach_prog_fd > 0 ||
	       p->flags & ~(u32)F_KNOWN;
}

static void tell(struct judge *j, const struct record_prog *p, int err,
		 const struct skep_diag *diag)
{
	bool same = !err == !p->result;

	if (err && diag->id == REASON_UNSUPPORTED)
		same = false, j->unsupported++;
	else if (same)
		j->same++;
	else
		j->differ++, j->wrongly_accepted += !err;
	if (same && j->show != j->number)
		return;
	printf("%u %.16s type %u%s%s: Linux %d, skep %d %s [%d] %s\n", j->number, p->name,
	       p->type, p->loader & LOADER_BPF ? "" : " unprivileged",
	       p->loader & LOADER_PERFMON ? "" : " without CAP_PERFMON", p->result, err,
	       skep_diag_name(diag->id), diag->insn, diag->text);
}

static void judge_built(struct judge *j, const struct record_prog *p, struct built *b)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct text log = TEXT_INIT;
	struct verify_log logger = {.out = &log, .level = 2};
	struct verify_observer observer = verify_log_observer(&logger);
	struct verify_result result = {0};
	struct verify_opts opts = {.target = &j->target,
				   .unprivileged = !(p->loader & LOADER_BPF),
				   .no_perfmon = !(p->loader & LOADER_PERFMON),
				   .flags = p->flags & F_ANY ? p->flags & ~F_STRICT
							     : p->flags,
				   .observer = j->show == j->number ? &observer : NULL};
	int err = verify_prog(&b->prog, &opts, &result, &diag);

	j->our_ns += result.stats.time_ns;
	verify_log_end(&logger);
	if (j->show == j->number)
		fputs(text_str(&log), stdout);
	tell(j, p, err, &diag);
	verify_result_fini(&result);
	text_fini(&log);
}

static void judge_prog(struct judge *j, const struct record_prog *p, u32 len)
{
	const u8 *insns = (const u8 *)(p + 1), *funcs = insns + p->n_insns * 8ull;
	struct built *b;

	if (p->log_size < j->log_size ||
	    sizeof(*p) + p->n_insns * 8ull + p->n_funcs * 8ull + p->n_fds * 4ull != len)
		return;
	j->number++;
	if (is_policy(p)) {
		j->refused++;
		return;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return;
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
	b->fds = (const s32 *)(funcs + p->n_funcs * 8ull);
	b->n_fds = p->n_fds;
	b->prog.insns = calloc(p->n_insns + 1, sizeof(struct insn));
	if (b->prog.insns) {
		for (u32 i = 0; i < p->n_insns; i++)
			b->prog.insns[i] = insn_read(insns + i * 8ull, false);
		resolve(j, b);
		type_subs(b, (const u32 *)funcs, p->n_funcs);
		judge_built(j, p, b);
	}
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

static bool read_options(struct judge *j, int argc, char **argv)
{
	int i = 1;

	for (; i + 1 < argc; i += 2) {
		const char *name = argv[i], *value = argv[i + 1];

		if (!strcmp(name, "--log-size"))
			j->log_size = (u32)strtoul(value, NULL, 0);
		else if (!strcmp(name, "--show"))
			j->show = (u32)strtoul(value, NULL, 0);
		else if (!strcmp(name, "--btf"))
			j->btf_file = value;
		else if (strcmp(name, "--target") != 0 ||
			 target_parse(value, &j->target, NULL))
			return false;
	}
	return i + 1 == argc;
}

static u32 judged(const struct judge *j)
{
	return j->same + j->differ + j->unsupported;
}

static void report(const struct judge *j)
{
	printf("agreement with Linux: %u of %u loads, %.2f %%\n", j->same, judged(j),
	       judged(j) ? 100.0 * j->same / judged(j) : 100.0);
	printf("  wrongly accepted   %6u\n  wrongly rejected   %6u\n  not judged         "
	       "%6u\n",
	       j->wrongly_accepted, j->differ - j->wrongly_accepted, j->unsupported);
	printf("  and %u that the machine refuses; %.1f ms\n", j->refused,
	       (double)j->our_ns / 1e6);
}

int main(int argc, char **argv)
{
	struct judge *j = calloc(1, sizeof(*j));
	struct file file, types;
	int status = 2;

	if (j) {
		j->target.version = LINUX_DEFAULT;
		j->btf_file = "/sys/kernel/btf/vmlinux";
	}
	if (!j || !read_options(j, argc, argv) ||
	    file_read(argv[argc - 1], &file, NULL)) {
		fprintf(stderr,
			"oracle-loads [--target NAME] [--btf FILE] [--log-size N] "
			"[--show NUMBER] FILE\n");
		goto out;
	}
	if (!file_map(j->btf_file, &types, NULL))
		btf_read(&j->arena, file_bytes(&types), NULL, &j->target.btf, NULL);
	for (size_t at = 0; at + sizeof(struct record) <= file.len;) {
		const struct record *r = (const void *)(file.data + at);

		if (r->len > file.len - at - sizeof(*r))
			break;
		take(j, r);
		at += sizeof(*r) + r->len;
	}
	report(j);
	status = !judged(j) || j->wrongly_accepted ||
		 1000 * (u64)j->same < 995 * (u64)judged(j);
	arena_fini(&j->arena);
out:
	free(j);
	return status;
}
