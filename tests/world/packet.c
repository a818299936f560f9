/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets: their bytes stay right however they move, and contexts follow them.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/diag.h"
#include "check.h"
#include "world/contexts.h"
#include "world/lowmem.h"
#include "world/packet.h"
#include "world/skb.h"

static u8 bytes[PACKET_MAX_LEN + 1];

static bool holds(const struct packet *p, u32 from, u32 len)
{
	static u8 got[PACKET_MAX_LEN];

	return packet_len(p) == len && !packet_read(p, 0, got, len) &&
	       !memcmp(got, bytes + from, len);
}

static void low_memory_is_low_zeroed_and_has_an_end(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	u32 size = 5000, huge = UINT32_MAX;
	u8 *mem = lowmem_map(&size, &diag);

	CHECK(mem && size % 4096 == 0 && size >= 5000);
	CHECK((uintptr_t)mem + size <= 1ull << 32);
	CHECK(!mem[0] && !mem[size - 1]);
	lowmem_unmap(mem, size);
	CHECK(!lowmem_map(&huge, &diag));
	CHECK_STR(skep_diag_name(diag.id), "LOW_MEMORY_REFUSED");
}

static void any_split_holds_the_same_bytes(struct packet *p)
{
	static const u32 lens[] = {0, 1, 13, 14, 60, 1500, 9000, 70000, PACKET_MAX_LEN};
	static const u32 linears[] = {0, 1, 14, 3520, PACKET_MAX_LEN};

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
		for (size_t k = 0; k < ARRAY_SIZE(linears); k++) {
			CHECK_INT(packet_set_xdp(p, bytes, lens[i], linears[k]), 0);
			CHECK(holds(p, 0, lens[i]));
			CHECK_INT(packet_set_skb(p, bytes, lens[i], linears[k]), 0);
			CHECK(holds(p, 0, lens[i]));
			CHECK(p->n_frags <= PACKET_MAX_FRAGS);
			CHECK_INT(packet_pull(p, lens[i] / 2), 0);
			CHECK(holds(p, 0, lens[i]));
			CHECK(packet_at(p, 0, lens[i] / 2) == p->data);
			CHECK_INT(packet_pull(p, lens[i] + 1), -ENOMEM);
			CHECK_INT(packet_pull(p, lens[i]), 0);
			CHECK_INT(p->n_frags, 0);
			CHECK(holds(p, 0, lens[i]));
		}
	CHECK_INT(packet_set_xdp(p, bytes, PACKET_MAX_LEN + 1, 0), -EMSGSIZE);
}

static void reads_and_writes_cross_fragments_and_stop_at_the_end(struct packet *p)
{
	u8 got[9000], ones[9000];

	memset(ones, 0xff, sizeof(ones));
	packet_set_skb(p, bytes, 9000, 100);
	CHECK(!packet_at(p, 99, 2));
	CHECK(packet_at(p, 100, 4096));
	CHECK(!packet_at(p, 100, 4097));
	CHECK_INT(packet_write(p, 50, ones, 8900), 0);
	CHECK_INT(packet_read(p, 0, got, 9000), 0);
	CHECK(!memcmp(got, bytes, 50) && !memcmp(got + 50, ones, 8900) &&
	      !memcmp(got + 8950, bytes + 8950, 50));
	CHECK_INT(packet_read(p, 9000, got, 0), 0);
	CHECK_INT(packet_read(p, 9000, got, 1), -EFAULT);
	CHECK_INT(packet_read(p, UINT32_MAX, got, 2), -EFAULT);
	CHECK_INT(packet_write(p, 2, got, UINT32_MAX), -EFAULT);
}

/* A sequence of moves against a plain array. */
static void moves_agree_with_an_array(struct packet *p)
{
	static u8 model[64 * 1024];

	srand(7);
	for (int round = 0; round < 200; round++) {
		u32 len = (u32)rand() % 8000, at = 20000;

		packet_set_skb(p, bytes, len, (u32)rand() % 8000);
		memcpy(model + at, bytes, len);
		for (int step = 0; step < 10; step++) {
			u32 n = (u32)rand() % 64, off = len ? (u32)rand() % len : 0;

			switch (rand() % 5) {
			case 0:
				if (packet_pull(p, off) || packet_insert(p, off, n))
					break;
				memmove(model + at - n, model + at, off);
				at -= n;
				len += n;
				memset(model + at + off, 0, n);
				break;
			case 1:
				if (packet_remove(p, off, n))
					break;
				memmove(model + at + n, model + at, off);
				at += n;
				len -= n;
				break;
			case 2:
				if (packet_grow(p, len + n))
					break;
				memset(model + at + len, 0, n);
				len += n;
				break;
			case 3:
				packet_trim(p, off);
				len = off;
				break;
			default:
				if (packet_drop_front(p, n))
					break;
				at += n;
				len -= n;
			}
		}
		u8 got[20000];

		CHECK_INT(packet_len(p), len);
		CHECK(!packet_read(p, 0, got, len) && !memcmp(got, model + at, len));
	}
}

static void a_gap_behind_the_end_shows_nothing_old(struct packet *p)
{
	static const u8 zeroes[60];
	u8 got[60];

	packet_set_skb(p, bytes, 1000, 1000);
	packet_set_skb(p, bytes, 20, 20);
	CHECK_INT(packet_insert(p, 50, 40), 0);
	CHECK_INT(packet_len(p), 60);
	CHECK_INT(packet_read(p, 0, got, 60), 0);
	CHECK(!memcmp(got, bytes, 20) && !memcmp(got + 20, zeroes, 40));
	CHECK_INT(packet_insert(p, 1 << 20, 4), -ENOMEM);
}

