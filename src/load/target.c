/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public side of targets: the name, and the file with the types.
 */
#include "load/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/vec.h"
#include "btf/btf.h"
#include "obj/object.h"

static const char running_types[] = "/sys/kernel/btf/vmlinux";

struct skep_target {
	struct target target;
	struct file file;      /* owned; the bytes of the types */
	struct arena arena;    /* owned; what was read from them */
	struct object *object; /* owned; the types are those of an object; or NULL */
	char name[32];
	mtx_t lock; /* of what follows, until it was read */
	bool read_variables, shows_variables;
	struct vec variables; /* u64: sorted hashes of the names in /proc/kallsyms */
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

/* ---- variables of the kernel that runs ---- */

static u64 name_key(const char *name, size_t len)
{
	return (u64)hash_bytes(name, len, 1) << 32 | hash_bytes(name, len, 2);
}

static int compare_keys(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

/* A line is "ffffffff82a01000 D name", of modules with more after it; t and T: code. */
static bool add_variable(struct vec *names, const char *line)
{
	const char *type = strchr(line, ' ');
	u64 *key;

	if (!type || !type[1] || type[2] != ' ' || type[1] == 't' || type[1] == 'T')
		return true;
	key = vec_push(names);
	if (key)
		*key = name_key(type + 3, strcspn(type + 3, " \t\n"));
	return key;
}

/* Reading the list takes longer than most verdicts: once, when the first program asks.
 * Where it is not shown, all variables are taken to be in it. */
static void read_variables(struct skep_target *t)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512];
	bool more = true;

	while (f && more && fgets(line, sizeof(line), f))
		t->shows_variables = more = add_variable(&t->variables, line);
	if (f)
		fclose(f);
	if (t->variables.len)
		qsort(t->variables.data, t->variables.len, sizeof(u64), compare_keys);
}

static bool running_tells_address(const struct target *target, const char *name)
{
	struct skep_target *t = container_of(target, struct skep_target, target);
	u64 key = name_key(name, strlen(name));

	mtx_lock(&t->lock);
	if (!t->read_variables)
		read_variables(t);
	t->read_variables = true;
	mtx_unlock(&t->lock);
	return !t->shows_variables ||
	       (t->variables.len && bsearch(&key, t->variables.data, t->variables.len,
					    sizeof(u64), compare_keys));
}

static int new_named(const char *name, struct skep_target **target,
		     struct skep_diag *diag)
{
	struct skep_target *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return fail(diag, NO_MEMORY, NO_PC);
	if (mtx_init(&t->lock, mtx_plain) != thrd_success) {
		free(t);
		return fail(diag, NO_MEMORY, NO_PC);
	}
	t->variables = (struct vec)VEC_INIT(u64);
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

/* The types of the kernel that runs belong to no other version. */
static bool is_running(const struct target *target)
{
	struct target running;

	return !target_parse("linux", &running, NULL) &&
	       running.version >> 8 == target->version >> 8;
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
	else if (running || is_running(&t->target))
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
	vec_fini(&t->variables);
	mtx_destroy(&t->lock);
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
