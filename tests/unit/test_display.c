/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "display.h"
#include "keys.h"
#include "renderer.h"
#include "snapshot.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))
#define LINES_MAX 220

struct glass {
	char lines[LINES_MAX][LINE_COLUMNS_MAX * 4];
	bool put[LINES_MAX];
};

struct fixture {
	struct display display;
	struct run_facts facts;
	struct view_options options;
	struct renderer_request request;
	struct snapshot snapshot;
	struct glass glass;
};

static void put_line(void *to, unsigned y, const struct line *line)
{
	struct glass *glass = to;
	wchar_t wide[LINE_COLUMNS_MAX * 2];
	size_t bytes = 0;

	assert_true(y < LINES_MAX);
	assert_false(glass->put[y]);
	glass->put[y] = true;
	memcpy(glass->lines[y], line->text, line->bytes);
	glass->lines[y][line_trimmed(line)] = '\0';
	for (unsigned i = 0; i < line->run_count; i++)
		bytes += line->runs[i].bytes;
	assert_int_equal(bytes, line->bytes);
	/* The C library's opinion of the columns. */
	assert_int_not_equal(mbstowcs(wide, line->text, ARRAY_LENGTH(wide)), (size_t)-1);
	assert_int_equal(wcswidth(wide, wcslen(wide)), line->columns);
	assert_true(line->columns <= line->width);
}

static void paint(struct fixture *fixture, unsigned width, unsigned height)
{
	struct line_sink sink = { put_line, &fixture->glass };

	memset(fixture->glass.put, 0, sizeof fixture->glass.put);
	assert_int_equal(display_paint(&fixture->display, width, height, &sink), 0);
	for (unsigned y = 0; y < height; y++)
		assert_true(fixture->glass.put[y]);
}

static unsigned key(struct fixture *fixture, int code)
{
	return display_key(&fixture->display, code, &fixture->request);
}

static void type(struct fixture *fixture, const char *text)
{
	for (; *text; text++)
		key(fixture, *text);
}

static void add(struct fixture *fixture, const char *comm, uint32_t pid, const char *raddr, uint16_t rport,
    uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session *session = snapshot_add(&fixture->snapshot);

	session->family = strchr(raddr, ':') ? 6 : 4;
	inet_pton(session->family == 4 ? AF_INET : AF_INET6, raddr, session->raddr);
	inet_pton(session->family == 4 ? AF_INET : AF_INET6,
	    session->family == 4 ? "10.0.0.5" : "2001:db8::5", session->laddr);
	session->lport = 443;
	session->rport = rport;
	session->pid = pid;
	session->uid = UINT32_MAX;
	session->netns = 4026531840u;
	session->rx_bytes = rx_bytes;
	session->tx_bytes = tx_bytes;
	memcpy(session->comm, comm, strnlen(comm, sizeof session->comm - 1));
}

static void begin(struct fixture *fixture)
{
	unsigned tick = fixture->display.view.live.tick;

	snapshot_reset(&fixture->snapshot);
	fixture->snapshot.interval_ns = 1000000000;
	fixture->snapshot.time.tv_sec = 1795344137 + tick;
}

static void show(struct fixture *fixture)
{
	snapshot_total(&fixture->snapshot);
	assert_int_equal(display_show(&fixture->display, &fixture->snapshot), 0);
}

static void show_typical(struct fixture *fixture)
{
	begin(fixture);
	add(fixture, "nginx", 1874, "203.0.113.84", 51312, 18000, 9400000);
	add(fixture, "postgres", 3311, "10.0.0.31", 42480, 0, 640000);
	add(fixture, "sshd", 5120, "2001:db8::15", 50412, 1200, 0);
	show(fixture);
}

static int start(void **state, bool utf8)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	if (!fixture || !setlocale(LC_CTYPE, "C.UTF-8"))
		return -1;
	setenv("TZ", "UTC", 1);
	view_options_init(&fixture->options);
	/* As for a recording: nothing of this host is on the screen. */
	fixture->options.replay_path = "test";
	fixture->facts.view = &fixture->options;
	fixture->facts.method = PROBE_TRACEPOINT;
	snapshot_init(&fixture->snapshot);
	*state = fixture;
	return display_init(&fixture->display, &fixture->facts, utf8);
}

static int set_up(void **state)
{
	return start(state, true);
}

static int set_up_ascii(void **state)
{
	return start(state, false);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	display_fini(&fixture->display);
	snapshot_fini(&fixture->snapshot);
	free(fixture);
	return 0;
}

