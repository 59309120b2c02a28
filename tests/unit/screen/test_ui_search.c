/* SPDX-License-Identifier: Apache-2.0 */
/* Words about sockets, which only a pass over them tells of: searched for and filtered by, on the screen. */
#include "test_ui.h"

#include "model/cause.h"

/* Some wait for something once a pass has told; without, it is not known. */
static void show_interval(struct fixture *fixture, uint8_t cause)
{
	begin(fixture);
	add(fixture, "nginx", 1874, "203.0.113.84", 51312, 18000, 9400000);
	add(fixture, "postgres", 3311, "10.0.0.31", 42480, 0, 640000);
	if (cause != CAUSE_NONE) {
		fixture->snapshot.sessions[1].socket.state = SOCKET_ESTABLISHED;
		fixture->snapshot.sessions[1].socket.cause = cause;
		fixture->snapshot.sockets.cpu_ns = 1;
		fixture->snapshot.sockets.follows = true;
	}
	show(fixture);
	paint(fixture, 80, 24);
}

/* A pass comes after the words have been typed: so long they are looked for, and no longer are passes asked for. */
static void a_search_by_state_goes_on_until_a_pass_tells(void **state)
{
	struct fixture *fixture = *state;
	struct ui *ui = &fixture->ui;

	begin_live(fixture, true);
	show_interval(fixture, CAUSE_NONE);
	type(fixture, "/why:peer");
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "not found yet"));
	assert_true(ui_wants_sockets(ui));
	show_interval(fixture, CAUSE_NONE);
	assert_true(on_glass(fixture, 24, "not found yet"));
	show_interval(fixture, CAUSE_PEER);
	assert_false(on_glass(fixture, 24, "not found"));
	assert_int_equal(ui->view.position, 1);
	key(fixture, KEY_CODE_ESCAPE);
	assert_false(ui_wants_sockets(ui));
	paint(fixture, 80, 24);
	assert_int_equal(ui->view.position, 0);

	key(fixture, '/');
	type(fixture, "why:peer");
	key(fixture, KEY_CODE_ENTER);
	assert_true(ui_wants_sockets(ui)); /* what was found is shown */
	key(fixture, KEY_CODE_UP);
	assert_false(ui_wants_sockets(ui));
}

/* Left with Enter before a pass has come, or repeated: it is found, or is said not to be, after it. */
static void a_search_that_was_left_waits_for_one_pass(void **state)
{
	struct fixture *fixture = *state;
	struct ui *ui = &fixture->ui;

	begin_live(fixture, true);
	show_interval(fixture, CAUSE_NONE);
	type(fixture, "/why:peer");
	key(fixture, KEY_CODE_ENTER);
	assert_true(ui_wants_sockets(ui));
	show_interval(fixture, CAUSE_APP);
	assert_true(on_glass(fixture, 24, "not found: why:peer"));
	assert_false(ui_wants_sockets(ui));
	show_interval(fixture, CAUSE_NONE);
	key(fixture, 'N');
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "not found yet: why:peer"));
	assert_true(ui_wants_sockets(ui));
	show_interval(fixture, CAUSE_PEER);
	assert_int_equal(ui->view.position, 1);
	show_interval(fixture, CAUSE_NONE);
	key(fixture, 'N');
	key(fixture, KEY_CODE_DOWN); /* something else is done */
	assert_false(ui_wants_sockets(ui));
}

static void where_sockets_are_not_told_a_filter_says_so(void **state)
{
	struct fixture *fixture = *state;

	begin_live(fixture, false);
	show_interval(fixture, CAUSE_NONE);
	type(fixture, "\\state:close_wait");
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 5, "filter: state:close_wait"));
	assert_true(on_glass(fixture, 5, "this kernel cannot tell of sockets"));
	assert_true(
	    on_glass(fixture, 24, "state: and why: pass nothing: this kernel cannot tell of sockets."));
	assert_false(on_glass(fixture, 24, "No connection passes"));
	key(fixture, KEY_CODE_ESCAPE);
	type(fixture, "/why:peer");
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "this kernel cannot tell of sockets"));
	key(fixture, KEY_CODE_ESCAPE);

	fixture->ui.replay = true;
	type(fixture, "\\why:peer");
	paint(fixture, 120, 24);
	assert_true(on_glass(fixture, 24, "pass nothing: the recording tells of no sockets here."));
	show_interval(fixture, CAUSE_APP);
	assert_true(on_glass(fixture, 24, "No connection passes the filters"));
}

/* Their sockets are there no more: all other words choose among them. */
static void words_about_sockets_do_not_empty_the_page_of_what_ended(void **state)
{
	static const struct {
		const char *words;
		bool shown;
	} cases[] = {
		{ "\\why:peer", true },
		{ "\\!state:close_wait", true },
		{ "\\state:established nginx", true },
		{ "\\state:established java", false },
	};
	struct fixture *fixture = *state;

	begin_live(fixture, true);
	begin(fixture);
	struct connection *connection = snapshot_add_connection(&fixture->snapshot);

	assert_non_null(connection);
	connection->session = (struct session){ .family = 4, .lport = 80, .pid = 1874, .comm = "nginx" };
	show(fixture);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		type(fixture, cases[i].words);
		key(fixture, KEY_CODE_ENTER);
		key(fixture, 'e');
		paint(fixture, 80, 24);
		assert_int_equal(on_glass(fixture, 24, " nginx (1874)"), cases[i].shown);
		key(fixture, KEY_CODE_ESCAPE);
		key(fixture, KEY_CODE_ESCAPE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UI_TEST(a_search_by_state_goes_on_until_a_pass_tells),
		UI_TEST(a_search_that_was_left_waits_for_one_pass),
		UI_TEST(words_about_sockets_do_not_empty_the_page_of_what_ended),
		UI_TEST(where_sockets_are_not_told_a_filter_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
