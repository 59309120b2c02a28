/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/util.h"
#include "model/cause.h"
#include "model/past.h"
#include "model/traffic.h"
#include "table/column.h"
#include "table/list.h"
#include "table/minute.h"
#include "make_session.h"

struct fixture {
	struct traffic traffic;
	struct past past;
	struct list_settings settings;
	struct column_context context;
	struct snapshot snapshot;
	struct minute minute;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	if (!fixture)
		return -1;
	traffic_init(&fixture->traffic);
	past_init(&fixture->past);
	snapshot_init(&fixture->snapshot);
	fixture->settings.epoch = 1;
	fixture->context.traffic = &fixture->traffic;
	fixture->snapshot.interval_ns = NS_PER_S;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	snapshot_fini(&fixture->snapshot);
	past_fini(&fixture->past);
	traffic_fini(&fixture->traffic);
	free(fixture);
	return 0;
}

static void move(struct fixture *fixture, struct session session)
{
	*snapshot_add(&fixture->snapshot) = session;
}

/* Ends the interval. */
static void end(struct fixture *fixture)
{
	uint64_t interval_ns = fixture->snapshot.interval_ns;

	fixture->snapshot.time.tv_sec = 1000 + fixture->traffic.tick;
	snapshot_total(&fixture->snapshot);
	assert_int_equal(past_merge(&fixture->past, &fixture->traffic, &fixture->snapshot, NULL), 0);
	snapshot_reset(&fixture->snapshot);
	fixture->snapshot.interval_ns = interval_ns;
}

static void pass(struct fixture *fixture, unsigned intervals)
{
	while (intervals--)
		end(fixture);
}

static const struct minute_part_lines *look(struct fixture *fixture, enum minute_part part)
{
	assert_int_equal(minute_build(&fixture->minute, &fixture->settings, &fixture->context), 0);
	return &fixture->minute.parts[part];
}

static struct session web(uint16_t rport, uint64_t bytes)
{
	return make("web", 1, "192.0.2.1", rport, bytes, 0);
}

static void test_what_was_there_first_has_not_come(void **state)
{
	struct fixture *fixture = *state;

	move(fixture, web(1, 100));
	end(fixture);
	assert_int_equal(look(fixture, MINUTE_CAME)->line_total, 0);
	assert_int_equal(fixture->minute.known_ns, 0);
	move(fixture, web(2, 70));
	end(fixture);
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 1);
	assert_int_equal(fixture->minute.known_ns, NS_PER_S);
}

/* A listener, and a connection that nothing has moved on, of which a pass over sockets told. */
static void test_what_is_only_told_of_has_not_come(void **state)
{
	struct fixture *fixture = *state;
	struct session open = web(3, 0);

	open.socket.state = SOCKET_ESTABLISHED;
	pass(fixture, 3);
	fixture->snapshot.sockets.follows = true;
	fixture->snapshot.sockets.cpu_ns = 1;
	move(fixture, open);
	end(fixture);
	assert_int_equal(fixture->traffic.rows.count, 1);
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 0);
	open.rx_bytes = 10;
	move(fixture, open);
	end(fixture);
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 1);
}

static void test_came_for_less_than_a_minute(void **state)
{
	struct fixture *fixture = *state;

	pass(fixture, 10);
	move(fixture, web(2, 70));
	end(fixture);
	pass(fixture, 59);
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 1);
	assert_int_equal(fixture->minute.known_ns, 60 * NS_PER_S);
	assert_int_equal(fixture->minute.parts[MINUTE_CAME].lines[0].change.open, 0);
	pass(fixture, 1); /* its interval ended 60 s ago */
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 0);
}

static void test_came_once_however_often_it_moves(void **state)
{
	struct fixture *fixture = *state;

	pass(fixture, 2);
	move(fixture, web(2, 70));
	move(fixture, web(2, 7));
	end(fixture);
	move(fixture, web(2, 700));
	end(fixture);
	const struct minute_line *line = look(fixture, MINUTE_CAME)->lines;

	assert_int_equal(fixture->minute.parts[MINUTE_CAME].line_total, 1);
	assert_int_equal(line->grouping, GROUPING_NONE);
	assert_int_equal(line->change.connections, 1);
	assert_int_equal(line->change.open, 1);
	assert_int_equal(line->change.rx_bytes, 777);
	assert_int_equal(line->change.last.wall_s, 1002);
	assert_int_equal(line->row.session.rport, 2);
}

