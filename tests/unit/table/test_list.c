/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "model/cause.h"
#include "model/traffic.h"
#include "names/names.h"
#include "table/list.h"
#include "table/order.h"
#include "test_list.h"

static void filters_choose_rows(void **state)
{
	struct fixture *fixture = *state;
	struct list_settings *settings = &fixture->settings;

	assert_string_equal(listed(fixture), "web:100 web:200 db:50");
	settings->family = 6;
	assert_string_equal(listed(fixture), "db:50");
	settings->family = 0;
	settings->one_user = true;
	settings->uid = 1;
	assert_string_equal(listed(fixture), "web:100 web:200");
	settings->one_user = false;
	match_set(&settings->words, "192.0.2.2");
	assert_string_equal(listed(fixture), "web:200");
}

/* A row is matched once for an epoch; with narrows, a row that failed in the epoch before is not matched again. */
static void matches_are_cached_for_an_epoch(void **state)
{
	struct fixture *fixture = *state;
	struct list_settings *settings = &fixture->settings;

	match_set(&settings->words, "web");
	assert_string_equal(listed(fixture), "web:100 web:200");
	match_set(&settings->words, "db");
	assert_string_equal(listed(fixture), "web:100 web:200");
	settings->epoch++;
	settings->narrows = true;
	assert_string_equal(listed(fixture), "");
	settings->epoch++;
	settings->narrows = false;
	assert_string_equal(listed(fixture), "db:50");
}

/* A state is another one in the next interval: it is looked at anew, whatever was found before. */
static void states_are_not_cached(void **state)
{
	struct fixture *fixture = *state;
	struct row *row = &fixture->traffic.rows.rows[0];

	match_set(&fixture->settings.words, "state:close_wait");
	assert_string_equal(listed(fixture), "");
	row->session.socket.state = SOCKET_CLOSE_WAIT;
	assert_string_equal(listed(fixture), "web:100");
	row->session.socket.state = SOCKET_ESTABLISHED;
	assert_string_equal(listed(fixture), "");
}

static void groups_add_up_and_open(void **state)
{
	struct fixture *fixture = *state;
	struct list_settings *settings = &fixture->settings;

	settings->grouping = fixture->context.grouping = GROUPING_PROCESS;
	assert_string_equal(listed(fixture), "web:300 db:50");
	settings->opened = true;
	settings->opened_key = list_rows(&fixture->list, &fixture->context)->rows[0].session;
	fixture->context.grouping = GROUPING_NONE;
	assert_string_equal(listed(fixture), "web:100 web:200");
}

/* fe80::2 on two links is two hosts; a global address is one, whatever link its connections are bound to. */
static void hosts_of_two_links_are_two(void **state)
{
	struct fixture *fixture = *state;
	struct list_settings *settings = &fixture->settings;
	const struct session sessions[] = {
		make_linked("a", 1, "fe80::2", 3, "eth0", 10),
		make_linked("a", 2, "fe80::2", 3, "eth0", 20),
		make_linked("b", 1, "fe80::2", 4, "eth1", 500),
		make_linked("c", 1, "2001:db8::2", 3, "eth0", 1),
		make_linked("c", 1, "2001:db8::2", 4, "eth1", 2),
	};
	struct snapshot snapshot;

	snapshot_init(&snapshot);
	snapshot.interval_ns = 1000000000;
	for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++)
		*snapshot_add(&snapshot) = sessions[i];
	traffic_fini(&fixture->traffic);
	traffic_init(&fixture->traffic);
	assert_int_equal(traffic_merge(&fixture->traffic, &snapshot, NULL), 0);
	snapshot_fini(&snapshot);
	assert_string_equal(listed(fixture), "a:10 a:20 b:500 c:1 c:2");
	settings->grouping = fixture->context.grouping = GROUPING_REMOTE;
	assert_string_equal(listed(fixture), "a:30 b:500 c:3");
	settings->opened = true;
	settings->opened_key = list_rows(&fixture->list, &fixture->context)->rows[0].session;
	assert_string_equal(settings->opened_key.ifname, "eth0");
	fixture->context.grouping = GROUPING_NONE;
	assert_string_equal(listed(fixture), "a:10 a:20");
}

