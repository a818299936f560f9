/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynptrs: memory of a size that is known when the program runs, with an offset into it.
 * The 16 bytes are on the program's stack, laid out as Linux does it; the verifier sees
 * to it that nobody else writes them.  Where nobody verified, memory is asked about
 * before it is touched, so that a forged one reaches nothing that the program could not.
 *
 * Packets are read and written through the helpers for them, wherever their bytes are; a
 * slice is a piece of the packet when it lies in one.
 */
#include <string.h>

#include "abi/abi.h"
#include "base/bytes.h"
#include "helpers/bodies.h"
#include "maps/map.h"
#include "prog/prog.h"

struct dynptr {
	void *data; /* NULL: no memory.  Of a packet: anything else */
	u32 size;   /* 24 bits; kind; read-only */
	u32 offset;
};

_Static_assert(sizeof(struct dynptr) == ABI_DYNPTR_SIZE, "as the program has it");

enum { SIZE_MAX_ = (1 << 24) - 1, KIND_SHIFT = 28, COPY_CHUNK = 256 };
static const u32 RDONLY = 1u << 31;

enum kind { LOCAL = 1, RING, SKB, XDP };

static u32 size_of(const struct dynptr *d)
{
	return d->size & SIZE_MAX_;
}

static u32 kind_of(const struct dynptr *d)
{
	return (d->size & ~RDONLY) >> KIND_SHIFT;
}

static bool is_memory(const struct dynptr *d)
{
	return kind_of(d) == LOCAL || kind_of(d) == RING;
}

static bool is_rdonly(const struct dynptr *d)
{
	return d->size & RDONLY;
}

static bool has_room(const struct dynptr *d, u32 offset, u32 len)
{
	return len <= size_of(d) && offset <= size_of(d) - len;
}

static s64 make(struct dynptr *d, void *data, u32 size, enum kind kind)
{
	if (size > SIZE_MAX_) {
		*d = (struct dynptr){0};
		return -E2BIG;
	}
	*d = (struct dynptr){data, size | (u32)kind << KIND_SHIFT, 0};
	return 0;
}

static s64 refuse(struct dynptr *d, s64 err)
{
	*d = (struct dynptr){0};
	return err;
}

/* ---- reaching what is behind ---- */

static u8 *place_in(struct run *run, const struct dynptr *d, u32 offset, u32 len,
		    bool write)
{
	u8 *at = (u8 *)d->data + d->offset + offset;

	if (len && run->may_access && run->may_access(run, (uintptr_t)at, len, write))
		return NULL;
	return at;
}

/* A packet of another kind has another context: nobody verified who made such a one. */
static bool suits(const struct run *run, const struct dynptr *d)
{
	u32 type = run->prog->type;

	if (kind_of(d) == SKB)
		return type && type != PROG_TYPE_XDP;
	return kind_of(d) != XDP || type == PROG_TYPE_XDP;
}

/* A piece of it, when it lies in one; NULL. */
static u8 *piece(struct run *run, const struct dynptr *d, u32 offset, u32 len)
{
	struct packet *p = run->packet;
	u32 at = d->offset + offset;

	if (is_memory(d))
		return (u8 *)d->data + at;
	if (!p || !suits(run, d) ||
	    (kind_of(d) == SKB && (u64)at + len > packet_linear_len(p)))
		return NULL;
	return packet_at(p, at, len);
}

static s64 get(struct run *run, const struct dynptr *d, u32 offset, void *to, u32 len)
{
	u32 at = d->offset + offset;
	const u8 *from;

	if (!d->data)
		return -EINVAL;
	if (!has_room(d, offset, len))
		return -E2BIG;
	if (!suits(run, d))
		return -EINVAL;
	if (kind_of(d) == SKB)
		return (s64)helper_skb_load_bytes(run, 0, at, (uintptr_t)to, len, 0);
	if (kind_of(d) == XDP)
		return (s64)helper_xdp_load_bytes(run, 0, at, (uintptr_t)to, len, 0);
	from = place_in(run, d, offset, len, false);
	if (!from)
		return -EINVAL;
	memmove(to, from, len);
	return 0;
}

