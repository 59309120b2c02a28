/* SPDX-License-Identifier: Apache-2.0 */
/* Pasted text, the mouse and the menu of users, without a terminal. */
#include "test_ui.h"

#include "screen/input.h"

static unsigned paste(struct fixture *fixture, const char *text)
{
	const struct input input = { .kind = INPUT_PASTE, .text = text };

	return frame_input(&fixture->ui, &input, &fixture->request);
}

static unsigned mouse(struct fixture *fixture, enum mouse_action action, unsigned x, unsigned y)
{
	const struct input input = { .kind = INPUT_MOUSE, .action = action, .x = x, .y = y };
	unsigned reaction = frame_input(&fixture->ui, &input, &fixture->request);

	paint(fixture, fixture->ui.width, fixture->ui.height);
	return reaction;
}

/* The cell where the text begins, on the lowest line that has it. What is before it has one column a character. */
static unsigned find(struct fixture *fixture, const char *text, unsigned *y)
{
	for (*y = fixture->ui.height; (*y)-- > 0;) {
		const char *line = fixture->glass.lines[*y], *at = strstr(line, text);
		unsigned x = 0;

		for (const char *c = line; at && c < at; c++)
			x += ((unsigned char)*c & 0xc0) != 0x80;
		if (at)
			return x;
	}
	fail_msg("'%s' is not on the screen", text);
	return 0;
}

static unsigned click(struct fixture *fixture, const char *text)
{
	unsigned y, x = find(fixture, text, &y);

	return mouse(fixture, MOUSE_CLICK, x, y);
}

static const char *selected(struct fixture *fixture)
{
	return view_selected(&fixture->ui.view)->session.comm;
}

/* ---- pasted text ---- */

static void pasted_text_is_no_keys(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	assert_int_equal(paste(fixture, "q4r?"), REACTION_NONE);
	assert_int_equal(fixture->ui.mode, MODE_TABLE);
	assert_int_equal(fixture->ui.view.settings.family, 0);
	key(fixture, '?');
	paste(fixture, "q");
	assert_int_equal(fixture->ui.mode, MODE_HELP);
	key(fixture, 'q');
	key(fixture, KEY_CODE_F6);
	paste(fixture, "q");
	assert_int_equal(fixture->ui.mode, MODE_SORT_MENU);
}

/* Whatever is no key is no answer, and takes the question away. */
static void pasted_text_and_clicks_do_not_agree(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	uint64_t before = fixture->ui.traffic.rx_total_bytes;

	key(fixture, 'r');
	paste(fixture, "y");
	assert_null(fixture->ui.if_yes);
	assert_string_equal(fixture->ui.message, "");
	key(fixture, 'M');
	key(fixture, 'r');
	mouse(fixture, MOUSE_CLICK, 1, 1);
	assert_null(fixture->ui.if_yes);
	key(fixture, 'y');
	assert_true(before > 0);
	assert_int_equal(fixture->ui.traffic.rx_total_bytes, before);
}

static void prompts_take_pasted_text(void **state)
{
	struct fixture *fixture = *state;
	char longer[600];

	show_typical(fixture);
	paint(fixture, 80, 24);
	key(fixture, KEY_CODE_F4);
	type(fixture, "ng");
	paste(fixture, "inx");
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "Filter: nginx"));
	assert_int_equal(fixture->ui.view.list.count, 1);
	key(fixture, KEY_CODE_ENTER);
	key(fixture, KEY_CODE_ESCAPE);
	key(fixture, '/');
	paste(fixture, "sshd");
	assert_string_equal(selected(fixture), "sshd");
	paste(fixture, "\xc3\xbc");
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "Search: sshd\xc3\xbc"));
	assert_true(on_glass(fixture, 24, "not found"));
	/* As much as there is room for. */
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	paste(fixture, longer);
	assert_int_equal(strlen(fixture->ui.typed), MATCH_TEXT_MAX);
}

/* ---- mouse ---- */

static void clicks_do_what_is_written_there(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	for (unsigned width = 80; width <= 200; width += 60) {
		fixture->ui.mouse = false;
		paint(fixture, width, 24);
		view_home(&fixture->ui.view);
		click(fixture, "sshd");
		assert_string_equal(selected(fixture), "nginx");
		fixture->ui.mouse = true;
		click(fixture, "sshd");
		assert_string_equal(selected(fixture), "sshd");
		click(fixture, "postgres");
		assert_string_equal(selected(fixture), "postgres");
		click(fixture, "PID");
		assert_string_equal(fixture->ui.view.sort.column->id, "pid");
		bool descending = fixture->ui.view.sort.descending;

		click(fixture, "PID");
		assert_int_equal(fixture->ui.view.sort.descending, !descending);
		click(fixture, "TX/s");
		assert_string_equal(fixture->ui.view.sort.column->id, "tx");
		click(fixture, "sshd");
		click(fixture, "Details");
		assert_int_equal(fixture->ui.mode, MODE_DETAILS);
		assert_true(on_glass(fixture, 24, "sshd, PID 5120"));
		click(fixture, "Back");
		assert_int_equal(fixture->ui.mode, MODE_TABLE);
		click(fixture, "Help");
		assert_int_equal(fixture->ui.mode, MODE_HELP);
		click(fixture, "Esc");
		assert_int_equal(fixture->ui.mode, MODE_TABLE);
	}
	assert_int_equal(click(fixture, "Quit"), REACTION_QUIT);
}

