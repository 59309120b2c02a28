/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow by one. */
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

#endif
