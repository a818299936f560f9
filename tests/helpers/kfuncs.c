/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kfuncs where no kernel can be asked: the scripted world, runs that must end, packets in
 * pieces.  What the kernel can be asked: tests/cases/exec/.
 */
#include <errno.h>
#include <stdlib.h>

#include "abi/abi.h"
#include "base/bytes.h"
#include "base/diag.h"
#include "check.h"
#include "helpers/helpers.h"
#include "prog/prog.h"
#include "world/contexts.h"
#include "world/packet.h"
#include "world/world.h"

#define CALL(run, name, ...) call_body(run, KFUNC_##name, (u64[5]){__VA_ARGS__})
#define ADDR(p)              ((u64)(uintptr_t)(p))

static u64 call_body(struct run *run, enum abi_kfunc_id id, const u64 a[5])
{
	helper_fn body = helper_body(abi_kfunc_number(id));

	return CHECK(body != NULL) ? body(run, a[0], a[1], a[2], a[3], a[4]) : 0;
}

/* Memory of no round size at no round address. */
static void strings_of_the_script_are_read(void)
{
	static const struct world_memory memory[] = {
		{.addr = 0x10005, .bytes = "hello", .len = 6},
		{.addr = 0x20001, .bytes = "lo", .len = 3},
		{.addr = 0x30000, .bytes = "hel", .len = 3},
	};
	struct world_script w;
	struct run run = {.world = &w.world};

	world_script_init(&w);
	w.memory = memory;
	w.n_memory = ARRAY_SIZE(memory);
	CHECK_INT(CALL(&run, bpf_strlen, 0x10005), 5);
	CHECK_INT(CALL(&run, bpf_strstr, 0x10005, 0x20001), 3);
	CHECK_INT(CALL(&run, bpf_strcspn, 0x10005, 0x20001), 2);
	CHECK_INT(CALL(&run, bpf_strchr, 0x30000, 'l'), 2);
	CHECK_INT(CALL(&run, bpf_strlen, 0x30000), (u32)-EFAULT);
	CHECK_INT(CALL(&run, bpf_strcmp, 0x10005, 0x30000), (u32)-EFAULT);
}

static u64 left;

static void spend(struct run *run, u64 steps)
{
	left -= min_u64(left, steps);
	if (!left)
		run->err = -ETIMEDOUT;
}

/* Nearly for ever: a long string that is nearly everywhere in another. */
static void a_run_that_must_end_reads_no_more(void)
{
	enum { LONG = 65535, PART = 32768 };
	char *all = calloc(1, LONG + 1), *part = calloc(1, PART + 1);
	struct world_script w;
	struct run run = {.world = &w.world, .spend = spend};

	world_script_init(&w);
	if (all && part) {
		memset(all, 'a', LONG);
		memset(part, 'a', PART - 1);
		part[PART - 1] = 'b';
		left = 100000;
		CALL(&run, bpf_strstr, ADDR(all), ADDR(part));
		CHECK_INT(run.err, -ETIMEDOUT);
		run = (struct run){.world = &w.world, .err = -ETIMEDOUT};
		CALL(&run, bpf_strstr, ADDR(all), ADDR(part)); /* the watchdog's */
		run = (struct run){.world = &w.world, .spend = spend};
		left = 200000; /* one that only looks long */
		memset(part, 'b', PART - 1);
		part[PART - 1] = 'a';
		CHECK_INT(CALL(&run, bpf_strspn, ADDR(all), ADDR(part)), LONG);
		CHECK_INT(run.err, 0);
	}
	free(all);
	free(part);
}

/* Half of the packet is in fragments. */
static void packets_in_pieces_are_copied(struct packet *p)
{
	struct prog tc = {.type = PROG_TYPE_SCHED_CLS};
	struct skb_origin origin = {0};
	u64 dynptr[2], memory[2];
	u8 bytes[2000], copy[1000];
	struct __sk_buff ctx;
	struct run run = {.packet = p, .ctx = &ctx, .prog = &tc};
	helper_fn from_mem = helper_body(BPF_FUNC_dynptr_from_mem);

	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i ^ i >> 8);
	packet_set_skb(p, bytes, sizeof(bytes), 1000);
	CHECK_INT(skb_ctx_init(&ctx, p, &origin), 0);
	CHECK_INT(CALL(&run, bpf_dynptr_from_skb, ADDR(&ctx), 0, ADDR(dynptr)), 0);
	from_mem(&run, ADDR(copy), sizeof(copy), 0, ADDR(memory), 0);
	CHECK_INT(CALL(&run, bpf_dynptr_copy, ADDR(memory), 0, ADDR(dynptr), 500, 1000),
		  0);
	CHECK(!memcmp(copy, bytes + 500, sizeof(copy)));
	CHECK_INT(CALL(&run, bpf_dynptr_copy, ADDR(dynptr), 900, ADDR(memory), 0, 1000),
		  0);
	CHECK_INT(CALL(&run, bpf_dynptr_copy, ADDR(memory), 0, ADDR(dynptr), 900, 1000),
		  0);
	CHECK(!memcmp(copy, bytes + 500, sizeof(copy)));
	/* forward, from where it was linear to where it is not */
	CHECK_INT(CALL(&run, bpf_dynptr_copy, ADDR(dynptr), 0, ADDR(dynptr), 900, 1100),
		  0);
}

