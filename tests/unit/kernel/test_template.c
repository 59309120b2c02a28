/* SPDX-License-Identifier: Apache-2.0 */
/* Slots in templates, and the table of filters. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/filters.h"
#include "kernel/template.h"

static void expect(const char *text, const char *value, const char *expected)
{
	const struct slot slots[] = { { "OTHER", "never" }, { "SLOT", value } };
	struct buffer buffer;

	assert_int_equal(buffer_open(&buffer), 0);
	template_fill(buffer.stream, text, slots, COUNT_OF(slots));
	assert_int_equal(buffer_close(&buffer), 0);
	assert_string_equal(buffer.bytes, expected);
	free(buffer.bytes);
}

static void test_slots(void **state)
{
	(void)state;
	expect("", "x", "");
	expect("a @SLOT@ b", "x", "a x b");
	expect("@SLOT@@SLOT@", "x", "xx");
	expect("@SLOT@", "", "");
	/* a value is not looked into */
	expect("@SLOT@", "@OTHER@", "@OTHER@");
	expect("a\n@SLOT@\nb\n", "x\n", "a\nx\nb\n");
	/* a line that is nothing but an empty slot goes; one with more on it stays */
	expect("a\n@SLOT@\nb\n", "", "a\nb\n");
	expect("a\n@SLOT@;\nb\n", "", "a\n;\nb\n");
}

static void test_no_slots(void **state)
{
	(void)state;
	expect("a@b", "x", "a@b");
	expect("@SLOT", "x", "@SLOT");
	expect("@UNKNOWN@", "x", "@UNKNOWN@");
	expect("user@host @SLOT@", "x", "user@host x");
	expect("@SLO@SLOT@", "x", "@SLOx");
}

/* Each row has all that its readers take from it, and no two share what has to differ. */
static void test_filters(void **state)
{
	(void)state;
	assert_true(filter_count > 0 && filter_count <= FILTERS_MAX);
	for (size_t i = 0; i < filter_count; i++) {
		const struct filter *filter = &filters[i];

		assert_int_equal(filter_find(filter->option), i);
		assert_non_null(strstr(filter->map_text, filter->placeholder));
		assert_non_null(strstr(filter->test_text, filter->placeholder));
		assert_true(*filter->label);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(filter->placeholder, filters[j].placeholder);
	}
	assert_int_equal(filter_find("nosuchmap"), filter_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_no_slots),
		cmocka_unit_test(test_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
