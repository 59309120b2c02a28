/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "model/series.h"
#include "base/format.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

static void points_round_up_and_saturate(void **state)
{
	(void)state;
	assert_int_equal(history_point(0), 0);
	assert_int_equal(history_point(1), 1);
	assert_int_equal(history_point(HISTORY_UNIT), 1);
	assert_int_equal(history_point(HISTORY_UNIT + 1), 2);
	assert_int_equal(history_point(UINT64_MAX), UINT32_MAX);
}

/* Eight points, of which the newest is 7: tick 10 stands at 10 % 8. */
static struct series ring(uint32_t points[8], unsigned count)
{
	for (uint32_t age = 0; age < 8; age++)
		points[(10 - age) % 8] = 7 - age;
	return (struct series){ .points = points, .capacity = 8, .count = count, .tick = 10 };
}

static void sparkline_has_the_newest_at_the_right(void **state)
{
	uint32_t points[8];
	struct series series = ring(points, 8);
	char text[64];

	(void)state;
	assert_int_equal(history_graph(text, sizeof text, &series, 8, 1, 0, true), 8);
	assert_string_equal(text, "▁▂▃▄▅▆▇█");
	assert_int_equal(history_graph(text, sizeof text, &series, 8, 1, 0, false), 8);
	assert_string_equal(text, "_.:-=+*#");
	assert_int_equal(history_graph(text, sizeof text, &series, 3, 1, 0, false), 3);
	assert_string_equal(text, "+*#");
	assert_int_equal(history_peak(&series, 8), 7 * HISTORY_UNIT);
}

static void sparkline_is_blank_before_the_first_point(void **state)
{
	uint32_t points[8];
	struct series series = ring(points, 3);
	char text[64];

	(void)state;
	history_graph(text, sizeof text, &series, 6, 1, 0, false);
	assert_string_equal(text, "   +*#");
	series.count = 0;
	history_graph(text, sizeof text, &series, 4, 1, 0, false);
	assert_string_equal(text, "    ");
}

static void silence_is_a_base_line_that_traffic_rises_above(void **state)
{
	uint32_t points[4] = { 0, 0, 1, UINT32_MAX };
	struct series series = { .points = points, .capacity = 4, .count = 4, .tick = 3 };
	char text[64];

	(void)state;
	history_graph(text, sizeof text, &series, 4, 1, 0, true);
	assert_string_equal(text, "▁▁▂█");
	memset(points, 0, sizeof points);
	history_graph(text, sizeof text, &series, 4, 1, 0, true);
	assert_string_equal(text, "▁▁▁▁");
}

static void graph_of_several_lines_is_filled_from_below(void **state)
{
	uint32_t points[3] = { 0, 50, 100 };
	struct series series = { .points = points, .capacity = 3, .count = 3, .tick = 2 };
	char text[64];

	(void)state;
	history_graph(text, sizeof text, &series, 3, 2, 0, true);
	assert_string_equal(text, "▁██");
	history_graph(text, sizeof text, &series, 3, 2, 1, true);
	assert_string_equal(text, " ▁█");
}

static void graph_stops_where_the_buffer_ends(void **state)
{
	uint32_t points[8];
	struct series series = ring(points, 8);
	char text[8];

	(void)state;
	assert_int_equal(history_graph(text, sizeof text, &series, 8, 1, 0, true), 2);
	assert_string_equal(text, "▁▂");
}

static void amounts_in_every_unit(void **state)
{
	static const struct {
		uint64_t bytes;
		enum unit unit;
		unsigned width;
		const char *text;
	} cases[] = {
		{ 0, UNIT_HUMAN, 6, "0" },
		{ 999, UNIT_HUMAN, 6, "999" },
		{ 1000, UNIT_HUMAN, 6, "0.98K" },
		{ 1024, UNIT_HUMAN, 6, "1.00K" },
		{ 10234, UNIT_HUMAN, 6, "9.99K" },
		{ 10239, UNIT_HUMAN, 6, "10.0K" },
		{ 123456, UNIT_HUMAN, 6, "121K" },
		{ 1023 * 1024, UNIT_HUMAN, 6, "1.00M" },
		{ UINT64_MAX, UNIT_HUMAN, 6, "16.0E" },
		{ 1023, UNIT_KB, 8, "0" },
		{ 2047, UNIT_KB, 8, "1" },
		{ 123456789, UNIT_KB, 8, "120563" },
		{ 123456789, UNIT_KB, 5, "118M" },
		{ 123456789, UNIT_BYTES, 12, "123456789" },
		{ 123456789, UNIT_BYTES, 8, "118M" },
		{ 125, UNIT_BITS, 7, "1.00k" },
		{ 125000000, UNIT_BITS, 7, "1.00G" },
		{ UINT64_MAX, UNIT_BITS, 7, "147.6E" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		unsigned columns =
		    unit_format(text, sizeof text, cases[i].bytes, cases[i].unit, cases[i].width);

		assert_string_equal(text, cases[i].text);
		assert_int_equal(columns, strlen(text));
	}
}

static void rates_by_the_true_length(void **state)
{
	(void)state;
	assert_int_equal(unit_rate(1500, 500000000), 3000);
	assert_int_equal(unit_rate(1, 3000000000u), 0);
	assert_int_equal(unit_rate(7, 0), 0);
	/* Bytes times 1e9 would not fit here. */
	assert_int_equal(unit_rate(1ull << 40, 1000000000), 1ull << 40);
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
		unit_format_seconds(text, sizeof text, cases[i].ms);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_round_up_and_saturate),
		cmocka_unit_test(sparkline_has_the_newest_at_the_right),
		cmocka_unit_test(sparkline_is_blank_before_the_first_point),
		cmocka_unit_test(silence_is_a_base_line_that_traffic_rises_above),
		cmocka_unit_test(graph_of_several_lines_is_filled_from_below),
		cmocka_unit_test(graph_stops_where_the_buffer_ends),
		cmocka_unit_test(amounts_in_every_unit),
		cmocka_unit_test(rates_by_the_true_length),
		cmocka_unit_test(spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
