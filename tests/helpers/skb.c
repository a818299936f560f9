/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers on socket buffers agree with Linux: random sequences of calls with sensible and
 * senseless arguments on random packets.
 */
#include <stdlib.h>

#include "abi/abi.h"
#include "check.h"
#include "kernel.h"
#include "oracle.h"

static void fill(u8 *at, u32 len)
{
	for (u32 i = 0; i < len; i++)
		at[i] = (u8)pick(256);
}

/* An Ethernet header with 0 to 2 tags and one of several protocols. */
static void make_packet(struct oracle_case *c)
{
	static const u8 types[][2] = {{8, 0}, {8, 0},  {0x86, 0xdd}, {0x86, 0xdd},
				      {8, 6}, {0, 40}, {0x81, 0},    {0x88, 0xa8}};
	u8 *at = c->packet + 12;

	c->packet_len = 64 + pick(pick(4) ? 200 : 1400);
	fill(c->packet, c->packet_len);
	if (pick(2))
		memset(c->packet, PICK(0, 0xff), 6);
	if (!pick(8))
		memset(c->packet + 14, 0xff, 2);
	for (u32 tags = pick(8) < 5 ? 0 : 1 + pick(2); tags; tags--, at += 4)
		memcpy(at, pick(2) ? "\x81\x00" : "\x88\xa8", 2);
	memcpy(at, types[pick(ARRAY_SIZE(types))], 2);
}

static struct oracle_arg number(u64 n)
{
	return (struct oracle_arg){NUMBER, n};
}

static struct oracle_arg memory(u64 n)
{
	return (struct oracle_arg){MEMORY, n};
}

static const struct oracle_arg ctx = {CONTEXT, 0};

static u32 offset(const struct oracle_case *c)
{
	return pick(8) ? pick(c->packet_len + 8)
		       : (u32)PICK(0, 0xffff, 0x10000, 0x7fffffff, 0x80000000, -1);
}

static struct oracle_call load_bytes(const struct oracle_case *c)
{
	return (struct oracle_call){
		BPF_FUNC_skb_load_bytes,
		{ctx, number(offset(c)), memory(pick(64)), number(1 + pick(64))}};
}

static struct oracle_call load_relative(const struct oracle_case *c)
{
	return (struct oracle_call){BPF_FUNC_skb_load_bytes_relative,
				    {ctx, number(offset(c)), memory(pick(64)),
				     number(1 + pick(64)), number(pick(3))}};
}

static struct oracle_call store_bytes(const struct oracle_case *c)
{
	return (struct oracle_call){BPF_FUNC_skb_store_bytes,
				    {ctx, number(offset(c)), memory(pick(64)),
				     number(1 + pick(64)), number(pick(5))}};
}

static struct oracle_call pull(const struct oracle_case *c)
{
	return (struct oracle_call){BPF_FUNC_skb_pull_data, {ctx, number(offset(c))}};
}

static struct oracle_call l3_csum(const struct oracle_case *c)
{
	bool by_diff = !pick(3);

	return (struct oracle_call){
		BPF_FUNC_l3_csum_replace,
		{ctx, number(offset(c) & -(u64)(1 + !!pick(4))),
		 number(by_diff && pick(4) ? 0 : (u64)PICK(0, 0xffff, -1, 0x1234)),
		 number((u64)PICK(0, 0xffff, 0xffffffff, 0x12345678, 0x8000, 7)),
		 number(by_diff ? 0 : (u64)PICK(2, 4, 2, 4, 3, 8, 16))}};
}

static struct oracle_call l4_csum(const struct oracle_case *c)
{
	bool by_diff = !pick(3);
	u64 flags = by_diff ? 0 : (u64)PICK(2, 4, 2, 4, 3, 8);

	flags |= (u64)PICK(0, 0x10, 0x20, 0x40, 0x50, 0x60, 0x80, 0x100, 0x30);
	return (struct oracle_call){
		BPF_FUNC_l4_csum_replace,
		{ctx, number(offset(c) & -(u64)(1 + !!pick(4))),
		 number(by_diff && pick(4) ? 0 : (u64)PICK(0, 0xffff, -1, 0x1234)),
		 number((u64)PICK(0, 0xffff, 0xffffffff, 0x12345678, 0x8000, 7)),
		 number(flags)}};
}

