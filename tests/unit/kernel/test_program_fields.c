/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of kernel structs that texts use, and what becomes of a text where BTF lacks one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "invented.h"

/* The text makes no use of a field that it does not define. */
static void expect_unused(const char *text, const char *macro)
{
	char word[80];

	snprintf(word, sizeof word, ", %s)", macro);
	assert_null(strstr(text, word));
	snprintf(word, sizeof word, "#define %s ", macro);
	assert_null(strstr(text, word));
}

/* False: the method is ruled out. */
static bool build_without(enum kernel_field field, const struct input *input, const struct options *options)
{
	struct kernel kernel = invented_kernel(input->version);
	const char *macro = kernel_field_macro(field);
	struct program_request request;
	struct conditions conditions = { 0 };
	struct error error = { 0 };
	struct planner planner;
	struct plan plan;
	char *text;

	assert_int_equal(options_program(&request, &conditions, options, &error), 0);
	kernel.offsets[field] = -1;
	if (!make_plan(&plan, input, &kernel, &planner)) {
		assert_non_null(strstr(planner.why, macro));
		return false;
	}
	program_add_hooks(&plan, &request, &kernel);
	if (kernel_field_needs(field) & NEED_SOCKETS)
		assert_false(plan_has_duty(&plan, DUTY_TELL_SOCKETS));
	int err = program_build(&text, &request, &kernel, &plan, OFFSETS_FROM_BTF, &error);

	if (err == 0) {
		expect_unused(text, macro);
		free(text);
		return true;
	}
	/* only what every text needs may end it */
	assert_int_equal(kernel_field_needs(field), NEED_EVENT);
	assert_int_equal(err, -EOPNOTSUPP);
	assert_null(text);
	assert_int_equal(error.exit_code, EXIT_CODE_UNSUPPORTED);
	assert_non_null(strstr(error.text, macro));
	/* the headers' compiler needs no BTF */
	assert_int_equal(program_build(&text, &request, &kernel, &plan, OFFSETS_FROM_HEADERS, &error), 0);
	free(text);
	return true;
}

/*
 * BTF without a field: a text that needs it in any case is not made, and names it; what only a part needs goes without
 * that part, and a method that cannot do without is ruled out, for auto to take another.
 */
static void test_missing_fields(void **state)
{
	static const struct input inputs[] = {
		{ .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NO_FUNCTIONS },
		{ .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NOT_TYPED },
		{ .version = VERSION_6_18, .method = PROBE_TRACEPOINT },
		{ .version = VERSION_7_3, .method = PROBE_TRACEPOINT },
		{ .version = VERSION_6_18, .method = PROBE_FENTRY },
#if defined(__x86_64__)
		{ .version = VERSION_6_18, .method = PROBE_KPROBE },
#endif
	};
	static const char *const everything[] = { "-a", "-o", "json", NULL };
	struct options options;

	(void)state;
	parse(&options, everything);
	for (size_t i = 0; i < COUNT_OF(inputs); i++)
		for (int field = 0; field < FIELD_COUNT; field++)
			if (!build_without(field, &inputs[i], &options)) {
				assert_int_not_equal(inputs[i].method, PROBE_TRACEPOINT);
				assert_true(kernel_field_needs(field) & NEED_CALLS);
			}
	options_fini(&options);
}

/* Each field that some text uses is given there, once. */
static void test_fields_are_defined_once(void **state)
{
	static const struct input inputs[] = {
		{ .version = VERSION_6_18, .method = PROBE_TRACEPOINT },
		{ .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .refused = NOT_TYPED },
		{ .version = VERSION_7_3, .method = PROBE_TRACEPOINT },
		{ .version = VERSION_6_18, .method = PROBE_FENTRY },
		{ .version = VERSION_6_18, .method = PROBE_FENTRY, .from = OFFSETS_FROM_HEADERS },
		{ .version = VERSION_6_18, .method = PROBE_TRACEPOINT, .arguments = { "-a", "-o", "json" } },
		{ .version = VERSION_6_18, .method = PROBE_FENTRY, .arguments = { "-a", "-o", "json" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(inputs); i++) {
		char *text = build(&inputs[i]);

		for (int field = 0; field < FIELD_COUNT; field++) {
			char word[80];

			snprintf(word, sizeof word, ", %s", kernel_field_macro(field));
			bool used = strstr(text, strcat(word, ")")) != NULL;

			snprintf(word, sizeof word, "#define %s ", kernel_field_macro(field));
			const char *defined = strstr(text, word);

			if (used && !defined)
				fail_msg("%s is used, but not defined", kernel_field_macro(field));
			assert_null(defined ? strstr(defined + 1, word) : NULL);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_fields),
		cmocka_unit_test(test_fields_are_defined_once),
	};

	return cmocka_run_group_tests_name("program fields", tests, NULL, NULL);
}
