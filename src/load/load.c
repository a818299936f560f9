/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading an object: programs fitted to the target, maps created and filled, programs
 * made ready.  It succeeds wholly or leaves the object as it was.  Never does: read
 * files, run programs.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "btf/core.h"
#include "exec/jit/machine.h"
#include "exec/watchdog.h"
#include "helpers/helpers.h"
#include "load/aot.h"
#include "load/kernel.h"
#include "load/load.h"
#include "load/target.h"
#include "load/verdict.h"
#include "prog/chain.h"
#include "verify/claims.h"
#include "verify/verify.h"

static int in_map(const struct skep_map *map, struct skep_diag *diag, int err)
{
	return diag_in(diag, err, "%s: map %s", map->obj->name, map->def->name);
}

/* ---- programs, first half: what they need ---- */

static int fit_one(struct skep_prog *prog, const struct target *target,
		   const struct prog **fitted, struct skep_diag *diag)
{
	struct skep_object *obj = prog->obj;

	return object_fit(obj->file, (u32)(prog - obj->progs), target, fitted, diag);
}

int load_fit(struct skep_prog *prog, const struct target *target, struct skep_diag *diag)
{
	struct object *file = prog->obj->file;
	const struct prog **fitted;
	struct chain chain = {.n = prog->n_chain};
	int err = 0;

	if (!prog->chain)
		return fit_one(prog, target, &prog->prog, diag);
	fitted = arena_array(&file->arena, chain.n, sizeof(*fitted));
	if (!fitted)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < chain.n && !err; i++)
		err = diag_in(diag, fit_one(prog->chain[i], target, &fitted[i], diag),
			      "%s", prog->chain[i]->prog->name);
	if (err)
		return err;
	chain.progs = fitted;
	verdict_goes_on(fitted[0]->type, &chain.go_on);
	return prog_chain(&chain, &file->arena, &prog->prog, diag);
}

static int fit_programs(struct skep_object *obj, const struct target *target,
			struct skep_diag *diag)
{
	for (u32 i = 0; i < obj->n_progs; i++) {
		struct skep_prog *prog = &obj->progs[i];
		int err;

		if (prog->unwanted)
			continue;
		err = load_fit(prog, target, diag);
		if (err)
			return load_in_prog(prog, diag, err);
	}
	return 0;
}

/* ---- verdicts ---- */

static bool names_prog(const struct map_def *def, const char *name)
{
	for (u32 i = 0; i < def->n_slots; i++) {
		if (!strcmp(def->slots[i].name, name))
			return true;
	}
	return false;
}

const struct map_def *load_struct_ops_of(const struct skep_prog *prog)
{
	const struct skep_object *obj = prog->obj;

	for (u32 i = 0; i < obj->n_maps; i++) {
		const struct map_def *def = obj->maps[i].def;

		if (def->origin == MAP_STRUCT_OPS && names_prog(def, prog->prog->name))
			return def;
	}
	return NULL;
}

static int verify_one(struct skep_prog *prog, const struct target *target,
		      struct skep_diag *diag)
{
	struct verify_opts opts = {.target = target,
				   .n_cpus = prog->obj->world->cpus.n,
				   .unprivileged = prog->obj->unprivileged,
				   .ways = true,
				   .struct_ops = load_struct_ops_of(prog)};
	struct verify_result result = {0};
	int err = verify_prog(prog->prog, &opts, &result, diag);

	if (!err && result.map_struct && load_is_verified(prog->obj))
		err = fail(diag, MAP_STRUCT, (int)result.map_struct - 1);
	if (!err && result.believed && load_is_verified(prog->obj))
		err = fail(diag, PACKET_MOVED, (int)result.believed - 1);
	if (!err && result.untrusted && load_is_verified(prog->obj))
		err = fail(diag, UNTRUSTED_READ, (int)result.untrusted - 1);
	prog->context = result.context;
	prog->arena = result.arena;
	result.arena = NULL;
	prog->ways = result.ways;
	result.ways = NULL;
	verify_result_fini(&result);
	if (!err && prog->obj->check_claims)
		err = claims_new(prog->prog, &opts, &prog->claims, diag);
	return load_in_prog(prog, diag, err);
}

