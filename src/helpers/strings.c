/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers and comparisons of text: bpf_strtol, bpf_strtoul, bpf_strncmp.
 */
#include "base/bytes.h"
#include "helpers/bodies.h"
#include "helpers/chars.h"

enum { BASE_MASK = 0x1f };

struct number {
	u64 value;
	bool negative;
};

static u8 lower(u8 c)
{
	return c >= 'A' && c <= 'Z' ? (u8)(c + 'a' - 'A') : c;
}

/* 0 to 15; 16: no digit. */
static u32 digit(u8 c)
{
	c = lower(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10u : 16;
}

/* The byte at i, or 0 behind the end. */
static u8 at(struct bytes text, u64 i)
{
	return i < text.len ? text.data[i] : 0;
}

static bool has_0x(struct bytes text)
{
	return at(text, 0) == '0' && lower(at(text, 1)) == 'x';
}

static u32 guess_base(struct bytes text)
{
	if (at(text, 0) != '0')
		return 10;
	return has_0x(text) && digit(at(text, 2)) < 16 ? 16 : 8;
}

/* Returns how many bytes were read, or a negative errno. */
static s64 read_digits(struct bytes text, u32 base, u64 *value)
{
	u64 start, i;
	bool overflow = false;

	if (!base)
		base = guess_base(text);
	start = i = base == 16 && has_0x(text) ? 2 : 0;
	for (*value = 0; digit(at(text, i)) < base; i++) {
		overflow |= __builtin_mul_overflow(*value, base, value);
		overflow |= __builtin_add_overflow(*value, digit(at(text, i)), value);
	}
	if (overflow)
		return -ERANGE;
	return i == start ? -EINVAL : (s64)i;
}

static s64 read_number(struct bytes text, u64 flags, struct number *number)
{
	enum { MAX_DIGITS = 63 }; /* Linux looks at no more */
	u32 base = flags & BASE_MASK;
	u64 skipped = 0;
	s64 n;

	if (flags & ~(u64)BASE_MASK || (base && base != 8 && base != 10 && base != 16))
		return -EINVAL;
	while (skipped < text.len && is_space(text.data[skipped]))
		skipped++;
	number->negative = at(text, skipped) == '-';
	skipped += number->negative;
	if (skipped >= text.len)
		return -EINVAL;
	text = bytes_slice(text, skipped, min_u64(text.len - skipped, MAX_DIGITS));
	n = read_digits(text, base, &number->value);
	return n < 0 ? n : n + (s64)skipped;
}

HELPER(strtoul)
{
	struct number number;
	s64 n = read_number((struct bytes){pointer(r1), r2}, r3, &number);

	if (n >= 0 && number.negative)
		n = -EINVAL;
	store_u64(pointer(r4), n < 0 ? 0 : number.value);
	return answer(n);
}

HELPER(strtol)
{
	struct number number;
	s64 n = read_number((struct bytes){pointer(r1), r2}, r3, &number);

	if (n >= 0 && number.value > (u64)INT64_MAX + number.negative)
		n = -ERANGE;
	if (n >= 0 && number.negative)
		number.value = -number.value;
	store_u64(pointer(r4), n < 0 ? 0 : number.value);
	return answer(n);
}

HELPER(strncmp)
{
	const u8 *a = pointer(r1), *b = pointer(r3);
	u32 size = (u32)r2;

	for (u32 i = 0; i < size; i++) {
		if (a[i] != b[i])
			return answer(a[i] < b[i] ? -1 : 1);
		if (!a[i])
			break;
	}
	return 0;
}
