/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that hosts share with programs: arenas, contexts of callers, and what is Linux'
 * alone.
 */
#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "check.h"
#include "load/object.h"

static struct skep_diag diag;

static struct skep_object *make(const char *text, const struct skep_object_opts *opts)
{
	struct skep_object *obj;

	diag = (struct skep_diag)SKEP_DIAG_INIT;
	obj = assemble(text, opts, &diag);
	CHECK_STR(diag.text, "");
	return obj;
}

static const char arena_text[] = ".map a arena entries 4 flags 0x400\n"
				 ".section tc\n"
				 ".program counts\n"
				 "	r2 = map[a]\n"
				 "	r1 = 0x11000\n"
				 "	r1 = addr_space_cast(r1, 0, 1)\n"
				 "	r0 = *(u32 *)(r1 + 0)\n"
				 "	r0 += 1\n"
				 "	*(u32 *)(r1 + 0) = r0\n"
				 "	r0 = *(u32 *)(r1 + 0)\n"
				 "	exit\n";

/* A page that the host never came to is not there. */
static void arenas_are_shared(const char *engine)
{
	const struct skep_object_opts opts = {.engine = engine};
	unsigned char frame[64] = {0};
	struct skep_packet packet = {.data = frame, .len = sizeof(frame)};
	struct skep_object *obj = make(arena_text, &opts);
	struct skep_prog *prog;
	struct skep_map *map;
	u64 ret = 0, start;
	u32 *mine;

	if (!obj || !CHECK(!skep_object_load(obj, NULL, &diag)))
		goto out;
	prog = skep_object_find_prog(obj, "counts");
	map = skep_object_find_map(obj, "a");
	CHECK_INT(skep_prog_run_packet(prog, &packet, &ret, &diag), 0);
	CHECK_INT(ret, 0);
	start = skep_map_arena_start(map);
	CHECK(skep_map_arena(map, 0, 1) == (void *)(uintptr_t)start);
	CHECK(!skep_map_arena(map, start + 4 * 4096, 1));
	mine = skep_map_arena(map, start + 4096, sizeof(*mine));
	if (CHECK(mine)) {
		*mine = 5;
		CHECK_INT(skep_prog_run_packet(prog, &packet, &ret, &diag), 0);
		CHECK_INT(ret, 6);
		CHECK_INT(*mine, 6);
	}
out:
	CHECK_STR(diag.text, "");
	skep_object_close(obj);
}

static const char call_text[] = ".section syscall\n"
				".program sums\n"
				"	r0 = *(u32 *)(r1 + 4)\n"
				"	r2 = *(u32 *)(r1 + 30000)\n"
				"	r0 += r2\n"
				"	*(u32 *)(r1 + 0) = r0\n"
				"	exit\n";

static void callers_give_what_they_have(void)
{
	static u32 large[10000] = {1, 7, [7500] = 5};
	struct skep_object *obj = make(call_text, NULL);
	u32 ctx[2] = {1, 7};
	u64 ret = 0;

	if (obj && CHECK(!skep_object_load(obj, NULL, &diag))) {
		struct skep_prog *prog = skep_object_find_prog(obj, "sums");

		CHECK_INT(skep_prog_run(prog, ctx, sizeof(ctx), &ret, &diag), -EINVAL);
		CHECK_STR(skep_diag_name(diag.id), "CONTEXT_CUT");
		diag_clear(&diag);
		CHECK_INT(skep_prog_run(prog, large, sizeof(large), &ret, &diag), 0);
		CHECK(ret == 12 && large[0] == 12 && large[1] == 7);
	}
	skep_object_close(obj);
}

/* Bytes of struct bpf_map that are a number in all kernels. */
static void the_kernel_s_maps_are_not_here(void)
{
	struct skep_object *obj = make(".map m array key 4 value 8 entries 3\n"
				       ".section tc\n"
				       ".program reads\n"
				       "	r1 = map[m]\n"
				       "	r0 = *(u32 *)(r1 + 24)\n"
				       "	exit\n",
				       NULL);
	struct skep_target *target = NULL;

	CHECK_INT(skep_target_new(NULL, NULL, &target, &diag), 0);
	if (obj && target && CHECK(skep_object_load(obj, target, &diag)) &&
	    strcmp(skep_diag_name(diag.id), "UNSUPPORTED") != 0) /* no types */
		CHECK_STR(skep_diag_name(diag.id), "MAP_STRUCT");
	diag_clear(&diag);
	skep_object_close(obj);
	skep_target_free(target);
}

int main(void)
{
	arenas_are_shared("interp");
	arenas_are_shared("jit");
	arenas_are_shared("checked");
	callers_give_what_they_have();
	the_kernel_s_maps_are_not_here();
	return check_report();
}
