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
	session->laddr[0] = session->raddr[0] =
	    10; /* the one that connects and the one that is connected to */
	session->laddr[3] = lport < rport ? 1 : 2;
	session->raddr[3] = lport < rport ? 2 : 1;
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

enum { CLIENT, SERVER }; /* port 40000 and port 5432 */

/* An end of one and the same connection, by its addresses. */
struct place {
	uint32_t netns, ifindex;
	uint8_t end, cause;
};

static const struct {
	const char *what;
	struct place places[5]; /* netns 0: none */
	uint8_t apart,
	    loopback; /* the share of reader where the addresses are 10.0.0.1 and 10.0.0.2, and in 127/8 */
} cases[] = {
	{ "an idle pair in its own namespace, one that waits in another",
	    { { 2, 0, SERVER, CAUSE_IDLE }, { 2, 0, CLIENT, CAUSE_IDLE }, { 1, 0, CLIENT, CAUSE_PEER },
	        { 1, 0, SERVER, CAUSE_READER } },
	    0, 0 },
	{ "its own other end waits, another pair is idle",
	    { { 1, 0, SERVER, CAUSE_IDLE }, { 1, 0, CLIENT, CAUSE_PEER }, { 2, 0, CLIENT, CAUSE_IDLE },
	        { 2, 0, SERVER, CAUSE_IDLE } },
	    100, 100 },
	{ "in two namespaces", { { 1, 0, SERVER, CAUSE_IDLE }, { 2, 0, CLIENT, CAUSE_PEER } }, 100, 0 },
	{ "the other one that it may be does not wait",
	    { { 1, 0, SERVER, CAUSE_IDLE }, { 2, 0, CLIENT, CAUSE_PEER }, { 3, 0, CLIENT, CAUSE_APP } }, 0,
	    0 },
	{ "its own side is there twice",
	    { { 1, 0, SERVER, CAUSE_IDLE }, { 2, 0, CLIENT, CAUSE_PEER }, { 3, 0, SERVER, CAUSE_IDLE } }, 0,
	    0 },
	{ "two container networks",
	    { { 1, 0, SERVER, CAUSE_IDLE }, { 2, 0, CLIENT, CAUSE_IDLE }, { 3, 0, CLIENT, CAUSE_PEER },
	        { 4, 0, SERVER, CAUSE_READER } },
	    0, 0 },
	{ "several processes have either end",
	    { { 1, 0, SERVER, CAUSE_IDLE }, { 1, 0, SERVER, CAUSE_APP }, { 2, 0, CLIENT, CAUSE_PEER },
	        { 2, 0, CLIENT, CAUSE_APP } },
	    100, 0 },
	{ "one of the processes in its namespace waits",
	    { { 1, 0, SERVER, CAUSE_IDLE }, { 1, 0, CLIENT, CAUSE_APP }, { 1, 0, CLIENT, CAUSE_PEER } }, 100,
	    100 },
	{ "its own link's end does not wait",
	    { { 1, 3, SERVER, CAUSE_IDLE }, { 1, 4, CLIENT, CAUSE_PEER }, { 1, 3, CLIENT, CAUSE_IDLE } }, 0,
	    0 },
	{ "the only one is on another link", { { 1, 3, SERVER, CAUSE_IDLE }, { 1, 4, CLIENT, CAUSE_PEER } },
	    100, 100 },
	{ "on two other links",
	    { { 1, 3, SERVER, CAUSE_IDLE }, { 1, 4, CLIENT, CAUSE_PEER }, { 1, 5, CLIENT, CAUSE_PEER } }, 0,
	    0 },
	{ "its own side is on two links",
	    { { 1, 3, SERVER, CAUSE_IDLE }, { 1, 4, CLIENT, CAUSE_PEER }, { 1, 5, SERVER, CAUSE_IDLE } }, 0,
	    0 },
};

/* Two addresses that may be in several namespaces at once, on loopback or not, and what the first of all ends is told of. */
static void which_is_the_other_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
		struct snapshot snapshot;
		bool loops = i % 2;

		snapshot_init(&snapshot);
		for (size_t j = 0; j < 5 && cases[i / 2].places[j].netns; j++) {
			const struct place *place = &cases[i / 2].places[j];
			struct session *session = add(&snapshot, place->netns,
			    place->end == CLIENT ? 40000 : 5432, place->end == CLIENT ? 5432 : 40000);

			session->ifindex = place->ifindex;
			session->pid = (uint32_t)j;
			session->socket.cause = place->cause;
			session->socket.shares[place->cause] = 100;
			if (loops)
				session->laddr[0] = session->raddr[0] = 127;
		}
		assert_int_equal(prove_readers(&snapshot), 0);
		if (snapshot.sessions[0].socket.shares[CAUSE_READER] !=
		    (loops ? cases[i / 2].loopback : cases[i / 2].apart))
			fail_msg("%s, %s: reader %u", cases[i / 2].what, loops ? "loopback" : "apart",
			    snapshot.sessions[0].socket.shares[CAUSE_READER]);
		snapshot_fini(&snapshot);
	}
}

/* What no pass has told of is no end: it is not known whether it waits. */
static void only_what_is_told_of(void **state)
{
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	struct session session = *add(&snapshot, 1, 5432, 40000);

	snapshot.sessions[0].socket.cause = CAUSE_IDLE;
	snapshot.sessions[0].socket.shares[CAUSE_IDLE] = 100;
	struct session *client = add(&snapshot, 2, 40000, 5432);

	client->socket.cause = CAUSE_PEER;
	client->socket.shares[CAUSE_PEER] = 100;
	session.netns = 3;
	session.socket.state = STATE_UNKNOWN;
	*snapshot_add(&snapshot) = session;
	assert_int_equal(prove_readers(&snapshot), 0);
	assert_int_equal(snapshot.sessions[0].socket.shares[CAUSE_READER], 100);
	snapshot_fini(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_reader),
		cmocka_unit_test(which_is_the_other_end),
		cmocka_unit_test(only_what_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
