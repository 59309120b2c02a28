/* SPDX-License-Identifier: Apache-2.0 */
/* What the screen shows of sockets, and when it asks to be told of them. */
#include "test_ui.h"

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
		{ 12345678, 4294967295u, "12.3s", "4.29G" },
	};

	begin(fixture);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		add(fixture, "a", 100, "10.0.0.9", (uint16_t)(i + 1), 1000 * (ARRAY_LENGTH(cases) - i), 0);
		fixture->snapshot.sessions[i].rtt_us = cases[i].rtt_us;
		fixture->snapshot.sessions[i].retransmits = cases[i].retransmits;
		fixture->snapshot.sessions[i].socket.state = SOCKET_ESTABLISHED;
	}
	fixture->snapshot.sessions[2].socket.rtt_min_us = 1500;
	fixture->snapshot.sockets.follows = true;
	fixture->snapshot.sockets.cpu_ns = 1;
	show(fixture);
	assert_int_equal(
	    column_parse_list(&fixture->ui.columns, "pid,name,user,laddr,raddr,rx,tx,rtt,retrans", NULL), 0);
	/* Who asks for them sees them: the local address goes first. */
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "SRTT  RETR SUM"));
	assert_false(on_glass(fixture, 24, "LOCAL"));
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char end[32];
		const char *line = fixture->glass.lines[5 + i];

		snprintf(end, sizeof end, " %7s %9s", cases[i].rtt, cases[i].retrans);
		assert_string_equal(line + strlen(line) - strlen(end), end);
	}
	paint(fixture, 200, 60);
	assert_true(on_glass(fixture, 60, "LOCAL"));
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "ESTABLISHED"));
	assert_true(on_glass(fixture, 24, "1.234 ms   shortest 1.500 ms"));
	assert_true(on_glass(fixture, 24, "Sent again  1 segment in all   "));
}

/* What the latest interval cost, where the title has room. */
static void the_title_says_what_it_costs(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	fixture->snapshot.cost.total_ns = fixture->snapshot.interval_ns / 2500;
	show(fixture);
	paint(fixture, 100, 24);
	assert_non_null(strstr(fixture->glass.lines[0], "cost 0.04% of a CPU"));
	/* since when sums are matters more */
	paint(fixture, 60, 24);
	assert_non_null(strstr(fixture->glass.lines[0], "sums since"));
	assert_null(strstr(fixture->glass.lines[0], "cost"));
	paint(fixture, 40, 24);
	assert_null(strstr(fixture->glass.lines[0], "cost"));
	/* The help has it at any width. */
	key(fixture, 'h');
	paint(fixture, 40, 24);
	key(fixture, KEY_CODE_END);
	paint(fixture, 40, 24);
	assert_true(on_glass(fixture, 24, "Own cost"));
	assert_true(on_glass(fixture, 24, "0.04% of a CPU"));
	key(fixture, KEY_CODE_ESCAPE);
	/* That of an older recording is not known. */
	begin(fixture);
	show(fixture);
	paint(fixture, 80, 24);
	assert_null(strstr(fixture->glass.lines[0], "cost"));
}

/* The page of a connection says how its socket stands, and why. */
static void the_page_tells_of_a_socket(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	add(fixture, "stuck", 3, "10.0.0.9", 3, 0, 100);
	add(fixture, "httpd", 4, "10.0.0.9", 4, 0, 1);
	fixture->snapshot.sessions[0].socket = (struct socket_summary){ .state = SOCKET_CLOSE_WAIT,
		.unread_bytes = 7,
		.unsent_bytes = 3000000,
		.unacked_bytes = 65000,
		.cause = CAUSE_PEER,
		.shares = { [CAUSE_PEER] = 93, [CAUSE_APP] = 7 } };
	fixture->snapshot.sessions[1].socket =
	    (struct socket_summary){ .state = SOCKET_LISTEN, .backlog = 6, .backlog_max = 5, .drops = 7 };
	fixture->snapshot.sockets.follows = true;
	fixture->snapshot.sockets.cpu_ns = 1;
	fixture->snapshot.sockets.count = 2;
	show(fixture);
	paint(fixture, 120, 24);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 120, 40);
	assert_true(on_glass(fixture, 40, "CLOSE_WAIT   unread 7"));
	assert_true(on_glass(fixture, 40, "peer 93%: the remote's receive window is full"));
	key(fixture, KEY_CODE_ESCAPE);
	key(fixture, KEY_CODE_DOWN);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 120, 40);
	assert_true(on_glass(fixture, 40, "LISTEN   6 of 5 wait to be accepted   7 dropped"));
}

