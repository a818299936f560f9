/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assembled text that becomes an object file and is read again: what comes back is what
 * the assembler itself links.  With a file name, the object is left there.
 *
 *	test-obj-written [FILE]
 */
#include <stdlib.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "check.h"
#include "isa/asm.h"
#include "obj/object.h"
#include "obj/write.h"

static const char text[] =
	".license \"GPL\"\n"
	".map counts array key 4 value 8 entries 256\n"
	".map jumps prog_array key 4 value 4 entries 4\n"
	".map ring ringbuf entries 4096\n"
	".map inner hash key 8 value 16 entries 3 flags BPF_F_NO_PREALLOC\n"
	".map outer array_of_maps key 4 value 4 entries 2 inner inner\n"
	".map kept hash key 4 value 4 entries 1 pin\n"
	".slot jumps 2 second\n"
	".slot outer 1 inner\n"
	".var limit in .rodata u32 100, 200\n"
	".var total u64 7\n"
	".var empty in .bss zero 24\n"
	".section xdp\n"
	".program first\n"
	"	r6 = r1\n"
	"	r1 = map[counts]\n"
	"	*(u32 *)(r10 - 4) = 1\n"
	"	r2 = r10; r2 += -4\n"
	"	call map_lookup_elem\n"
	"	if r0 == 0 goto out\n"
	"	r1 = value[total]\n"
	"	r2 = *(u64 *)(r1 + 0)\n"
	"	r1 = value[limit] + 4\n"
	"	r1 = *(u32 *)(r1 + 0)\n"
	"	call twice\n"
	"	r3 = value[empty] + 8\n"
	"	*(u64 *)(r3 + 0) = r0\n"
	"	r1 = 3\n"
	"	r2 = func[visit]\n"
	"	r3 = 0; r4 = 0\n"
	"	call loop\n"
	"	r1 = r6; r2 = map[jumps]; r3 = 2\n"
	"	call tail_call\n"
	"out:	r0 = XDP_PASS\n"
	"	exit\n"
	".program second\n"
	"	r1 = 5\n"
	"	call twice\n"
	"	r0 = XDP_DROP\n"
	"	exit\n"
	".func visit\n"
	"	r0 = 0\n"
	"	exit\n"
	".func twice global\n"
	"	r0 = r1; r0 += r1\n"
	"	exit\n";

static bool find_name(const void *ctx, enum asm_name kind, const char *name, s64 *number)
{
	const struct abi_helper *helper = abi_find_helper(name);
	const struct abi_name *type = abi_find_map_type(name);

	(void)ctx;
	switch (kind) {
	case ASM_HELPER: *number = helper ? helper->number : 0; return helper;
	case ASM_MAP_TYPE: *number = type ? type->number : 0; return type;
	case ASM_CONSTANT: return abi_find_constant(name, number);
	}
	return false;
}

/* What the assembler's number of a map or of a section of globals is called. */
static const char *data_name(const struct asm_unit *unit, u32 i)
{
	return i < unit->n_maps ? unit->maps[i].name : unit->datas[i - unit->n_maps].name;
}

static bool is_same(const struct insn *a, const struct insn *b)
{
	return a->code == b->code && a->dst_reg == b->dst_reg &&
	       a->src_reg == b->src_reg && a->off == b->off && a->imm == b->imm;
}