static void expect_lines(struct fixture *fixture, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal(fixture->glass.lines[i], lines[i]);
}

static bool on_glass(struct fixture *fixture, unsigned height, const char *text)
{
	for (unsigned y = 0; y < height; y++)
		if (strstr(fixture->glass.lines[y], text))
			return true;
	return false;
}

static void the_first_screen_says_that_it_starts(void **state)
{
	struct fixture *fixture = *state;

	fixture->facts.method = PROBE_AUTO;
	paint(fixture, 80, 24);
	assert_string_equal(fixture->glass.lines[0], " tcptop  starting  recording");
	assert_true(on_glass(fixture, 24, "The first interval is being counted"));
}

static void a_screen_of_80_by_24(void **state)
{
	struct fixture *fixture = *state;
	static const char *const lines[] = {
		" tcptop  10:42:17  recording  every 1 s  tracepoint",
		" RX     18.8K/s                                    █ peak 18.8K/s   sum 18.8K",
		" TX     9.57M/s                                    █ peak 9.57M/s   sum 9.57M",
		" 3 sessions  by RX+TX/s",
		"    PID NAME          LOCAL                REMOTE                  ▼RX/s   ▼TX/s",
		"   1874 nginx         10.0.0.5:443         203.0.113.84:51312      17.6K   8.96M",
		"   3311 postgres      10.0.0.5:443         10.0.0.31:42480             0    625K",
		"   5120 sshd          [2001:db8::5]:443    [2001:db8::15]:50412    1.17K       0",
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
		" RX 18.8K/s       █ TX 9.57M/s        █",
		" 3 sessions  by RX+TX/s",
		"NAME     REMOTE             ▼RX/s  ▼TX/s",
		"nginx    203.0…13.84:51312  17.6K  8.96M",
		"postgres 10.0.0.31:42480        0   625K",
		"sshd     [2001…::15]:50412  1.17K      0",
		"",
		"",
		"F1Help F3Search F4Filter F6Sort F10Quit",
	};

	show_typical(fixture);
	paint(fixture, 40, 10);
	expect_lines(fixture, lines, ARRAY_LENGTH(lines));
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

	fixture->facts.not_counted = (const char *const[]){ "splice_io_uring", "other_path" };
	fixture->facts.not_counted_count = 2;
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
	assert_false(on_glass(fixture, 24, "other sessions"));
	assert_false(on_glass(fixture, 24, "not counted"));
	fixture->snapshot.missed_runs = 3;
	fixture->snapshot.other.calls = 1;
	fixture->snapshot.other.rx_bytes = 1 << 20;
	fixture->facts.not_counted = (const char *const[]){ "splice_io_uring" };
	fixture->facts.not_counted_count = 1;
	show(fixture);
	paint(fixture, 160, 24);
	assert_true(on_glass(fixture, 24, "3 events missed: figures too low"));
	assert_true(on_glass(fixture, 24, "1.00M in other sessions: table full"));
	assert_true(on_glass(fixture, 24, "not counted: splice_io_uring"));
	paint(fixture, 80, 24);
	assert_true(
	    on_glass(fixture, 24, "3 events missed: figures too low  1.00M in other sessions: table full"));
	paint(fixture, 40, 10);
	assert_true(on_glass(fixture, 10, "3 events missed  1.00M unlisted"));
	paint(fixture, 30, 6);
	assert_true(on_glass(fixture, 6, "3 events missed"));
	key(fixture, '?');
	paint(fixture, 80, 40);
	assert_true(on_glass(fixture, 40, "Missed: 3 events"));
	assert_true(on_glass(fixture, 40, "Other sessions: RX 1.00M, TX 0 in 1 call."));
	assert_true(on_glass(fixture, 40, "--max-sessions"));
	assert_false(on_glass(fixture, 40, "more below"));
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "more below)"));
	key(fixture, KEY_CODE_END);
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, "more below"));
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
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "postgres"));
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