/* A name is a program's whole name, whatever its PIDs; what the kernel left behind the NUL is no part of it. */
static void processes_of_one_name_are_one_program(void **state)
{
	struct fixture *fixture = *state;
	struct list_settings *settings = &fixture->settings;
	struct session sessions[] = {
		make("worker-1", 10, "192.0.2.1", 1, 1000, 0),
		make("worker-1", 11, "192.0.2.1", 2, 2000, 0),
		make("worker-10", 12, "192.0.2.1", 3, 4000, 0),
		make("worker-1", 13, "2001:db8::1", 4, 8000, 0),
	};
	struct snapshot snapshot;

	memcpy(sessions[1].comm + strlen("worker-1") + 1, "tail", 4);
	snapshot_init(&snapshot);
	snapshot.interval_ns = 1000000000;
	for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++)
		*snapshot_add(&snapshot) = sessions[i];
	assert_int_equal(traffic_merge(&fixture->traffic, &snapshot, NULL), 0);
	snapshot_fini(&snapshot);
	settings->grouping = fixture->context.grouping = GROUPING_PROGRAM;
	assert_string_equal(listed(fixture), "web:0 db:0 worker-1:11000 worker-10:4000");
	const struct row *programs = list_rows(&fixture->list, &fixture->context)->rows;

	assert_int_equal(programs[0].counts[TALLY_PROCESSES], 1);
	assert_int_equal(programs[0].members, 2);
	assert_int_equal(programs[2].counts[TALLY_PROCESSES], 3);
	assert_int_equal(programs[2].counts[TALLY_USERS], 3);
	assert_int_equal(programs[2].counts[TALLY_CONTAINERS], 0); /* not known */
	settings->opened = true;
	settings->opened_key = programs[2].session;
	fixture->context.grouping = GROUPING_NONE;
	assert_string_equal(listed(fixture), "worker-1:1000 worker-1:2000 worker-1:8000");
}

/* Whatever a group does not have in common is counted, in the column that would name it. */
static void what_a_group_has_several_of_is_counted(void **state)
{
	static const char *const columns[] = { "name", "user", "container" };
	struct fixture *fixture = *state;
	struct session sessions[4];
	struct snapshot snapshot;

	fixture->context.names = names_open(NULL, NULL);
	traffic_fini(&fixture->traffic);
	traffic_init(&fixture->traffic);
	snapshot_init(&snapshot);
	snapshot.interval_ns = 1000000000;
	for (unsigned i = 0; i < 4; i++) {
		sessions[i] = make("nginx", 100 + i % 3, "192.0.2.1", (uint16_t)(1 + i), 1, 0);
		sessions[i].uid = 4000000000u + i % 2;
		sessions[i].cgroup_id = 70 + i;
		*snapshot_add(&snapshot) = sessions[i];
	}
	assert_int_equal(traffic_merge(&fixture->traffic, &snapshot, NULL), 0);
	snapshot_fini(&snapshot);
	for (int i = GROUPING_NONE + 1; i < GROUPING_COUNT; i++) {
		fixture->settings.grouping = fixture->context.grouping = (enum grouping)i;
		for (size_t j = 0; j < sizeof columns / sizeof columns[0]; j++) {
			const struct column *column = column_find(columns[j]);
			char *end;

			listed(fixture);
			assert_true(column->groupings & 1 << i);
			unsigned long count = strtoul(cell_text(fixture, columns[j], 0), &end, 10);

			/* One is named, several are counted. */
			assert_true(strcmp(end, " processes") == 0 || strcmp(end, " users") == 0 ||
			                    strcmp(end, " containers") == 0
			                ? count >= 2 && count <= 4
			                : count != 2 && count != 3);
		}
	}
	fixture->settings.grouping = fixture->context.grouping = GROUPING_REMOTE;
	listed(fixture);
	assert_string_equal(cell_text(fixture, "name", 0), "3 processes");
	assert_string_equal(cell_text(fixture, "user", 0), "2 users");
	assert_string_equal(cell_text(fixture, "container", 0), "4 containers");
	fixture->settings.grouping = fixture->context.grouping = GROUPING_PROGRAM;
	listed(fixture);
	assert_string_equal(cell_text(fixture, "name", 0), "nginx");
	assert_string_equal(cell_text(fixture, "processes", 0), "3");
	names_close(fixture->context.names);
}

