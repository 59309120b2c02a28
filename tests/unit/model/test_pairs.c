/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "model/pairs.h"
#include "model/traffic.h"

#define INTERVAL_NS NS_PER_S

struct fixture {
	struct traffic traffic;
	struct snapshot snapshot;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	traffic_init(&fixture->traffic);
	snapshot_init(&fixture->snapshot);
	*state = fixture;
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

/* 10.0.0.FROM:PORT to 10.0.0.TO:PORT, from what is the process `pid` of a network namespace. */
static struct session end_of(
    uint32_t pid, uint32_t netns, uint8_t from, uint16_t lport, uint8_t to, uint16_t rport)
{
	struct session session = {
		.family = 4, .pid = pid, .netns = netns, .lport = lport, .rport = rport, .rx_bytes = 1
	};
	const uint8_t local[] = { 10, 0, 0, from }, remote[] = { 10, 0, 0, to };

	memcpy(session.laddr, local, sizeof local);
	memcpy(session.raddr, remote, sizeof remote);
	snprintf(session.comm, sizeof session.comm, "p%u", pid);
	return session;
}

static struct session linked(struct session session, uint32_t ifindex)
{
	session.family = 6;
	session.ifindex = ifindex;
	return session;
}

static void add(struct fixture *fixture, struct session session)
{
	*snapshot_add(&fixture->snapshot) = session;
}

static void add_ending(struct fixture *fixture, struct session session)
{
	session.pid = 0;
	snapshot_add_ending(&fixture->snapshot)->connection = session;
}

/* The interval ends. */
static void merge(struct fixture *fixture)
{
	fixture->snapshot.interval_ns = INTERVAL_NS;
	fixture->snapshot.time.tv_sec += 1;
	assert_int_equal(traffic_merge(&fixture->traffic, &fixture->snapshot, NULL), 0);
	const struct timespec time = fixture->snapshot.time;

	snapshot_reset(&fixture->snapshot);
	fixture->snapshot.time = time;
}

static const struct row *row_of(struct fixture *fixture, const struct session *key)
{
	size_t index = rows_find(&fixture->traffic.rows, key);

	assert_int_not_equal(index, ROW_NONE);
	return &fixture->traffic.rows.rows[index];
}

/* 0: it is not known. */
static uint32_t other_pid(struct fixture *fixture, struct session key)
{
	const struct row *row = row_of(fixture, &key);
	char comm[SESSION_NAME_SIZE];

	if (!row->peer.known)
		return 0;
	snprintf(comm, sizeof comm, "p%u", row->peer.pid);
	assert_string_equal(row->peer.comm, comm);
	assert_int_equal(pairs_other(&fixture->traffic.rows, row)->session.pid, row->peer.pid);
	return row->peer.pid;
}

static void ends_find_one_another(void **state)
{
	struct fixture *fixture = *state;
	struct session client = end_of(1, 5, 1, 1000, 1, 80), server = end_of(2, 5, 1, 80, 1, 1000);
	struct session away = end_of(3, 5, 1, 1000, 9, 80), listener = end_of(2, 5, 1, 80, 0, 0);

	add(fixture, client);
	add(fixture, away);
	add(fixture, listener);
	merge(fixture);
	assert_int_equal(other_pid(fixture, client), 0);
	assert_null(pairs_other(&fixture->traffic.rows, row_of(fixture, &client)));
	add(fixture, server);
	merge(fixture);
	assert_int_equal(other_pid(fixture, client), 2);
	assert_int_equal(other_pid(fixture, server), 1);
	assert_int_equal(other_pid(fixture, away), 0);
	assert_int_equal(other_pid(fixture, listener), 0);
	/* It stays when one is gone. */
	merge(fixture);
	rows_remove(&fixture->traffic.rows, rows_find(&fixture->traffic.rows, &server));
	assert_int_equal(row_of(fixture, &client)->peer.pid, 2);
	assert_null(pairs_other(&fixture->traffic.rows, row_of(fixture, &client)));
}

/* A connection of a process with itself has two rows, a mirror of each other. */
static void a_process_is_its_own_other_end(void **state)
{
	struct fixture *fixture = *state;
	struct session one = end_of(1, 5, 1, 1000, 1, 80), two = end_of(1, 5, 1, 80, 1, 1000);

	add(fixture, one);
	add(fixture, two);
	merge(fixture);
	assert_int_equal(other_pid(fixture, one), 1);
	assert_int_equal(other_pid(fixture, two), 1);
}

/* Containers of one bridge, each with a namespace; then those of another bridge that has the same addresses. */
static void namespaces_are_joined_only_where_addresses_tell(void **state)
{
	struct fixture *fixture = *state;
	struct session a = end_of(1, 11, 2, 4000, 3, 80), b = end_of(2, 12, 3, 80, 2, 4000);
	struct session a_too = end_of(3, 13, 2, 4000, 3, 80), b_too = end_of(4, 14, 3, 80, 2, 4000);

	add(fixture, a);
	add(fixture, b);
	merge(fixture);
	assert_int_equal(other_pid(fixture, a), 2);
	assert_int_equal(other_pid(fixture, b), 1);
	/* Once there is a second one that it may have been, it is not known any more. */
	add(fixture, b_too);
	merge(fixture);
	assert_int_equal(other_pid(fixture, a), 0);
	assert_int_equal(other_pid(fixture, b), 0);
	add(fixture, a_too);
	merge(fixture);
	assert_int_equal(other_pid(fixture, a), 0);
	assert_int_equal(other_pid(fixture, a_too), 0);
	assert_int_equal(other_pid(fixture, b_too), 0);
	/* What is in one namespace belongs together whatever there is elsewhere. */
	struct session near = end_of(5, 11, 3, 80, 2, 4000);

	add(fixture, near);
	merge(fixture);
	assert_int_equal(other_pid(fixture, a), 5);
	assert_int_equal(other_pid(fixture, near), 1);
}

/* As in pods, each with its own, though of each the other end is not known: a filter leaves it out. */
static void loopback_stays_in_its_namespace(void **state)
{
	static const struct {
		uint8_t family, laddr[16], raddr[16];
		bool joined;
	} cases[] = {
		{ 4, { 127, 0, 0, 1 }, { 127, 0, 0, 1 }, false },
		{ 4, { 127, 0, 0, 1 }, { 127, 9, 9, 9 }, false },
		{ 4, { 10, 0, 0, 1 }, { 127, 0, 0, 1 }, false },
		{ 6, { [15] = 1 }, { [15] = 1 }, false },
		{ 6, { [15] = 1 }, { 0xfd, [15] = 2 }, false },
		{ 6, { [10] = 0xff, 0xff, 127, 0, 0, 1 }, { [10] = 0xff, 0xff, 127, 0, 0, 2 }, false },
		{ 6, { [10] = 0xff, 0xff, 10, 0, 0, 1 }, { [10] = 0xff, 0xff, 10, 0, 0, 2 }, true },
		{ 4, { 10, 0, 0, 1 }, { 10, 0, 0, 1 }, false }, /* to itself */
		{ 4, { 10, 0, 0, 127 }, { 128, 0, 0, 127 }, true },
		{ 6, { [0] = 127, [15] = 1 }, { [14] = 1 }, true },
	};
	struct fixture *fixture = *state;

	for (uint16_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct session ends[] = { end_of(1, 5, 1, 1000 + i, 1, 80), end_of(2, 6, 1, 80, 1, 1000 + i),
			end_of(3, 5, 1, 80, 1, 1000 + i) };

		for (int end = 0; end < 3; end++) {
			ends[end].family = cases[i].family;
			memcpy(ends[end].laddr, end ? cases[i].raddr : cases[i].laddr, 16);
			memcpy(ends[end].raddr, end ? cases[i].laddr : cases[i].raddr, 16);
		}
		add(fixture, ends[0]);
		add(fixture, ends[1]);
		merge(fixture);
		assert_int_equal(other_pid(fixture, ends[0]), cases[i].joined ? 2 : 0);
		assert_int_equal(other_pid(fixture, ends[1]), cases[i].joined ? 1 : 0);
		add(fixture, ends[2]);
		merge(fixture);
		assert_int_equal(other_pid(fixture, ends[0]), 3);
	}
}

static void links_with_equal_addresses_are_told_apart(void **state)
{
	struct fixture *fixture = *state;
	struct session near = linked(end_of(1, 5, 1, 1000, 2, 80), 3);
	struct session far = linked(end_of(2, 5, 2, 80, 1, 1000), 4);
	struct session far_too = linked(end_of(3, 5, 2, 80, 1, 1000), 5);
	struct session same = linked(end_of(4, 5, 2, 80, 1, 1000), 3);

	add(fixture, near);
	add(fixture, far);
	merge(fixture);
	assert_int_equal(other_pid(fixture, near), 2);
	add(fixture, far_too);
	merge(fixture);
	assert_int_equal(other_pid(fixture, near), 0);
	add(fixture, same);
	merge(fixture);
	assert_int_equal(other_pid(fixture, near), 4);
}

/* Ports that are used again are other connections, in the same interval or long afterwards. */
static void ports_are_used_again(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t life = 0; life < 5; life++) {
		struct session client = end_of(10 + life, 5, 1, 1000, 1, 80);
		struct session server = end_of(20 + life, 5, 1, 80, 1, 1000);

		add(fixture, client);
		if (life % 2)
			merge(fixture); /* the server reads later */
		add(fixture, server);
		add_ending(fixture, client);
		add_ending(fixture, server);
		merge(fixture);
		assert_int_equal(other_pid(fixture, client), 20 + life);
		assert_int_equal(other_pid(fixture, server), 10 + life);
		for (uint32_t quiet = 0; quiet < life; quiet++)
			merge(fixture);
	}
	for (uint32_t life = 0; life < 5; life++)
		assert_int_equal(other_pid(fixture, end_of(10 + life, 5, 1, 1000, 1, 80)), 20 + life);
}

