/* SPDX-License-Identifier: Apache-2.0 */
/* What is found in intervals of sockets, and in what order. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/util.h"
#include "model/diagnosis.h"
#include "model/how.h"

#define FINDINGS_MAX 10

/* One of many in an interval; told of by a pass. */
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
	session->raddr[0] = 10;
	session->raddr[3] = 1;
	session->socket.state = state;
	return session;
}

static struct session *add_waiting(
    struct snapshot *snapshot, uint32_t pid, uint16_t lport, uint8_t cause, uint8_t share)
{
	struct session *session = add(snapshot, pid, lport, 443, SOCKET_ESTABLISHED);

	session->socket.cause = cause;
	session->socket.shares[cause] = share;
	session->socket.shares[CAUSE_IDLE] = 100 - share;
	return session;
}

/* The first pass, which tells of no time, then `parts` of half a second each, all alike. */
static int find(struct diagnosis *diagnosis, struct snapshot *snapshot, int parts, struct finding *findings)
{
	diagnosis_init(diagnosis);
	snapshot->sockets.count = (uint32_t)snapshot->session_count;
	snapshot->sockets.passed_ns = 0;
	assert_int_equal(diagnosis_add(diagnosis, snapshot), 0);
	assert_int_equal(diagnosis->passes, 0);
	snapshot->sockets.passed_ns = NS_PER_S / 2;
	for (int i = 0; i < parts; i++)
		assert_int_equal(diagnosis_add(diagnosis, snapshot), 0);
	assert_int_equal(diagnosis->looked_ns, (uint64_t)parts * NS_PER_S / 2);
	return diagnosis_find(diagnosis, findings, FINDINGS_MAX);
}

static void end(struct diagnosis *diagnosis, struct snapshot *snapshot)
{
	diagnosis_fini(diagnosis);
	snapshot_fini(snapshot);
}

static void added_up_by_process_and_remote(void **state)
{
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	add_waiting(&snapshot, 1, 1001, CAUSE_PEER, 80)->socket.unsent_bytes = 100;
	add_waiting(&snapshot, 1, 1002, CAUSE_PEER, 60)->socket.unacked_bytes = 10;
	add_waiting(&snapshot, 1, 1003, CAUSE_PEER, 5); /* is not worth it */
	add_waiting(&snapshot, 2, 1004, CAUSE_PEER, 100);
	assert_int_equal(find(&diagnosis, &snapshot, 4, findings), 2);
	assert_int_equal(findings[0].kind, FINDING_PEER);
	assert_int_equal(findings[0].session.pid, 1);
	assert_int_equal(findings[0].session.lport, 1001);
	assert_int_equal(findings[0].connections, 2);
	assert_int_equal(findings[0].remotes, 1);
	assert_int_equal(findings[0].waited_ms, 2800);
	assert_int_equal(findings[0].share_pct, 70);
	assert_int_equal(findings[0].unacked_bytes, 110);
	assert_false(findings[0].serves);
	assert_int_equal(findings[1].session.pid, 2);
	assert_int_equal(findings[1].waited_ms, 2000);
	end(&diagnosis, &snapshot);
}

/* Accepted ones are one finding, from however many addresses: known by the session or by a listener on the port. */
static void served_by_port(void **state)
{
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;
	struct session *session;

	(void)state;
	snapshot_init(&snapshot);
	for (uint8_t i = 0; i < 6; i++) {
		session = add_waiting(&snapshot, 1, i < 3 ? 80 : 81, CAUSE_LOSS, 50);
		session->rport = 5000 + i;
		session->raddr[3] = i / 2;
		session->accepted = i < 3 ? ANSWER_YES : ANSWER_UNKNOWN;
	}
	add(&snapshot, 1, 81, 0, SOCKET_LISTEN);
	assert_int_equal(find(&diagnosis, &snapshot, 2, findings), 2);
	for (int i = 0; i < 2; i++) {
		assert_true(findings[i].serves);
		assert_int_equal(findings[i].connections, 3);
		assert_int_equal(findings[i].remotes, 2);
	}
	end(&diagnosis, &snapshot);
}

