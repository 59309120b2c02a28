/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
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
	traffic_reset(&fixture->traffic, 2000, NULL);
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

static void an_idle_row_stays_with_its_totals(void **state)
{
	struct fixture *fixture = *state;
	const unsigned idle = 100;

	begin(fixture);
	add(fixture, 1, 160, 0);
	merge(fixture);
	for (unsigned i = 1; i <= idle; i++) {
		begin(fixture);
		merge(fixture);
		assert_int_equal(row_of(fixture, 1)->session.rx_bytes, 0);
		assert_int_equal(row_of(fixture, 1)->rx_total_bytes, 160);
		struct series series = traffic_row_series(&fixture->traffic, row_of(fixture, 1));

		assert_int_equal(series.count, i + 1 < ROW_POINTS ? i + 1 : ROW_POINTS);
		assert_int_equal(series_peak(&series, 32), i < ROW_POINTS ? 160 : 0);
		assert_int_equal(series_peak(&series, i < ROW_POINTS ? i : ROW_POINTS), 0);
	}
	assert_int_equal(row_of(fixture, 1)->last.wall_s, 1001);
	assert_int_equal(row_of(fixture, 1)->last.clock_ns, 1000000000);
	/* It goes on where it was. */
	begin(fixture);
	add(fixture, 1, 16, 0);
	merge(fixture);
	assert_int_equal(row_of(fixture, 1)->rx_total_bytes, 176);
	assert_int_equal(row_of(fixture, 1)->first.wall_s, 1001);
	assert_int_equal(row_of(fixture, 1)->last.wall_s, 1102);
}

/* Five seconds, but no fewer than 3 and no more than 50 intervals. */
static void how_long_a_row_is_recent_depends_on_the_interval(void **state)
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
			assert_true(fixture->traffic.recent >= 1);
			begin(fixture);
			fixture->snapshot.interval_ns = cases[i].interval_ns;
			merge(fixture);
		} while (traffic_is_recent(&fixture->traffic, row_of(fixture, i)) && ++stayed < 100);
		assert_int_equal(stayed, cases[i].stays);
		assert_int_equal(
		    fixture->traffic.recent, 0); /* nor are the cases before, by another interval */
	}
}

/* The wall clock is set back by an hour, and on by a day: nobody gets older or younger by that. */
static void times_do_not_jump_with_the_wall_clock(void **state)
{
	static const int64_t jumps_s[] = { 0, -3600, 86400, 0 };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof jumps_s / sizeof jumps_s[0]; i++) {
		begin(fixture);
		fixture->snapshot.time.tv_sec += jumps_s[i];
		add(fixture, 1, 1, 1);
		merge(fixture);
		assert_int_equal(row_of(fixture, 1)->first.clock_ns, 1000000000);
		assert_int_equal(row_of(fixture, 1)->last.clock_ns, fixture->traffic.clock_ns);
		assert_int_equal(fixture->traffic.clock_ns, (i + 1) * 1000000000);
	}
	assert_int_equal(fixture->traffic.since_s, 1000);
}

/* ---- what goes, and what it had moved ---- */

static void sum_groups(
    struct fixture *fixture, enum grouping grouping, uint64_t *rx_bytes, uint64_t *tx_bytes)
{
	const struct gone *gone = &fixture->traffic.gone[grouping];
	const struct rows *parts[] = { &fixture->traffic.rows, &gone->groups };

	*rx_bytes = fixture->traffic.other_total.rx_bytes + gone->left_rx_bytes;
	*tx_bytes = fixture->traffic.other_total.tx_bytes + gone->left_tx_bytes;
	for (size_t part = 0; part < 2; part++) {
		for (size_t i = 0; i < parts[part]->count; i++) {
			*rx_bytes += parts[part]->rows[i].rx_total_bytes;
			*tx_bytes += parts[part]->rows[i].tx_total_bytes;
		}
	}
}

