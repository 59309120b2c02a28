/* SPDX-License-Identifier: Apache-2.0 */
/* How a connection ended, from what the kernel noted of it; and the latest ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "model/connection.h"
#include "model/latest.h"

#define S UINT64_C(1000000000)

static const char reasons[][CONNECTION_REASON_SIZE] = { "not_specified", "", "tcp_abort_on_close" };

static struct connection take(const struct life_end *end)
{
	struct connection connection = { 0 };

	connection_take(&connection, end, 10 * S, reasons, COUNT_OF(reasons));
	return connection;
}

/* States as the kernel numbers them: 1 established, 2 SYN sent, 4 and 5 FIN wait, 8 close wait, 9 last ACK, 11 closing. */
static void ends_by_state_and_error(void **state)
{
	static const struct {
		uint8_t from;
		uint32_t error, reset;
		bool unsent;
		enum connection_end end;
	} cases[] = {
		{ 4, 0, 0, false, END_CLOSED },
		{ 5, 0, 0, false, END_CLOSED },
		{ 11, 0, 0, false, END_CLOSED },
		{ 9, 0, 0, false, END_CLOSED_REMOTE },
		{ 1, 0, 0, false, END_RESET }, /* SO_LINGER, or bytes unread: neither side has sent a FIN */
		{ 8, 0, 0, false, END_RESET },
		{ 5, 0, 9, false, END_RESET }, /* data after it was closed */
		{ 1, ECONNRESET, 0, false, END_RESET_REMOTE },
		{ 8, EPIPE, 0, false, END_RESET_REMOTE },
		{ 9, ECONNRESET, 0, false, END_RESET_REMOTE },
		{ 1, ECONNREFUSED, 0, false, END_RESET_REMOTE },
		{ 2, ECONNREFUSED, 0, false, END_REFUSED },
		{ 2, ETIMEDOUT, 0, false, END_TIMED_OUT },
		{ 1, ETIMEDOUT, 16, false, END_TIMED_OUT }, /* keepalives: a reset is sent at last */
		{ 2, EHOSTUNREACH, 0, false, END_UNREACHABLE },
		{ 1, ECONNABORTED, 15, false, END_ABORTED },
		{ 2, 0, 0, false, END_GIVEN_UP },
		{ 2, 0, 0, true, END_NO_PORT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct life_end end = { .state = cases[i].from,
			.error = cases[i].error,
			.reset = cases[i].reset,
			.unsent = cases[i].unsent };
		struct connection connection = take(&end);

		assert_int_equal(connection.end, cases[i].end);
		assert_int_equal(connection_has_failed(&connection), cases[i].end > END_CLOSED_REMOTE);
	}
	for (int i = 0; i < END_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(connection_end_name((enum connection_end)i),
			    connection_end_name((enum connection_end)j));
}

static void times_and_reasons(void **state)
{
	struct life_end end = { .state = 4,
		.accepted = ANSWER_NO,
		.began_ns = 7 * S,
		.established_ns = 8 * S,
		.ended_ns = 9 * S + 500000,
		.reset = 3 };
	struct connection connection = take(&end);

	(void)state;
	assert_int_equal(connection.connect_us, 1000000);
	assert_int_equal(connection.lived_us, 2000500);
	assert_int_equal(connection.ago_us, 999500);
	assert_string_equal(connection.reason, "tcp_abort_on_close");
	end.accepted = ANSWER_YES; /* how long that took its remote alone knows */
	end.reset = 4;             /* a number without a name */
	connection = take(&end);
	assert_true(
	    connection.connect_us == CONNECTION_UNKNOWN && connection.accept_us == CONNECTION_UNKNOWN);
	end.called_ns = 8 * S + 300000;
	assert_int_equal(take(&end).accept_us, 300);
	assert_string_equal(connection.reason, "");
	end.accepted = ANSWER_NO;
	assert_true(take(&end).accept_us == CONNECTION_UNKNOWN);
	end.began_ns = end.established_ns = 0;
	end.ended_ns = 11 * S; /* a program that looked at the clock after the swap */
	connection = take(&end);
	assert_true(connection.lived_us == CONNECTION_UNKNOWN && connection.connect_us == CONNECTION_UNKNOWN);
	assert_int_equal(connection.ago_us, 0);
	end.began_ns = 10 * S;
	connection = take(&end);
	assert_int_equal(connection.lived_us, 1000000);
	assert_true(connection.connect_us == CONNECTION_UNKNOWN);
}

static void add(struct latest *latest, int64_t time_s, size_t count, uint64_t first)
{
	struct snapshot snapshot;

	snapshot_init(&snapshot);
	snapshot.time.tv_sec = time_s;
	for (size_t i = 0; i < count; i++) {
		struct connection *connection = snapshot_add_connection(&snapshot);

		assert_non_null(connection);
		connection->session.rx_bytes = first + i;
		connection->end = END_REFUSED;
		connection->ago_us = 1500000;
	}
	assert_int_equal(latest_add(latest, &snapshot, (uint64_t)time_s), 0);
	snapshot_fini(&snapshot);
}

/* A ring; what is played again is not there twice. */
static void the_latest_stay(void **state)
{
	struct latest latest = { 0 };

	(void)state;
	add(&latest, 100, 0, 0);
	assert_null(latest_at(&latest, 0));
	add(&latest, 101, 3, 0);
	assert_int_equal(latest_at(&latest, 0)->connection.session.rx_bytes, 2);
	assert_int_equal(latest_at(&latest, 2)->connection.session.rx_bytes, 0);
	assert_int_equal(latest_at(&latest, 2)->ended_s, 99);
	assert_null(latest_at(&latest, 3));
	add(&latest, 102, LATEST_MAX, 3);
	assert_int_equal(latest_at(&latest, 0)->connection.session.rx_bytes, LATEST_MAX + 2);
	assert_int_equal(latest_at(&latest, LATEST_MAX - 1)->connection.session.rx_bytes, 3);
	assert_null(latest_at(&latest, LATEST_MAX));
	assert_int_equal(latest.ended[END_REFUSED], LATEST_MAX + 3);
	add(&latest, 103, 1, 5000);
	add(&latest, 103, 1, 6000);
	assert_int_equal(latest.ended[END_REFUSED], LATEST_MAX + 4);
	assert_int_equal(latest_at(&latest, 0)->connection.session.rx_bytes, 6000);
	assert_int_equal(latest_at(&latest, 1)->connection.session.rx_bytes, LATEST_MAX + 2);
	add(&latest, 101, 1, 7);
	assert_int_equal(latest.ended[END_REFUSED], 1);
	assert_int_equal(latest_at(&latest, 0)->connection.session.rx_bytes, 7);
	assert_null(latest_at(&latest, 1));
	latest_fini(&latest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_by_state_and_error),
		cmocka_unit_test(times_and_reasons),
		cmocka_unit_test(the_latest_stay),
	};

	return cmocka_run_group_tests_name("connection", tests, NULL, NULL);
}