/* Constants of a map that is another object's are what it holds: the verifier believes
 * them.  Nobody changes a frozen map; one that is not frozen holds no constants. */
static int fetch_constants(const struct map *live, struct map_def *def,
			   struct arena *arena, struct skep_diag *diag)
{
	void *bytes;

	def->not_frozen = !map_holds_constants(live) || map_value_addr(live, 0, &bytes);
	if (def->not_frozen)
		return 0;
	if (!def->data || def->data_size < def->value_size) {
		def->data = arena_alloc(arena, def->value_size);
		if (!def->data)
			return fail(diag, NO_MEMORY, NO_PC);
		def->data_size = def->value_size;
	}
	memcpy(def->data, bytes, def->value_size);
	return 0;
}

static int fetch_all_constants(struct skep_object *obj, struct skep_diag *diag)
{
	struct object *file = obj->file;
	int err = 0;

	for (u32 i = 0; i < obj->n_maps && !err; i++) {
		struct map_def *def = file->maps[i];

		if (obj->maps[i].reused &&
		    (def->origin == MAP_RODATA || def->origin == MAP_KCONFIG))
			err = fetch_constants(obj->maps[i].map, def, &file->arena, diag);
	}
	return err;
}

/* A tail call goes on with the same context, in any program of its object and type. */
static void join_context(struct skep_prog *prog)
{
	const struct skep_object *obj = prog->obj;

	for (u32 i = 0; i < obj->n_progs; i++) {
		const struct skep_prog *other = &obj->progs[i];

		if (other->unwanted || other->prog->type != prog->prog->type)
			continue;
		if (prog->context.size < other->context.size)
			prog->context.size = other->context.size;
		if (!prog->context.believed && other->context.believed)
			prog->context.believed = BELIEVED_ELSEWHERE;
	}
}

static bool makes_tail_calls(const struct prog *prog)
{
	for (u32 i = 0; i < prog->n_maps; i++)
		if (prog->maps[i]->type == MAP_TYPE_PROG_ARRAY)
			return true;
	return false;
}

static void join_contexts(struct skep_object *obj)
{
	for (u32 i = 0; i < obj->n_progs; i++)
		if (makes_tail_calls(obj->progs[i].prog))
			join_context(&obj->progs[i]);
}

/* Only the verifier knows which pointers are an arena's. */
static bool has_arena(const struct prog *prog)
{
	for (u32 i = 0; i < prog->n_maps; i++)
		if (prog->maps[i]->type == MAP_TYPE_ARENA)
			return true;
	return false;
}

/* What runs unchecked is verified first; so is what is checked against its claims. */
static int verify_programs(struct skep_object *obj, const struct target *target,
			   struct skep_diag *diag)
{
	int err = 0;

	for (u32 i = 0; i < obj->n_progs && !err; i++) {
		if (!obj->progs[i].unwanted &&
		    (load_is_verified(obj) || has_arena(obj->progs[i].prog)))
			err = verify_one(&obj->progs[i], target, diag);
	}
	return err;
}

/* ---- maps ---- */

static bool prog_uses(const struct prog *prog, const struct map_def *def)
{
	for (u32 i = 0; i < prog->n_maps; i++) {
		if (prog->maps[i] == def)
			return true;
	}
	return false;
}

/* Itself, or a member of its chain. */
static bool uses(const struct skep_prog *prog, const struct map_def *def)
{
	bool any = prog_uses(prog->prog, def);

	for (u32 i = 0; i < prog->n_chain; i++)
		any |= prog_uses(prog->chain[i]->prog, def);
	return any;
}

bool load_wants_map(const struct skep_object *obj, const struct skep_map *map)
{
	bool unwanted = map->def->origin == MAP_STRUCT_OPS && !obj->in_kernel;

	for (u32 i = 0; i < obj->n_progs; i++) {
		const struct skep_prog *prog = &obj->progs[i];

		if (!uses(prog, map->def))
			continue;
		if (!prog->unwanted)
			return true;
		unwanted = true;
	}
	return !unwanted;
}

/* A name as Linux takes it, made as libbpf makes it: cut, and without other characters.
 */
