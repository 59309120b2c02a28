/* SPDX-License-Identifier: Apache-2.0 */
/* What the screen shows, line by line. */
#include "test_ui.h"

static void the_first_screen_says_that_it_starts(void **state)
{
	struct fixture *fixture = *state;

	fixture->run.method = PROBE_AUTO;
	paint(fixture, 80, 24);
	assert_string_equal(fixture->glass.lines[0], " tcptop  starting  recording");
	assert_true(on_glass(fixture, 24, "The first interval is being counted"));
}

static void a_screen_of_80_by_24(void **state)
{
	struct fixture *fixture = *state;
	static const char *const lines[] = {
		" tcptop  10:42:17  recording  every 1 s  sums since 10:42:16",
		" RX      18.8KB/s                                   ▇ peak 18.8KB/s  sum 18.8KB",
		" TX      9.57MB/s                                   ▇ peak 9.57MB/s  sum 9.57MB",
		" 3 connections  by RX+TX/s over 10s ▼",
		"    PID NAME          LOCAL                REMOTE                  ▼RX/s   ▼TX/s",
		"   1874 nginx         10.0.0.5:443         203.0.113.84:51312     17.6KB  8.96MB",
		"   3311 postgres      10.0.0.5:443         10.0.0.31:42480            0B   625KB",
		"   5120 sshd          [2001:db8::5]:443    [2001:db8::15]:50412   1.17KB      0B",
		"",
	};

	show_typical(fixture);
	paint(fixture, 80, 24);
	expect_lines(fixture, lines, ARRAY_LENGTH(lines));
	assert_string_equal(fixture->glass.lines[23],
	    "F1Help F2Columns F3Search F4Filter F6Sort TabGroup EnterDetails ZFreeze F10Quit");
}

static void a_screen_of_40_by_10(void **state)
{
	struct fixture *fixture = *state;
	static const char *const lines[] = {
		" tcptop  10:42:17  recording  every 1 s",
		" RX 18.8KB/s      ▇ TX 9.57MB/s       ▇",
		" 3 connections  by RX+TX ▼",
		"NAME     REMOTE             ▼RX/s  ▼TX/s",
		"nginx    203.0…13.84:51312 17.6KB 8.96MB",
		"postgres 10.0.0.31:42480       0B  625KB",
		"sshd     [2001…::15]:50412 1.17KB     0B",
		"",
		"",
		"F1Help F4Filter F6Sort TabGroup F10Quit",
	};

	show_typical(fixture);
	paint(fixture, 40, 10);
	expect_lines(fixture, lines, ARRAY_LENGTH(lines));
}

/* Digits without a unit might be bytes or KB: each word that begins with a digit and is no address, PID or count. */
static void expect_unit(const char *word, size_t length)
{
	size_t digits = strspn(word, "0123456789.");

	assert_uint_in_range(digits, 1, length - 1);
	assert_true(
	    word[length - 1] == 'B' || word[length - 1] == 'b' || strncmp(word + length - 3, "bit", 3) == 0);
}

static void amounts_have_their_unit_at_every_width(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	for (int unit = 0; unit < UNIT_COUNT; unit++) {
		key(fixture, 'm');
		for (unsigned width = 30; width < 82; width++) {
			paint(fixture, width, 10);
			for (unsigned y = 4; y < 7; y++) {
				const char *line = fixture->glass.lines[y];
				const char *tx = strrchr(line, ' ') + 1, *rx = tx - 1;

				while (rx > line && *rx == ' ')
					rx--;
				const char *end = rx + 1;

				while (rx > line && rx[-1] != ' ')
					rx--;
				expect_unit(tx, strlen(tx));
				expect_unit(rx, (size_t)(end - rx));
			}
		}
	}
}

static void a_screen_without_utf8(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 40, 10);
	for (unsigned y = 0; y < 10; y++)
		for (const char *c = fixture->glass.lines[y]; *c; c++)
			assert_true((unsigned char)*c < 0x80);
	assert_true(on_glass(fixture, 10, "203.0~13.84:51312"));
}

