/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model/rows.h"
#include "table/column.h"
#include "table/order.h"

enum { COUNT = 500 };

struct fixture {
	struct row rows[COUNT];
	struct view_item items[COUNT];
	struct column_context context;
	struct column_sort sort;
	struct order order;
};

/* Rows with few different ranks, so that the tie-break decides often. */
static void fill(struct fixture *fixture, bool descending)
{
	memset(fixture, 0, sizeof *fixture);
	fixture->sort = (struct column_sort){ .column = column_find("rx"), .descending = descending };
	fixture->order = (struct order){ fixture->rows, &fixture->sort, &fixture->context };
	for (uint32_t i = 0; i < COUNT; i++) {
		fixture->rows[i].session.pid = i;
		fixture->rows[i].session.rx_bytes = (uint64_t)rand() % 20;
		fixture->items[i].row = i;
		fixture->items[i].rank = fixture->rows[i].session.rx_bytes;
	}
}

static void any_range_is_what_sorting_all_gives(void **state)
{
	static struct fixture whole, part;

	(void)state;
	srand(11);
	for (int step = 0; step < 300; step++) {
		size_t from = (size_t)rand() % COUNT, to = from + 1 + (size_t)rand() % (COUNT - from);

		fill(&whole, step % 2);
		part = whole;
		part.order = (struct order){ part.rows, &part.sort, &part.context };
		order_range(&whole.order, whole.items, COUNT, 0, COUNT);
		order_range(&part.order, part.items, COUNT, from, to);
		assert_memory_equal(&part.items[from], &whole.items[from], (to - from) * sizeof *part.items);
		for (size_t i = 1; i < COUNT; i++)
			assert_true(order_compare(&whole.order, &whole.items[i - 1], &whole.items[i]) < 0);
	}
}

static void equal_ranks_are_in_the_order_of_keys_both_ways(void **state)
{
	static struct fixture fixture;

	(void)state;
	for (int descending = 0; descending < 2; descending++) {
		fill(&fixture, descending);
		for (uint32_t i = 0; i < COUNT; i++)
			fixture.rows[i].session.rx_bytes = fixture.items[i].rank = 5;
		order_range(&fixture.order, fixture.items, COUNT, 0, COUNT);
		for (uint32_t i = 0; i < COUNT; i++)
			assert_int_equal(fixture.items[i].row, i);
	}
}

static void of_equal_zeros_that_which_was_seen_last_comes_first(void **state)
{
	static struct fixture fixture;

	(void)state;
	for (int descending = 0; descending < 2; descending++) {
		fill(&fixture, descending);
		for (uint32_t i = 0; i < COUNT; i++) {
			fixture.items[i].rank = i == 7;
			fixture.rows[i].last.clock_ns = 1 + i / 2;
			/* That is what the column LAST shows of a closed one. */
			fixture.rows[i].closed.clock_ns = i == 100 ? COUNT : 0;
		}
		order_range(&fixture.order, fixture.items, COUNT, 0, COUNT);
		assert_int_equal(fixture.items[descending ? 0 : COUNT - 1].row, 7);
		assert_int_equal(fixture.items[descending ? 1 : 0].row, 100);
		assert_int_equal(fixture.items[descending ? 2 : 1].row, COUNT - 2);
		assert_int_equal(fixture.items[descending ? 3 : 2].row, COUNT - 1);
		assert_int_equal(fixture.items[descending ? 4 : 3].row, COUNT - 4);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_range_is_what_sorting_all_gives),
		cmocka_unit_test(equal_ranks_are_in_the_order_of_keys_both_ways),
		cmocka_unit_test(of_equal_zeros_that_which_was_seen_last_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