/* ---- what is idle, and what is gone ---- */

static void what_is_idle_for_long_is_listed_when_all_are(void **state)
{
	struct fixture *fixture = *state;
	struct list_settings *settings = &fixture->settings;
	struct session db = make("db", 2, "2001:db8::1", 3, 7, 5);

	for (unsigned i = 0; i < 6; i++)
		merge(fixture, &db, 1);
	assert_string_equal(listed(fixture), "db:7");
	settings->kept = &fixture->traffic.rows.rows[1].session;
	assert_string_equal(listed(fixture), "web:0 db:7");
	settings->kept = NULL;
	fixture->context.all = true;
	assert_string_equal(listed(fixture), "web:0 web:0 db:7");
	/* Groups are there in any case; they count the connections that would be listed. */
	fixture->context.all = false;
	settings->grouping = fixture->context.grouping = GROUPING_PROCESS;
	assert_string_equal(listed(fixture), "web:0 db:7");
	assert_int_equal(list_rows(&fixture->list, &fixture->context)->rows[0].members, 0);
	assert_int_equal(list_rows(&fixture->list, &fixture->context)->rows[0].rx_total_bytes, 300);
	fixture->context.all = true;
	listed(fixture);
	assert_int_equal(list_rows(&fixture->list, &fixture->context)->rows[0].members, 2);
}

/* Thirty intervals of one process: ten connections of 1,000,000 bytes one after the other, and one of a byte an interval. */
static void a_process_keeps_what_its_ended_connections_moved(void **state)
{
	struct fixture *fixture = *state;

	traffic_fini(&fixture->traffic);
	traffic_init(&fixture->traffic);
	for (unsigned i = 0; i < 30; i++) {
		struct session sessions[2] = { make("worker", 9, "192.0.2.1", 80, 1, 0) };

		sessions[1] = make("worker", 9, "192.0.2.1", (uint16_t)(1000 + i), 1000000, 0);
		merge(fixture, sessions, 1 + (i % 3 == 0));
	}
	for (int i = GROUPING_NONE + 1; i < GROUPING_COUNT; i++) {
		fixture->settings.grouping = fixture->context.grouping = (enum grouping)i;
		assert_string_equal(listed(fixture), "worker:1");
		assert_int_equal(
		    list_rows(&fixture->list, &fixture->context)->rows[0].rx_total_bytes, 10000030);
	}
}

/* 20,000 connections of 300 processes, hosts, containers and users: more than are kept. */
#define CHURN 20000
#define GROUPS 300

static struct session churned(unsigned number)
{
	unsigned group = number % GROUPS;
	struct session session = make("churn", 1000 + group, "198.51.0.0", 80, 1000, 3);

	session.raddr[2] = (uint8_t)(group >> 8);
	session.raddr[3] = (uint8_t)group;
	session.lport = (uint16_t)number;
	session.cgroup_id = 50 + group;
	session.uid = 2000 + group % 10;
	/* 16 listeners; a tenth are outgoing, a tenth not known */
	session.accepted = group % 10 == 0 ? ANSWER_NO : group % 10 == 1 ? ANSWER_UNKNOWN : ANSWER_YES;
	if (session.accepted == ANSWER_YES) {
		session.rport = session.lport;
		session.lport = (uint16_t)(8000 + group % 20);
	}
	return session;
}

