/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing array of equal elements, on the heap.  Elements move when it grows: keep
 *indices, not pointers. Anybody may include this.
 *
 *	struct vec marks = VEC_INIT(struct mark);
 *	struct mark *m = vec_push(&marks);		zeroed; NULL when memory is out
 *	for (size_t i = 0; i < marks.len; i++)
 *		use(vec_at(&marks, i));
 *	vec_fini(&marks);
 */
#ifndef SKEP_BASE_VEC_H
#define SKEP_BASE_VEC_H

#include "base/types.h"

struct vec {
	void *data; /* owned */
	size_t len, cap;
	size_t elem_size;
};

#define VEC_INIT(type)                                                                   \
	{                                                                                \
		.elem_size = sizeof(type)                                                \
	}

void *vec_push(struct vec *v); /* one more element, zeroed; NULL when memory is out */
void *vec_push_many(struct vec *v, size_t n); /* n more; the first of them */
void vec_fini(struct vec *v); /* frees; the vector is empty and usable again */

static inline void *vec_at(const struct vec *v, size_t i)
{
	return (char *)v->data + i * v->elem_size;
}

static inline void vec_clear(struct vec *v)
{
	v->len = 0;
}

#endif
