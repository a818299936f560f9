/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The assembler for a whole text: statements one after another, then the names.  Labels
 * live in one function and are resolved at its end, everything else at the end of the
 * text.  Never looks at what the program does: jumps may even leave it (insns_check).
 * docs/asm.md describes the language.
 */
#include "isa/asm.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "isa/asm_file.h"
#include "isa/asm_insn.h"

/* The names of .equ come before those of the caller. */
static bool find_name(const void *ctx, enum asm_name kind, const char *name, s64 *number)
{
	const struct asm_file *f = ctx;
	const struct asm_names *outer = f->in->names;
	const struct symbol *sym = kind == ASM_CONSTANT ? file_find(f, name) : NULL;

	if (sym && sym->kind == SYMBOL_NUMBER) {
		*number = sym->value;
		return true;
	}
	return outer && outer->find(outer->ctx, kind, name, number);
}

u32 file_hash(const struct asm_file *f, const char *name)
{
	return hash_bytes(name, strlen(name), f->seed);
}

struct symbol *file_find(const struct asm_file *f, const char *name)
{
	size_t cursor = 0;
	u32 i;

	while (hash_index_next(&f->by_name, file_hash(f, name), &cursor, &i)) {
		struct symbol *sym = vec_at(&f->symbols, i);

		if (!strcmp(sym->name, name))
			return sym;
	}
	return NULL;
}

int file_define(struct asm_file *f, struct scan *s, const struct symbol *new)
{
	struct symbol *sym;

	if (file_find(f, new->name))
		return scan_at(s, fail(f->diag, ASM_DUPLICATE, NO_PC, new->name));
	if (f->symbols.len >= MAX_SYMBOLS)
		return scan_at(s,
			       fail(f->diag, ASM_TOO_BIG, NO_PC, "names", MAX_SYMBOLS));
	if (!hash_index_add(&f->by_name, file_hash(f, new->name), (u32)f->symbols.len))
		return fail(f->diag, NO_MEMORY, NO_PC);
	sym = vec_push(&f->symbols);
	if (!sym)
		return fail(f->diag, NO_MEMORY, NO_PC);
	*sym = *new;
	return 0;
}

/* An array that stays, of what was collected in a vector; NULL if it is empty. */
static void *keep(struct asm_file *f, const struct vec *v, u32 *n)
{
	void *array = NULL;

	*n = (u32)v->len;
	if (v->len)
		array = arena_memdup(f->arena, v->data, v->len * v->elem_size);
	f->no_memory |= v->len && !array;
	return array;
}

/* Names inside of functions */

/* The place of a name that was read long ago. */
static int fail_at(struct asm_file *f, const char *at, int err)
{
	const char *p = (const char *)f->in->text.data;
	u32 line = f->in->first_line ? f->in->first_line : 1;

	for (; p < at; p++)
		line += *p == '\n';
	diag_at_line(f->diag, f->in->file ? f->in->file : "", (int)line);
	return err;
}

static int column_of(const struct asm_file *f, const char *at)
{
	int column = 1;

	for (; at > (const char *)f->in->text.data && at[-1] != '\n'; at--)
		column++;
	return column;
}

static void copy_name(char name[MAX_WORD], const char *at, u8 len)
{
	memcpy(name, at, len);
	name[len] = 0;
}

