/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's short names for fixed-width integers, and the few macros that C lacks.
 * Anybody may include this.
 */
#ifndef SKEP_BASE_TYPES_H
#define SKEP_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Symbols of the installed API; everything else is hidden in the shared library. */
#define SKEP_API __attribute__((visibility("default")))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

static inline u64 round_up(u64 n, u64 power_of_two)
{
	return (n + power_of_two - 1) & ~(power_of_two - 1);
}

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

#endif
