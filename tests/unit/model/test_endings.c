/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that end, whose ports are used again, and have processes that end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/util.h"
#include "model/group.h"
#include "model/traffic.h"

static struct session connection(uint8_t family, uint16_t port)
{
	struct session session = { .family = family, .lport = 443, .rport = port, .netns = 5 };

	session.raddr[0] = 10;
	return session;
}

static struct session *add(struct snapshot *snapshot, struct session key, uint32_t pid, uint64_t bytes)
{
	struct session *session = snapshot_add(snapshot);

	assert_non_null(session);
	*session = key;
	session->pid = pid;
	session->rx_bytes = bytes;
	return session;
}

static void add_ending(struct snapshot *snapshot, struct session key, uint64_t ago_us)
{
	struct ending *ending = snapshot_add_ending(snapshot);

	assert_non_null(ending);
	ending->connection = key;
	ending->ago_us = ago_us;
}

/* Takes in an interval of a second, and empties it. */
static void merge(struct traffic *traffic, struct snapshot *snapshot)
{
	snapshot->time = (struct timespec){ 1000 + traffic->tick + 1, 250 * NS_PER_MS };
	snapshot->interval_ns = NS_PER_S;
	snapshot_total(snapshot);
	assert_int_equal(traffic_merge(traffic, snapshot, NULL), 0);
	snapshot_reset(snapshot);
}

static const struct row *find(const struct traffic *traffic, struct session key, uint32_t pid)
{
	key.pid = pid;
	size_t index = rows_find(&traffic->rows, &key);

	assert_int_not_equal(index, ROW_NONE);
	return &traffic->rows.rows[index];
}

static struct traffic traffic;
static struct snapshot snapshot;

static int begin(void **state)
{
	(void)state;
	traffic_init(&traffic);
	snapshot_init(&snapshot);
	return 0;
}

static int end(void **state)
{
	(void)state;
	traffic_fini(&traffic);
	snapshot_fini(&snapshot);
	return 0;
}

/* By the monotonic clock and the host's, also across a second; what it moved last is still its row's. */
static void an_ended_connection_is_closed(void **state)
{
	struct session four = connection(4, 1), six = connection(6, 1);

	(void)state;
	add(&snapshot, four, 7, 100);
	add(&snapshot, six, 7, 200);
	merge(&traffic, &snapshot);
	assert_int_equal(find(&traffic, four, 7)->closed.clock_ns, 0);
	add(&snapshot, four, 7, 30);
	add_ending(&snapshot, four, 400000);
	merge(&traffic, &snapshot);
	const struct row *row = find(&traffic, four, 7);

	assert_int_equal(row->closed.clock_ns, 1600 * NS_PER_MS);
	assert_int_equal(row->closed.wall_s, 1001);
	assert_int_equal(row->session.rx_bytes, 30);
	assert_int_equal(row->rx_total_bytes, 130);
	assert_int_equal(find(&traffic, six, 7)->closed.clock_ns, 0);
	/* An idle one, too; a time that cannot be is the interval's beginning. */
	add_ending(&snapshot, six, 250000);
	merge(&traffic, &snapshot);
	assert_int_equal(find(&traffic, six, 7)->closed.clock_ns, 2750 * NS_PER_MS);
	assert_int_equal(find(&traffic, six, 7)->closed.wall_s, 1003);
	assert_int_equal(find(&traffic, four, 7)->closed.clock_ns, 1600 * NS_PER_MS);
}

static void an_impossible_time_is_kept_within_the_interval(void **state)
{
	struct session key = connection(4, 1);

	(void)state;
	add(&snapshot, key, 7, 1);
	add_ending(&snapshot, key, UINT64_MAX / 2);
	merge(&traffic, &snapshot);
	assert_int_equal(find(&traffic, key, 7)->closed.clock_ns, 1);
	assert_int_equal(find(&traffic, key, 7)->closed.wall_s, 1000);
}

static void all_processes_of_a_connection_see_its_end(void **state)
{
	struct session key = connection(4, 1), other = connection(4, 1), link = connection(4, 1);

	(void)state;
	other.netns = 6;
	link.ifindex = 2;
	for (uint32_t pid = 1; pid <= 3; pid++)
		add(&snapshot, key, pid, 1);
	add(&snapshot, other, 1, 1);
	add(&snapshot, link, 1, 1);
	add_ending(&snapshot, key, 0);
	merge(&traffic, &snapshot);
	for (uint32_t pid = 1; pid <= 3; pid++)
		assert_int_equal(find(&traffic, key, pid)->closed.clock_ns, NS_PER_S);
	assert_int_equal(find(&traffic, other, 1)->closed.clock_ns, 0);
	assert_int_equal(find(&traffic, link, 1)->closed.clock_ns, 0);
}

static void an_end_of_nobodys_connection_is_dropped(void **state)
{
	(void)state;
	add(&snapshot, connection(4, 1), 7, 1);
	add_ending(&snapshot, connection(4, 2), 0);
	snapshot.endings_lost = 3;
	merge(&traffic, &snapshot);
	assert_int_equal(traffic.rows.count, 1);
	assert_int_equal(find(&traffic, connection(4, 1), 7)->closed.clock_ns, 0);
	assert_int_equal(traffic.endings_lost_total, 3);
	assert_int_equal(traffic_reset(&traffic, 0, NULL), 0);
	assert_int_equal(traffic.endings_lost_total, 0);
}

