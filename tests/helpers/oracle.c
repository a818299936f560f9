/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two sides of an oracle case, and their comparison.
 */
#include "oracle.h"

#include <linux/if_packet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "helpers/helpers.h"
#include "kernel.h"
#include "prog/prog.h"
#include "world/contexts.h"
#include "world/packet.h"
#include "world/world.h"

u32 pick(u32 n)
{
	static u64 state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return (u32)(state >> 33) % n;
}

/* ---- the kernel ---- */

enum { CODE_INSNS = 512, FRAGS_FLAG = 1 << 5 };

/* The value of the kernel's map. */
struct shared {
	u64 r0[ORACLE_CALLS];
	u32 fields[ORACLE_FIELDS];
	u8 memory[ORACLE_MEMORY];
};

struct code {
	struct bpf_insn insns[CODE_INSNS];
	u32 n;
	int shared, text; /* descriptors of the maps */
};

static void emit(struct code *code, struct bpf_insn insn)
{
	code->insns[code->n++] = insn;
}

static void emit_lddw(struct code *code, u8 dst, u8 src, u64 value)
{
	emit(code,
	     (struct bpf_insn){
		     .code = 0x18, .dst_reg = dst, .src_reg = src, .imm = (s32)value});
	emit(code, (struct bpf_insn){.imm = (s32)(value >> 32)});
}

static void emit_mov(struct code *code, u8 dst, u8 src)
{
	emit(code, (struct bpf_insn){.code = 0xbf, .dst_reg = dst, .src_reg = src});
}

static void emit_store(struct code *code, u8 size_code, u8 src, size_t off)
{
	emit(code, (struct bpf_insn){.code = (u8)(0x63 | size_code),
				     .dst_reg = 9,
				     .src_reg = src,
				     .off = (s16)off});
}

static void emit_address(struct code *code, u8 reg, int map, size_t off)
{
	emit_lddw(code, reg, BPF_PSEUDO_MAP_VALUE, (u64)off << 32 | (u32)map);
}

static void emit_arg(struct code *code, u8 reg, const struct oracle_arg *arg)
{
	switch (arg->kind) {
	case NUMBER: emit_lddw(code, reg, 0, arg->n); break;
	case CONTEXT: emit_mov(code, reg, 6); break;
	case MEMORY:
		emit_address(code, reg, code->shared,
			     offsetof(struct shared, memory) + arg->n);
		break;
	case TEXT: emit_address(code, reg, code->text, arg->n); break;
	}
}

static void emit_call(struct code *code, const struct oracle_call *call, u32 i)
{
	for (u32 k = 0; k < call->n_pointers; k++) {
		size_t memory = offsetof(struct shared, memory);

		emit_address(code, 1, code->shared, memory + call->pointers[k].to);
		emit_store(code, 0x18, 1, memory + call->pointers[k].at);
	}
	for (u8 k = 0; k < 5; k++)
		emit_arg(code, k + 1, &call->args[k]);
	emit(code, (struct bpf_insn){.code = 0x85, .imm = (s32)call->helper});
	emit_store(code, 0x18, 0, offsetof(struct shared, r0[i]));
}

static void emit_field(struct code *code, u32 i, size_t off)
{
	emit(code, (struct bpf_insn){
			   .code = 0x61, .dst_reg = 1, .src_reg = 6, .off = (s16)off});
	emit_store(code, 0, 1, offsetof(struct shared, fields[i]));
}

/* fields[i] = the distance of two packet pointers of the context */
static void emit_distance(struct code *code, u32 i, size_t from, size_t to)
{
	emit(code,
	     (struct bpf_insn){.code = 0x61, .dst_reg = 1, .src_reg = 6, .off = (s16)to});
	emit(code, (struct bpf_insn){
			   .code = 0x61, .dst_reg = 2, .src_reg = 6, .off = (s16)from});
	emit(code, (struct bpf_insn){.code = 0x1f, .dst_reg = 1, .src_reg = 2});
	emit_store(code, 0, 1, offsetof(struct shared, fields[i]));
}

static const size_t skb_fields[] = {
	offsetof(struct __sk_buff, len),      offsetof(struct __sk_buff, pkt_type),
	offsetof(struct __sk_buff, protocol), offsetof(struct __sk_buff, vlan_present),
	offsetof(struct __sk_buff, vlan_tci), offsetof(struct __sk_buff, vlan_proto),
	offsetof(struct __sk_buff, hash),     offsetof(struct __sk_buff, gso_size),
	offsetof(struct __sk_buff, gso_segs),
};

