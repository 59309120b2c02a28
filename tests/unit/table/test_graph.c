/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "model/series.h"
#include "table/graph.h"

/* Eight points, of which the newest is 7: tick 10 stands at 10 % 8. */
static struct series ring(uint16_t points[8], unsigned count)
{
	for (uint32_t age = 0; age < 8; age++)
		points[(10 - age) % 8] = (uint16_t)(7 - age);
	return (struct series){ .points = points, .capacity = 8, .count = count, .tick = 10 };
}

static void sparkline_has_the_newest_at_the_right(void **state)
{
	uint16_t points[8];
	struct series series = ring(points, 8);
	char text[64];

	(void)state;
	assert_int_equal(graph_line(text, sizeof text, &series, 8, 1, 0, true), 8);
	assert_string_equal(text, "▁▂▃▄▄▅▆▇");
	assert_int_equal(graph_line(text, sizeof text, &series, 8, 1, 0, false), 8);
	assert_string_equal(text, "_.:--=+*");
	assert_int_equal(graph_line(text, sizeof text, &series, 3, 1, 0, false), 3);
	assert_string_equal(text, "=+*");
}

static void sparkline_is_blank_before_the_first_point(void **state)
{
	uint16_t points[8];
	struct series series = ring(points, 3);
	char text[64];

	(void)state;
	graph_line(text, sizeof text, &series, 6, 1, 0, false);
	assert_string_equal(text, "   =+*");
	series.count = 0;
	graph_line(text, sizeof text, &series, 4, 1, 0, false);
	assert_string_equal(text, "    ");
}

static void silence_is_a_base_line_that_traffic_rises_above(void **state)
{
	uint16_t points[4] = { 0, 0, 1, UINT16_MAX };
	struct series series = { .points = points, .capacity = 4, .count = 4, .tick = 3 };
	char text[64];

	(void)state;
	graph_line(text, sizeof text, &series, 4, 1, 0, true);
	assert_string_equal(text, "▁▁▂▇");
	memset(points, 0, sizeof points);
	graph_line(text, sizeof text, &series, 4, 1, 0, true);
	assert_string_equal(text, "▁▁▁▁");
}

static void graph_of_several_lines_is_filled_from_below(void **state)
{
	uint16_t points[3] = { series_point(0), series_point(50000), series_point(100000) };
	struct series series = { .points = points, .capacity = 3, .count = 3, .tick = 2 };
	char text[64];

	(void)state;
	graph_line(text, sizeof text, &series, 3, 2, 0, true);
	assert_string_equal(text, "▁██");
	graph_line(text, sizeof text, &series, 3, 2, 1, true);
	assert_string_equal(text, "  ▇");
}

static void graph_stops_where_the_buffer_ends(void **state)
{
	uint16_t points[8];
	struct series series = ring(points, 8);
	char text[8];

	(void)state;
	assert_int_equal(graph_line(text, sizeof text, &series, 8, 1, 0, true), 2);
	assert_string_equal(text, "▁▂");
}

/* A point is rounded up: the bytes of a large one would be a precision that is not there. */
static void a_peak_is_not_shown_in_bytes(void **state)
{
	uint16_t points[8];
	struct series series = ring(points, 8);
	char text[48];

	(void)state;
	points[10 % 8] = series_point(16000);
	graph_peak(text, sizeof text, &series, UNIT_BYTES);
	assert_string_equal(text, "15.6KB/s");
	graph_peak(text, sizeof text, &series, UNIT_KB);
	assert_string_equal(text, "15KB/s");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sparkline_has_the_newest_at_the_right),
		cmocka_unit_test(sparkline_is_blank_before_the_first_point),
		cmocka_unit_test(silence_is_a_base_line_that_traffic_rises_above),
		cmocka_unit_test(graph_of_several_lines_is_filled_from_below),
		cmocka_unit_test(graph_stops_where_the_buffer_ends),
		cmocka_unit_test(a_peak_is_not_shown_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