/* Weights: time of all connections; what is no fault comes last, and only where it is most of it. */
static void weightiest_first(void **state)
{
	static const uint8_t order[] = { FINDING_READER, FINDING_LOSS, FINDING_QUEUE, FINDING_APP };
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	add_waiting(&snapshot, 1, 1001, CAUSE_APP, 100);
	add_waiting(&snapshot, 2, 1002, CAUSE_LOSS, 60);
	add_waiting(&snapshot, 3, 1003, CAUSE_QUEUE, 100);
	add_waiting(&snapshot, 4, 1004, CAUSE_READER, 90);
	add_waiting(&snapshot, 5, 1005, CAUSE_REMOTE, 40);
	add_waiting(&snapshot, 6, 1006, CAUSE_IDLE, 0);
	assert_int_equal(find(&diagnosis, &snapshot, 2, findings), COUNT_OF(order));
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		assert_int_equal(findings[i].kind, order[i]);
		assert_int_equal(finding_is_fault(&findings[i]), order[i] != FINDING_APP);
	}
	end(&diagnosis, &snapshot);
}

/* Both ends of a connection are one finding: of that which is the cause, and the other is told of with it. */
static void both_ends_are_one(void **state)
{
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	for (uint16_t i = 0; i < 3; i++) {
		struct session *sender = add_waiting(&snapshot, 10 + i, 1001 + i, CAUSE_PEER, 80);

		sender->rport = 80;
		sender->socket.unsent_bytes = 100 * (i + 1u);
		struct session *reader = add_waiting(&snapshot, 20, 80, CAUSE_READER, 90);

		sender = &snapshot.sessions[snapshot.session_count - 2];
		reader->rport = sender->lport;
		memcpy(reader->laddr, sender->raddr, sizeof reader->laddr);
		memcpy(reader->raddr, sender->laddr, sizeof reader->raddr);
		reader->accepted = ANSWER_YES;
	}
	add_waiting(&snapshot, 30, 5000, CAUSE_PEER, 70); /* its other end is elsewhere */
	snapshot.sessions[2].socket.shares[CAUSE_PEER] = 95;
	assert_int_equal(find(&diagnosis, &snapshot, 2, findings), 2);
	assert_int_equal(findings[0].kind, FINDING_READER);
	assert_int_equal(findings[0].connections, 3);
	assert_int_equal(findings[0].waiters, 3);
	assert_int_equal(findings[0].waiters_ms, 800 + 950 + 800);
	assert_int_equal(findings[0].peer.pid, 11);
	assert_int_equal(findings[0].peer_cause, CAUSE_PEER);
	assert_int_equal(findings[0].peer_share_pct, 95);
	assert_int_equal(findings[0].peer_unacked_bytes, 200);
	assert_int_equal(findings[1].kind, FINDING_PEER);
	assert_int_equal(findings[1].session.pid, 30);
	end(&diagnosis, &snapshot);
}

/* Who gets no answer, as the queue of a listener on this host is full, is told of with that; not who asks elsewhere. */
static void who_waits_for_a_full_queue(void **state)
{
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	(void)state;
	for (uint32_t backlog = 5; backlog <= 6; backlog++) {
		snapshot_init(&snapshot);
		struct session *listener = add(&snapshot, 1, 80, 0, SOCKET_LISTEN);

		listener->socket.backlog = backlog;
		listener->socket.backlog_max = 5;
		for (uint8_t i = 0; i < 3; i++) {
			struct session *session = add(&snapshot, 2 + i, 1000 + i, 80, SOCKET_SYN_SENT);

			session->socket.retries = 1 + i;
			session->raddr[0] = i ? 127 : 10;
		}
		bool is_full = backlog > 5;

		assert_int_equal(find(&diagnosis, &snapshot, 2, findings), is_full ? 2 : 3);
		if (is_full) {
			assert_int_equal(findings[0].kind, FINDING_BACKLOG);
			assert_int_equal(findings[0].waiters, 2);
			assert_int_equal(findings[0].waiters_ms, 2000);
			assert_int_equal(findings[1].session.pid, 2);
		}
		assert_int_equal(findings[1].kind, FINDING_UNANSWERED);
		end(&diagnosis, &snapshot);
	}
}

static void at_most_so_many(void **state)
{
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	for (uint8_t i = 0; i < 40; i++)
		add_waiting(&snapshot, 1u + i, 1000 + i, CAUSE_PEER, 50 + i);
	assert_int_equal(find(&diagnosis, &snapshot, 2, findings), FINDINGS_MAX);
	for (uint32_t i = 0; i < FINDINGS_MAX; i++)
		assert_int_equal(findings[i].session.pid, 40 - i);
	assert_int_equal(diagnosis.left_out, 30);
	end(&diagnosis, &snapshot);
}

