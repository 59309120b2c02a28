/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of sockets that a pass tells of: those that move nothing, and what becomes of what was told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model/rows.h"
#include "model/snapshot.h"
#include "model/traffic.h"

struct fixture {
	struct traffic traffic;
	struct snapshot snapshot;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	*state = fixture;
	if (!fixture)
		return -1;
	traffic_init(&fixture->traffic);
	snapshot_init(&fixture->snapshot);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	traffic_fini(&fixture->traffic);
	snapshot_fini(&fixture->snapshot);
	free(fixture);
	return 0;
}

static struct session key(uint32_t number)
{
	struct session session = { .family = 4, .pid = 7, .lport = 443, .rport = 80 };

	memcpy(session.raddr, &number, sizeof number);
	return session;
}

/* passes: with a pass over sockets. */
static void begin(struct fixture *fixture, bool passes)
{
	snapshot_reset(&fixture->snapshot);
	fixture->snapshot.interval_ns = 1000000000;
	fixture->snapshot.time.tv_sec = 1000 + fixture->traffic.tick + 1;
	fixture->snapshot.sockets.follows = true;
	fixture->snapshot.sockets.cpu_ns = passes ? 1 : 0;
}

static struct session *add(struct fixture *fixture, uint32_t number, uint64_t bytes, uint8_t socket_state)
{
	struct session *session = snapshot_add(&fixture->snapshot);

	assert_non_null(session);
	*session = key(number);
	session->rx_bytes = bytes;
	session->socket.state = socket_state;
	return session;
}

static void merge(struct fixture *fixture)
{
	snapshot_total(&fixture->snapshot);
	assert_int_equal(traffic_merge(&fixture->traffic, &fixture->snapshot, NULL), 0);
}

static const struct row *row_of(struct fixture *fixture, uint32_t number)
{
	struct session session = key(number);
	size_t index = rows_find(&fixture->traffic.rows, &session);

	return index == ROW_NONE ? NULL : &fixture->traffic.rows.rows[index];
}

/* It has a row, but is neither active nor recent; its last traffic is as long ago as the socket says. */
static void what_is_told_has_not_moved(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 10; i++) {
		begin(fixture, false);
		merge(fixture);
	}
	begin(fixture, true);
	add(fixture, 1, 0, SOCKET_ESTABLISHED)->socket.idle_s = 4;
	add(fixture, 2, 5, SOCKET_ESTABLISHED);
	add(fixture, 3, 0, STATE_UNKNOWN); /* a call that moved nothing: of a kernel that tells nothing */
	add(fixture, 4, 0, SOCKET_ESTABLISHED)->socket.idle_s = 4711;
	merge(fixture);
	assert_int_equal(fixture->traffic.active, 2);
	assert_int_equal(fixture->traffic.recent, 2);
	assert_int_equal(fixture->traffic.open, 2);
	assert_false(traffic_is_recent(&fixture->traffic, row_of(fixture, 1)));
	assert_true(traffic_is_recent(&fixture->traffic, row_of(fixture, 2)));
	assert_true(traffic_is_recent(&fixture->traffic, row_of(fixture, 3)));
	assert_int_equal(row_of(fixture, 1)->seen_tick, 0);
	assert_int_equal(row_of(fixture, 1)->told_tick, 11);
	assert_int_equal(row_of(fixture, 1)->last.clock_ns, UINT64_C(7000000000));
	assert_int_equal(row_of(fixture, 1)->last.wall_s, 1007);
	assert_int_equal(row_of(fixture, 4)->last.clock_ns, 0);
	/* Once it moves, it is as any other. */
	begin(fixture, true);
	add(fixture, 1, 9, SOCKET_ESTABLISHED);
	merge(fixture);
	assert_true(traffic_is_recent(&fixture->traffic, row_of(fixture, 1)));
	assert_int_equal(row_of(fixture, 1)->rx_total_bytes, 9);
	assert_int_equal(row_of(fixture, 1)->last.clock_ns, UINT64_C(12000000000));
}

/* Between two passes it stands as it stood, whether it moves or not. */
static void a_pass_now_and_then_is_enough(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 9; i++) {
		bool passes = i % 3 == 0;

		begin(fixture, passes);
		struct session *moves = add(fixture, 1, 10, passes ? SOCKET_ESTABLISHED : STATE_UNKNOWN);

		if (passes) {
			moves->socket.unread_bytes = 7;
			moves->rtt_us = 40;
			moves->retransmits = 3;
			add(fixture, 2, 0, SOCKET_CLOSE_WAIT)->socket.unread_bytes = 8;
		}
		merge(fixture);
		assert_int_equal(row_of(fixture, 1)->session.socket.state, SOCKET_ESTABLISHED);
		assert_int_equal(row_of(fixture, 1)->session.socket.unread_bytes, 7);
		assert_int_equal(row_of(fixture, 1)->session.rtt_us, 40);
		assert_int_equal(row_of(fixture, 1)->session.retransmits, 3);
		assert_int_equal(row_of(fixture, 1)->session.rx_bytes, 10);
		assert_int_equal(row_of(fixture, 2)->session.socket.state, SOCKET_CLOSE_WAIT);
		assert_int_equal(row_of(fixture, 2)->session.socket.unread_bytes, 8);
		assert_int_equal(fixture->traffic.open, 1);
	}
	/* What the next pass does not tell of is not open, though it moved on until then. */
	begin(fixture, true);
	add(fixture, 3, 1, SOCKET_ESTABLISHED);
	add(fixture, 1, 10, STATE_UNKNOWN);
	merge(fixture);
	assert_int_equal(row_of(fixture, 1)->session.socket.state, STATE_UNKNOWN);
	assert_int_equal(row_of(fixture, 1)->session.rtt_us, 0);
	assert_int_equal(row_of(fixture, 2)->session.socket.state, STATE_UNKNOWN);
	assert_int_equal(row_of(fixture, 2)->session.socket.unread_bytes, 0);
	assert_int_equal(fixture->traffic.open, 0);
}

