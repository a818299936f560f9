/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CO-RE: every relocation of local.bpf.c, resolved against target.bpf.c, in both byte
 * orders.  The expected values are those that libbpf 1.1 gives for the same objects.  And
 * records that make no sense are refused. Usage: core DIRECTORY-OF-OBJECTS CLANG
 */
#include "btf/core.h"

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "btf/object.h"
#include "check.h"
#include "isa/insn.h"

enum { SKIPPED = 77 };
enum order { BOTH, LITTLE, BIG };

/* clang-format off */
#define POISON 0x85, 0, CORE_POISON_HELPER
static const struct expected {
	const char *section, *text; /* of core_print() */
	u8 code;                    /* of the relocated instruction */
	s16 off;
	s32 imm;
	enum order order;
} expected[] = {
	{"field-first", "struct plain::first byte_off 0", 0x61, 0, 0},
	{"field-moved", "struct plain::moved byte_off 4 -> 16", 0x61, 16, 0},
	{"field-nested", "struct plain::in.y byte_off 12 -> 36", 0x61, 36, 0},
	{"field-of-element", "struct plain::many[2].y byte_off 36 -> 96", 0x61, 96, 0},
	{"pointer-as-array", "struct plain[3]::moved byte_off 340 -> 592", 0x61, 592, 0},
	{"load-grows", "struct plain::grown byte_off 48 -> 120", 0x79, 120, 0},
	{"load-shrinks", "struct plain::shrunk byte_off 56 -> 128", 0x69, 128, 0},
	{"store-grows", "struct plain::grown byte_off 48 -> 120", 0x7b, 120, 0},
	{"signed-cannot-grow", "struct plain::signed_grown byte_off 64 -> 132", POISON},
	{"pointer-stays", "struct plain::pointer byte_off 72 -> 136", 0x79, 136, 0},
	{"field-gone", "struct plain::gone byte_off (does not match the target) poisoned", POISON},
	{"field-other-kind", "struct plain::now_array field_exists (does not match the target) 1 -> 0", 0xb7, 0, 0},
	{"into-anonymous", "struct plain::in_anonymous byte_off 96 -> 164", 0x61, 164, 0},
	{"out-of-anonymous", "struct plain::was_anonymous byte_off 100 -> 168", 0x61, 168, 0},
	{"array-element", "struct plain::text[5] byte_off 109 -> 177", 0x71, 177, 0},
	{"flexible-array", "struct plain::tail[3] byte_off 136 -> 200", 0x61, 200, 0},
	{"offset-as-number", "struct plain::moved byte_off 4 -> 16", 0xb7, 0, 16},
	{"size-of-field", "struct plain::grown byte_sz 2 -> 8", 0xb7, 0, 8},
	{"size-of-array", "struct plain::text byte_sz 8 -> 16", 0xb7, 0, 16},
	{"field-exists", "struct plain::moved field_exists 1", 0xb7, 0, 1},
	{"field-exists-not", "struct plain::gone field_exists (does not match the target) 1 -> 0", 0xb7, 0, 0},
	{"field-signed", "struct plain::in.x signed 1", 0xb7, 0, 1},
	{"size-of-gone", "struct plain::gone byte_sz (does not match the target) poisoned", POISON},
	{"bits-offset", "struct plain::more_bits byte_off 88 -> 152", 0xb7, 0, 152},
	{"bits-size", "struct plain::more_bits byte_sz 4", 0xb7, 0, 4},
	{"bits-lshift", "struct plain::more_bits lshift_u64 47", 0xb7, 0, 47, LITTLE},
	{"bits-lshift", "struct plain::more_bits lshift_u64 37 -> 39", 0xb7, 0, 39, BIG},
	{"bits-rshift", "struct plain::more_bits rshift_u64 52 -> 54", 0xb7, 0, 54},
	{"bits-signed", "struct plain::bits signed 1", 0xb7, 0, 1},
	{"now-bits-rshift", "struct plain::now_bits rshift_u64 32 -> 61", 0xb7, 0, 61},
	{"now-bits-lshift", "struct plain::now_bits lshift_u64 32 -> 44", 0xb7, 0, 44, LITTLE},
	{"now-bits-lshift", "struct plain::now_bits lshift_u64 32 -> 49", 0xb7, 0, 49, BIG},
	{"flavour-name", "struct plain___old::moved byte_off 0 -> 16", 0x61, 16, 0},
	{"flavour-gone", "struct plain___old::gone field_exists (does not match the target) 1 -> 0", 0xb7, 0, 0},
	{"twice-same", "struct twice::same byte_off 0", 0x61, 0, 0},
	{"twice-narrowed", "struct twice___b::only_in_second field_exists 1", 0xb7, 0, 1},
	{"twice-narrowed", "struct twice___b::other byte_off 0 -> 12", 0x61, 12, 0},
	{"type-exists", "struct plain type_exists 1", 0xb7, 0, 1},
	{"type-exists-not", "struct nowhere type_exists (not in the target) 1 -> 0", 0xb7, 0, 0},
	{"type-of-other-kind", "union either type_exists (not in the target) 1 -> 0", 0xb7, 0, 0},
	{"typedef-exists", "typedef inner_t type_exists 1", 0xb7, 0, 1},
	{"function-pointer-exists", "typedef callback_t type_exists 1", 0xb7, 0, 1},
	{"type-size", "struct inner type_size 8 -> 20", 0xb7, 0, 20},
	{"type-size-of-nothing", "struct nowhere type_size (not in the target) 4 -> 0", 0xb7, 0, 0},
	{"type-matches", "struct matching type_matches 1", 0xb7, 0, 1},
	{"type-matches-not", "struct not_matching type_matches (does not match the target) 1 -> 0", 0xb7, 0, 0},
	{"enumval-value", "enum color::GREEN enumval_value 5 -> 2", 0x18, 0, 2},
	{"enumval-exists", "enum color::BLUE enumval_exists 1", 0x18, 0, 1},
	{"enumval-flavour", "enum color___x::GREEN___x enumval_value 1 -> 2", 0x18, 0, 2},
	{"enumval-gone", "enum color___x::NONE___x enumval_value (does not match the target) poisoned", POISON},
	{"enumval-exists-not", "enum color___x::NONE___x enumval_exists (does not match the target) 1 -> 0", 0x18, 0, 0},
	{"enumval-64-bits", "enum64 wide::WIDE enumval_value 1234605616436508552 -> 1234605616436508553", 0x18, 0, 1432778633},
};
/* clang-format on */

