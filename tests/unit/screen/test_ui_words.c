/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the screen: one for each thing, on every page, at every size. */
#include "test_ui.h"

#include <ctype.h>
#include <strings.h>

#include "screen/mode.h"
#include "screen/table_mode.h"
#include "table/column.h"

static const struct {
	unsigned width, height;
} sizes[] = { { 80, 24 }, { 40, 10 }, { 120, 40 }, { 200, 60 } };

/* Words that name what has another name: as whole words, in any case. */
static void expect_no_other_word(const char *text)
{
	static const char *const others[] = { "session", "sessions", "row", "rows", "conns", "quiet" };

	for (const char *c = text; *c; c++) {
		if (c > text && (isalnum((unsigned char)c[-1]) || c[-1] == '-'))
			continue; /* --max-sessions */
		for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
			size_t length = strlen(others[i]);

			if (strncasecmp(c, others[i], length) == 0 && !isalnum((unsigned char)c[length]))
				fail_msg("\"%s\" in \"%s\"", others[i], text);
		}
	}
}

static void expect_words(struct fixture *fixture)
{
	for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
		paint(fixture, sizes[i].width, sizes[i].height);
		for (unsigned y = 0; y < sizes[i].height; y++)
			expect_no_other_word(fixture->glass.lines[y]);
	}
}

/* Every key, on every page that a key opens, with losses and without. */
static void no_page_calls_a_connection_anything_else(void **state)
{
	struct fixture *fixture = *state;

	for (int lossy = 0; lossy < 2; lossy++) {
		show_typical(fixture);
		fixture->snapshot.missed_runs = lossy ? 3 : 0;
		fixture->snapshot.other.calls = lossy ? 3 : 0;
		fixture->snapshot.other.rx_bytes = lossy ? 1 << 20 : 0;
		show(fixture);
		for (size_t i = 0; i < key_count; i++) {
			if (key_table[i].codes[0] == 'q')
				continue;
			key(fixture, key_table[i].codes[0]);
			expect_words(fixture);
			expect_no_other_word(fixture->ui.message);
			key(fixture, KEY_CODE_ESCAPE);
			key(fixture, KEY_CODE_ESCAPE);
		}
	}
}

static void no_title_or_description_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < column_count; i++) {
		expect_no_other_word(column_table[i].description);
		if (column_table[i].title)
			expect_no_other_word(column_table[i].title);
	}
	for (size_t i = 0; i < key_count; i++)
		expect_no_other_word(key_table[i].help ?: "");
}

static void the_help_answers_above_the_fold(void **state)
{
	struct fixture *fixture = *state;
	static const char *const expected[] = { "Who fills it?", "Why did it stop?", "One pod?",
		"Look later?", "Esc  ", "RX, TX", "Dim, bold", "HISTORY", "SRTT, RETR SUM", "freeze", "\\ F4",
		"g Tab", "Enter", "what came, went, grew", "services: by", "links: is it", "ended: who",
		"one user's", "sockets: all", "write text", "quit" };

	show_typical(fixture);
	key(fixture, '?');
	paint(fixture, 80, 24);
	for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
		assert_true(on_glass(fixture, 24, expected[i]));
}

/* Below the keys, a line of 80 columns each. */
static void the_help_explains_words_of_the_screen(void **state)
{
	static const char *const words[] = { " accounted ", " WHY app ", " WHY remote ", " WHY peer ",
		" WHY buffer ", " WHY loss, queue ", " WHY reader ", " WHY idle " };
	struct fixture *fixture = *state;

	show_typical(fixture);
	key(fixture, '?');
	paint(fixture, 80, 100);
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		unsigned y = 0;

		while (y < 98 && strncmp(fixture->glass.lines[y], words[i], strlen(words[i])) != 0)
			y++;
		assert_true(y < 98);
		assert_true(strlen(fixture->glass.lines[y]) > 40);
		assert_true(fixture->glass.lines[y + 1][1] != ' ');
	}
}