/* A forged one, which says that the packet is another program's. */
static void packets_of_others_are_not_reached(struct packet *p)
{
	struct prog xdp = {.type = PROG_TYPE_XDP};
	u64 dynptr[2] = {ADDR(p), 3ull << 28 | 14}, xdp_dynptr[2];
	u8 bytes[64] = {7};
	struct xdp_md ctx;
	struct run run = {.packet = p, .ctx = &ctx, .prog = &xdp};

	packet_set_xdp(p, bytes, sizeof(bytes), sizeof(bytes));
	CHECK_INT(CALL(&run, bpf_dynptr_memset, ADDR(dynptr), 0, 4, 1), (u32)-EINVAL);
	CHECK_INT(CALL(&run, bpf_dynptr_slice, ADDR(dynptr), 0, 0, 4), 0);
	CHECK_INT(CALL(&run, bpf_dynptr_from_xdp, ADDR(&ctx), 0, ADDR(xdp_dynptr)), 0);
	CHECK(CALL(&run, bpf_dynptr_slice, ADDR(xdp_dynptr), 0, 0, 4) != 0);
	CHECK_INT(p->data[0], 7);
}

/* ---- bits ---- */

/* A state as the program has it, and as somebody may have written it. */
struct bits {
	u64 where;
	s32 n, current;
};

static void states_that_were_forged_lead_nowhere(void)
{
	static const u64 words[2] = {0, 5};
	struct bits bits[] = {{0xdead0000, 128, -1}, {0xdead0000, 128, -100}, {1, 64, -7},
			      {1, -64, -1},          {1, 64, INT32_MAX},      {1, 1, -1}};
	struct bits good;
	struct world_real w;
	struct run run = {.world = &w.world};

	world_real_init(&w);
	for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
		CHECK_INT(CALL(&run, bpf_iter_bits_next, ADDR(&bits[i])), 0);
		CALL(&run, bpf_iter_bits_destroy, ADDR(&bits[i]));
	}
	CHECK_INT(CALL(&run, bpf_iter_bits_new, ADDR(&good), ADDR(words), 2), 0);
	good.n = 511 * 64;
	CHECK_INT(CALL(&run, bpf_iter_bits_next, ADDR(&good)), ADDR(&good.current));
	CHECK_INT(good.current, 64);
	CHECK_INT(CALL(&run, bpf_iter_bits_next, ADDR(&good)), ADDR(&good.current));
	CHECK_INT(good.current, 66);
	CHECK_INT(CALL(&run, bpf_iter_bits_next, ADDR(&good)), 0);
	CHECK(run_holds(&run));
	CALL(&run, bpf_iter_bits_destroy, ADDR(&good));
	CHECK(!run_holds(&run));
}

static void iterators_that_are_left_are_the_runs(void)
{
	static const u64 words[511];
	struct world_real w;
	struct run run = {.world = &w.world};
	struct bits bits;
	u32 n = 0;

	world_real_init(&w);
	CHECK_INT(CALL(&run, bpf_iter_bits_new, ADDR(&bits), 4096, 2), (u32)-EFAULT);
	CHECK(!run_holds(&run));
	while (n < 1000 && !CALL(&run, bpf_iter_bits_new, ADDR(&bits), ADDR(words), 511))
		n++;
	CHECK_INT(n, 256);
	CHECK_INT(run_end(&run), 0);
	CHECK(!run_holds(&run));
}

/* ---- locks ---- */

static void locks_of_others_are_not_waited_for_long(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct run run = {.diag = &diag};
	u32 others = 1, mine = 0;
	u64 flags;

	CHECK_INT(CALL(&run, bpf_res_spin_lock, ADDR(&others)), (u32)-ETIMEDOUT);
	CHECK_INT(CALL(&run, bpf_res_spin_lock_irqsave, ADDR(&mine), ADDR(&flags)), 0);
	CHECK_INT(CALL(&run, bpf_res_spin_lock, ADDR(&mine)), (u32)-EDEADLK);
	run.err = -ETIMEDOUT;
	CHECK_INT(CALL(&run, bpf_res_spin_lock, ADDR(&others)), (u32)-ETIMEDOUT);
	run.err = 0;
	CHECK(mine == 1 && others == 1 && run_holds(&run));
	CHECK_INT(run_end(&run), -EINVAL);
	CHECK_STR(skep_diag_name(diag.id), "LOCK_LEFT");
	CHECK(mine == 0 && others == 1 && !run_holds(&run));
}

int main(void)
{
	struct packet p;

	if (!CHECK(!packet_init(&p, NULL)))
		return check_report();
	strings_of_the_script_are_read();
	a_run_that_must_end_reads_no_more();
	states_that_were_forged_lead_nowhere();
	iterators_that_are_left_are_the_runs();
	locks_of_others_are_not_waited_for_long();
	packets_in_pieces_are_copied(&p);
	packets_of_others_are_not_reached(&p);
	packet_fini(&p);
	return check_report();
}
