/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public API: what it promises, and every refusal of src/load.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "exec/exec.h"
#include "load/object.h"

static struct skep_diag diag;

/* The last call failed with this errno and for this reason. */
static void check_refused(int err, int want, const char *id)
{
	CHECK_INT(err, want);
	CHECK_STR(skep_diag_name(diag.id), id);
	CHECK_INT(diag.err, want);
	CHECK(diag.where[0]);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
}

static struct skep_object *make(const char *text, const struct skep_object_opts *opts)
{
	struct skep_object *obj;

	diag = (struct skep_diag)SKEP_DIAG_INIT;
	obj = assemble(text, opts, &diag);
	CHECK_STR(diag.text, "");
	return obj;
}

static struct skep_object *make_loaded(const char *text)
{
	struct skep_object *obj = make(text, NULL);

	if (obj)
		CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	CHECK_STR(diag.text, "");
	return obj;
}

/* ---- open ---- */

static void open_refuses(void)
{
	struct skep_object_opts opts = {.engine = "fast"};
	struct skep_object *obj;
	struct skep_world *world;
	struct skep_target *target;

	check_refused(skep_object_open("/nonexistent", NULL, &obj, &diag), -ENOENT,
		      "FILE_UNREADABLE");
	check_refused(skep_object_open("/", NULL, &obj, &diag), -EISDIR,
		      "FILE_UNREADABLE");
	check_refused(skep_object_open_memory("", 0, NULL, &obj, &diag), -ENOEXEC,
		      "NOT_ELF");
	check_refused(skep_object_open_memory("", 0, &opts, &obj, &diag), -EINVAL,
		      "NO_ENGINE");
	CHECK_INT(skep_world_new_real(100000, &world, &diag), -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "BAD_CPU_COUNT");
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_target_new("plan9", NULL, &target, &diag), -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "BAD_TARGET");
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	check_refused(skep_target_new("linux", "/nonexistent", &target, &diag), -ENOENT,
		      "FILE_UNREADABLE");
	skep_object_close(NULL);
	skep_target_free(NULL);
	skep_world_free(NULL);
}

/* ---- variables ---- */

static const char vars_text[] = ".var limit in .rodata u32 5\n"
				".var total in .bss zero 8\n"
				".var level in .data u16 7\n"
				".section xdp\n"
				".program p\n"
				"	r1 = value[limit]\n"
				"	r0 = *(u32 *)(r1 + 0)\n"
				"	r1 = value[total]\n"
				"	*(u64 *)(r1 + 0) = r0\n"
				"	exit\n";

static void variables_are_set_before_and_read_after(void)
{
	unsigned char frame[64] = {0};
	struct skep_packet packet = {.data = frame, .len = sizeof(frame)};
	struct skep_object *obj = make(vars_text, NULL);
	u32 limit = 0, new_limit = 3;
	u64 total = 1, ret = 0;
	u16 level = 9;

	if (!obj)
		return;
	CHECK_INT(skep_object_get_var(obj, "limit", &limit, 4, &diag), 0);
	CHECK_INT(limit, 5);
	CHECK_INT(skep_object_set_var(obj, "limit", &new_limit, 4, &diag), 0);
	check_refused(skep_object_set_var(obj, "limits", &new_limit, 4, &diag), -ENOENT,
		      "NO_SUCH_VAR");
	check_refused(skep_object_set_var(obj, "limit", &new_limit, 8, &diag), -EINVAL,
		      "VAR_SIZE");
	CHECK_INT(skep_object_get_var(obj, "total", &total, 8, &diag), 0);
	CHECK_INT(total, 0);
	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	CHECK_INT(skep_prog_run_packet(skep_object_find_prog(obj, "p"), &packet, &ret,
				       &diag),
		  0);
	CHECK_INT(ret, 3);
	CHECK_INT(skep_object_get_var(obj, "total", &total, 8, &diag), 0);
	CHECK_INT(total, 3);
	CHECK_INT(skep_object_set_var(obj, "level", &level, 2, &diag), 0);
	level = 0;
	CHECK_INT(skep_object_get_var(obj, "level", &level, 2, &diag), 0);
	CHECK_INT(level, 9);
	check_refused(skep_object_set_var(obj, "limit", &limit, 4, &diag), -EPERM,
		      "VAR_IS_CONST");
	skep_object_close(obj);
}

