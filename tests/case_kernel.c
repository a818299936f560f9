/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case in the live kernel: its maps made there, its programs loaded, one test run, and
 * what came out compared with what the file wants.  What the checked engine stops, the
 * verifier has to refuse.  Nothing is attached, and nothing outlives the case.
 */
#include "case_kernel.h"

#include <skep/diag.h>
#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "kernel.h"

enum { PROLOGUE = 3, PACKET_ROOM = 1 << 16, LOG_SIZE = 1 << 20 };

struct in_kernel {
	const struct test_case *c;
	struct case_built built;
	int *fds;   /* owned; of the maps, then of the raw memory */
	int *progs; /* owned; parallel to built.progs; -1: not one */
	int btf;    /* owned */
	char *log;  /* in the arena: the verifier's words */
	u8 *packet; /* in the arena: as it came out */
	u32 packet_len, r0;
	struct text *told;
};

static int map_elem(int cmd, int fd, const void *key, const void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (u32)fd;
	attr.key = (u64)(uintptr_t)key;
	attr.value = (u64)(uintptr_t)value;
	return kernel_bpf(cmd, &attr) ? -errno : 0;
}

static int make_map(struct in_kernel *k, const struct map_def *def, int inner)
{
	union bpf_attr attr;
	u32 zero = 0;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = def->type;
	attr.key_size = def->key_size;
	attr.value_size = def->value_size;
	attr.max_entries = def->max_entries;
	attr.map_flags = def->flags;
	attr.map_extra = def->extra;
	attr.inner_map_fd = (u32)inner;
	fd = (int)kernel_bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0 ||
	    (def->data && map_elem(BPF_MAP_UPDATE_ELEM, fd, &zero, def->data))) {
		text_printf(k->told, "map %s: %s", def->name, strerror(errno));
		return fd;
	}
	if (!(def->flags & BPF_F_RDONLY_PROG))
		return fd;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (u32)fd;
	kernel_bpf(BPF_MAP_FREEZE, &attr);
	return fd;
}

/* Maps that others are made after come first. */
static int make_maps(struct in_kernel *k)
{
	const struct case_built *b = &k->built;
	const struct map_def memory = {.name = "memory",
				       .type = BPF_MAP_TYPE_ARRAY,
				       .key_size = 4,
				       .value_size = (u32)k->c->mem.len,
				       .max_entries = 1,
				       .data = k->c->mem.bytes};

	for (u32 inner = 0; inner < 2; inner++)
		for (u32 i = 0; i < b->n_maps; i++) {
			const struct map_def *in = b->defs[i].inner;

			if ((in != NULL) != (inner != 0))
				continue;
			k->fds[i] =
				make_map(k, &b->defs[i], in ? k->fds[in - b->defs] : 0);
			if (k->fds[i] < 0)
				return k->fds[i];
		}
	if (k->c->mem.len)
		k->fds[b->n_maps] = make_map(k, &memory, 0);
	return 0;
}

/* R1 and R2 of programs on raw memory. */
static u32 prologue(const struct in_kernel *k, struct insn *insns)
{
	const u8 mov = CLASS_ALU64 | 0xb0;

	if (k->c->hook != HOOK_RAW)
		return 0;
	if (!k->c->mem.len) {
		insns[0] = (struct insn){.code = mov, .dst_reg = R1};
		insns[1] = (struct insn){.code = mov, .dst_reg = R2};
		return 2;
	}
	insns[0] = (struct insn){.code = 0x18,
				 .dst_reg = R1,
				 .src_reg = LDDW_MAP_IDX_VALUE,
				 .imm = (s32)k->built.n_maps};
	insns[1] = (struct insn){0};
	insns[2] = (struct insn){.code = mov, .dst_reg = R2, .imm = (s32)k->c->mem.len};
	return PROLOGUE;
}

