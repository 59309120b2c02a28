/* SPDX-License-Identifier: Apache-2.0 */
/* Where the cursor stands, and how the list scrolls. */
#include "test_view.h"

static void the_selected_row_stays_under_the_cursor(void **state)
{
	struct view *view = *state;
	struct session sessions[] = {
		make("a", 1, "192.0.2.1", 1, 300, 0),
		make("b", 2, "192.0.2.1", 2, 200, 0),
		make("c", 3, "192.0.2.1", 3, 100, 0),
	};

	merge(view, sessions, 3);
	assert_string_equal(selected(view), "a");
	/* Not moved yet: the cursor is for the top, whoever is there. */
	sessions[2].rx_bytes = 1000;
	merge(view, sessions, 3);
	assert_string_equal(selected(view), "c");
	view_move(view, 1);
	assert_string_equal(selected(view), "a");
	sessions[0].rx_bytes = 1;
	sessions[1].rx_bytes = 900;
	merge(view, sessions, 3);
	assert_string_equal(listed(view), "c b a");
	assert_string_equal(selected(view), "a");
	assert_int_equal(view->position, 2);
	view_home(view);
	assert_string_equal(selected(view), "c");
	view_end(view);
	assert_string_equal(selected(view), "a");
	view_move(view, 5);
	assert_string_equal(selected(view), "a");
	view_move(view, -50);
	assert_string_equal(selected(view), "c");
}

static void the_cursor_goes_to_the_top_when_its_row_went(void **state)
{
	struct view *view = *state;
	const struct session sessions[] = {
		make("a", 1, "192.0.2.1", 1, 300, 0),
		make("b", 2, "192.0.2.1", 2, 200, 0),
		make("c", 3, "192.0.2.1", 3, 100, 0),
	};

	merge(view, sessions, 3);
	view_move(view, 1);
	view_set_filter(view, "!:2");
	assert_string_equal(listed(view), "a c");
	assert_string_equal(selected(view), "a");
	view_set_filter(view, "nothing-has-this");
	assert_string_equal(listed(view), "");
	assert_string_equal(selected(view), "");
	view_move(view, 1);
	view_end(view);
	view_set_filter(view, "");
	assert_string_equal(listed(view), "a b c");
	assert_string_equal(selected(view), "a");
}

/* Rows of steady rates, the highest first, PIDs from 1 on. */
static void make_steady(struct session *sessions, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		sessions[i] = make("x", i + 1, "192.0.2.1", (uint16_t)(i + 1), 1000000 - 100 * i, 0);
}

static void after_scrolling_the_cursor_stays_on_its_line(void **state)
{
	struct view *view = *state;
	struct session sessions[40];

	make_steady(sessions, 40);
	merge(view, sessions, 40);
	view_move(view, 25);
	view_prepare(view, HEIGHT);
	assert_int_equal(view->top, 16);
	/* Its row goes ... */
	view_set_filter(view, "!:26");
	view_prepare(view, HEIGHT);
	assert_int_equal(view->top, 16);
	assert_int_equal(view->position, 25);
	assert_int_equal(view_selected(view)->session.pid, 27);
	/* ... and another rises out of sight. */
	sessions[26].rx_bytes = 100000000;
	merge(view, sessions, 40);
	assert_int_equal(view->top, 16);
	assert_int_equal(view->position, 25);
	assert_int_equal(view_selected(view)->session.pid, 25);
	/* What was asked for is shown. */
	view_move(view, -20);
	view_prepare(view, HEIGHT);
	assert_int_equal(view->position, 5);
	assert_int_equal(view->top, 5);
}

/* Busy rows, and a connection that moves something and is quiet from then on. Enter is to open what was found. */
static void what_was_found_is_followed(void **state)
{
	enum { BUSY = 2000 };
	struct view *view = *state;
	static struct session sessions[BUSY + 1];
	struct match match;

	make_steady(sessions, BUSY);
	sessions[BUSY] = make("short", 9999, "192.0.2.9", 9, 820050, 0);
	match_set(&match, "short");
	merge(view, sessions, BUSY + 1);
	assert_true(view_find(view, &match, true, true));
	view_prepare(view, HEIGHT);
	assert_int_equal(view->position, 1800);
	for (unsigned second = 0; second < 12; second++) {
		merge(view, sessions, BUSY);
		view_prepare(view, HEIGHT);
		assert_string_equal(selected(view), "short");
		assert_true(view->top <= view->position && view->top + HEIGHT > view->position);
		assert_false(view->lost);
	}
	assert_int_equal(view->position, BUSY);
	/* until it is moved */
	view_move(view, -1);
	assert_string_equal(selected(view), "x");
	merge(view, sessions, BUSY);
	assert_int_equal(view->list.count, BUSY);
	assert_string_equal(selected(view), "x");
}

