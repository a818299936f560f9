/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nothing runs unchecked that was not judged: where the verifier believes what need not
 * be so, and where constants are another object's.  What would show it is a load from an
 * address where nothing is.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "check.h"
#include "exec/exec.h"
#include "kernel.h"
#include "load/object.h"

static const char *const engines[] = {"interp", "jit", "checked", "kernel"};

static struct skep_diag diag;

static bool is_there(const char *engine)
{
	return strcmp(engine, "kernel") ? engine_find(engine) != NULL : !kernel_refuses();
}

/* "checked" is held against what the verifier claims. */
static struct skep_object *make(const char *text, const char *engine)
{
	struct skep_object_opts opts = {.engine = engine,
					.check_claims = !strcmp(engine, "checked")};
	struct skep_object *obj;

	diag = (struct skep_diag)SKEP_DIAG_INIT;
	obj = assemble(text, &opts, &diag);
	CHECK_STR(diag.text, "");
	return obj;
}

static void check_run(struct skep_object *obj, u64 want)
{
	unsigned char frame[64] = {0};
	struct skep_packet packet = {.data = frame, .len = sizeof(frame)};
	u64 ret = ~0ull;

	CHECK_INT(skep_prog_run_packet(skep_object_find_prog(obj, "p"), &packet, &ret,
				       &diag),
		  0);
	CHECK_STR(diag.text, "");
	CHECK_INT(ret, want);
}

static void check_load(struct skep_object *obj, const char *reason)
{
	int err = skep_object_load(obj, NULL, &diag);

	CHECK_INT(err < 0, strcmp(reason, "NONE") != 0);
	CHECK_STR(skep_diag_name(diag.id), reason);
}

/* ---- pointers that were beyond the packet's end ---- */

static const char moved_text[] = ".section xdp\n"
				 ".program p\n"
				 "	r2 = *(u32 *)(r1 + 0)\n"
				 "	r3 = *(u32 *)(r1 + 4)\n"
				 "	r4 = r2\n"
				 "	r4 += 1000\n"
				 "	if r4 > r3 goto beyond\n"
				 "	r0 = 2\n"
				 "	exit\n"
				 "beyond:\n"
				 "	r4 += -1000\n"
				 "	if r4 > r3 goto still\n"
				 "	r5 = 0xdead000\n"
				 "	r0 = *(u64 *)(r5 + 0)\n"
				 "	exit\n"
				 "still:\n"
				 "	r0 = 1\n"
				 "	exit\n";

/* Where the jump has another way on another path, there is nothing to hold it to. */
static const char both_text[] = ".section xdp\n"
				".program p\n"
				"	r2 = *(u32 *)(r1 + 0)\n"
				"	r3 = *(u32 *)(r1 + 4)\n"
				"	r5 = r1\n"
				"	r4 = r2\n"
				"	r4 += 1000\n"
				"	if r4 > r3 goto beyond\n"
				"	r4 = r2\n"
				"	goto again\n"
				"beyond:\n"
				"	r5 = 0xdead000\n"
				"	r4 += -1000\n"
				"again:\n"
				"	if r4 > r3 goto out\n"
				"	r0 = *(u32 *)(r5 + 12)\n"
				"	exit\n"
				"out:\n"
				"	r0 = 1\n"
				"	exit\n";

/* Compared twice, but not moved in between, or only up. */
static const char unmoved_text[] = ".section xdp\n"
				   ".program p\n"
				   "	r2 = *(u32 *)(r1 + 0)\n"
				   "	r3 = *(u32 *)(r1 + 4)\n"
				   "	r4 = r2\n"
				   "	r4 += 1000\n"
				   "	if r4 > r3 goto beyond\n"
				   "	r4 = r2\n"
				   "	goto again\n"
				   "beyond:\n"
				   "	r4 += 1000\n"
				   "again:\n"
				   "	if r4 > r3 goto out\n"
				   "	r0 = 2\n"
				   "	exit\n"
				   "out:\n"
				   "	r0 = 1\n"
				   "	exit\n";

