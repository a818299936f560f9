/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public side of programs: one run of one program, on a packet or on memory.
 *
 * A run holds a CPU, builds the context on its own stack and lets the engine go; nothing
 * is allocated.  Never does: attach, choose packets, print.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "helpers/run.h"
#include "kern/find.h"
#include "load/kernel.h"
#include "load/load.h"
#include "load/verdict.h"
#include "world/contexts.h"
#include "world/skb.h"

static int in_prog(const struct skep_prog *prog, struct skep_diag *diag, int err)
{
	return diag_in(diag, err, "%s: %s", prog->obj->name, prog->prog->name);
}

SKEP_API const char *skep_prog_name(const struct skep_prog *prog)
{
	return prog->prog->name;
}

SKEP_API const char *skep_prog_section(const struct skep_prog *prog)
{
	return prog->prog->section;
}

SKEP_API u32 skep_prog_type(const struct skep_prog *prog)
{
	return prog->prog->type;
}

SKEP_API const char *skep_prog_type_name(const struct skep_prog *prog)
{
	const struct abi_name *name = abi_prog_type(prog->prog->type);

	return name ? name->name : "unknown";
}

SKEP_API u32 skep_prog_n_insns(const struct skep_prog *prog)
{
	return prog->prog->n_insns;
}

SKEP_API int skep_prog_select(struct skep_prog *prog, bool selected)
{
	if (prog->obj->loaded)
		return -EBUSY;
	prog->unwanted = !selected;
	return 0;
}

SKEP_API int skep_prog_chain(struct skep_prog *const *progs, size_t n,
			     struct skep_diag *diag)
{
	struct skep_prog *first = n ? progs[0] : NULL;
	struct skep_prog **copy;
	s32 go_on;

	if (!first || n > UINT32_MAX)
		return -EINVAL;
	if (first->obj->loaded)
		return diag_in(diag, fail(diag, IS_LOADED, NO_PC), "%s",
			       first->obj->name);
	if (!verdict_goes_on(first->prog->type, &go_on))
		return fail(diag, CHAIN_TYPE, NO_PC, skep_prog_type_name(first));
	for (size_t i = 1; i < n; i++) {
		if (progs[i]->obj != first->obj ||
		    progs[i]->prog->type != first->prog->type)
			return fail(diag, CHAIN_DIFFERS, NO_PC, first->prog->name,
				    progs[i]->prog->name);
	}
	copy = calloc(n, sizeof(*copy));
	if (!copy)
		return fail(diag, NO_MEMORY, NO_PC);
	memcpy(copy, progs, n * sizeof(*copy));
	/* Linux then follows the calls, and need not know what their types say */
	for (size_t i = 0; i < n; i++)
		progs[i]->prog->subprogs[0].global = false;
	free(first->chain);
	first->chain = copy;
	first->n_chain = (u32)n;
	return 0;
}

SKEP_API int skep_prog_set_target(struct skep_prog *prog, const char *target,
				  struct skep_diag *diag)
{
	int fd;

	if (prog->obj->loaded)
		return diag_in(diag, fail(diag, IS_LOADED, NO_PC), "%s", prog->obj->name);
	fd = kern_find(SYS_PROG, target, diag);
	if (fd < 0)
		return in_prog(prog, diag, fd);
	if (prog->target_fd >= 0)
		close(prog->target_fd);
	prog->target_fd = fd;
	return 0;
}

SKEP_API bool skep_prog_is_loaded(const struct skep_prog *prog)
{
	return prog->image || prog->fd >= 0;
}

SKEP_API bool skep_prog_takes_packets(const struct skep_prog *prog)
{
	return takes_packets(prog->prog->type);
}

SKEP_API const char *skep_prog_verdict_name(const struct skep_prog *prog, u64 ret)
{
	return verdict_name(prog->prog->type, ret);
}

/* ---- one run ---- */

/* Lets the engine go.  The caller holds the CPU. */
static int run_engine(const struct skep_prog *prog, struct run *run, u64 *ret,
		      struct skep_diag *diag)
{
	int err;