static void what_was_found_and_does_not_pass_is_told_once(void **state)
{
	enum { BUSY = 2000 };
	struct view *view = *state;
	static struct session sessions[BUSY + 1];
	struct match match;

	make_steady(sessions, BUSY);
	sessions[BUSY] = make("short", 9999, "192.0.2.9", 9, 820050, 0);
	match_set(&match, "short");
	merge(view, sessions, BUSY + 1);
	assert_true(view_find(view, &match, true, true));
	view_prepare(view, HEIGHT);
	view_set_filter(view, "!short");
	view_prepare(view, HEIGHT);
	/* a list scrolled by the search alone */
	assert_int_equal(view->top, 0);
	assert_int_equal(view->position, 0);
	assert_false(view->pinned);
	assert_true(view->lost);
	view->lost = false;
	merge(view, sessions, BUSY + 1);
	view_prepare(view, HEIGHT);
	assert_false(view->lost);
}

/* The details show a row wherever it is; after that the cursor is on the screen again. */
static void details_do_not_drag_the_list(void **state)
{
	enum { BUSY = 50 };
	struct view *view = *state;
	static struct session sessions[BUSY + 1];

	make_steady(sessions, BUSY);
	sessions[BUSY] = make("short", 9999, "192.0.2.9", 9, 999950, 0);
	merge(view, sessions, BUSY + 1);
	view_move(view, 1);
	view_prepare(view, HEIGHT);
	view_keep_selected(view, true);
	for (unsigned second = 0; second < 12; second++) {
		merge(view, sessions, BUSY);
		assert_string_equal(selected(view), "short");
		assert_int_equal(view->top, 0);
	}
	view_keep_selected(view, false);
	view_prepare(view, HEIGHT);
	assert_int_equal(view->top, 0);
	assert_true(view->position < HEIGHT);
}

static void scrolling_keeps_the_cursor_in_sight(void **state)
{
	struct view *view = *state;
	struct session sessions[40];

	for (uint32_t i = 0; i < 40; i++)
		sessions[i] = make("x", i + 1, "192.0.2.1", (uint16_t)(i + 1), 1000 - i, 0);
	merge(view, sessions, 40);
	view_move(view, 25);
	view_prepare(view, HEIGHT);
	assert_int_equal(view->top, 16);
	view_move(view, -3);
	view_prepare(view, HEIGHT);
	assert_int_equal(view->top, 16);
	view_end(view);
	view_prepare(view, HEIGHT);
	assert_int_equal(view->top, 30);
	/* The screen grows: no blank lines below while there are rows above. */
	view_prepare(view, 35);
	assert_int_equal(view->top, 5);
	view_prepare(view, 100);
	assert_int_equal(view->top, 0);
	view_home(view);
	view_prepare(view, HEIGHT);
	assert_int_equal(view->top, 0);
}

static void a_followed_row_keeps_its_line_and_stays(void **state)
{
	struct view *view = *state;
	struct session sessions[40];

	for (uint32_t i = 0; i < 40; i++)
		sessions[i] = make(i == 20 ? "it" : "x", i + 1, "192.0.2.1", (uint16_t)(i + 1), 1000 - i, 0);
	merge(view, sessions, 40);
	view_move(view, 20);
	view_prepare(view, HEIGHT);
	view_set_follow(view, true);
	size_t line = view->position - view->top;

	sessions[20].rx_bytes = 990;
	merge(view, sessions, 40);
	assert_string_equal(selected(view), "it");
	assert_true(view->position < 20);
	assert_int_equal(view->position - view->top, line);
	for (int i = 0; i < 20; i++)
		merge(view, sessions, 20);
	assert_int_equal(view->list.count, 21);
	assert_string_equal(selected(view), "it");
	view_move(view, -1);
	assert_false(view->follow);
	merge(view, sessions, 20);
	assert_int_equal(view->list.count, 20);
}

/* Closed in the second interval; in the third another process's connection has its addresses, ports and PID. */
static void the_cursor_stays_with_a_connection_whose_ports_are_taken(void **state)
{
	struct view *view = *state;
	struct session sessions[] = {
		make("other", 1, "192.0.2.1", 1, 900, 0),
		make("old", 2, "192.0.2.1", 2, 500, 0),
	};
	struct view_place place;

	view_list_all(view, true);
	merge(view, sessions, 2);
	view_move(view, 1);
	assert_string_equal(selected(view), "old");
	place = view_place(view);
	sessions[1].is_closed = true;
	merge(view, sessions, 2);
	sessions[1] = make("new", 2, "192.0.2.1", 2, 700, 0);
	for (int i = 0; i < 3; i++) {
		merge(view, sessions, 2);
		assert_int_equal(view->list.count, 3);
		assert_string_equal(selected(view), "old");
	}
	view_home(view);
	view_return(view, &place);
	assert_string_equal(selected(view), "old");
	/* That which came is another one, and the cursor can be moved there. */
	view_go_to(view, GROUPING_NONE, &sessions[1]);
	assert_string_equal(selected(view), "new");
}