static void clicks_elsewhere_do_nothing(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	fixture->ui.mouse = true;
	paint(fixture, 80, 24);
	for (unsigned y = 0; y < 4; y++)
		for (unsigned x = 0; x < 80; x++)
			assert_int_equal(mouse(fixture, MOUSE_CLICK, x, y), REACTION_NONE);
	mouse(fixture, MOUSE_CLICK, 5, 20); /* below the rows */
	mouse(fixture, MOUSE_CLICK, 1000, 1000);
	assert_string_equal(selected(fixture), "nginx");
	assert_int_equal(fixture->ui.mode, MODE_TABLE);
	/* On a screen that is too small there is nothing, and no stale spot either. */
	paint(fixture, 20, 5);
	assert_int_equal(mouse(fixture, MOUSE_CLICK, 1, 4), REACTION_NONE);
	for (unsigned y = 0; y < 6; y++)
		for (unsigned x = 0; x < 30; x++) {
			paint(fixture, 30, 6);
			if (mouse(fixture, MOUSE_CLICK, x, y) & REACTION_QUIT)
				assert_int_equal(y, 5);
			fixture->ui.mode = MODE_TABLE;
		}
}

static void the_wheel_scrolls(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	fixture->ui.mouse = true;
	paint(fixture, 80, 24);
	mouse(fixture, MOUSE_WHEEL_DOWN, 5, 5);
	assert_string_equal(selected(fixture), "sshd");
	mouse(fixture, MOUSE_WHEEL_UP, 5, 5);
	assert_string_equal(selected(fixture), "nginx");
	key(fixture, '?');
	paint(fixture, 40, 10);
	mouse(fixture, MOUSE_WHEEL_DOWN, 5, 5);
	assert_int_equal(fixture->ui.scroll, 3);
	key(fixture, 'q');
	key(fixture, '/');
	type(fixture, "post");
	mouse(fixture, MOUSE_WHEEL_DOWN, 5, 5);
	assert_string_equal(selected(fixture), "postgres");
}

static void menus_take_clicks(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	fixture->ui.mouse = true;
	paint(fixture, 80, 24);
	click(fixture, "Sort");
	assert_int_equal(fixture->ui.mode, MODE_SORT_MENU);
	click(fixture, "TX/s");
	assert_int_equal(fixture->ui.mode, MODE_SORT_MENU);
	mouse(fixture, MOUSE_CLICK, 2, 6);
	assert_int_equal(fixture->ui.menu.position, 1);
	click(fixture, "Choose");
	assert_int_equal(fixture->ui.mode, MODE_TABLE);
	assert_ptr_equal(fixture->ui.view.sort.column, &column_table[fixture->ui.menu.values[1]]);
}

static void a_key_switches_the_mouse(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	assert_false(fixture->ui.mouse);
	key(fixture, 'M');
	assert_true(fixture->ui.mouse);
	key(fixture, 'M');
	assert_false(fixture->ui.mouse);
}

/* ---- users ---- */

static void show_users(struct fixture *fixture, uint32_t count)
{
	begin(fixture);
	for (uint32_t uid = 0; uid < count; uid++) {
		add(fixture, "x", uid + 1, "10.0.0.1", (uint16_t)uid, 1, 1);
		fixture->snapshot.sessions[uid].uid = 20000 + (uid * 7919) % count;
	}
	show(fixture);
}

static void all_users_are_listed(void **state)
{
	struct fixture *fixture = *state;

	show_users(fixture, 3000);
	paint(fixture, 80, 24);
	key(fixture, 'u');
	assert_int_equal(fixture->ui.menu.count, 3001);
	for (uint32_t i = 0; i < 3000; i++)
		assert_int_equal(fixture->ui.menu.values[i + 1], 20000 + i);
	key(fixture, KEY_CODE_END);
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_int_equal(fixture->ui.view.list.count, 1);
	assert_true(on_glass(fixture, 24, "user: 22999"));
	key(fixture, 'u');
	assert_int_equal(fixture->ui.menu.position, 3000);
}

static void typing_finds_a_user(void **state)
{
	struct fixture *fixture = *state;

	show_users(fixture, 3000);
	paint(fixture, 80, 24);
	key(fixture, 'u');
	type(fixture, "21");
	assert_int_equal(fixture->ui.menu.values[fixture->ui.menu.position], 21000);
	type(fixture, "234");
	assert_int_equal(fixture->ui.menu.values[fixture->ui.menu.position], 21234);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "find: 21234"));
	/* Keys of the table are letters here, and Esc drops what was typed first. */
	assert_int_equal(key(fixture, 'q'), REACTION_NONE);
	assert_int_equal(fixture->ui.mode, MODE_USER_MENU);
	key(fixture, KEY_CODE_ESCAPE);
	assert_string_equal(fixture->ui.typed, "");
	/* Where no name begins so, the first that has it inside. */
	type(fixture, "2999");
	assert_int_equal(fixture->ui.menu.values[fixture->ui.menu.position], 22999);
	type(fixture, "x");
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "not found: 2999x"));
	key(fixture, 'U' - '@');
	paste(fixture, "22001");
	key(fixture, KEY_CODE_ENTER);
	paint(fixture, 80, 24);
	assert_true(on_glass(fixture, 24, "user: 22001"));
	key(fixture, 'u');
	key(fixture, 'A');
	key(fixture, KEY_CODE_BACKSPACE);
	assert_int_equal(fixture->ui.mode, MODE_USER_MENU);
	key(fixture, KEY_CODE_ESCAPE);
	assert_int_equal(fixture->ui.mode, MODE_TABLE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pasted_text_is_no_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pasted_text_and_clicks_do_not_agree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(prompts_take_pasted_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clicks_do_what_is_written_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clicks_elsewhere_do_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_wheel_scrolls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(menus_take_clicks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_key_switches_the_mouse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_users_are_listed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(typing_finds_a_user, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