static void jumps_go_where_the_verifier_went(const char *engine)
{
	struct skep_object *obj = make(moved_text, engine);

	if (!obj)
		return;
	check_load(obj, "NONE");
	check_run(obj, 1);
	skep_object_close(obj);
	obj = make(unmoved_text, engine);
	if (!obj)
		return;
	check_load(obj, "NONE");
	check_run(obj, 1);
	skep_object_close(obj);
}

static void what_cannot_be_held_is_refused(const char *engine)
{
	struct skep_object *obj = make(both_text, engine);

	if (!obj)
		return;
	check_load(obj, "PACKET_MOVED");
	skep_object_close(obj);
}

/* ---- calls that nobody makes ---- */

/* Linux cuts them out: a helper of XDP, and one that no engine has. */
static void what_is_never_called_need_not_be_there(const char *engine)
{
	struct skep_object *obj = make(".license \"GPL\"\n"
				       ".section tc\n"
				       ".program p\n"
				       "	r2 = 0\n"
				       "	if r2 == 0 goto out\n"
				       "	call xdp_adjust_head\n"
				       "	call get_current_task\n"
				       "out:\n"
				       "	r0 = 1\n"
				       "	exit\n",
				       engine);

	if (!obj)
		return;
	check_load(obj, "NONE");
	check_run(obj, 1);
	skep_object_close(obj);
}

/* ---- constants of another object ---- */

#define AS_CONSTANT                                                                      \
	".section xdp\n"                                                                 \
	".program p\n"                                                                   \
	"	r1 = value[cfg]\n"                                                             \
	"	r1 = *(u32 *)(r1 + 0)\n"                                                       \
	"	if r1 != 0 goto bad\n"                                                         \
	"	r0 = 2\n"                                                                      \
	"	exit\n"                                                                        \
	"bad:\n"                                                                         \
	"	r2 = 0xdead000\n"                                                              \
	"	r0 = *(u64 *)(r2 + 0)\n"                                                       \
	"	exit\n"

static const char off_text[] = ".var cfg in .rodata u32 0\n" AS_CONSTANT;
static const char on_text[] = ".var cfg in .rodata u32 1\n" AS_CONSTANT;

/* As .rodata in all but its origin (BPF_F_RDONLY_PROG, BPF_F_MMAPABLE): nobody freezes
 * it. */
static const char map_text[] = ".map cfg array key 4 value 4 entries 1 flags 1152\n"
			       ".section xdp\n"
			       ".program p\n"
			       "	r1 = map[cfg]\n"
			       "	r0 = 2\n"
			       "	exit\n";

/* How text is judged with the first map of other. */
static void check_reuse(const char *text, const char *engine, const char *other,
			const char *reason)
{
	struct skep_object_opts opts = {.engine = "checked"};
	struct skep_object *obj = make(text, engine), *of = assemble(other, &opts, &diag);
	u32 cfg = 7;

	if (!CHECK(obj && of))
		return;
	check_load(of, "NONE");
	CHECK_INT(skep_map_reuse(skep_object_next_map(obj, NULL),
				 skep_object_next_map(of, NULL), &diag),
		  0);
	check_load(obj, reason);
	if (!strcmp(reason, "NONE")) {
		check_run(obj, 2);
		CHECK_INT(skep_object_get_var(obj, "cfg", &cfg, 4, &diag), 0);
		CHECK_INT(cfg, 0);
	}
	skep_object_close(obj);
	skep_object_close(of);
}

static void constants_are_those_of_the_map(const char *engine)
{
	check_reuse(off_text, engine, on_text, "ACCESS_NUMBER");
	check_reuse(off_text, engine, map_text, "ACCESS_NUMBER");
	check_reuse(on_text, engine, off_text, "NONE");
	check_reuse(off_text, engine, off_text, "NONE");
}

/* ---- maps of another object ---- */

