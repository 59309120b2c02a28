/* SPDX-License-Identifier: Apache-2.0 */
/* The page of the last minute: its lines, its cursor, and where its keys go. */
#include "test_ui.h"

/* nginx has 40 new connections a second that live for seven, postgres sends more in the end, sshd stops. */
static void show_minute(struct fixture *fixture, unsigned intervals)
{
	for (unsigned i = 0; i < intervals; i++) {
		begin(fixture);
		add(fixture, "postgres", 3311, "10.0.0.31", 42480, 0, i < intervals - 4 ? 16000 : 160000);
		if (i < 3)
			add(fixture, "sshd", 5120, "192.0.2.15", 50412, 1024, 0);
		if (i == 10)
			close_connection(fixture, "192.0.2.15", 50412);
		for (unsigned j = 0; j < 40; j++) {
			add(fixture, "nginx", 812, "203.0.113.84", (uint16_t)(1000 + 40 * i + j), 0, 1024);
			if (i >= 7)
				close_connection(
				    fixture, "203.0.113.84", (uint16_t)(1000 + 40 * (i - 7) + j));
		}
		show(fixture);
	}
}

static void test_lines(void **state)
{
	struct fixture *fixture = *state;
	static const char *const lines[] = {
		" The last 11 s before 10:42:28",
		" CAME first bytes     COUNT       RX       TX   LATEST LPORT REMOTE",
		" nginx (812)            440       0B    440KB 10:42:28   443 203.0.113.84",
		"",
		" WENT closed/idle 20s COUNT       RX       TX   LATEST LPORT REMOTE",
		" nginx (812)            200       0B    200KB 10:42:28   443 203.0.113.84",
		" sshd (5120)              1   3.00KB       0B 10:42:27   443 192.0.2.15:50412",
		"",
		" GREW 4 s vs 8 s      COUNT   BEFORE      NOW    TIMES LPORT REMOTE",
		" postgres (3311)          1 15.6KB/s  156KB/s      10x   443 10.0.0.31:42480",
	};

	show_minute(fixture, 12);
	key(fixture, 'd');
	paint(fixture, 80, 24);
	for (size_t i = 0; i < ARRAY_LENGTH(lines); i++)
		assert_string_equal(fixture->glass.lines[1 + i], lines[i]);
}

static void test_nothing_is_known_yet(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	key(fixture, 'd');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "known from the next interval on"));
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_ENTER); /* there is no line */
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "known from the next interval on"));
}

static void test_filter_is_said_and_followed(void **state)
{
	struct fixture *fixture = *state;

	show_minute(fixture, 12);
	key(fixture, '\\');
	type(fixture, "sshd");
	key(fixture, KEY_CODE_ENTER);
	key(fixture, 'd');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "before 10:42:28  filter: sshd"));
	assert_false(on_glass(fixture, 24, "nginx"));
	assert_true(on_glass(fixture, 24, " sshd (5120)"));
}

/* To a process' details, from there back to the line, and to a connection's. */
static void test_enter_goes_there(void **state)
{
	struct fixture *fixture = *state;

	show_minute(fixture, 12);
	key(fixture, 'd');
	paint(fixture, 80, 24);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "nginx, PID 812"));
	assert_true(on_glass(fixture, 24, "Top peers"));
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_DOWN);
	paint(fixture, 80, 24);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "sshd, PID 5120"));
	assert_true(on_glass(fixture, 24, "closed at 10:42:27"));
	/* It came from the page, so there it goes; from there to the table. */
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, " The last 11 s"));
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, " The last 11 s"));
	key(fixture, KEY_CODE_ENTER);
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, " The last 11 s"));
}

static void test_stepping_back_shows_the_minute_then(void **state)
{
	struct fixture *fixture = *state;

	show_minute(fixture, 12);
	key(fixture, 'd');
	paint(fixture, 80, 24);
	key(fixture, '{');
	key(fixture, ']');
	key(fixture, ']');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, " The last 3 s before 10:42:20"));
	assert_true(on_glass(fixture, 24, " nginx (812)            120"));
	assert_true(on_glass(fixture, 24, " no process by half"));
}

/* Each part has some lines on the smallest screen, and all of them are reached. */
static void test_small_screens_scroll(void **state)
{
	struct fixture *fixture = *state;
	char comm[16];

	show_minute(fixture, 12);
	begin(fixture);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(comm, sizeof comm, "daemon%u", i);
		add(fixture, comm, 100 + i, "10.0.0.31", 5432, 0, 102400 - i);
	}
	show(fixture);
	key(fixture, 'd');
	paint(fixture, 40, 10);
	assert_string_equal(fixture->glass.lines[1], " The last 12 s before 10:42:29");
	assert_string_equal(fixture->glass.lines[2], " CAME           COUNT    RX+TX   LATEST");
	assert_string_equal(fixture->glass.lines[3], " nginx (812)      440    440KB 10:42:28");
	assert_string_equal(fixture->glass.lines[4], " daemon0 (100)      1    100KB 10:42:29");
	assert_string_equal(fixture->glass.lines[5], " 4 more: 4 connections, 400KB");
	assert_true(on_glass(fixture, 10, " WENT"));
	assert_false(on_glass(fixture, 10, " GREW"));
	key(fixture, KEY_CODE_END);
	paint(fixture, 40, 10);
	assert_true(on_glass(fixture, 10, " GREW"));
	assert_string_equal(fixture->glass.lines[8], " 4 more");
	key(fixture, KEY_CODE_HOME);
	paint(fixture, 40, 10);
	assert_string_equal(fixture->glass.lines[1], " The last 12 s before 10:42:29");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UI_TEST(test_lines),
		UI_TEST(test_nothing_is_known_yet),
		UI_TEST(test_filter_is_said_and_followed),
		UI_TEST(test_enter_goes_there),
		UI_TEST(test_stepping_back_shows_the_minute_then),
		UI_TEST(test_small_screens_scroll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
