/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers that the kernel cannot be asked about by a test run: what the world answers,
 * maps, rings, callbacks, locks, fragments; and the end of a run.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "base/bytes.h"
#include "base/diag.h"
#include "check.h"
#include "helpers/helpers.h"
#include "maps/map.h"
#include "prog/prog.h"
#include "world/contexts.h"
#include "world/packet.h"
#include "world/world.h"

#define CALL(run, name, ...) call_body(run, BPF_FUNC_##name, (u64[5]){__VA_ARGS__})
#define ADDR(p)              ((u64)(uintptr_t)(p))

static u64 call_body(struct run *run, u32 number, const u64 a[5])
{
	helper_fn body = helper_body(number);

	return CHECK(body != NULL) ? body(run, a[0], a[1], a[2], a[3], a[4]) : 0;
}

static void what_is_not_offered_has_no_body(void)
{
	CHECK(!helper_body(0));
	CHECK(!helper_body(BPF_FUNC_tail_call)); /* the engines' own */
	CHECK(!helper_body(BPF_FUNC_override_return));
	CHECK(!helper_body(10000));
	CHECK(!helper_body(UINT32_MAX));
}

static void packets_are_not_made_up(void)
{
	static const u32 numbers[] = {
		BPF_FUNC_xdp_adjust_head, BPF_FUNC_skb_load_bytes,
		BPF_FUNC_l3_csum_replace, BPF_FUNC_skb_adjust_room,
		BPF_FUNC_get_hash_recalc, BPF_FUNC_skb_set_tunnel_key};

	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct run run = {.diag = &diag};

		call_body(&run, numbers[i], (u64[5]){0});
		CHECK_INT(run.err, -EINVAL);
		CHECK_STR(skep_diag_name(diag.id), "NO_PACKET");
	}
}

static void the_world_answers(void)
{
	struct world_script w;
	struct run run = {.world = &w.world, .cpu = 5};
	char comm[4] = "zzz";

	world_script_init(&w);
	w.now = 1000;
	w.tai_offset = 37;
	w.world.numa_node = 2;
	w.task = (struct world_task){.pid = 7,
				     .tgid = 6,
				     .uid = 1000,
				     .gid = 100,
				     .cgroup_id = 9,
				     .comm = "nginx"};
	CHECK_INT(CALL(&run, ktime_get_ns), 1000);
	CHECK_INT(CALL(&run, ktime_get_boot_ns), 1000);
	CHECK_INT(CALL(&run, ktime_get_coarse_ns), 1000);
	CHECK_INT(CALL(&run, ktime_get_tai_ns), 1037);
	CHECK_INT(CALL(&run, jiffies64), 4294892296);
	CHECK_INT(CALL(&run, get_smp_processor_id), 5);
	CHECK_INT(CALL(&run, get_numa_node_id), 2);
	CHECK_INT(CALL(&run, get_current_pid_tgid), 6ull << 32 | 7);
	CHECK_INT(CALL(&run, get_current_uid_gid), 100ull << 32 | 1000);
	CHECK_INT(CALL(&run, get_current_cgroup_id), 9);
	CHECK_INT(CALL(&run, get_current_comm, ADDR(comm), sizeof(comm)), 0);
	CHECK_STR(comm, "ngi");
	CHECK(CALL(&run, get_prandom_u32) != CALL(&run, get_prandom_u32));
}

static void probe_reads_stop_where_memory_stops(void)
{
	struct world_script w;
	struct run run = {.world = &w.world};
	char out[8] = "zzzzzzz";

	world_script_init(&w);
	CHECK_INT(CALL(&run, probe_read_kernel_str, ADDR(out), 8, ADDR("abc")), 4);
	CHECK_STR(out, "abc");
	CHECK_INT(CALL(&run, probe_read_kernel_str, ADDR(out), 3, ADDR("abcdef")), 3);
	CHECK_STR(out, "ab");
	CHECK_INT(CALL(&run, probe_read_user_str, ADDR(out), 0, ADDR("abc")), 0);
	CHECK_INT(CALL(&run, probe_read_str, ADDR(out), 8, 16), -EFAULT);
	CHECK_INT(out[0], 0);
	CHECK_INT(CALL(&run, probe_read, ADDR(out), 4, ADDR("wxyz")), 0);
	CHECK(!memcmp(out, "wxyz", 4));
	CHECK_INT(CALL(&run, probe_read_user, ADDR(out), 8, 8), -EFAULT);
	CHECK_INT(load_u64(out), 0);
}