static void connects_without_an_answer(void **state)
{
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	for (uint8_t i = 0; i < 3; i++) {
		struct session *session = add(&snapshot, 1 + i / 2, 1000 + i, 443, SOCKET_SYN_SENT);

		session->socket.retries = i; /* the first one has not asked again */
		session->socket.cause = i ? CAUSE_LOSS : CAUSE_QUEUE;
		session->socket.shares[session->socket.cause] = 100;
	}
	assert_int_equal(find(&diagnosis, &snapshot, 2, findings), 2);
	assert_int_equal(findings[0].kind, FINDING_UNANSWERED);
	assert_int_equal(findings[0].retries + findings[1].retries, 3);
	assert_int_equal(findings[0].connections, 1);
	end(&diagnosis, &snapshot);
}

/* A queue holds one more than its limit; drops count from the first pass on. */
static void listeners(void **state)
{
	static const struct {
		uint32_t backlog, first_drops, then_drops, waited_ms;
	} rows[] = {
		{ 5, 7, 7, 0 },
		{ 6, 7, 7, 6000 },
		{ 5, 7, 9, 2000 },
		{ 6, 7, 8, 7000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct finding findings[FINDINGS_MAX];
		struct diagnosis diagnosis;
		struct snapshot snapshot;

		diagnosis_init(&diagnosis);
		snapshot_init(&snapshot);
		struct session *listener = add(&snapshot, 1, 80, 0, SOCKET_LISTEN);

		snapshot.sockets.count = 1;
		listener->socket.backlog_max = 5;
		listener->socket.backlog = rows[i].backlog;
		listener->socket.drops = rows[i].first_drops;
		assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
		listener->socket.drops = rows[i].then_drops;
		snapshot.sockets.passed_ns = NS_PER_S;
		assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
		int count = diagnosis_find(&diagnosis, findings, FINDINGS_MAX);

		assert_int_equal(count, rows[i].waited_ms != 0);
		if (count) {
			assert_int_equal(findings[0].kind, FINDING_BACKLOG);
			assert_int_equal(findings[0].waited_ms, rows[i].waited_ms);
			assert_int_equal(findings[0].drops, rows[i].then_drops - rows[i].first_drops);
			assert_int_equal(findings[0].backlog, rows[i].backlog);
		}
		end(&diagnosis, &snapshot);
	}
}

/* Two at one address (SO_REUSEPORT): what each has dropped before is not of the time, and what one drops then is. */
static void listeners_at_one_address(void **state)
{
	struct finding findings[FINDINGS_MAX];

	(void)state;
	for (uint32_t dropped = 0; dropped < 3; dropped += 2) {
		struct diagnosis diagnosis;
		struct snapshot snapshot;

		diagnosis_init(&diagnosis);
		snapshot_init(&snapshot);
		add(&snapshot, 1, 80, 0, SOCKET_LISTEN)->socket.drops = 70;
		add(&snapshot, 1, 80, 0, SOCKET_LISTEN)->socket.drops = 9;
		snapshot.sockets.count = 2;
		assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
		snapshot.sockets.passed_ns = NS_PER_S;
		assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
		snapshot.sessions[0].socket.drops += dropped;
		assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
		assert_int_equal(diagnosis_find(&diagnosis, findings, FINDINGS_MAX), dropped != 0);
		if (dropped)
			assert_int_equal(findings[0].drops, dropped);
		end(&diagnosis, &snapshot);
	}
}

/* Left open after the remote has closed: not what still sends, reads, or is about to be closed. */
static void left_open(void **state)
{
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	for (uint16_t i = 0; i < 5; i++) {
		struct session *session = add(&snapshot, 1, 1000 + i, 443, SOCKET_CLOSE_WAIT);

		session->socket.cause = i == 4 ? CAUSE_READER : CAUSE_IDLE;
		session->socket.shares[session->socket.cause] = 100;
		session->socket.idle_s = 10 * i;
		session->rx_bytes = i == 0;             /* reads */
		session->socket.unacked_bytes = i == 1; /* sends */
	}
	assert_int_equal(find(&diagnosis, &snapshot, 4, findings), 1);
	assert_int_equal(findings[0].kind, FINDING_LEAK);
	assert_int_equal(findings[0].connections, 3);
	assert_int_equal(findings[0].idle_s, 40);
	diagnosis_fini(&diagnosis);

	/* It closed a moment ago. */
	diagnosis_init(&diagnosis);
	for (int part = 0; part < 5; part++) {
		for (size_t i = 0; i < snapshot.session_count; i++) {
			snapshot.sessions[i].socket.state = part < 4 ? SOCKET_ESTABLISHED : SOCKET_CLOSE_WAIT;
			snapshot.sessions[i].socket.cause = CAUSE_NONE;
		}
		snapshot.sockets.passed_ns = part ? NS_PER_S / 2 : 0;
		assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
	}
	assert_int_equal(diagnosis_find(&diagnosis, findings, FINDINGS_MAX), 0);
	end(&diagnosis, &snapshot);
}

/* What was not told of is not judged: an interval without a pass, a session without a socket, one that is gone. */
static void only_what_was_told(void **state)
{
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	diagnosis_init(&diagnosis);
	add_waiting(&snapshot, 1, 1001, CAUSE_PEER, 100);
	assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
	assert_int_equal(diagnosis.rows.count, 0);
	end(&diagnosis, &snapshot);

	snapshot_init(&snapshot);
	add_waiting(&snapshot, 1, 1001, CAUSE_PEER, 100)->socket.state = STATE_UNKNOWN;
	add(&snapshot, 2, 1002, 443, SOCKET_SYN_SENT)->socket.retries = 2;
	assert_int_equal(find(&diagnosis, &snapshot, 2, findings), 1);
	snapshot.sessions[1].socket.state = STATE_UNKNOWN; /* it gave up */
	assert_int_equal(diagnosis_add(&diagnosis, &snapshot), 0);
	assert_int_equal(diagnosis_find(&diagnosis, findings, FINDINGS_MAX), 0);
	end(&diagnosis, &snapshot);
}

static void add_ended(struct snapshot *snapshot, uint16_t port, bool serves, uint8_t end, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct connection *connection = snapshot_add_connection(snapshot);

		assert_non_null(connection);
		connection->session.family = 4;
		connection->session.pid = 5;
		connection->session.accepted = serves ? ANSWER_YES : ANSWER_NO;
		connection->session.lport = serves ? port : (uint16_t)(40000 + i);
		connection->session.rport = serves ? (uint16_t)(40000 + i) : port;
		connection->end = end;
		connection->lived_us = end == END_CLOSED ? 1000 : CONNECTION_UNKNOWN;
	}
}

