/* SPDX-License-Identifier: Apache-2.0 */
/* Settings come back as they were written, and what is wrong in their text changes nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "screen/settings.h"

static struct settings begin(void)
{
	struct settings settings = { .unit = UNIT_HUMAN };
	struct error error;

	assert_int_equal(column_parse_list(&settings.columns, "pid,name,rx,tx", &error), 0);
	assert_int_equal(column_parse_sort(&settings.sort, "rx:desc", &error), 0);
	return settings;
}

static void assert_same(const struct settings *a, const struct settings *b)
{
	assert_int_equal(a->columns.count, b->columns.count);
	for (unsigned i = 0; i < a->columns.count; i++)
		assert_int_equal(a->columns.indices[i], b->columns.indices[i]);
	assert_ptr_equal(a->sort.column, b->sort.column);
	assert_int_equal(a->sort.descending, b->sort.descending);
	assert_int_equal(a->unit, b->unit);
}

/* Every column to order by, both ways, in every unit, with lists of one column to all of them. */
static void whatever_is_written_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * column_count; i++) {
		struct settings written = begin(), read = begin();
		char text[4096];

		written.sort.column = &column_table[i / 2];
		written.sort.descending = i % 2;
		written.unit = (enum unit)(i % UNIT_COUNT);
		written.columns.count = (uint8_t)(i / 2 + 1);
		for (unsigned j = 0; j < written.columns.count; j++)
			written.columns.indices[j] = (uint8_t)(column_count - 1 - j);
		size_t length = settings_format(text, sizeof text, &written);

		assert_true(length < sizeof text);
		assert_int_equal(strlen(text), length);
		assert_int_equal(settings_parse(text, &read), 0);
		assert_same(&read, &written);
	}
}

static void what_is_wrong_changes_nothing(void **state)
{
	static const struct {
		const char *text;
		unsigned bad_line;
	} cases[] = {
		{ "", 0 },
		{ "\n\n# sort=pid\n", 0 },
		{ "sort", 1 },
		{ "sort=", 1 },
		{ "sort=nothing", 1 },
		{ "sort=pid:up", 1 },
		{ "columns=", 1 },
		{ "columns=pid,,name", 1 },
		{ "columns=pid,pid", 1 },
		{ "\nunits=miles", 2 },
		{ "units=bits ", 1 },
		{ " units=bits", 1 },
		{ "Units=bits", 1 },
		{ "filter=x\nsort", 1 },
		{ "=", 1 },
		{ "\xff=\xff", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct settings settings = begin(), before = begin();
		char text[64];

		snprintf(text, sizeof text, "%s", cases[i].text);
		assert_int_equal(settings_parse(text, &settings), cases[i].bad_line);
		assert_same(&settings, &before);
	}
}

static void a_bad_line_does_not_spoil_the_others(void **state)
{
	struct settings settings = begin();
	char text[] = "units=bits\nnonsense\nsort=pid:asc\nmore=nonsense\n";

	(void)state;
	assert_int_equal(settings_parse(text, &settings), 2);
	assert_int_equal(settings.unit, UNIT_BITS);
	assert_string_equal(settings.sort.column->id, "pid");
	assert_false(settings.sort.descending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_written_is_read),
		cmocka_unit_test(what_is_wrong_changes_nothing),
		cmocka_unit_test(a_bad_line_does_not_spoil_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