static struct map *make_map(u32 type, u32 key_size, u32 value_size, u32 entries)
{
	struct map_attr attr = {.type = type,
				.key_size = key_size,
				.value_size = value_size,
				.max_entries = entries,
				.n_cpus = 2};
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct map *map = NULL;

	CHECK_INT(map_new(&attr, &map, &diag), 0);
	return map;
}

static void maps_are_asked_for_this_cpu(void)
{
	struct map *map = make_map(MAP_TYPE_PERCPU_ARRAY, 4, 8, 2);
	struct run run = {.cpu = 1};
	u64 value = 42, *found;
	u32 key = 1;

	CHECK_INT(CALL(&run, map_update_elem, ADDR(map), ADDR(&key), ADDR(&value), 0), 0);
	found = (u64 *)(uintptr_t)CALL(&run, map_lookup_elem, ADDR(map), ADDR(&key));
	CHECK(found && *found == 42);
	found = (u64 *)(uintptr_t)CALL(&run, map_lookup_percpu_elem, ADDR(map),
				       ADDR(&key), 0);
	CHECK(found && *found == 0);
	CHECK_INT(CALL(&run, map_lookup_percpu_elem, ADDR(map), ADDR(&key), 2), 0);
	CHECK_INT(CALL(&run, map_delete_elem, ADDR(map), ADDR(&key)), -EINVAL);
	map_put(map);
}

static int keep(void *arg, const void *data, u32 size)
{
	char *at = arg;

	memcpy(at + strlen(at), data, size);
	return 0;
}

static void records_are_the_runs_until_they_are_submitted(void)
{
	struct map *map = make_map(MAP_TYPE_RINGBUF, 0, 0, 4096);
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct run run = {.diag = &diag};
	char got[64] = "";
	u64 a, b;

	CHECK_INT(CALL(&run, ringbuf_reserve, ADDR(map), 4, 1), 0);
	a = CALL(&run, ringbuf_reserve, ADDR(map), 4, 0);
	b = CALL(&run, ringbuf_reserve, ADDR(map), 4, 0);
	CHECK(a && b && a != b);
	CHECK_INT(run.records[0].size, 4);
	memcpy((void *)(uintptr_t)a, "one", 4);
	CALL(&run, ringbuf_submit, a, 0);
	CALL(&run, ringbuf_discard, b, 0);
	CHECK_INT(run_end(&run), 0);
	CHECK_INT(CALL(&run, ringbuf_output, ADDR(map), ADDR("two"), 4, 0), 0);
	CHECK_INT(CALL(&run, ringbuf_output, ADDR(map), ADDR("two"), 4, 8), -EINVAL);
	CHECK_INT(CALL(&run, ringbuf_query, ADDR(map), RINGBUF_SIZE), 4096);
	CHECK_INT(ringbuf_drain(map, keep, got), 2);
	CHECK_STR(got, "onetwo");

	CALL(&run, ringbuf_submit, a, 0);
	CHECK_INT(run.err, -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "RECORD_UNKNOWN");
	diag_clear(&diag);
	run.err = 0;
	CALL(&run, ringbuf_reserve, ADDR(map), 4, 0);
	CHECK_INT(run_end(&run), -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "RECORD_LEFT");
	CHECK_INT(run_end(&run), 0);
	CHECK_INT(ringbuf_drain(map, keep, got), 0);
	for (u32 i = 0; i < RUN_RECORDS; i++)
		CHECK(CALL(&run, ringbuf_reserve, ADDR(map), 4, 0));
	CHECK_INT(CALL(&run, ringbuf_reserve, ADDR(map), 4, 0), 0);
	run_end(&run);
	map_put(map);
}

static void rings_are_not_mistaken(void)
{
	static const u32 numbers[] = {BPF_FUNC_ringbuf_output, BPF_FUNC_ringbuf_reserve,
				      BPF_FUNC_ringbuf_query};
	struct map *map = make_map(MAP_TYPE_ARRAY, 4, 8, 1);

	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct skep_diag diag = SKEP_DIAG_INIT;
		struct run run = {.diag = &diag};

		call_body(&run, numbers[i], (u64[5]){ADDR(map), 8, 0, 0});
		CHECK_INT(run.err, -EINVAL);
		CHECK_STR(skep_diag_name(diag.id), "WRONG_MAP");
		run.err = 0;
		CALL(&run, perf_event_output, 0, ADDR(map), 0, ADDR("x"), 1);
		CHECK_INT(run.err, -EINVAL);
	}
	CHECK(!map_prog(map, 0));
	map_put(map);
}