/* A connect that a listener of this host does not answer says whose queue is full. */
static void the_page_tells_whose_queue_is_full(void **state)
{
	static const struct {
		uint32_t pid, backlog;
		const char *why;
		uint16_t joined, joined_full;
	} cases[] = {
		{ 4, 6, "the queue of httpd (PID 4) on this host is full (6 of 5)", 0, 0 },
		{ 0, 6, "the queue of a listener without a process on this host is full (6 of 5)", 0, 0 },
		{ 4, 5, "loss 100%: ", 0, 0 },
		{ 4, 5, "1 of 4 queues of httpd (PID 4) on this host is full", 3, 1 },
		{ 4, 6, "2 of 4 queues of httpd (PID 4) on this host are full", 3, 2 },
		{ 4, 6, "loss 100%: ", 3, 0 },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		ui_fini(&fixture->ui);
		assert_int_equal(ui_init(&fixture->ui, &fixture->run, true), 0);
		begin(fixture);
		add(fixture, "curl", 3, "127.0.0.1", 80, 0, 1);
		add(fixture, cases[i].pid ? "httpd" : "", cases[i].pid, "0.0.0.0", 0, 0, 0);
		struct session *sessions = fixture->snapshot.sessions;

		sessions[0].lport = 40000;
		sessions[0].socket = (struct socket_summary){ .state = SOCKET_SYN_SENT,
			.retries = 2,
			.cause = CAUSE_LOSS,
			.shares = { [CAUSE_LOSS] = 100 } };
		memset(sessions[1].laddr, 0, sizeof sessions[1].laddr);
		sessions[1].lport = 80;
		sessions[1].socket = (struct socket_summary){
			.state = SOCKET_LISTEN,
			.backlog = cases[i].backlog,
			.backlog_max = 5,
			.joined = cases[i].joined,
			.joined_full = cases[i].joined_full,
		};
		fixture->snapshot.sockets.follows = true;
		fixture->snapshot.sockets.cpu_ns = 1;
		fixture->snapshot.sockets.count = 2;
		show(fixture);
		paint(fixture, 120, 24);
		key(fixture, KEY_CODE_ENTER);
		paint(fixture, 120, 40);
		assert_true(on_glass(fixture, 40, "SYN_SENT"));
		assert_true(on_glass(fixture, 40, cases[i].why));
		assert_false(on_glass(fixture, 40, "(PID 0)"));
	}
}

/* What the pass over sockets tells is offered where there can be one, and its columns say so. */
static void columns_of_sockets_are_for_kernels_that_tell(void **state)
{
	struct fixture *fixture = *state;
	const struct column *rtt = column_find("rtt");
	struct ui *live = &fixture->ui;

	assert_true(ui_measures(live, rtt)); /* a recording */
	begin_live(fixture, false);
	assert_false(ui_measures(live, rtt));
	assert_true(ui_measures(live, column_find("rx")));
	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, 'C');
	while (live->menu.values[live->menu.position] != (uint32_t)(rtt - column_table))
		key(fixture, KEY_CODE_DOWN);
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "[-] SRTT"));
	assert_true(on_glass(fixture, 24, "this kernel cannot tell it; "));
	key(fixture, ' ');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "this kernel cannot tell SRTT of sockets"));
	assert_false(column_list_has(&live->columns, rtt));
	key(fixture, KEY_CODE_ESCAPE);
	key(fixture, KEY_CODE_F6);
	key(fixture, KEY_CODE_END);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "this kernel cannot tell RETR SUM of sockets"));
	assert_string_equal(live->view.sort.column->id, "rate");
	key(fixture, KEY_CODE_ESCAPE);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "state and waits are not known: this kernel cannot tell them"));

	begin_live(fixture, true);
	for (size_t i = 0; i < column_count; i++)
		assert_true(ui_measures(live, &column_table[i]));
}

