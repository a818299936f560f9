/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that were verified and compiled ahead of time: a file with the object itself,
 * the values that its variables had, and the native code of its programs.
 *
 * The code in it runs unchecked: such a file is trusted as a native program is.  Its
 * digest tells accidents (cut off, overwritten, half copied), not forgery: who can write
 * the file can write the digest.  For src/load and src/tools.
 */
#ifndef SKEP_LOAD_AOT_H
#define SKEP_LOAD_AOT_H

#include "base/bytes.h"

struct aot;
struct image_spec;
struct native;
struct skep_diag;
struct skep_object;
struct skep_prog;
struct text;

/* Of a loaded object with the engine jit: appends the file.  object: the bytes that it
 * was opened from.  Errors: ENOTSUP for code that has addresses in it which only this
 * process knows, ENOMEM. */
int aot_write(const struct skep_object *obj, struct bytes object, const char *target,
	      struct text *out, struct skep_diag *diag);

bool aot_is(struct bytes file);

/* Reads a file for this machine and this version; keeps a copy.  Errors: EBADMSG for one
 * that was changed, ENOTSUP for one that was made elsewhere. */
int aot_open(struct bytes file, struct aot **out, struct skep_diag *diag);
void aot_free(struct aot *aot); /* NULL is fine */

/* The object file within. */
struct bytes aot_object(const struct aot *aot);

/* Gives the object's variables the values that they had, chooses the programs that were
 * compiled. */
int aot_prepare(const struct aot *aot, struct skep_object *obj, struct skep_diag *diag);

/* The code of a program, for its live maps; native_fini() does not apply: relocs and
 * functions are freed by aot_native_fini(). */
int aot_native(const struct aot *aot, const struct skep_prog *prog,
	       const struct image_spec *spec, struct native *out, struct skep_diag *diag);
void aot_native_fini(struct native *native);

#endif