struct sample {
	u8 bytes[8192];
	u32 len;
};

static int keep_sample(void *arg, u32 cpu, const void *data, u32 size)
{
	struct sample *s = arg;

	(void)cpu;
	memcpy(s->bytes, data, size);
	s->len = size;
	return 0;
}

static void perf_samples_carry_the_start_of_the_packet(struct packet *p)
{
	struct map *map = make_map(MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2);
	struct run run = {.packet = p};
	struct sample s = {.len = 0};
	struct perf_event_handler handler = {.sample = keep_sample, .arg = &s};
	u64 here = BPF_F_CURRENT_CPU;
	u8 bytes[6000];

	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 7);
	packet_set_xdp(p, bytes, sizeof(bytes), 1000);
	CHECK_INT(perf_event_open_slot(map, 0), 0);
	CHECK_INT(CALL(&run, perf_event_output, 0, ADDR(map), here | 5500ull << 32,
		       ADDR("meta"), 4),
		  0);
	CHECK_INT(perf_event_drain(map, 0, &handler), 1);
	CHECK(s.len >= 5504 && !memcmp(s.bytes, "meta", 4) &&
	      !memcmp(s.bytes + 4, bytes, 5500));
	CHECK_INT(CALL(&run, perf_event_output, 0, ADDR(map), here | 6001ull << 32,
		       ADDR("meta"), 4),
		  -EFAULT);
	CHECK_INT(CALL(&run, perf_event_output, 0, ADDR(map), here | 1ull << 52, 0, 0),
		  -EINVAL);
	run.packet = NULL;
	CHECK_INT(CALL(&run, perf_event_output, 0, ADDR(map), here | 1ull << 32, 0, 0),
		  -EINVAL);
	CHECK_INT(CALL(&run, perf_event_output, 0, ADDR(map), 1, ADDR("x"), 1), -ENOENT);
	map_put(map);
}

struct caller {
	u64 calls, stop_at, sum;
	int err;
};

static int count_call(struct run *run, u64 func, const u64 args[5], u64 *ret)
{
	struct caller *caller = run->engine;

	(void)func;
	caller->sum += args[0];
	*ret = ++caller->calls == caller->stop_at;
	return caller->calls == caller->stop_at ? caller->err : 0;
}

static void loops_end_when_the_callback_or_the_engine_says_so(void)
{
	struct caller caller = {0};
	struct run run = {.call = count_call, .engine = &caller};
	struct map *map = make_map(MAP_TYPE_ARRAY, 4, 8, 10);

	CHECK_INT(CALL(&run, loop, 10, 1), 10);
	CHECK_INT(caller.sum, 45);
	CHECK_INT(CALL(&run, loop, 0, 1), 0);
	CHECK_INT(CALL(&run, loop, (8 << 20) + 1, 1), -E2BIG);
	CHECK_INT(CALL(&run, loop, 1, 1, 0, 1), -EINVAL);
	caller = (struct caller){.stop_at = 4};
	CHECK_INT(CALL(&run, loop, 10, 1), 4);
	caller = (struct caller){.stop_at = 3};
	CHECK_INT(CALL(&run, for_each_map_elem, ADDR(map), 1), 3);
	CHECK_INT(CALL(&run, for_each_map_elem, ADDR(map), 1, 0, 1), -EINVAL);
	caller = (struct caller){.stop_at = 2, .err = -ETIMEDOUT};
	CALL(&run, for_each_map_elem, ADDR(map), 1);
	CHECK_INT(caller.calls, 2);
	CHECK_INT(run.err, -ETIMEDOUT);
	map_put(map);
}

static void a_run_holds_one_lock_and_never_leaves_it(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct run run = {.diag = &diag};
	u32 lock = 0, other = 0;

	CALL(&run, spin_lock, ADDR(&lock));
	CHECK(lock && run.lock == &lock);
	CALL(&run, spin_unlock, ADDR(&lock));
	CHECK(!lock && !run.err);
	CALL(&run, spin_lock, ADDR(&lock));
	CALL(&run, spin_lock, ADDR(&other));
	CHECK_INT(run.err, -EDEADLK);
	CHECK_STR(skep_diag_name(diag.id), "LOCK_HELD_TWICE");
	CHECK(!other);
	diag_clear(&diag);
	CHECK_INT(run_end(&run), -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "LOCK_LEFT");
	CHECK(!lock);
	diag_clear(&diag);
	CALL(&run, spin_unlock, ADDR(&lock));
	CHECK_STR(skep_diag_name(diag.id), "LOCK_NOT_HELD");
}