static void the_footer_names_pages_where_there_is_room(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 80, 24);
	assert_null(strstr(fixture->glass.lines[23], "Sockets"));
	paint(fixture, 140, 24);
	assert_non_null(
	    strstr(fixture->glass.lines[23], "F10Quit [Past dMinute sSockets eEnded vServices aAll"));
}

/* What was lost matters most. */
static void the_help_begins_with_what_was_lost(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	fixture->snapshot.missed_runs = 3;
	show(fixture);
	key(fixture, '?');
	paint(fixture, 40, 10);
	assert_true(on_glass(fixture, 3, "Missed: 3 events"));
}

static void one_long_address_does_not_spread_the_table(void **state)
{
	struct fixture *fixture = *state;
	size_t before;

	begin(fixture);
	for (unsigned i = 0; i < 12; i++)
		add(fixture, "a", 100 + i, "10.0.0.9", (uint16_t)(i + 1), 1000 * (20 - i), 0);
	show(fixture);
	paint(fixture, 120, 24);
	before = (size_t)(strstr(fixture->glass.lines[4], "RX/s") - fixture->glass.lines[4]);
	add(fixture, "b", 200, "2001:db8:1111:2222:3333:4444:5555:6666", 65535, 500000, 0);
	show(fixture);
	paint(fixture, 120, 24);
	assert_int_equal(strstr(fixture->glass.lines[4], "RX/s") - fixture->glass.lines[4], before);
}

static void numbers_stand_beside_the_name_on_a_wide_screen(void **state)
{
	struct fixture *fixture = *state;

	show_typical(fixture);
	paint(fixture, 200, 24);
	const char *titles = fixture->glass.lines[4];

	assert_true(strstr(titles, "NAME") < strstr(titles, "RX/s"));
	assert_true(strstr(titles, "TOTAL") < strstr(titles, "REMOTE"));
}

#define UI_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* The help of a page is left for that page, however it is left; from another page's key it leads there. */
static void the_help_goes_back_to_its_page(void **state)
{
	static const struct {
		int page;
		enum ui_mode mode;
	} pages[] = { { 'l', MODE_LINKS }, { 'v', MODE_SERVICES }, { 'e', MODE_CONNECTIONS },
		{ 'd', MODE_MINUTE } };
	struct fixture *fixture = *state;

	show_typical(fixture);
	for (size_t i = 0; i < ARRAY_LENGTH(pages); i++) {
		key(fixture, pages[i].page);
		assert_int_equal(fixture->ui.mode, pages[i].mode);
		for (size_t j = 0; j < 2; j++) {
			fixture->ui.page_lines = 100;
			fixture->ui.scroll = 1;
			key(fixture, '?');
			assert_int_equal(fixture->ui.mode, MODE_HELP);
			assert_int_equal(ui_wants_sockets(&fixture->ui), pages[i].mode == MODE_SERVICES);
			assert_int_equal(fixture->ui.scroll, 0);
			key(fixture, j ? '?' : KEY_CODE_ESCAPE);
			assert_int_equal(fixture->ui.mode, pages[i].mode);
			assert_int_equal(fixture->ui.scroll, 1);
		}
		key(fixture, '?');
		key(fixture, pages[(i + 1) % 4].page);
		assert_int_equal(fixture->ui.mode, pages[(i + 1) % 4].mode);
		key(fixture, KEY_CODE_ESCAPE);
		assert_int_equal(fixture->ui.mode, MODE_TABLE);
	}
	key(fixture, '?');
	key(fixture, KEY_CODE_ESCAPE);
	assert_int_equal(fixture->ui.mode, MODE_TABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UI_TEST(the_help_explains_words_of_the_screen),
		UI_TEST(the_footer_names_pages_where_there_is_room),
		UI_TEST(the_help_goes_back_to_its_page),
		UI_TEST(no_page_calls_a_connection_anything_else),
		cmocka_unit_test(no_title_or_description_does),
		UI_TEST(the_help_answers_above_the_fold),
		UI_TEST(the_help_begins_with_what_was_lost),
		UI_TEST(one_long_address_does_not_spread_the_table),
		UI_TEST(numbers_stand_beside_the_name_on_a_wide_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
