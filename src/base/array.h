/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow by one, and what they took is given back. */
#ifndef TCPTOP_ARRAY_H
#define TCPTOP_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

/*
 * An array with room for one more than count: the same one, or one that holds twice as many (at first `least`), which the
 * caller takes in its place. NULL: no memory, and the array is as it was.
 */
static inline void *array_grow(void *array, size_t count, size_t *capacity, size_t least, size_t size)
{
	size_t grown = *capacity ? *capacity * 2 : least;

	if (count < *capacity)
		return array;
	array = reallocarray(array, grown, size);
	if (array)
		*capacity = grown;
	return array;
}

/*
 * The array to be filled again, after `used` of its places were: of more than `small` ones it is freed, and NULL, if less than
 * an eighth was, so that a crowd leaves nothing behind.
 */
static inline void *array_reuse(void *array, size_t used, size_t *capacity, size_t small)
{
	if (*capacity <= small || used >= *capacity / 8)
		return array;
	free(array);
	*capacity = 0;
	return NULL;
}

#endif