static s64 put(struct run *run, const struct dynptr *d, u32 offset, const void *from,
	       u32 len, u64 flags)
{
	u32 at = d->offset + offset;
	u8 *to;

	if (!d->data || is_rdonly(d))
		return -EINVAL;
	if (!has_room(d, offset, len))
		return -E2BIG;
	if (!suits(run, d))
		return -EINVAL;
	if (kind_of(d) == SKB)
		return (s64)helper_skb_store_bytes(run, 0, at, (uintptr_t)from, len,
						   flags);
	if (flags)
		return -EINVAL;
	if (kind_of(d) == XDP)
		return (s64)helper_xdp_store_bytes(run, 0, at, (uintptr_t)from, len, 0);
	to = place_in(run, d, offset, len, true);
	if (!to)
		return -EINVAL;
	memmove(to, from, len);
	return 0;
}

/* ---- helpers ---- */

HELPER(dynptr_from_mem)
{
	struct dynptr *d = pointer(r4);

	if ((u32)r2 > SIZE_MAX_)
		return answer(refuse(d, -E2BIG));
	if (r3)
		return answer(refuse(d, -EINVAL));
	return answer(make(d, pointer(r1), (u32)r2, LOCAL));
}

HELPER(dynptr_read)
{
	return answer(r5 ? -EINVAL
			 : get(run, pointer(r3), (u32)r4, pointer(r1), (u32)r2));
}

HELPER(dynptr_write)
{
	return answer(put(run, pointer(r1), (u32)r2, pointer(r3), (u32)r4, r5));
}

/* Pieces of packets are slices. */
HELPER(dynptr_data)
{
	const struct dynptr *d = pointer(r1);

	if (!d->data || is_rdonly(d) || !is_memory(d) || !has_room(d, (u32)r2, (u32)r3))
		return 0;
	return (uintptr_t)d->data + d->offset + (u32)r2;
}

HELPER(ringbuf_reserve_dynptr)
{
	struct dynptr *d = pointer(r4);
	u64 record;

	if (r3)
		return answer(refuse(d, -EINVAL));
	if ((u32)r2 > SIZE_MAX_)
		return answer(refuse(d, -E2BIG));
	record = helper_ringbuf_reserve(run, r1, (u32)r2, 0, 0, 0);
	if (!record)
		return answer(refuse(d, -EINVAL));
	return answer(make(d, pointer(record), (u32)r2, RING));
}

HELPER(ringbuf_submit_dynptr)
{
	struct dynptr *d = pointer(r1);

	if (d->data)
		helper_ringbuf_submit(run, (uintptr_t)d->data, r2, 0, 0, 0);
	*d = (struct dynptr){0};
	return 0;
}

HELPER(ringbuf_discard_dynptr)
{
	struct dynptr *d = pointer(r1);

	if (d->data)
		helper_ringbuf_discard(run, (uintptr_t)d->data, r2, 0, 0, 0);
	*d = (struct dynptr){0};
	return 0;
}

/* ---- packets ---- */

static bool is_written_by(u32 prog_type)
{
	return prog_type == PROG_TYPE_SCHED_CLS || prog_type == PROG_TYPE_SCHED_ACT ||
	       prog_type == PROG_TYPE_LWT_XMIT || prog_type == PROG_TYPE_SK_SKB;
}

KFUNC(bpf_dynptr_from_skb)
{
	struct dynptr *d = pointer(r3);
	s64 err;

	if (!run->packet)
		return no_packet(run);
	if (r2)
		return answer_int(refuse(d, -EINVAL));
	err = make(d, run->packet, packet_len(run->packet), SKB);
	if (!err && !is_written_by(run->prog->type))
		d->size |= RDONLY;
	return answer_int(err);
}

KFUNC(bpf_dynptr_from_xdp)
{
	struct dynptr *d = pointer(r3);

	if (!run->packet)
		return no_packet(run);
	if (r2)
		return answer_int(refuse(d, -EINVAL));
	return answer_int(make(d, run->packet, packet_len(run->packet), XDP));
}

/* ---- slices ---- */

/* What lies in several pieces is copied to the buffer, if there is one. */
static u64 slice(struct run *run, const struct dynptr *d, u32 offset,
		 const struct bytes *buffer)
{
	u32 len = (u32)buffer->len;
	u8 *at;

	if (!d->data || !has_room(d, offset, len))
		return 0;
	at = piece(run, d, offset, len);
	if (at || !buffer->data)
		return (uintptr_t)at;
	return get(run, d, offset, (void *)buffer->data, len) ? 0
							      : (uintptr_t)buffer->data;
}

