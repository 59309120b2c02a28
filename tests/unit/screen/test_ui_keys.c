/* SPDX-License-Identifier: Apache-2.0 */
/* What keys do to the screen. */
#include "test_ui.h"

#include "screen/table_mode.h"

static void a_filter_works_as_it_is_typed(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, '\\');
	type(fixture, "ngx");
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "No connection passes"));
	assert_true(on_glass(fixture, 24, "Filter: ngx"));
	assert_int_equal(fixture->ui.cursor_x, 11);
	key(fixture, KEY_CODE_BACKSPACE);
	key(fixture, 'i');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "203.0.113.84"));
	assert_false(on_glass(fixture, 24, "postgres"));
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_string_equal(
	    fixture->glass.lines[3], " 1 of 3 connections  filter: ngi  by RX+TX/s over 10s ▼");
	assert_int_equal(fixture->ui.cursor_x, -1);
	key(fixture, KEY_CODE_LEFT);
	key(fixture, KEY_CODE_BACKSPACE);
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, "postgres"));
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "postgres"));
}

static void a_peak_is_not_shown_by_the_byte(void **state)
{
	struct fixture *fixture = *state;
	const char *peak;

	show_typical(fixture);
	key(fixture, 'm');
	key(fixture, 'm');
	paint(fixture, 80, 24);
	assert_non_null(strstr(fixture->glass.lines[1], "B/s"));
	peak = strstr(fixture->glass.lines[1], "peak ");
	assert_non_null(peak);
	assert_non_null(strstr(peak, "18.8KB/s"));
}

static void typing_takes_utf8_and_editing_keys(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, '/');
	key(fixture, 0x65e5);
	key(fixture, 'x');
	assert_string_equal(fixture->ui.typed, "日x");
	key(fixture, KEY_CODE_BACKSPACE);
	key(fixture, KEY_CODE_BACKSPACE);
	assert_string_equal(fixture->ui.typed, "");
	key(fixture, KEY_CODE_BACKSPACE);
	type(fixture, "one two");
	key(fixture, 'W' - '@');
	assert_string_equal(fixture->ui.typed, "one ");
	key(fixture, 'U' - '@');
	assert_string_equal(fixture->ui.typed, "");
	for (int i = 0; i < 500; i++)
		key(fixture, 0x1f600);
	assert_true(strlen(fixture->ui.typed) <= MATCH_TEXT_MAX);
	paint(fixture, 40, 10);
	key(fixture, '\033');
	assert_int_equal(fixture->ui.mode, MODE_TABLE);
}

static void search_moves_the_cursor_and_escape_puts_it_back(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, KEY_CODE_DOWN);
	key(fixture, '/');
	type(fixture, "ssh");
	paint(fixture, 80, 24);
	assert_int_equal(fixture->ui.view.position, 2);
	key(fixture, 'X');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "not found"));
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_int_equal(fixture->ui.view.position, 1);
	key(fixture, '/');
	type(fixture, "nginx");
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_int_equal(fixture->ui.view.position, 0);
}

/* Also how the list was scrolled, and that it followed. */
static void escape_from_a_search_undoes_all_of_it(void **state)
{
	struct fixture *fixture = *state;
	struct view *view = &fixture->ui.view;

	begin(fixture);
	for (unsigned i = 0; i < 200; i++)
		add(fixture, i == 190 ? "needle" : "hay", 100 + i, "203.0.113.84", (uint16_t)(1000 + i), 0,
		    1000000 - i);
	show(fixture);
	paint(fixture, 80, 24);
	for (unsigned i = 0; i < 50; i++)
		key(fixture, KEY_CODE_DOWN);
	for (unsigned i = 0; i < 5; i++)
		key(fixture, KEY_CODE_UP);
	key(fixture, 'F');
	paint(fixture, 80, 24);
	size_t top = view->top, position = view->position;

	assert_true(top > 0 && view->follow);
	key(fixture, '/');
	type(fixture, "needle");
	paint(fixture, 80, 24);
	assert_int_equal(view->position, 190);
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_int_equal(view->position, position);
	assert_int_equal(view->top, top);
	assert_true(view->follow);
}