/* Nothing but the pass tells when somebody listens no more; then it may begin anew. */
static void a_listener_ends_when_it_is_not_told_of(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture, true);
	add(fixture, 1, 0, SOCKET_LISTEN);
	add(fixture, 2, 0, SOCKET_ESTABLISHED);
	merge(fixture);
	begin(fixture, false);
	merge(fixture);
	assert_int_equal(row_of(fixture, 1)->closed.clock_ns, 0);
	begin(fixture, true);
	merge(fixture);
	assert_int_equal(row_of(fixture, 1)->closed.clock_ns, UINT64_C(3000000000));
	assert_int_equal(row_of(fixture, 2)->closed.clock_ns, 0); /* its end is an event of its own */
	assert_int_equal(fixture->traffic.closed, 1);
	begin(fixture, true);
	add(fixture, 1, 0, SOCKET_LISTEN);
	merge(fixture);
	assert_int_equal(row_of(fixture, 1)->closed.clock_ns, 0);
	assert_int_equal(row_of(fixture, 1)->session.socket.state, SOCKET_LISTEN);
	assert_int_equal(row_of(fixture, 1)->first_tick, 4);
}

/* As many as there are, while they are open; then the oldest go as others do. */
static void what_is_open_stays(void **state)
{
	enum { OPEN = 9000 };
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++) {
		begin(fixture, true);
		for (uint32_t number = 0; number < OPEN; number++)
			add(fixture, number, 0, SOCKET_ESTABLISHED);
		for (uint32_t number = 0; number < 4000; number++)
			add(fixture, OPEN + 4000 * (uint32_t)i + number, 1, STATE_UNKNOWN);
		merge(fixture);
	}
	assert_int_equal(fixture->traffic.open, OPEN);
	for (uint32_t number = 0; number < OPEN; number++)
		assert_non_null(row_of(fixture, number));
	assert_true(fixture->traffic.rows_gone > 0);
	begin(fixture, true);
	add(fixture, 0, 0, SOCKET_ESTABLISHED);
	merge(fixture);
	assert_int_equal(fixture->traffic.open, 1);
	assert_non_null(row_of(fixture, 0));
	assert_true(fixture->traffic.rows.count <= 1 + TRAFFIC_IDLE_KEPT + TRAFFIC_IDLE_KEPT / 4);
}

static void add_listener(struct fixture *fixture, uint32_t backlog, uint32_t drops)
{
	struct session *session = add(fixture, 1, 0, SOCKET_LISTEN);

	session->socket.backlog = backlog;
	session->socket.backlog_max = 5;
	session->socket.drops = drops;
}

/* Listeners of a process at one address (SO_REUSEPORT) are one row, with their number and sums, anew at each pass. */
static void listeners_at_one_address_are_added_up(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 2; i++) {
		begin(fixture, true);
		add_listener(fixture, 3, 10);
		add_listener(fixture, 6, 1);
		add_listener(fixture, 0, 0);
		merge(fixture);
		assert_int_equal(fixture->traffic.rows.count, 1);
		assert_int_equal(fixture->traffic.open, 1);
		const struct socket_summary *socket = &row_of(fixture, 1)->session.socket;

		assert_int_equal(socket->state, SOCKET_LISTEN);
		assert_int_equal(socket->joined, 2);
		assert_int_equal(socket->joined_full, 1);
		assert_int_equal(socket->backlog, 9);
		assert_int_equal(socket->backlog_max, 15);
		assert_int_equal(socket->drops, 11);
		assert_true(socket_is_full(socket)); /* though all together would have room */
	}
	begin(fixture, true);
	add_listener(fixture, 3, 10);
	merge(fixture);
	assert_int_equal(row_of(fixture, 1)->session.socket.joined, 0);
	assert_false(socket_is_full(&row_of(fixture, 1)->session.socket));
}

#define SOCKETS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SOCKETS_TEST(what_is_told_has_not_moved),
		SOCKETS_TEST(a_pass_now_and_then_is_enough),
		SOCKETS_TEST(a_listener_ends_when_it_is_not_told_of),
		SOCKETS_TEST(what_is_open_stays),
		SOCKETS_TEST(listeners_at_one_address_are_added_up),
	};

	return cmocka_run_group_tests_name("traffic of sockets", tests, NULL, NULL);
}
