/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs into the kernel: instructions as it reads them, what their functions and lines
 * are, what they attach to, and what the verifier said.
 *
 * The log is asked for only when the first try failed: the kernel is much faster without.
 * It may be far larger than anybody reads; here it is a string of the caller's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "base/text.h"
#include "isa/insn.h"
#include "kern/kernel_btf.h"
#include "kern/loader.h"
#include "kern/refused.h"
#include "kern/sys.h"

enum { FIRST_LOG = 1 << 20, LAST_LOG = 1 << 28 };
enum { F_SLEEPABLE = 1 << 4, F_XDP_FRAGS = 1 << 5 };

/* What one BPF_PROG_LOAD points to; all in the arena of the call. */
struct request {
	struct kern_loader *l;
	const struct kern_prog_spec *spec;
	const struct prog *prog;
	struct arena arena;
	u8 *slots;
	int *fds;     /* of modules; slot 0 is vmlinux */
	u32 *modules; /* whose descriptors they are */
	u32 n_fds;
	union bpf_attr attr;
};

/* ---- instructions ---- */

/* The place of a module's types among the program's descriptors; 0: vmlinux. */
static int module_slot(struct request *q, u32 module, u32 *slot)
{
	enum { MAX_FDS = 256 };
	int fd;

	*slot = 0;
	if (!module)
		return 0;
	if (!q->fds) {
		q->fds = arena_array(&q->arena, MAX_FDS, sizeof(*q->fds));
		q->modules = arena_array(&q->arena, MAX_FDS, sizeof(*q->modules));
	}
	if (!q->fds || !q->modules)
		return -ENOMEM;
	for (u32 i = 1; i <= q->n_fds; i++) {
		if (q->modules[i] == module) {
			*slot = i;
			return 0;
		}
	}
	if (q->n_fds + 1 >= MAX_FDS)
		return -E2BIG;
	fd = sys_open_id(SYS_BTF, module);
	if (fd < 0)
		return fd;
	*slot = ++q->n_fds;
	q->fds[*slot] = fd;
	q->modules[*slot] = module;
	return 0;
}

static int refer_to_symbol(struct request *q, const struct extern_ref *ref,
			   struct insn *insn, struct skep_diag *diag)
{
	u64 address;
	u32 slot;
	int err;

	if (ref->btf_id && ref->typed) {
		err = module_slot(q, ref->module, &slot);
		if (err)
			return fail_errno(diag, err, KERN_NOT_LOADED, NO_PC,
					  strerror(-err));
		insn[0].imm = (s32)ref->btf_id;
		insn[1].imm = slot ? q->fds[slot] : 0;
		return 0;
	}
	address = kern_symbol(q->l, ref->name);
	if (!address && !ref->weak)
		return fail(diag, KERN_NO_SYMBOL, NO_PC, ref->name);
	insn[0].src_reg = LDDW_IMM;
	insn[0].imm = (s32)(u32)address;
	insn[1].imm = (s32)(u32)(address >> 32);
	return 0;
}

/* A call of a kfunc that is not there is a call of nothing: Linux refuses it only where
 * it is reached. */
enum { NO_KFUNC_HELPER = 0x7ffffffe };

static int refer_to_kfunc(struct request *q, const struct extern_ref *ref,
			  struct insn *insn, struct skep_diag *diag)
{
	u32 slot;
	int err = module_slot(q, ref->module, &slot);

	if (err)
		return fail_errno(diag, err, KERN_NOT_LOADED, NO_PC, strerror(-err));
	if (!ref->btf_id) {
		*insn = (struct insn){.code = insn->code, .imm = NO_KFUNC_HELPER};
		return 0;
	}
	insn->imm = (s32)ref->btf_id;
	insn->off = (s16)slot;
	return 0;
}

static int refer(struct request *q, enum op op, int pc, struct insn *insn,
		 struct skep_diag *diag)
{
	const struct prog *prog = q->prog;