/* ---- programs ---- */

static const char two_text[] = ".section xdp\n.program good\nr0 = XDP_PASS\nexit\n"
			       ".section socket\n.program filter\nr0 = 0\nexit\n"
			       ".section perf_event\n.program perf\nr0 = 7\nexit\n"
			       ".section xdp\n.program bad\ncall 4711\nexit\n";

static void a_program_that_cannot_be_loaded_is_left_out(void)
{
	struct skep_object *obj = make(two_text, NULL);
	struct skep_prog *bad, *good;
	unsigned char frame[64] = {0};
	struct skep_packet packet = {.data = frame, .len = sizeof(frame)};
	u64 ret;

	if (!obj)
		return;
	bad = skep_object_find_prog(obj, "bad");
	good = skep_object_find_prog(obj, "good");
	CHECK(skep_object_load(obj, NULL, &diag) < 0);
	CHECK(strstr(diag.where, "bad") && strstr(diag.text, "4711"));
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK(!skep_prog_is_loaded(good));
	CHECK_INT(skep_prog_select(bad, false), 0);
	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	CHECK(skep_prog_is_loaded(good) && !skep_prog_is_loaded(bad));
	CHECK_INT(skep_prog_select(bad, true), -EBUSY);
	check_refused(skep_object_load(obj, NULL, &diag), -EBUSY, "IS_LOADED");
	check_refused(skep_prog_run_packet(bad, &packet, &ret, &diag), -EINVAL,
		      "NOT_LOADED");
	check_refused(skep_prog_run(bad, frame, sizeof(frame), &ret, &diag), -EINVAL,
		      "NOT_LOADED");
	check_refused(skep_prog_run(good, frame, sizeof(frame), &ret, &diag), -EINVAL,
		      "NEEDS_PACKET");
	skep_object_close(obj);
}

static void contexts_and_packets_are_checked(void)
{
	struct skep_object *obj = make(two_text, NULL);
	static unsigned char frame[300 * 1024];
	struct skep_packet packet = {.data = frame, .len = sizeof(frame)};
	struct bpf_perf_event_data *perf_ctx = (void *)frame;
	struct skep_prog *good, *filter, *perf;
	u64 ret = 0;

	if (!obj)
		return;
	skep_prog_select(skep_object_find_prog(obj, "bad"), false);
	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	good = skep_object_find_prog(obj, "good");
	filter = skep_object_find_prog(obj, "filter");
	perf = skep_object_find_prog(obj, "perf");
	CHECK_INT(skep_prog_run(perf, perf_ctx, 4096, &ret, &diag), 0);
	CHECK_INT(ret, 7);
	check_refused(skep_prog_run(perf, perf_ctx, 8, &ret, &diag), -EINVAL,
		      "CONTEXT_TOO_SMALL");
	check_refused(skep_prog_run_packet(perf, &packet, &ret, &diag), -EINVAL,
		      "TAKES_NO_PACKET");
	check_refused(skep_prog_run_packet(good, &packet, &ret, &diag), -EMSGSIZE,
		      "PACKET_TOO_LONG");
	packet.len = 5;
	check_refused(skep_prog_run_packet(filter, &packet, &ret, &diag), -EINVAL,
		      "PACKET_TOO_SHORT");
	packet.meta_len = 4;
	packet.len = 64;
	check_refused(skep_prog_run_packet(filter, &packet, &ret, &diag), -EINVAL,
		      "META_WITHOUT_XDP");
	CHECK_INT(skep_prog_run_packet(good, &packet, &ret, &diag), 0);
	packet.meta_len = 3;
	check_refused(skep_prog_run_packet(good, &packet, &ret, &diag), -EINVAL,
		      "BAD_META");
	CHECK_STR(skep_prog_verdict_name(good, XDP_TX), "XDP_TX");
	CHECK(!skep_prog_verdict_name(good, 77));
	CHECK(!skep_prog_verdict_name(filter, 0));
	skep_object_close(obj);
}

