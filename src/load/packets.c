/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs on packets: each is copied to where the program may change it, gets the
 * context that its type has, and the engine goes.
 *
 * All packets of a call are run on one virtual CPU, with one struct run and one context:
 * what is said of each here is only what differs from one to the next, since at millions
 * a second that is most of the time.  Nothing is allocated.  Never does: choose packets,
 * send them anywhere.
 */
#include <errno.h>
#include <string.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "helpers/run.h"
#include "load/kernel.h"
#include "load/load.h"
#include "load/verdict.h"
#include "world/contexts.h"
#include "world/skb.h"

enum { MAX_META = 252 }; /* XDP: less than 256, a multiple of 4 */

/* One call: what all of its packets share. */
struct batch {
	const struct skep_prog *prog;
	const struct image *image;
	run_fn run_image;
	bool safe;  /* the engine sees to run_end() */
	u32 linear; /* of an XDP packet whose owner does not say */
	struct skep_diag *diag;
	struct run run;
	struct engine_state state;
	union {
		struct xdp_md xdp;
		struct __sk_buff skb;
	} ctx;
};

/* As often as the packet's owner wants. */
static inline int run_image(struct batch *b, u32 repeat, u64 *ret)
{
	int err;

	do {
		err = b->run_image(b->image, &b->run, ret);
		if (run_holds(&b->run) && !b->safe)
			run_end(&b->run);
	} while (!err && repeat-- > 1);
	return err;
}

/* ---- XDP ---- */

static int set_xdp(struct batch *b, const struct skep_packet *in)
{
	struct packet *p = b->run.packet;
	u32 meta = in->meta_len, linear = in->linear_len;
	const u8 *bytes = in->data;

	if (meta > MAX_META || meta % 4 || meta > in->len)
		return fail(b->diag, BAD_META, NO_PC, meta, MAX_META);
	if (packet_set_xdp(p, bytes + meta, in->len - meta, linear ? linear : b->linear))
		return fail(b->diag, PACKET_TOO_LONG, NO_PC, in->len, PACKET_MAX_LEN);
	if (meta) {
		p->meta = p->data - meta;
		memcpy(p->meta, bytes, meta);
	}
	xdp_ctx_init(&b->ctx.xdp, p,
		     &(struct xdp_origin){.ingress_ifindex = in->ifindex,
					  .rx_queue_index = in->rx_queue});
	return 0;
}

static void xdp_out(const struct packet *p, struct skep_packet *packet)
{
	packet->out_len = packet_len(p);
	if (packet->out)
		packet_read(p, 0, packet->out,
			    (u32)min_u64(packet->out_size, packet->out_len));
}

static int run_xdp(struct batch *b, struct skep_packet *packet, u64 *ret)
{
	int err = set_xdp(b, packet);

	if (!err)
		err = run_image(b, packet->repeat, ret);
	if (!err)
		xdp_out(b->run.packet, packet);
	return err;
}

/* ---- what is an skb in Linux ---- */

static struct skb_origin skb_origin(const struct skep_prog *prog,
				    const struct skep_packet *in)
{
	bool socket = prog->prog->type == BPF_PROG_TYPE_SOCKET_FILTER;

	return (struct skb_origin){
		.link = in->link == SKEP_LINK_RAW_IP ? SKB_LINK_RAW_IP
						     : SKB_LINK_ETHERNET,
		.view = socket && in->at_network ? SKB_VIEW_NETWORK : SKB_VIEW_MAC,
		.untag = true,
		.egress = in->egress,
		.ifindex = in->ifindex,
		.ingress_ifindex = in->egress ? 0 : in->ifindex,
		.wire_len = in->wire_len,
		.mark = in->mark,
		.priority = in->priority,
		.queue_mapping = in->queue_mapping,
		.hash = in->hash,
		.gso_size = in->gso_size,
		.gso_segs = in->gso_segs,
		.tstamp = in->tstamp,
		.hwtstamp = in->hwtstamp,
	};
}

static int set_skb(struct batch *b, const struct skep_packet *in)
{
	struct skb_origin origin = skb_origin(b->prog, in);
	u32 linear = in->linear_len ? in->linear_len : in->len;

	if (in->meta_len)
		return fail(b->diag, META_WITHOUT_XDP, NO_PC);
	if (packet_set_skb(b->run.packet, in->data, in->len, linear))
		return fail(b->diag, PACKET_TOO_LONG, NO_PC, in->len, PACKET_MAX_LEN);
	if (skb_ctx_init(&b->ctx.skb, b->run.packet, &origin))
		return fail(b->diag, PACKET_TOO_SHORT, NO_PC, in->len);
	return 0;
}

