/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model/traffic.h"
#include "model/rows.h"
#include "model/snapshot.h"

static struct session key(uint32_t number)
{
	struct session session = { .family = 4, .pid = number % 7, .lport = 443, .rport = (uint16_t)number };

	memcpy(session.raddr, &number, sizeof number);
	return session;
}

/* Random adding and removing against a plain array of what should be there. */
static void rows_are_found_through_adding_and_removing(void **state)
{
	enum { NUMBERS = 500, STEPS = 20000 };
	static uint64_t expected[NUMBERS]; /* 0: not there */
	struct rows rows;
	size_t there = 0;

	(void)state;
	srand(1);
	rows_init(&rows);
	for (unsigned step = 0; step < STEPS; step++) {
		uint32_t number = (uint32_t)rand() % NUMBERS;
		struct session session = key(number);
		bool added;

		if (rand() % 3) {
			size_t index = rows_find_or_add(&rows, &session, &added);

			assert_int_not_equal(index, ROW_NONE);
			assert_int_equal(added, expected[number] == 0);
			there += added;
			expected[number] = step + 1;
			rows.rows[index].rx_total_bytes = step + 1;
		} else if (expected[number]) {
			rows_remove(&rows, rows_find(&rows, &session));
			expected[number] = 0;
			there--;
		}
		assert_int_equal(rows.count, there);
	}
	for (uint32_t number = 0; number < NUMBERS; number++) {
		struct session session = key(number);
		size_t index = rows_find(&rows, &session);

		if (!expected[number])
			assert_int_equal(index, ROW_NONE);
		else
			assert_int_equal(rows.rows[index].rx_total_bytes, expected[number]);
	}
	rows_fini(&rows);
}

static void namespaces_and_processes_are_told_apart(void **state)
{
	struct session a = key(1), b = key(1), c = key(1);
	struct rows rows;
	bool added;

	(void)state;
	b.netns = 5;
	c.pid = 99;
	rows_init(&rows);
	rows_find_or_add(&rows, &a, &added);
	rows_find_or_add(&rows, &b, &added);
	assert_true(added);
	rows_find_or_add(&rows, &c, &added);
	assert_true(added);
	strcpy(a.comm, "renamed");
	rows_find_or_add(&rows, &a, &added);
	assert_false(added);
	assert_int_equal(rows.count, 3);
	rows_fini(&rows);
}

static void a_copy_is_independent(void **state)
{
	struct rows from, to;
	struct session session = key(1), other = key(2);
	bool added;

	(void)state;
	rows_init(&from);
	rows_init(&to);
	assert_int_equal(rows_copy(&to, &from), 0);
	assert_int_equal(rows_find(&to, &session), ROW_NONE);
	rows_find_or_add(&from, &session, &added);
	assert_int_equal(rows_copy(&to, &from), 0);
	rows_find_or_add(&to, &other, &added);
	rows_remove(&from, 0);
	assert_int_equal(from.count, 0);
	assert_int_not_equal(rows_find(&to, &session), ROW_NONE);
	assert_int_not_equal(rows_find(&to, &other), ROW_NONE);
	rows_fini(&from);
	rows_fini(&to);
}

/* ---- traffic ---- */

struct fixture {
	struct traffic traffic;
	struct snapshot snapshot;
	unsigned interval;
	const struct session *kept;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	*state = fixture;
	traffic_init(&fixture->traffic);
	snapshot_init(&fixture->snapshot);
	return fixture ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	traffic_fini(&fixture->traffic);
	snapshot_fini(&fixture->snapshot);
	free(fixture);
	return 0;
}

static void begin(struct fixture *fixture)
{
	snapshot_reset(&fixture->snapshot);
	fixture->snapshot.interval_ns = 1000000000;
	fixture->snapshot.time.tv_sec = 1000 + ++fixture->interval;
}

static void add(struct fixture *fixture, uint32_t number, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session *session = snapshot_add(&fixture->snapshot);

	assert_non_null(session);
	*session = key(number);
	session->rx_bytes = rx_bytes;
	session->tx_bytes = tx_bytes;
}

static void merge(struct fixture *fixture)
{
	snapshot_total(&fixture->snapshot);
	assert_int_equal(traffic_merge(&fixture->traffic, &fixture->snapshot, fixture->kept), 0);
}

static const struct row *row_of(struct fixture *fixture, uint32_t number)
{
	struct session session = key(number);
	size_t index = rows_find(&fixture->traffic.rows, &session);

	return index == ROW_NONE ? NULL : &fixture->traffic.rows.rows[index];
}