/* A pass costs time: it is asked for while what it tells is shown. */
static void a_pass_is_asked_for_while_it_is_shown(void **state)
{
	struct fixture *fixture = *state;
	struct ui *live = &fixture->ui;

	begin_live(fixture, true);
	show_typical(fixture);
	paint(fixture, 80, 24);
	assert_false(ui_wants_sockets(live));
	key(fixture, 's');
	assert_true(ui_wants_sockets(live));
	key(fixture, 's');
	assert_false(ui_wants_sockets(live));
	key(fixture, KEY_CODE_ENTER); /* details */
	assert_true(ui_wants_sockets(live));
	key(fixture, KEY_CODE_ESCAPE);
	assert_false(ui_wants_sockets(live));
	assert_int_equal(column_parse_list(&live->columns, "pid,rx,why", NULL), 0);
	assert_true(ui_wants_sockets(live));
	assert_int_equal(column_parse_list(&live->columns, "pid,rx", NULL), 0);
	assert_false(ui_wants_sockets(live));
	ui_fini(live);
	fixture->options.sort = (struct column_sort){ .column = column_find("rtt"), .descending = true };
	assert_int_equal(ui_init(live, &fixture->run, true), 0);
	assert_true(ui_wants_sockets(live));
	ui_fini(live);
	screen_options_init(&fixture->options);
	fixture->run.all = true;
	assert_int_equal(ui_init(live, &fixture->run, true), 0);
	assert_true(ui_wants_sockets(live));
}

/* A listener and a socket that hangs are there once all that are open are asked for, and go when they are not told any more. */
static void a_key_lists_all_that_are_open(void **state)
{
	struct fixture *fixture = *state;

	begin_live(fixture, false);
	show_typical(fixture);
	key(fixture, 's');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "this kernel cannot tell of sockets that move nothing"));
	assert_false(ui_wants_sockets(&fixture->ui));

	begin_live(fixture, true);
	begin(fixture);
	add(fixture, "busy", 1, "10.0.0.9", 1, 1000, 0);
	add(fixture, "httpd", 2, "0.0.0.0", 0, 0, 0);
	add(fixture, "stuck", 3, "10.0.0.9", 3, 0, 0);
	struct session *sessions = fixture->snapshot.sessions;

	sessions[0].socket = (struct socket_summary){ .state = SOCKET_ESTABLISHED };
	sessions[1].socket =
	    (struct socket_summary){ .state = SOCKET_LISTEN, .backlog = 6, .backlog_max = 5, .drops = 7 };
	sessions[2].socket = (struct socket_summary){ .state = SOCKET_CLOSE_WAIT,
		.cause = CAUSE_PEER,
		.shares = { [CAUSE_PEER] = 93, [CAUSE_APP] = 7 } };
	fixture->snapshot.sockets.follows = true;
	fixture->snapshot.sockets.cpu_ns = 1;
	fixture->snapshot.sockets.count = 3;
	show(fixture);
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "busy"));
	assert_false(on_glass(fixture, 24, "httpd") || on_glass(fixture, 24, "stuck"));
	key(fixture, 's');
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "busy"));
	assert_true(on_glass(fixture, 24, "LISTEN 6/5"));
	assert_true(on_glass(fixture, 24, "CLOSE_WAIT"));
	assert_true(on_glass(fixture, 24, "peer 93%"));
	begin(fixture);
	add(fixture, "stuck", 3, "10.0.0.9", 3, 0, 0);
	fixture->snapshot.sessions[0].socket.state = SOCKET_CLOSE_WAIT;
	fixture->snapshot.sockets.follows = true;
	fixture->snapshot.sockets.cpu_ns = 1;
	fixture->snapshot.sockets.count = 1;
	show(fixture);
	paint(fixture, 120, 24);
	assert_false(on_glass(fixture, 24, "httpd"));
	assert_true(on_glass(fixture, 24, "stuck"));
	key(fixture, 's');
	paint(fixture, 120, 24);
	assert_false(on_glass(fixture, 24, "stuck"));
}