static void by_how_connections_ended(void **state)
{
	struct finding findings[FINDINGS_MAX];
	struct diagnosis diagnosis;
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	add(&snapshot, 1, 80, 0, SOCKET_LISTEN);
	/* in each of two parts of half a second; what ended before the first pass is not of the time */
	add_ended(&snapshot, 81, false, END_REFUSED, 2);
	add_ended(&snapshot, 81, false, END_CLOSED, 3); /* six in a second are no churn */
	add_ended(&snapshot, 82, false, END_RESET, 1);  /* two are not worth it */
	add_ended(&snapshot, 83, false, END_RESET_REMOTE, 8);
	add_ended(&snapshot, 84, true, END_RESET, 2);
	add_ended(&snapshot, 84, true, END_CLOSED, 30); /* who accepts does not choose to */
	add_ended(&snapshot, 85, false, END_CLOSED, 10);
	add_ended(&snapshot, 86, true, END_RESET, 3);
	add_ended(&snapshot, 86, true, END_CLOSED_REMOTE, 100); /* under five of a hundred */
	assert_int_equal(find(&diagnosis, &snapshot, 2, findings), 4);
	assert_int_equal(findings[0].kind, FINDING_REFUSED);
	assert_int_equal(findings[0].failed, 4);
	assert_int_equal(findings[0].ended, 10);
	assert_int_equal(findings[0].share_pct, 40);
	assert_int_equal(findings[0].session.rport, 81);
	assert_int_equal(findings[1].kind, FINDING_RESETS);
	assert_int_equal(findings[1].session.rport, 83);
	assert_int_equal(findings[1].failed, 16);
	assert_int_equal(findings[1].closed_first, 0);
	assert_int_equal(findings[2].kind, FINDING_RESETS);
	assert_int_equal(findings[2].session.lport, 84);
	assert_true(findings[2].serves);
	assert_int_equal(findings[2].closed_first, 4);
	assert_int_equal(findings[3].kind, FINDING_CHURN);
	assert_int_equal(findings[3].session.rport, 85);
	assert_int_equal(findings[3].failed, 0);
	assert_int_equal(findings[3].shorts, 20);
	assert_int_equal(findings[3].closed_first, 20);
	assert_true(finding_is_fault(&findings[3]));
	end(&diagnosis, &snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added_up_by_process_and_remote),
		cmocka_unit_test(by_how_connections_ended),
		cmocka_unit_test(served_by_port),
		cmocka_unit_test(weightiest_first),
		cmocka_unit_test(both_ends_are_one),
		cmocka_unit_test(who_waits_for_a_full_queue),
		cmocka_unit_test(at_most_so_many),
		cmocka_unit_test(connects_without_an_answer),
		cmocka_unit_test(listeners),
		cmocka_unit_test(listeners_at_one_address),
		cmocka_unit_test(left_open),
		cmocka_unit_test(only_what_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