static int unknown_name(struct asm_file *f, const struct pending *p, const char *what)
{
	char name[MAX_WORD];

	copy_name(name, p->at, p->len);
	return fail_at(
		f, p->at,
		fail(f->diag, ASM_UNKNOWN_NAME, NO_PC, column_of(f, p->at), what, name));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int compare_names(const struct label *a, const struct label *b)
{
	int order = memcmp(a->at, b->at, a->len < b->len ? a->len : b->len);

	return order ? order : a->len - b->len;
}

static int compare_labels(const void *a, const void *b)
{
	const struct label *x = a, *y = b;
	int order = compare_names(x, y);

	return order ? order : x->pc < y->pc ? -1 : x->pc > y->pc;
}

/* The first label that is not before key, in the order of compare_labels(). */
static u32 first_label(const struct asm_file *f, const struct label *key)
{
	u32 low = 0, high = (u32)f->labels.len;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (compare_labels(vec_at(&f->labels, middle), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct label *label_at(const struct asm_file *f, u32 i,
				    const struct label *key)
{
	const struct label *label = i < f->labels.len ? vec_at(&f->labels, i) : NULL;

	return label && !compare_names(label, key) ? label : NULL;
}

/* NAME, or 1f and 1b: the next after and the last before the instruction. */
static const struct label *find_label(const struct asm_file *f, const struct pending *p)
{
	struct label key = {p->at, 0, p->len};
	u32 i;

	if (!is_digit(*p->at))
		return label_at(f, first_label(f, &key), &key);
	key.len--;
	key.pc = p->insn + 1;
	i = first_label(f, &key);
	if (p->at[key.len] == 'f')
		return label_at(f, i, &key);
	return i ? label_at(f, i - 1, &key) : NULL;
}

static int sort_labels(struct asm_file *f)
{
	char name[MAX_WORD];

	if (f->labels.len)
		qsort(f->labels.data, f->labels.len, sizeof(struct label),
		      compare_labels);
	for (size_t i = 1; i < f->labels.len; i++) {
		const struct label *a = vec_at(&f->labels, i - 1), *b = a + 1;

		if (is_digit(*a->at) || compare_names(a, b))
			continue;
		copy_name(name, b->at, b->len);
		return fail_at(f, b->at > a->at ? b->at : a->at,
			       fail(f->diag, ASM_DUPLICATE, NO_PC, name));
	}
	return 0;
}

static int too_far(struct asm_file *f, const struct pending *p, s64 distance)
{
	char name[MAX_WORD];

	copy_name(name, p->at, p->len);
	return fail_at(f, p->at,
		       fail(f->diag, ASM_TOO_FAR, NO_PC, column_of(f, p->at), name,
			    (long long)distance));
}

/* Sets the distance of a jump, a call or a load of a function's address. */
static int set_distance(struct asm_file *f, const struct pending *p, s64 distance)
{
	struct insn *insn = vec_at(&f->insns, p->insn);
	enum op op = decode(insn);

	if (op == OP_CALL)
		insn->src_reg = CALL_LOCAL;
	if (op == OP_CALL || op == OP_LDDW || op == OP_JA32)
		insn->imm = (s32)distance;
	else if (distance < INT16_MIN || distance > INT16_MAX)
		return too_far(f, p, distance);
	else
		insn->off = (s16)distance;
	return 0;
}

/* Resolves what refers to labels; the rest waits for the end of the text. */
static int resolve_labels(struct asm_file *f)
{
	for (size_t i = f->n_waiting; i < f->pending.len; i++) {
		const struct pending *p = vec_at(&f->pending, i);
		bool may_be = p->want == WANT_LABEL || p->want == WANT_CALL ||
			      p->want == WANT_FUNC;
		const struct label *label = may_be ? find_label(f, p) : NULL;
		int err = 0;

		if (label)
			err = set_distance(f, p, (s64)label->pc - p->insn - 1);
		else if (p->want == WANT_LABEL)
			err = unknown_name(f, p, "label");
		else if (f->n_waiting == MAX_REFS)
			err = fail_at(f, p->at,
				      fail(f->diag, ASM_TOO_BIG, NO_PC, "references",
					   MAX_REFS));
		else
			*(struct pending *)vec_at(&f->pending, f->n_waiting++) = *p;
		if (err)
			return err;
	}
	f->pending.len = f->n_waiting;
	return 0;
}

/* Functions */

int file_end_function(struct asm_file *f)
{
	struct asm_func *func;
	u32 n_lines;
	int err;

	if (!f->funcs.len)
		return 0;
	err = sort_labels(f);
	err = err ? err : resolve_labels(f);
	if (err)
		return err;
	func = vec_at(&f->funcs, f->funcs.len - 1);
	func->insns = keep(f, &f->insns, &func->n_insns);
	func->lines = keep(f, &f->lines, &n_lines);
	vec_clear(&f->insns);
	vec_clear(&f->lines);
	vec_clear(&f->labels);
	return f->no_memory ? fail(f->diag, NO_MEMORY, NO_PC) : 0;
}

int file_begin_function(struct asm_file *f, struct scan *s, const struct asm_func *new)
{
	struct symbol sym = {new->name, SYMBOL_FUNC, (u32)f->funcs.len, 0};
	int err = file_end_function(f);
	struct asm_func *func;

	err = err ? err : file_define(f, s, &sym);
	if (err)
		return err;
	func = vec_push(&f->funcs);
	if (!func)
		return fail(f->diag, NO_MEMORY, NO_PC);
	*func = *new;
	func->line = s->line;
	return 0;
}

/* Instructions before any .program or .func are the program "main". */
static int need_function(struct asm_file *f, struct scan *s)
{
	struct asm_func func = {.name = "main", .program = true, .global = true};

	func.section = f->section;
	return f->funcs.len ? 0 : file_begin_function(f, s, &func);
}

/* Statements */

/* "NAME:" or "1:"; false: no label, nothing read. */
static bool accept_label(struct scan *s, struct label *label)
{
	struct scan start = *s;
	char word[MAX_WORD];

	if (scan_end(s))
		return false;
	label->at = s->p;
	if (!scan_word(s, word))
		while (s->p < s->end && is_digit(*s->p) &&
		       s->p - label->at < MAX_WORD - 2)
			s->p++;
	label->len = (u8)(s->p - label->at);
	if (label->len && scan_accept(s, ":"))
		return true;
	*s = start;
	return false;
}

static int add_label(struct asm_file *f, struct scan *s, const struct label *new)
{
	struct label *label;
	int err = need_function(f, s);

	if (err)
		return err;
	if (f->labels.len == MAX_INSNS)
		return scan_at(s, fail(f->diag, ASM_TOO_BIG, NO_PC, "labels", MAX_INSNS));
	label = vec_push(&f->labels);
	if (!label)
		return fail(f->diag, NO_MEMORY, NO_PC);
	*label = *new;
	label->pc = (u32)f->insns.len;
	return 0;
}

static int add_slots(struct asm_file *f, struct scan *s, const struct statement *st)
{
	if (f->insns.len + st->slots > MAX_INSNS)
		return scan_at(
			s, fail(f->diag, ASM_TOO_BIG, NO_PC, "instructions", MAX_INSNS));
	for (u32 i = 0; i < st->slots; i++) {
		struct insn *insn = vec_push(&f->insns);
		u32 *line = vec_push(&f->lines);

		if (!insn || !line)
			return fail(f->diag, NO_MEMORY, NO_PC);
		*insn = st->insns[i];
		*line = s->line;
	}
	return 0;
}

static int add_instruction(struct asm_file *f, struct scan *s)
{
	struct statement st;
	struct pending *p;
	int err = need_function(f, s);

	err = err ? err : asm_statement(s, &st);
	err = err ? err : add_slots(f, s, &st);
	if (err || st.want == WANT_NOTHING)
		return err;
	p = vec_push(&f->pending);
	if (!p)
		return fail(f->diag, NO_MEMORY, NO_PC);
	p->at = st.at;
	p->len = (u8)strlen(st.name);
	p->want = st.want;
	p->func = (u32)f->funcs.len - 1;
	p->insn = (u32)f->insns.len - st.slots;
	p->addend = st.addend;
	return 0;
}

static bool is_raw_insn(const struct scan *s)
{
	struct scan here = *s;

	return scan_accept_word(&here, ".insn");
}

static int read_statement(struct asm_file *f, struct scan *s)
{
	struct label label;

	while (accept_label(s, &label)) {
		int err = add_label(f, s, &label);

		if (err)
			return err;
	}
	if (scan_end(s))
		return 0;
	if (*s->p == '.' && !is_raw_insn(s))
		return file_directive(f, s);
	return add_instruction(f, s);
}

/* Where the statement at p ends: at ";", at a comment or with the line. */
static const char *statement_end(const char *p, const char *line_end)
{
	char quote = 0;

	for (; p < line_end; p++) {
		if (quote && *p == '\\')
			p++;
		else if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == ';' || *p == '#' ||
			 (*p == '/' && line_end - p > 1 && p[1] == '/'))
			return p;
	}
	return line_end;
}

/* A line that begins with ";" is a comment, as in the listings of llvm-objdump. */
static bool is_comment_line(const struct scan *s)
{
	struct scan start = *s;

	return scan_accept(&start, ";");
}

static int read_line(struct asm_file *f, struct scan *s, const char *line_end)
{
	s->end = line_end;
	if (is_comment_line(s))
		return 0;
	for (;;) {
		int err;

		s->end = statement_end(s->p, line_end);
		err = read_statement(f, s);
		if (err || s->end == line_end || *s->end != ';')
			return err;
		s->p = s->end + 1;
	}
}

static int read_text(struct asm_file *f)
{
	const char *p = (const char *)f->in->text.data, *end = p + f->in->text.len;
	struct scan s = {.file = f->in->file, .names = &f->names, .diag = f->diag};

	for (s.line = f->in->first_line ? f->in->first_line : 1; p < end; s.line++) {
		const char *line_end = memchr(p, '\n', (size_t)(end - p));
		int err;

		line_end = line_end ? line_end : end;
		s.p = s.line_start = p;
		err = read_line(f, &s, line_end);
		if (err)
			return err;
		p = line_end + 1;
	}
	return file_end_function(f);
}

/* Names that mean something in the whole text */

static int add_ref(struct asm_file *f, const struct pending *p, enum asm_ref_kind kind,
		   u32 index)
{
	struct asm_ref *ref = vec_push(&f->refs);

	if (!ref)
		return fail(f->diag, NO_MEMORY, NO_PC);
	*ref = (struct asm_ref){p->insn, kind, index, p->addend};
	return 0;
}

static void set_lddw(struct insn *insn, enum lddw_src src, u32 index, u32 offset)
{
	insn[0].src_reg = src;
	insn[0].imm = (s32)index;
	insn[1].imm = (s32)offset;
}

static int resolve_map(struct asm_file *f, const struct pending *p, struct insn *insn,
		       u32 index)
{
	bool value = p->want == WANT_VALUE;

	if (p->addend && !value)
		return unknown_name(f, p, "global");
	set_lddw(insn, value ? LDDW_MAP_IDX_VALUE : LDDW_MAP_IDX, index, (u32)p->addend);
	return add_ref(f, p, value ? ASM_REF_VALUE : ASM_REF_MAP, index);
}

static int resolve_global(struct asm_file *f, const struct pending *p, struct insn *insn,
			  u32 index)
{
	const struct asm_global *global = vec_at(&f->globals, index);

	set_lddw(insn, LDDW_MAP_IDX_VALUE, (u32)f->maps.len + global->data,
		 global->offset + (u32)p->addend);
	return add_ref(f, p, ASM_REF_GLOBAL, index);
}

static int resolve_func(struct asm_file *f, const struct pending *p, struct insn *insn,
			u32 index)
{
	if (p->addend)
		return unknown_name(f, p, "global");
	if (p->want == WANT_CALL) {
		insn->src_reg = CALL_LOCAL;
		insn->imm = (s32)index;
		return add_ref(f, p, ASM_REF_CALL, index);
	}
	set_lddw(insn, LDDW_FUNC, index, 0);
	return add_ref(f, p, ASM_REF_FUNC, index);
}

static int resolve_helper(struct asm_file *f, const struct pending *p, struct insn *insn)
{
	char name[MAX_WORD];
	s64 number;

	copy_name(name, p->at, p->len);
	if (!find_name(f, ASM_HELPER, name, &number))
		return unknown_name(f, p, "function or helper");
	insn->imm = (s32)number;
	return 0;
}

static int resolve_extern(struct asm_file *f, const struct pending *p, struct insn *insn)
{
	bool kfunc = p->want == WANT_KFUNC;
	char name[MAX_WORD];
	u32 index;
	int err;

	copy_name(name, p->at, p->len);
	err = file_extern(f, name, kfunc, &index);
	if (err)
		return err;
	insn->imm = (s32)index;
	return add_ref(f, p, kfunc ? ASM_REF_KFUNC : ASM_REF_KSYM, index);
}

static const char *const want_text[] = {
	[WANT_LABEL] = "label",   [WANT_CALL] = "function or helper",
	[WANT_MAP] = "map",       [WANT_VALUE] = "map or global",
	[WANT_FUNC] = "function", [WANT_ADDRESS] = "map, global or function",
};

static bool wants(enum want want, enum symbol_kind kind)
{
	switch (kind) {
	case SYMBOL_FUNC:
		return want == WANT_CALL || want == WANT_FUNC || want == WANT_ADDRESS;
	case SYMBOL_MAP:
		return want == WANT_MAP || want == WANT_VALUE || want == WANT_ADDRESS;
	case SYMBOL_GLOBAL: return want == WANT_VALUE || want == WANT_ADDRESS;
	case SYMBOL_NUMBER: return false;
	}
	return false;
}

static int resolve(struct asm_file *f, const struct pending *p)
{
	const struct asm_func *func = vec_at(&f->funcs, p->func);
	struct insn *insn = &func->insns[p->insn];
	const struct symbol *sym;
	char name[MAX_WORD];

	copy_name(name, p->at, p->len);
	sym = file_find(f, name);
	if (p->want == WANT_KFUNC || p->want == WANT_KSYM)
		return resolve_extern(f, p, insn);
	if (!sym || !wants((enum want)p->want, sym->kind))
		return p->want == WANT_CALL ? resolve_helper(f, p, insn)
					    : unknown_name(f, p, want_text[p->want]);
	if (sym->kind == SYMBOL_FUNC)
		return resolve_func(f, p, insn, sym->index);
	if (sym->kind == SYMBOL_MAP)
		return resolve_map(f, p, insn, sym->index);
	return resolve_global(f, p, insn, sym->index);
}

/* Pending names come function by function, and so do the references made from them. */
static void hand_out_refs(struct asm_file *f, const u32 *ends)
{
	u32 n_refs, start = 0;
	struct asm_ref *refs = keep(f, &f->refs, &n_refs);

	for (u32 i = 0; refs && i < f->funcs.len; i++) {
		struct asm_func *func = vec_at(&f->funcs, i);

		if (ends[i] <= start)
			continue;
		func->refs = refs + start;
		func->n_refs = ends[i] - start;
		start = ends[i];
	}
}

static int resolve_names(struct asm_file *f)
{
	u32 *ends = arena_array(f->arena, f->funcs.len + 1, sizeof(*ends));

	if (!ends)
		return fail(f->diag, NO_MEMORY, NO_PC);
	for (size_t i = 0; i < f->pending.len; i++) {
		const struct pending *p = vec_at(&f->pending, i);
		int err = resolve(f, p);

		if (err)
			return err;
		ends[p->func] = (u32)f->refs.len;
	}
	hand_out_refs(f, ends);
	return 0;
}

static int finish(struct asm_file *f, struct asm_unit *unit)
{
	int err = resolve_names(f);

	err = err ? err : file_end_maps(f);
	err = err ? err : file_end_datas(f);
	if (err)
		return err;
	unit->funcs = keep(f, &f->funcs, &unit->n_funcs);
	unit->maps = keep(f, &f->maps, &unit->n_maps);
	unit->datas = keep(f, &f->datas, &unit->n_datas);
	unit->globals = keep(f, &f->globals, &unit->n_globals);
	unit->externs = keep(f, &f->externs, &unit->n_externs);
	unit->license = f->license;
	unit->version = f->version;
	return f->no_memory ? fail(f->diag, NO_MEMORY, NO_PC) : 0;
}

static void file_fini(struct asm_file *f)
{
	struct vec *const vecs[] = {
		&f->symbols,   &f->funcs, &f->maps,   &f->globals, &f->externs,
		&f->map_names, &f->slots, &f->datas,  &f->pending, &f->refs,
		&f->insns,     &f->lines, &f->labels,
	};

	for (size_t i = 0; i < f->builds.len; i++)
		vec_fini(&((struct data_build *)vec_at(&f->builds, i))->bytes);
	vec_fini(&f->builds);
	for (size_t i = 0; i < ARRAY_SIZE(vecs); i++)
		vec_fini(vecs[i]);
	hash_index_fini(&f->by_name);
	hash_index_fini(&f->by_extern);
}

int asm_parse(const struct asm_input *in, struct arena *arena, struct asm_unit *unit,
	      struct skep_diag *diag)
{
	struct asm_file f = {
		.in = in,
		.arena = arena,
		.diag = diag,
		.names = {find_name, &f},
		.symbols = VEC_INIT(struct symbol),
		.by_name = HASH_INDEX_INIT,
		.by_extern = HASH_INDEX_INIT,
		.funcs = VEC_INIT(struct asm_func),
		.maps = VEC_INIT(struct asm_map),
		.globals = VEC_INIT(struct asm_global),
		.externs = VEC_INIT(struct asm_extern),
		.map_names = VEC_INIT(struct map_names),
		.slots = VEC_INIT(struct slot_line),
		.builds = VEC_INIT(struct data_build),
		.datas = VEC_INIT(struct asm_data),
		.pending = VEC_INIT(struct pending),
		.refs = VEC_INIT(struct asm_ref),
		.insns = VEC_INIT(struct insn),
		.lines = VEC_INIT(u32),
		.labels = VEC_INIT(struct label),
	};
	int err;

	*unit = (struct asm_unit){0};
	f.seed = (u32)((uintptr_t)&f >> 4);
	err = read_text(&f);
	err = err ? err : finish(&f, unit);
	file_fini(&f);
	return err;
}

/* One line */

static int resolve_line(struct scan *s, struct statement *st)
{
	s64 number;

	if (st->want == WANT_NOTHING)
		return 0;
	if (st->want != WANT_CALL || !s->names ||
	    !s->names->find(s->names->ctx, ASM_HELPER, st->name, &number))
		return fail(s->diag, ASM_UNKNOWN_NAME, NO_PC,
			    (int)(st->at - s->line_start) + 1,
			    st->want == WANT_CALL ? "helper" : "name outside of a file",
			    st->name);
	st->insns[0].imm = (s32)number;
	return 0;
}

int asm_insn(const char *line, const struct asm_names *names, struct insn insns[2],
	     struct skep_diag *diag)
{
	struct scan s = {.p = line, .line_start = line, .names = names, .diag = diag};
	struct statement st;
	int err;

	s.end = statement_end(line, line + strlen(line));
	err = asm_statement(&s, &st);
	err = err ? err : resolve_line(&s, &st);
	if (err)
		return err;
	memcpy(insns, st.insns, st.slots * sizeof(*insns));
	return (int)st.slots;
}
