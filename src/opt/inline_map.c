/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups in maps that the program names: of arrays only arithmetic remains, hash tables
 * get the function that was made for their size of keys (maps/hash_direct.c).  The
 * answers are those of the helpers' bodies.
 */
#include <linux/bpf.h>

#include "maps/map.h"
#include "opt/build.h"
#include "opt/inline.h"

/* The map, and its number in spec->maps, that R1 is; NULL: who knows. */
static struct map *map_of(const struct builder *b, u32 value, u32 *index)
{
	const struct ir_insn *insn = value_of(b, value);

	if (insn->op != IR_ADDR || insn->row != IR_MAP)
		return NULL;
	*index = insn->aux;
	return b->spec->maps[insn->aux];
}

static u32 emit_product(struct builder *b, u32 value, u64 factor)
{
	return emit_alu(b, ALU_MUL, 64, value, emit_const(b, factor));
}

/* Where the values of the elements of a CPU begin. */
static u32 values_of_cpu(struct builder *b, const struct map *map, u32 index, u32 cpu)
{
	u32 base = emit_addr(b, IR_MAP_BYTES, index,
			     (uintptr_t)map->region + map->values_off);

	if (!map_is_percpu(map))
		return base;
	return emit_alu(b, ALU_ADD, 64, base, emit_product(b, cpu, map->cpu_stride));
}

/* Selected, not branched to: what the program asks next, whether it is NULL, can be made
 * the same question (refine.c). */
static u32 lookup_indexed(struct builder *b, u32 index, const u32 args[5], u32 cpu)
{
	const struct map *map = b->spec->maps[index];
	u32 key = read_key(b, args[1], 32);
	u32 inside = emit_cmp(b, JMP_JLT, 32, key, emit_const(b, map->max_entries));
	u32 values = values_of_cpu(b, map, index, cpu);
	u32 at =
		emit_alu(b, ALU_ADD, 64, values, emit_product(b, key, map->value_stride));

	return emit_select(b, inside, at, emit_const(b, 0));
}

static bool lookup(struct builder *b, const u32 args[5], u32 *ret)
{
	u32 index, call_args[3] = {args[0], args[1]}, n = 2;
	struct map *map = map_of(b, args[0], &index);
	map_direct_fn direct = map ? map_direct_lookup(map) : NULL;

	if (map && map_is_indexed(map)) {
		*ret = lookup_indexed(b, index, args,
				      map_is_percpu(map) ? inline_cpu(b) : 0);
		return true;
	}
	if (!direct)
		return false;
	if (map_is_percpu(map))
		call_args[n++] = inline_cpu(b);
	b->ir->calls = true;
	*ret = ir_emit(b, &(struct ir_insn){.op = IR_CALL,
					    .row = IR_CALL_RETURNS,
					    .a = BPF_FUNC_map_lookup_elem,
					    .imm = (s64)(uintptr_t)direct,
					    .aux = emit_args(b, call_args, n),
					    .n_args = (u16)n});
	return true;
}

/* Of another CPU: the number is the program's. */
static bool lookup_percpu(struct builder *b, const u32 args[5], u32 *ret)
{
	u32 index, at, exists;
	struct map *map = map_of(b, args[0], &index);

	if (!map || !map_is_indexed(map) || !map_is_percpu(map))
		return false;
	at = ir_emit(b, &(struct ir_insn){
				.op = IR_ALU, .row = ALU_MOV, .width = 32, .a = args[2]});
	exists = emit_cmp(b, JMP_JLT, 32, at, emit_const(b, map->n_cpus));
	*ret = emit_select(b, exists, lookup_indexed(b, index, args, at),
			   emit_const(b, 0));
	return true;
}

bool inline_map(struct builder *b, u32 number, const u32 args[5], u32 *ret)
{
	return number == BPF_FUNC_map_lookup_elem ? lookup(b, args, ret)
						  : lookup_percpu(b, args, ret);
}

u32 inline_key_bits(const struct ir_spec *spec, u32 number, u32 map)
{
	if (!inline_knows(spec, number) || !map_is_indexed(spec->maps[map]))
		return 0;
	if (number == BPF_FUNC_map_lookup_elem)
		return 32;
	return number == BPF_FUNC_map_lookup_percpu_elem && map_is_percpu(spec->maps[map])
		       ? 32
		       : 0;
}