/* ---- maps ---- */

static const char maps_text[] = ".map shared hash key 4 value 8 entries 4\n"
				".map tails prog_array key 4 value 4 entries 4\n"
				".slot tails 1 tail\n"
				".section xdp\n"
				".program entry\n"
				"	r2 = map[tails]\n"
				"	r3 = 1\n"
				"	call tail_call\n"
				"	r0 = XDP_ABORTED\n"
				"	exit\n"
				".program tail\n"
				"	*(u32 *)(r10 - 4) = 3\n"
				"	*(u64 *)(r10 - 16) = 5\n"
				"	r1 = map[shared]\n"
				"	r2 = r10; r2 += -4\n"
				"	r3 = r10; r3 += -16\n"
				"	r4 = 0\n"
				"	call map_update_elem\n"
				"	r0 = XDP_TX\n"
				"	exit\n";

static void maps_are_shared_and_slots_filled(void)
{
	unsigned char frame[64] = {0};
	struct skep_packet packet = {.data = frame, .len = sizeof(frame)};
	struct skep_object *a = make_loaded(maps_text), *b = make(maps_text, NULL);
	struct skep_map *of_a, *of_b, *tails;
	u32 key = 3, slot = 1;
	u64 value = 0, ret;

	if (!a || !b)
		return;
	of_a = skep_object_find_map(a, "shared");
	of_b = skep_object_find_map(b, "shared");
	tails = skep_object_find_map(b, "tails");
	CHECK_INT(skep_map_lookup(of_b, &key, &value, 0), -EINVAL);
	check_refused(skep_map_reuse(tails, skep_object_find_map(a, "tails"), &diag),
		      -EINVAL, "MAPS_DIFFER");
	check_refused(skep_map_reuse(of_b, skep_object_find_map(a, "tails"), &diag),
		      -EINVAL, "MAPS_DIFFER");
	CHECK_INT(skep_map_reuse(of_b, of_a, &diag), 0);
	check_refused(skep_map_reuse(of_b, of_a, &diag), -EBUSY, "IS_LOADED");
	CHECK_INT(skep_object_load(b, NULL, &diag), 0);
	CHECK_INT(skep_prog_run_packet(skep_object_find_prog(a, "entry"), &packet, &ret,
				       &diag),
		  0);
	CHECK_INT(ret, XDP_TX);
	skep_object_close(a); /* what was shared lives on */
	CHECK_INT(skep_map_lookup(of_b, &key, &value, 0), 0);
	CHECK_INT(value, 5);
	CHECK_INT(skep_map_delete(tails, &slot), 0);
	CHECK_INT(skep_prog_run_packet(skep_object_find_prog(b, "entry"), &packet, &ret,
				       &diag),
		  0);
	CHECK_INT(ret, XDP_ABORTED);
	CHECK_INT(skep_map_update_prog(tails, &slot, skep_object_find_prog(b, "tail"), 0),
		  0);
	CHECK_INT(skep_prog_run_packet(skep_object_find_prog(b, "entry"), &packet, &ret,
				       &diag),
		  0);
	CHECK_INT(ret, XDP_TX);
	skep_object_close(b);
}

/* Each as it is run alone: the third is too short, the fourth is not reached. */
static void packets_run_together(const char *engine)
{
	unsigned char frame[64] = {0};
	struct skep_packet packets[4], alone = {.data = frame, .len = sizeof(frame)};
	const struct skep_object_opts opts = {.engine = engine};
	struct skep_object *obj = make(two_text, &opts);
	struct skep_prog *good, *filter;
	u64 ret = 77;

	skep_prog_select(skep_object_find_prog(obj, "bad"), false);
	good = skep_object_find_prog(obj, "good");
	filter = skep_object_find_prog(obj, "filter");
	check_refused(skep_prog_run_packets(good, packets, 0, &diag), -EINVAL,
		      "NOT_LOADED");
	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	for (u32 i = 0; i < ARRAY_SIZE(packets); i++)
		packets[i] = (struct skep_packet){.data = frame,
						  .len = i == 2 ? 5 : sizeof(frame),
						  .repeat = i,
						  .ran = true};
	CHECK_INT(skep_prog_run_packets(good, packets, 4, &diag), 0);
	CHECK_INT(packets[3].ret, XDP_PASS);
	CHECK_INT(packets[3].out_len, sizeof(frame));
	check_refused(skep_prog_run_packets(filter, packets, 4, &diag), -EINVAL,
		      "PACKET_TOO_SHORT");
	CHECK_INT(skep_prog_run_packet(filter, &alone, &ret, &diag), 0);
	CHECK_INT(packets[0].ret, ret);
	CHECK_INT(packets[1].ret, ret);
	CHECK(packets[0].ran && packets[1].ran && !packets[2].ran && !packets[3].ran);
	CHECK_INT(skep_prog_run_packets(good, packets, 0, &diag), 0);
	skep_object_close(obj);
}

