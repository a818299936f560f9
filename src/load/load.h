/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands behind the opaque types of include/skep: an object with its maps and its
 * programs.  For src/load, and for tools, which show more than the public API tells.
 */
#ifndef SKEP_LOAD_LOAD_H
#define SKEP_LOAD_LOAD_H

#include <skep/skep.h>

#include "base/arena.h"
#include "exec/exec.h"
#include "load/world.h"
#include "maps/map.h"
#include "obj/object.h"
#include "prog/prog.h"

struct skep_map {
	struct skep_object *obj;   /* the one it belongs to */
	const struct map_def *def; /* borrowed from obj->file */
	struct map *map;           /* counted; NULL before the object is loaded */
	bool reused;               /* map came from another object */
};

struct skep_prog {
	struct skep_object *obj; /* the one it belongs to */
	const struct prog *prog; /* borrowed from obj->file; replaced when it is loaded */
	struct image *image;     /* owned; NULL unless it is loaded */
	bool unwanted;
};

struct skep_object {
	char *name;          /* owned */
	struct object *file; /* owned */
	struct skep_map *maps;
	struct skep_prog *progs; /* owned arrays */
	u32 n_maps, n_progs;
	struct skep_world *world;     /* borrowed from the caller or own_world */
	struct skep_world *own_world; /* owned; NULL: the caller gave one */
	const struct engine *engine;  /* static */
	struct exec_opts limits;
	bool loaded;
};

#endif