static void an_xdp_frame_has_the_room_of_a_page(struct packet *p)
{
	struct xdp_md ctx;

	packet_set_xdp(p, bytes, 60, 60);
	xdp_ctx_init(&ctx, p, &(struct xdp_origin){.ingress_ifindex = 3});
	CHECK_INT(ctx.data_end - ctx.data, 60);
	CHECK_INT(ctx.data_meta, ctx.data);
	CHECK((uintptr_t)p->data == ctx.data);
	CHECK_INT(packet_push_front(p, PACKET_HEADROOM - XDP_FRAME_HEAD + 1), -ENOMEM);
	CHECK_INT(packet_push_front(p, PACKET_HEADROOM - XDP_FRAME_HEAD), 0);
	packet_set_xdp(p, bytes, 60, 60);
	CHECK_INT(packet_grow(p, XDP_LINEAR_MAX + 1), -ENOMEM);
	CHECK_INT(packet_grow(p, XDP_LINEAR_MAX), 0);
}

static const u8 tagged[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 2,    2, 2,    2, 2,
	0x81, 0x00, 0x61, 0x23, 0x81, 0x00, 0, 0x07, 8, 0x00, 1, 2,
};

static void the_outer_tag_moves_beside_the_bytes_and_back(struct packet *p)
{
	struct skb_origin origin = {.untag = true, .ifindex = 4};
	struct __sk_buff ctx;
	u8 out[64];

	packet_set_skb(p, tagged, sizeof(tagged), sizeof(tagged));
	CHECK_INT(skb_ctx_init(&ctx, p, &origin), 0);
	CHECK_INT(ctx.vlan_present, 1);
	CHECK_INT(ctx.vlan_tci, 0x6123);
	CHECK_INT(load_be16(&ctx.vlan_proto), 0x8100);
	CHECK_INT(load_be16(&ctx.protocol), 0x8100); /* the inner tag */
	CHECK_INT(ctx.len, sizeof(tagged) - 4);
	CHECK_INT(ctx.pkt_type, 1);
	CHECK_INT(skb_copy_out(p, out, sizeof(out)), sizeof(tagged));
	CHECK(!memcmp(out, tagged, sizeof(tagged)));
	CHECK_INT(skb_copy_out(p, out, 3), sizeof(tagged));

	origin.untag = false;
	packet_set_skb(p, tagged, sizeof(tagged), 5);
	CHECK_INT(skb_ctx_init(&ctx, p, &origin), 0);
	CHECK_INT(ctx.vlan_present, 0);
	CHECK_INT(ctx.len, sizeof(tagged));
	CHECK_INT(ctx.ifindex, 4);
}

static void other_links_and_views(struct packet *p)
{
	u8 frame[40] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60}, out[64];
	struct skb_origin origin = {.view = SKB_VIEW_NETWORK};
	struct __sk_buff ctx;

	packet_set_skb(p, frame, sizeof(frame), sizeof(frame));
	CHECK_INT(skb_ctx_init(&ctx, p, &origin), 0);
	CHECK_INT(ctx.len, 26);
	CHECK_INT(*p->data, 0x60);
	CHECK_INT(skb_copy_out(p, out, sizeof(out)), sizeof(frame));
	CHECK(!memcmp(out, frame, sizeof(frame)));
	origin.host_mac = (const u8 *)"\2\0\0\0\0\3";
	packet_set_skb(p, frame, sizeof(frame), sizeof(frame));
	CHECK_INT(skb_ctx_init(&ctx, p, &origin), 0);
	CHECK_INT(ctx.pkt_type, 3);
	packet_set_skb(p, frame, 13, 13);
	CHECK_INT(skb_ctx_init(&ctx, p, &origin), -EINVAL);

	origin = (struct skb_origin){.link = SKB_LINK_RAW_IP};
	packet_set_skb(p, frame + 14, 26, 26);
	CHECK_INT(skb_ctx_init(&ctx, p, &origin), 0);
	CHECK_INT(load_be16(&ctx.protocol), 0x86dd);
	CHECK_INT(ctx.len, 26);
	CHECK_INT(skb_copy_out(p, out, sizeof(out)), 26);
	packet_set_skb(p, NULL, 0, 0);
	CHECK_INT(skb_ctx_init(&ctx, p, &origin), 0);
	CHECK_INT(ctx.protocol, 0);

	/* a length where the type should be: LLC, or Novell's frames */
	frame[12] = 0, frame[13] = 26;
	packet_set_skb(p, frame, sizeof(frame), sizeof(frame));
	CHECK_INT(load_be16(&(u16){skb_protocol_at(p, 12)}), 4);
	frame[14] = frame[15] = 0xff;
	packet_set_skb(p, frame, sizeof(frame), sizeof(frame));
	CHECK_INT(load_be16(&(u16){skb_protocol_at(p, 12)}), 1);
}

int main(void)
{
	struct skep_diag diag = SKEP_DIAG_INIT;
	struct packet p;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)(i * 31 + i / 251);
	low_memory_is_low_zeroed_and_has_an_end();
	if (!CHECK(!packet_init(&p, &diag)))
		return check_report();
	any_split_holds_the_same_bytes(&p);
	reads_and_writes_cross_fragments_and_stop_at_the_end(&p);
	moves_agree_with_an_array(&p);
	a_gap_behind_the_end_shows_nothing_old(&p);
	an_xdp_frame_has_the_room_of_a_page(&p);
	the_outer_tag_moves_beside_the_bytes_and_back(&p);
	other_links_and_views(&p);
	packet_fini(&p);
	return check_report();
}
