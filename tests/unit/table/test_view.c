/* SPDX-License-Identifier: Apache-2.0 */
/* What a view lists, in which order and in which groups. */
#include "test_view.h"

/* ---- words ---- */

/* What typing key by key lists is what the same words list at once. */
static void a_filter_typed_lists_what_it_lists_at_once(void **state)
{
	struct view *view = *state;
	static const char *const filters[] = { "x1 :12", "1.2.3", "!x1 2", ":1 :11", "10.0.0.1 x", "x2 x",
		"zz", "1.2.3.4", "2001:db8::12:7", "1.2.3.0/24", "port:11", "comm:x2", "user:11 12",
		"x1 !local" };
	static struct session sessions[300];

	for (uint32_t i = 0; i < 300; i++) {
		char name[16];

		snprintf(name, sizeof name, "x%u", i % 30);
		sessions[i] = make(name, i + 1, i % 3 ? "1.2.3.4" : "2001:db8::12", (uint16_t)(1 + i), i, 1);
	}
	merge(view, sessions, 300);
	for (size_t f = 0; f < ARRAY_LENGTH(filters); f++) {
		char typed[64] = "";

		view_set_filter(view, "");
		for (size_t length = 1; length <= strlen(filters[f]); length++) {
			struct match match;
			size_t expected = 0;

			snprintf(typed, sizeof typed, "%.*s", (int)length, filters[f]);
			view_set_filter(view, typed);
			view_prepare(view, HEIGHT);
			match_set(&match, typed);
			for (size_t i = 0; i < 300; i++) {
				struct row row = { .session = sessions[i] };

				expected += match_row(&match, &row, &view->context);
			}
			assert_int_equal(view->list.count, expected);
		}
	}
}

/* ---- order ---- */

static int compare_reference(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left < right) - (left > right);
}

static void any_part_of_a_long_list_is_in_order(void **state)
{
	struct view *view = *state;
	enum { COUNT = 3000 };
	static struct session sessions[COUNT];
	static uint64_t rates[COUNT];

	srand(3);
	for (uint32_t i = 0; i < COUNT; i++) {
		sessions[i] =
		    make("x", i, "192.0.2.1", (uint16_t)i, (uint64_t)rand() % 500, (uint64_t)rand() % 500);
		rates[i] = sessions[i].rx_bytes + sessions[i].tx_bytes;
	}
	qsort(rates, COUNT, sizeof *rates, compare_reference);
	merge(view, sessions, COUNT);
	assert_int_equal(view->list.count, COUNT);
	for (unsigned step = 0; step < 300; step++) {
		size_t at = (size_t)rand() % COUNT;
		const struct row *row = view_row(view, at);

		assert_int_equal(row->session.rx_bytes + row->session.tx_bytes, rates[at]);
		if (step % 10 == 0) {
			view_move(view, step % 20 ? 400 : -300);
			view_prepare(view, HEIGHT);
			for (size_t i = view->top; i < view->top + HEIGHT && i < COUNT; i++) {
				row = view_row(view, i);
				assert_int_equal(row->session.rx_bytes + row->session.tx_bytes, rates[i]);
			}
		}
	}
	/* Each row once: equal rates have an order of their own. */
	static bool seen[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		uint32_t pid = view_row(view, i)->session.pid;

		assert_false(seen[pid]);
		seen[pid] = true;
	}
}