/* The divisions of a large number, of which none can start before the last has ended. */
#define SLOW                                                                             \
	"r0 = -r0; r0 /= r7; r0 = -r0; r0 /= r7; r0 = -r0; r0 /= r7; r0 = -r0; r0 /= "   \
	"r7\n"

/* Byte 0 says what to do: 1 redirects, 2 takes 8 bytes off the front and marks byte 0, 3
 * takes longer than anybody waits: 8 million rounds of SLOW. */
static const char each_text[] =
	".license \"GPL\"\n"
	".section xdp\n"
	".program each\n"
	"	r6 = r1\n"
	"	r2 = *(u32 *)(r6 + 0)\n"
	"	r3 = *(u32 *)(r6 + 4)\n"
	"	r1 = r2; r1 += 40\n"
	"	r0 = XDP_PASS\n"
	"	if r1 > r3 goto out\n"
	"	r1 = *(u8 *)(r2 + 0)\n"
	"	if r1 == 1 goto turn\n"
	"	if r1 == 2 goto cut\n"
	"	if r1 == 3 goto spin\n"
	"	goto out\n"
	"turn:\n"
	"	r1 = 7\n"
	"	r2 = 0\n"
	"	call redirect\n"
	"	goto out\n"
	"cut:	*(u8 *)(r2 + 0) = 3\n"
	"	r1 = r6\n"
	"	r2 = 8\n"
	"	call xdp_adjust_head\n"
	"	r0 = XDP_TX\n"
	"	goto out\n"
	"spin:	r7 = *(u8 *)(r2 + 1)\n"
	"	r7 |= 0x7001\n"
	"	r0 = 0\n"
	"again:	may_goto out\n" SLOW SLOW SLOW SLOW "	goto again\n"
	"out:	exit\n";

/* The n-th packet is what it would be alone, whatever those before it were. */
static void packets_do_not_meet(const char *engine)
{
	static const unsigned char firsts[] = {1, 0, 2, 0, 2, 1, 0};
	unsigned char frames[7][200] = {{0}}, out[200];
	struct skep_packet packets[7] = {{0}};
	const struct skep_object_opts opts = {.engine = engine};
	struct skep_object *obj = make(each_text, &opts);
	struct skep_prog *prog = skep_object_find_prog(obj, "each");

	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	for (u32 i = 0; i < 7; i++) {
		frames[i][0] = firsts[i];
		packets[i] = (struct skep_packet){.data = frames[i], .len = 40 + 25 * i};
	}
	packets[3].out = out;
	packets[3].out_size = sizeof(out);
	CHECK_INT(skep_prog_run_packets(prog, packets, 7, &diag), 0);
	for (u32 i = 0; i < 7; i++) {
		bool redirects = firsts[i] == 1, cuts = firsts[i] == 2;

		CHECK(packets[i].ran && packets[i].redirected == redirects);
		CHECK_INT(packets[i].redirect_ifindex, redirects ? 7 : 0);
		CHECK_INT(packets[i].out_len, packets[i].len - (cuts ? 8 : 0));
		CHECK_INT(packets[i].ret, redirects ? XDP_REDIRECT
					  : cuts    ? XDP_TX
						    : XDP_PASS);
		CHECK_INT(frames[i][0], firsts[i]);
	}
	CHECK_INT(memcmp(out, frames[3], packets[3].len), 0);
	skep_object_close(obj);
}

