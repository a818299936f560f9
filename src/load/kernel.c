/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading into the kernel, in the order in which things refer to each other: types, maps,
 * programs, then the slots that hold maps and programs.  Never does: attach.
 */
#include "load/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/events.h"
#include "kern/modules.h"
#include "kern/sys.h"
#include "target/target.h"

/* One object on its way, with what fitting it may ask. */
struct trip {
	struct skep_object *obj;
	struct target target; /* the caller's, with the modules */
	struct kern_modules modules;
	struct kern_loader *loader;
	u32 flags; /* enum verify_flag, of all its programs */
};

static int in_map(const struct skep_map *map, struct skep_diag *diag, int err)
{
	return diag_in(diag, err, "%s: map %s", map->obj->name, map->def->name);
}

static int begin(struct trip *t, struct skep_object *obj, const struct target *target,
		 struct skep_diag *diag)
{
	t->obj = obj;
	t->target = *target;
	kern_modules_init(&t->modules, target->btf);
	t->target.modules = &t->modules.target;
	if (object_set_facts(obj->file, target->version))
		return fail(diag, NO_MEMORY, NO_PC);
	return kern_loader_new(obj->file, &t->target, &t->loader, diag);
}

static void end(struct trip *t)
{
	kern_loader_free(t->loader);
	kern_modules_fini(&t->modules);
}

bool kernel_asks_for_types(const struct prog *prog)
{
	return prog->type == PROG_TYPE_TRACING || prog->type == PROG_TYPE_LSM ||
	       prog->type == PROG_TYPE_STRUCT_OPS;
}

/* ---- maps ---- */

static int make_map(struct trip *t, struct skep_map *map, struct skep_diag *diag)
{
	int err;

	if (map->fd >= 0 || !load_wants_map(t->obj, map))
		return 0;
	err = kern_map_create(t->loader, map->def, &map->fd, diag);
	map->found = err == KERN_MAP_FOUND;
	return map->found ? 0 : in_map(map, diag, err);
}

static int make_maps(struct trip *t, struct skep_diag *diag)
{
	int err = 0;

	for (u32 i = 0; i < t->obj->n_maps && !err; i++)
		err = make_map(t, &t->obj->maps[i], diag);
	return err;
}

static bool is_to_pin(const struct skep_map *map)
{
	return map->def->pin_by_name && map->fd >= 0 && !map->found && !map->reused;
}

static void unpin_maps(struct skep_object *obj, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		if (is_to_pin(&obj->maps[i]))
			kern_map_unpin(obj->maps[i].def);
	}
}

/* Last of all, so that no load that fails leaves a pin. */
static int pin_maps(struct skep_object *obj, struct skep_diag *diag)
{
	for (u32 i = 0; i < obj->n_maps; i++) {
		struct skep_map *map = &obj->maps[i];
		int err = is_to_pin(map) ? kern_map_pin(map->def, map->fd, diag) : 0;

		if (!err)
			continue;
		unpin_maps(obj, i);
		return in_map(map, diag, err);
	}
	return 0;
}

static const struct skep_map *map_of(const struct skep_object *obj,
				     const struct map_def *def)
{
	for (u32 i = 0; i < obj->n_maps; i++) {
		if (obj->maps[i].def == def)
			return &obj->maps[i];
	}
	return NULL;
}

/* ---- struct_ops: which member a program is ---- */

static int find_member(struct trip *t, const struct skep_prog *prog,
		       struct kern_prog_spec *spec, struct skep_diag *diag)
{
	for (u32 i = 0; i < t->obj->n_maps; i++) {
		const struct map_def *def = t->obj->maps[i].def;
		struct kern_struct_ops ops;

		if (def->origin != MAP_STRUCT_OPS)
			continue;
		int err = kern_struct_ops(t->loader, def, &ops, diag);
		if (err)
			return err;
		for (u32 k = 0; k < ops.n_members; k++) {
			if (strcmp(ops.members[k].prog, prog->prog->name) != 0)
				continue;
			spec->struct_id = ops.struct_id;
			spec->member = ops.members[k].member;
			return 0;
		}
	}
	return fail(diag, KERN_NO_MEMBER, NO_PC);
}