	run->world = world_of(prog->obj->world);
	run->diag = diag;
	err = prog->obj->engine->run(prog->image, run, ret);
	if (!prog->obj->engine->safe && run_holds(run))
		run_end(run);
	return err;
}

/* On one packet as often as its owner wants. */
static int run_repeat(const struct skep_prog *prog, struct run *run,
		      const struct skep_packet *packet, u64 *ret, struct skep_diag *diag)
{
	const struct engine *engine = prog->obj->engine;
	int err = run_engine(prog, run, ret, diag);

	if (err || packet->repeat <= 1)
		return err;
	if (engine->repeat)
		return engine->repeat(prog->image, run, packet->repeat - 1, ret);
	for (u32 i = 1; i < packet->repeat && !err; i++)
		err = run_engine(prog, run, ret, diag);
	return err;
}

/* Are its bytes numbers, all of them?  Pointers in a context are the kernel's word, and
 * how much of a context without a layout is there, the program cannot know: what runs
 * unchecked must not take either from bytes that a user gives. */
static bool is_plain(const struct abi_ctx *layout)
{
	bool plain = layout != NULL;

	for (u32 i = 0; plain && i < layout->n_fields; i++)
		plain = layout->fields[i].value == CTX_NUMBER;
	return plain;
}

SKEP_API int skep_prog_run(struct skep_prog *prog, void *ctx, size_t ctx_size, u64 *ret,
			   struct skep_diag *diag)
{
	struct mem_region memory = {
		.name = "context", .addr = ctx, .size = ctx_size, .writable = true};
	struct exec_opts opts = prog->obj->limits;
	const struct abi_ctx *layout = abi_ctx(prog->prog->type);
	struct run run = {.ctx = ctx, .opts = &opts};
	int err;

	if (!skep_prog_is_loaded(prog))
		return in_prog(prog, diag, fail(diag, NOT_LOADED, NO_PC));
	if (takes_packets(prog->prog->type))
		return in_prog(prog, diag, fail(diag, NEEDS_PACKET, NO_PC));
	if (layout && ctx_size < layout->size)
		return in_prog(prog, diag,
			       fail(diag, CONTEXT_TOO_SMALL, NO_PC, ctx_size,
				    layout->name, layout->size));
	if (prog->fd >= 0)
		return in_prog(prog, diag, kernel_run(prog, ctx, ctx_size, ret, diag));
	if (!prog->obj->engine->safe && !is_plain(layout))
		return in_prog(prog, diag, fail(diag, CONTEXT_UNCHECKED, NO_PC));
	opts.regions = &memory;
	opts.n_regions = 1;
	run.cpu = world_hold_cpu(prog->obj->world, 0);
	err = run_engine(prog, &run, ret, diag);
	world_release_cpu(prog->obj->world, run.cpu);
	return in_prog(prog, diag, err);
}

/* ---- packets ---- */

enum { MAX_META = 252 }; /* XDP: less than 256, a multiple of 4 */

static u32 xdp_linear(const struct skep_prog *prog, const struct skep_packet *in)
{
	if (in->linear_len)
		return in->linear_len;
	return prog->prog->frags ? XDP_LINEAR_MAX : in->len;
}

static int run_xdp(const struct skep_prog *prog, struct run *run,
		   const struct skep_packet *in, u64 *ret, struct skep_diag *diag)
{
	struct xdp_origin origin = {.ingress_ifindex = in->ifindex,
				    .rx_queue_index = in->rx_queue};
	const u8 *bytes = in->data;
	struct xdp_md ctx;
	int err;

	if (in->meta_len > MAX_META || in->meta_len % 4 || in->meta_len > in->len)
		return fail(diag, BAD_META, NO_PC, in->meta_len, MAX_META);
	err = packet_set_xdp(run->packet, bytes + in->meta_len, in->len - in->meta_len,
			     xdp_linear(prog, in));
	if (err)
		return fail(diag, PACKET_TOO_LONG, NO_PC, in->len, PACKET_MAX_LEN);
	if (in->meta_len) {
		run->packet->meta = run->packet->data - in->meta_len;
		memcpy(run->packet->meta, bytes, in->meta_len);
	}
	xdp_ctx_init(&ctx, run->packet, &origin);
	run->ctx = &ctx;
	return run_repeat(prog, run, in, ret, diag);
}