	if (op == OP_CALL && insn->src_reg == CALL_KFUNC &&
	    (u32)insn->imm < prog->n_externs)
		return refer_to_kfunc(q, &prog->externs[insn->imm], insn, diag);
	if (op != OP_LDDW)
		return 0;
	if (insn->src_reg == LDDW_BTF_ID && (u32)insn->imm < prog->n_externs)
		return refer_to_symbol(q, &prog->externs[insn->imm], insn, diag);
	if (insn->src_reg == LDDW_MAP_IDX || insn->src_reg == LDDW_MAP_IDX_VALUE) {
		/* written by hand, not by a relocation */
		if ((u32)insn->imm >= prog->n_maps)
			return fail(diag, NO_SUCH_MAP, pc, insn->imm);
		insn->src_reg =
			insn->src_reg == LDDW_MAP_IDX ? LDDW_MAP_FD : LDDW_MAP_VALUE;
		insn->imm = q->spec->map_fds[insn->imm];
	}
	return 0;
}

static int put_insns(struct request *q, struct skep_diag *diag)
{
	const struct prog *prog = q->prog;
	int err = 0;

	q->slots = arena_array(&q->arena, prog->n_insns, INSN_SIZE);
	if (!q->slots)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 pc = 0; pc < prog->n_insns && !err;) {
		struct insn insn[2] = {prog->insns[pc]};
		enum op op = decode(&insn[0]);
		bool wide = op == OP_LDDW && pc + 1 < prog->n_insns;

		insn[1] = wide ? prog->insns[pc + 1] : insn[1];
		err = refer(q, op, (int)pc, insn, diag);
		for (u32 i = 0; i < (wide ? 2 : 1); i++, pc++)
			insn_write(q->slots + (size_t)pc * INSN_SIZE, &insn[i],
				   host_is_big_endian());
	}
	q->attr.insns = (u64)(uintptr_t)q->slots;
	q->attr.insn_cnt = prog->n_insns;
	return err;
}

/* ---- functions and lines ---- */

static bool has_func_info(const struct prog *prog)
{
	for (u32 i = 0; i < prog->n_subprogs; i++) {
		if (!prog->subprogs[i].btf_id)
			return false;
	}
	return prog->n_subprogs;
}

static int by_start(const void *a, const void *b)
{
	u32 x = load_u32(a), y = load_u32(b);

	return x < y ? -1 : x > y;
}

static void put_functions(struct request *q)
{
	const struct prog *prog = q->prog;
	u32 *info = arena_array(&q->arena, prog->n_subprogs, 8);

	if (!info)
		return;
	for (u32 i = 0; i < prog->n_subprogs; i++) {
		info[2 * i] = prog->subprogs[i].start;
		info[2 * i + 1] = prog->subprogs[i].btf_id;
	}
	qsort(info, prog->n_subprogs, 8, by_start);
	q->attr.func_info = (u64)(uintptr_t)info;
	q->attr.func_info_cnt = prog->n_subprogs;
	q->attr.func_info_rec_size = 8;
}

static u32 string_offset(const struct request *q, const char *s)
{
	struct bytes strings = btf_raw_strings(q->prog->btf);

	return s ? (u32)((const u8 *)s - strings.data) : 0;
}

/* Linux wants a line at the start of every function. */
static bool lines_cover(const struct prog *prog)
{
	u32 k = 0;

	for (u32 i = 0; i < prog->n_subprogs; i++) {
		for (k = 0; k < prog->n_lines; k++) {
			if (prog->lines[k].insn == prog->subprogs[i].start)
				break;
		}
		if (k == prog->n_lines)
			return false;
	}
	return prog->n_lines;
}

static void put_lines(struct request *q)
{
	const struct prog *prog = q->prog;
	u32 *info = arena_array(&q->arena, prog->n_lines, 16);

	if (!info || !lines_cover(prog))
		return;
	for (u32 i = 0; i < prog->n_lines; i++) {
		const struct line_info *line = &prog->lines[i];

		info[4 * i] = line->insn;
		info[4 * i + 1] = string_offset(q, line->file);
		info[4 * i + 2] = string_offset(q, line->text);
		info[4 * i + 3] = line->line << 10 | (line->column & 0x3ff);
	}
	q->attr.line_info = (u64)(uintptr_t)info;
	q->attr.line_info_cnt = prog->n_lines;
	q->attr.line_info_rec_size = 16;
}