/* The third takes too long: those before it have run, however busy the machine is. */
static void time_is_up_among_packets(void)
{
	unsigned char frames[4][64] = {{0}, {1}, {3}, {1}};
	struct skep_packet packets[4];
	const struct skep_object_opts opts = {.max_ns = 200000000};
	struct skep_object *obj = make(each_text, &opts);
	struct skep_prog *prog = skep_object_find_prog(obj, "each");

	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	for (u32 i = 0; i < 4; i++)
		packets[i] = (struct skep_packet){
			.data = frames[i], .len = sizeof(frames[i]), .ran = true};
	check_refused(skep_prog_run_packets(prog, packets, 4, &diag), -ETIMEDOUT,
		      "TIME_LIMIT");
	CHECK(packets[0].ran && packets[1].ran && !packets[2].ran && !packets[3].ran);
	CHECK_INT(packets[1].redirect_ifindex, 7);
	CHECK_INT(skep_prog_run_packets(prog, packets, 2, &diag), 0);
	CHECK(packets[0].ran && !packets[0].redirected && packets[1].redirected);
	skep_object_close(obj);
}

static void a_slot_past_the_end_is_refused(void)
{
	static const char text[] =
		".map tails prog_array key 4 value 4 entries 2\n.slot tails 2 p\n"
		".section xdp\n.program p\nr2 = map[tails]\nr0 = 0\nexit\n";
	struct skep_object *obj = make(text, NULL);

	if (!obj)
		return;
	CHECK(skep_object_load(obj, NULL, &diag) < 0);
	CHECK_STR(skep_diag_name(diag.id), "BAD_SLOT");
	CHECK(strstr(diag.where, "tails"));
	skep_object_close(obj);
}

/* ---- events ---- */

static const char events_text[] = ".license \"GPL\"\n"
				  ".map ring ringbuf entries 4096\n"
				  ".map perf perf_event_array key 4 value 4\n"
				  ".section xdp\n"
				  ".program send\n"
				  "	r6 = r1\n"
				  "	*(u64 *)(r10 - 8) = 42\n"
				  "	r1 = map[ring]\n"
				  "	r2 = r10; r2 += -8\n"
				  "	r3 = 8\n"
				  "	r4 = 0\n"
				  "	call ringbuf_output\n"
				  "	r1 = r6\n"
				  "	r2 = map[perf]\n"
				  "	r3 = 0xffffffff ll\n"
				  "	r4 = r10; r4 += -8\n"
				  "	r5 = 8\n"
				  "	call perf_event_output\n"
				  "	r1 = 5\n"
				  "	r2 = 0\n"
				  "	call redirect\n"
				  "	exit\n";

struct seen {
	u64 value;
	int cpu, n, stop;
};

static int see(void *arg, int cpu, const void *data, u32 size)
{
	struct seen *seen = arg;

	CHECK(size >= 8);
	memcpy(&seen->value, data, 8);
	seen->cpu = cpu;
	seen->n++;
	return seen->stop;
}

static void events_and_redirects_are_told(void)
{
	struct skep_object_opts opts = {0};
	unsigned char frame[64] = {0};
	struct skep_packet packet = {.data = frame, .len = sizeof(frame), .cpu = 2};
	struct seen ring = {0}, perf = {0};
	struct skep_object *obj;
	u64 ret = 0;

	CHECK_INT(skep_world_new_script(2, &opts.world, &diag), 0);
	obj = make(events_text, &opts);
	if (obj && CHECK(!skep_object_load(obj, NULL, &diag))) {
		struct skep_prog *prog = skep_object_find_prog(obj, "send");

		CHECK_INT(skep_prog_run_packet(prog, &packet, &ret, &diag), 0);
		CHECK_STR(diag.text, "");
		CHECK_INT(ret, XDP_REDIRECT);
		CHECK(packet.redirected && !packet.redirect_to_map);
		CHECK_INT(packet.redirect_ifindex, 5);
		CHECK_INT(skep_map_consume(skep_object_find_map(obj, "ring"), see, &ring),
			  1);
		CHECK_INT(skep_map_consume(skep_object_find_map(obj, "perf"), see, &perf),
			  1);
		CHECK(ring.value == 42 && ring.cpu == -1);
		CHECK(perf.value == 42 && perf.cpu == 1);
		CHECK_INT(skep_map_consume(skep_object_find_map(obj, "ring"), see, &ring),
			  0);
		CHECK_INT(skep_map_lost(skep_object_find_map(obj, "perf")), 0);
	}
	skep_object_close(obj);
	skep_world_free(opts.world);
}