static void both_directions_of_a_flow_hash_alike(struct packet *p)
{
	u8 frame[60] = {2,  [12] = 8, [14] = 0x45, [23] = 6, [26] = 10, 0,  0, 1,
			10, 0,        0,           2,        0,         80, 1, 1},
	   back[60];
	struct skb_origin origin = {0};
	struct __sk_buff ctx;
	struct run run = {.packet = p, .ctx = &ctx};
	u64 there;

	memcpy(back, frame, sizeof(back));
	memcpy(back + 26, frame + 30, 4);
	memcpy(back + 30, frame + 26, 4);
	memcpy(back + 34, frame + 36, 2);
	memcpy(back + 36, frame + 34, 2);
	packet_set_skb(p, frame, sizeof(frame), sizeof(frame));
	skb_ctx_init(&ctx, p, &origin);
	there = CALL(&run, get_hash_recalc, ADDR(&ctx));
	CHECK(there && ctx.hash == there);
	packet_set_skb(p, back, sizeof(back), sizeof(back));
	skb_ctx_init(&ctx, p, &origin);
	CHECK_INT(CALL(&run, get_hash_recalc, ADDR(&ctx)), there);
	back[37]++;
	packet_set_skb(p, back, sizeof(back), sizeof(back));
	skb_ctx_init(&ctx, p, &origin);
	CHECK(CALL(&run, get_hash_recalc, ADDR(&ctx)) != there);
}

static void fragments_become_linear_when_written(struct packet *p)
{
	u8 bytes[3000] = {2, [12] = 8}, want[3000];
	struct skb_origin origin = {0};
	struct __sk_buff ctx;
	struct run run = {.packet = p, .ctx = &ctx};

	packet_set_skb(p, bytes, sizeof(bytes), 40);
	CHECK_INT(skb_ctx_init(&ctx, p, &origin), 0);
	CHECK_INT(ctx.data_end - ctx.data, 40);
	CHECK_INT(CALL(&run, skb_store_bytes, ADDR(&ctx), 1000, ADDR("abcd"), 4), 0);
	CHECK_INT(ctx.data_end - ctx.data, 1004);
	CHECK_INT(ctx.len, 3000);
	CHECK_INT(CALL(&run, skb_load_bytes, ADDR(&ctx), 2999, ADDR(want), 1), 0);
	CHECK_INT(CALL(&run, skb_load_bytes_relative, ADDR(&ctx), 1004, ADDR(want), 1, 0),
		  -EFAULT); /* only the linear part */
	CHECK_INT(CALL(&run, skb_pull_data, ADDR(&ctx), 3001), -ENOMEM);
	CHECK_INT(CALL(&run, skb_pull_data, ADDR(&ctx), 3000), 0);
	CHECK_INT(ctx.data_end - ctx.data, 3000);
	memcpy(want, bytes, sizeof(want));
	memcpy(want + 1000, "abcd", 4);
	CHECK(!memcmp(p->data, want, sizeof(want)));
}

static void gso_sizes_follow_the_headers(struct packet *p)
{
	u8 bytes[600] = {2, [12] = 8, [14] = 0x45, [23] = 6};
	struct skb_origin origin = {.gso_size = 500, .gso_segs = 2};
	struct __sk_buff ctx;
	struct run run = {.packet = p, .ctx = &ctx};

	packet_set_skb(p, bytes, sizeof(bytes), sizeof(bytes));
	skb_ctx_init(&ctx, p, &origin);
	CHECK_INT(CALL(&run, skb_adjust_room, ADDR(&ctx), 20, BPF_ADJ_ROOM_MAC), 0);
	CHECK_INT(ctx.gso_size, 480);
	CHECK_INT(ctx.gso_segs, 0);
	CHECK_INT(CALL(&run, skb_change_tail, ADDR(&ctx), 100), 0);
	CHECK_INT(ctx.gso_size, 0);
	bytes[23] = 17; /* UDP: datagrams keep their size, unless the caller insists */
	packet_set_skb(p, bytes, sizeof(bytes), sizeof(bytes));
	skb_ctx_init(&ctx, p, &origin);
	CHECK_INT(CALL(&run, skb_adjust_room, ADDR(&ctx), 20, BPF_ADJ_ROOM_MAC), -524);
	CHECK_INT(CALL(&run, skb_adjust_room, ADDR(&ctx), 20, BPF_ADJ_ROOM_MAC,
		       BPF_F_ADJ_ROOM_FIXED_GSO),
		  0);
	CHECK_INT(ctx.gso_size, 500);
}

