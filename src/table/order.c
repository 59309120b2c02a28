/* SPDX-License-Identifier: Apache-2.0 */
#include "table/order.h"

#include <stdlib.h>

#include "base/util.h"
#include "model/rows.h"
#include "table/column.h"

int order_compare(const struct order *order, const struct view_item *a, const struct view_item *b)
{
	const struct row *left = &order->rows[a->row], *right = &order->rows[b->row];
	int result = COMPARE(a->rank, b->rank);

	if (!result && order->sort->column->compare)
		result = order->sort->column->compare(order->context, left, right);
	if (result)
		return order->sort->descending ? -result : result;
	/* Of what has nothing of it now, idle or not, that which had traffic last is looked for first. */
	if (!a->rank && (result = COMPARE(row_end(right)->clock_ns, row_end(left)->clock_ns)) != 0)
		return result;
	return session_compare_key(&left->session, &right->session);
}

static void swap(struct view_item *a, struct view_item *b)
{
	struct view_item kept = *a;

	*a = *b;
	*b = kept;
}

/* Median of three, so that a sorted list is no bad case. */
static struct view_item pivot_of(const struct order *order, struct view_item *items, size_t low, size_t high)
{
	size_t middle = low + (high - low) / 2;

	if (order_compare(order, &items[middle], &items[low]) < 0)
		swap(&items[middle], &items[low]);
	if (order_compare(order, &items[high], &items[low]) < 0)
		swap(&items[high], &items[low]);
	if (order_compare(order, &items[high], &items[middle]) < 0)
		swap(&items[high], &items[middle]);
	return items[middle];
}

/* Quickselect within [low, high]: item n gets into its place, with none that sorts after it before it. */
static void select_nth(const struct order *order, struct view_item *items, size_t low, size_t high, size_t n)
{
	while (low < high) {
		struct view_item pivot = pivot_of(order, items, low, high);
		size_t left = low, right = high;

		for (;;) {
			while (order_compare(order, &items[left], &pivot) < 0)
				left++;
			while (order_compare(order, &pivot, &items[right]) < 0)
				right--;
			if (left >= right)
				break;
			swap(&items[left++], &items[right--]);
		}
		/* Items are distinct, so right + 1 splits [low, high] in two parts that are both smaller. */
		if (left == right)
			right = left == low ? left : left - 1;
		if (n <= right)
			high = right;
		else
			low = right + 1;
	}
}

static int compare_items(const void *a, const void *b, void *order)
{
	return order_compare(order, a, b);
}

void order_range(const struct order *order, struct view_item *items, size_t count, size_t from, size_t to)
{
	struct order copy = *order;

	if (from)
		select_nth(order, items, 0, count - 1, from);
	if (to < count)
		select_nth(order, items, from, count - 1, to - 1);
	qsort_r(items + from, to - from, sizeof *items, compare_items, &copy);
}