static void all_sums_are_the_total(struct fixture *fixture)
{
	for (int grouping = GROUPING_NONE + 1; grouping < GROUPING_COUNT; grouping++) {
		uint64_t rx_bytes, tx_bytes;

		sum_groups(fixture, (enum grouping)grouping, &rx_bytes, &tx_bytes);
		assert_int_equal(rx_bytes, fixture->traffic.rx_total_bytes);
		assert_int_equal(tx_bytes, fixture->traffic.tx_total_bytes);
	}
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
	struct fixture *fixture = *state;
	const struct session kept = key(3);
	const uint32_t a_tick = 100, ticks = 70;

	fixture->kept = &kept;
	for (uint32_t i = 0; i < ticks; i++) {
		begin(fixture);
		for (uint32_t j = 0; j < a_tick; j++)
			add(fixture, a_tick * i + j, 10, 1);
		merge(fixture);
	}
	assert_int_equal(fixture->traffic.rows_gone, 1300 - 1); /* when 6,300 were idle; one is kept */
	assert_non_null(row_of(fixture, 3));
	assert_null(row_of(fixture, 2));
	assert_null(row_of(fixture, 1299));
	assert_non_null(row_of(fixture, 1300));
	assert_true(fixture->traffic.rows.count - fixture->traffic.active >= TRAFFIC_IDLE_KEPT);
	all_sums_are_the_total(fixture);
	/* Seven processes: what is gone of them is theirs. */
	assert_int_equal(fixture->traffic.gone[GROUPING_PROCESS].groups.count, 7);
	assert_int_equal(fixture->traffic.gone[GROUPING_PROCESS].left_groups, 0);
}

/* Connections, processes, hosts, containers, users and services come and go, with some that stay: any churn. */
static void sums_add_up_and_memory_is_bounded_after_any_churn(void **state)
{
	struct fixture *fixture = *state;

	srand(3);
	for (unsigned i = 0; i < 400; i++) {
		uint32_t burst = i % 50 == 17 ? 30000 : (uint32_t)rand() % 900;

		begin(fixture);
		fixture->snapshot.other.rx_bytes = i % 3;
		for (uint32_t j = 0; j < burst; j++) {
			uint32_t number = rand() % 4 ? (uint32_t)rand() : (uint32_t)rand() % 40;
			struct session *session;

			add(fixture, number, (uint64_t)rand() % 5000, (uint64_t)rand() % 3);
			session = &fixture->snapshot.sessions[j];
			session->family = number % 5 ? 4 : 6;
			session->pid = number % 100000;
			session->lport = (uint16_t)(1 + number % 20000);
			session->accepted = number % 7 ? ANSWER_YES : number % 2 ? ANSWER_NO : ANSWER_UNKNOWN;
			session->uid = number % 10000;
			session->cgroup_id = 1 + number % 20000;
			snprintf(session->comm, sizeof session->comm, "worker-%u", number % 15000);
		}
		merge(fixture);
		all_sums_are_the_total(fixture);
		if (i == 200) {
			traffic_reset(&fixture->traffic, 5000, NULL);
			all_sums_are_the_total(fixture);
			assert_int_equal(fixture->traffic.rx_total_bytes, 0);
		}
		size_t idle = fixture->traffic.rows.count - fixture->traffic.active;

		assert_true(idle <= TRAFFIC_IDLE_KEPT + TRAFFIC_IDLE_KEPT / 4);
		for (int grouping = GROUPING_NONE + 1; grouping < GROUPING_COUNT; grouping++)
			assert_true(fixture->traffic.gone[grouping].groups.count <=
			            GONE_KEPT + GONE_KEPT / 3 + fixture->traffic.active);
	}
	for (int grouping = GROUPING_NONE + 1; grouping < GROUPING_COUNT; grouping++)
		assert_true(fixture->traffic.gone[grouping].left_groups > 0);
	/* The bursts are over: so is their memory. */
	for (unsigned i = 0; i < 20; i++) {
		begin(fixture);
		for (uint32_t j = 0; j < 400; j++)
			add(fixture, (uint32_t)rand(), 1, 1);
		merge(fixture);
	}
	assert_true(fixture->traffic.rows.capacity <= 4 * (TRAFFIC_IDLE_KEPT + TRAFFIC_IDLE_KEPT / 4));
}