/* ---- worlds ---- */

static void note(void *arg, const char *text, u32 len)
{
	snprintf(arg, 64, "%.*s", (int)len, text);
}

static void a_scripted_world_says_what_it_was_told(void)
{
	static const char text[] = ".license \"GPL\"\n"
				   ".section xdp\n"
				   ".program p\n"
				   "	r1 = 0x0a6968 ll\n" /* "hi\n" */
				   "	*(u64 *)(r10 - 8) = r1\n"
				   "	r1 = r10; r1 += -8\n"
				   "	r2 = 4\n"
				   "	call trace_printk\n"
				   "	call ktime_get_ns\n"
				   "	exit\n";
	struct skep_task task = {.pid = 1, .comm = "test"};
	struct skep_object_opts opts = {0};
	unsigned char frame[64] = {0};
	struct skep_packet packet = {.data = frame, .len = sizeof(frame)};
	struct skep_world *real;
	struct skep_object *obj;
	char printed[64] = "";
	u64 ret = 0;

	CHECK_INT(skep_world_new_real(1, &real, &diag), 0);
	CHECK_INT(skep_world_set_time(real, 1), -EINVAL);
	CHECK_INT(skep_world_set_tai_offset(real, 1), -EINVAL);
	CHECK_INT(skep_world_set_seed(real, 1), -EINVAL);
	CHECK_INT(skep_world_set_task(real, &task), -EINVAL);
	skep_world_free(real);
	CHECK_INT(skep_world_new_script(0, &opts.world, &diag), 0);
	CHECK_INT(skep_world_set_time(opts.world, 1234), 0);
	CHECK_INT(skep_world_set_task(opts.world, &task), 0);
	skep_world_set_print(opts.world, note, printed);
	obj = make(text, &opts);
	if (obj && CHECK(!skep_object_load(obj, NULL, &diag))) {
		CHECK_INT(skep_prog_run_packet(skep_object_find_prog(obj, "p"), &packet,
					       &ret, &diag),
			  0);
		CHECK_INT(ret, 1234);
		CHECK_STR(printed, "hi\n");
	}
	skep_object_close(obj);
	skep_world_free(opts.world);
}

/* ---- the kernel's ---- */

static void only_what_the_kernel_has_is_attached(void)
{
	struct skep_object *obj = make_loaded(".map m array key 4 value 8 entries 1\n"
					      ".section xdp\n"
					      ".program pass\n"
					      "r1 = map[m]\n"
					      "r0 = XDP_PASS\n"
					      "exit\n");
	struct skep_link *link;

	if (!obj)
		return;
	check_refused(skep_prog_attach(skep_object_find_prog(obj, "pass"), "xdp:lo",
				       &link, &diag),
		      -EINVAL, "NOT_IN_KERNEL");
	check_refused(skep_map_attach(skep_object_find_map(obj, "m"), &link, &diag),
		      -EINVAL, "NOT_STRUCT_OPS");
	skep_object_close(obj);
}

/* ---- chains ---- */

static const char chain_text[] = ".var a in .bss zero 8\n"
				 ".var b in .data u64 0\n"
				 ".section xdp\n"
				 ".program first\n"
				 "	r2 = value[a]\n"
				 "	*(u64 *)(r2 + 0) = 1\n"
				 "	r2 = *(u32 *)(r1 + 0)\n"
				 "	r3 = *(u32 *)(r1 + 4)\n"
				 "	r4 = r2\n"
				 "	r4 += 1\n"
				 "	r0 = 0\n"
				 "	if r4 > r3 goto out\n"
				 "	r0 = *(u8 *)(r2 + 0)\n"
				 "out:\n"
				 "	exit\n"
				 ".program second\n"
				 "	r2 = value[b]\n"
				 "	r0 = *(u64 *)(r2 + 0)\n"
				 "	r0 += 1\n"
				 "	*(u64 *)(r2 + 0) = r0\n"
				 "	r0 = 3\n"
				 "	exit\n"
				 ".section tc\n"
				 ".program other\n"
				 "	r0 = 0\n"
				 "	exit\n"
				 ".section perf_event\n"
				 ".program perf\n"
				 "	r0 = 0\n"
				 "	exit\n";