static int run_skb(struct batch *b, struct skep_packet *packet, u64 *ret)
{
	const struct __sk_buff *ctx = &b->ctx.skb;
	int err = set_skb(b, packet);

	if (err)
		return err;
	err = run_image(b, packet->repeat, ret);
	packet->mark = ctx->mark;
	packet->priority = ctx->priority;
	packet->queue_mapping = ctx->queue_mapping;
	packet->tstamp = ctx->tstamp;
	if (!err)
		packet->out_len = skb_copy_out(b->run.packet, packet->out,
					       packet->out ? packet->out_size : 0);
	return err;
}

/* ---- many of them ---- */

static void tell_redirect(struct run *run, struct skep_packet *packet)
{
	bool to_map = run->redirect.map;

	packet->clones = run->clones;
	packet->redirected = run->redirect.helper;
	packet->redirect_to_map = to_map;
	packet->redirect_ifindex = to_map ? 0 : run->redirect.ifindex;
	packet->redirect_key = to_map ? run->redirect.ifindex : 0;
	run->redirect = (struct redirect){0};
	run->clones = 0;
}

static int run_one(struct batch *b, struct skep_packet *packet, bool xdp)
{
	u64 ret = 0;
	int err = xdp ? run_xdp(b, packet, &ret) : run_skb(b, packet, &ret);

	packet->run_ns = 0;
	packet->ret = (u32)ret; /* a verdict is an int */
	packet->clones = packet->redirect_ifindex = packet->redirect_key = 0;
	packet->redirected = packet->redirect_to_map = false;
	if (b->run.redirect.helper || b->run.clones)
		tell_redirect(&b->run, packet);
	packet->ran = !err;
	return err;
}

/* Until one fails: how many did not. */
static size_t run_all(struct batch *b, struct skep_packet *packets, size_t n, int *err)
{
	bool xdp = b->prog->prog->type == BPF_PROG_TYPE_XDP;

	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n)
			__builtin_prefetch(packets[i + 1].data);
		*err = run_one(b, &packets[i], xdp);
		if (*err)
			return i;
	}
	return n;
}

static void make_ready(struct batch *b)
{
	const struct skep_object *obj = b->prog->obj;
	const struct engine *engine = obj->engine;

	b->image = b->prog->image;
	b->safe = engine->safe;
	b->linear = b->prog->prog->frags ? XDP_LINEAR_MAX : UINT32_MAX;
	b->run.world = world_of(obj->world);
	b->run.opts = &obj->limits;
	b->run.diag = b->diag;
	b->run.ctx = &b->ctx;
	b->run_image =
		engine->ready ? engine->ready(b->image, &b->run, &b->state) : engine->run;
}

static int run_here(const struct skep_prog *prog, struct skep_packet *packets, size_t n,
		    size_t *done, struct skep_diag *diag)
{
	struct skep_world *world = prog->obj->world;
	struct batch b;
	int err;

	b.prog = prog;
	b.diag = diag;
	run_init(&b.run);
	make_ready(&b);
	b.run.cpu = world_hold_cpu(world, (u32)packets->cpu);
	err = world_packet(world, b.run.cpu, &b.run.packet, diag);
	if (!err)
		*done = run_all(&b, packets, n, &err);
	world_release_cpu(world, b.run.cpu);
	return err;
}

static int run_in_kernel(const struct skep_prog *prog, struct skep_packet *packets,
			 size_t n, size_t *done, struct skep_diag *diag)
{
	int err = 0;

	for (; *done < n && !err; *done += !err) {
		struct skep_packet *packet = &packets[*done];

		packet->run_ns = 0;
		packet->ret = 0;
		err = kernel_run_packet(prog, packet, &packet->ret, diag);
		packet->ran = !err;
	}
	return err;
}

SKEP_API int skep_prog_run_packets(struct skep_prog *prog, struct skep_packet *packets,
				   size_t n, struct skep_diag *diag)
{
	size_t done = 0;
	int err = 0;

	if (!skep_prog_is_loaded(prog))
		err = fail(diag, NOT_LOADED, NO_PC);
	else if (!takes_packets(prog->prog->type))
		err = fail(diag, TAKES_NO_PACKET, NO_PC);
	else if (prog->fd >= 0)
		err = run_in_kernel(prog, packets, n, &done, diag);
	else if (n)
		err = run_here(prog, packets, n, &done, diag);
	for (; done < n; done++)
		packets[done].ran = false;
	return load_in_prog(prog, diag, err);
}

SKEP_API int skep_prog_run_packet(struct skep_prog *prog, struct skep_packet *packet,
				  u64 *ret, struct skep_diag *diag)
{
	int err = skep_prog_run_packets(prog, packet, 1, diag);

	if (!err)
		*ret = packet->ret;
	return err;
}
