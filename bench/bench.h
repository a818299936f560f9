/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the benchmark programs share.  Each compiles from the same C to native code and to
 * BPF:
 *
 *	PROGRAM u64 bench(void *mem, u64 len)
 *
 * mem is 8-byte aligned.  Its first half is input that the program only reads, its second
 * half scratch memory that it may write; so every run does the same work.  No constant
 * tables, no external functions, stack below 512 bytes: pure computation on r1 and r2.
 * A program whose input must not be random bytes has a native function prepare() that
 * fills it.
 */
#ifndef SKEP_BENCH_H
#define SKEP_BENCH_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;

#ifdef __bpf__
#define PROGRAM __attribute__((section("syscall"), used))
char LICENSE[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
#else
#define PROGRAM
void prepare(void *mem, u64 len);
#endif
#define NOINLINE __attribute__((noinline))
#define INLINE   static inline __attribute__((always_inline))

u64 bench(void *mem, u64 len);

INLINE u64 input_size(u64 len)
{
	return len / 2;
}

INLINE void *scratch(void *mem, u64 len)
{
	return (u8 *)mem + len / 2;
}

INLINE u32 rotate32(u32 x, u32 by)
{
	return x << by | x >> (32 - by);
}

INLINE u64 rotate64(u64 x, u32 by)
{
	return x << by | x >> (64 - by);
}

/* The order of a test: what a table of random bytes is good for. */
INLINE u64 mix(u64 sum, u64 x)
{
	return rotate64(sum, 5) ^ x;
}

#endif