static u64 run_chain(struct skep_object *obj, u8 first_byte)
{
	u8 bytes[64] = {first_byte};
	struct skep_packet packet = {.data = bytes, .len = sizeof(bytes)};
	u64 ret = ~0ull;

	CHECK_INT(skep_prog_run_packet(skep_object_find_prog(obj, "first"), &packet, &ret,
				       &diag),
		  0);
	return ret;
}

/* The second runs when the first returns XDP_PASS, and each has its own maps. */
static void programs_form_chains(const char *engine)
{
	struct skep_object_opts opts = {.engine = engine};
	struct skep_object *obj = make(chain_text, &opts);
	struct skep_prog *first = skep_object_find_prog(obj, "first");
	struct skep_prog *second = skep_object_find_prog(obj, "second");
	struct skep_prog *other = skep_object_find_prog(obj, "other");
	struct skep_prog *perf = skep_object_find_prog(obj, "perf");
	u64 hits = 0, ran = 0;

	CHECK_INT(skep_prog_chain((struct skep_prog *[]){first, other}, 2, &diag),
		  -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "CHAIN_DIFFERS");
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_prog_chain(&perf, 1, &diag), -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "CHAIN_TYPE");
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	CHECK_INT(skep_prog_chain(NULL, 0, &diag), -EINVAL);
	CHECK_INT(
		skep_prog_chain((struct skep_prog *[]){first, second, second}, 3, &diag),
		0);
	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	CHECK_STR(diag.text, "");
	CHECK_INT(run_chain(obj, XDP_DROP), XDP_DROP);
	CHECK_INT(run_chain(obj, XDP_PASS), XDP_TX);
	CHECK_INT(run_chain(obj, XDP_PASS), XDP_TX);
	CHECK(!skep_object_get_var(obj, "a", &ran, 8, &diag) && ran == 1);
	CHECK(!skep_object_get_var(obj, "b", &hits, 8, &diag) && hits == 2);
	CHECK_INT(skep_prog_chain(&first, 1, &diag), -EBUSY);
	diag = (struct skep_diag)SKEP_DIAG_INIT;
	skep_object_close(obj);
}

static void long_chains_are_refused(void)
{
	struct skep_object *obj = make(chain_text, NULL);
	struct skep_prog *all[65];

	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = skep_object_find_prog(obj, "first");
	CHECK_INT(skep_prog_chain(all, ARRAY_SIZE(all), &diag), 0);
	check_refused(skep_object_load(obj, NULL, &diag), -E2BIG, "CHAIN_TOO_LONG");
	CHECK_INT(skep_prog_chain(all, ARRAY_SIZE(all) - 1, &diag), 0);
	CHECK_INT(skep_object_load(obj, NULL, &diag), 0);
	skep_object_close(obj);
}

int main(void)
{
	programs_form_chains("checked");
	programs_form_chains("interp");
	long_chains_are_refused();
	open_refuses();
	variables_are_set_before_and_read_after();
	a_program_that_cannot_be_loaded_is_left_out();
	contexts_and_packets_are_checked();
	packets_run_together("checked");
	packets_run_together("interp");
	packets_run_together(NULL);
	packets_do_not_meet("checked");
	packets_do_not_meet("interp");
	packets_do_not_meet(NULL);
	if (!strcmp(engine_default()->name, "jit"))
		time_is_up_among_packets();
	maps_are_shared_and_slots_filled();
	a_slot_past_the_end_is_refused();
	events_and_redirects_are_told();
	a_scripted_world_says_what_it_was_told();
	only_what_the_kernel_has_is_attached();
	return check_report();
}
