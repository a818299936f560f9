/* SPDX-License-Identifier: BSD-2-Clause */
/* Quicksort with its own stack of ranges, the last few by insertion. */
#include "bench.h"

enum { SMALL = 8, MAX_RANGES = 24 };

struct range {
	u32 low, high; /* [low, high) */
};

INLINE void insertion(u32 *a, struct range r)
{
	for (u32 i = r.low + 1; i < r.high; i++) {
		u32 x = a[i], at = i;

		for (; at > r.low && a[at - 1] > x; at--)
			a[at] = a[at - 1];
		a[at] = x;
	}
}

/* Hoare's partition; returns where the second part begins. */
INLINE u32 partition(u32 *a, struct range r)
{
	u32 pivot = a[(r.low + r.high) / 2], low = r.low, high = r.high - 1;

	for (;;) {
		u32 other;

		while (a[low] < pivot)
			low++;
		while (a[high] > pivot)
			high--;
		if (low >= high)
			return high + 1;
		other = a[low];
		a[low++] = a[high];
		a[high--] = other;
	}
}

PROGRAM u64 bench(void *mem, u64 len)
{
	u32 n = input_size(len) / sizeof(u32) - 2 * MAX_RANGES, depth = 1;
	const u32 *from = mem;
	u32 *a = scratch(mem, len);
	struct range *stack = (struct range *)(a + n);
	u64 sum = 0;

	for (u32 i = 0; i < n; i++)
		a[i] = from[i] >> 1;
	stack[0] = (struct range){0, n};
	while (depth) {
		struct range r = stack[--depth], left, right;

		if (r.high - r.low <= SMALL || depth + 2 > MAX_RANGES) {
			insertion(a, r);
			continue;
		}
		left = (struct range){r.low, partition(a, r)};
		right = (struct range){left.high, r.high};
		/* the larger part waits: the stack stays short */
		if (left.high - left.low > right.high - right.low) {
			stack[depth++] = left;
			stack[depth++] = right;
		} else {
			stack[depth++] = right;
			stack[depth++] = left;
		}
	}
	for (u32 i = 1; i < n; i++)
		sum = mix(sum, a[i] - a[i - 1]);
	return sum;
}