static void rtt_and_retransmits_are_shown(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		uint32_t rtt_us, retransmits;
		const char *rtt, *retrans;
	} cases[] = {
		{ 0, 0, "-", "-" },
		{ 7, 0, "0.007ms", "0" },
		{ 1234, 1, "1.23ms", "1" },
		{ 45678, 23, "45.7ms", "23" },
		{ 999999, 1234567, "1000ms", "1234567" },
		{ 12345678, 4294967295u, "12.3s", "4.00G" },
	};

	begin(fixture);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		add(fixture, "a", 100, "10.0.0.9", (uint16_t)(i + 1), 1000 * (ARRAY_LENGTH(cases) - i), 0);
		fixture->snapshot.sessions[i].rtt_us = cases[i].rtt_us;
		fixture->snapshot.sessions[i].retransmits = cases[i].retransmits;
	}
	show(fixture);
	assert_int_equal(
	    column_parse_list(&fixture->display.columns, "pid,name,user,laddr,raddr,rx,tx,rtt,retrans", NULL),
	    0);
	/* Who asks for them sees them: the local address goes first. */
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "RTT  RETRANS"));
	assert_false(on_glass(fixture, 24, "LOCAL"));
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char end[32];
		const char *line = fixture->glass.lines[5 + i];

		snprintf(end, sizeof end, " %7s %8s", cases[i].rtt, cases[i].retrans);
		assert_string_equal(line + strlen(line) - strlen(end), end);
	}
	paint(fixture, 200, 60);
	assert_true(on_glass(fixture, 60, "LOCAL"));
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "round-trip time 1.234 ms   1 segment sent again"));
}

static void a_recording_says_when_it_has_ended(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	assert_false(on_glass(fixture, 24, "end of recording"));
	snapshot_reset(&fixture->snapshot);
	assert_int_equal(display_show(&fixture->display, &fixture->snapshot), 0);
	paint(fixture, 80, 24);
	assert_string_equal(
	    fixture->glass.lines[0], " tcptop  10:42:17  end of recording  every 1 s  tracepoint");
	/* The table stays what it was. */
	assert_true(on_glass(fixture, 24, "nginx"));
	paint(fixture, 40, 10);
	assert_true(on_glass(fixture, 10, "end of recording"));
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

static void the_end_leaves_the_table_as_plain_text(void **state)
{
	struct fixture *fixture = *state;
	static const char expected[] =
	    " tcptop  10:42:17  recording  every 1 s  tracepoint\n"
	    " RX     18.8K/s                                    █ peak 18.8K/s   sum 18.8K\n"
	    " TX     9.57M/s                                    █ peak 9.57M/s   sum 9.57M\n"
	    " 3 sessions  by RX+TX/s\n"
	    "    PID NAME          LOCAL                REMOTE                  ▼RX/s   ▼TX/s\n"
	    "   1874 nginx         10.0.0.5:443         203.0.113.84:51312      17.6K   8.96M\n"
	    "   3311 postgres      10.0.0.5:443         10.0.0.31:42480             0    625K\n"
	    "   5120 sshd          [2001:db8::5]:443    [2001:db8::15]:50412    1.17K       0\n";
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	assert_non_null(stream);
	display_print_final(&fixture->display, stream, 80, 24);
	fflush(stream);
	assert_int_equal(length, 0); /* nothing was counted yet */
	show_typical(fixture);
	display_print_final(&fixture->display, stream, 80, 24);
	fclose(stream);
	assert_string_equal(text, expected);
	free(text);
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

#define DISPLAY_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		DISPLAY_TEST(the_first_screen_says_that_it_starts),
		DISPLAY_TEST(a_screen_of_80_by_24),
		DISPLAY_TEST(a_screen_of_40_by_10),
		cmocka_unit_test_setup_teardown(a_screen_without_utf8, set_up_ascii, tear_down),
		DISPLAY_TEST(every_size_is_filled_exactly),
		DISPLAY_TEST(too_small_is_said_in_one_line),
		DISPLAY_TEST(losses_are_on_the_screen_only_when_there_are_any),
		DISPLAY_TEST(odd_names_move_no_column),
		DISPLAY_TEST(a_filter_works_as_it_is_typed),
		DISPLAY_TEST(typing_takes_utf8_and_editing_keys),
		DISPLAY_TEST(search_moves_the_cursor_and_escape_puts_it_back),
		DISPLAY_TEST(menus_choose),
		DISPLAY_TEST(measured_columns_are_asked_for_at_the_start),
		DISPLAY_TEST(rtt_and_retransmits_are_shown),
		DISPLAY_TEST(a_recording_says_when_it_has_ended),
		DISPLAY_TEST(the_interval_is_asked_for),
		DISPLAY_TEST(the_end_leaves_the_table_as_plain_text),
		DISPLAY_TEST(random_keys_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