/* A part of the sockets is held against all of them, those that move nothing among them. */
static void a_filter_counts_what_it_leaves_out(void **state)
{
	struct fixture *fixture = *state;

	begin_live(fixture, true);
	begin(fixture);
	for (uint16_t i = 1; i <= 5; i++) {
		add(fixture, i < 4 ? "stuck" : "other", i, "10.0.0.9", i, 0, i == 5);
		fixture->snapshot.sessions[i - 1].socket.state = SOCKET_CLOSE_WAIT;
	}
	fixture->snapshot.sockets.follows = true;
	fixture->snapshot.sockets.cpu_ns = 1;
	fixture->snapshot.sockets.count = 5;
	show(fixture);
	type(fixture, "\\stuck");
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "0 of 1 connections"));
	assert_true(on_glass(fixture, 24, "No connection passes the filters"));
	key(fixture, 's');
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "3 of 5 sockets"));
	key(fixture, 'a');
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "3 of 5 sockets"));
	key(fixture, 'a');
	/* Where none passes, it is not that nothing is there. */
	type(fixture, "\\nobody");
	key(fixture, KEY_CODE_ENTER);
	begin(fixture);
	add(fixture, "stuck", 1, "10.0.0.9", 1, 0, 0);
	fixture->snapshot.sessions[0].socket.state = SOCKET_CLOSE_WAIT;
	fixture->snapshot.sockets.follows = true;
	fixture->snapshot.sockets.cpu_ns = 1;
	for (int i = 0; i < 30; i++)
		show(fixture);
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "0 of 1 sockets"));
	assert_true(on_glass(fixture, 24, "No connection passes the filters"));
	key(fixture, KEY_CODE_ESCAPE);
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "1 sockets"));
	assert_true(on_glass(fixture, 24, "1 idle"));
	key(fixture, KEY_CODE_TAB);
	paint(fixture, 120, 24);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "Connections 0 that are open, or had traffic lately"));
}

/* How much of all is listed comes before what is beside it, also of groups. */
static void a_count_stays_beside_losses_and_a_long_filter(void **state)
{
	static const char filter[] = "n comm:nginx !user:somebody-with-a-long-name !port:12345 !port:23456";
	struct fixture *fixture = *state;

	begin(fixture);
	fixture->snapshot.missed_runs = 12345;
	fixture->snapshot.other.calls = 7;
	fixture->snapshot.other.rx_bytes = 1 << 20;
	for (uint16_t i = 1; i <= 5; i++)
		add(fixture, i < 4 ? "nginx" : "bbb", i, "10.0.0.9", i, i, 0);
	show(fixture);
	type(fixture, "\\");
	type(fixture, filter);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "3 of 5 connections  12345 events missed"));
	assert_true(on_glass(fixture, 24, "by RX+TX"));
	paint(fixture, 40, 10);
	assert_true(on_glass(fixture, 10, "3 of 5  12345 missed"));
	assert_true(on_glass(fixture, 10, "by RX+TX"));
	key(fixture, 'g');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "3 processes  3 of 5 connections"));
	assert_true(on_glass(fixture, 24, "by RX+TX"));
}

/* What it waits for is asked for as long as a filter is about it. */
static void a_filter_by_state_asks_for_a_pass(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	assert_false(ui_wants_sockets(&fixture->ui));
	type(fixture, "\\why:peer");
	key(fixture, KEY_CODE_ENTER);
	assert_true(ui_wants_sockets(&fixture->ui));
	key(fixture, KEY_CODE_ESCAPE);
	assert_false(ui_wants_sockets(&fixture->ui));
}

