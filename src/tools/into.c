/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --into OBJECT[:PROGRAM[:FUNCTION]]: programs that others attach to.
 *
 * Which program of an object it is, load/into.c knows; the kernel must have it loaded
 * when it judges what attaches to it.  Never does: print, attach, judge.
 */
#include "tools/into.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/vec.h"
#include "load/into.h"
#include "load/kernel.h"

struct said {
	struct skep_object *obj;     /* owned */
	char *text;                  /* owned: the option, cut */
	const char *prog, *func;     /* in it; NULL: not said */
	struct kernel_judge *kernel; /* owned; made when it is asked */
};

struct into {
	struct vec all; /* struct said */
	bool kernel;
};

int into_new(bool kernel, struct into **out, struct skep_diag *diag)
{
	struct into *into = malloc(sizeof(*into));

	if (!into)
		return fail(diag, NO_MEMORY, NO_PC);
	*into = (struct into){.all = VEC_INIT(struct said), .kernel = kernel};
	*out = into;
	return 0;
}

void into_free(struct into *into)
{
	for (size_t i = 0; into && i < into->all.len; i++) {
		struct said *said = vec_at(&into->all, i);

		kernel_judge_free(said->kernel);
		skep_object_close(said->obj);
		free(said->text);
	}
	if (into)
		vec_fini(&into->all);
	free(into);
}

/* Cuts the last part off; files may have colons in their names, too. */
static char *cut_name(char *text)
{
	char *colon = access(text, F_OK) ? strrchr(text, ':') : NULL;

	if (colon)
		*colon++ = 0;
	return colon;
}

/* OBJECT, OBJECT:PROGRAM or OBJECT:PROGRAM:FUNCTION */
static void cut(struct said *said)
{
	char *last = cut_name(said->text), *before = last ? cut_name(said->text) : NULL;

	said->prog = before ? before : last;
	said->func = before ? last : said->prog;
}

int into_add(struct into *into, const char *option, struct skep_diag *diag)
{
	const struct skep_object_opts opts = {.engine = into->kernel ? "kernel"
								     : "checked"};
	struct said *said = vec_push(&into->all);
	int err;

	if (!said)
		return fail(diag, NO_MEMORY, NO_PC);
	*said = (struct said){.text = strdup(option)};
	if (!said->text)
		return fail(diag, NO_MEMORY, NO_PC);
	cut(said);
	err = skep_object_open(said->text, &opts, &said->obj, diag);
	if (!err && said->prog && !skep_object_find_prog(said->obj, said->prog))
		err = fail(diag, INTO_NO_PROG, NO_PC, skep_object_name(said->obj),
			   said->prog);
	return err;
}

static int find(struct into *into, struct skep_prog *prog, struct said **said,
		struct skep_prog **found, struct skep_diag *diag)
{
	int err = 0;

	*found = NULL;
	for (size_t i = 0; into_is_asked(prog) && i < into->all.len && !err && !*found;
	     i++) {
		*said = vec_at(&into->all, i);
		into_set_function(prog, (*said)->func);
		err = into_find(prog, (*said)->obj, (*said)->prog, found, diag);
	}
	return err;
}

int into_target(struct into *into, struct skep_prog *prog, const struct target *target,
		struct skep_prog **found, struct skep_diag *diag)
{
	struct said *said = NULL;
	int err = find(into, prog, &said, found, diag);

	return err || !*found ? err : load_fit(*found, target, diag);
}

int into_load(struct into *into, struct skep_prog *prog, const struct target *target,
	      struct skep_diag *diag)
{
	struct skep_prog *found;
	struct said *said = NULL;
	int err = find(into, prog, &said, &found, diag);

	if (err || !found)
		return err;
	if (!said->kernel)
		err = kernel_judge_new(said->obj, target, &said->kernel, diag);
	if (err)
		return err;
	if (prog->target_fd >= 0)
		close(prog->target_fd);
	return kernel_judge_load(said->kernel, found, &prog->target_fd, diag);
}