static void test_went_when_idle_and_not_when_it_moves_again(void **state)
{
	struct fixture *fixture = *state;

	move(fixture, web(1, 100));
	end(fixture);
	move(fixture, web(1, 100));
	end(fixture);
	pass(fixture, 19); /* it may be between two messages */
	assert_int_equal(look(fixture, MINUTE_WENT)->connections, 0);
	pass(fixture, 1);
	assert_int_equal(look(fixture, MINUTE_WENT)->connections, 1);
	assert_int_equal(fixture->minute.parts[MINUTE_WENT].lines[0].change.open, 1);
	assert_int_equal(fixture->minute.parts[MINUTE_WENT].rx_bytes, 200);
	move(fixture, web(1, 100));
	end(fixture);
	assert_int_equal(look(fixture, MINUTE_WENT)->connections, 0);
	pass(fixture, 59);
	assert_int_equal(look(fixture, MINUTE_WENT)->connections, 1);
	assert_int_equal(fixture->minute.parts[MINUTE_WENT].rx_bytes, 300);
	pass(fixture, 1); /* its last traffic was in the interval that ended 60 s ago */
	assert_int_equal(look(fixture, MINUTE_WENT)->connections, 0);
}

static void test_went_at_once_when_closed(void **state)
{
	struct fixture *fixture = *state;
	struct session closed = web(1, 50);

	move(fixture, web(1, 100));
	end(fixture);
	closed.is_closed = true;
	move(fixture, closed);
	end(fixture);
	const struct minute_part_lines *went = look(fixture, MINUTE_WENT);

	assert_int_equal(went->connections, 1);
	assert_int_equal(went->lines[0].change.open, 0);
	assert_int_equal(went->lines[0].change.rx_bytes, 150);
}

/* The mean of the latest 10 s against that of the 22 s before them. */
static void test_grew_is_exact(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < 40; i++) {
		move(fixture, web(1, i < 30 ? 1600 : 16000));
		move(fixture, make("steady", 2, "192.0.2.9", 1, i < 30 ? 1600 : 1600 * 6 / 5 - 16, 0));
		end(fixture);
	}
	const struct minute_part_lines *grew = look(fixture, MINUTE_GREW);

	assert_int_equal(fixture->minute.now_ns, 10 * NS_PER_S);
	assert_int_equal(fixture->minute.before_ns, 22 * NS_PER_S);
	assert_int_equal(grew->line_total, 1);
	assert_string_equal(grew->lines[0].row.session.comm, "web");
	assert_int_equal(grew->lines[0].change.before_bytes_per_s, 1600);
	assert_int_equal(grew->lines[0].change.now_bytes_per_s, 16000);
}

/* Intervals of 30 s, and few that are known. */
static void test_spans_follow_the_intervals(void **state)
{
	struct fixture *fixture = *state;

	move(fixture, web(1, 100));
	end(fixture);
	assert_int_equal(look(fixture, MINUTE_GREW)->line_total, 0);
	assert_int_equal(fixture->minute.before_ns, 0);
	pass(fixture, 8);
	look(fixture, MINUTE_GREW);
	assert_int_equal(fixture->minute.now_ns, 3 * NS_PER_S);
	assert_int_equal(fixture->minute.before_ns, 6 * NS_PER_S);
	fixture->snapshot.interval_ns = 30 * NS_PER_S;
	pass(fixture, 2);
	move(fixture, web(1, 48000));
	end(fixture);
	const struct minute_part_lines *grew = look(fixture, MINUTE_GREW);

	assert_int_equal(fixture->minute.now_ns, 30 * NS_PER_S);
	assert_int_equal(fixture->minute.before_ns, 30 * NS_PER_S);
	assert_int_equal(grew->lines[0].change.now_bytes_per_s, 1600);
	assert_int_equal(grew->lines[0].change.before_bytes_per_s, 0);
}

static void test_many_connections_of_a_process_are_one_line(void **state)
{
	struct fixture *fixture = *state;
	char host[32];

	end(fixture);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(host, sizeof host, "10.1.%u.%u", i / 250, i % 250);
		move(fixture, make("web", 1, host, 443, 10, 1));
		if (i % 20 == 19)
			end(fixture);
	}
	const struct minute_part_lines *came = look(fixture, MINUTE_CAME);
	const struct change *change = &came->lines[0].change;

	assert_int_equal(came->line_total, 1);
	assert_int_equal(came->lines[0].grouping, GROUPING_PROCESS);
	assert_int_equal(change->connections, 1000);
	assert_int_equal(change->processes, 1);
	assert_int_equal(change->rx_bytes, 10000);
	assert_true(change->same_rport && change->same_lport && !change->same_raddr);
}