static void every_size_is_filled_exactly(void **state)
{
	static const int pages[] = { 0, '?', KEY_CODE_ENTER, KEY_CODE_F6, 'C', 'u', '/', '\\', 'g', 'g',
		'g' };
	struct fixture *fixture = *state;

	fixture->run.not_counted = (const char *const[]){ "splice_io_uring", "other_path" };
	fixture->run.not_counted_count = 2;
	show_typical(fixture);
	fixture->snapshot.missed_runs = 3;
	fixture->snapshot.other.calls = 1;
	fixture->snapshot.other.rx_bytes = 1 << 20;
	show(fixture);
	for (size_t page = 0; page < ARRAY_LENGTH(pages); page++) {
		paint(fixture, 80, 24);
		if (pages[page])
			key(fixture, pages[page]);
		for (unsigned width = 1; width <= 210; width += width < 50 ? 1 : 13)
			for (unsigned height = 1; height <= 70; height += height < 20 ? 1 : 7)
				paint(fixture, width, height);
		paint(fixture, LINE_COLUMNS_MAX + 50, 200);
		key(fixture, KEY_CODE_ESCAPE);
	}
}

static void too_small_is_said_in_one_line(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 29, 24);
	assert_string_equal(fixture->glass.lines[0], "needs 30x6");
	assert_string_equal(fixture->glass.lines[1], "");
	paint(fixture, 80, 5);
	assert_string_equal(fixture->glass.lines[0], "80x5 is too small: 30x6 or more");
	paint(fixture, 1, 1);
	assert_int_equal(key(fixture, 'q'), REACTION_QUIT);
}

static void losses_are_on_the_screen_only_when_there_are_any(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 120, 24);
	assert_false(on_glass(fixture, 24, "missed"));
	assert_false(on_glass(fixture, 24, "other connections"));
	assert_false(on_glass(fixture, 24, "not counted"));
	fixture->snapshot.missed_runs = 3;
	fixture->snapshot.other.calls = 1;
	fixture->snapshot.other.rx_bytes = 1 << 20;
	fixture->run.not_counted = (const char *const[]){ "splice_io_uring" };
	fixture->run.not_counted_count = 1;
	show(fixture);
	paint(fixture, 160, 24);
	assert_true(on_glass(fixture, 24, "3 events missed: figures too low"));
	assert_true(on_glass(fixture, 24, "1.00MB in other connections: table full"));
	assert_false(on_glass(fixture, 24, "not counted"));
	fixture->ui.not_counted = "KCM is loaded: what it receives is not counted";
	paint(fixture, 160, 24);
	assert_true(on_glass(fixture, 24, "KCM is loaded: what it receives is not counted"));
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "3 events missed  1.00MB unlisted"));
	assert_true(on_glass(fixture, 24, "  by RX+TX/s over 10s ▼"));
	paint(fixture, 40, 10);
	assert_true(on_glass(fixture, 10, "3 missed  1.00MB unlisted  by RX+TX ▼"));
	paint(fixture, 30, 6);
	assert_true(on_glass(fixture, 6, "3 missed"));
	key(fixture, '?');
	paint(fixture, 80, 56);
	assert_true(on_glass(fixture, 56, "Missed: 3 events"));
	assert_true(on_glass(fixture, 56, "Other connections: RX 1.00MB, TX 0B in 1 call."));
	assert_true(on_glass(fixture, 56, "--max-sessions"));
	assert_false(on_glass(fixture, 56, "more below"));
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "more below)"));
	key(fixture, KEY_CODE_END);
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, "more below"));
}