static void put_debug_info(struct request *q)
{
	if (q->l->btf_fd < 0 || !has_func_info(q->prog))
		return;
	q->attr.prog_btf_fd = (u32)q->l->btf_fd;
	put_functions(q);
	put_lines(q);
}

/* ---- everything else ---- */

static int put_target(struct request *q, struct skep_diag *diag)
{
	u32 id = 0;
	int fd = -1;
	int err;

	if (q->prog->type == PROG_TYPE_STRUCT_OPS) {
		q->attr.attach_btf_id = q->spec->struct_id;
		q->attr.expected_attach_type = q->spec->member;
		return 0;
	}
	err = kern_find_target(q->l, q->spec, &id, &fd, diag);
	if (err)
		return err;
	q->attr.attach_btf_id = id;
	if (fd >= 0)
		q->attr.attach_btf_obj_fd = (u32)fd;
	return 0;
}

static int fill_request(struct request *q, struct skep_diag *diag)
{
	const struct prog *prog = q->prog;
	char name[KERN_NAME_LEN];
	int err = put_insns(q, diag);

	kern_name(prog->name, name);
	memcpy(q->attr.prog_name, name, sizeof(name));
	q->attr.prog_type = prog->type;
	q->attr.expected_attach_type = prog->attach_type;
	q->attr.license = (u64)(uintptr_t)(prog->license ? prog->license : "");
	q->attr.kern_version = q->l->version;
	q->attr.prog_flags = q->spec->flags | (prog->sleepable ? F_SLEEPABLE : 0) |
			     (prog->frags ? F_XDP_FRAGS : 0);
	if (q->fds)
		q->attr.fd_array = (u64)(uintptr_t)q->fds;
	put_debug_info(q);
	return err ? err : put_target(q, diag);
}

static void free_request(struct request *q)
{
	for (u32 i = 1; i <= q->n_fds; i++)
		close(q->fds[i]);
	if (q->attr.attach_btf_obj_fd && q->prog->type != PROG_TYPE_STRUCT_OPS &&
	    (int)q->attr.attach_btf_obj_fd != q->spec->target_fd)
		close((int)q->attr.attach_btf_obj_fd);
	arena_fini(&q->arena);
}

/* ---- asking ---- */

static u64 now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000 + (u64)t.tv_nsec / 1000;
}

static int ask(struct request *q, u32 level, char *log, u32 size)
{
	q->attr.log_level = level;
	q->attr.log_buf = (u64)(uintptr_t)log;
	q->attr.log_size = size;
	if (log)
		log[0] = 0;
	return sys_bpf(BPF_PROG_LOAD, &q->attr, sizeof(q->attr));
}

/* How long the whole log is.  Linux tells since 6.4 (before: 0), in a field that older
 * headers lack; since then, too, a log that is too long loses its beginning, not its end.
 */
static u32 whole_log(const struct request *q)
{
	enum { AT = offsetof(union bpf_attr, core_relo_rec_size) + sizeof(u32) };
	u32 size;

	_Static_assert(AT + sizeof(size) <= sizeof(q->attr), "a field of BPF_PROG_LOAD");
	memcpy(&size, (const u8 *)&q->attr + AT, sizeof(size));
	return size;
}

/* With a log that is as long as it has to be: each time Linux does all of its work again,
 * which for what is too complex are seconds.  Where a reason is all that is wanted, the
 * end of the log is enough. */
static int ask_with_log(struct request *q, u32 level, char **log)
{
	for (u32 size = FIRST_LOG; size <= LAST_LOG;) {
		char *buffer = malloc(size);
		u32 whole;
		int fd;

		if (!buffer)
			return -ENOMEM;
		fd = ask(q, level, buffer, size);
		whole = whole_log(q);
		free(*log);
		*log = buffer;
		if (fd != -ENOSPC || (whole && q->spec->log < KERN_LOG_ALL))
			return fd;
		size = whole > size ? whole : size * 4;
	}
	return -ENOSPC;
}

static const u32 log_levels[] = {
	[KERN_LOG_FAILURE] = 0,
	[KERN_LOG_STATS] = 4,
	[KERN_LOG_ALL] = 1 | 4,
	[KERN_LOG_MORE] = 2 | 4,
};

