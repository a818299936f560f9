/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts that are as long as their caller says: what a program looks at must be there,
 * and what it believes of it is not for callers to say.  Linux compares max_ctx_offset.
 */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "exec/exec.h"
#include "kernel.h"
#include "load/object.h"

static struct skep_diag diag;

static bool is_there(const char *engine)
{
	return strcmp(engine, "kernel") ? engine_find(engine) != NULL : !kernel_refuses();
}

/* NULL: the types of the kernel are missing. */
static struct skep_object *load(const char *text, const char *engine)
{
	const struct skep_object_opts opts = {.engine = engine};
	struct skep_target *target = NULL;
	struct skep_object *obj;

	diag = (struct skep_diag)SKEP_DIAG_INIT;
	obj = assemble(text, &opts, &diag);
	CHECK_STR(diag.text, "");
	CHECK_INT(skep_target_new(NULL, NULL, &target, &diag), 0);
	if (obj && skep_object_load(obj, target, &diag)) {
		CHECK_STR(skep_diag_name(diag.id), "UNSUPPORTED");
		skep_object_close(obj);
		obj = NULL;
	}
	skep_target_free(target);
	diag_clear(&diag);
	return obj;
}

static void check_run(struct skep_object *obj, void *ctx, size_t size, u64 want)
{
	u64 ret = ~0ull;

	CHECK_INT(skep_prog_run(skep_object_find_prog(obj, "p"), ctx, size, &ret, &diag),
		  0);
	CHECK_STR(diag.text, "");
	CHECK_INT(ret, want);
	diag_clear(&diag);
}

static void check_refused(struct skep_object *obj, void *ctx, size_t size,
			  const char *reason)
{
	u64 ret = ~0ull;
	int err = skep_prog_run(skep_object_find_prog(obj, "p"), ctx, size, &ret, &diag);

	CHECK(err < 0);
	CHECK_STR(skep_diag_name(diag.id), reason);
	diag_clear(&diag);
}

/* Each looks at bytes 8 to 16, which are 7, and writes nothing. */
static const char *const lookers[] = {
	".license \"GPL\"\n"
	".section tracepoint/sched/sched_switch\n"
	".program p\n"
	"	r0 = *(u32 *)(r1 + 8)\n"
	"	r1 = *(u8 *)(r1 + 15)\n"
	"	exit\n",
	".section raw_tracepoint/sys_enter\n"
	".program p\n"
	"	r0 = *(u64 *)(r1 + 8)\n"
	"	exit\n",
	".section raw_tp.w/nbd_send_request\n"
	".program p\n"
	"	r0 = *(u64 *)(r1 + 8)\n"
	"	exit\n",
	".section syscall\n"
	".program p\n"
	"	r0 = *(u32 *)(r1 + 8)\n"
	"	r1 = *(u32 *)(r1 + 12)\n"
	"	exit\n",
	".section tp_btf/sys_enter\n"
	".program p\n"
	"	r0 = *(u64 *)(r1 + 8)\n"
	"	exit\n",
};

static void what_is_looked_at_is_there(const char *engine)
{
	const bool checks = !strcmp(engine, "checked");

	for (u32 i = 0; i < ARRAY_SIZE(lookers); i++) {
		struct skep_object *obj = load(lookers[i], engine);
		u64 ctx[3] = {1, 7, 3};

		if (!obj)
			continue;
		check_run(obj, ctx, 16, 7);
		check_run(obj, ctx, 24, 7);
		check_refused(obj, ctx, 15, checks ? "OUT_OF_BOUNDS" : "CONTEXT_CUT");
		check_refused(obj, NULL, 0, checks ? "NULL_POINTER" : "CONTEXT_CUT");
		skep_object_close(obj);
	}
}

/* A pointer; a number that LSM's hooks are believed to return. */
static const char *const believers[] = {
	".section tp_btf/sys_enter\n"
	".program p\n"
	"	r0 = 0\n"
	"	r1 = *(u64 *)(r1 + 0)\n"
	"	exit\n",
	".section raw_tp.w/nbd_send_request\n"
	".program p\n"
	"	r0 = 0\n"
	"	r1 = *(u64 *)(r1 + 0)\n"
	"	exit\n",
	".license \"GPL\"\n"
	".section lsm/file_mprotect\n"
	".program p\n"
	"	r0 = 0\n"
	"	r1 = *(u64 *)(r1 + 24)\n"
	"	exit\n",
	".section cgroup/connect4\n"
	".program p\n"
	"	r0 = 1\n"
	"	r1 = *(u64 *)(r1 + 64)\n"
	"	exit\n",
};

static void nothing_is_believed_of_callers(const char *engine)
{
	for (u32 i = 0; i < ARRAY_SIZE(believers); i++) {
		struct skep_object *obj = load(believers[i], engine);
		u64 ctx[16] = {0};

		if (obj)
			check_refused(obj, ctx, sizeof(ctx), "CONTEXT_UNCHECKED");
		skep_object_close(obj);
	}
}

