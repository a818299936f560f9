/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compiler as the rest of src/exec sees it, and what compiled code sees of the
 * engine.
 */
#ifndef SKEP_EXEC_JIT_JIT_H
#define SKEP_EXEC_JIT_JIT_H

#include "exec/exec.h"
#include "exec/image.h"
#include "opt/ir.h"
#include "world/world.h"

struct native;
struct skep_diag;

/*
 * What one run of compiled code carries with it: run->engine.  Code knows the offsets.
 *
 * C calls compiled code only through the stub at the start of each blob,
 *
 *	u64 jit_enter(struct run *run, u64 r1, .., u64 r5, const void *function)
 *
 * which saves the callee-saved registers and run->engine's way_out (on the stack), puts
 * its own stack pointer there, calls function and takes it all back.  Code that finds
 * run->err set jumps to the blob's way-out stub: it takes the stack pointer from way_out
 * and returns 0 from jit_enter().  As every callback is entered so, no C frame of a helper
 * is ever jumped over: the helper sees the error of run->call() and returns.
 *
 * Code that is one function and calls none of its own has nothing to jump over: it finds
 * run->err set and returns 0 (native.returns), and C may call it without the stub.  Who
 * calls a function that may have ended there, by a tail call, looks at run->err.
 */
struct jit_run {
	const struct image *image; /* running now */
	void *way_out;
	u32 depth; /* of callbacks */
	u32 tail_calls;
	/* From run to run: where the program starts, and what its R2 is. */
	const void *main;
	u64 r2;
};

/*
 * C functions that compiled code calls, beside helpers.
 *
 * JIT_TAIL_CALL finds the program, counts, and makes it the running one (jit_run.image,
 * run->prog), as code does itself where it knows the array; the caller takes down its
 * frame and jumps there with run and R1 to R5 where they arrive.  Where a program has
 * tail calls (native.tail_calls), a function that comes back from CALL_LOCAL or CALLX
 * makes its own program the running one again (NATIVE_IMAGE, NATIVE_PROG).
 */
enum jit_routine {
	JIT_TAIL_CALL, /* const void *(run, map, index): native code or NULL */
	JIT_CALLX, /* const void *(run, value): native code, or NULL with run->err set */
	JIT_LD_PACKET, /* u64 (run, s32 off, u32 size, u64 *value): 0: leave the function
			  with R0 = 0 */
	JIT_ROUTINES
};

/* Where a field of the page that an IR_CALL_CLOCK asks is in struct world. */
static inline s32 page_off(const struct ir_insn *insn, size_t field)
{
	return (s32)(offsetof(struct world, pages) +
		     (insn->row - IR_CALL_CLOCK) * sizeof(struct clock_page) + field);
}

/* What image_spec.jit.harden asks for, and native.harden tells machines. */
enum jit_harden {
	JIT_BLIND = 1, /* constants of programs never stand in the code as they are */
	JIT_BRANCH_TARGETS =
		2, /* indirect calls and jumps go to marked places (endbr64, bti) */
};

/* Who is told where the code lies, what it is called and which lines it comes from: what
 * image_spec.jit.known_to asks for. */
enum jit_known_to {
	JIT_GDB = 1,      /* its JIT interface */
	JIT_PERF_MAP = 2, /* /tmp/perf-PID.map */
	JIT_DUMP = 4,     /* jit-PID.dump in the working directory, for perf inject */
};

/* Native code where it runs, of one image. */
struct jit_code;

/* Puts the code into memory, with the addresses of the image's maps and helpers.  native
 * is only read.  Errors: ENOMEM; that of the system when it forbids executable memory, or
 * of writing what native.known_to asks for. */
int jit_link(const struct image *image, const struct native *native,
	     struct jit_code **out, struct skep_diag *diag);
void jit_free(struct jit_code *code); /* NULL is fine */

/* What a tail call to the image goes to, a function as all are. */
const void *jit_entry(const struct image *image);

/* Where it lies, for those who show it. */
struct bytes jit_bytes(const struct jit_code *code);

#endif