/* An object and what belongs to it. */
struct object {
	struct bytes file;
	const struct btf *btf;
	struct btf_ext ext;
	bool big_endian;
};

static struct arena arena;

static bool open_object(struct object *o, const char *dir, const char *name,
			bool big_endian)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.%s.o", dir, name,
		 big_endian ? "bpfeb" : "bpf");
	o->file = read_file(path);
	o->big_endian = big_endian;
	if (!CHECK(o->file.data) ||
	    !CHECK_INT(
		    btf_read(&arena, find_section(o->file, ".BTF"), NULL, &o->btf, &diag),
		    0))
		return false;
	struct bytes ext = find_section(o->file, ".BTF.ext");
	return !ext.data ||
	       CHECK_INT(btf_ext_read(&arena, ext, o->btf, &o->ext, &diag), 0);
}

static const struct btf_ext_section *find_relos(const struct object *o,
						const char *section)
{
	for (u32 i = 0; i < o->ext.n_relo_sections; i++) {
		if (!strcmp(o->ext.relo_sections[i].name, section))
			return &o->ext.relo_sections[i];
	}
	return NULL;
}

/* The instruction that a record is about, and the one behind it. */
static void read_insns(const struct object *o, const char *section, u32 off,
		       struct insn out[2])
{
	struct bytes code = find_section(o->file, section);

	memset(out, 0, 2 * sizeof(*out));
	for (u32 i = 0; i < 2; i++) {
		struct bytes slot = bytes_slice(code, off + i * INSN_SIZE, INSN_SIZE);

		if (slot.data)
			out[i] = insn_read(slot.data, o->big_endian);
	}
}

/* Relocates what the row is about: the record of its section that core_print() describes
 * as the row does. */
static void check_row(struct core *core, const struct object *o, const struct expected *e)
{
	const struct btf_ext_section *s = find_relos(o, e->section);
	struct text text = TEXT_INIT;
	bool found = false;

	for (u32 i = 0; CHECK(s) && i < s->n && !found; i++) {
		const struct btf_core_relo *r = &o->ext.relos[s->first + i];
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct core_result res;
		struct insn insns[2];

		read_insns(o, e->section, r->insn_off, insns);
		text_clear(&text);
		int err = core_relocate(core, insns, 2, 0, r, &res, &diag);
		if (!CHECK_INT(err, 0)) {
			fprintf(stderr, "\t%s: %s: %s\n", e->section, diag.where,
				diag.text);
			break;
		}
		core_print(&text, o->btf, r, &res);
		found = !strcmp(text_str(&text), e->text);
		if (!found)
			continue;
		CHECK_INT(insns[0].code, e->code);
		CHECK_INT(insns[0].off, e->off);
		CHECK_INT(insns[0].imm, e->imm);
	}
	if (!CHECK(found))
		fprintf(stderr, "\t%s: wanted %s, got %s\n", e->section, e->text,
			text_str(&text));
	text_fini(&text);
}

/* The only record of a section. */
static const struct btf_core_relo *only_relo(const struct object *o, const char *section)
{
	const struct btf_ext_section *s = find_relos(o, section);

	return CHECK(s && s->n == 1) ? &o->ext.relos[s->first] : NULL;
}

