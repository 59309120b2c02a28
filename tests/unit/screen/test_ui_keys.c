/* SPDX-License-Identifier: Apache-2.0 */
/* What keys do to the screen. */
#include "test_ui.h"

static void a_filter_works_as_it_is_typed(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, '\\');
	type(fixture, "ngx");
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "No session passes"));
	assert_true(on_glass(fixture, 24, "Filter: ngx"));
	assert_int_equal(fixture->display.cursor_x, 11);
	key(fixture, KEY_CODE_BACKSPACE);
	key(fixture, 'i');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "203.0.113.84"));
	assert_false(on_glass(fixture, 24, "postgres"));
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_string_equal(fixture->glass.lines[3], " 1 of 3 sessions  filter: ngi  by RX+TX/s");
	assert_int_equal(fixture->display.cursor_x, -1);
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
	assert_non_null(strstr(fixture->glass.lines[1], " B/s"));
	peak = strstr(fixture->glass.lines[1], "peak ");
	assert_non_null(peak);
	assert_null(strstr(peak, " B/s"));
}

static void typing_takes_utf8_and_editing_keys(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, '/');
	key(fixture, 0x65e5);
	key(fixture, 'x');
	assert_string_equal(fixture->display.typed, "日x");
	key(fixture, KEY_CODE_BACKSPACE);
	key(fixture, KEY_CODE_BACKSPACE);
	assert_string_equal(fixture->display.typed, "");
	key(fixture, KEY_CODE_BACKSPACE);
	type(fixture, "one two");
	key(fixture, 'W' - '@');
	assert_string_equal(fixture->display.typed, "one ");
	key(fixture, 'U' - '@');
	assert_string_equal(fixture->display.typed, "");
	for (int i = 0; i < 500; i++)
		key(fixture, 0x1f600);
	assert_true(strlen(fixture->display.typed) <= MATCH_TEXT_MAX);
	paint(fixture, 40, 10);
	key(fixture, '\033');
	assert_int_equal(fixture->display.mode, MODE_TABLE);
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
	assert_int_equal(fixture->display.view.position, 2);
	key(fixture, 'X');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "not found"));
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_int_equal(fixture->display.view.position, 1);
	key(fixture, '/');
	type(fixture, "nginx");
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_int_equal(fixture->display.view.position, 0);
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
	assert_string_equal(fixture->display.view.sort.column->id, "name");
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
		if (column_list_has(&fixture->display.columns, &column_table[i]))
			key(fixture, ' ');
		key(fixture, KEY_CODE_DOWN);
	}
	assert_int_equal(fixture->display.columns.count, 1);
	paint(fixture, 80, 24);
}

/* What is read from sockets at every event is there only when it was asked for at the start, and says so. */
static void measured_columns_are_asked_for_at_the_start(void **state)
{
	struct fixture *fixture = *state;
	struct options options = { .interval_ns = 1000000000 };
	const struct column *rtt = column_find("rtt");
	struct display *live = &fixture->display;

	display_fini(live);
	fixture->options.replay_path = NULL;
	fixture->facts.options = &options;
	assert_int_equal(display_init(live, &fixture->facts, true), 0);
	assert_false(display_measures(live, rtt));
	assert_true(display_measures(live, column_find("rx")));
	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, 'C');
	while (live->menu.values[live->menu.position] != (uint32_t)(rtt - column_table))
		key(fixture, KEY_CODE_DOWN);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "[-] RTT"));
	assert_true(on_glass(fixture, 24, "smoothed round-trip time; start with --columns ...,rtt"));
	key(fixture, ' ');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "RTT costs time at every event: start with --columns ...,rtt"));
	assert_false(column_list_has(&live->columns, rtt));
	key(fixture, KEY_CODE_ESCAPE);
	key(fixture, KEY_CODE_F6);
	key(fixture, KEY_CODE_END);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "RETRANS costs time at every event"));
	assert_string_equal(live->view.sort.column->id, "rate");
	key(fixture, KEY_CODE_ESCAPE);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "RTT and retransmits: start with --columns ...,rtt,retrans"));
	/* Asked for, be it for the order alone. */
	display_fini(live);
	fixture->options.sort = (struct column_sort){ .column = rtt, .descending = true };
	assert_int_equal(display_init(live, &fixture->facts, true), 0);
	assert_true(display_measures(live, rtt));
	assert_true(display_measures(live, column_find("retrans")));
}

static void the_interval_is_asked_for(void **state)
{
	struct fixture *fixture = *state;
	struct options options = { .interval_ns = 1000000000 };
	struct display live;

	/* A recording has its own. */
	assert_int_equal(key(fixture, '+'), REACTION_NONE);
	fixture->options.replay_path = NULL;
	fixture->facts.options = &options;
	assert_int_equal(display_init(&live, &fixture->facts, true), 0);
	assert_int_equal(display_key(&live, '+', &fixture->request), REACTION_INTERVAL);
	assert_int_equal(fixture->request.interval_ns, 2000000000);
	assert_int_equal(display_key(&live, '-', &fixture->request), REACTION_INTERVAL);
	assert_int_equal(display_key(&live, '-', &fixture->request), REACTION_INTERVAL);
	assert_int_equal(fixture->request.interval_ns, 500000000);
	for (int i = 0; i < 40; i++)
		display_key(&live, '-', &fixture->request);
	assert_int_equal(fixture->request.interval_ns, 10000000);
	assert_int_equal(display_key(&live, '-', &fixture->request), REACTION_NONE);
	for (int i = 0; i < 40; i++)
		display_key(&live, '+', &fixture->request);
	assert_int_equal(fixture->request.interval_ns, 60000000000);
	display_fini(&live);
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
		DISPLAY_TEST(a_filter_works_as_it_is_typed),
		DISPLAY_TEST(a_peak_is_not_shown_by_the_byte),
		DISPLAY_TEST(typing_takes_utf8_and_editing_keys),
		DISPLAY_TEST(search_moves_the_cursor_and_escape_puts_it_back),
		DISPLAY_TEST(menus_choose),
		DISPLAY_TEST(measured_columns_are_asked_for_at_the_start),
		DISPLAY_TEST(the_interval_is_asked_for),
		DISPLAY_TEST(random_keys_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