/* The last reader may come when all else has been over for long. */
static void who_reads_late_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct session client = end_of(1, 5, 1, 1000, 1, 80), server = end_of(2, 5, 1, 80, 1, 1000);

	add(fixture, client);
	add_ending(fixture, client);
	for (int i = 0; i < 9; i++)
		merge(fixture);
	add(fixture, server);
	merge(fixture);
	assert_int_equal(other_pid(fixture, client), 2);
	assert_int_equal(other_pid(fixture, server), 1);
}

/* A socket that several processes use: each of them has the client at its other end, which has whom it had first. */
static void shared_sockets_have_one_other_end(void **state)
{
	struct fixture *fixture = *state;
	struct session client = end_of(1, 5, 1, 1000, 1, 80);

	add(fixture, client);
	for (uint32_t worker = 0; worker < 4; worker++) {
		struct session server = end_of(10 + worker, 5, 1, 80, 1, 1000);

		server.rx_bytes = 100 + worker;
		add(fixture, server);
		merge(fixture);
		assert_int_equal(other_pid(fixture, server), 1);
		assert_int_equal(other_pid(fixture, client), 10);
	}
}

/* Any order, several namespaces, remotes that are nobody's: all that belong together are joined, and nothing else is. */
static void thousands_are_joined_and_none_is_wrong(void **state)
{
	enum { PAIRS = 6000, ALONE = 3000, ENDS = 2 * PAIRS + ALONE };
	struct fixture *fixture = *state;
	struct session *ends = calloc(ENDS, sizeof *ends);
	size_t joined = 0;

	srand(7);
	for (uint32_t i = 0; i < PAIRS; i++) {
		uint16_t port = (uint16_t)(1024 + i % 3000);
		uint8_t from = (uint8_t)(1 + i / 3000), to = (uint8_t)(i % 3 ? from : 100 + i % 50);

		ends[2 * i] = end_of(1 + i, 5, from, port, to, 80);
		ends[2 * i + 1] = end_of(100000 + i, i % 3 ? 5 : 6 + i % 7, to, 80, from, port);
	}
	for (uint32_t i = 0; i < ALONE; i++)
		ends[2 * PAIRS + i] = end_of(200000 + i, 5, 200, (uint16_t)(1024 + i), 201, 80);
	for (size_t i = ENDS - 1; i > 0; i--) {
		size_t j = (size_t)rand() % (i + 1);
		struct session swapped = ends[i];

		ends[i] = ends[j];
		ends[j] = swapped;
	}
	for (size_t i = 0; i < ENDS / 2; i++)
		add(fixture, ends[i]);
	merge(fixture);
	for (size_t i = 0; i < ENDS; i++)
		add(fixture, ends[i]);
	merge(fixture);
	assert_int_equal(fixture->traffic.rows.count, ENDS);
	for (size_t i = 0; i < ENDS; i++) {
		const struct row *row = &fixture->traffic.rows.rows[i];
		uint32_t pid = row->session.pid;

		assert_int_equal(row->peer.known, pid < 200000);
		if (row->peer.known)
			assert_int_equal(row->peer.pid, pid < 100000 ? pid - 1 + 100000 : pid - 100000 + 1);
		joined += row->peer.known;
	}
	free(ends);
	assert_int_equal(joined, 2 * PAIRS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ends_find_one_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_process_is_its_own_other_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    namespaces_are_joined_only_where_addresses_tell, set_up, tear_down),
		cmocka_unit_test_setup_teardown(loopback_stays_in_its_namespace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(links_with_equal_addresses_are_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ports_are_used_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_reads_late_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(shared_sockets_have_one_other_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(thousands_are_joined_and_none_is_wrong, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