static void check_type_ids(struct core *core, const struct object *local,
			   const struct object *target)
{
	const struct btf_core_relo *r = only_relo(local, "type-id-target");
	struct core_result res;

	CHECK_INT(core_resolve(core, r, &res, NULL), 0);
	CHECK_INT(res.value, btf_find(target->btf, "inner", BTF_STRUCT));
	r = only_relo(local, "type-id-local");
	CHECK_INT(core_resolve(core, r, &res, NULL), 0);
	CHECK_INT(res.value, btf_find(local->btf, "inner", BTF_STRUCT));
}

static void check_ambiguous(struct core *core, const struct object *o)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct core_result res;

	CHECK(core_resolve(core, only_relo(o, "twice-ambiguous"), &res, &diag) < 0);
	CHECK_STR(skep_diag_name(diag.id), "CORE_AMBIGUOUS");
	CHECK_STR(diag.where, "struct twice::other");
}

static void check_malformed(struct core *core, const struct object *o)
{
	static const char *const strings[] = {"",   "0:99", "x",     "0:0:0",
					      "-1", "0,1",  "0:2:2", "9999999999",
					      "0 ", "0:3:4"};
	struct btf_core_relo r = {.type = btf_find(o->btf, "plain", BTF_STRUCT)};
	struct core_result res;

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;

		r.access = strings[i];
		CHECK(core_resolve(core, &r, &res, &diag) < 0);
		CHECK_STR(skep_diag_name(diag.id), "CORE_RELO");
	}
	r.access = "0:0";
	r.kind = CORE_KINDS;
	CHECK(core_resolve(core, &r, &res, NULL) < 0);
	r.kind = CORE_TYPE_EXISTS;
	CHECK(core_resolve(core, &r, &res, NULL) < 0);
	r.kind = CORE_ENUMVAL_VALUE;
	CHECK(core_resolve(core, &r, &res, NULL) < 0);
	r.type = btf_count(o->btf);
	CHECK(core_resolve(core, &r, &res, NULL) < 0);
}

/* Instructions that a record cannot be about, and values that they cannot hold. */
static void check_insns(void)
{
	struct core_result res = {.local = 4, .value = 8, .check_local = true};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct insn jump = {.code = CLASS_JMP, .imm = 4},
		    reg = {.code = CLASS_ALU64 | SRC_X};
	struct insn mov = {.code = CLASS_ALU64 | 0xb0, .imm = 5},
		    load = {.code = CLASS_LDX | MODE_MEM, .off = 4};
	struct insn lddw[2] = {{.code = CLASS_LD | 0x18, .imm = 4}, {.imm = 0}};

	CHECK(core_apply(&jump, 1, 0, &res, &diag) < 0);
	CHECK_STR(skep_diag_name(diag.id), "CORE_INSN");
	CHECK(core_apply(&reg, 1, 0, &res, NULL) < 0);
	CHECK(core_apply(&mov, 1, 0, &res, NULL) < 0); /* it holds 5, not 4 */
	CHECK(core_apply(&load, 1, 1, &res, NULL) < 0);
	CHECK(core_apply(lddw, 1, 0, &res, NULL) < 0); /* half of it */
	res.value = 0x1122334455667788;
	CHECK(core_apply(&load, 1, 0, &res, NULL) < 0);
	CHECK_INT(core_apply(lddw, 2, 0, &res, NULL), 0);
	CHECK_INT(lddw_imm(lddw), 0x1122334455667788);
	res.poison = true;
	CHECK_INT(core_apply(lddw, 2, 0, &res, NULL), 0);
	CHECK_INT(lddw[1].imm, CORE_POISON_HELPER);
	CHECK_INT(lddw[1].code, 0x85);
}

static void check_all(const char *dir, bool big_endian)
{
	struct object local, target;

	if (!open_object(&local, dir, "local", big_endian) ||
	    !open_object(&target, dir, "target", big_endian))
		return;
	struct core *core = core_new(local.btf, target.btf);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		if (expected[i].order != (big_endian ? LITTLE : BIG))
			check_row(core, &local, &expected[i]);
	}
	check_type_ids(core, &local, &target);
	check_ambiguous(core, &local);
	check_malformed(core, &local);
	core_free(core);

	/* Without a target only what is about local types has an answer. */
	struct core_result res;
	core = core_new(local.btf, NULL);
	CHECK_INT(core_resolve(core, only_relo(&local, "field-first"), &res, NULL), 0);
	CHECK(res.poison && res.outcome == CORE_NO_CANDIDATE);
	CHECK_INT(core_resolve(core, only_relo(&local, "type-id-local"), &res, NULL), 0);
	CHECK_INT(res.outcome, CORE_RESOLVED);
	core_free(core);
	arena_fini(&arena);
	free((void *)local.file.data);
	free((void *)target.file.data);
}

int main(int argc, char **argv)
{
	check_insns();
	if (argc < 3 || !*argv[2]) {
		printf("no clang that compiles BPF: CO-RE relocations were not tested\n");
		return check_failed ? 1 : SKIPPED;
	}
	check_all(argv[1], false);
	check_all(argv[1], true);
	return check_report();
}