/* ---- programs ---- */

int *kernel_map_fds(const struct skep_prog *prog, struct skep_diag *diag)
{
	const struct prog *p = prog->prog;
	int *fds = calloc(p->n_maps + 1, sizeof(*fds));

	if (!fds) {
		fail(diag, NO_MEMORY, NO_PC);
		return NULL;
	}
	for (u32 i = 0; i < p->n_maps; i++) {
		fds[i] = map_of(prog->obj, p->maps[i])->fd;
		if (fds[i] >= 0)
			continue;
		fail(diag, KERN_NO_MAP, NO_PC, p->maps[i]->name);
		free(fds);
		return NULL;
	}
	return fds;
}

static int load_prog(struct trip *t, struct skep_prog *prog, enum kern_log_level log,
		     struct kern_verdict *verdict, struct skep_diag *diag)
{
	struct kern_prog_spec spec = {
		.log = log, .target_fd = prog->target_fd, .flags = t->flags};
	int err = load_fit(prog, &t->target, diag);
	int *fds = err ? NULL : kernel_map_fds(prog, diag);

	*verdict = (struct kern_verdict){.fd = -1};
	if (!fds)
		return load_in_prog(prog, diag, err ? err : -EINVAL);
	spec.prog = prog->prog;
	spec.map_fds = fds;
	if (prog->prog->type == PROG_TYPE_STRUCT_OPS)
		err = find_member(t, prog, &spec, diag);
	if (!err)
		err = kern_prog_load(t->loader, &spec, verdict, diag);
	free(fds);
	return load_in_prog(prog, diag, err);
}

static int load_progs(struct trip *t, struct skep_diag *diag)
{
	int err = 0;

	for (u32 i = 0; i < t->obj->n_progs && !err; i++) {
		struct skep_prog *prog = &t->obj->progs[i];
		struct kern_verdict verdict;

		if (prog->unwanted)
			continue;
		err = load_prog(t, prog, KERN_LOG_FAILURE, &verdict, diag);
		free(verdict.log);
		prog->fd = err ? -1 : verdict.fd;
	}
	return err;
}

/* ---- slots ---- */

static int slot_fd(struct skep_object *obj, const struct skep_map *map, const char *name)
{
	const struct skep_prog *prog;
	const struct skep_map *inner;

	if (map->def->type == MAP_TYPE_PROG_ARRAY) {
		prog = skep_object_find_prog(obj, name);
		return prog ? prog->fd : -1;
	}
	inner = skep_object_find_map(obj, name);
	return inner ? inner->fd : -1;
}

/* Of maps that are not loaded the slots stay empty. */
static int fill_slots(struct skep_map *map, struct skep_diag *diag)
{
	for (u32 i = 0; i < map->def->n_slots; i++) {
		const struct map_slot *slot = &map->def->slots[i];
		int fd = slot_fd(map->obj, map, slot->name);
		int err = fd < 0 ? 0 : sys_map_update(map->fd, &slot->index, &fd, 0);

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
		struct skep_map *map = &obj->maps[i];

		/* as libbpf: who has it already keeps its maps, but not its programs */
		if (map->found && map->def->type != MAP_TYPE_PROG_ARRAY)
			continue;
		if (map->fd >= 0 && !map->reused && map->def->origin != MAP_STRUCT_OPS)
			err = fill_slots(map, diag);
	}
	return err;
}

