/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting only the part of a list that is looked at. */
#ifndef TCPTOP_ORDER_H
#define TCPTOP_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct column_context;
struct column_sort;
struct row;

/* A row as it is sorted: most comparisons need no more than the rank. */
struct view_item {
	uint64_t rank;
	uint32_t row; /* index */
};

struct order {
	const struct row *rows; /* that the items' indices are of */
	const struct column_sort *sort;
	const struct column_context *context;
};

/* A total order: by rank, by the column's compare, and last by the session's key, which is always ascending. */
int order_compare(const struct order *order, const struct view_item *a, const struct view_item *b);

/* Puts the items that belong at [from, to) there, in order, in about linear time; the rest is in no order. */
void order_range(const struct order *order, struct view_item *items, size_t count, size_t from, size_t to);

#endif