KFUNC(bpf_dynptr_slice)
{
	const struct bytes buffer = {pointer(r3), (u32)r4};

	return slice(run, pointer(r1), (u32)r2, &buffer);
}

KFUNC(bpf_dynptr_slice_rdwr)
{
	const struct bytes buffer = {pointer(r3), (u32)r4};
	const struct dynptr *d = pointer(r1);

	return is_rdonly(d) ? 0 : slice(run, d, (u32)r2, &buffer);
}

/* ---- dynptrs themselves ---- */

KFUNC(bpf_dynptr_adjust)
{
	struct dynptr *d = pointer(r1);
	u32 start = (u32)r2, end = (u32)r3;

	if (!d->data || start > end)
		return answer_int(-EINVAL);
	if (end > size_of(d))
		return answer_int(-ERANGE);
	d->offset += start;
	d->size = (d->size & ~(u32)SIZE_MAX_) | (end - start);
	return 0;
}

KFUNC(bpf_dynptr_is_null)
{
	return !((const struct dynptr *)pointer(r1))->data;
}

KFUNC(bpf_dynptr_is_rdonly)
{
	const struct dynptr *d = pointer(r1);

	return d->data && is_rdonly(d);
}

KFUNC(bpf_dynptr_size)
{
	const struct dynptr *d = pointer(r1);

	return d->data ? size_of(d) : answer_int(-EINVAL);
}

KFUNC(bpf_dynptr_clone)
{
	const struct dynptr *d = pointer(r1);

	*(struct dynptr *)pointer(r2) = d->data ? *d : (struct dynptr){0};
	return d->data ? 0 : answer_int(-EINVAL);
}

/* Part of what is behind one. */
struct range {
	const struct dynptr *d;
	u32 offset, len;
};

static s64 check_range(const struct range *r, bool write)
{
	if (!r->d->data || (write && is_rdonly(r->d)))
		return -EINVAL;
	return has_room(r->d, r->offset, r->len) ? 0 : -E2BIG;
}

/* NULL: it does not lie in one piece, or must not be touched. */
static u8 *whole(struct run *run, const struct range *r, bool write)
{
	if (check_range(r, write))
		return NULL;
	if (is_memory(r->d))
		return place_in(run, r->d, r->offset, r->len, write);
	return piece(run, r->d, r->offset, r->len);
}

/* Forward, whatever overlaps: as Linux. */
static s64 copy_in_chunks(struct run *run, const struct range *to,
			  const struct range *from)
{
	u8 chunk[COPY_CHUNK];
	s64 err = 0;

	for (u32 done = 0, n; done < to->len && !err; done += n) {
		n = (u32)min_u64(to->len - done, sizeof(chunk));
		err = get(run, from->d, from->offset + done, chunk, n);
		if (!err)
			err = put(run, to->d, to->offset + done, chunk, n, 0);
	}
	return err;
}

/* What lies in one piece on both sides may overlap. */
KFUNC(bpf_dynptr_copy)
{
	const struct range to = {pointer(r1), (u32)r2, (u32)r5};
	const struct range from = {pointer(r3), (u32)r4, (u32)r5};
	u8 *dst = whole(run, &to, true);
	const u8 *src = whole(run, &from, false);
	s64 err = 0;

	if (dst && src) {
		memmove(dst, src, to.len);
		return 0;
	}
	if (dst)
		err = check_range(&from, false);
	else if (src)
		err = check_range(&to, true);
	else if (!has_room(to.d, to.offset, to.len) ||
		 !has_room(from.d, from.offset, from.len))
		err = -E2BIG;
	return answer_int(err ? err : copy_in_chunks(run, &to, &from));
}

/* To fill nothing of none is no error. */
KFUNC(bpf_dynptr_memset)
{
	const struct dynptr *d = pointer(r1);
	u32 at = (u32)r2, len = (u32)r3;
	u8 chunk[COPY_CHUNK];
	s64 err = 0;

	if (is_rdonly(d))
		return answer_int(-EINVAL);
	if (!has_room(d, at, len))
		return answer_int(-E2BIG);
	memset(chunk, (u8)r4, sizeof(chunk));
	for (u32 done = 0, n; done < len && !err; done += n) {
		n = (u32)min_u64(len - done, sizeof(chunk));
		err = put(run, d, at + done, chunk, n, 0);
	}
	return answer_int(err);
}
