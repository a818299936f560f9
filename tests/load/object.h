/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects for the tests of src/load: assembled from text, so that no compiler for BPF is
 * needed.
 */
#ifndef SKEP_TESTS_LOAD_OBJECT_H
#define SKEP_TESTS_LOAD_OBJECT_H

#include <skep/skep.h>

#include "abi/abi.h"
#include "base/arena.h"
#include "base/diag.h"
#include "isa/asm.h"
#include "obj/write.h"

static bool test_name(const void *ctx, enum asm_name kind, const char *name, s64 *number)
{
	const struct abi_helper *helper = abi_find_helper(name);
	const struct abi_name *type = abi_find_map_type(name);

	(void)ctx;
	if (kind == ASM_CONSTANT)
		return abi_find_constant(name, number);
	if (kind == ASM_HELPER && helper)
		*number = helper->number;
	if (kind == ASM_MAP_TYPE && type)
		*number = type->number;
	return kind == ASM_HELPER ? helper != NULL : type != NULL;
}

/* The object that the text means, or NULL with the diag filled. */
static inline struct skep_object *assemble(const char *text,
					   const struct skep_object_opts *opts,
					   struct skep_diag *diag)
{
	struct asm_names names = {.find = test_name};
	struct asm_input input = {.text = {(const u8 *)text, strlen(text)},
				  .names = &names};
	struct arena arena = ARENA_INIT;
	struct skep_object *obj = NULL;
	struct asm_unit unit;
	struct bytes file;

	if (!asm_parse(&input, &arena, &unit, diag) &&
	    !object_write(&unit, &arena, &file, diag) &&
	    skep_object_open_memory(file.data, file.len, opts, &obj, diag))
		obj = NULL;
	arena_fini(&arena);
	return obj;
}

#endif