static void churn(struct fixture *fixture)
{
	for (unsigned i = 0; i < CHURN; i += 1000) {
		struct session sessions[1000];

		for (unsigned j = 0; j < 1000; j++)
			sessions[j] = churned(i + j);
		merge(fixture, sessions, 1000);
	}
	assert_true(fixture->traffic.rows_gone > 10000);
}

/* Of what is not gone. */
static uint64_t rx_of_rows(struct fixture *fixture)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < fixture->traffic.rows.count; i++)
		if (fixture->traffic.rows.rows[i].session.family == 4)
			sum += fixture->traffic.rows.rows[i].rx_total_bytes;
	return sum;
}

static uint64_t rx_total(struct fixture *fixture)
{
	uint64_t sum = fixture->traffic.gone[fixture->settings.grouping].left_rx_bytes;

	listed(fixture);
	for (size_t i = 0; i < fixture->list.count; i++)
		sum += list_rows(&fixture->list, &fixture->context)
		           ->rows[fixture->list.items[i].row]
		           .rx_total_bytes;
	return sum;
}

static void every_grouping_has_the_sums_of_what_is_gone(void **state)
{
	static const size_t groups[] = { [GROUPING_PROCESS] = GROUPS + 2,
		[GROUPING_REMOTE] = GROUPS + 3,
		[GROUPING_CONTAINER] = GROUPS + 1, /* two are in none */
		[GROUPING_USER] = 10 + 2,
		[GROUPING_PROGRAM] = 3,
		[GROUPING_SERVICE] = 16 + 2,
		[GROUPING_PAIR] = GROUPS + 3 };
	struct fixture *fixture = *state;

	fixture->context.names = names_open(NULL, NULL);
	churn(fixture);
	for (int i = GROUPING_NONE + 1; i < GROUPING_COUNT; i++) {
		fixture->settings.grouping = fixture->context.grouping = (enum grouping)i;
		assert_int_equal(rx_total(fixture), fixture->traffic.rx_total_bytes);
		assert_int_equal(fixture->list.count, groups[i]);
	}
	names_close(fixture->context.names);
}

/* What is gone was added up: it is known that there were several, not how many. */
static void what_is_gone_makes_counts_minima(void **state)
{
	struct fixture *fixture = *state;

	churn(fixture);
	fixture->settings.grouping = fixture->context.grouping = GROUPING_PROGRAM;
	listed(fixture);
	for (size_t i = 0; i < fixture->list.count; i++) {
		const struct row *row =
		    &list_rows(&fixture->list, &fixture->context)->rows[fixture->list.items[i].row];
		bool churned = strcmp(row->session.comm, "churn") == 0;

		assert_string_equal(cell_text(fixture, "processes", i), churned ? "300+" : "1");
	}
	fixture->settings.grouping = fixture->context.grouping = GROUPING_USER;
	listed(fixture);
	for (size_t i = 0; i < fixture->list.count; i++)
		if (list_rows(&fixture->list, &fixture->context)
		        ->rows[fixture->list.items[i].row]
		        .session.uid >= 2000)
			assert_string_equal(cell_text(fixture, "name", i), "30+ processes");
}

