/* SPDX-License-Identifier: Apache-2.0 */
/* Options that filter: each row of the tables of filters can be asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "kernel/condition_kinds.h"
#include "parse_options.h"

/* A filter has an option, or it could not be asked for; what the option's row writes is the filter's place. */
static void test_filters(void **state)
{
	struct program_request request;
	struct conditions conditions = { 0 };
	struct options options;
	struct error error;

	(void)state;
	for (size_t i = 0; i < filter_count; i++) {
		char option[40];

		snprintf(option, sizeof option, "--%s=/some/path", filters[i].option);
		PARSE(&options, option);
		for (size_t j = 0; j < FILTERS_MAX; j++)
			assert_int_equal(options.filter_paths[j] != NULL, j == i);
		assert_string_equal(options.filter_paths[i], "/some/path");
		assert_int_equal(options_program(&request, &conditions, &options, &error), 0);
		assert_int_equal(request.filters, 1U << i);
		assert_int_equal(conditions.count, 0);
		options_fini(&options);
	}
}

/* Each kind of condition has an option; repeated ones, and those of other kinds, are kept in their order. */
static void test_conditions(void **state)
{
	struct program_request request;
	struct conditions conditions = { 0 };
	struct options options;
	struct error error;

	(void)state;
	for (size_t i = 0; i < condition_kind_count; i++) {
		char option[40];

		snprintf(option, sizeof option, "--%s=value", condition_kinds[i].option);
		PARSE(&options, option);
		assert_int_equal(options.condition_count, 1);
		assert_ptr_equal(options.conditions[0].kind, &condition_kinds[i]);
		assert_string_equal(options.conditions[0].value, "value");
		options_fini(&options);
	}
	PARSE(&options, "--port", "443,!80", "--uid=0", "--port=22");
	assert_int_equal(options_program(&request, &conditions, &options, &error), 0);
	assert_int_equal(request.conditions.count, 4);
	assert_string_equal(conditions.items[0].kind->option, "port");
	assert_int_equal(conditions.items[0].ports.first, 443);
	assert_true(conditions.items[1].excludes && !conditions.items[3].excludes);
	assert_int_equal(conditions.items[1].ports.last, 80);
	assert_string_equal(conditions.items[2].kind->option, "uid");
	conditions_fini(&conditions);
	options_fini(&options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_conditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