static void every_column_sorts_both_ways(void **state)
{
	struct view *view = *state;
	const struct session sessions[] = {
		make("b", 2, "192.0.2.2", 20, 30, 1),
		make("A", 3, "192.0.2.10", 30, 10, 2),
		make("c", 1, "2001:db8::1", 10, 20, 3),
	};

	merge(view, sessions, ARRAY_LENGTH(sessions));
	static const struct {
		const char *id;
		const char *ascending;
	} cases[] = {
		{ "pid", "c b A" },
		{ "name", "A b c" },
		{ "rx", "A c b" },
		{ "tx", "b A c" },
		{ "rate", "A c b" },
		{ "raddr", "b A c" },
		{ "user", "c b A" },
		{ "total", "A c b" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		view->sort = (struct column_sort){ .column = column_find(cases[i].id), .descending = false };
		view_changed(view);
		assert_string_equal(listed(view), cases[i].ascending);
		view->sort.descending = true;
		view_changed(view);
		const char *down = listed(view);

		assert_int_equal(down[0], cases[i].ascending[4]);
		assert_int_equal(down[4], cases[i].ascending[0]);
	}
}

static void a_held_order_stays_with_what_is_new_at_the_end(void **state)
{
	struct view *view = *state;
	struct session sessions[] = {
		make("a", 1, "192.0.2.1", 1, 300, 0),
		make("b", 2, "192.0.2.1", 2, 200, 0),
		make("b", 2, "192.0.2.2", 3, 20, 0),
		make("c", 3, "192.0.2.1", 4, 100, 0),
		make("new", 4, "192.0.2.1", 5, 1000000, 0),
	};

	for (int grouping = GROUPING_NONE; grouping <= GROUPING_PROCESS; grouping++) {
		bool grouped = grouping == GROUPING_PROCESS;

		traffic_fini(&((struct fixture *)view)->traffic);
		traffic_init(&((struct fixture *)view)->traffic);
		sessions[3].rx_bytes = 100;
		merge(view, sessions, 4);
		view_set_grouping(view, (enum grouping)grouping);
		assert_int_equal(view_hold(view, true), 0);
		assert_string_equal(listed(view), grouped ? "a b c" : "a b c b");
		sessions[3].rx_bytes = 100000;
		merge(view, sessions, 5);
		assert_string_equal(listed(view), grouped ? "a b c new" : "a b c b new");
		/* To hold it again changes nothing. */
		assert_int_equal(view_hold(view, true), 0);
		assert_string_equal(listed(view), grouped ? "a b c new" : "a b c b new");
		assert_int_equal(view_hold(view, false), 0);
		assert_string_equal(listed(view), grouped ? "new c a b" : "new c a b b");
		/* Held anew it is the order of now; another order ends it. */
		assert_int_equal(view_hold(view, true), 0);
		merge(view, sessions, 5);
		assert_string_equal(listed(view), grouped ? "new c a b" : "new c a b b");
		view_reverse(view);
		assert_string_equal(listed(view), grouped ? "b a c new" : "b b a c new");
		view_reverse(view);
	}
}

/* Rates of one interval do not decide; they are shown as they are. */
static void a_burst_does_not_shuffle_the_list(void **state)
{
	struct view *view = *state;
	struct session sessions[] = {
		make("steady", 1, "192.0.2.1", 1, 1000, 0),
		make("bursts", 2, "192.0.2.1", 2, 100, 0),
	};

	for (unsigned i = 0; i < 20; i++)
		merge(view, sessions, 2);
	sessions[1].rx_bytes = 3000;
	merge(view, sessions, 2);
	assert_string_equal(listed(view), "steady bursts");
	assert_int_equal(view_row(view, 1)->session.rx_bytes, 3000);
	/* When it lasts, it leads. */
	for (unsigned i = 0; i < 10; i++)
		merge(view, sessions, 2);
	assert_string_equal(listed(view), "bursts steady");
}

/* ---- filters ---- */

static void families_and_users_are_filtered(void **state)
{
	struct view *view = *state;
	const struct session sessions[] = {
		make("four", 1, "192.0.2.1", 1, 500, 0),
		make("six", 2, "2001:db8::1", 2, 400, 0),
	};

	merge(view, sessions, 2);
	view->settings.family = 6;
	view_changed(view);
	assert_string_equal(listed(view), "six");
	view->settings.family = 0;
	view->settings.one_user = true;
	view->settings.uid = 1;
	view_changed(view);
	assert_string_equal(listed(view), "four");
}

static void a_renamed_process_is_matched_anew(void **state)
{
	struct view *view = *state;
	struct session session = make("before", 1, "192.0.2.1", 1, 500, 0);

	merge(view, &session, 1);
	view_set_filter(view, "after");
	assert_string_equal(listed(view), "");
	strcpy(session.comm, "after");
	merge(view, &session, 1);
	assert_string_equal(listed(view), "after");
}

static void another_traffic_is_shown(void **state)
{
	struct view *view = *state;
	struct fixture *fixture = *state;
	const struct session sessions[] = {
		make("a", 1, "192.0.2.1", 1, 300, 0),
		make("b", 2, "192.0.2.1", 2, 900, 0),
	};

	merge(view, sessions, 1);
	assert_int_equal(traffic_copy(&fixture->frozen, &fixture->traffic), 0);
	view_show(view, &fixture->frozen);
	merge(view, sessions, 2);
	assert_string_equal(listed(view), "a");
	assert_int_equal(view_traffic(view)->tick, 1);
	view_set_filter(view, "b");
	assert_string_equal(listed(view), "");
	view_set_filter(view, "");
	view_show(view, &fixture->traffic);
	assert_string_equal(listed(view), "b a");
	assert_int_equal(view_traffic(view)->rx_total_bytes, 1500);
}

/* ---- groups ---- */

static void groups_add_up_and_open(void **state)
{
	struct view *view = *state;
	const struct session sessions[] = {
		make("web", 1, "192.0.2.1", 1, 100, 10),
		make("web", 1, "192.0.2.2", 2, 200, 20),
		make("db", 2, "192.0.2.1", 3, 50, 5),
		make("db", 2, "2001:db8::1", 4, 1, 1),
	};

	merge(view, sessions, 4);
	view_set_grouping(view, GROUPING_PROCESS);
	assert_string_equal(listed(view), "web db");
	assert_int_equal(view_row(view, 0)->members, 2);
	assert_int_equal(view_row(view, 0)->session.rx_bytes, 300);
	assert_int_equal(view_row(view, 0)->tx_total_bytes, 30);
	assert_int_equal(view_row(view, 0)->counts[TALLY_PROCESSES], 1);
	view_move(view, 1);
	view_open_group(view);
	assert_string_equal(listed(view), "db db");
	view_close_group(view);
	assert_string_equal(listed(view), "web db");
	assert_string_equal(selected(view), "db");

	view_set_grouping(view, GROUPING_REMOTE);
	view_prepare(view, HEIGHT);
	assert_int_equal(view->list.count, 3);
	assert_int_equal(view_row(view, 0)->session.rx_bytes, 200);
	assert_int_equal(view_row(view, 1)->session.rx_bytes, 150);
	assert_int_equal(view_row(view, 1)->counts[TALLY_PROCESSES], 2);
	struct series series = traffic_row_series(view_traffic(view), view_row(view, 1));

	assert_true(series_peak(&series, 32) >= 165);

	view_set_filter(view, "db");
	view_prepare(view, HEIGHT);
	assert_int_equal(view->list.count, 2);
	assert_int_equal(view_row(view, 0)->session.rx_bytes, 50);

	view_set_filter(view, "");
	view_set_grouping(view, GROUPING_CONTAINER);
	view_prepare(view, HEIGHT);
	assert_int_equal(view->list.count, 1);
	assert_int_equal(view_row(view, 0)->members, 4);
}

static void a_sort_column_that_a_group_lacks_gives_way(void **state)
{
	struct view *view = *state;
	const struct session session = make("a", 1, "192.0.2.1", 1, 300, 0);

	merge(view, &session, 1);
	view->sort = (struct column_sort){ .column = column_find("laddr"), .descending = false };
	view_set_grouping(view, GROUPING_PROCESS);
	view_prepare(view, HEIGHT);
	assert_string_equal(view->sort.column->id, "rate");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		VIEW_TEST(a_filter_typed_lists_what_it_lists_at_once),
		VIEW_TEST(any_part_of_a_long_list_is_in_order),
		VIEW_TEST(every_column_sorts_both_ways),
		VIEW_TEST(a_held_order_stays_with_what_is_new_at_the_end),
		VIEW_TEST(a_burst_does_not_shuffle_the_list),
		VIEW_TEST(families_and_users_are_filtered),
		VIEW_TEST(a_renamed_process_is_matched_anew),
		VIEW_TEST(another_traffic_is_shown),
		VIEW_TEST(groups_add_up_and_open),
		VIEW_TEST(a_sort_column_that_a_group_lacks_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
