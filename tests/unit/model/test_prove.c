/* SPDX-License-Identifier: Apache-2.0 */
/* One end that waits for the other to read proves that one's cause. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "model/prove.h"

static struct session *add(struct snapshot *snapshot, uint32_t netns, uint16_t lport, uint16_t rport)
{
	struct session *session = snapshot_add(snapshot);

	assert_non_null(session);
	session->family = 4;
	session->netns = netns;
	session->laddr[0] = session->raddr[0] = 127;
	session->lport = lport;
	session->rport = rport;
	session->socket.state = SOCKET_ESTABLISHED;
	return session;
}

static void is_the_reader(void **state)
{
	static const struct {
		uint8_t peer, reader, remote,
		    queue; /* of the one end, and of the other as the pass found it */
		uint32_t rtt_min_us, netns, twin_netns;
		uint8_t proven_reader, cause;
	} rows[] = {
		{ 100, 40, 60, 0, 30, 7, 0, 100, CAUSE_READER },
		{ 80, 0, 100, 0, 30, 7, 0, 80, CAUSE_READER }, { 80, 90, 10, 0, 30, 7, 0, 90, CAUSE_READER },
		{ 80, 0, 30, 70, 30, 7, 0, 30, CAUSE_QUEUE },     /* what it sends itself stays */
		{ 100, 0, 100, 0, 20000, 7, 0, 0, CAUSE_REMOTE }, /* a long path */
		{ 40, 0, 100, 0, 30, 7, 0, 0, CAUSE_REMOTE },     /* it waits for something else */
		{ 100, 0, 100, 0, 30, 8, 0, 100, CAUSE_READER },  /* in another namespace */
		{ 100, 0, 100, 0, 30, 8, 9, 0, CAUSE_REMOTE },    /* in one of two */
		{ 100, 0, 100, 0, 30, 8, 7, 100, CAUSE_READER },  /* in its own, of two */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct snapshot snapshot;

		snapshot_init(&snapshot);
		for (int twin = 0; twin < 1 + (rows[i].twin_netns != 0); twin++) {
			struct session *sender =
			    add(&snapshot, twin ? rows[i].twin_netns : rows[i].netns, 1001, 80);

			sender->socket.shares[CAUSE_PEER] = rows[i].peer;
			sender->socket.shares[CAUSE_QUEUE] = 100 - rows[i].peer;
			sender->socket.cause = rows[i].peer > 50 ? CAUSE_PEER : CAUSE_QUEUE;
			sender->socket.rtt_min_us = rows[i].rtt_min_us;
		}
		for (uint16_t port = 80; port <= 81; port++) { /* nobody waits for the second one */
			struct session *reader = add(&snapshot, 7, port, 1001);

			reader->socket.shares[CAUSE_READER] = rows[i].reader;
			reader->socket.shares[CAUSE_REMOTE] = rows[i].remote;
			reader->socket.shares[CAUSE_QUEUE] = rows[i].queue;
			reader->socket.cause = rows[i].remote > 50 ? CAUSE_REMOTE : CAUSE_READER;
		}
		assert_int_equal(prove_readers(&snapshot), 0);
		const struct socket_summary *other = &snapshot.sessions[snapshot.session_count - 1].socket;
		const struct socket_summary *reader = &snapshot.sessions[snapshot.session_count - 2].socket;

		assert_int_equal(reader->shares[CAUSE_READER], rows[i].proven_reader);
		assert_int_equal(
		    reader->shares[CAUSE_READER] + reader->shares[CAUSE_REMOTE] + reader->shares[CAUSE_QUEUE],
		    100);
		assert_int_equal(reader->cause, rows[i].cause);
		assert_int_equal(other->shares[CAUSE_READER], rows[i].reader);
		snapshot_fini(&snapshot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(is_the_reader) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