/* The context of a layout with pointers in it that the program does not look at. */
static void what_is_not_looked_at_does_not_matter(const char *engine)
{
	struct skep_object *obj = load(".section cgroup/connect4\n"
				       ".program p\n"
				       "	r0 = *(u32 *)(r1 + 28)\n"
				       "	r0 &= 1\n"
				       "	exit\n",
				       engine);
	u32 ctx[18] = {[7] = 3};

	if (!CHECK(obj))
		return;
	check_run(obj, ctx, sizeof(ctx), 1);
	check_refused(obj, ctx, 32, "CONTEXT_TOO_SMALL");
	skep_object_close(obj);
}

/* Helpers get it as it is. */
static void contexts_are_arguments(const char *engine)
{
	static const char text[] =
		".license \"GPL\"\n"
		".map events perf_event_array key 4 value 4 entries 64\n"
		".section kprobe\n"
		".program p\n"
		"	r6 = *(u64 *)(r1 + 112)\n"
		"	*(u64 *)(r10 - 8) = 1\n"
		"	r2 = map[events]\n"
		"	r3 = 0xffffffff ll\n"
		"	r4 = r10\n"
		"	r4 += -8\n"
		"	r5 = 8\n"
		"	call perf_event_output\n"
		"	r0 += r6\n"
		"	exit\n";
	struct skep_object *obj = load(text, engine);
	u64 ctx[34] = {[14] = 5};

	if (!CHECK(obj))
		return;
	check_run(obj, ctx, sizeof(ctx), 5);
	check_refused(obj, ctx, 160, "CONTEXT_TOO_SMALL");
	skep_object_close(obj);
}

static void tail_calls_look_at_the_same_context(const char *engine)
{
	static const char text[] = ".map progs prog_array key 4 value 4 entries 1\n"
				   ".section raw_tracepoint/sys_enter\n"
				   ".program p\n"
				   "	r2 = map[progs]\n"
				   "	r3 = 0\n"
				   "	call tail_call\n"
				   "	r0 = 1\n"
				   "	exit\n"
				   ".section raw_tracepoint/sys_exit\n"
				   ".program far\n"
				   "	r0 = *(u64 *)(r1 + 80)\n"
				   "	exit\n";
	struct skep_object *obj = load(text, engine);
	u64 ctx[11] = {[10] = 5};
	u32 key = 0;

	if (!CHECK(obj))
		return;
	check_run(obj, ctx, sizeof(ctx), 1);
	CHECK_INT(skep_map_update_prog(skep_object_find_map(obj, "progs"), &key,
				       skep_object_find_prog(obj, "far"), 0),
		  0);
	check_run(obj, ctx, sizeof(ctx), 5);
	check_refused(obj, ctx, 80, "CONTEXT_CUT");
	skep_object_close(obj);
}

/* One that must not be gone to with a context of a caller's. */
static void tail_calls_believe_nothing_either(const char *engine)
{
	static const char text[] = ".map progs prog_array key 4 value 4 entries 1\n"
				   ".section cgroup/connect4\n"
				   ".program p\n"
				   "	r2 = map[progs]\n"
				   "	r3 = 0\n"
				   "	call tail_call\n"
				   "	r0 = 1\n"
				   "	exit\n"
				   ".section cgroup/connect6\n"
				   ".program other\n"
				   "	r0 = 1\n"
				   "	r1 = *(u64 *)(r1 + 64)\n"
				   "	exit\n";
	struct skep_object *obj = load(text, engine);
	u64 ctx[9] = {0}, ret = 0;

	if (!CHECK(obj))
		return;
	CHECK_INT(skep_prog_run(skep_object_find_prog(obj, "p"), ctx, sizeof(ctx), &ret,
				&diag),
		  -ENOTSUP);
	CHECK_STR(skep_diag_name(diag.id), "CONTEXT_UNCHECKED");
	CHECK_INT(diag.insn, -1);
	skep_object_close(obj);
}

/* The kernel runs these two types on contexts of callers. */
static void linux_does_the_same(void)
{
	static const u32 types[] = {1, 3};

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct skep_object *obj = load(lookers[types[i]], "kernel");
		u64 ctx[3] = {1, 7, 3};

		if (!CHECK(obj))
			continue;
		check_run(obj, ctx, 16, 7);
		check_refused(obj, ctx, 15, "KERN_RUN");
		skep_object_close(obj);
	}
}

int main(void)
{
	static const char *const unchecked[] = {"interp", "jit"};

	what_is_looked_at_is_there("checked");
	contexts_are_arguments("checked");
	for (u32 i = 0; i < ARRAY_SIZE(unchecked); i++) {
		if (!is_there(unchecked[i]))
			continue;
		what_is_looked_at_is_there(unchecked[i]);
		contexts_are_arguments(unchecked[i]);
		nothing_is_believed_of_callers(unchecked[i]);
		what_is_not_looked_at_does_not_matter(unchecked[i]);
		tail_calls_look_at_the_same_context(unchecked[i]);
		tail_calls_believe_nothing_either(unchecked[i]);
	}
	if (is_there("kernel"))
		linux_does_the_same();
	return check_report();
}
