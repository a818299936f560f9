/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded loops, which verifiers walk through iteration by iteration: for
 * skep-bench-verify.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))

struct xdp_md {
	u32 data, data_end;
};

enum { PASS = 2 };

static u32 (*const random32)(void) = (void *)7; /* bpf_get_prandom_u32() */

/* Of 128 bytes, bit by bit. */
SEC("xdp") int crc32(struct xdp_md *ctx)
{
	u8 *data = (u8 *)(long)ctx->data, *end = (u8 *)(long)ctx->data_end;
	u32 crc = ~0u;

	if (data + 128 > end)
		return PASS;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < 128; i++) {
		crc ^= data[i];
#pragma clang loop unroll(disable)
		for (u32 bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1) * 0xedb88320;
	}
	return crc ? PASS : PASS - 1;
}

/* The bits that are set in two buffers on the stack. */
SEC("xdp") int popcount(struct xdp_md *ctx)
{
	volatile u64 words[32];
	u32 bits = 0;

	(void)ctx;
#pragma clang loop unroll(disable)
	for (u32 i = 0; i < 32; i++)
		words[i] = random32() * (i + 1ull);
#pragma clang loop unroll(disable)
	for (u32 round = 0; round < 40; round++) {
#pragma clang loop unroll(disable)
		for (u32 i = 0; i < 32; i++) {
			u64 word = words[i & 31];

#pragma clang loop unroll(disable)
			for (u32 bit = 0; bit < 64; bit++)
				bits += word >> bit & 1;
		}
	}
	return bits > 100 ? PASS : PASS - 1;
}

/* Three loops in each other, with a condition that depends on all. */
SEC("xdp") int nested(struct xdp_md *ctx)
{
	u32 sum = random32();

	(void)ctx;

#pragma clang loop unroll(disable)
	for (u32 i = 0; i < 40; i++) {
#pragma clang loop unroll(disable)
		for (u32 j = 0; j < 40; j++) {
#pragma clang loop unroll(disable)
			for (u32 k = 0; k < 40; k++) {
				sum = (sum ^ k) + i * j;
			}
		}
	}
	return sum > 100 ? PASS : PASS - 1;
}

char _license[] SEC("license") = "Dual BSD/GPL";
