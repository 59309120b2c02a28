/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "cmocka_names.h"
#include "model/audit.h"
#include "model/snapshot.h"
#include "trace/counted.h"
#include "trace/ended.h"
#include "trace/told.h"

static struct counted_list list_of(const struct counted *counted, size_t count)
{
	struct counted_list list = { calloc(count, sizeof *counted), count };

	assert_non_null(list.all);
	for (size_t i = 0; i < count; i++)
		list.all[i] = counted[i];
	counted_unite(&list);
	return list;
}

static void test_one_of_each_key(void **state)
{
	static const struct counted counted[] = {
		{ 9, 1, 2, .row = 3, .pid = 7 },
		{ 4, .ends = 1 },
		{ 9, 10, 20, .row = 4, .pid = 7 },
		{ 4, 5, 6, .row = 1, .pid = 7 },
		{ 4, 0, 1, .row = 2, .pid = 8 },
	};
	struct counted_list list = list_of(counted, COUNT_OF(counted));
	struct counted four = counted_find(&list, 4), nine = counted_find(&list, 9);

	(void)state;
	assert_int_equal(list.count, 2);
	assert_int_equal(four.tx_bytes, 5);
	assert_int_equal(four.rx_bytes, 7);
	assert_int_equal(four.ends, 1);
	assert_true(four.by_others);
	assert_int_equal(nine.tx_bytes, 11);
	assert_int_equal(nine.rx_bytes, 22);
	assert_int_equal(nine.pid, 7);
	assert_true(nine.row == 3 || nine.row == 4);
	assert_false(nine.by_others);
	assert_int_equal(counted_find(&list, 5).tx_bytes, 0);
	counted_fini(&list);
	assert_int_equal(counted_find(&list, 4).key_hash, 4);
}

/* Of sockets that a pass has told of the audit has the bytes itself; places are of another interval's snapshot. */
static void test_intervals_add_up(void **state)
{
	static const struct counted counted[] = {
		{ 1, 100, 10, .row = 1, .pid = 7 },
		{ 2, 100, 10, .ends = 1, .row = 2, .pid = 7, .is_told = true },
	};
	struct counted_list interval = list_of(counted, COUNT_OF(counted)), list = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(counted_add(&list, &interval), 0);
	struct counted one = counted_find(&list, 1), told = counted_find(&list, 2);

	assert_int_equal(list.count, 2);
	assert_int_equal(one.tx_bytes, 300);
	assert_int_equal(one.rx_bytes, 30);
	assert_int_equal(one.row, 0);
	assert_int_equal(one.pid, 7);
	assert_int_equal(told.tx_bytes + told.rx_bytes, 0);
	assert_int_equal(told.ends, 3);
	assert_true(told.is_told);
	counted_fini(&list);
	counted_fini(&interval);
}

/* However long there is no pass, it stays bounded: then nothing is known. */
static void test_too_many_are_none(void **state)
{
	enum { CROWD = 50000 };
	struct counted *counted = calloc(CROWD, sizeof *counted);
	struct counted_list list = { 0 };

	(void)state;
	assert_non_null(counted);
	for (uint64_t round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < CROWD; i++)
			counted[i] = (struct counted){ .key_hash = round * CROWD + i, .tx_bytes = 1 };
		struct counted_list interval = list_of(counted, CROWD);

		assert_int_equal(counted_add(&list, &interval) == 0, round == 0);
		assert_int_equal(list.count, round == 0 ? CROWD : 0);
		counted_fini(&interval);
	}
	assert_int_equal(counted_find(&list, 1).tx_bytes, 0);
	free(counted);
	counted_fini(&list);
}

static uint64_t interval_ends(struct audit *audit, struct earlier *earlier, bool has_pass)
{
	static const struct told none;
	struct snapshot snapshot;

	snapshot_init(&snapshot);
	snapshot.notes_connections = true;
	snapshot.sockets.cpu_ns = has_pass;
	assert_int_equal(ended_audit(audit, earlier, &none, &snapshot), 0);
	snapshot_fini(&snapshot);
	usleep(1000);
	return clock_now_ns();
}

/*
 * What a pass has left out, and the one before, has moved bytes in intervals whose counts are not kept any more: born then, it
 * is not one of which all was counted.
 */
static void test_counts_go_back_to_the_pass_before(void **state)
{
	struct audit audit = { 0 };
	struct earlier earlier = { 0 };
	uint64_t first = interval_ends(&audit, &earlier, true),
	         second = interval_ends(&audit, &earlier, true);

	(void)state;
	assert_true(earlier.since_ns < first);
	uint64_t third = interval_ends(&audit, &earlier, true);

	assert_true(earlier.since_ns >= first && earlier.since_ns < second);
	/* Without a pass they are kept on. */
	uint64_t since_ns = earlier.since_ns;

	interval_ends(&audit, &earlier, false);
	assert_true(earlier.since_ns == since_ns && earlier.latest_ns >= third);
	counted_fini(&earlier.counted);
	audit_fini(&audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_of_each_key),
		cmocka_unit_test(test_counts_go_back_to_the_pass_before),
		cmocka_unit_test(test_intervals_add_up),
		cmocka_unit_test(test_too_many_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
