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
		}
	}
	return check_report();
}