static u32 cloned_to;

static void note_clone(struct run *run, u32 ifindex, u64 flags)
{
	(void)run;
	(void)flags;
	cloned_to = ifindex;
}

static void redirects_are_noted(void)
{
	struct prog xdp = {.type = BPF_PROG_TYPE_XDP},
		    tc = {.type = BPF_PROG_TYPE_SCHED_CLS};
	struct run run = {.prog = &xdp};

	CHECK_INT(CALL(&run, redirect, 4, 0), XDP_REDIRECT);
	CHECK_INT(run.redirect.ifindex, 4);
	CHECK_INT(run.redirect.helper, BPF_FUNC_redirect);
	run.prog = &tc;
	CHECK_INT(CALL(&run, redirect, 5, BPF_F_INGRESS), TC_ACT_REDIRECT);
	CHECK_INT(run.redirect.flags, BPF_F_INGRESS);
	CHECK_INT(CALL(&run, redirect_peer, 6, 0), TC_ACT_REDIRECT);
	CHECK_INT(CALL(&run, redirect_peer, 7, 1), TC_ACT_SHOT);
	CHECK_INT(run.redirect.ifindex, 6);
	CHECK_INT(CALL(&run, clone_redirect, 0, 8, 0), 0);
	CHECK_INT(run.clones, 1);
	run.clone = note_clone;
	CHECK_INT(CALL(&run, clone_redirect, 0, 9, 0), 0);
	CHECK_INT(cloned_to, 9);
	CHECK_INT(CALL(&run, clone_redirect, 0, 8, 2), -EINVAL);
}

static void nobody_owns_a_captured_packet(void)
{
	struct bpf_fib_lookup fib = {.family = 2, .ifindex = 1};
	struct run run = {0};

	CHECK_INT(CALL(&run, get_socket_cookie), 0);
	CHECK_INT(CALL(&run, get_socket_uid), 65534);
	CHECK_INT(CALL(&run, sk_lookup_tcp), 0);
	CHECK_INT(CALL(&run, fib_lookup, 0, ADDR(&fib), sizeof(fib), 0), 4);
	CHECK_INT(CALL(&run, fib_lookup, 0, ADDR(&fib), sizeof(fib) - 1, 0), -EINVAL);
	fib.family = 99;
	CHECK_INT(CALL(&run, fib_lookup, 0, ADDR(&fib), sizeof(fib), 0), -EAFNOSUPPORT);
}

static void keep_text(void *arg, const char *text, u32 len)
{
	snprintf(arg, 64, "%.*s", (int)len, text);
}

static void printing_goes_to_whoever_watches(void)
{
	struct world_script w;
	struct run run = {.world = &w.world};
	char seen[64] = "";
	u64 args[] = {ADDR("abc")};

	world_script_init(&w);
	CHECK_INT(CALL(&run, trace_printk, ADDR("x=%d"), 5, 7), 3); /* nobody watches */
	w.sink = keep_text;
	w.sink_arg = seen;
	CHECK_INT(CALL(&run, trace_printk, ADDR("x=%d %s\n"), 9, (u64)-7, ADDR("abc")),
		  9);
	CHECK_STR(seen, "x=-7 abc\n");
	CHECK_INT(CALL(&run, trace_vprintk, ADDR("[%5s]"), 6, ADDR(args), 8), 7);
	CHECK_STR(seen, "[  abc]");
	CHECK_INT(CALL(&run, trace_printk, ADDR("x=%f"), 5), -EINVAL);
	CHECK_INT(CALL(&run, trace_printk, ADDR("abc"), 3), -EINVAL); /* no NUL */
	CHECK_STR(seen, "[  abc]");
}

int main(void)
{
	struct packet p;

	if (!CHECK(!packet_init(&p, NULL)))
		return check_report();
	what_is_not_offered_has_no_body();
	packets_are_not_made_up();
	the_world_answers();
	probe_reads_stop_where_memory_stops();
	maps_are_asked_for_this_cpu();
	records_are_the_runs_until_they_are_submitted();
	rings_are_not_mistaken();
	perf_samples_carry_the_start_of_the_packet(&p);
	loops_end_when_the_callback_or_the_engine_says_so();
	a_run_holds_one_lock_and_never_leaves_it();
	both_directions_of_a_flow_hash_alike(&p);
	fragments_become_linear_when_written(&p);
	gso_sizes_follow_the_headers(&p);
	redirects_are_noted();
	nobody_owns_a_captured_packet();
	printing_goes_to_whoever_watches();
	packet_fini(&p);
	return check_report();
}