static int load(struct in_kernel *k, const struct prog *prog)
{
	struct arena *arena = &k->built.arena;
	struct insn *insns = arena_array(arena, prog->n_insns + PROLOGUE, sizeof(*insns));
	u32 *functions = arena_array(arena, prog->n_subprogs + 1, sizeof(*functions));
	u32 n;

	if (!insns || !functions)
		return -ENOMEM;
	n = prologue(k, insns);
	memcpy(insns + n, prog->insns, prog->n_insns * sizeof(*insns));
	for (u32 i = 0; i < prog->n_subprogs; i++)
		functions[i] = prog->subprogs[i].start + (i ? n : 0);
	return kernel_load_prog(
		&(struct kernel_prog){.type = prog->type ? prog->type : BPF_PROG_TYPE_XDP,
				      .insns = insns,
				      .n_insns = prog->n_insns + n,
				      .fds = k->fds,
				      .functions = functions,
				      .n_functions = prog->n_subprogs,
				      .btf_fd = k->btf,
				      .log = k->log,
				      .log_size = LOG_SIZE});
}

static int load_all(struct in_kernel *k)
{
	const struct asm_unit *unit = &k->built.unit;

	for (u32 i = 0; i < unit->n_funcs; i++) {
		if (!unit->funcs[i].program)
			continue;
		k->progs[i] = load(k, &k->built.progs[i]);
		if (k->progs[i] < 0)
			return k->progs[i];
	}
	return 0;
}

static int slot_fd(const struct in_kernel *k, const char *name)
{
	const struct asm_unit *unit = &k->built.unit;

	for (u32 i = 0; i < unit->n_funcs; i++)
		if (k->progs[i] >= 0 && !strcmp(unit->funcs[i].name, name))
			return k->progs[i];
	for (u32 i = 0; i < unit->n_maps; i++)
		if (!strcmp(unit->maps[i].name, name))
			return k->fds[i];
	return -ENOENT;
}

static int fill_slots(const struct in_kernel *k)
{
	const struct asm_unit *unit = &k->built.unit;

	for (u32 i = 0; i < unit->n_maps; i++)
		for (u32 n = 0; n < unit->maps[i].n_slots; n++) {
			const struct asm_slot *slot = &unit->maps[i].slots[n];
			int fd = slot_fd(k, slot->name);
			int err = map_elem(BPF_MAP_UPDATE_ELEM, k->fds[i], &slot->index,
					   &fd);

			if (err)
				return err;
		}
	return 0;
}

static int entry(const struct in_kernel *k)
{
	for (u32 i = 0; i < k->built.unit.n_funcs; i++)
		if (k->progs[i] >= 0)
			return k->progs[i];
	return -1;
}

static int run(struct in_kernel *k)
{
	static const u8 any[64];
	struct bytes in = {any, sizeof(any)};

	if (k->c->has_packet)
		in = (struct bytes){k->c->packet.bytes, k->c->packet.len};
	k->packet_len = PACKET_ROOM;
	return kernel_run(entry(k), in, k->packet, &k->packet_len, &k->r0);
}

/* ---- comparing ---- */

/* A test run tells 32 bits.  What Linux gets wrong, other versions of it may get right.
 */
static bool same_r0(const struct in_kernel *k, const struct want *want)
{
	const struct want *own = case_wants(k->c, WANT_KERNEL);

	if (k->r0 == (u32)want->number)
		return true;
	if (own && own->kernel == KERNEL_R0 && k->r0 == (u32)own->number)
		return true;
	text_printf(k->told, "r0: wanted %#x\n\tgot    %#x", (u32)want->number, k->r0);
	return false;
}

static bool same_value(const struct in_kernel *k, const struct want *want, int fd,
		       const void *key)
{
	u8 *value = arena_array((struct arena *)&k->built.arena, 1, 1 << 16);
	int err = value ? map_elem(BPF_MAP_LOOKUP_ELEM, fd, key, value) : -ENOMEM;

	if (want->absent && err == -ENOENT)
		return true;
	if (!err && !want->absent)
		return case_same_bytes(&want->value, value, want->value.len, k->told);
	text_printf(k->told, "look-up in %s gives %d", want->name, err);
	return false;
}

static bool same_element(const struct in_kernel *k, const struct want *want)
{
	for (u32 i = 0; i < k->built.n_maps; i++)
		if (!strcmp(k->built.defs[i].name, want->name) &&
		    k->built.defs[i].key_size == want->key.len)
			return same_value(k, want, k->fds[i], want->key.bytes);
	text_printf(k->told, "no map %s with keys of %zu bytes", want->name,
		    want->key.len);
	return false;
}