static void kernel_name(const char *name, char out[MAP_NAME_LEN])
{
	u32 i = 0;

	for (; name[i] && i + 1 < MAP_NAME_LEN; i++)
		out[i] =
			isalnum((unsigned char)name[i]) || name[i] == '.' ? name[i] : '_';
	out[i] = 0;
}

static struct map_attr attr_of(const struct map_def *def, const struct skep_world *world)
{
	u32 n_cpus = world->cpus.n;
	struct map_attr attr = {
		.type = def->type,
		.key_size = def->key_size,
		.value_size = def->value_size,
		.max_entries = def->max_entries,
		.flags = def->flags,
		.extra = def->extra,
		.n_cpus = n_cpus,
		/* what can be repeated is repeated: the order of hashed elements, too */
		.has_seed = world->scripted,
		.seed = world->scripted ? world->script.seed : 0,
	};

	/* as libbpf: one slot a CPU */
	if (def->type == MAP_TYPE_PERF_EVENT_ARRAY && !def->max_entries)
		attr.max_entries = n_cpus;
	return attr;
}

/* What is asked of a map before it is made, with room for the answer. */
struct wanted_map {
	const struct map_def *def;
	struct map_attr attr;
	struct map_field fields[MAP_FIELDS];
};

/* The special fields are those that the verifier counts on. */
static int want_map(struct wanted_map *want, struct verify_maps *asked,
		    const struct skep_world *world, struct skep_diag *diag)
{
	struct verify_fields found;
	int err = verify_map_fields(asked, want->def, &found, diag);

	_Static_assert(ARRAY_SIZE(found.list) == MAP_FIELDS, "room for all");
	for (u32 i = 0; i < found.n; i++)
		want->fields[i] = (struct map_field){
			.off = found.list[i].offset,
			.size = found.list[i].size,
			.is_spin_lock = found.list[i].is_spin_lock,
			.is_res_spin_lock = found.list[i].is_res_spin_lock};
	want->attr = attr_of(want->def, world);
	want->attr.fields = want->fields;
	want->attr.n_fields = found.n;
	return err;
}

/* The map, and the template of a map of maps. */
static int want_both(struct wanted_map *want, struct wanted_map *inner,
		     struct verify_maps *asked, const struct skep_world *world,
		     struct skep_diag *diag)
{
	int err = want_map(want, asked, world, diag);

	if (!err && inner->def) {
		err = want_map(inner, asked, world, diag);
		want->attr.inner = &inner->attr;
	}
	return err;
}

static int create_map(struct skep_map *map, struct verify_maps *asked,
		      struct skep_diag *diag)
{
	struct wanted_map want = {.def = map->def}, inner = {.def = map->def->inner};
	char name[MAP_NAME_LEN];
	int err = want_both(&want, &inner, asked, map->obj->world, diag);

	kernel_name(map->def->name, name);
	want.attr.name = name;
	if (!err)
		err = map_new(&want.attr, &map->map, diag);
	return in_map(map, diag, err);
}

/* Programs are judged by what their own object says of a map, and run on their own
 * world's CPUs: another object's map must be so, too. */
static int check_reused(struct skep_map *map, struct verify_maps *asked,
			struct skep_diag *diag)
{
	struct wanted_map want = {.def = map->def}, inner = {.def = map->def->inner};
	int err = want_both(&want, &inner, asked, map->obj->world, diag);

	if (!err && !map_fits(map->map, &want.attr))
		err = fail(diag, MAPS_DIFFER, NO_PC, map->map->name);
	return in_map(map, diag, err);
}

static void open_perf_slots(struct map *map)
{
	for (u32 cpu = 0; cpu < map->n_cpus && cpu < map->max_entries; cpu++)
		perf_event_open_slot(map, cpu);
}

/* Initial values of global variables; constants stay what they are from here on. */
static void fill_data(struct skep_map *map)
{
	u32 zero = 0;

	if (map->def->data)
		map_user_update(map->map, &zero, map->def->data, MAP_ANY);
	if (map->def->origin == MAP_RODATA || map->def->origin == MAP_KCONFIG)
		map_freeze(map->map);
}

/* Variables of an arena stand at its start. */
static void fill_arena(struct skep_map *map)
{
	u64 start = map_arena_state(map->map)->user;
	void *at = map->def->data_size
			   ? map_arena_touch(map->map, start, map->def->data_size)
			   : NULL;

	if (at && map->def->data)
		memcpy(at, map->def->data, map->def->data_size);
}