/* A group whose connections go on is not old, however long ago the others ended. */
static void a_group_that_lives_keeps_its_sums(void **state)
{
	struct fixture *fixture = *state;
	const uint32_t lasting = 7000000; /* the PID is 0 */

	begin(fixture);
	for (uint32_t i = 0; i < 7000; i++) {
		add(fixture, i, 100, 0);
		fixture->snapshot.sessions[i].pid = 77;
	}
	merge(fixture);
	for (uint32_t i = 0; i < 60; i++) {
		begin(fixture);
		add(fixture, lasting, 1, 0);
		fixture->snapshot.sessions[0].pid = 77;
		for (uint32_t j = 1; j < 500; j++) {
			add(fixture, 10000 + i * 500 + j, 1, 0);
			fixture->snapshot.sessions[j].pid = 1000 + i * 500 + j;
		}
		merge(fixture);
	}
	const struct gone *gone = &fixture->traffic.gone[GROUPING_PROCESS];
	struct row row = { .session = { .family = 4, .pid = 77 } };
	struct session group = group_key(GROUPING_PROCESS, &row);

	group.family = 4;
	assert_true(gone->left_groups > 5000);
	size_t index = rows_find(&gone->groups, &group);

	assert_int_not_equal(index, ROW_NONE);
	assert_int_equal(gone->groups.rows[index].rx_total_bytes, 700000);
	all_sums_are_the_total(fixture);
}

static void a_copy_of_the_traffic_stays_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct traffic copy;

	traffic_init(&copy);
	for (uint32_t i = 0; i < 20; i++) {
		begin(fixture);
		for (uint32_t j = 0; j < 1000; j++)
			add(fixture, 1000 * i + j, 1, 1);
		merge(fixture);
		if (i == 15)
			assert_int_equal(traffic_copy(&copy, &fixture->traffic), 0);
	}
	all_sums_are_the_total(fixture);
	assert_int_equal(copy.rx_total_bytes, 16000);
	struct traffic live = fixture->traffic;

	fixture->traffic = copy;
	all_sums_are_the_total(fixture);
	fixture->traffic = live;
	traffic_fini(&copy);
}

/* What had been idle for long has moved nothing since; what is recent stays, as it may go on. */
static void a_reset_forgets_what_is_idle_for_long(void **state)
{
	struct fixture *fixture = *state;
	const struct session kept = key(2);

	begin(fixture);
	add(fixture, 1, 5, 5);
	add(fixture, 2, 5, 5);
	merge(fixture);
	for (unsigned i = 0; i < 10; i++) {
		begin(fixture);
		if (i == 7)
			add(fixture, 3, 5, 5);
		if (i == 9)
			add(fixture, 4, 5, 5);
		merge(fixture);
	}
	assert_int_equal(traffic_reset(&fixture->traffic, 2000, &kept), 0);
	assert_null(row_of(fixture, 1));
	for (uint32_t number = 2; number <= 4; number++)
		assert_int_equal(row_of(fixture, number)->rx_total_bytes, 0);
}

#define TRAFFIC_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_found_through_adding_and_removing),
		cmocka_unit_test(namespaces_and_processes_are_told_apart),
		cmocka_unit_test(a_copy_is_independent),
		cmocka_unit_test_setup_teardown(totals_are_the_sum_of_the_intervals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_same_session_twice_in_an_interval_adds_up, set_up, tear_down),
		TRAFFIC_TEST(an_idle_row_stays_with_its_totals),
		TRAFFIC_TEST(how_long_a_row_is_recent_depends_on_the_interval),
		TRAFFIC_TEST(times_do_not_jump_with_the_wall_clock),
		TRAFFIC_TEST(the_oldest_go_when_there_are_too_many),
		TRAFFIC_TEST(sums_add_up_and_memory_is_bounded_after_any_churn),
		TRAFFIC_TEST(a_group_that_lives_keeps_its_sums),
		TRAFFIC_TEST(a_copy_of_the_traffic_stays_as_it_was),
		TRAFFIC_TEST(a_reset_forgets_what_is_idle_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
