/* SPDX-License-Identifier: BSD-2-Clause */
/* Heap sort of 512 words: children at computed indices, exchanges, no calls. */
#include "bench.h"

enum { WORDS = 512 };

INLINE void sift_down(u32 *heap, u32 at, u32 n)
{
	u32 moved = heap[at];

	for (u32 child = 2 * at + 1; child < n; child = 2 * at + 1) {
		if (child + 1 < n && heap[child + 1] > heap[child])
			child++;
		if (heap[child] <= moved)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

PROGRAM u64 bench(void *mem, u64 len)
{
	const u32 *input = mem;
	u32 *heap = scratch(mem, len);
	u64 sum = 0;

	for (u32 i = 0; i < WORDS; i++)
		heap[i] = input[i];
	for (u32 i = WORDS / 2; i-- > 0;)
		sift_down(heap, i, WORDS);
	for (u32 n = WORDS; n-- > 1;) {
		u32 largest = heap[0];

		heap[0] = heap[n];
		heap[n] = largest;
		sift_down(heap, 0, n);
	}
	for (u32 i = 0; i < WORDS; i++)
		sum = mix(sum, heap[i]);
	return sum;
}