/* Also where the column has no room, in groups, and when what else is to be said has none left. */
static void the_order_is_always_on_the_screen(void **state)
{
	static const unsigned sizes[][2] = { { 40, 10 }, { 80, 24 }, { 200, 60 } };
	struct fixture *fixture = *state;
	struct view *view = &fixture->ui.view;

	show_typical(fixture);
	view_set_filter(view, "");
	for (size_t size = 0; size < ARRAY_LENGTH(sizes); size++) {
		unsigned width = sizes[size][0], height = sizes[size][1];

		for (size_t i = 0; i < column_count; i++) {
			const struct column *column = &column_table[i];
			char title[32], said[64];

			column_title(column, &view->context, title, sizeof title);
			snprintf(said, sizeof said, "by %s",
			    column->direction && width < 60 ? column->direction : title);
			for (int grouping = 0; grouping < GROUPING_COUNT; grouping++) {
				if (!(column->groupings & 1 << grouping))
					continue;
				view_set_grouping(view, (enum grouping)grouping);
				view_set_sort(view, column);
				paint(fixture, width, height);
				assert_true(on_glass(fixture, height, said));
				assert_true(on_glass(fixture, height, view->sort.descending ? " ▼" : " ▲"));
				key(fixture, 'o');
				paint(fixture, width, height);
				assert_true(on_glass(fixture, height, "order held, by"));
				key(fixture, 'I');
				paint(fixture, width, height);
				assert_false(on_glass(fixture, height, "order held"));
				assert_true(on_glass(fixture, height, view->sort.descending ? " ▼" : " ▲"));
			}
		}
	}
}

/* A filter that finds no place is not forgotten: the line says how many there are. */
static void filters_without_room_are_a_number(void **state)
{
	static const char *const filters[] = { "PID 1,2", "IPv4 only", "port 443", "port 8443", "uid root",
		"comm nginx", "host 10.0.0.0/8", "netns blue", "mntns 1" };
	static const struct {
		unsigned width;
		size_t count, left_out;
		const char *said;
	} cases[] = {
		{ 80, 0, 0, NULL },
		{ 80, 2, 0, NULL },
		{ 80, 9, 0, "PID 1,2  IPv4 only  port 443  port 8443  +5 filters  by " },
		{ 200, 9, 0, NULL },
		{ 200, 9, 5, "mntns 1  +5 filters  by " },
		{ 200, 9, 1, "mntns 1  +1 filter  by " },
		{ 40, 9, 0, "+" },
	};
	struct fixture *fixture = *state;

	show_typical(fixture);
	fixture->run.filters = filters;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		fixture->run.filter_count = cases[i].count;
		fixture->run.filters_left_out = cases[i].left_out;
		paint(fixture, cases[i].width, 24);
		const char *status = fixture->glass.lines[cases[i].width < 80 ? 2 : 3];

		assert_non_null(strstr(status, "by R"));
		if (cases[i].said && !strstr(status, cases[i].said))
			fail_msg("at %u columns it says '%s'", cases[i].width, status);
		if (!cases[i].said)
			assert_null(strstr(status, " filter"));
	}
}

static void odd_names_move_no_column(void **state)
{
	static const char *const names[] = { "日本語名", "e\xcc\x81te\xcc\x81", "red\033[31mred", "new\nline",
		"rtl\xe2\x80\xaetxet", "bad\xff\xfe", "\xcc\x81lead", "0123456789abcde" };
	struct fixture *fixture = *state;

	begin(fixture);
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		add(fixture, names[i], (uint32_t)i + 1, "192.0.2.1", (uint16_t)(2000 + i), 1000 - i, 0);
	show(fixture);
	paint(fixture, 80, 24);
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		const char *line = fixture->glass.lines[5 + i];
		const char *address = strstr(line, "10.0.0.5:443");
		wchar_t wide[200];
		char before[200];

		assert_non_null(address);
		snprintf(before, sizeof before, "%.*s", (int)(address - line), line);
		mbstowcs(wide, before, ARRAY_LENGTH(wide));
		assert_int_equal(wcswidth(wide, wcslen(wide)), 22);
	}
	assert_true(on_glass(fixture, 24, "red\\x1b[31mr…"));
	assert_true(on_glass(fixture, 24, "日本語名"));
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "red\\x1b[31mred, PID 3"));
}

static void a_recording_says_when_it_has_ended(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, "end of recording"));
	snapshot_reset(&fixture->snapshot);
	fixture->snapshot.is_end = true;
	assert_int_equal(ui_begin_interval(&fixture->ui, &fixture->snapshot), 0);
	paint(fixture, 80, 24);
	assert_string_equal(
	    fixture->glass.lines[0], " tcptop  10:42:17  end of recording  every 1 s  sums since 10:42:16");
	/* The table stays what it was. */
	assert_true(on_glass(fixture, 24, "nginx"));
	paint(fixture, 40, 10);
	assert_true(on_glass(fixture, 10, "end of recording"));
}