static void programs_are_what_was_linked(const struct object *obj,
					 const struct asm_unit *unit, struct arena *arena)
{
	for (u32 f = 0, n = 0; f < unit->n_funcs; f++) {
		struct asm_linked linked;

		if (!unit->funcs[f].program)
			continue;
		if (!CHECK(n < obj->n_progs) ||
		    !CHECK(!asm_link(unit, f, arena, &linked, NULL)))
			return;
		const struct prog *prog = &obj->progs[n++].prog;
		CHECK_STR(prog->name, unit->funcs[f].name);
		CHECK_INT(obj->progs[n - 1].err, 0);
		if (!CHECK_INT(prog->n_insns, linked.n_insns))
			continue;
		for (u32 pc = 0; pc < prog->n_insns; pc++) {
			struct insn want = linked.insns[pc], got = prog->insns[pc];
			bool map = decode(&want) == OP_LDDW &&
				   (want.src_reg == LDDW_MAP_IDX ||
				    want.src_reg == LDDW_MAP_IDX_VALUE);

			if (map) {
				CHECK_STR(prog->maps[got.imm]->name,
					  data_name(unit, (u32)want.imm));
				got.imm = want.imm;
			}
			CHECK(is_same(&got, &want));
		}
	}
}

static void maps_are_what_was_declared(const struct object *obj,
				       const struct asm_unit *unit)
{
	for (u32 i = 0; i < unit->n_maps; i++) {
		const struct asm_map *want = &unit->maps[i];
		int k = object_find_map(obj, want->name);

		if (!CHECK(k >= 0))
			continue;
		const struct map_def *got = obj->maps[k];
		CHECK_INT(got->type, want->type);
		CHECK_INT(got->key_size, want->key_size);
		CHECK_INT(got->value_size, want->value_size);
		CHECK_INT(got->max_entries, want->max_entries);
		CHECK_INT(got->flags, want->flags);
		CHECK_INT(got->pin_by_name, want->pin_by_name);
		CHECK_INT(got->n_slots, want->n_slots);
		for (u32 s = 0; s < want->n_slots && s < got->n_slots; s++) {
			CHECK_INT(got->slots[s].index, want->slots[s].index);
			CHECK_STR(got->slots[s].name, want->slots[s].name);
		}
		CHECK_INT(got->inner != NULL, want->inner >= 0);
		if (got->inner && want->inner >= 0)
			CHECK_INT(got->inner->value_size,
				  unit->maps[want->inner].value_size);
	}
}

static void globals_are_where_they_were(const struct object *obj,
					const struct asm_unit *unit)
{
	for (u32 i = 0; i < unit->n_globals; i++) {
		const struct asm_global *want = &unit->globals[i];
		const struct asm_data *data = &unit->datas[want->data];
		int k = object_find_var(obj, want->name);

		if (!CHECK(k >= 0))
			continue;
		const struct object_var *got = &obj->vars[k];
		CHECK_STR(got->map->name, data->name);
		CHECK_INT(got->offset, want->offset);
		CHECK_INT(got->size, want->size);
		CHECK_INT(got->map->data != NULL, data->bytes != NULL);
		if (data->bytes)
			CHECK(!memcmp(got->map->data + got->offset,
				      data->bytes + want->offset, want->size));
	}
}

int main(int argc, char **argv)
{
	const struct asm_names names = {.find = find_name};
	const struct asm_input in = {.text = {(const u8 *)text, strlen(text)},
				     .file = "text",
				     .names = &names};
	struct arena arena = ARENA_INIT;
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct asm_unit unit;
	struct object *obj;
	struct bytes file;

	if (asm_parse(&in, &arena, &unit, &diag) ||
	    object_write(&unit, &arena, &file, &diag) ||
	    object_open(file, NULL, &obj, &diag)) {
		fprintf(stderr, "%s: %s\n", diag.where, diag.text);
		return 1;
	}
	CHECK_STR(obj->license, "GPL");
	CHECK_INT(obj->btf_diag.id, 0);
	programs_are_what_was_linked(obj, &unit, &arena);
	maps_are_what_was_declared(obj, &unit);
	globals_are_where_they_were(obj, &unit);
	object_free(obj);
	FILE *out = argc > 1 ? fopen(argv[1], "wb") : NULL;
	if (out) {
		CHECK(fwrite(file.data, 1, file.len, out) == file.len);
		fclose(out);
	}
	arena_fini(&arena);
	return check_report();
}
