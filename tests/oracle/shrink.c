/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shrinking is taking out ranges that the generator marked, large ones first, as long as
 * the kernel accepts what is left and the difference stays; then the inputs before the
 * one that differs.
 */
#include "oracle/shrink.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "base/text.h"
#include "isa/disasm.h"

/* ---- the file ---- */

struct names {
	char function[32];
	u32 program;
};

static const char *helper_name(const void *ctx, s32 number)
{
	const struct abi_helper *h = abi_helper((u32)number);

	(void)ctx;
	return h ? h->name : NULL;
}

static const char *function_name(const void *ctx, u32 target)
{
	struct names *n = (struct names *)ctx;

	snprintf(n->function, sizeof(n->function), "f%u_%u", n->program, target);
	return n->function;
}

static const char *map_name(const void *ctx, const struct insn *insn, u32 pc)
{
	static const char *const names[GEN_MAPS] = {
		[GEN_SCRATCH] = "scratch",
#define M(name, ...) [GEN_##name] = #name,
#include "oracle/maps.def"
#undef M
	};

	(void)ctx, (void)pc;
	return names[insn->imm];
}

static void put_bytes(FILE *f, const u8 *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(f, " %02x", bytes[i]);
	fputc('\n', f);
}

static void put_maps(FILE *f, const struct gen_case *c)
{
	u32 used = gen_maps_used(c);

#define M(name, text, type, key, value, entries, flags)                                  \
	if (used >> GEN_##name & 1)                                                      \
		fprintf(f, ".map " #name " " text " key %d value %d entries %d%s%s\n",   \
			key, value, entries,                                             \
			!strcmp(#flags, "0") ? "" : " flags BPF_F_NO_PREALLOC",          \
			GEN_##name == GEN_OUTER || GEN_##name == GEN_OUTER_HASH          \
				? " inner INNER_A"                                       \
				: "");
#include "oracle/maps.def"
#undef M
	for (u32 i = 0; i < 2; i++) {
		const char *name = i ? "OUTER_HASH" : "OUTER";

		if (used >> (i ? GEN_OUTER_HASH : GEN_OUTER) & 1)
			fprintf(f,
				".slot %s 0 INNER_A\n.slot %s 1 INNER_B\n"
				".slot %s 2 INNER_A\n",
				name, name, name);
	}
	for (u32 i = 0; i < c->n_progs && used >> GEN_JUMPS & 1; i++)
		fprintf(f, ".slot JUMPS %u p%u\n", i, i);
}

static bool is_entry(const struct gen_prog *p, u32 at)
{
	for (u32 i = 0; i < p->n_insns; i++) {
		const struct insn *insn = &p->insns[i];
		bool call = insn->code == (CLASS_JMP | 0x80) &&
			    insn->src_reg == CALL_LOCAL,
		     address = insn->code == 0x18 && insn->src_reg == LDDW_FUNC;

		if ((call || address) && (s64)i + 1 + insn->imm == at)
			return true;
		i += insn->code == 0x18;
	}
	return false;
}

static void put_program(FILE *f, const struct gen_prog *p, u32 number)
{
	struct names ctx = {.program = number};
	const struct dis_names names = {.helper = helper_name,
					.function = function_name,
					.map = map_name,
					.ctx = &ctx};
	struct text t = TEXT_INIT;

	fprintf(f, ".program p%u\n", number);
	for (u32 pc = 0; pc < p->n_insns;) {
		if (pc && is_entry(p, pc))
			text_printf(&t, ".func f%u_%u\n", number, pc);
		text_puts(&t, "\t");
		pc += disasm(&t, p->insns, p->n_insns, pc, &names);
		text_puts(&t, "\n");
	}
	fputs(text_str(&t), f);
	text_fini(&t);
}

void write_case(FILE *f, const struct gen_case *c, u32 input, const struct outcome *want,
		const char *comment)
{
	struct gen_input in;

	generate_input(c, input, &in);
	fprintf(f, "# Found by the oracle, %sseed %llu: %s\nhook %s\npacket",
		c->small ? "small, " : "", (unsigned long long)c->seed, comment,
		c->type == BPF_PROG_TYPE_XDP ? "xdp" : "tc");
	put_bytes(f, in.packet, in.packet_len);
	fprintf(f, ".var scratch in .data u8 ");
	for (size_t i = 0; i < sizeof(in.scratch); i++)
		fprintf(f, "%s%u", i ? "," : "", ((u8 *)&in.scratch)[i]);
	fputc('\n', f);
	put_maps(f, c);
	for (u32 i = 0; i < c->n_progs; i++)
		put_program(f, &c->progs[i], i);
	if (!want)
		return;
	fprintf(f, "-- packet =");
	put_bytes(f, want->packet, want->packet_len);
	fprintf(f, "-- map .data 00000000 =");
	put_bytes(f, (const u8 *)&want->scratch, sizeof(want->scratch));
}

/* ---- shrinking ---- */

struct shrinker {
	struct sides *sides;
	struct gen_case *c, *trial;
	u32 first, n;
	struct comparison last; /* of what still differs */
};

static bool still(struct shrinker *s, const struct gen_case *c, u32 first, u32 n)
{
	struct comparison result;

	compare(s->sides, c, first, n, &result);
	if (result.verdict != DIFFERENT)
		return false;
	s->last = result;
	return true;
}

static bool try_without(struct shrinker *s, u32 program, u32 range)
{
	struct gen_prog *p = &s->trial->progs[program];

	memcpy(s->trial, s->c, sizeof(*s->c));
	gen_take_out(p, p->ranges[range]);
	if (!still(s, s->trial, s->first, s->n))
		return false;
	memcpy(s->c, s->trial, sizeof(*s->c));
	return true;
}

static int by_size(const void *a, const void *b)
{
	const struct gen_range *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : 0;
}

/* true: something went. */
static bool shrink_program(struct shrinker *s, u32 program)
{
	struct gen_prog *p = &s->c->progs[program];
	bool went = false;

	qsort(p->ranges, p->n_ranges, sizeof(p->ranges[0]), by_size);
	for (u32 i = 0; i < p->n_ranges;)
		if (try_without(s, program, i))
			went = true;
		else
			i++;
	return went;
}

static void shrink_inputs(struct shrinker *s)
{
	u32 at = s->last.input;

	if (still(s, s->c, at, 1)) {
		s->first = at;
		s->n = 1;
		return;
	}
	while (s->first < at && still(s, s->c, s->first + 1, s->n - 1)) {
		s->first++;
		s->n--;
	}
}

static void save(struct shrinker *s, const char *folder)
{
	const struct outcome *want = kernel_outcome(s->sides);
	char path[512], comment[700];
	FILE *f;

	snprintf(comment, sizeof(comment), "inputs %u to %u: %s", s->first,
		 s->first + s->n - 1, s->last.text);
	fprintf(stderr, "\t%s\n", comment);
	snprintf(path, sizeof(path), "%s/oracle-%llu.case", folder,
		 (unsigned long long)s->c->seed);
	f = fopen(path, "w");
	if (!f) {
		fprintf(stderr, "\t%s: %s\n", path, strerror(errno));
		return;
	}
	/* a case has one input: the result of several says nothing */
	write_case(f, s->c, s->last.input, s->n == 1 ? want : NULL, comment);
	fclose(f);
	fprintf(stderr, "\twritten to %s\n", path);
}

void shrink(struct sides *sides, struct gen_case *c, u32 n_inputs, const char *folder)
{
	struct shrinker s = {.sides = sides, .c = c, .n = n_inputs};

	s.trial = malloc(sizeof(*s.trial));
	if (!s.trial || !still(&s, c, 0, n_inputs)) {
		fprintf(stderr, "\tit does not happen again\n");
		free(s.trial);
		return;
	}
	s.n = s.last.input + 1;
	shrink_inputs(&s);
	for (bool went = true; went;) {
		went = false;
		for (u32 i = 0; i < c->n_progs; i++)
			went |= shrink_program(&s, i);
	}
	shrink_inputs(&s);
	still(&s, c, s.first, s.n); /* what the kernel gave is this case's again */
	save(&s, folder);
	free(s.trial);
}