const char *kernel_ref_name(const struct skep_map *map, u32 id)
{
	const struct skep_object *obj = map->obj;
	struct bpf_prog_info prog = {0};
	struct bpf_map_info info = {0};

	for (u32 i = 0; i < obj->n_progs && map->def->type == MAP_TYPE_PROG_ARRAY; i++) {
		if (obj->progs[i].fd >= 0 &&
		    !sys_info(obj->progs[i].fd, &prog, sizeof(prog)) && prog.id == id)
			return obj->progs[i].prog->name;
		prog = (struct bpf_prog_info){0};
	}
	for (u32 i = 0; i < obj->n_maps && map->def->type != MAP_TYPE_PROG_ARRAY; i++) {
		if (obj->maps[i].fd >= 0 &&
		    !sys_info(obj->maps[i].fd, &info, sizeof(info)) && info.id == id)
			return obj->maps[i].def->name;
	}
	return "";
}

/* ---- struct_ops: the value, once the programs are there ---- */

static int make_value(struct trip *t, struct skep_map *map, struct skep_diag *diag)
{
	struct kern_struct_ops ops;
	int err = kern_struct_ops(t->loader, map->def, &ops, diag);

	if (err)
		return in_map(map, diag, err);
	map->ops_value = malloc(ops.value_size);
	if (!map->ops_value)
		return in_map(map, diag, fail(diag, NO_MEMORY, NO_PC));
	memcpy(map->ops_value, ops.data, ops.value_size);
	for (u32 i = 0; i < ops.n_members; i++) {
		const struct skep_prog *prog =
			skep_object_find_prog(t->obj, ops.members[i].prog);

		if (prog && prog->fd >= 0)
			store_u64(map->ops_value + ops.data_offset +
					  ops.members[i].offset,
				  (u64)prog->fd);
	}
	return 0;
}

static int make_values(struct trip *t, struct skep_diag *diag)
{
	int err = 0;

	for (u32 i = 0; i < t->obj->n_maps && !err; i++) {
		struct skep_map *map = &t->obj->maps[i];

		if (map->fd >= 0 && map->def->origin == MAP_STRUCT_OPS)
			err = make_value(t, map, diag);
	}
	return err;
}

/* ---- load ---- */

int kernel_load(struct skep_object *obj, const struct target *target,
		struct skep_diag *diag)
{
	struct trip t = {0};
	int err = begin(&t, obj, target, diag);

	if (!err)
		err = make_maps(&t, diag);
	if (!err)
		err = load_progs(&t, diag);
	if (!err)
		err = fill_all_slots(obj, diag);
	if (!err)
		err = make_values(&t, diag);
	if (!err)
		err = pin_maps(obj, diag);
	end(&t);
	return err;
}

void kernel_unload(struct skep_object *obj)
{
	for (u32 i = 0; obj->maps && i < obj->n_maps; i++) {
		struct skep_map *map = &obj->maps[i];

		kern_events_free(map->events);
		map->events = NULL;
		free(map->ops_value);
		map->ops_value = NULL;
		if (map->reused)
			continue;
		if (map->fd >= 0)
			close(map->fd);
		map->fd = -1;
		map->found = false;
	}
	for (u32 i = 0; obj->progs && i < obj->n_progs; i++) {
		if (obj->progs[i].fd >= 0)
			close(obj->progs[i].fd);
		obj->progs[i].fd = -1;
	}
}

/* ---- global variables ---- */

/* In place, so that what programs write beside it stays; false: not this map. */
static bool write_in_place(const struct skep_map *map, const struct object_var *var,
			   const void *from)
{
	size_t size = round_up(var->map->value_size, (u64)sysconf(_SC_PAGESIZE));
	u8 *at;

	if (!(var->map->flags & MAP_MMAPABLE))
		return false;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);
	if (at == MAP_FAILED)
		return false;
	memcpy(at + var->offset, from, var->size);
	munmap(at, size);
	return true;
}

/* Reads the whole value, changes the variable and writes it back when `from` is given. */
static int exchange_var(const struct skep_object *obj, const struct object_var *var,
			const void *from, void *to)
{
	const struct skep_map *map = map_of(obj, var->map);
	const u32 zero = 0;
	u8 *all;
	int err;

	if (from && write_in_place(map, var, from))
		return 0;
	all = malloc(var->map->value_size);
	err = all ? 0 : -ENOMEM;
	if (!err)
		err = sys_map_lookup(map->fd, &zero, all, 0);
	if (!err && from) {
		memcpy(all + var->offset, from, var->size);
		err = sys_map_update(map->fd, &zero, all, 0);
	}
	if (!err && to)
		memcpy(to, all + var->offset, var->size);
	free(all);
	return err;
}