/* The same addresses and ports again: another connection, open until that ends, too. What ended is as it was. */
static void a_connection_that_begins_anew_is_open(void **state)
{
	struct session key = connection(4, 1);

	(void)state;
	add(&snapshot, key, 7, 1);
	add_ending(&snapshot, key, 0);
	merge(&traffic, &snapshot);
	assert_int_equal(find(&traffic, key, 7)->closed.clock_ns, NS_PER_S);
	add(&snapshot, key, 7, 1);
	merge(&traffic, &snapshot);
	assert_int_equal(find(&traffic, key, 7)->closed.clock_ns, 0);
	assert_int_equal(find(&traffic, key, 7)->first_tick, 2);
	assert_int_equal(find(&traffic, key, 7)->rx_total_bytes, 1);
	assert_int_equal(traffic.rows.count, 2);
	assert_int_equal(traffic.closed, 1);
	add(&snapshot, key, 7, 1);
	add_ending(&snapshot, key, 0);
	merge(&traffic, &snapshot);
	assert_int_equal(find(&traffic, key, 7)->closed.clock_ns, 3 * NS_PER_S);
	assert_int_equal(find(&traffic, key, 7)->rx_total_bytes, 2);
}

/* Forty connections of a client that has four ports, as two processes had the first of them. */
static void ports_that_are_used_again_are_counted(void **state)
{
	uint64_t rx_bytes = 0;

	(void)state;
	for (uint16_t i = 0; i < 40; i++) {
		struct session key = connection(4, 1 + i % 4);

		add(&snapshot, key, 7, 1 + i);
		if (i < 4)
			add(&snapshot, key, 8, 5);
		add_ending(&snapshot, key, 0);
		merge(&traffic, &snapshot);
	}
	assert_int_equal(traffic.rows.count, 44);
	assert_int_equal(traffic.lives, 36);
	for (size_t i = 0; i < traffic.rows.count; i++) {
		const struct row *row = &traffic.rows.rows[i];

		rx_bytes += row->rx_total_bytes;
		assert_int_not_equal(row->closed.clock_ns, 0);
		assert_int_equal(rows_find(&traffic.rows, &row->session), i);
	}
	assert_int_equal(rx_bytes, 40 * 41 / 2 + 4 * 5);
}

/* What had been received before the end may be read after it. */
static void what_is_read_after_the_end_opens_nothing(void **state)
{
	struct session key = connection(4, 1), unseen = connection(4, 2);

	(void)state;
	add(&snapshot, key, 7, 1);
	add_ending(&snapshot, key, 500000);
	merge(&traffic, &snapshot);
	add(&snapshot, key, 7, 10)->is_closed = true;
	add(&snapshot, unseen, 7, 10)->is_closed = true; /* its end found no place */
	merge(&traffic, &snapshot);
	assert_int_equal(find(&traffic, key, 7)->closed.clock_ns, 500 * NS_PER_MS);
	assert_int_equal(find(&traffic, key, 7)->rx_total_bytes, 11);
	assert_int_equal(find(&traffic, unseen, 7)->closed.clock_ns, 2 * NS_PER_S);
}

/* Ends of as many connections as an interval may have, each of its own row. */
static void many_ends_find_their_rows(void **state)
{
	enum { COUNT = 20000 };

	(void)state;
	for (uint16_t port = 1; port <= COUNT; port++) {
		add(&snapshot, connection(4, port), 7, 1);
		if (port % 2)
			add_ending(&snapshot, connection(4, port), port);
	}
	merge(&traffic, &snapshot);
	for (uint16_t port = 1; port <= COUNT; port++)
		assert_int_equal(find(&traffic, connection(4, port), 7)->closed.clock_ns,
		    port % 2 ? NS_PER_S - port * UINT64_C(1000) : 0);
}

/* A PID that another process has taken is another group; so is what is gone of either. */
static void a_pid_taken_again_is_another_process(void **state)
{
	struct session before = connection(4, 1), after = connection(4, 2);
	const struct gone *gone = &traffic.gone[GROUPING_PROCESS];

	(void)state;
	before.process_start_ms = 100;
	after.process_start_ms = 200;
	add(&snapshot, before, 7, 10);
	add(&snapshot, after, 7, 20);
	merge(&traffic, &snapshot);
	struct session first = group_key(GROUPING_PROCESS, find(&traffic, before, 7));
	struct session second = group_key(GROUPING_PROCESS, find(&traffic, after, 7));

	assert_int_not_equal(session_compare_key(&first, &second), 0);
	struct session host = group_key(GROUPING_REMOTE, find(&traffic, before, 7));
	struct session same = group_key(GROUPING_REMOTE, find(&traffic, after, 7));

	assert_int_equal(session_compare_key(&host, &same), 0);
	for (uint32_t i = 0; i < 2; i++)
		gone_add(&traffic.gone[GROUPING_PROCESS], GROUPING_PROCESS, &traffic.rows.rows[i], 1);
	assert_int_equal(gone->groups.count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		/* what is gone is found under the key of what is there */
		struct session key = group_key(GROUPING_PROCESS, &gone->groups.rows[i]);

		assert_int_equal(session_compare_key(&key, i ? &second : &first), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
		TEST(an_ended_connection_is_closed),
		TEST(an_impossible_time_is_kept_within_the_interval),
		TEST(all_processes_of_a_connection_see_its_end),
		TEST(an_end_of_nobodys_connection_is_dropped),
		TEST(a_connection_that_begins_anew_is_open),
		TEST(ports_that_are_used_again_are_counted),
		TEST(what_is_read_after_the_end_opens_nothing),
		TEST(many_ends_find_their_rows),
		TEST(a_pid_taken_again_is_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
