/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are of this host, and who listens on them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model/local.h"

static struct session *add(struct rows *rows, uint32_t netns, uint8_t first, uint8_t last, uint16_t lport)
{
	struct session session = { .family = 4, .netns = netns, .lport = lport, .pid = lport };
	bool added;

	session.laddr[0] = first;
	session.laddr[3] = last;
	size_t index = rows_find_or_add(rows, &session, &added);

	assert_true(added);
	return &rows->rows[index].session;
}

static struct session connecting(uint32_t netns, uint8_t first, uint8_t last, uint16_t rport)
{
	struct session session = { .family = 4, .netns = netns, .laddr = { 10, 0, 0, 9 }, .rport = rport };

	session.raddr[0] = first;
	session.raddr[3] = last;
	return session;
}

static void who_listens(void **state)
{
	static const struct {
		uint32_t netns;
		uint8_t first, last;
		uint16_t port;
		uint32_t there, pid;
	} rows[] = {
		{ 1, 127, 1, 80, 1, 80 },                        /* on all addresses of this namespace */
		{ 2, 127, 1, 80, 2, 0 },                         /* another one's loopback is not it */
		{ 1, 10, 1, 80, 1, 80 },                         /* an address of it */
		{ 1, 10, 7, 80, 0, 0 },                          /* another host's */
		{ 1, 10, 2, 443, 2, 443 },                       /* the only namespace that has it */
		{ 1, 10, 2, 444, 2, 0 }, { 1, 10, 3, 80, 0, 0 }, /* two have it */
		{ 2, 10, 3, 80, 2, 0 },                          /* its own goes before */
		{ 1, 10, 9, 80, 1, 80 },                         /* its own address */
	};
	struct rows sockets;
	struct local local;

	(void)state;
	rows_init(&sockets);
	add(&sockets, 1, 0, 0, 80)->socket.state = SOCKET_LISTEN;
	add(&sockets, 1, 10, 1, 4000)->socket.state = SOCKET_ESTABLISHED;
	add(&sockets, 2, 10, 2, 443)->socket.state = SOCKET_LISTEN;
	add(&sockets, 2, 10, 3, 4000)->socket.state = SOCKET_ESTABLISHED;
	add(&sockets, 3, 10, 3, 4000)->socket.state = SOCKET_ESTABLISHED;
	assert_int_equal(local_find(&local, &sockets), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct session session = connecting(rows[i].netns, rows[i].first, rows[i].last, rows[i].port);
		const struct row *listener = local_listener(&local, &session);

		assert_int_equal(local_netns(&local, &session), rows[i].there);
		assert_ptr_equal(local_look_up_listener(&sockets, &session), listener);
		assert_int_equal(listener ? listener->session.pid : 0, rows[i].pid);
	}
	local_fini(&local);
	rows_fini(&sockets);
}

/* What is bound to the address goes before what takes all, and among alike ones the full queue does. */
static void of_several(void **state)
{
	struct session session = connecting(1, 127, 1, 80);
	struct rows sockets;
	struct local local;

	(void)state;
	rows_init(&sockets);
	add(&sockets, 1, 0, 0, 80)->socket = (struct socket_summary){ .state = SOCKET_LISTEN, .backlog = 2 };
	struct session *bound = add(&sockets, 1, 127, 1, 80);

	bound->socket.state = SOCKET_LISTEN;
	assert_int_equal(local_find(&local, &sockets), 0);
	assert_int_equal(local_listener(&local, &session)->session.laddr[0], 127);
	assert_int_equal(local_look_up_listener(&sockets, &session)->session.laddr[0], 127);
	assert_true(local_serves(&local, bound));
	assert_false(local_serves(&local, &session));
	local_fini(&local);

	struct session other = *bound;
	bool added;

	other.pid = 81;
	other.socket.backlog = 1;
	rows_find_or_add(&sockets, &other, &added);
	sockets.rows[2].session.socket = other.socket;
	assert_int_equal(local_find(&local, &sockets), 0);
	assert_int_equal(local_listener(&local, &session)->session.pid, 81);
	assert_int_equal(local_look_up_listener(&sockets, &session)->session.pid, 81);
	local_fini(&local);
	rows_fini(&sockets);
}

/* One of IPv6 for all addresses takes connections of IPv4. */
static void of_both_families(void **state)
{
	struct session session = connecting(1, 127, 1, 80);
	struct rows sockets;
	struct local local;

	(void)state;
	rows_init(&sockets);
	struct session *six = add(&sockets, 1, 0, 0, 80);

	six->family = 6;
	six->socket.state = SOCKET_LISTEN;
	assert_int_equal(local_find(&local, &sockets), 0);
	assert_non_null(local_listener(&local, &session));
	assert_non_null(local_look_up_listener(&sockets, &session));
	local_fini(&local);
	rows_fini(&sockets);
}

/* Sockets of few addresses, ports and namespaces, at random: whichever way it is found, it is the same listener. */
static void one_is_found_as_many_are(void **state)
{
	struct rows sockets;
	struct local local;
	unsigned found = 0, namespaces = 0;

	(void)state;
	srand(13);
	for (int round = 0; round < 200; round++) {
		rows_init(&sockets);
		for (int i = 0; i < 12; i++) {
			static const uint8_t first[] = { 0, 10, 10, 127 };
			struct session session = { .family = rand() % 4 ? 4 : 6,
				.netns = 1 + (uint32_t)rand() % 3 };
			bool added;

			session.laddr[0] = first[rand() % 4];
			session.laddr[3] = session.laddr[0] ? (uint8_t)(rand() % 4) : 0;
			session.lport = (uint16_t)(80 + rand() % 2);
			session.pid = 1 + (uint32_t)i;
			session.socket.state = rand() % 2 ? SOCKET_LISTEN : SOCKET_ESTABLISHED;
			session.socket.backlog = (uint32_t)(rand() % 2);
			rows_find_or_add(&sockets, &session, &added);
		}
		assert_int_equal(local_find(&local, &sockets), 0);
		for (int i = 0; i < 20; i++) {
			struct session session = connecting(1 + (uint32_t)rand() % 4, i % 3 ? 10 : 127,
			    (uint8_t)(rand() % 5), (uint16_t)(80 + rand() % 2));
			const struct row *listener = local_listener(&local, &session);

			assert_ptr_equal(local_look_up_listener(&sockets, &session), listener);
			found += listener != NULL;
			namespaces += listener && listener->session.netns != session.netns;
		}
		local_fini(&local);
		rows_fini(&sockets);
	}
	assert_in_range(found, 500, 3500);
	assert_in_range(namespaces, 50, 3500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_found_as_many_are),
		cmocka_unit_test(who_listens),
		cmocka_unit_test(of_several),
		cmocka_unit_test(of_both_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