/* Sockets that no process has, or has any more, are a line of their own by process. */
static void what_has_no_process_says_so(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	add(fixture, "nginx", 7, "10.0.0.9", 1, 1000, 0);
	add(fixture, "", 0, "10.0.0.9", 2, 10, 0);
	show(fixture);
	for (int grouped = 0; grouped < 2; grouped++) {
		paint(fixture, 80, 24);
		assert_non_null(strstr(fixture->glass.lines[5], "      7 nginx"));
		assert_non_null(strstr(fixture->glass.lines[6], "      - no process"));
		key(fixture, 'g');
	}
}

/* An order is seen, by a column that nobody chose, and goes with it. */
static void an_order_by_what_goes_is_the_default_one(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	fixture->run.can_tell_sockets = true;
	key(fixture, 's');
	view_set_sort(&fixture->ui.view, column_find("unread"));
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "by UNREAD"));
	assert_non_null(strstr(fixture->glass.lines[4], "▼UNREAD"));
	key(fixture, 's');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "by RX+TX"));
	assert_false(on_glass(fixture, 24, "UNREAD"));
	/* what is chosen stays */
	assert_int_equal(column_parse_list(&fixture->ui.columns, "name,rx,tx,unread", NULL), 0);
	key(fixture, 's');
	view_set_sort(&fixture->ui.view, column_find("unread"));
	key(fixture, 's');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "by UNREAD"));
}

/* An interval with a pass over sockets, a second after the one before: one listener and its connections. */
static void show_served(struct fixture *fixture, unsigned open)
{
	begin(fixture);
	for (unsigned i = 0; i <= open; i++) {
		add(fixture, "httpd", 7, "10.0.0.9", (uint16_t)i, 0, 0);
		fixture->snapshot.sessions[i].socket.state = i ? SOCKET_ESTABLISHED : SOCKET_LISTEN;
	}
	fixture->snapshot.sockets.follows = fixture->snapshot.notes_connections = true;
	fixture->snapshot.sockets.cpu_ns = 1;
	fixture->snapshot.sockets.passed_ns = 1000000000;
	show(fixture);
}

/* Until there were two passes what is new is not known, and until there was one, what listens. */
static void services_are_not_new_at_once(void **state)
{
	struct fixture *fixture = *state;

	fixture->run.can_tell_sockets = fixture->run.can_tell_connections = true;
	fixture->ui.replay = false;
	key(fixture, 'v');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, " listening ports"));
	assert_false(on_glass(fixture, 24, "0 listening ports"));
	assert_true(on_glass(fixture, 24, "They are told after one interval, NEW/s after two."));
	show_served(fixture, 20);
	paint(fixture, 80, 24);
	assert_string_equal(fixture->glass.lines[1], " 1 listening port");
	assert_string_equal(fixture->glass.lines[3],
	    "    443 httpd (7)                   -      20        0/0       0       0       0");
	show_served(fixture, 23);
	paint(fixture, 80, 24);
	assert_string_equal(fixture->glass.lines[3],
	    "    443 httpd (7)                 3.0      23        0/0       0       0       0");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UI_TEST(rtt_and_retransmits_are_shown),
		UI_TEST(the_title_says_what_it_costs),
		UI_TEST(the_page_tells_of_a_socket),
		UI_TEST(the_page_tells_whose_queue_is_full),
		UI_TEST(columns_of_sockets_are_for_kernels_that_tell),
		UI_TEST(a_pass_is_asked_for_while_it_is_shown),
		UI_TEST(a_key_lists_all_that_are_open),
		UI_TEST(a_filter_counts_what_it_leaves_out),
		UI_TEST(a_count_stays_beside_losses_and_a_long_filter),
		UI_TEST(a_filter_by_state_asks_for_a_pass),
		UI_TEST(what_has_no_process_says_so),
		UI_TEST(an_order_by_what_goes_is_the_default_one),
		UI_TEST(services_are_not_new_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
