/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting only the part of a list that is looked at. */
#ifndef TCPTOP_ORDER_H
#define TCPTOP_ORDER_H

#include <stddef.h>

struct column_context;
struct column_sort;
struct row;
struct view_item;

struct view_order {
	const struct row *rows; /* what items' row counts in */
	const struct column_sort *sort;
	const struct column_context *context;
};

/* A total order, as column_compare's, over items that carry their row's rank. */
int view_order_compare(const struct view_order *order, const struct view_item *a, const struct view_item *b);

/* Puts what belongs at [from, to) there, in order, in about linear time; the rest around it in any order. */
void view_order_range(
    const struct view_order *order, struct view_item *items, size_t count, size_t from, size_t to);

#endif
