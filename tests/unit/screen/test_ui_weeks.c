/* SPDX-License-Identifier: Apache-2.0 */
/* Weeks in which containers, users and hosts come and go: what is kept is bounded, and sums stay exact. */
#include "test_ui.h"

#include <malloc.h>

#include "names/names.h"

enum {
	INTERVALS = 200,
	CONNECTIONS = 1000, /* in each, of as many containers, users and hosts that were never there before */
	SETTLED = 110,      /* intervals after which all is kept that ever is, also to be looked back at */
	GROWTH_BYTES_MAX = 2 << 20,
	STAYS = 1, /* a cgroup that is there in every interval */
};

/* Large blocks are mapped, and counted apart. */
static size_t allocated_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static struct session *add_new(struct fixture *fixture, uint32_t number)
{
	struct session *session = snapshot_add(&fixture->snapshot);

	session->family = 6;
	memcpy(session->raddr + 12, &number, sizeof number);
	session->laddr[15] = 1;
	session->lport = 443;
	session->rport = 50000;
	session->pid = session->uid = number;
	session->cgroup_id = number;
	session->netns = 4026531840u;
	session->rx_bytes = number;
	session->tx_bytes = 1;
	snprintf(session->comm, sizeof session->comm, "job-%u", number);
	return session;
}

static void show_interval(struct fixture *fixture, uint32_t interval)
{
	begin(fixture);
	add_new(fixture, STAYS);
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		add_new(fixture, 2 + interval * CONNECTIONS + i);
	show(fixture);
	names_changed(fixture->ui.names);
	paint(fixture, 120, 24);
}

static const struct row *group_that_stays(const struct fixture *fixture)
{
	const struct rows *groups = &fixture->ui.view.list.groups;

	for (size_t i = 0; i < groups->count; i++)
		if (groups->rows[i].session.cgroup_id == STAYS)
			return &groups->rows[i];
	return NULL;
}

/* The groups that are listed and what had to go are all that was counted. */
static void expect_sums(struct fixture *fixture, enum grouping grouping)
{
	const struct traffic *traffic = &fixture->ui.traffic;
	const struct rows *groups = &fixture->ui.view.list.groups;
	uint64_t rx_bytes = traffic->gone[grouping].left_rx_bytes;
	uint64_t tx_bytes = traffic->gone[grouping].left_tx_bytes;

	for (size_t i = 0; i < groups->count; i++) {
		rx_bytes += groups->rows[i].rx_total_bytes;
		tx_bytes += groups->rows[i].tx_total_bytes;
	}
	assert_int_equal(rx_bytes, traffic->rx_total_bytes);
	assert_int_equal(tx_bytes, traffic->tx_total_bytes);
}

/* Every container in the list has its own name. */
static void expect_names(const struct fixture *fixture)
{
	const struct rows *groups = &fixture->ui.view.list.groups;
	char text[40];

	for (size_t i = 0; i < groups->count; i++) {
		snprintf(
		    text, sizeof text, "cgroup %llu", (unsigned long long)groups->rows[i].session.cgroup_id);
		assert_string_equal(names_container_text(fixture->ui.names, groups->rows[i].container), text);
	}
}

static void expect_all_sums(struct fixture *fixture)
{
	for (int i = GROUPING_NONE + 1; i < GROUPING_COUNT; i++) {
		view_set_grouping(&fixture->ui.view, (enum grouping)i);
		paint(fixture, 120, 24);
		expect_sums(fixture, (enum grouping)i);
	}
	view_set_grouping(&fixture->ui.view, GROUPING_CONTAINER);
}

static void what_is_kept_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	uint32_t stays = 0;
	size_t settled_bytes = 0;

	view_set_grouping(&fixture->ui.view, GROUPING_CONTAINER);
	for (uint32_t interval = 0; interval < INTERVALS; interval++) {
		show_interval(fixture, interval);
		const struct row *group = group_that_stays(fixture);

		assert_non_null(group);
		if (!stays)
			stays = group->container;
		/* However many went: it is the group it was. */
		assert_int_equal(group->container, stays);
		assert_int_equal(group->rx_total_bytes, (interval + 1) * STAYS);
		if (interval % 20 == 0 || interval == INTERVALS - 1) {
			expect_names(fixture);
			expect_all_sums(fixture);
		}
		if (interval == SETTLED)
			settled_bytes = allocated_bytes();
	}
	assert_true(allocated_bytes() < settled_bytes + GROWTH_BYTES_MAX);
}

/* While the picture stands still, what it shows keeps its names, whatever comes and goes behind it. */
static void a_frozen_picture_keeps_its_names(void **state)
{
	struct fixture *fixture = *state;

	view_set_grouping(&fixture->ui.view, GROUPING_CONTAINER);
	show_interval(fixture, 0);
	assert_int_equal(ui_freeze(&fixture->ui, true), 0);
	for (uint32_t interval = 1; interval < 40; interval++) {
		show_interval(fixture, interval);
		view_changed(&fixture->ui.view);
		paint(fixture, 120, 24);
		assert_int_equal(fixture->ui.view.list.groups.count, CONNECTIONS + 1);
		expect_names(fixture);
	}
	assert_int_equal(ui_freeze(&fixture->ui, false), 0);
	paint(fixture, 120, 24);
	expect_names(fixture);
	expect_sums(fixture, GROUPING_CONTAINER);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_kept_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_frozen_picture_keeps_its_names, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