static void submit(struct request *q, struct kern_verdict *v)
{
	u32 level = log_levels[q->spec->log];
	u64 start = now_us();
	int said;

	v->fd = level ? ask_with_log(q, level, &v->log) : ask(q, 0, NULL, 0);
	v->time_us = now_us() - start;
	said = v->fd;
	if (v->fd < 0 && v->fd != -EPERM && !(level & 3)) {
		v->fd = ask_with_log(q, 1 | level, &v->log);
		/* no room for the log is no reason: the first answer is */
		if (v->fd == -ENOSPC || v->fd == -ENOMEM)
			v->fd = said;
	}
}

/* ---- what it said ---- */

static void read_stats(struct kern_verdict *v)
{
	const char *line = v->log ? strstr(v->log, "processed ") : NULL;
	const char *time = v->log ? strstr(v->log, "verification time ") : NULL;
	unsigned long long insns, peak, total, us;

	if (time && sscanf(time, "verification time %llu usec", &us) == 1)
		v->verify_us = us;

	if (line && sscanf(line,
			   "processed %llu insns (limit %*u) max_states_per_insn %*u "
			   "total_states %llu peak_states %llu",
			   &insns, &total, &peak) == 3) {
		v->insns_processed = insns;
		v->states = total;
	}
}

/* Numbers at the end, not a reason. */
static bool is_statistics(const char *line)
{
	static const char *const starts[] = {"processed ", "verification time ",
					     "stack depth ", "insns processed "};

	for (u32 i = 0; i < ARRAY_SIZE(starts); i++) {
		if (!strncmp(line, starts[i], strlen(starts[i])))
			return true;
	}
	return false;
}

/* The last line of the log that gives a reason, copied to out. */
static void find_reason(const char *log, char *out, size_t size)
{
	snprintf(out, size, "it does not say why");
	for (const char *line = log; line && *line;) {
		size_t len = strcspn(line, "\n");

		if (len && !is_statistics(line))
			snprintf(out, size, "%.*s", (int)min_u64(len, size - 1), line);
		line += len + (line[len] == '\n');
	}
}

/* The instruction that the verifier looked at last: lines that start with its number. */
static int find_insn(const char *log)
{
	int insn = NO_PC;

	for (const char *line = log; line && *line;) {
		char *end;
		unsigned long n = strtoul(line, &end, 10);

		if (end != line && end[0] == ':' && end[1] == ' ' && end[2] == '(')
			insn = (int)n;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return insn;
}

static int tell(const struct request *q, const struct kern_verdict *v,
		struct skep_diag *diag)
{
	const struct line_info *line;
	char reason[256];
	int pc;

	if (v->fd == -EPERM && !(v->log && *v->log)) {
		return kern_refused(diag,
				    &(struct kern_attempt){.action = KERN_LOAD_PROG,
							   .prog_type = q->prog->type,
							   .err = v->fd,
							   .what = "loading it"});
	}
	if (!v->log || !*v->log)
		return fail_errno(diag, v->fd, KERN_NOT_LOADED, NO_PC, strerror(-v->fd));
	find_reason(v->log, reason, sizeof(reason));
	pc = find_insn(v->log);
	fail_errno(diag, v->fd, KERN_REJECTED, pc, reason);
	line = pc >= 0 && (u32)pc < q->prog->n_insns ? prog_line(q->prog, (u32)pc) : NULL;
	if (line)
		diag_at_line(diag, line->file, (int)line->line);
	return v->fd;
}

int kern_prog_load(struct kern_loader *l, const struct kern_prog_spec *spec,
		   struct kern_verdict *v, struct skep_diag *diag)
{
	struct request q = {.l = l, .spec = spec, .prog = spec->prog};
	int err = spec->prog->type ? fill_request(&q, diag)
				   : fail(diag, KERN_NO_TYPE, NO_PC, spec->prog->section);

	*v = (struct kern_verdict){.fd = err};
	if (!err) {
		submit(&q, v);
		read_stats(v);
		err = v->fd < 0 ? tell(&q, v, diag) : 0;
	}
	free_request(&q);
	return err;
}
