/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the types of a kernel tell of its configuration, with types made up for it:
 * helpers, types of programs, CPUs, addresses of variables.
 */
#include <linux/bpf.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/diag.h"
#include "btf/btf.h"
#include "check.h"
#include "isa/asm.h"
#include "prog/prog.h"
#include "target/target.h"
#include "verify/reasons.h"
#include "verify/verify.h"

/* ---- types ---- */

enum { INT = 1, PROTO, CPUMASK };

struct types {
	u32 words[256];
	char strings[512];
	u32 n_words, n_strings, n;
	u8 file[24 + sizeof(u32) * 256 + 512];
};

static u32 put_string(struct types *t, const char *s)
{
	u32 at = t->n_strings;

	strcpy(t->strings + at, s);
	t->n_strings += (u32)strlen(s) + 1;
	return at;
}

/* Its id; more words may follow. */
static u32 put_type(struct types *t, const char *name, u32 info, u32 size_or_type)
{
	t->words[t->n_words++] = put_string(t, name);
	t->words[t->n_words++] = info;
	t->words[t->n_words++] = size_or_type;
	return ++t->n;
}

static void put_words(struct types *t, u32 a, u32 b, u32 c)
{
	t->words[t->n_words++] = a;
	t->words[t->n_words++] = b;
	t->words[t->n_words++] = c;
}

static void put_function(struct types *t, const char *name)
{
	put_type(t, name, 12u << 24, PROTO);
}

static const struct btf *read(struct types *t, struct arena *arena)
{
	u32 types = t->n_words * 4;
	struct skep_diag diag = SKEP_DIAG_INIT;
	const struct btf *btf = NULL;
	const u32 head[6] = {0x0001eb9f, 24, 0, types, types, t->n_strings};

	memcpy(t->file, head, sizeof(head));
	memcpy(t->file + 24, t->words, types);
	memcpy(t->file + 24 + types, t->strings, t->n_strings);
	CHECK(!btf_read(arena, (struct bytes){t->file, 24 + types + t->n_strings}, NULL,
			&btf, &diag));
	return btf;
}

/* A kernel for 64 CPUs that knows XDP and kprobes, and maybe functions. */
static const struct btf *kernel(struct arena *arena, bool functions, bool override)
{
	struct types *t = arena_alloc(arena, sizeof(*t));

	t->n_strings = 1;
	put_type(t, "int", 1u << 24, 4);
	t->words[t->n_words++] = 1u << 24 | 32;
	put_type(t, "", 13u << 24, INT);
	put_type(t, "cpumask", 4u << 24, 8);
	put_type(t, "bpf_ctx_convert", 4u << 24 | 3, 12);
	put_words(t, put_string(t, "BPF_PROG_TYPE_XDP_prog"), INT, 0);
	put_words(t, put_string(t, "BPF_PROG_TYPE_KPROBE_prog"), INT, 32);
	put_words(t, put_string(t, "BPF_PROG_TYPE_TRACEPOINT_prog"), INT, 64);
	if (functions) {
		put_function(t, "bpf_map_lookup_elem");
		put_function(t, "bpf_probe_read_kernel");
	}
	if (override)
		put_function(t, "bpf_override_return");
	return read(t, arena);
}

/* ---- programs ---- */

static u32 judge(struct arena *arena, const char *text, u32 type, const struct btf *btf,
		 u32 n_cpus)
{
	struct asm_input in = {.text = {(const u8 *)text, strlen(text)}};
	const struct target target = {.version = LINUX_DEFAULT, .btf = btf};
	const struct verify_opts opts = {.target = &target, .n_cpus = n_cpus};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct verify_result result = {0};
	struct asm_linked linked = {0};
	struct asm_unit unit;

	CHECK(!asm_parse(&in, arena, &unit, &diag));
	CHECK(!asm_link(&unit, 0, arena, &linked, &diag));
	const struct prog prog = {.name = "main",
				  .section = "",
				  .type = type,
				  .gpl_compatible = true,
				  .insns = linked.insns,
				  .n_insns = linked.n_insns};
	verify_prog(&prog, &opts, &result, &diag);
	verify_result_fini(&result);
	return diag.id;
}

static const char nothing[] = "	r0 = 0\n	exit\n";
static const char override[] =
	"	r2 = 0\n	call 58\n	r0 = 0\n	exit\n";
/* Reads what it cannot where the number of the CPU is 64 or more. */
static const char cpu[] = "	call 8\n"
			  "	if r0 < 64 goto +1\n"
			  "	r0 = *(u8 *)(r0 + 0)\n"
			  "	r0 = 2\n"
			  "	exit\n";

int main(void)
{
	struct arena arena = ARENA_INIT, *a = &arena;
	const struct btf *without = kernel(a, true, false), *with = kernel(a, true, true),
			 *mute = kernel(a, false, false);

	CHECK_INT(judge(a, override, BPF_PROG_TYPE_KPROBE, without, 0),
		  REASON_HELPER_NOT_BUILT);
	CHECK_INT(judge(a, override, BPF_PROG_TYPE_KPROBE, with, 0), 0);
	/* nothing is known of functions, or nothing at all */
	CHECK_INT(judge(a, override, BPF_PROG_TYPE_KPROBE, mute, 0), 0);
	CHECK_INT(judge(a, override, BPF_PROG_TYPE_KPROBE, NULL, 0), 0);

	CHECK_INT(judge(a, nothing, BPF_PROG_TYPE_LIRC_MODE2, with, 0),
		  REASON_PROG_TYPE_NOT_BUILT);
	CHECK_INT(judge(a, nothing, BPF_PROG_TYPE_LIRC_MODE2, NULL, 0), 0);
	CHECK_INT(judge(a, nothing, BPF_PROG_TYPE_TRACEPOINT, with, 0), 0);

	CHECK_INT(judge(a, cpu, BPF_PROG_TYPE_XDP, with, 0), 0);
	CHECK_INT(judge(a, cpu, BPF_PROG_TYPE_XDP, with, 64), 0);
	/* more of them run it than that kernel could have, or who knows how many */
	CHECK_INT(judge(a, cpu, BPF_PROG_TYPE_XDP, with, 65), REASON_ACCESS_NUMBER);
	CHECK_INT(judge(a, cpu, BPF_PROG_TYPE_XDP, NULL, 0), REASON_ACCESS_NUMBER);
	arena_fini(&arena);
	return check_report();
}