/* Nothing of this can fail: the map is new, and nobody else has it yet. */
static void prepare_map(struct skep_map *map)
{
	if (map->def->origin == MAP_DATA || map->def->origin == MAP_RODATA ||
	    map->def->origin == MAP_KCONFIG)
		fill_data(map);
	else if (map->def->type == MAP_TYPE_PERF_EVENT_ARRAY)
		open_perf_slots(map->map);
	else if (map->def->type == MAP_TYPE_ARENA)
		fill_arena(map);
}

static int create_maps(struct skep_object *obj, const struct target *target,
		       struct skep_diag *diag)
{
	struct verify_maps asked = {.target = target, .btf = obj->file->btf};
	int err = 0;

	for (u32 i = 0; i < obj->n_maps && !err; i++) {
		struct skep_map *map = &obj->maps[i];

		if (!load_wants_map(obj, map))
			continue;
		if (map->reused) {
			err = check_reused(map, &asked, diag);
			continue;
		}
		err = create_map(map, &asked, diag);
		if (!err)
			prepare_map(map);
	}
	return err;
}

/* ---- programs, second half: ready to run ---- */

static struct map *live_map(const struct skep_object *obj, const struct map_def *def)
{
	for (u32 i = 0; i < obj->n_maps; i++) {
		if (obj->maps[i].def == def)
			return obj->maps[i].map;
	}
	return NULL;
}

/*
 * What a CO-RE relocation leaves behind that the target cannot answer.  Programs ask
 * whether a field exists before they use it, so it is an error only when it is reached.
 */
static u64 helper_poison(struct run *run, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	(void)r1, (void)r2, (void)r3, (void)r4, (void)r5;
	run->err = fail(run->diag, CORE_POISONED, NO_PC);
	return 0;
}

static helper_fn offered(u32 number)
{
	return number == CORE_POISON_HELPER ? helper_poison : helper_body(number);
}

static int make_compiled(struct skep_prog *prog, struct image_spec *spec,
			 struct skep_diag *diag)
{
	struct native native;
	int err = aot_native(prog->obj->aot, prog, spec, &native, diag);

	if (err)
		return err;
	spec->native = &native;
	err = image_new(spec, &prog->image, diag);
	aot_native_fini(&native);
	return err;
}

static int make_image(struct skep_prog *prog, struct skep_diag *diag)
{
	const struct prog *p = prog->prog;
	struct map **maps = calloc(p->n_maps + 1, sizeof(*maps));
	struct image_spec spec = {.prog = p,
				  .maps = maps,
				  .helper = offered,
				  .claims = prog->claims,
				  .arena = prog->arena,
				  .engines = prog->obj->engine->images,
				  .ways = prog->ways,
				  .jit = prog->obj->jit};
	int err;

	if (!maps)
		return load_in_prog(prog, diag, fail(diag, NO_MEMORY, NO_PC));
	for (u32 i = 0; i < p->n_maps; i++)
		maps[i] = live_map(prog->obj, p->maps[i]);
	err = prog->obj->aot ? make_compiled(prog, &spec, diag)
			     : image_new(&spec, &prog->image, diag);
	free(maps);
	return load_in_prog(prog, diag, err);
}

/* Native code sees no clock: somebody must look at it. */
static int make_watchdog(struct skep_object *obj, struct skep_diag *diag)
{
	struct exec_opts *limits = &obj->limits;

	if (!limits->max_ns || obj->engine->images != FOR_JIT || limits->watchdog)
		return 0;
	return watchdog_new(obj->world->cpus.n, &limits->watchdog, diag);
}

static int make_images(struct skep_object *obj, struct skep_diag *diag)
{
	int err = make_watchdog(obj, diag);

	for (u32 i = 0; i < obj->n_progs && !err; i++) {
		if (!obj->progs[i].unwanted)
			err = make_image(&obj->progs[i], diag);
	}
	return err;
}

/* ---- initial contents that refer to programs and maps ---- */