static struct oracle_call csum_diff(const struct oracle_case *c)
{
	u32 from = pick(3) ? 4 * pick(20) : 0, to = pick(3) ? 4 * pick(20) : 0;

	(void)c;
	if (!pick(4))
		from += pick(4);
	if (!pick(4))
		to += pick(4);
	return (struct oracle_call){BPF_FUNC_csum_diff,
				    {from ? memory(4 * pick(32)) : number(0),
				     number(from), to ? memory(4 * pick(32)) : number(0),
				     number(to),
				     number((u32)PICK(0, -1, 1, 0xffff, 0x12345678))}};
}

static struct oracle_call csum_level(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){BPF_FUNC_csum_level, {ctx, number(pick(5))}};
}

static struct oracle_call csum_update(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){BPF_FUNC_csum_update, {ctx, number(pick(1000))}};
}

static struct oracle_call change_tail(const struct oracle_case *c)
{
	return (struct oracle_call){
		BPF_FUNC_skb_change_tail,
		{ctx,
		 number(pick(4) ? pick(c->packet_len + 300)
				: (u32)PICK(0, 13, 14, 16064, 16065, -1, 3000)),
		 number(!pick(10))}};
}

static struct oracle_call change_head(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){
		BPF_FUNC_skb_change_head,
		{ctx, number(pick(4) ? pick(300) : (u32)PICK(0, 14, 16064, 15900, 3000)),
		 number(!pick(10))}};
}

static struct oracle_call change_type(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){BPF_FUNC_skb_change_type, {ctx, number(pick(6))}};
}

static u16 swap(u64 v)
{
	return __builtin_bswap16((u16)v);
}

static struct oracle_call change_proto(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){
		BPF_FUNC_skb_change_proto,
		{ctx, number(swap((u64)PICK(0x800, 0x86dd, 0x800, 0x86dd, 0x806))),
		 number(!pick(10))}};
}

static struct oracle_call adjust_room(const struct oracle_case *c)
{
	u64 flags = 0;

	(void)c;
	for (u32 n = pick(4); n; n--)
		flags |= 1ull << pick(pick(8) ? 9 : 11);
	if (!pick(3))
		flags |= (u64)pick(30) << 56;
	return (struct oracle_call){
		BPF_FUNC_skb_adjust_room,
		{ctx,
		 number((u64)(s64)(s32)(pick(4) ? (s32)pick(120) - 60
						: PICK(0, 14, 20, 40, 0xfff, 0x1000,
						       -0xfff, -0x1000, -20, -40, -14))),
		 number(pick(10) ? pick(2) : 2), number(flags)}};
}

static struct oracle_call vlan_push(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){
		BPF_FUNC_skb_vlan_push,
		{ctx, number(swap((u64)PICK(0x8100, 0x88a8, 0x800, 0x8100))),
		 number(pick(0x10000))}};
}

static struct oracle_call vlan_pop(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){BPF_FUNC_skb_vlan_pop, {ctx}};
}

static struct oracle_call set_hash(const struct oracle_case *c)
{
	(void)c;
	return pick(2) ? (struct oracle_call){BPF_FUNC_set_hash, {ctx, number(pick(99))}}
		       : (struct oracle_call){BPF_FUNC_set_hash_invalid, {ctx}};
}

static struct oracle_call redirect(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){
		BPF_FUNC_redirect,
		{number(1), number((u64)PICK(0, 1, 2, 4, 8, 1 << 30))}};
}

static struct oracle_call redirect_neigh(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){BPF_FUNC_redirect_neigh,
				    {number(1), memory(0),
				     number((u64)PICK(4, 19, 20, 21)), number(!pick(4))}};
}

static struct oracle_call set_tstamp(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){
		BPF_FUNC_skb_set_tstamp,
		{ctx, number((u64)PICK(0, 1, 0x123456789a)), number(pick(4))}};
}

static u32 key_size(void)
{
	return (u32)PICK(44, 44, 44, 8, 24, 26, 28, 27);
}

static struct oracle_call set_tunnel_key(const struct oracle_case *c)
{
	u64 flags = (u64)PICK(0, 0, 1, 2, 4, 8, 16, 31, 32);

	(void)c;
	/* offset 300: labels and extensions are zero there */
	return (struct oracle_call){
		BPF_FUNC_skb_set_tunnel_key,
		{ctx, memory(PICK(300, 300, 0)), number(key_size()), number(flags)}};
}