static void assemble(struct code *code, const struct oracle_case *c)
{
	emit_mov(code, 6, 1);
	emit_address(code, 9, code->shared, 0);
	for (u32 i = 0; i < c->n_calls; i++)
		emit_call(code, &c->calls[i], i);
	if (c->type == BPF_PROG_TYPE_XDP) {
		emit_distance(code, 0, offsetof(struct xdp_md, data),
			      offsetof(struct xdp_md, data_end));
		emit_distance(code, 1, offsetof(struct xdp_md, data_meta),
			      offsetof(struct xdp_md, data));
	} else {
		for (u32 i = 0; i < ARRAY_SIZE(skb_fields); i++)
			emit_field(code, i, skb_fields[i]);
		emit_distance(code, ARRAY_SIZE(skb_fields),
			      offsetof(struct __sk_buff, data),
			      offsetof(struct __sk_buff, data_end));
		emit(code,
		     (struct bpf_insn){.code = 0x71,
				       .dst_reg = 1,
				       .src_reg = 6,
				       .off = offsetof(struct __sk_buff, tstamp_type)});
		emit_store(code, 0, 1,
			   offsetof(struct shared, fields[ARRAY_SIZE(skb_fields) + 1]));
	}
	emit(code, (struct bpf_insn){.code = 0xb7});
	emit(code, (struct bpf_insn){.code = 0x95});
}

