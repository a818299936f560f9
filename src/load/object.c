/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public side of objects: open and close, variables, look-ups by name.  Loading is
 * load.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "exec/jit/jit.h"
#include "exec/watchdog.h"
#include "load/aot.h"
#include "load/kernel.h"
#include "load/load.h"
#include "verify/claims.h"

#ifndef SKEP_VERSION_TEXT
#error "the build says which version this is"
#endif

SKEP_API const char *skep_version(void)
{
	return SKEP_VERSION_TEXT;
}

/* ---- open and close ---- */

static int make_handles(struct skep_object *obj, struct skep_diag *diag)
{
	struct object *file = obj->file;

	obj->n_maps = file->n_maps;
	obj->n_progs = file->n_progs;
	obj->maps = calloc(obj->n_maps + 1, sizeof(*obj->maps));
	obj->progs = calloc(obj->n_progs + 1, sizeof(*obj->progs));
	if (!obj->maps || !obj->progs)
		return fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < obj->n_maps; i++) {
		obj->maps[i].obj = obj;
		obj->maps[i].def = file->maps[i];
		obj->maps[i].fd = -1;
	}
	for (u32 i = 0; i < obj->n_progs; i++) {
		obj->progs[i].obj = obj;
		obj->progs[i].prog = &file->progs[i].prog;
		obj->progs[i].unwanted = file->progs[i].prog.optional;
		obj->progs[i].fd = obj->progs[i].target_fd = -1;
	}
	return 0;
}

static int choose_engine(struct skep_object *obj, const char *name,
			 struct skep_diag *diag)
{
	if (!name)
		name = engine_default()->name;
	obj->engine = engine_find(name);
	obj->in_kernel = !strcmp(name, "kernel");
	return obj->engine || obj->in_kernel ? 0 : fail(diag, NO_ENGINE, NO_PC, name);
}

static int choose_world(struct skep_object *obj, struct skep_world *world,
			struct skep_diag *diag)
{
	if (world) {
		obj->world = world;
		return 0;
	}
	return skep_world_new_real(0, &obj->own_world, diag);
}

_Static_assert((int)SKEP_TELL_GDB == (int)JIT_GDB, "the API's names");
_Static_assert((int)SKEP_TELL_PERF_MAP == (int)JIT_PERF_MAP, "the API's names");
_Static_assert((int)SKEP_TELL_PERF_DUMP == (int)JIT_DUMP, "the API's names");

static int open_compiled(struct skep_object *obj, struct bytes bytes,
			 struct skep_diag *diag)
{
	int err = obj->engine && obj->engine->images == FOR_JIT
			  ? aot_open(bytes, &obj->aot, diag)
			  : fail(diag, AOT_ENGINE, NO_PC);

	return diag_in(diag, err, "%s", obj->name);
}

static int fill_object(struct skep_object *obj, struct bytes bytes,
		       const struct skep_object_opts *opts, struct skep_diag *diag)
{
	struct object_opts file_opts = {.name = obj->name, .kconfig = opts->kconfig};
	int err = choose_engine(obj, opts->engine, diag);

	obj->limits =
		(struct exec_opts){.max_steps = opts->max_steps, .max_ns = opts->max_ns};
	if (!err && opts->check_claims && (!obj->engine || !obj->engine->safe))
		err = fail(diag, CLAIMS_UNCHECKED, NO_PC);
	obj->check_claims = opts->check_claims;
	obj->unprivileged = opts->unprivileged;
	obj->jit = (struct jit_opts){.time_limit = opts->max_ns,
				     .bounded = true,
				     .harden = opts->harden || opts->unprivileged
						       ? JIT_BLIND | JIT_BRANCH_TARGETS
						       : 0,
				     .known_to = opts->tell};
	if (!err)
		err = choose_world(obj, opts->world, diag);
	if (err)
		return diag_in(diag, err, "%s", obj->name);
	if (!obj->world)
		obj->world = obj->own_world;
	if (aot_is(bytes)) {
		err = open_compiled(obj, bytes, diag);
		bytes = obj->aot ? aot_object(obj->aot) : bytes;
	}
	if (!err)
		err = object_open(bytes, &file_opts, &obj->file, diag);
	if (!err)
		err = make_handles(obj, diag);
	if (!err && obj->aot)
		err = diag_in(diag, aot_prepare(obj->aot, obj, diag), "%s", obj->name);
	return err;
}

static int open_bytes(struct bytes bytes, const struct skep_object_opts *opts,
		      const char *name, struct skep_object **out, struct skep_diag *diag)
{
	static const struct skep_object_opts defaults;
	struct skep_object *obj = calloc(1, sizeof(*obj));
	int err;

	if (!opts)
		opts = &defaults;
	if (!obj)
		return fail(diag, NO_MEMORY, NO_PC);
	obj->name = strdup(opts->name ? opts->name : name);
	err = obj->name ? fill_object(obj, bytes, opts, diag)
			: fail(diag, NO_MEMORY, NO_PC);
	if (err)
		skep_object_close(obj);
	else
		*out = obj;
	return err;
}

SKEP_API int skep_object_open_memory(const void *data, size_t size,
				     const struct skep_object_opts *opts,
				     struct skep_object **obj, struct skep_diag *diag)
{
	return open_bytes((struct bytes){data, size}, opts, "object", obj, diag);
}

SKEP_API int skep_object_open(const char *path, const struct skep_object_opts *opts,
			      struct skep_object **obj, struct skep_diag *diag)
{
	struct file file;
	int err = file_read(path, &file, diag);

