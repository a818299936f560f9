/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The special fields of a map's values, for who makes the map.
 *
 * One place decides what is a lock: a map that does not spare one that a program may take
 * would free it under the program's feet.  So this asks the same questions as
 * verify_prog() does, of the map alone; where the target's types are not known, pointers
 * to its objects are taken for what their tags say.  Never does: judge a program.
 */
#include <string.h>

#include "prog/prog.h"
#include "target/target.h"
#include "verify/blame.h"
#include "verify/map_attr.h"
#include "verify/record.h"
#include "verify/rules.h"

static void tell_fields(const struct record *rec, struct verify_fields *fields)
{
	for (u32 i = 0; i < rec->n_fields && fields->n < ARRAY_SIZE(fields->list); i++)
		fields->list[fields->n++] = (struct verify_field){
			.offset = rec->fields[i].offset,
			.size = rec->fields[i].size,
			.is_spin_lock = rec->fields[i].kind == FIELD_SPIN_LOCK,
			.is_res_spin_lock = rec->fields[i].kind == FIELD_RES_SPIN_LOCK,
		};
}

int verify_map_fields(struct verify_maps *maps, const struct map_def *def,
		      struct verify_fields *fields, struct skep_diag *diag)
{
	struct skep_diag unread = SKEP_DIAG_INIT;
	const struct prog prog = {.btf = maps->btf, .maps = &def, .n_maps = 1};
	struct verify_opts opts = {.target = maps->target};
	struct rules rules;
	struct env env = {
		.prog = &prog,
		.opts = &opts,
		.target = maps->target,
		.kernel = maps->target->btf,
		.rules = &rules,
		.diag = diag ? diag : &unread,
		.blame = BLAME_NOTHING,
		.privileged = true,
		.places_only = true,
		.members_looked = maps->looked,
	};

	memset(fields, 0, sizeof(*fields));
	rules_of(maps->target->version, &rules);
	int err = records_of_maps(&env);
	if (!err)
		err = map_attr_fields(&env, def);
	const struct record *rec = err ? NULL : map_record(&env, def);
	if (rec)
		tell_fields(rec, fields);
	maps->looked = env.members_looked;
	arena_fini(&env.arena);
	return err ? env.diag->err : 0;
}