static int new_map(u32 value_size, u32 flags, const void *value)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = value_size,
			       .max_entries = 1,
			       .map_flags = flags};
	int fd = (int)kernel_bpf(BPF_MAP_CREATE, &attr);
	u32 key = 0;

	memset(&attr, 0, sizeof(attr)); /* Linux looks at all of it */
	attr.map_fd = (u32)fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	if (fd >= 0 && kernel_bpf(BPF_MAP_UPDATE_ELEM, &attr)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int load(const struct code *code, const struct oracle_case *c)
{
	static char log[1 << 16];
	union bpf_attr attr = {.prog_type = c->type,
			       .insns = (uintptr_t)code->insns,
			       .insn_cnt = code->n,
			       .license = (uintptr_t) "GPL",
			       .prog_flags = c->frags ? FRAGS_FLAG : 0};
	int fd = (int)kernel_bpf(BPF_PROG_LOAD, &attr), err = -errno;

	if (fd >= 0 || !getenv("ORACLE_LOG"))
		return fd < 0 ? err : fd;
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	kernel_bpf(BPF_PROG_LOAD, &attr);
	fprintf(stderr, "%s\n", log);
	return err;
}

static int run_kernel(int fd, const struct oracle_case *c, struct oracle_result *r)
{
	struct __sk_buff skb, skb_out;
	struct xdp_md xdp = {.data_end = c->packet_len}, xdp_out;
	bool is_xdp = c->type == BPF_PROG_TYPE_XDP;
	union bpf_attr attr;

	/* Linux looks at every byte, holes and unnamed members too. */
	memset(&attr, 0, sizeof(attr));
	memset(&skb, 0, sizeof(skb));
	skb.gso_size = c->gso_size;
	skb.gso_segs = c->gso_segs;
	attr.test.prog_fd = (u32)fd;
	attr.test.data_in = (uintptr_t)c->packet;
	attr.test.data_size_in = c->packet_len;
	attr.test.data_out = (uintptr_t)r->packet;
	attr.test.data_size_out = ORACLE_PACKET;
	attr.test.repeat = 1;
	attr.test.ctx_in = is_xdp ? (uintptr_t)&xdp : (uintptr_t)&skb;
	attr.test.ctx_size_in = is_xdp ? sizeof(xdp) : sizeof(skb);
	attr.test.ctx_out = is_xdp ? (uintptr_t)&xdp_out : (uintptr_t)&skb_out;
	attr.test.ctx_size_out = is_xdp ? sizeof(xdp) : sizeof(skb);
	if (kernel_bpf(BPF_PROG_TEST_RUN, &attr))
		return -errno;
	r->packet_len = attr.test.data_size_out;
	r->tstamp = is_xdp ? 0 : skb_out.tstamp;
	return 0;
}

static void read_shared(int fd, struct oracle_result *r)
{
	static struct shared s;
	u32 key = 0;
	union bpf_attr attr = {
		.map_fd = (u32)fd, .key = (uintptr_t)&key, .value = (uintptr_t)&s};

	kernel_bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	memcpy(r->r0, s.r0, sizeof(r->r0));
	memcpy(r->fields, s.fields, sizeof(r->fields));
	memcpy(r->memory, s.memory, sizeof(r->memory));
}

void oracle_kernel(const struct oracle_case *c, struct oracle_result *r)
{
	static struct shared s;
	static struct code code;
	union bpf_attr freeze;
	int prog;

	memset(r, 0, sizeof(*r));
	memset(&s, 0, sizeof(s));
	memcpy(s.memory, c->memory, sizeof(s.memory));
	code.n = 0;
	code.shared = new_map(sizeof(s), 0, &s);
	code.text = new_map(ORACLE_TEXT, BPF_F_RDONLY_PROG, c->text);
	memset(&freeze, 0, sizeof(freeze)); /* Linux looks at all of it */
	freeze.map_fd = (u32)code.text;
	kernel_bpf(BPF_MAP_FREEZE, &freeze);
	assemble(&code, c);
	prog = load(&code, c);
	r->err = prog < 0 ? prog : run_kernel(prog, c, r);
	if (!r->err)
		read_shared(code.shared, r);
	close(prog);
	close(code.shared);
	close(code.text);
}

/* ---- ours ---- */

static u64 argument(const struct oracle_case *c, const struct oracle_arg *arg,
		    const struct run *run, u8 *memory)
{
	switch (arg->kind) {
	case NUMBER: return arg->n;
	case CONTEXT: return (uintptr_t)run->ctx;
	case MEMORY: return (uintptr_t)memory + arg->n;
	case TEXT: return (uintptr_t)c->text + arg->n;
	}
	return 0;
}

static void make_calls(const struct oracle_case *c, struct run *run,
		       struct oracle_result *r)
{
	for (u32 i = 0; i < c->n_calls; i++) {
		const struct oracle_call *call = &c->calls[i];
		helper_fn body = helper_body(call->helper);
		u64 a[5];

		for (u32 k = 0; k < call->n_pointers; k++)
			store_u64(r->memory + call->pointers[k].at,
				  (uintptr_t)r->memory + call->pointers[k].to);
		for (u32 k = 0; k < 5; k++)
			a[k] = argument(c, &call->args[k], run, r->memory);
		r->r0[i] = body(run, a[0], a[1], a[2], a[3], a[4]);
	}
}

static void ours_xdp(const struct oracle_case *c, struct run *run,
		     struct oracle_result *r)
{
	struct packet *p = run->packet;
	struct xdp_md ctx;
	u32 meta_len;

	packet_set_xdp(p, c->packet, c->packet_len,
		       c->frags ? XDP_LINEAR_MAX : c->packet_len);
	xdp_ctx_init(&ctx, p, &(struct xdp_origin){.ingress_ifindex = 1});
	run->ctx = &ctx;
	make_calls(c, run, r);
	meta_len = ctx.data - ctx.data_meta;
	r->fields[0] = ctx.data_end - ctx.data;
	r->fields[1] = meta_len;
	memcpy(r->packet, p->meta, meta_len);
	r->packet_len = meta_len + packet_len(p);
	packet_read(p, 0, r->packet + meta_len, packet_len(p));
}

static void ours_skb(const struct oracle_case *c, struct run *run,
		     struct oracle_result *r)
{
	struct skb_origin origin = {
		.host_mac = (const u8 *)"\0\0\0\0\0\0", /* of the loopback interface */
		.gso_size = c->gso_size,
		.gso_segs = c->gso_segs,
	};
	struct packet *p = run->packet;
	struct __sk_buff ctx;

	packet_set_skb(p, c->packet, c->packet_len, c->packet_len);
	skb_ctx_init(&ctx, p, &origin);
	/* the kernel's test runs set no type and no transport header, and the loopback
	 * interface that they use has no broadcast address */
	p->skb.gso_type = p->skb.transport = 0;
	if (p->skb.pkt_type == PACKET_BROADCAST)
		p->skb.pkt_type = PACKET_MULTICAST;
	skb_ctx_sync(&ctx, p);
	run->ctx = &ctx;
	make_calls(c, run, r);
	for (u32 i = 0; i < ARRAY_SIZE(skb_fields); i++)
		r->fields[i] = load_u32((u8 *)&ctx + skb_fields[i]);
	r->fields[ARRAY_SIZE(skb_fields)] = ctx.data_end - ctx.data;
	r->fields[ARRAY_SIZE(skb_fields) + 1] = ctx.tstamp_type;
	r->tstamp = ctx.tstamp;
	r->packet_len = packet_len(p);
	packet_read(p, 0, r->packet, packet_len(p));
}

void oracle_ours(const struct oracle_case *c, struct oracle_result *r)
{
	const struct prog prog = {.type = c->type};
	struct world_script world;
	struct packet p;
	struct run run = {.prog = &prog, .packet = &p, .world = &world.world};

	memset(r, 0, sizeof(*r));
	memcpy(r->memory, c->memory, sizeof(r->memory));
	world_script_init(&world);
	world.world.mtu = 65536; /* of the loopback interface */
	if (packet_init(&p, NULL))
		abort();
	if (c->type == BPF_PROG_TYPE_XDP)
		ours_xdp(c, &run, r);
	else
		ours_skb(c, &run, r);
	packet_fini(&p);
}

/* ---- comparison ---- */

static void print_case(const struct oracle_case *c)
{
	fprintf(stderr, "\ttype %u, %u bytes%s, gso %u:", c->type, c->packet_len,
		c->frags ? " with fragments" : "", c->gso_size);
	for (u32 i = 0; i < c->packet_len && i < 40; i++)
		fprintf(stderr, " %02x", c->packet[i]);
	fprintf(stderr, "\n");
	for (u32 i = 0; i < c->n_calls; i++) {
		const struct oracle_call *call = &c->calls[i];

		fprintf(stderr, "\thelper %u(", call->helper);
		for (u32 k = 0; k < 5; k++)
			fprintf(stderr, "%s%s%#llx", k ? ", " : "",
				(const char *[]){"", "ctx+", "memory+",
						 "text+"}[call->args[k].kind],
				(unsigned long long)call->args[k].n);
		fprintf(stderr, ")\n");
	}
	fprintf(stderr, "\ttext: %s\n\tformat: %.99s\n", c->text, c->memory + 2048);
}

static bool differ(const char *what, u32 i, u64 kernel, u64 ours)
{
	if (kernel == ours)
		return false;
	fprintf(stderr, "%s %u: kernel %lld (%#llx), ours %lld (%#llx)\n", what, i,
		(long long)kernel, (unsigned long long)kernel, (long long)ours,
		(unsigned long long)ours);
	return true;
}

/* Addresses are not the same on both sides. */
static void forget_pointers(const struct oracle_case *c, struct oracle_result *r)
{
	for (u32 i = 0; i < c->n_calls; i++)
		for (u32 k = 0; k < c->calls[i].n_pointers; k++)
			memset(r->memory + c->calls[i].pointers[k].at, 0, 8);
}

static bool differ_bytes(const char *what, const u8 *kernel, const u8 *ours, u32 len)
{
	for (u32 i = 0; i < len; i++)
		if (differ(what, i, kernel[i], ours[i]))
			return true;
	return false;
}

bool oracle_agrees(const struct oracle_case *c)
{
	static struct oracle_result k, o;
	bool bad = false;

	oracle_kernel(c, &k);
	if (k.err) {
		fprintf(stderr, "the kernel refuses: %s\n", strerror(-k.err));
		print_case(c);
		return false;
	}
	oracle_ours(c, &o);
	forget_pointers(c, &k);
	forget_pointers(c, &o);
	for (u32 i = 0; i < c->n_calls; i++)
		bad |= differ("R0 of call", i, k.r0[i], o.r0[i]);
	for (u32 i = 0; i < ORACLE_FIELDS; i++)
		bad |= differ("context field", i, k.fields[i], o.fields[i]);
	bad |= differ("tstamp", 0, k.tstamp, o.tstamp);
	bad |= differ("packet length", 0, k.packet_len, o.packet_len);
	bad = bad || differ_bytes("packet byte", k.packet, o.packet, k.packet_len);
	bad = bad || differ_bytes("memory byte", k.memory, o.memory, ORACLE_MEMORY);
	if (bad)
		print_case(c);
	return !bad;
}

void oracle_or_skip(void)
{
	const char *why = kernel_refuses();

	if (!why)
		return;
	printf("skipped: bpf(2): %s\n", why);
	exit(KERNEL_SKIP);
}