/* What the slot refers to; NULL when that was not loaded: the slot stays empty. */
static void *slot_ref(struct skep_object *obj, const struct skep_map *map,
		      const struct map_slot *slot)
{
	const struct skep_prog *prog;
	const struct skep_map *inner;

	if (map->def->type == MAP_TYPE_PROG_ARRAY) {
		prog = skep_object_find_prog(obj, slot->name);
		return prog ? prog->image : NULL;
	}
	inner = skep_object_find_map(obj, slot->name);
	return inner ? inner->map : NULL;
}

static int fill_slots(struct skep_map *map, struct skep_diag *diag)
{
	for (u32 i = 0; i < map->def->n_slots; i++) {
		const struct map_slot *slot = &map->def->slots[i];
		void *ref = slot_ref(map->obj, map, slot);
		int err = ref ? map_update_ref(map->map, &slot->index, ref, MAP_ANY) : 0;

		if (err)
			return in_map(map, diag,
				      fail(diag, BAD_SLOT, NO_PC, slot->index, slot->name,
					   -err));
	}
	return 0;
}

static int fill_all_slots(struct skep_object *obj, struct skep_diag *diag)
{
	int err = 0;

	for (u32 i = 0; i < obj->n_maps && !err; i++) {
		if (obj->maps[i].map && !obj->maps[i].reused)
			err = fill_slots(&obj->maps[i], diag);
	}
	return err;
}

/* ---- load ---- */

static void unload(struct skep_object *obj)
{
	kernel_unload(obj);
	for (u32 i = 0; i < obj->n_maps; i++) {
		if (obj->maps[i].reused)
			continue;
		map_put(obj->maps[i].map);
		obj->maps[i].map = NULL;
	}
	for (u32 i = 0; i < obj->n_progs; i++) {
		image_free(obj->progs[i].image);
		obj->progs[i].image = NULL;
		claims_free(obj->progs[i].claims);
		obj->progs[i].claims = NULL;
		free(obj->progs[i].arena);
		obj->progs[i].arena = NULL;
		free(obj->progs[i].ways);
		obj->progs[i].ways = NULL;
		obj->progs[i].prog = &obj->file->progs[i].prog;
	}
}

bool load_asks_for_types(const struct skep_object *obj)
{
	for (u32 i = 0; i < obj->n_progs; i++) {
		const struct object_prog *p = &obj->file->progs[i];

		if (load_is_verified(obj) && !obj->progs[i].unwanted &&
		    kernel_asks_for_types(&p->prog))
			return true;
		for (u32 k = 0; k < p->n_relocs && !obj->progs[i].unwanted; k++) {
			if (p->relocs[k].kind == OBJECT_RELOC_CORE ||
			    p->relocs[k].kind == OBJECT_RELOC_EXTERN)
				return true;
		}
	}
	return false;
}

static int own_target(const struct skep_object *obj, struct skep_target **target,
		      struct skep_diag *diag)
{
	return !obj->aot && load_asks_for_types(obj)
		       ? skep_target_new(NULL, NULL, target, diag)
		       : target_new_untyped(target, diag);
}

static int load_here(struct skep_object *obj, const struct target *target,
		     struct skep_diag *diag)
{
	int err = obj->aot ? 0 : fit_programs(obj, target, diag);

	if (!err && !obj->aot)
		err = fetch_all_constants(obj, diag);
	if (!err && !obj->aot)
		err = verify_programs(obj, target, diag);
	if (!err)
		join_contexts(obj);
	if (!err)
		err = create_maps(obj, target, diag);
	if (!err)
		err = make_images(obj, diag);
	return err ? err : fill_all_slots(obj, diag);
}

SKEP_API int skep_object_load(struct skep_object *obj, const struct skep_target *target,
			      struct skep_diag *diag)
{
	struct skep_target *own = NULL;
	int err = 0;

	if (obj->loaded)
		return diag_in(diag, fail(diag, IS_LOADED, NO_PC), "%s", obj->name);
	if (!target) {
		err = own_target(obj, &own, diag);
		target = own;
	}
	if (!err)
		err = obj->in_kernel ? kernel_load(obj, target_of(target), diag)
				     : load_here(obj, target_of(target), diag);
	if (err)
		unload(obj);
	skep_target_free(own);
	obj->loaded = !err;
	return err;
}