static void the_end_leaves_the_table_as_plain_text(void **state)
{
	struct fixture *fixture = *state;
	static const char expected[] =
	    " tcptop  10:42:17  recording  every 1 s  sums since 10:42:16\n"
	    " RX      18.8KB/s                                   ▇ peak 18.8KB/s  sum 18.8KB\n"
	    " TX      9.57MB/s                                   ▇ peak 9.57MB/s  sum 9.57MB\n"
	    " 3 connections  by RX+TX/s over 10s ▼\n"
	    "    PID NAME          LOCAL                REMOTE                  ▼RX/s   ▼TX/s\n"
	    "   1874 nginx         10.0.0.5:443         203.0.113.84:51312     17.6KB  8.96MB\n"
	    "   3311 postgres      10.0.0.5:443         10.0.0.31:42480            0B   625KB\n"
	    "   5120 sshd          [2001:db8::5]:443    [2001:db8::15]:50412   1.17KB      0B\n";
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	assert_non_null(stream);
	frame_print_final(&fixture->ui, stream, 80, 24);
	fflush(stream);
	assert_int_equal(length, 0); /* nothing was counted yet */
	show_typical(fixture);
	frame_print_final(&fixture->ui, stream, 80, 24);
	fclose(stream);
	assert_string_equal(text, expected);
	free(text);
}

static void add_linked(
    struct fixture *fixture, const char *comm, uint32_t ifindex, const char *ifname, uint64_t rx_bytes)
{
	add(fixture, comm, 9, "fe80::2", 8000, rx_bytes, 0);
	struct session *session = &fixture->snapshot.sessions[fixture->snapshot.session_count - 1];

	inet_pton(AF_INET6, "fe80::1", session->laddr);
	session->ifindex = ifindex;
	snprintf(session->ifname, sizeof session->ifname, "%s", ifname);
}

/* Rows that are equal in all but the link: in the table, in the details of each, and for a filter. */
static void links_tell_rows_apart(void **state)
{
	static const char *const shown[] = { "[fe80::1%eth0]:443", "[fe80::2%eth0]:8000",
		"[fe80::1%e\\x1b[m]:443", "[fe80::2%e\\x1b[m]:8000", "[fe80::1%7]:443", "[fe80::2%7]:8000" };
	struct fixture *fixture = *state;

	begin(fixture);
	add_linked(fixture, "mover", 3, "eth0", 50000);
	add_linked(fixture, "mover", 4, "e\033[m", 10000);
	add_linked(fixture, "mover", 7, "", 1000);
	show(fixture);
	paint(fixture, 120, 24);
	for (size_t i = 0; i < ARRAY_LENGTH(shown); i++)
		assert_true(on_glass(fixture, 24, shown[i]));
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 100, 24);
	assert_true(on_glass(fixture, 24, "[fe80::2%eth0]:8000"));
	assert_true(on_glass(fixture, 24, "Interface   eth0 (index 3)"));
	key(fixture, KEY_CODE_ESCAPE);
	key(fixture, '\\');
	type(fixture, "%eth0");
	paint(fixture, 100, 24);
	assert_true(on_glass(fixture, 24, "1 of 3 connections"));
	assert_false(on_glass(fixture, 24, "%7"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UI_TEST(links_tell_rows_apart),
		UI_TEST(the_first_screen_says_that_it_starts),
		UI_TEST(a_screen_of_80_by_24),
		UI_TEST(a_screen_of_40_by_10),
		UI_TEST(amounts_have_their_unit_at_every_width),
		cmocka_unit_test_setup_teardown(a_screen_without_utf8, set_up_ascii, tear_down),
		UI_TEST(every_size_is_filled_exactly),
		UI_TEST(too_small_is_said_in_one_line),
		UI_TEST(losses_are_on_the_screen_only_when_there_are_any),
		UI_TEST(the_order_is_always_on_the_screen),
		UI_TEST(filters_without_room_are_a_number),
		UI_TEST(odd_names_move_no_column),
		UI_TEST(a_recording_says_when_it_has_ended),
		UI_TEST(the_end_leaves_the_table_as_plain_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