static void totals_are_the_sum_of_the_intervals(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 1; i <= 3; i++) {
		begin(fixture);
		add(fixture, 1, 100 * i, 7);
		add(fixture, 2, 0, i);
		fixture->snapshot.other.calls = 1;
		fixture->snapshot.other.rx_bytes = 11;
		fixture->snapshot.missed_runs = 2;
		merge(fixture);
	}
	assert_int_equal(row_of(fixture, 1)->rx_total_bytes, 600);
	assert_int_equal(row_of(fixture, 1)->tx_total_bytes, 21);
	assert_int_equal(row_of(fixture, 1)->session.rx_bytes, 300);
	assert_int_equal(fixture->traffic.rx_total_bytes, 633);
	assert_int_equal(fixture->traffic.tx_total_bytes, 27);
	assert_int_equal(fixture->traffic.other_total.calls, 3);
	assert_int_equal(fixture->traffic.missed_total, 6);
	assert_int_equal(fixture->traffic.active, 2);
	assert_int_equal(fixture->traffic.since_s, 1000);
	traffic_reset(&fixture->traffic, 2000);
	assert_int_equal(row_of(fixture, 1)->rx_total_bytes, 0);
	assert_int_equal(fixture->traffic.rx_total_bytes, 0);
	assert_int_equal(fixture->traffic.missed_total, 0);
	assert_int_equal(fixture->traffic.since_s, 2000);
	assert_int_equal(row_of(fixture, 1)->session.rx_bytes, 300);
}

static void the_same_session_twice_in_an_interval_adds_up(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	add(fixture, 1, 5, 6);
	add(fixture, 1, 7, 8);
	merge(fixture);
	assert_int_equal(row_of(fixture, 1)->session.rx_bytes, 12);
	assert_int_equal(row_of(fixture, 1)->tx_total_bytes, 14);
}

static void an_idle_row_stays_for_some_intervals_with_zero(void **state)
{
	struct fixture *fixture = *state;
	const unsigned stays = 5;

	begin(fixture);
	add(fixture, 1, 160, 0);
	merge(fixture);
	for (unsigned i = 0; i < stays; i++) {
		begin(fixture);
		merge(fixture);
		assert_non_null(row_of(fixture, 1));
		assert_int_equal(row_of(fixture, 1)->session.rx_bytes, 0);
		assert_int_equal(row_of(fixture, 1)->rx_total_bytes, 160);
	}
	struct series series = traffic_row_series(&fixture->traffic, row_of(fixture, 1));

	assert_int_equal(series.count, 1 + stays);
	assert_int_equal(series_peak(&series, 32), 160);
	assert_int_equal(series_peak(&series, stays), 0);
	begin(fixture);
	merge(fixture);
	assert_null(row_of(fixture, 1));
}

/* Five seconds, but no fewer than 3 and no more than 50 intervals. */
static void how_long_a_row_stays_depends_on_the_interval(void **state)
{
	static const struct {
		uint64_t interval_ns;
		unsigned stays;
	} cases[] = { { 1000000000, 5 }, { 10000000000, 3 }, { 10000000, 50 } };
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		unsigned stayed = 0;

		begin(fixture);
		add(fixture, i, 1, 1);
		fixture->snapshot.interval_ns = cases[i].interval_ns;
		merge(fixture);
		do {
			begin(fixture);
			fixture->snapshot.interval_ns = cases[i].interval_ns;
			merge(fixture);
		} while (row_of(fixture, i) && ++stayed < 100);
		assert_int_equal(stayed, cases[i].stays);
	}
}

static void a_kept_row_stays(void **state)
{
	struct fixture *fixture = *state;
	const struct session kept = key(2);

	begin(fixture);
	add(fixture, 1, 1, 1);
	add(fixture, 2, 1, 1);
	merge(fixture);
	fixture->kept = &kept;
	for (unsigned i = 0; i < 40; i++) {
		begin(fixture);
		merge(fixture);
	}
	assert_null(row_of(fixture, 1));
	assert_non_null(row_of(fixture, 2));
	/* Its traffic left the history long ago. */
	struct series series = traffic_row_series(&fixture->traffic, row_of(fixture, 2));

	assert_int_equal(series.count, ROW_POINTS);
	assert_int_equal(series_peak(&series, ROW_POINTS), 0);
}

static void churn_leaves_no_rows_behind(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < 200; i++) {
		begin(fixture);
		for (uint32_t j = 0; j < 10; j++)
			add(fixture, 10 * i + j, 1, 1);
		merge(fixture);
		assert_true(fixture->traffic.rows.count <= 10 * (1 + 5));
	}
	assert_int_equal(fixture->traffic.rx_total_bytes, 2000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_found_through_adding_and_removing),
		cmocka_unit_test(namespaces_and_processes_are_told_apart),
		cmocka_unit_test(a_copy_is_independent),
		cmocka_unit_test_setup_teardown(totals_are_the_sum_of_the_intervals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_same_session_twice_in_an_interval_adds_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    an_idle_row_stays_for_some_intervals_with_zero, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    how_long_a_row_stays_depends_on_the_interval, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_kept_row_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(churn_leaves_no_rows_behind, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
