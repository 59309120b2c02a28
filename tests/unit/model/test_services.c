/* SPDX-License-Identifier: Apache-2.0 */
/* What is served, by listening port. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "model/cause.h"
#include "model/how.h"
#include "model/services.h"

static struct session *add(
    struct snapshot *snapshot, uint32_t pid, uint16_t lport, uint16_t rport, uint8_t state)
{
	struct session *session = snapshot_add(snapshot);

	assert_non_null(session);
	session->family = 4;
	session->pid = pid;
	session->netns = 7;
	session->lport = lport;
	session->rport = rport;
	session->socket.state = state;
	return session;
}

static void add_listener(
    struct snapshot *snapshot, uint32_t pid, uint16_t lport, uint32_t backlog, uint32_t drops)
{
	struct session *session = add(snapshot, pid, lport, 0, SOCKET_LISTEN);

	session->socket.backlog = backlog;
	session->socket.backlog_max = 128;
	session->socket.drops = drops;
}

static struct session *add_open(struct snapshot *snapshot, uint32_t pid, uint16_t lport, uint16_t rport)
{
	return add(snapshot, pid, lport, rport, SOCKET_ESTABLISHED);
}

static void add_ended(struct snapshot *snapshot, uint16_t lport, uint8_t end)
{
	struct connection *connection = snapshot_add_connection(snapshot);

	assert_non_null(connection);
	connection->session.netns = 7;
	connection->session.lport = lport;
	connection->session.accepted = ANSWER_YES;
	connection->end = end;
}

/* An interval of a second. passed_s: since the pass before; -1: there was none in it. */
static int end_interval(struct services *services, struct snapshot *snapshot, int passed_s)
{
	snapshot->interval_ns = NS_PER_S;
	snapshot->notes_connections = true;
	snapshot->sockets.follows = true;
	snapshot->sockets.cpu_ns = passed_s >= 0;
	snapshot->sockets.passed_ns = passed_s > 0 ? (uint64_t)passed_s * NS_PER_S : 0;
	int told = services_add(services, snapshot);

	snapshot_reset(snapshot);
	return told;
}

static void by_port(void **state)
{
	struct services services;
	struct snapshot snapshot;

	(void)state;
	services_init(&services);
	snapshot_init(&snapshot);
	add_listener(&snapshot, 1, 80, 1, 5);
	add_open(&snapshot, 1, 80, 4999);
	assert_int_equal(end_interval(&services, &snapshot, 0), 0); /* tells of no time */
	/* two processes listen on one port, and both use one connection; another waits, and is nobody's */
	add_listener(&snapshot, 2, 80, 2, 3);
	add_listener(&snapshot, 1, 80, 1, 9);
	add_listener(&snapshot, 3, 22, 0, 0);
	add_open(&snapshot, 1, 80, 5000);
	add_open(&snapshot, 2, 80, 5000);
	add_open(&snapshot, 1, 80, 5001);
	add_open(&snapshot, 0, 80, 5002);
	add(&snapshot, 1, 80, 5003, SOCKET_CLOSE);
	add_open(&snapshot, 4, 40000, 443)->accepted = ANSWER_NO;
	add_open(&snapshot, 4, 80, 443)->accepted = ANSWER_NO;
	add_ended(&snapshot, 80, END_RESET_REMOTE);
	add_ended(&snapshot, 80, END_RESET);
	add_ended(&snapshot, 80, END_TIMED_OUT);
	add_ended(&snapshot, 80, END_CLOSED);
	add_ended(&snapshot, 8080, END_CLOSED); /* nobody listens any more */
	assert_int_equal(end_interval(&services, &snapshot, 1), 1);
	assert_int_equal(services.count, 2);
	assert_int_equal(services.items[0].session.lport, 22);
	assert_int_equal(services.items[0].fresh, 0);
	const struct service *web = &services.items[1];

	assert_int_equal(web->session.pid, 1);
	assert_int_equal(web->listeners, 2);
	assert_int_equal(web->open, 2);
	assert_int_equal(web->fresh, 2 + 3 + 4 - 2);
	assert_true(service_fresh_per_s(&services, web) == 7);
	assert_int_equal(web->backlog, 3);
	assert_int_equal(web->backlog_max, 256);
	assert_int_equal(web->drops, 7);
	assert_int_equal(web->ends.ended, 4);
	assert_int_equal(web->ends.resets, 2);
	assert_int_equal(web->ends.timed_out, 1);
	services_fini(&services);
	snapshot_fini(&snapshot);
}

static void passes_that_are_rare(void **state)
{
	struct services services;
	struct snapshot snapshot;

	(void)state;
	services_init(&services);
	snapshot_init(&snapshot);
	add_listener(&snapshot, 1, 80, 0, 0);
	add_open(&snapshot, 1, 80, 5000);
	end_interval(&services, &snapshot, 0);
	add_ended(&snapshot, 80, END_CLOSED);
	assert_int_equal(end_interval(&services, &snapshot, -1), 0);
	add_ended(&snapshot, 80, END_RESET);
	add_ended(&snapshot, 80, END_CLOSED);
	add_listener(&snapshot, 1, 80, 0, 0);
	add_open(&snapshot, 1, 80, 5001);
	assert_int_equal(end_interval(&services, &snapshot, 2), 1);
	assert_int_equal(services.items[0].fresh, 3);
	assert_int_equal(services.items[0].ends.ended, 3);
	assert_true(service_fresh_per_s(&services, &services.items[0]) == 1.5);
	/* one has gone after the interval's end, before the pass: nothing is new, now or in the next one */
	add_listener(&snapshot, 1, 80, 0, 0);
	assert_int_equal(end_interval(&services, &snapshot, 1), 1);
	assert_int_equal(services.items[0].fresh, 0);
	assert_int_equal(services.items[0].ends.ended, 0);
	add_ended(&snapshot, 80, END_CLOSED);
	add_listener(&snapshot, 1, 80, 0, 0);
	assert_int_equal(end_interval(&services, &snapshot, 1), 1);
	assert_int_equal(services.items[0].fresh, 0);
	assert_int_equal(services.items[0].ends.ended, 1);
	assert_int_equal(services.items[0].all.ended, 4);
	assert_int_equal(services.items[0].all.resets, 1);
	/* not all is told any more */
	assert_int_equal(services_add(&services, &snapshot), 0);
	assert_int_equal(services.count, 0);
	snapshot_fini(&snapshot);
}

/* Sockets were read long before anybody asked for services: what is open then is not new. */
static void what_was_open_before_is_not_new(void **state)
{
	struct services services;
	struct snapshot snapshot;

	(void)state;
	services_init(&services);
	snapshot_init(&snapshot);
	assert_null(services.items);
	for (uint16_t pass = 0; pass < 2; pass++) {
		add_listener(&snapshot, 1, 80, 0, 0);
		for (uint16_t i = 0; i < 20 + pass; i++)
			add_open(&snapshot, 1, 80, 5000 + i);
		assert_int_equal(end_interval(&services, &snapshot, 1), pass);
		assert_non_null(services.items);
		assert_int_equal(services.span_ns, pass * NS_PER_S);
		assert_int_equal(services.items[0].open, 20 + pass);
		assert_int_equal(services.items[0].fresh, pass);
	}
	services_fini(&services);
	snapshot_fini(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_port),
		cmocka_unit_test(passes_that_are_rare),
		cmocka_unit_test(what_was_open_before_is_not_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
