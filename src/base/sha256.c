/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 of bytes in memory, as FIPS 180-4 section 6.2 says it.
 */
#include "base/sha256.h"

#include <string.h>

#include "base/bytes.h"

enum { BLOCK = 64, ROUNDS = 64 };

/* FIPS 180-4 4.2.2 */
static const u32 constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline u32 rotr(u32 x, u32 n)
{
	return x >> n | x << (32 - n);
}

static void schedule(const u8 *block, u32 w[ROUNDS])
{
	for (u32 i = 0; i < 16; i++)
		w[i] = load_u32_of(block + 4 * i, true);
	for (u32 i = 16; i < ROUNDS; i++) {
		u32 s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
		u32 s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

/* The working variables a to h stay where they are: round i finds a in place -i mod 8. */
static inline void one_round(u32 v[8], u32 i, u32 input)
{
	u32 a = v[-i & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7];
	u32 e = v[(4 - i) & 7], f = v[(5 - i) & 7], g = v[(6 - i) & 7];
	u32 t = v[(7 - i) & 7] + input + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
		((e & f) ^ (~e & g));

	v[(3 - i) & 7] += t;
	v[(7 - i) & 7] = t + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
			 ((a & b) ^ (a & c) ^ (b & c));
}

static void compress(u32 h[8], const u8 *block)
{
	u32 w[ROUNDS], v[8];

	schedule(block, w);
	memcpy(v, h, sizeof(v));
	for (u32 i = 0; i < ROUNDS; i += 8) {
#pragma GCC unroll 8
		for (u32 k = 0; k < 8; k++)
			one_round(v, k, constants[i + k] + w[i + k]);
	}
	for (u32 i = 0; i < 8; i++)
		h[i] += v[i];
}

/* What is left of the data, a 1, zeroes, and its length in bits. */
static void finish(u32 h[8], const u8 *rest, size_t len)
{
	u8 last[2 * BLOCK] = {0};
	size_t left = len % BLOCK, size = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;

	if (left)
		memcpy(last, rest, left);
	last[left] = 0x80;
	for (u32 i = 0; i < 8; i++)
		last[size - 1 - i] = (u8)((u64)len * 8 >> 8 * i);
	for (size_t i = 0; i < size; i += BLOCK)
		compress(h, last + i);
}

void sha256(const void *data, size_t len, u8 digest[SHA256_LEN])
{
	u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	const u8 *at = data;

	for (size_t i = 0; i < len / BLOCK; i++, at += BLOCK)
		compress(h, at);
	finish(h, at, len);
	for (u32 i = 0; i < SHA256_LEN; i++)
		digest[i] = (u8)(h[i / 4] >> (24 - 8 * (i % 4)));
}
