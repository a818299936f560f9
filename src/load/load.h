/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands behind the opaque types of include/skep: an object with its maps and its
 * programs.  For src/load, and for tools, which show more than the public API tells.
 */
#ifndef SKEP_LOAD_LOAD_H
#define SKEP_LOAD_LOAD_H

#include <skep/skep.h>

#include "base/arena.h"
#include "base/diag.h"
#include "exec/exec.h"
#include "load/world.h"
#include "maps/map.h"
#include "obj/object.h"
#include "prog/prog.h"
#include "verify/verify.h"

struct aot;    /* load/aot.h */
struct claims; /* verify/claims.h */
struct target;

struct skep_map {
	struct skep_object *obj;   /* the one it belongs to */
	const struct map_def *def; /* borrowed from obj->file */
	struct map *map;           /* counted; NULL before the object is loaded */
	int fd; /* owned; of the map in the kernel; -1: none, it is not loaded there */
	struct kern_events *events; /* owned; NULL until somebody consumes */
	u8 *ops_value; /* owned; of struct_ops: what the kernel's map is given */
	bool reused;   /* map or fd came from another object */
	bool found;    /* fd was pinned by name before: not made here */
};

/* Is it there, here or in the kernel? */
static inline bool load_has_map(const struct skep_map *map)
{
	return map->map || map->fd >= 0;
}

/* Do its elements stand for programs or maps? */
static inline bool load_holds_refs(const struct skep_map *map)
{
	return map->def->type == MAP_TYPE_PROG_ARRAY ||
	       map->def->type == MAP_TYPE_ARRAY_OF_MAPS ||
	       map->def->type == MAP_TYPE_HASH_OF_MAPS;
}

/* context.believed: something is, in a program that a tail call may lead to. */
enum { BELIEVED_ELSEWHERE = INT32_MAX };

struct skep_prog {
	struct skep_object *obj; /* the one it belongs to */
	const struct prog *prog; /* borrowed from obj->file; replaced when it is loaded */
	struct image *image;     /* owned; NULL unless it is loaded */
	u8 *arena; /* owned; what the verifier said of a program with an arena; else NULL
		    */
	struct claims *claims;         /* owned; of the image; NULL: none are checked */
	struct verify_context context; /* what the verifier saw it take of its context */
	u8 *ways; /* owned; enum verify_way; NULL: nobody verified it */
	int fd;   /* owned; of the program in the kernel; -1: it is not loaded there */
	int target_fd; /* owned; of the program that this one attaches to; -1: none */
	struct skep_prog **chain; /* owned array; what it is made of; NULL: itself */
	u32 n_chain;
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
	const struct engine *engine;  /* static; NULL: the kernel */
	struct exec_opts limits;      /* its watchdog is owned, made when it is loaded */
	struct jit_opts jit;
	bool unprivileged; /* is what programs are judged as */
	struct aot *aot;   /* owned; it was compiled ahead of time; NULL: it was not */
	bool check_claims;
	bool in_kernel; /* maps and programs are the kernel's */
	bool loaded;
};

/* The place of an error: this program. */
static inline int load_in_prog(const struct skep_prog *prog, struct skep_diag *diag,
			       int err)
{
	return diag_in(diag, err, "%s: %s", prog->obj->name, prog->prog->name);
}

/* Is somebody asked for a verdict before its programs run? */
static inline bool load_is_verified(const struct skep_object *obj)
{
	return obj->in_kernel || !obj->engine->safe || obj->check_claims;
}

/* What is loaded for the program: fitted to the target, a chain put together. */
int load_fit(struct skep_prog *prog, const struct target *target, struct skep_diag *diag);

/* The struct_ops map that has the program as a member, or NULL. */
const struct map_def *load_struct_ops_of(const struct skep_prog *prog);

/* Not when only programs that are not loaded refer to it: skep or the kernel may lack its
 * type. */
bool load_wants_map(const struct skep_object *obj, const struct skep_map *map);
/* Does any program that is loaded ask what the kernel's types are? */
bool load_asks_for_types(const struct skep_object *obj);

#endif
