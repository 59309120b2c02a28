/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "model/traffic.h"
#include "table/list.h"
#include "table/order.h"
#include "make_session.h"

struct fixture {
	struct traffic traffic;
	struct list_settings settings;
	struct column_context context;
	struct list list;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	const struct session sessions[] = {
		make("web", 1, "192.0.2.1", 1, 100, 10),
		make("web", 1, "192.0.2.2", 2, 200, 20),
		make("db", 2, "2001:db8::1", 3, 50, 5),
	};
	struct snapshot snapshot;

	if (!fixture)
		return -1;
	traffic_init(&fixture->traffic);
	list_init(&fixture->list);
	fixture->settings.epoch = 1;
	fixture->context.traffic = &fixture->traffic;
	snapshot_init(&snapshot);
	snapshot.interval_ns = 1000000000;
	for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++)
		*snapshot_add(&snapshot) = sessions[i];
	snapshot_total(&snapshot);
	*state = fixture;
	int err = traffic_merge(&fixture->traffic, &snapshot, NULL);

	snapshot_fini(&snapshot);
	return err;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	list_fini(&fixture->list);
	traffic_fini(&fixture->traffic);
	free(fixture);
	return 0;
}

static const char *listed(struct fixture *fixture)
{
	static char text[128];
	const struct rows *rows = list_rows(&fixture->list, &fixture->context);

	assert_int_equal(
	    list_build(&fixture->list, &fixture->settings, &fixture->context, column_find("rx")), 0);
	rows = list_rows(&fixture->list, &fixture->context);
	text[0] = '\0';
	for (size_t i = 0; i < fixture->list.count; i++) {
		const struct view_item *item = &fixture->list.items[i];

		assert_int_equal(item->rank, rows->rows[item->row].session.rx_bytes);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s:%u", i ? " " : "",
		    rows->rows[item->row].session.comm, (unsigned)item->rank);
	}
	return text;
}

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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(filters_choose_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(matches_are_cached_for_an_epoch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(groups_add_up_and_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hosts_of_two_links_are_two, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