static void xdp_out(const struct packet *p, struct skep_packet *packet)
{
	packet->out_len = packet_len(p);
	if (packet->out)
		packet_read(p, 0, packet->out,
			    (u32)min_u64(packet->out_size, packet->out_len));
}

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

static int run_skb(const struct skep_prog *prog, struct run *run,
		   struct skep_packet *packet, u64 *ret, struct skep_diag *diag)
{
	struct skb_origin origin = skb_origin(prog, packet);
	u32 linear = packet->linear_len ? packet->linear_len : packet->len;
	struct __sk_buff ctx;
	int err;

	if (packet->meta_len)
		return fail(diag, META_WITHOUT_XDP, NO_PC);
	if (packet_set_skb(run->packet, packet->data, packet->len, linear))
		return fail(diag, PACKET_TOO_LONG, NO_PC, packet->len, PACKET_MAX_LEN);
	if (skb_ctx_init(&ctx, run->packet, &origin))
		return fail(diag, PACKET_TOO_SHORT, NO_PC, packet->len);
	run->ctx = &ctx;
	err = run_repeat(prog, run, packet, ret, diag);
	packet->mark = ctx.mark;
	packet->priority = ctx.priority;
	packet->queue_mapping = ctx.queue_mapping;
	packet->tstamp = ctx.tstamp;
	return err;
}

static void skb_out(const struct packet *p, struct skep_packet *packet)
{
	packet->out_len =
		skb_copy_out(p, packet->out, packet->out ? packet->out_size : 0);
}

static void tell_redirect(const struct run *run, struct skep_packet *packet)
{
	packet->clones = run->clones;
	packet->redirected = run->redirect.helper;
	packet->redirect_to_map = run->redirect.map;
	packet->redirect_ifindex = run->redirect.map ? 0 : run->redirect.ifindex;
	packet->redirect_key = run->redirect.map ? run->redirect.ifindex : 0;
}

static int run_packet(const struct skep_prog *prog, struct run *run,
		      struct skep_packet *packet, u64 *ret, struct skep_diag *diag)
{
	bool xdp = prog->prog->type == BPF_PROG_TYPE_XDP;
	int err = xdp ? run_xdp(prog, run, packet, ret, diag)
		      : run_skb(prog, run, packet, ret, diag);

	if (err)
		return err;
	/* a verdict is an int */
	*ret = (u32)*ret;
	if (xdp)
		xdp_out(run->packet, packet);
	else
		skb_out(run->packet, packet);
	tell_redirect(run, packet);
	return 0;
}

/* Packets on one CPU, until one fails: how many did not. */
static size_t run_on_cpu(const struct skep_prog *prog, struct run *run,
			 struct skep_packet *packets, size_t n, struct skep_diag *diag)
{
	size_t done = 0;

	for (; done < n; done++) {
		struct skep_packet *packet = &packets[done];

		run->redirect = (struct redirect){0};
		run->clones = 0;
		packet->run_ns = 0;
		packet->ret = 0;
		run->err = run_packet(prog, run, packet, &packet->ret, diag);
		if (run->err)
			break;
		packet->ran = true;
	}
	return done;
}

static int run_here(const struct skep_prog *prog, struct skep_packet *packets, size_t n,
		    size_t *done, struct skep_diag *diag)
{
	struct skep_world *world = prog->obj->world;
	struct run run;

	run_init(&run);
	run.opts = &prog->obj->limits;
	run.cpu = world_hold_cpu(world, (u32)packets->cpu);
	run.err = world_packet(world, run.cpu, &run.packet, diag);
	if (!run.err)
		*done = run_on_cpu(prog, &run, packets, n, diag);
	world_release_cpu(world, run.cpu);
	return run.err;
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
	return in_prog(prog, diag, err);
}

SKEP_API int skep_prog_run_packet(struct skep_prog *prog, struct skep_packet *packet,
				  u64 *ret, struct skep_diag *diag)
{
	int err = skep_prog_run_packets(prog, packet, 1, diag);

	if (!err)
		*ret = packet->ret;
	return err;
}