static struct oracle_call get_tunnel_key(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){BPF_FUNC_skb_get_tunnel_key,
				    {ctx, memory(400), number(key_size()),
				     number((u64)PICK(0, 0, 1, 16, 17, 2))}};
}

static struct oracle_call tunnel_opt(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){pick(2) ? BPF_FUNC_skb_set_tunnel_opt
					    : BPF_FUNC_skb_get_tunnel_opt,
				    {ctx, memory(600 - 300 * pick(2)),
				     number((u64)PICK(4, 8, 6, 252, 256, 100))}};
}

static struct oracle_call (*const tunnel_makers[])(const struct oracle_case *) = {
	set_tunnel_key, set_tunnel_key, get_tunnel_key,
	get_tunnel_key, tunnel_opt,     tunnel_opt,
};

static struct oracle_call check_mtu(const struct oracle_case *c)
{
	(void)c;
	/* memory[320] holds the length that is asked for, 0 for the packet's */
	return (struct oracle_call){
		BPF_FUNC_check_mtu,
		{ctx,
		 number(pick(2)),
		 {MEMORY, 320},
		 number((u64)PICK(0, 1, -1, 65000, 70000, INT32_MAX, INT32_MIN)),
		 number((u64)PICK(0, 0, 0, 1, 2))}};
}

static struct oracle_call (*const makers[])(const struct oracle_case *) = {
	load_bytes,   load_relative,  store_bytes, pull,        l3_csum,     l4_csum,
	csum_diff,    csum_level,     csum_update, change_tail, change_head, change_type,
	change_proto, adjust_room,    adjust_room, vlan_push,   vlan_pop,    set_hash,
	redirect,     redirect_neigh, set_tstamp,  check_mtu,
};

/*
 * The kernel's test runs do not set the transport header, and moving such an skb to a
 * larger buffer turns "not set" into a position that change_tail then respects.  Packets
 * that were received always have it set.
 */
enum { SPARE_ROOM = 64 };

static u32 growth(const struct oracle_call *call)
{
	s32 n = (s32)call->args[1].n;

	if (call->helper == BPF_FUNC_skb_vlan_push)
		return 4;
	if (call->helper == BPF_FUNC_skb_change_proto)
		return 20;
	if (call->helper != BPF_FUNC_skb_adjust_room &&
	    call->helper != BPF_FUNC_skb_change_head)
		return 0;
	return n > 0 ? (u32)n : 0;
}

static void make_case(struct oracle_case *c)
{
	bool tunnel = !pick(8);

	make_packet(c);
	c->type = BPF_PROG_TYPE_SCHED_CLS;
	c->gso_size = pick(10) ? 0 : 1000;
	c->gso_segs = c->gso_size ? 2 : 0;
	fill(c->memory, 256);
	if (!pick(4))
		memset(c->memory, PICK(0, 0xff), 256);
	fill(c->memory + 300, 20);
	memset(c->memory + 320, 0, 4);
	if (!pick(4))
		store_u32(c->memory + 320, (u32)PICK(1, 65535, 65536, 65537, -1));
	c->n_calls = 1 + pick(4);
	for (u32 i = 0, grown = 0; i < c->n_calls; i++) {
		struct oracle_call *call = &c->calls[i];

		*call = tunnel ? tunnel_makers[pick(ARRAY_SIZE(tunnel_makers))](c)
			       : makers[pick(ARRAY_SIZE(makers))](c);
		if (call->helper == BPF_FUNC_skb_change_tail && grown > SPARE_ROOM)
			*call = pull(c);
		/* before, it gave all 32 bits of the sum and wanted sizes in words */
		if (call->helper == BPF_FUNC_csum_diff &&
		    kernel_version() < ABI_LINUX(6, 13))
			*call = csum_level(c);
		grown += growth(call);
	}
}

int main(int argc, char **argv)
{
	static struct oracle_case c;
	int rounds = argc > 1 ? atoi(argv[1]) : 1500;

	oracle_or_skip();
	if (kernel_version() < ABI_LINUX(6, 12)) {
		printf("skipped: before 6.12 these helpers differ (docs/lab.md)\n");
		return KERNEL_SKIP;
	}
	for (int i = 0; i < rounds && check_failed < 10; i++) {
		make_case(&c);
		CHECK(oracle_agrees(&c));
	}
	return check_report();
}