static void menus_choose(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, KEY_CODE_F6);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "Sort by"));
	key(fixture, KEY_CODE_HOME);
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_ENTER);
	assert_string_equal(fixture->ui.view.sort.column->id, "name");
	key(fixture, 'C');
	key(fixture, ' '); /* PID goes */
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, "PID"));
	key(fixture, KEY_CODE_F2);
	key(fixture, ' ');
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_int_equal(strncmp(fixture->glass.lines[4], "    PID NAME", 12), 0);
	/* The last column cannot go. */
	key(fixture, 'C');
	for (size_t i = 0; i < column_count; i++) {
		if (column_list_has(&fixture->ui.columns, &column_table[i]))
			key(fixture, ' ');
		key(fixture, KEY_CODE_DOWN);
	}
	assert_int_equal(fixture->ui.columns.count, 1);
	paint(fixture, 80, 24);
}

static void the_interval_is_asked_for(void **state)
{
	struct fixture *fixture = *state;
	struct ui live;

	/* A recording has its own, and is played faster. */
	assert_int_equal(key(fixture, '+'), REACTION_PLAY);
	fixture->run.live = true;
	fixture->run.interval_ns = 1000000000;
	assert_int_equal(ui_init(&live, &fixture->run, true), 0);
	assert_int_equal(frame_key(&live, '+', &fixture->request), REACTION_INTERVAL);
	assert_int_equal(fixture->request.interval_ns, 2000000000);
	assert_int_equal(frame_key(&live, '-', &fixture->request), REACTION_INTERVAL);
	assert_int_equal(frame_key(&live, '-', &fixture->request), REACTION_INTERVAL);
	assert_int_equal(fixture->request.interval_ns, 500000000);
	for (int i = 0; i < 40; i++)
		frame_key(&live, '-', &fixture->request);
	assert_int_equal(fixture->request.interval_ns, 10000000);
	assert_int_equal(frame_key(&live, '-', &fixture->request), REACTION_NONE);
	for (int i = 0; i < 40; i++)
		frame_key(&live, '+', &fixture->request);
	assert_int_equal(fixture->request.interval_ns, 60000000000);
	ui_fini(&live);
}

/* ---- the table of keys ---- */

static void no_key_has_two_meanings_and_each_is_in_the_help(void **state)
{
	(void)state;
	for (size_t i = 0; i < key_count; i++) {
		const struct key *key = &key_table[i];

		/* One that is named in the row before has neither. */
		assert_true(!key->names == !key->help);
		assert_true(key->names || (i && strchr(key_table[i - 1].names ?: key_table[i - 2].names ?:
		                                                                   key_table[i - 3].names,
		                                   key->codes[0])));
		assert_true(!key->names || strlen(key->names) <= 9);
		assert_true(!key->help || strlen(key->help) <= 28);
		assert_int_not_equal(key->codes[0], KEY_CODE_NONE);
		/* It does one thing. */
		assert_int_equal(
		    (key->run != NULL) + (key->opens != MODE_TABLE) + (key->motion != MOTION_NONE), 1);
		assert_true(!key->on_pages || (key->run && !key->closes_page));
		for (size_t j = 0; j < KEY_CODES_MAX; j++)
			if (key->codes[j] != KEY_CODE_NONE)
				assert_ptr_equal(key_find(key->codes[j]), key);
	}
	assert_null(key_find(KEY_CODE_NONE));
	assert_null(key_find('~'));
}

static void freezing_shows_what_was_and_loses_nothing(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	key(fixture, 'Z');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "FROZEN"));
	assert_true(on_glass(fixture, 24, "Go on"));
	begin(fixture);
	add(fixture, "late", 9, "192.0.2.9", 9, 5000, 0);
	show(fixture);
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, "late"));
	assert_true(on_glass(fixture, 24, "nginx"));
	key(fixture, '?');
	key(fixture, ' '); /* works on a page, too */
	key(fixture, 'q');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "late"));
	assert_true(on_glass(fixture, 24, "1 connection  3 idle"));
	assert_false(on_glass(fixture, 24, "FROZEN"));
}

