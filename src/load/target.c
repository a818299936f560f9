/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public side of targets: the name, and the file with the types.
 */
#include "load/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "btf/btf.h"
#include "obj/object.h"

static const char running_types[] = "/sys/kernel/btf/vmlinux";

struct skep_target {
	struct target target;
	struct file file;      /* owned; the bytes of the types */
	struct arena arena;    /* owned; what was read from them */
	struct object *object; /* owned; the types are those of an object; or NULL */
	char name[32];
};

static int read_object(struct skep_target *t, const char *path, struct skep_diag *diag)
{
	struct object_opts opts = {.name = path};
	int err = object_open(file_bytes(&t->file), &opts, &t->object, diag);

	if (err)
		return err;
	t->target.btf = t->object->btf;
	return t->target.btf ? 0 : diag_in(diag, fail(diag, NO_TYPES, NO_PC), "%s", path);
}

static int read_types(struct skep_target *t, const char *path, struct skep_diag *diag)
{
	bool running = !strcmp(path, running_types);
	int err = running ? file_map(path, &t->file, diag)
			  : file_read(path, &t->file, diag);

	if (err)
		return err;
	if (t->file.len >= 4 && !memcmp(t->file.data, "\177ELF", 4))
		return read_object(t, path, diag);
	err = btf_read(&t->arena, file_bytes(&t->file), NULL, &t->target.btf, diag);
	return diag_in(diag, err, "%s", path);
}

static void name_target(struct skep_target *t)
{
	u32 v = t->target.version;

	snprintf(t->name, sizeof(t->name), "linux-%u.%u", v >> 16, v >> 8 & 0xff);
}

/* It may not show any. */
static int read_running_types(struct skep_target *t, struct skep_diag *diag)
{
	int err;

	err = read_types(t, running_types, NULL);
	return err == -ENOMEM ? fail(diag, NO_MEMORY, NO_PC) : 0;
}

/* The kernel that runs.  A line is "ffffffff82a01000 D name", of modules with more after
 * it; where the list is not shown, all are taken to be there. */
static bool running_tells_address(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[400];
	bool found = !f, any = false;

	while (!found && fgets(line, sizeof(line), f)) {
		any = true;
		found = sscanf(line, "%*s %*s %399s", symbol) == 1 &&
			!strcmp(symbol, name);
	}
	if (f)
		fclose(f);
	return found || !any;
}

static int new_named(const char *name, struct skep_target **target,
		     struct skep_diag *diag)
{
	struct skep_target *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return fail(diag, NO_MEMORY, NO_PC);
	err = target_parse(name, &t->target, diag);
	name_target(t);
	if (err)
		skep_target_free(t);
	else
		*target = t;
	return err;
}

int target_new_untyped(struct skep_target **target, struct skep_diag *diag)
{
	return new_named("linux", target, diag);
}

SKEP_API int skep_target_new(const char *name, const char *btf,
			     struct skep_target **target, struct skep_diag *diag)
{
	bool running = !name || !strcmp(name, "linux");
	struct skep_target *t;
	int err = new_named(running ? "linux" : name, &t, diag);

	if (err)
		return err;
	if (btf)
		err = read_types(t, btf, diag);
	else if (running) /* they belong to no other version */
		err = read_running_types(t, diag);
	if (running && !btf)
		t->target.tells_address = running_tells_address;
	if (err)
		skep_target_free(t);
	else
		*target = t;
	return err;
}

SKEP_API void skep_target_free(struct skep_target *t)
{
	if (!t)
		return;
	object_free(t->object);
	arena_fini(&t->arena);
	file_fini(&t->file);
	free(t);
}

SKEP_API const char *skep_target_name(const struct skep_target *t)
{
	return t->name;
}

const struct target *target_of(const struct skep_target *t)
{
	return &t->target;
}
