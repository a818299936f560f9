/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vector doubles when it is full, so pushing is constant time on average.
 */
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct vec *v, size_t need)
{
	size_t cap = v->cap ? v->cap : 8, bytes;

	if (need <= v->cap)
		return true;
	while (cap < need) {
		if (__builtin_mul_overflow(cap, (size_t)2, &cap))
			return false;
	}
	if (__builtin_mul_overflow(cap, v->elem_size, &bytes))
		return false;
	void *data = realloc(v->data, bytes);
	if (!data)
		return false;
	v->data = data;
	v->cap = cap;
	return true;
}

void *vec_push_many(struct vec *v, size_t n)
{
	if (n > SIZE_MAX - v->len || !reserve(v, v->len + n))
		return NULL;
	void *first = vec_at(v, v->len);
	if (n)
		memset(first, 0, n * v->elem_size);
	v->len += n;
	return first;
}

void *vec_push(struct vec *v)
{
	return vec_push_many(v, 1);
}

void vec_fini(struct vec *v)
{
	free(v->data);
	*v = (struct vec){.elem_size = v->elem_size};
}