int kernel_set_var(const struct skep_object *obj, const struct object_var *var,
		   const void *value, struct skep_diag *diag)
{
	int err = var->map->origin == MAP_DATA ? exchange_var(obj, var, value, NULL)
					       : -EPERM;

	if (err == -EPERM)
		fail(diag, VAR_IS_CONST, NO_PC, var->name);
	else if (err)
		fail_errno(diag, err, KERN_MAP_FILL, NO_PC, strerror(-err));
	return diag_in(diag, err, "%s", obj->name);
}

int kernel_get_var(const struct skep_object *obj, const struct object_var *var,
		   void *value, struct skep_diag *diag)
{
	int err = exchange_var(obj, var, NULL, value);

	if (err)
		fail_errno(diag, err, KERN_MAP_READ, NO_PC, strerror(-err));
	return diag_in(diag, err, "%s", obj->name);
}

/* ---- judging ---- */

struct kernel_judge {
	struct trip trip;
	struct skep_diag *why; /* owned, by map: why Linux did not create it */
};

int kernel_judge_new(struct skep_object *obj, const struct target *target,
		     struct kernel_judge **out, struct skep_diag *diag)
{
	struct kernel_judge *j = calloc(1, sizeof(*j));
	int err;

	if (!j)
		return fail(diag, NO_MEMORY, NO_PC);
	j->why = calloc(obj->n_maps + 1, sizeof(*j->why));
	err = j->why ? begin(&j->trip, obj, target, diag) : fail(diag, NO_MEMORY, NO_PC);
	for (u32 i = 0; i < obj->n_maps && !err; i++)
		make_map(&j->trip, &obj->maps[i], &j->why[i]);
	if (err)
		kernel_judge_free(j);
	else
		*out = j;
	return err;
}

void kernel_judge_free(struct kernel_judge *j)
{
	if (!j)
		return;
	if (j->trip.obj)
		kernel_unload(j->trip.obj);
	end(&j->trip);
	free(j->why);
	free(j);
}

void kernel_judge_flags(struct kernel_judge *j, u32 flags)
{
	j->trip.flags = flags;
}

/* Why Linux did not create a map that the program uses. */
static int lacks_map(const struct kernel_judge *j, const struct skep_prog *prog,
		     struct skep_diag *diag)
{
	const struct prog *p = prog->prog;

	for (u32 i = 0; i < p->n_maps; i++) {
		const struct skep_map *map = map_of(prog->obj, p->maps[i]);
		const struct skep_diag *why = &j->why[map - prog->obj->maps];

		if (map->fd >= 0 || !why->id)
			continue;
		if (diag)
			*diag = *why;
		return why->err;
	}
	return 0;
}

int kernel_judge_prog(struct kernel_judge *j, struct skep_prog *prog,
		      enum kern_log_level log, struct kern_verdict *verdict,
		      struct skep_diag *diag)
{
	int err = lacks_map(j, prog, diag);

	*verdict = (struct kern_verdict){.fd = -1};
	if (!err)
		err = load_prog(&j->trip, prog, log, verdict, diag);
	if (!err)
		close(verdict->fd);
	verdict->fd = -1;
	return err;
}

int kernel_judge_load(struct kernel_judge *j, struct skep_prog *prog, int *fd,
		      struct skep_diag *diag)
{
	struct kern_verdict verdict = {.fd = -1};
	int err = lacks_map(j, prog, diag);

	if (!err)
		err = load_prog(&j->trip, prog, KERN_LOG_FAILURE, &verdict, diag);
	free(verdict.log);
	*fd = verdict.fd;
	return err;
}