/* A page's row is listed however long it is idle, and not after the page is closed, unless all are. */
static void details_keep_their_row(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, KEY_CODE_ENTER);
	for (int i = 0; i < 10; i++) {
		begin(fixture);
		show(fixture);
	}
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "nginx, PID 1874"));
	assert_true(on_glass(fixture, 24, "State       idle; last traffic at 10:42:17, 10 s ago"));
	key(fixture, KEY_CODE_ESCAPE);
	begin(fixture);
	show(fixture);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "No TCP traffic in this interval: a lists what is idle."));
	key(fixture, 'a');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "nginx"));
	assert_true(on_glass(fixture, 24, "3 idle"));
}

/* ---- what is idle, what is gone, and totals ---- */

static void idle(struct fixture *fixture, unsigned intervals)
{
	while (intervals--) {
		begin(fixture);
		show(fixture);
	}
}

static void a_key_lists_all_with_the_time_of_their_last_traffic(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	idle(fixture, 9);
	begin(fixture);
	add(fixture, "late", 9, "192.0.2.9", 9, 50000000, 0);
	show(fixture);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "1 connection  by"));
	assert_false(on_glass(fixture, 24, "nginx"));
	assert_false(on_glass(fixture, 24, "LAST"));
	key(fixture, 'a');
	paint(fixture, 80, 24);
	key(fixture, 'x');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "1 connection  3 idle"));
	assert_true(strstr(fixture->glass.lines[5], "late") && strstr(fixture->glass.lines[5], "     now"));
	assert_true(strstr(fixture->glass.lines[6], "nginx") && strstr(fixture->glass.lines[6], " 10:42:17"));
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_ENTER);
	idle(fixture, 30);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "State       idle; last traffic at 10:42:17, 40 s ago"));
	assert_true(on_glass(fixture, 24, "Total       RX 18000 B (17.6KB)   TX 9400000 B (8.96MB)"));
	assert_true(on_glass(fixture, 24, "            since 10:42:16"));
	key(fixture, KEY_CODE_ESCAPE);
	key(fixture, 'a');
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, "nginx"));
}

/* What an event told of a connection's end is said; nothing is guessed. */
static void a_row_that_was_closed_says_when(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	idle(fixture, 9);
	key(fixture, 'a');
	paint(fixture, 80, 24);
	key(fixture, KEY_CODE_ENTER);
	struct rows *rows = &fixture->ui.traffic.rows;

	rows->rows[rows_find(rows, &fixture->ui.view.selected)].closed =
	    (struct moment){ 6000000000, 1795344142 };
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "State       closed at 10:42:22, 4 s ago"));
}

static void groups_stay_with_their_sums(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	idle(fixture, 20);
	key(fixture, 'g');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "3 processes  0 connections"));
	assert_true(strstr(fixture->glass.lines[5], "nginx") && strstr(fixture->glass.lines[5], "8.98MB"));
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_UP);
	key(fixture, KEY_CODE_RIGHT);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "No active connection: a lists all."));
	key(fixture, 'a');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "1 of 3 connections  in nginx (1874)"));
	assert_true(on_glass(fixture, 24, "203.0.113.84"));
}

/* A slip of the finger must not cost the sums of hours. */
static void a_reset_asks(void **state)
{
	static const int others[] = { 'n', 'r', 'q', KEY_CODE_ESCAPE, KEY_CODE_ENTER, ' ' };
	struct fixture *fixture = *state;

	show_typical(fixture);
	for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
		assert_int_equal(key(fixture, 'r'), REACTION_NONE);
		idle(fixture, 1); /* the question stays */
		for (unsigned width = 40; width <= 80; width += 40) {
			paint(fixture, width, 10);
			assert_string_equal(
			    fixture->glass.lines[9], "Reset all totals? y yes, other keys no");
		}
		assert_int_equal(key(fixture, others[i]), REACTION_NONE);
		assert_int_equal(fixture->ui.traffic.tx_total_bytes, 10040000);
		assert_false(fixture->ui.is_frozen);
	}
	key(fixture, 'y');
	assert_int_equal(fixture->ui.traffic.tx_total_bytes, 10040000);
	key(fixture, '?'); /* asks on a page, too */
	key(fixture, 'r');
	key(fixture, 'y');
	assert_int_equal(fixture->ui.traffic.tx_total_bytes, 0);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "totals start from zero"));
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "sums since 10:42:23"));
}