/* Of one name up to three are told apart; a loop of short processes does not grow, though each is new. */
static void test_many_processes_of_a_name_are_one_line(void **state)
{
	struct fixture *fixture = *state;

	end(fixture);
	for (uint32_t i = 0; i < 40; i++) {
		move(fixture, make("curl", 100 + i, "192.0.2.1", 443, 1600, 0));
		if (i < 3)
			move(fixture, make("java", 10 + i, "192.0.2.1", 5432, 10, 0));
		end(fixture);
	}
	const struct minute_part_lines *came = look(fixture, MINUTE_CAME);

	assert_int_equal(came->line_total, 4);
	assert_int_equal(came->lines[0].grouping, GROUPING_PROGRAM);
	assert_int_equal(came->lines[0].change.processes, 40);
	assert_int_equal(came->lines[0].change.connections, 40);
	for (unsigned i = 1; i < 4; i++)
		assert_string_equal(came->lines[i].row.session.comm, "java");
	assert_int_equal(look(fixture, MINUTE_GREW)->line_total, 0);
}

static void test_filters(void **state)
{
	struct fixture *fixture = *state;

	end(fixture);
	move(fixture, web(1, 10));
	move(fixture, make("db", 2, "2001:db8::1", 3, 50, 5));
	end(fixture);
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 2);
	match_set(&fixture->settings.words, "web");
	fixture->settings.epoch++;
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 1);
	assert_string_equal(fixture->minute.parts[MINUTE_CAME].lines[0].row.session.comm, "web");
	fixture->settings.family = 6;
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 0);
}

/* A moment of the past has its own minute. */
static void test_stepping_back(void **state)
{
	struct fixture *fixture = *state;
	struct traffic then;

	end(fixture);
	move(fixture, web(1, 10));
	end(fixture);
	pass(fixture, 100);
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 0);
	traffic_init(&then);
	assert_int_equal(past_show(&fixture->past, 30, &then), 0);
	fixture->context.traffic = &then;
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 1);
	assert_int_equal(look(fixture, MINUTE_WENT)->connections, 1);
	assert_int_equal(fixture->minute.known_ns, 29 * NS_PER_S);
	traffic_fini(&then);
}

/* So many that the rows of the first ones have to go: what is left to say is said of a shorter time, and exactly. */
static void test_only_what_is_complete(void **state)
{
	struct fixture *fixture = *state;
	unsigned each = 400;

	end(fixture);
	for (unsigned i = 0; i < 40 * each; i++) {
		struct session session = make("web", 1, "192.0.2.1", (uint16_t)(i + 1), 10, 1);

		move(fixture, session);
		if (i % each == each - 1)
			end(fixture);
	}
	const struct minute_part_lines *came = look(fixture, MINUTE_CAME);

	assert_true(fixture->traffic.rows_gone > 0);
	assert_true(fixture->minute.known_ns < 40 * NS_PER_S);
	assert_true(fixture->minute.known_ns > 10 * NS_PER_S);
	assert_int_equal(came->connections, fixture->minute.known_ns / NS_PER_S * each);
}

static void test_a_reset_begins_anew(void **state)
{
	struct fixture *fixture = *state;

	end(fixture);
	move(fixture, web(1, 10));
	end(fixture);
	assert_int_equal(traffic_reset(&fixture->traffic, 1002, NULL), 0);
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 0);
	move(fixture, web(2, 10));
	end(fixture);
	assert_int_equal(look(fixture, MINUTE_CAME)->connections, 1);
	assert_int_equal(fixture->minute.known_ns, NS_PER_S);
}

/* More lines than are kept: the sums have them. */
static void test_lines_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	char comm[16];

	end(fixture);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(comm, sizeof comm, "daemon%u", i);
		move(fixture, make(comm, 100 + i, "192.0.2.1", 443, 1000 + i, 0));
	}
	end(fixture);
	const struct minute_part_lines *came = look(fixture, MINUTE_CAME);

	assert_int_equal(came->count, MINUTE_LINES_MAX);
	assert_int_equal(came->line_total, 100);
	assert_int_equal(came->connections, 100);
	assert_int_equal(came->rx_bytes, 100 * 1000 + 99 * 100 / 2);
	assert_string_equal(came->lines[0].row.session.comm, "daemon99");
}

#define MINUTE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MINUTE_TEST(test_what_was_there_first_has_not_come),
		MINUTE_TEST(test_what_is_only_told_of_has_not_come),
		MINUTE_TEST(test_came_for_less_than_a_minute),
		MINUTE_TEST(test_came_once_however_often_it_moves),
		MINUTE_TEST(test_went_when_idle_and_not_when_it_moves_again),
		MINUTE_TEST(test_went_at_once_when_closed),
		MINUTE_TEST(test_grew_is_exact),
		MINUTE_TEST(test_spans_follow_the_intervals),
		MINUTE_TEST(test_many_connections_of_a_process_are_one_line),
		MINUTE_TEST(test_many_processes_of_a_name_are_one_line),
		MINUTE_TEST(test_filters),
		MINUTE_TEST(test_stepping_back),
		MINUTE_TEST(test_only_what_is_complete),
		MINUTE_TEST(test_a_reset_begins_anew),
		MINUTE_TEST(test_lines_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
