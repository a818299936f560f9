/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that somebody else wrote: unaligned loads and stores of either byte order, and a
 * slice of memory whose bounds are checked where it is entered.  Nothing here guesses at
 * alignment. Anybody may include this.
 */
#ifndef SKEP_BASE_BYTES_H
#define SKEP_BASE_BYTES_H

#include <string.h>

#include "base/types.h"

/* A slice of somebody else's memory: borrowed, never freed through this. */
struct bytes {
	const u8 *data;
	u64 len;
};

/* The part [off, off + len), or data == NULL when it is not wholly inside. */
static inline struct bytes bytes_slice(struct bytes b, u64 off, u64 len)
{
	if (off > b.len || len > b.len - off)
		return (struct bytes){0};
	return (struct bytes){b.data + off, len};
}

/* The NUL-terminated string at off, or NULL when it does not end inside. */
static inline const char *bytes_string(struct bytes b, u64 off)
{
	if (off >= b.len || !memchr(b.data + off, 0, b.len - off))
		return NULL;
	return (const char *)b.data + off;
}

static inline bool bytes_all_zero(struct bytes b)
{
	for (u64 i = 0; i < b.len; i++) {
		if (b.data[i])
			return false;
	}
	return true;
}

static inline bool host_is_big_endian(void)
{
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}

static inline u8 load_u8(const void *p)
{
	return *(const u8 *)p;
}

static inline u16 load_u16(const void *p)
{
	u16 v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u32 load_u32(const void *p)
{
	u32 v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u64 load_u64(const void *p)
{
	u64 v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* The n < 8 bytes at p as a word in memory would begin with them; its others are 0.  Not
 * copied into one: loading what was just stored in pieces is slow. */
static inline u64 load_short(const void *p, u32 n)
{
	const u8 *at = p;
	u32 bits = host_is_big_endian() ? 64 : 0; /* are left, or are done */
	u64 word = 0;

	for (u32 size = 4; size; size /= 2) {
		u64 part;

		if (!(n & size))
			continue;
		part = size == 4 ? load_u32(at) : size == 2 ? load_u16(at) : *at;
		bits -= host_is_big_endian() ? 8 * size : 0;
		word |= part << bits;
		bits += host_is_big_endian() ? 0 : 8 * size;
		at += size;
	}
	return word;
}

static inline void store_u8(void *p, u8 v)
{
	*(u8 *)p = v;
}

static inline void store_u16(void *p, u16 v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void store_u32(void *p, u32 v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void store_u64(void *p, u64 v)
{
	memcpy(p, &v, sizeof(v));
}

/* The load_*_of family reads the byte order of the file, not of the host. */
static inline u16 load_u16_of(const void *p, bool big_endian)
{
	u16 v = load_u16(p);
	return big_endian == host_is_big_endian() ? v : __builtin_bswap16(v);
}

static inline u32 load_u32_of(const void *p, bool big_endian)
{
	u32 v = load_u32(p);
	return big_endian == host_is_big_endian() ? v : __builtin_bswap32(v);
}

static inline u64 load_u64_of(const void *p, bool big_endian)
{
	u64 v = load_u64(p);
	return big_endian == host_is_big_endian() ? v : __builtin_bswap64(v);
}

static inline u16 load_be16(const void *p)
{
	return load_u16_of(p, true);
}

static inline u32 load_be32(const void *p)
{
	return load_u32_of(p, true);
}

static inline void store_be16(void *p, u16 v)
{
	store_u16(p, host_is_big_endian() ? v : __builtin_bswap16(v));
}

static inline void store_be32(void *p, u32 v)
{
	store_u32(p, host_is_big_endian() ? v : __builtin_bswap32(v));
}

#endif
