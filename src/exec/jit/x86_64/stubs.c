/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way into native code and the way out of it: what a blob starts with.  See jit.h.
 */
#include <string.h>

#include "exec/jit/jit.h"
#include "exec/jit/x86_64/x86.h"

enum { RUN_ENGINE = offsetof(struct run, engine) };
enum { WAY_OUT = offsetof(struct jit_run, way_out) };

static const u8 saved[] = {RBX, RBP, XR12, XR13, XR14, XR15};

/* On the stack, upwards: engine, its old way_out, the saved registers, the return
 * address, function. */
enum { FUNCTION = 8 * (2 + ARRAY_SIZE(saved) + 1) };

static void put_enter(struct encoder *e)
{
	for (u32 i = 0; i < ARRAY_SIZE(saved); i++)
		x86_push(e, saved[i]);
	x86_load(e, 64, RAX, x86_at(RDI, RUN_ENGINE));
	x86_push_m(e, x86_at(RAX, WAY_OUT));
	x86_push(e, RAX);
	x86_push(e, RAX); /* calls want RSP to be a multiple of 16 */
	x86_store(e, 64, x86_at(RAX, WAY_OUT), RSP);
	x86_call(e, x86_at(RSP, FUNCTION + 8));
}

static void put_leave(struct encoder *e)
{
	x86_pop(e, RCX);
	x86_pop(e, RCX);
	x86_pop_m(e, x86_at(RCX, WAY_OUT));
	for (u32 i = ARRAY_SIZE(saved); i; i--)
		x86_pop(e, saved[i - 1]);
	x86_ret(e);
}

void x86_begin(struct native *out)
{
	u8 code[192];
	struct encoder e = {code};
	u8 *room, *leave;

	if (out->harden & JIT_BRANCH_TARGETS)
		x86_endbr(&e);
	put_enter(&e);
	leave = e.at;
	put_leave(&e);
	/* run is in RDI */
	out->way_out = out->len + (u32)(e.at - code);
	x86_load(&e, 64, RAX, x86_at(RDI, RUN_ENGINE));
	x86_load(&e, 64, RSP, x86_at(RAX, WAY_OUT));
	x86_zero(&e, RAX);
	x86_jmp8(&e, (s8)(leave - e.at - 2));
	room = native_room(out, (u32)(e.at - code));
	if (!room)
		return;
	memcpy(room, code, (size_t)(e.at - code));
	out->len += (u32)(e.at - code);
}

void x86_link(u8 *place, const struct native_reloc *reloc, u64 target)
{
	u32 word = (u32)(target - 4);

	/* a call's distance counts from its end */
	if (reloc->kind == NATIVE_CALL_FUNC)
		memcpy(place, &word, sizeof(word));
	else
		memcpy(place, &target, sizeof(target));
}