#define WITH_INNER(size)                                                                 \
	".license \"GPL\"\n"                                                             \
	".map in array key 4 value " size " entries 1\n"                                 \
	".map outer array_of_maps key 4 value 4 entries 1 inner in\n"                    \
	".slot outer 0 in\n"                                                             \
	".section xdp\n"                                                                 \
	".program p\n"                                                                   \
	"	*(u32 *)(r10 - 4) = 0\n"                                                       \
	"	r1 = map[outer]\n"                                                             \
	"	r2 = r10\n"                                                                    \
	"	r2 += -4\n"                                                                    \
	"	call map_lookup_elem\n"                                                        \
	"	if r0 == 0 goto out\n"                                                         \
	"	r1 = r0\n"                                                                     \
	"	r2 = r10\n"                                                                    \
	"	r2 += -4\n"                                                                    \
	"	call map_lookup_elem\n"                                                        \
	"	if r0 == 0 goto out\n"                                                         \
	"	*(u64 *)(r0 + " size " - 8) = 7\n"                                       \
	"out:\n"                                                                         \
	"	r0 = 2\n"                                                                      \
	"	exit\n"

static const char small_text[] = WITH_INNER("8");
static const char large_text[] = WITH_INNER("4096");

static const char cpu_text[] =
	".map sums percpu_array key 4 value 8 entries 1\n"
	".map in hash key 4 value 8 entries 1\n"
	".map outer array_of_maps key 4 value 4 entries 1 inner in\n"
	".section xdp\n"
	".program p\n"
	"	r1 = map[sums]\n"
	"	r1 = map[outer]\n"
	"	r0 = 2\n"
	"	exit\n";

static struct skep_object *make_on(struct skep_world *world, const char *engine,
				   const char *text)
{
	struct skep_object_opts opts = {.engine = engine, .world = world};

	return assemble(text, &opts, &diag);
}

static void check_taken(struct skep_object *obj, struct skep_object *of, const char *name,
			const char *reason)
{
	CHECK_INT(skep_map_reuse(skep_object_find_map(obj, name),
				 skep_object_find_map(of, name), &diag),
		  0);
	check_load(obj, reason);
	diag_clear(&diag);
	skep_object_close(obj);
}

static void inner_maps_are_those_that_were_judged(const char *engine)
{
	struct skep_object *of = make_on(NULL, engine, small_text);

	if (!CHECK(of))
		return;
	check_load(of, "NONE");
	check_taken(make_on(NULL, engine, large_text), of, "outer", "MAPS_DIFFER");
	check_taken(make_on(NULL, engine, small_text), of, "outer", "NONE");
	skep_object_close(of);
}

/* Values and free elements are kept by CPU. */
static void maps_have_all_cpus(const char *engine)
{
	struct skep_world *one = NULL, *four = NULL;
	struct skep_object *few, *many;
	u32 key = 0;

	CHECK_INT(skep_world_new_script(1, &one, &diag), 0);
	CHECK_INT(skep_world_new_script(4, &four, &diag), 0);
	few = make_on(one, engine, cpu_text);
	many = make_on(four, engine, cpu_text);
	if (CHECK(few && many)) {
		check_load(few, "NONE");
		check_load(many, "NONE");
		check_taken(make_on(four, engine, cpu_text), few, "sums", "MAPS_DIFFER");
		check_taken(make_on(one, engine, cpu_text), many, "sums", "NONE");
		CHECK_INT(skep_map_update_map(skep_object_find_map(many, "outer"), &key,
					      skep_object_find_map(few, "in"), 0),
			  -EINVAL);
		CHECK_INT(skep_map_update_map(skep_object_find_map(few, "outer"), &key,
					      skep_object_find_map(many, "in"), 0),
			  0);
	}
	skep_object_close(few);
	skep_object_close(many);
	skep_world_free(one);
	skep_world_free(four);
}

int main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(engines); i++) {
		if (!is_there(engines[i]))
			continue;
		jumps_go_where_the_verifier_went(engines[i]);
		what_is_never_called_need_not_be_there(engines[i]);
		if (strcmp(engines[i], "kernel")) {
			what_cannot_be_held_is_refused(engines[i]);
			constants_are_those_of_the_map(engines[i]);
			inner_maps_are_those_that_were_judged(engines[i]);
			maps_have_all_cpus(engines[i]);
		}
	}
	return check_report();
}