/* Kept for a page, it is listed however long it is idle. */
static void a_page_stays_with_a_connection_whose_ports_are_taken(void **state)
{
	struct view *view = *state;
	struct session sessions[] = {
		make("other", 1, "192.0.2.1", 1, 900, 0),
		make("old", 2, "192.0.2.1", 2, 500, 0),
	};

	sessions[1].is_closed = true;
	merge(view, sessions, 2);
	view_move(view, 1);
	view_keep_selected(view, true);
	assert_string_equal(selected(view), "old");
	sessions[1] = make("new", 2, "192.0.2.1", 2, 700, 0);
	for (int i = 0; i < 20; i++)
		merge(view, sessions, 2);
	assert_int_equal(view->list.count, 3);
	assert_string_equal(selected(view), "old");
	size_t index = rows_find(&view_traffic(view)->rows, view_kept(view));

	assert_int_not_equal(index, ROW_NONE);
	assert_string_equal(view_traffic(view)->rows.rows[index].session.comm, "old");
}

/* What was listed, how, and where the cursor was; also from a group that was open. */
static void a_place_is_returned_to(void **state)
{
	struct view *view = *state;
	const struct session sessions[] = {
		make("a", 1, "192.0.2.1", 1, 500, 0),
		make("b", 2, "192.0.2.1", 2, 400, 0),
		make("b", 2, "192.0.2.1", 3, 300, 0),
		make("b", 2, "192.0.2.1", 4, 200, 0),
	};

	merge(view, sessions, 4);
	view_set_grouping(view, GROUPING_PROCESS);
	assert_string_equal(listed(view), "b a");
	view_move(view, 0);
	view_open_group(view);
	assert_string_equal(listed(view), "b b b");
	view_move(view, 2);
	assert_int_equal(view_selected(view)->session.rport, 4);
	view_reverse(view);
	struct view_place place = view_place(view);

	view_close_group(view);
	assert_string_equal(selected(view), "b");
	view_go_to(view, GROUPING_NONE, &sessions[0]);
	assert_string_equal(selected(view), "a");
	assert_int_equal(view->list.count, 4);
	view_return(view, &place);
	assert_string_equal(listed(view), "b b b");
	assert_int_equal(view_selected(view)->session.rport, 4);
	assert_true(view->pinned);
	assert_int_equal(view->sort.descending, place.sort.descending);
	view_close_group(view);
	assert_string_equal(selected(view), "b");
	assert_int_equal(view->list.count, 2);
}

static void search_goes_round_in_the_order_listed(void **state)
{
	struct view *view = *state;
	const struct session sessions[] = {
		make("web1", 1, "192.0.2.1", 1, 500, 0),
		make("db1", 2, "192.0.2.1", 2, 400, 0),
		make("web2", 3, "192.0.2.1", 3, 300, 0),
		make("db2", 4, "192.0.2.1", 4, 200, 0),
	};
	struct match match;

	merge(view, sessions, 4);
	match_set(&match, "db");
	assert_true(view_find(view, &match, true, true));
	assert_string_equal(selected(view), "db1");
	assert_true(view_find(view, &match, true, true));
	assert_string_equal(selected(view), "db1");
	assert_true(view_find(view, &match, true, false));
	assert_string_equal(selected(view), "db2");
	assert_true(view_find(view, &match, true, false));
	assert_string_equal(selected(view), "db1");
	assert_true(view_find(view, &match, false, false));
	assert_string_equal(selected(view), "db2");
	match_set(&match, "nothing");
	assert_false(view_find(view, &match, true, false));
	assert_string_equal(selected(view), "db2");
	match_set(&match, "web2");
	assert_true(view_find(view, &match, false, false));
	assert_string_equal(selected(view), "web2");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		VIEW_TEST(the_selected_row_stays_under_the_cursor),
		VIEW_TEST(the_cursor_goes_to_the_top_when_its_row_went),
		VIEW_TEST(after_scrolling_the_cursor_stays_on_its_line),
		VIEW_TEST(what_was_found_is_followed),
		VIEW_TEST(what_was_found_and_does_not_pass_is_told_once),
		VIEW_TEST(details_do_not_drag_the_list),
		VIEW_TEST(scrolling_keeps_the_cursor_in_sight),
		VIEW_TEST(a_followed_row_keeps_its_line_and_stays),
		VIEW_TEST(the_cursor_stays_with_a_connection_whose_ports_are_taken),
		VIEW_TEST(a_page_stays_with_a_connection_whose_ports_are_taken),
		VIEW_TEST(a_place_is_returned_to),
		VIEW_TEST(search_goes_round_in_the_order_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
