/* SPDX-License-Identifier: Apache-2.0 */
/* What of a snapshot passes --filter, where it is not the screen's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "model/cause.h"
#include "model/snapshot.h"
#include "names/names.h"
#include "sieve.h"
#include "table/make_session.h"

/* A source of one snapshot, again and again. */
static int take(void *state, const struct snapshot **snapshot, struct error *error)
{
	(void)error;
	*snapshot = state;
	return 0;
}

static void release(void *state)
{
	(void)state;
}

struct fixture {
	struct snapshot all;
	struct names *names;
	struct sieve *sieve;
	struct source shown;
};

static void begin(struct fixture *fixture, const char *words)
{
	const struct source source = { .state = &fixture->all, .take = take, .release = release };
	struct error error;

	snapshot_init(&fixture->all);
	fixture->names = names_open("", NULL);
	assert_non_null(fixture->names);
	assert_int_equal(sieve_open(&fixture->sieve, &source, words, fixture->names, &error), 0);
	fixture->shown = sieve_source(fixture->sieve);
}

static const struct snapshot *next(struct fixture *fixture)
{
	const struct snapshot *passed;
	struct error error;

	snapshot_total(&fixture->all);
	assert_int_equal(fixture->shown.take(fixture->shown.state, &passed, &error), 0);
	assert_non_null(passed);
	fixture->shown.release(fixture->shown.state);
	return passed;
}

static void end(struct fixture *fixture)
{
	sieve_close(fixture->sieve);
	names_close(fixture->names);
	snapshot_fini(&fixture->all);
}

static struct session *add(struct fixture *fixture, const char *comm, uint32_t pid, uint64_t rx_bytes)
{
	struct session *session = snapshot_add(&fixture->all);

	assert_non_null(session);
	*session = make(comm, pid, "192.0.2.1", 443, rx_bytes, 0);
	return session;
}

static void sessions_and_their_totals(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, "comm:nginx");
	add(&fixture, "nginx", 22, 5);
	add(&fixture, "java", 23, 70);
	fixture.all.other.rx_bytes = 1000;
	const struct snapshot *passed = next(&fixture);

	assert_int_equal(passed->session_count, 1);
	assert_string_equal(passed->sessions[0].comm, "nginx");
	assert_int_equal(passed->rx_bytes, 1005);
	end(&fixture);
}

static void add_ended(struct fixture *fixture, const char *comm, uint32_t pid, uint64_t lived_us)
{
	struct connection *connection = snapshot_add_connection(&fixture->all);

	assert_non_null(connection);
	connection->session = make(comm, pid, "192.0.2.1", 443, 7, 7);
	connection->lived_us = lived_us;
}

static void ended_connections_pass_as_sessions_do(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, "comm:nginx user:22");
	add_ended(&fixture, "java", 23, 1);
	add_ended(&fixture, "nginx", 22, 2);
	add_ended(&fixture, "", 0, 3);
	add_ended(&fixture, "nginx", 22, 4);
	add_ended(&fixture, "nginx", 24, 5);
	for (int i = 0; i < 2; i++) {
		const struct snapshot *passed = next(&fixture);

		assert_int_equal(passed->connection_count, 2);
		assert_int_equal(passed->connections[0].lived_us, 2);
		assert_int_equal(passed->connections[1].lived_us, 4);
		assert_int_equal(passed->rx_bytes, 0);
	}
	end(&fixture);
}

/* Two that wait; a pass tells what for, or there is none in the interval. */
static const struct snapshot *next_of_two(struct fixture *fixture, bool has_pass)
{
	snapshot_reset(&fixture->all);
	struct session *peer = add(fixture, "a", 22, 5);

	peer->socket.state = has_pass ? SOCKET_ESTABLISHED : 0;
	peer->socket.cause = has_pass ? CAUSE_PEER : CAUSE_NONE;
	struct session *app = add(fixture, "b", 23, 70);

	app->socket.state = peer->socket.state;
	app->socket.cause = has_pass ? CAUSE_APP : CAUSE_NONE;
	fixture->all.sockets.follows = true;
	fixture->all.sockets.cpu_ns = has_pass;
	return next(fixture);
}

static void sockets_stand_as_the_latest_pass_told(void **state)
{
	static const struct {
		const char *words;
		uint64_t rx_bytes;
	} cases[] = {
		{ "why:peer", 5 },
		{ "!why:peer", 70 },
		{ "state:established", 75 },
		{ "!state:established", 0 },
	};
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin(&fixture, cases[i].words);
		for (int interval = 0; interval < 6; interval++) {
			const struct snapshot *passed = next_of_two(&fixture, interval % 3 == 0);

			assert_int_equal(passed->rx_bytes, cases[i].rx_bytes);
			if (interval % 3) /* but what is shown is what was told */
				for (size_t k = 0; k < passed->session_count; k++)
					assert_int_equal(passed->sessions[k].socket.state, 0);
		}
		end(&fixture);
	}
}

/* What a pass does not come to any more is not open, and without passes nothing is known. */
static void what_no_pass_tells_is_not_known(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, "why:peer");
	assert_int_equal(next_of_two(&fixture, false)->session_count, 0);
	assert_int_equal(next_of_two(&fixture, true)->session_count, 1);
	fixture.all.sessions[0].socket = (struct socket_summary){ 0 };
	assert_int_equal(next(&fixture)->session_count, 0);
	assert_int_equal(next_of_two(&fixture, false)->session_count, 0);
	assert_int_equal(next_of_two(&fixture, true)->session_count, 1);
	next_of_two(&fixture, false);
	fixture.all.sockets.follows = false;
	assert_int_equal(next(&fixture)->session_count, 0);
	end(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_and_their_totals),
		cmocka_unit_test(ended_connections_pass_as_sessions_do),
		cmocka_unit_test(sockets_stand_as_the_latest_pass_told),
		cmocka_unit_test(what_no_pass_tells_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