/* Filtered by what all that were added up had in common: family, user, and the group's own key. */
static void filters_choose_what_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct list_settings *settings = &fixture->settings;

	churn(fixture);
	settings->grouping = fixture->context.grouping = GROUPING_PROCESS;
	settings->family = 4;
	assert_int_equal(rx_total(fixture), CHURN * 1000 + 300);
	settings->family = 6;
	assert_int_equal(rx_total(fixture), 50);
	settings->family = 0;
	settings->one_user = true;
	settings->uid = 2003;
	assert_int_equal(rx_total(fixture), CHURN / 10 * 1000);
	settings->one_user = false;
	match_set(&settings->words, "churn 1299");
	assert_int_equal(rx_total(fixture), CHURN / GROUPS * 1000);
	settings->epoch++;
	/* An address is not known of a process, but of a host; no address is no 0.0.0.0. */
	match_set(&settings->words, "0.0.0.0");
	assert_int_equal(rx_total(fixture), 0);
	settings->epoch++;
	settings->grouping = fixture->context.grouping = GROUPING_REMOTE;
	match_set(&settings->words, "198.51.1.43");
	assert_int_equal(rx_total(fixture), CHURN / GROUPS * 1000);
	/* A listener's port is known of all that it accepted; its group's key is no address. */
	settings->grouping = fixture->context.grouping = GROUPING_SERVICE;
	for (size_t i = 0; i < 3; i++) {
		settings->epoch++;
		match_set(&settings->words, (const char *[]){ "listen:8003", "port:8003", "8003" }[i]);
		assert_int_equal(rx_total(fixture), CHURN / 20 * 1000);
	}
	settings->epoch++;
	match_set(&settings->words, "0.0.0.0/0");
	assert_int_equal(rx_total(fixture), rx_of_rows(fixture));
}

/* Of many that were added up one gives the name: its word does not let all of them pass, nor does the lack of it. */
static void what_may_not_pass_is_not_added(void **state)
{
	static const struct {
		const char *words;
		enum grouping grouping;
		bool takes; /* also what is gone */
		bool untold;
	} cases[] = {
		{ "churn", GROUPING_PROCESS, true, true }, /* the others may have an address with it */
		{ "churn", GROUPING_PROGRAM, true, true },
		{ "churn", GROUPING_USER, true, true },     /* they have one name */
		{ "churn", GROUPING_SERVICE, false, true }, /* but for who accepted is not known */
		{ "!dp-", GROUPING_PROCESS, false, true },
		{ "!dp-", GROUPING_PROGRAM, false, true },
		{ "!dp-", GROUPING_CONTAINER, false, true },
		{ "!dp-", GROUPING_USER, false, true },
		{ "!dp-", GROUPING_SERVICE, false, true },
		{ "!comm:dp-", GROUPING_PROCESS, true, false },
		{ "!comm:dp-", GROUPING_USER, true, false },
		{ "!comm:dp-", GROUPING_SERVICE, false, true },
		{ "comm:dp-", GROUPING_PROGRAM, false, false },
		{ "!user:7", GROUPING_USER, true, false },
	};
	struct fixture *fixture = *state;
	struct list_settings *settings = &fixture->settings;

	fixture->context.names = names_open(NULL, NULL);
	churn(fixture);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		settings->epoch++;
		settings->grouping = fixture->context.grouping = cases[i].grouping;
		match_set(&settings->words, cases[i].words);
		uint64_t total = rx_total(fixture);

		if (cases[i].takes)
			assert_true(total >= CHURN * 1000);
		else
			assert_true(total < CHURN * 1000);
		assert_int_equal(fixture->list.sum.rx_total_bytes, total);
		assert_int_equal(fixture->list.untold, cases[i].untold);
	}
	names_close(fixture->context.names);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(filters_choose_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(matches_are_cached_for_an_epoch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(states_are_not_cached, set_up, tear_down),
		cmocka_unit_test_setup_teardown(groups_add_up_and_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hosts_of_two_links_are_two, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_is_idle_for_long_is_listed_when_all_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_process_keeps_what_its_ended_connections_moved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    every_grouping_has_the_sums_of_what_is_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(processes_of_one_name_are_one_program, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_group_has_several_of_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_gone_makes_counts_minima, set_up, tear_down),
		cmocka_unit_test_setup_teardown(filters_choose_what_is_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_may_not_pass_is_not_added, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
