/* SPDX-License-Identifier: Apache-2.0 */
/* What the C language lacks. */
#ifndef TCPTOP_UTIL_H
#define TCPTOP_UTIL_H

#include <stdint.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* -1, 0 or 1, for comparators: cannot overflow. */
#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

/* Adds to a sum of at most INT64_MAX, where it stays: readers of JSON refuse a line with a larger number. */
static inline void add_to_sum(uint64_t *sum, uint64_t amount)
{
	*sum = amount < INT64_MAX - *sum ? *sum + amount : INT64_MAX;
}

#endif