/* More connections, and more hosts, than are kept: what had to go is said, and all of it adds up. */
static void what_had_to_go_is_said(void **state)
{
	struct fixture *fixture = *state;
	char host[32];

	for (unsigned i = 0; i < 15; i++) {
		begin(fixture);
		for (unsigned j = 0; j < 1000; j++) {
			snprintf(host, sizeof host, "192.0.%u.%u", (i * 1000 + j) / 250, j % 250);
			add(fixture, "client", 7, host, 80, 1024, 2048);
		}
		show(fixture);
	}
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, "more, gone"));
	key(fixture, 'a');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "oldest 8000 dropped"));
	key(fixture, 'g');
	key(fixture, 'g');
	paint(fixture, 80, 24);
	const struct gone *gone = &fixture->ui.traffic.gone[GROUPING_REMOTE];
	char expected[80];

	assert_true(gone->left_groups > 1000);
	snprintf(expected, sizeof expected, "%llu more, gone: RX %.2fMB TX %.2fMB",
	    (unsigned long long)gone->left_groups, (double)gone->left_rx_bytes / (1 << 20),
	    (double)gone->left_tx_bytes / (1 << 20));
	assert_true(on_glass(fixture, 24, expected));
	key(fixture, '?');
	paint(fixture, 80, 50);
	assert_true(on_glass(fixture, 50, "Dropped: the 8000 connections that were idle for longest."));
	snprintf(expected, sizeof expected, "Dropped: the oldest %llu remote hosts: RX ",
	    (unsigned long long)gone->left_groups);
	assert_true(on_glass(fixture, 50, expected));
}

/* Any keys in any order at any size: nothing to see but that it goes on. */
static void random_keys_do_no_harm(void **state)
{
	struct fixture *fixture = *state;

	srand(5);
	for (int step = 0; step < 4000; step++) {
		int code = rand() % 4 ? rand() % 128 : KEY_CODE_FIRST_SPECIAL + rand() % 30;

		if (step % 20 == 0) {
			begin(fixture);
			for (int i = rand() % 60; i > 0; i--)
				add(fixture, "random", (uint32_t)rand() % 50,
				    rand() % 5 ? "192.0.2.1" : "2001:db8::1", (uint16_t)(1 + rand() % 40),
				    (uint64_t)rand(), (uint64_t)rand());
			show(fixture);
		}
		key(fixture, code);
		if (rand() % 2)
			paint(fixture, 1 + (unsigned)rand() % 150, 1 + (unsigned)rand() % 50);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UI_TEST(a_filter_works_as_it_is_typed),
		UI_TEST(a_peak_is_not_shown_by_the_byte),
		UI_TEST(typing_takes_utf8_and_editing_keys),
		UI_TEST(search_moves_the_cursor_and_escape_puts_it_back),
		UI_TEST(escape_from_a_search_undoes_all_of_it),
		UI_TEST(menus_choose),
		UI_TEST(the_interval_is_asked_for),
		UI_TEST(no_key_has_two_meanings_and_each_is_in_the_help),
		UI_TEST(freezing_shows_what_was_and_loses_nothing),
		UI_TEST(details_keep_their_row),
		UI_TEST(a_key_lists_all_with_the_time_of_their_last_traffic),
		UI_TEST(a_row_that_was_closed_says_when),
		UI_TEST(groups_stay_with_their_sums),
		UI_TEST(a_reset_asks),
		UI_TEST(what_had_to_go_is_said),
		UI_TEST(random_keys_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
