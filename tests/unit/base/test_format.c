/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

static void amounts_in_every_unit(void **state)
{
	static const struct {
		uint64_t bytes;
		enum unit unit;
		unsigned width;
		const char *text;
	} cases[] = {
		{ 0, UNIT_HUMAN, 6, "0B" },
		{ 999, UNIT_HUMAN, 6, "999B" },
		{ 1000, UNIT_HUMAN, 6, "0.98KB" },
		{ 1024, UNIT_HUMAN, 6, "1.00KB" },
		{ 10234, UNIT_HUMAN, 6, "9.99KB" },
		{ 10239, UNIT_HUMAN, 6, "10.0KB" },
		{ 123456, UNIT_HUMAN, 6, "121KB" },
		{ 1023 * 1024, UNIT_HUMAN, 6, "1.00MB" },
		{ UINT64_MAX, UNIT_HUMAN, 6, "16.0EB" },
		{ 1023, UNIT_KB, 8, "0KB" },
		{ 2047, UNIT_KB, 8, "1KB" },
		{ 123456789, UNIT_KB, 8, "120563KB" },
		{ 123456789, UNIT_KB, 5, "118MB" },
		{ 123456789, UNIT_BYTES, 12, "123456789B" },
		{ 123456789, UNIT_BYTES, 8, "118MB" },
		{ 125, UNIT_BITS, 7, "1.00kb" },
		{ 125, UNIT_BITS, 8, "1.00kb" },
		{ 1, UNIT_BITS, 8, "8b" },
		{ 125000000, UNIT_BITS, 7, "1.00Gb" },
		{ 155000, UNIT_BITS, 5, "1.24Mb" },
		{ UINT64_C(1) << 61, UNIT_BITS, 7, "18.4Eb" },
		{ UINT64_MAX, UNIT_BITS, 6, "148Eb" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		unsigned columns =
		    format_amount(text, sizeof text, cases[i].bytes, cases[i].unit, cases[i].width);

		assert_string_equal(text, cases[i].text);
		assert_int_equal(columns, strlen(text));
	}
}

static void rates_by_the_true_length(void **state)
{
	(void)state;
	assert_int_equal(rate_per_s(1500, 500000000), 3000);
	assert_int_equal(rate_per_s(1, 3000000000u), 0);
	assert_int_equal(rate_per_s(7, 0), 0);
	assert_true(rate_per_s(UINT64_MAX, 1) == UINT64_MAX);
	assert_true(rate_per_s(UINT64_MAX, 1000000) == UINT64_MAX);
	assert_true(rate_per_s(UINT64_MAX, 1000000000) == UINT64_MAX);
	assert_true(rate_per_s(UINT64_MAX, UINT64_MAX) == 1000000000);
	assert_int_equal(whole_number(-1), 0);
	assert_int_equal(whole_number(0.0 / 0.0), 0);
	assert_int_equal(whole_number(2.9), 2);
	assert_true(whole_number(1.0 / 0.0) == UINT64_MAX);
	/* Bytes times 1e9 would not fit here. */
	assert_int_equal(rate_per_s(1ull << 40, 1000000000), 1ull << 40);
}

static void spans(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{ 10, "0.01 s" },
		{ 500, "0.5 s" },
		{ 1000, "1 s" },
		{ 59999, "59 s" },
		{ 123000, "2 min 3 s" },
		{ 11040000, "3 h 4 min" },
		{ 183600000, "2 d 3 h" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		format_span(text, sizeof text, cases[i].ms);
		assert_string_equal(text, cases[i].text);
	}
}

static void amounts_and_rates_have_a_unit(void **state)
{
	char text[48];

	(void)state;
	format_bytes(text, sizeof text, 123456, UNIT_HUMAN);
	assert_string_equal(text, "121KB");
	format_bytes(text, sizeof text, 123456, UNIT_BYTES);
	assert_string_equal(text, "123456B");
	format_rate(text, sizeof text, 123456, UNIT_KB);
	assert_string_equal(text, "120KB/s");
	format_rate(text, sizeof text, UINT64_MAX, UNIT_BYTES);
	assert_string_equal(text, "18446744073709551615B/s");
}

static void counts_have_no_unit(void **state)
{
	char text[32];

	(void)state;
	assert_int_equal(format_count(text, sizeof text, 1234567, 8), 7);
	assert_string_equal(text, "1234567");
	assert_int_equal(format_count(text, sizeof text, UINT32_MAX, 8), 5);
	assert_string_equal(text, "4.29G");
}

static void decimals_are_printed_as_printf_does(void **state)
{
	static const uint64_t numbers[] = { 0, 9, 10, 255, 65535, UINT32_MAX, UINT64_MAX };
	char text[FORMAT_DECIMAL_SIZE + 1], expected[FORMAT_DECIMAL_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		text[format_decimal(text, numbers[i])] = '\0';
		snprintf(expected, sizeof expected, "%llu", (unsigned long long)numbers[i]);
		assert_string_equal(text, expected);
	}
}

static void clocks_are_local(void **state)
{
	char text[16];

	(void)state;
	setenv("TZ", "UTC-2", 1);
	format_clock(text, sizeof text, 1795344137);
	assert_string_equal(text, "12:42:17");
}

static void durations(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} cases[] = {
		{ 0, "0us" },
		{ 999, "999us" },
		{ 1000, "1.00ms" },
		{ 12345, "12.3ms" },
		{ 999999, "999ms" },
		{ 1000000, "1.00s" },
		{ 59999999, "59.9s" },
		{ 60000000, "1m00s" },
		{ 3599999999, "59m59s" },
		{ 3600000000, "1h00m" },
		{ 86399999999, "23h59m" },
		{ 86400000000, "1d00h" },
		{ UINT64_C(86399999999999), "999d23h" },
		{ UINT64_C(86400000000000), "1000d" },
		{ UINT64_C(86400000000000000), "2739y" },
		{ UINT64_MAX, "584942y" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[32];

		format_duration(text, sizeof text, cases[i].us);
		assert_string_equal(text, cases[i].text);
		assert_true(strlen(text) <= 7);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(amounts_in_every_unit),
		cmocka_unit_test(rates_by_the_true_length),
		cmocka_unit_test(spans),
		cmocka_unit_test(durations),
		cmocka_unit_test(amounts_and_rates_have_a_unit),
		cmocka_unit_test(counts_have_no_unit),
		cmocka_unit_test(decimals_are_printed_as_printf_does),
		cmocka_unit_test(clocks_are_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
