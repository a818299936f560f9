/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running a program in the kernel on a packet or a context: what struct skep_packet says,
 * said to BPF_PROG_TEST_RUN.  Fields that it does not take are refused there.  Packets
 * are not untagged on the way in, as on a real interface they may be:
 * docs/differences.md.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "base/diag.h"
#include "kern/refused.h"
#include "kern/run.h"
#include "load/kernel.h"
#include "load/verdict.h"

enum { ENOTSUPP_LINUX = 524, ETHER_LEN = 14 };

static int refused(const struct skep_prog *prog, int err, struct skep_diag *diag)
{
	if (err == -ENOTSUPP_LINUX || err == -EOPNOTSUPP)
		return fail(diag, KERN_NO_TEST_RUN, NO_PC, skep_prog_type_name(prog));
	if (err == -EPERM)
		return kern_refused(diag, &(struct kern_attempt){
						  .action = KERN_TEST_RUN,
						  .prog_type = prog->prog->type,
						  .err = err,
						  .what = "running it",
					  });
	return fail_errno(diag, err, KERN_RUN, NO_PC, strerror(-err));
}

int kernel_run(const struct skep_prog *prog, void *ctx, size_t size, u64 *ret,
	       struct skep_diag *diag)
{
	struct kern_test test = {.prog_fd = prog->fd, .ctx = ctx, .ctx_size = (u32)size};
	int err = kern_test_run(&test);

	*ret = test.ret;
	return err ? refused(prog, err, diag) : 0;
}

/* ---- packets ---- */

/* Everything behind the metadata, as other engines give it. */
static void give_out(struct skep_packet *packet, u32 len, u32 skip)
{
	u32 room = packet->out_size, have = len < room ? len : room;

	packet->out_len = len - skip;
	if (packet->out && skip && have > skip)
		memmove(packet->out, (u8 *)packet->out + skip, have - skip);
}

static int run_xdp(const struct skep_prog *prog, struct skep_packet *packet, u64 *ret,
		   struct skep_diag *diag)
{
	struct xdp_md ctx = {
		.data = packet->meta_len,
		.data_end = packet->len,
		.ingress_ifindex = packet->ifindex > 1 ? packet->ifindex : 0,
		.rx_queue_index = packet->rx_queue,
	};
	struct kern_test test = {
		.prog_fd = prog->fd,
		.data = {packet->data, packet->len},
		.out = packet->out,
		.out_size = packet->out_size,
		.ctx = &ctx,
		.ctx_size = sizeof(ctx),
		.repeat = packet->repeat,
	};
	int err = kern_test_run(&test);

	if (err)
		return refused(prog, err, diag);
	*ret = test.ret;
	packet->run_ns = test.duration_ns;
	give_out(packet, test.out_len, ctx.data);
	return 0;
}

/* The tag that the program left beside the bytes. */
static void put_tag(const struct __sk_buff *ctx, struct skep_packet *packet)
{
	enum { TAG_AT = 12, TAG = 4 };
	u8 *out = packet->out;
	u32 have =
		packet->out_len < packet->out_size ? packet->out_len : packet->out_size;

	if (!ctx->vlan_present || packet->out_len < TAG_AT)
		return;
	packet->out_len += TAG;
	if (!out || have < TAG_AT || packet->out_size < TAG_AT + TAG)
		return;
	if (have + TAG > packet->out_size)
		have = packet->out_size - TAG;
	memmove(out + TAG_AT + TAG, out + TAG_AT, have - TAG_AT);
	store_u16(out + TAG_AT, (u16)ctx->vlan_proto);
	store_be16(out + TAG_AT + 2, (u16)ctx->vlan_tci);
}

/*
 * A socket filter of a packet socket sees the link header, but BPF_PROG_TEST_RUN shows
 * what is behind it: so the frame gets a second one in front, of the same protocol.
 */
static u8 *with_two_headers(const struct skep_packet *packet)
{
	u8 *frame = malloc(ETHER_LEN + (size_t)packet->len);

	if (!frame)
		return NULL;
	memcpy(frame, packet->data, ETHER_LEN);
	memcpy(frame + ETHER_LEN, packet->data, packet->len);
	return frame;
}

static int run_skb(const struct skep_prog *prog, struct skep_packet *packet, u64 *ret,
		   struct skep_diag *diag)
{
	bool second = prog->prog->type == PROG_TYPE_SOCKET_FILTER &&
		      !packet->at_network && packet->len >= ETHER_LEN;
	u8 *frame = second ? with_two_headers(packet) : NULL;
	struct __sk_buff ctx = {
		.mark = packet->mark,
		.priority = packet->priority,
		.ifindex = packet->ifindex > 1 ? packet->ifindex : 0,
		.wire_len = packet->wire_len,
		.gso_size = packet->gso_size,
		.gso_segs = packet->gso_segs,
		.tstamp = packet->tstamp,
		.hwtstamp = packet->hwtstamp,
	};
	struct kern_test test = {
		.prog_fd = prog->fd,
		.data = {packet->data, packet->len},
		.out = packet->out,
		.out_size = packet->out_size,
		.ctx = &ctx,
		.ctx_size = sizeof(ctx),
		.repeat = packet->repeat,
	};
	int err;

	if (second && !frame)
		return fail(diag, NO_MEMORY, NO_PC);
	if (frame)
		test.data = (struct bytes){frame, ETHER_LEN + (u64)packet->len};
	err = kern_test_run(&test);
	free(frame);
	if (err)
		return refused(prog, err, diag);
	*ret = test.ret;
	packet->run_ns = test.duration_ns;
	packet->mark = ctx.mark;
	packet->priority = ctx.priority;
	packet->queue_mapping = ctx.queue_mapping;
	packet->tstamp = ctx.tstamp;
	give_out(packet, test.out_len, second ? ETHER_LEN : 0);
	put_tag(&ctx, packet);
	return 0;
}

int kernel_run_packet(const struct skep_prog *prog, struct skep_packet *packet, u64 *ret,
		      struct skep_diag *diag)
{
	packet->clones = 0;
	packet->redirected = packet->redirect_to_map = false;
	return prog->prog->type == PROG_TYPE_XDP ? run_xdp(prog, packet, ret, diag)
						 : run_skb(prog, packet, ret, diag);
}
