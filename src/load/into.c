/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that attach to programs: which program of an object it is.  Never does: look
 * whether it fits (verify/attach_prog.c).
 */
#include "load/into.h"

#include <string.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "obj/object.h"

bool into_is_asked(const struct skep_prog *prog)
{
	const struct prog *p = prog->prog;

	return p->type == PROG_TYPE_EXT ||
	       (p->type == PROG_TYPE_TRACING && (p->attach_type == ATTACH_TRACE_FENTRY ||
						 p->attach_type == ATTACH_TRACE_FEXIT ||
						 p->attach_type == ATTACH_MODIFY_RETURN));
}

static bool has_function(const struct prog *p, const char *name)
{
	for (u32 i = 0; i < p->n_subprogs; i++) {
		if (!strcmp(p->subprogs[i].name, name))
			return true;
	}
	return false;
}

int into_find(const struct skep_prog *prog, struct skep_object *obj, const char *name,
	      struct skep_prog **target, struct skep_diag *diag)
{
	const char *func = prog->prog->attach_target;
	u32 n = 0;

	*target = NULL;
	for (u32 i = 0; i < obj->n_progs && func; i++) {
		struct skep_prog *p = &obj->progs[i];

		if (p == prog || !has_function(p->prog, func) ||
		    (name && strcmp(p->prog->name, name) != 0))
			continue;
		*target = p;
		if (!strcmp(p->prog->name, func))
			return 0;
		n++;
	}
	return n > 1 ? fail(diag, INTO_SEVERAL, NO_PC, obj->name, func) : 0;
}

void into_set_function(struct skep_prog *prog, const char *func)
{
	struct prog *p = &prog->obj->file->progs[prog - prog->obj->progs].prog;

	if (!p->attach_target)
		p->attach_target = func;
}
