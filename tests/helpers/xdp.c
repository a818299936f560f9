/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Helpers on XDP frames agree with Linux, in one piece and in fragments.
 */
#include <stdlib.h>

#include "check.h"
#include "oracle.h"

static struct oracle_arg number(s64 n)
{
	return (struct oracle_arg){NUMBER, (u64)n};
}

static const struct oracle_arg ctx = {CONTEXT, 0};

static struct oracle_call adjust_head(const struct oracle_case *c)
{
	s64 offset = pick(4) ? (s64)pick(300) - 250 : (s64)pick(c->packet_len) - 100;

	return (struct oracle_call){
		BPF_FUNC_xdp_adjust_head,
		{ctx, number(pick(8) ? offset
				     : PICK(0, -216, -217, -256, INT32_MAX, INT32_MIN))}};
}

static struct oracle_call adjust_meta(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){
		BPF_FUNC_xdp_adjust_meta,
		{ctx, number(pick(2) ? -4 * (s64)pick(70)
				     : PICK(0, -1, 4, 8, 1, -32, -216, -220, -252, -256,
					    INT32_MIN, INT32_MAX))}};
}

static struct oracle_call adjust_tail(const struct oracle_case *c)
{
	s64 offset = (s64)pick(c->packet_len + 200) - (s64)c->packet_len;

	return (struct oracle_call){
		BPF_FUNC_xdp_adjust_tail,
		{ctx, number(pick(8) ? offset
				     : PICK(0, 3460, 3461, 4096, 2000, INT32_MAX,
					    INT32_MIN + 1, 14 - (s64)c->packet_len,
					    13 - (s64)c->packet_len))}};
}

static struct oracle_call load_bytes(const struct oracle_case *c)
{
	u32 off = pick(8) ? pick(c->packet_len + 4) : (u32)PICK(0xffff, 0x10000, -1);

	return (struct oracle_call){
		pick(2) ? BPF_FUNC_xdp_load_bytes : BPF_FUNC_xdp_store_bytes,
		{ctx, number(off), {MEMORY, pick(64)}, number(1 + (s64)pick(64))}};
}

static struct oracle_call buff_len(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){BPF_FUNC_xdp_get_buff_len, {ctx}};
}

static struct oracle_call redirect(const struct oracle_case *c)
{
	(void)c;
	return (struct oracle_call){BPF_FUNC_redirect,
				    {number(1), number(PICK(0, 1, 2))}};
}

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
	adjust_head, adjust_meta, adjust_tail, adjust_tail,
	load_bytes,  buff_len,    redirect,    check_mtu,
};

static void make_case(struct oracle_case *c)
{
	c->type = BPF_PROG_TYPE_XDP;
	c->frags = !pick(3);
	c->packet_len = c->frags ? 3000 + pick(pick(2) ? 2000 : 40000) : 14 + pick(1600);
	for (u32 i = 0; i < c->packet_len; i++)
		c->packet[i] = (u8)pick(256);
	for (u32 i = 0; i < 256; i++)
		c->memory[i] = (u8)pick(256);
	memset(c->memory + 320, 0, 4);
	if (!pick(4))
		store_u32(c->memory + 320, (u32)PICK(1, 65535, 65536, 65537, -1));
	c->n_calls = 1 + pick(5);
	for (u32 i = 0; i < c->n_calls; i++)
		c->calls[i] = makers[pick(ARRAY_SIZE(makers))](c);
}

int main(int argc, char **argv)
{
	static struct oracle_case c;
	int rounds = argc > 1 ? atoi(argv[1]) : 1000;

	oracle_or_skip();
	for (int i = 0; i < rounds && check_failed < 10; i++) {
		make_case(&c);
		CHECK(oracle_agrees(&c));
	}
	return check_report();
}