static bool satisfied(const struct in_kernel *k, const struct want *want)
{
	static const u32 zero;

	switch (want->kind) {
	case WANT_R0: return same_r0(k, want);
	case WANT_MEM: return same_value(k, want, k->fds[k->built.n_maps], &zero);
	case WANT_PACKET:
		return case_same_bytes(&want->value, k->packet, k->packet_len, k->told);
	case WANT_MAP: return same_element(k, want);
	case WANT_PRINT: return true; /* Linux' trace is not ours alone */
	case WANT_FAULT:
	case WANT_REFUSE:
	case WANT_REJECT:
	case WANT_ACCEPT:
	case WANT_KERNEL: return true;
	}
	return true;
}

/* ---- the verdict ---- */

/* The verifier's last line but for its statistics. */
static const char *last_words(char *log)
{
	char *end = strstr(log, "\nprocessed "), *line;

	if (end)
		*end = 0;
	line = strrchr(log, '\n');
	return line && line[1] ? line + 1 : log;
}

static bool judge_verdict(struct in_kernel *k, int err)
{
	const struct want *own = case_wants(k->c, WANT_KERNEL);
	bool fails = case_wants(k->c, WANT_FAULT) || case_wants(k->c, WANT_REFUSE);
	bool refuse =
		own && own->kernel != KERNEL_R0 ? own->kernel == KERNEL_REFUSES : fails;

	if (refuse && err >= 0) {
		text_puts(k->told, "Linux accepts what it should refuse");
		return false;
	}
	if (!refuse && err < 0) {
		text_printf(k->told, "Linux refuses: %s (%d)", last_words(k->log), err);
		return false;
	}
	if (refuse && own && !strstr(k->log, own->text)) {
		text_printf(k->told, "wanted in Linux' reason: %s\n\tgot    %s",
			    own->text, last_words(k->log));
		return false;
	}
	return true;
}

static bool judge(struct in_kernel *k)
{
	int err = make_maps(k);

	if (!err)
		err = load_all(k);
	if (!judge_verdict(k, err))
		return false;
	/* what stops in our engines is not let loose in Linux */
	if (err || case_wants(k->c, WANT_FAULT) || case_wants(k->c, WANT_REFUSE))
		return true;
	err = fill_slots(k);
	if (!err)
		err = run(k);
	if (err) {
		text_printf(k->told, "the test run: %s", strerror(-err));
		return false;
	}
	for (size_t i = 0; i < k->c->wants.len; i++)
		if (!satisfied(k, vec_at(&k->c->wants, i)))
			return false;
	return true;
}

/* ---- life ---- */

static int init(struct in_kernel *k)
{
	struct case_built *b = &k->built;
	struct skep_diag diag = SKEP_DIAG_INIT;
	int err = case_build(k->c, b, &diag);

	if (err) {
		text_printf(k->told, "%s", diag.text);
		return err;
	}
	k->fds = arena_array(&b->arena, b->n_maps + 1, sizeof(*k->fds));
	k->progs = arena_array(&b->arena, b->unit.n_funcs + 1, sizeof(*k->progs));
	k->log = arena_array(&b->arena, LOG_SIZE, 1);
	k->packet = arena_array(&b->arena, PACKET_ROOM, 1);
	if (!k->fds || !k->progs || !k->log || !k->packet)
		return -ENOMEM;
	memset(k->fds, -1, (b->n_maps + 1) * sizeof(*k->fds));
	memset(k->progs, -1, (b->unit.n_funcs + 1) * sizeof(*k->progs));
	k->btf = kernel_function_btf();
	return 0;
}

static void fini(struct in_kernel *k)
{
	for (u32 i = 0; k->fds && i <= k->built.n_maps; i++)
		if (k->fds[i] >= 0)
			close(k->fds[i]);
	for (u32 i = 0; k->progs && i < k->built.unit.n_funcs; i++)
		if (k->progs[i] >= 0)
			close(k->progs[i]);
	if (k->btf >= 0)
		close(k->btf);
	case_built_fini(&k->built);
}

bool kernel_is_open(void)
{
	return !kernel_refuses();
}

enum kernel_answer case_in_kernel(const struct test_case *c, struct text *told)
{
	struct in_kernel k = {.c = c, .told = told, .btf = -1};
	bool good;

	if (c->scripted || c->linear || kernel_refuses())
		return KERNEL_NOT_ASKED;
	good = !init(&k) && judge(&k);
	fini(&k);
	return good ? KERNEL_AGREES : KERNEL_DIFFERS;
}