	if (err)
		return err;
	err = open_bytes(file_bytes(&file), opts, path, obj, diag);
	file_fini(&file);
	return err;
}

SKEP_API void skep_object_close(struct skep_object *obj)
{
	if (!obj)
		return;
	kernel_unload(obj);
	/* maps first: prog-arrays refer to images */
	for (u32 i = 0; obj->maps && i < obj->n_maps; i++) {
		map_put(obj->maps[i].map);
		if (obj->maps[i].fd >= 0) /* another object's, too */
			close(obj->maps[i].fd);
	}
	for (u32 i = 0; obj->progs && i < obj->n_progs; i++) {
		image_free(obj->progs[i].image);
		claims_free(obj->progs[i].claims);
		free(obj->progs[i].arena);
		free(obj->progs[i].ways);
		free(obj->progs[i].chain);
		if (obj->progs[i].target_fd >= 0)
			close(obj->progs[i].target_fd);
	}
	free(obj->maps);
	free(obj->progs);
	object_free(obj->file);
	aot_free(obj->aot);
	watchdog_free(obj->limits.watchdog);
	skep_world_free(obj->own_world);
	free(obj->name);
	free(obj);
}

/* ---- look-ups ---- */

SKEP_API const char *skep_object_name(const struct skep_object *obj)
{
	return obj->name;
}

SKEP_API struct skep_prog *skep_object_find_prog(struct skep_object *obj,
						 const char *name)
{
	int i = object_find_prog(obj->file, name);

	return i < 0 ? NULL : &obj->progs[i];
}

SKEP_API struct skep_map *skep_object_find_map(struct skep_object *obj, const char *name)
{
	int i = object_find_map(obj->file, name);

	return i < 0 ? NULL : &obj->maps[i];
}

SKEP_API struct skep_prog *skep_object_next_prog(struct skep_object *obj,
						 const struct skep_prog *prev)
{
	u32 i = prev ? (u32)(prev - obj->progs) + 1 : 0;

	return i < obj->n_progs ? &obj->progs[i] : NULL;
}

SKEP_API struct skep_map *skep_object_next_map(struct skep_object *obj,
					       const struct skep_map *prev)
{
	u32 i = prev ? (u32)(prev - obj->maps) + 1 : 0;

	return i < obj->n_maps ? &obj->maps[i] : NULL;
}

/* ---- variables ---- */

/* The variable, if its size is the one that the caller thinks. */
static const struct object_var *find_var(const struct skep_object *obj, const char *name,
					 size_t size, struct skep_diag *diag)
{
	int i = object_find_var(obj->file, name);
	const struct object_var *var = i < 0 ? NULL : &obj->file->vars[i];

	if (!var)
		fail(diag, NO_SUCH_VAR, NO_PC, name);
	else if (var->size != size)
		fail(diag, VAR_SIZE, NO_PC, name, var->size, size);
	return var && var->size == size ? var : NULL;
}

static int refuse_var(const struct skep_object *obj, const char *name,
		      struct skep_diag *diag)
{
	int err = object_find_var(obj->file, name) < 0 ? -ENOENT : -EINVAL;

	return diag_in(diag, err, "%s", obj->name);
}

/* Where it lives once its map exists, or NULL. */
static u8 *live_var(const struct skep_object *obj, const struct object_var *var)
{
	void *addr = NULL;

	for (u32 i = 0; i < obj->n_maps; i++) {
		const struct skep_map *map = &obj->maps[i];

		if (map->def != var->map || !map->map)
			continue;
		if (map->def->type == MAP_TYPE_ARENA)
			return map_arena_touch(
				map->map, map_arena_state(map->map)->user + var->offset,
				var->size);
		if (map_value_addr(map->map, var->offset, &addr))
			return NULL;
	}
	return addr;
}

SKEP_API int skep_object_set_var(struct skep_object *obj, const char *name,
				 const void *value, size_t size, struct skep_diag *diag)
{
	const struct object_var *var = find_var(obj, name, size, diag);
	u8 *live;

	if (!var)
		return refuse_var(obj, name, diag);
	/* constants are in its code */
	if (obj->aot && var->map->origin != MAP_DATA)
		return diag_in(diag, fail(diag, VAR_IS_CONST, NO_PC, name), "%s",
			       obj->name);
	if (!obj->loaded)
		return diag_in(diag, object_set_var(obj->file, name, value, size, diag),
			       "%s", obj->name);
	if (obj->in_kernel)
		return kernel_set_var(obj, var, value, diag);
	live = live_var(obj, var);
	if (!live || (var->map->origin != MAP_DATA && var->map->type != MAP_TYPE_ARENA))
		return diag_in(diag, fail(diag, VAR_IS_CONST, NO_PC, name), "%s",
			       obj->name);
	memcpy(live, value, size);
	return 0;
}

SKEP_API int skep_object_get_var(const struct skep_object *obj, const char *name,
				 void *value, size_t size, struct skep_diag *diag)
{
	const struct object_var *var = find_var(obj, name, size, diag);
	const u8 *from;

	if (!var)
		return refuse_var(obj, name, diag);
	if (obj->loaded && obj->in_kernel)
		return kernel_get_var(obj, var, value, diag);
	from = live_var(obj, var);
	if (!from && var->map->data)
		from = var->map->data + var->offset;
	if (from)
		memcpy(value, from, size);
	else
		memset(value, 0, size);
	return 0;
}
