/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/series.h"

static void only_silence_is_zero_and_large_rates_saturate(void **state)
{
	(void)state;
	assert_int_equal(series_point(0), 0);
	assert_int_equal(series_point(1), 1);
	assert_int_equal(series_rate(0), 0);
	assert_int_equal(series_rate(UINT16_MAX), SERIES_MAX_BYTES_PER_S);
	assert_int_equal(series_point(SERIES_MAX_BYTES_PER_S - 1), UINT16_MAX);
	assert_int_equal(series_point(SERIES_MAX_BYTES_PER_S), UINT16_MAX);
	assert_int_equal(series_point(UINT64_MAX), UINT16_MAX);
}

/* Each point's rate has that point, all between two points' has the upper one, and points are in the order of rates. */
static void points_are_rates_rounded_up(void **state)
{
	(void)state;
	for (uint32_t point = 1; point <= UINT16_MAX; point++) {
		uint64_t rate = series_rate((uint16_t)point), below = series_rate((uint16_t)(point - 1));

		assert_true(rate > below);
		assert_true(rate - below <= 1 + below / 2048);
		assert_int_equal(series_point(rate), point);
		assert_int_equal(series_point(below + 1), point);
	}
}

/* Eight points, of which the newest is 7: tick 10 stands at 10 % 8. */
static struct series ring(uint16_t points[8], unsigned count)
{
	for (uint32_t age = 0; age < 8; age++)
		points[(10 - age) % 8] = (uint16_t)(7 - age);
	return (struct series){ .points = points, .capacity = 8, .count = count, .tick = 10 };
}

static void the_newest_points_are_found(void **state)
{
	uint16_t points[8];
	struct series series = ring(points, 8);

	(void)state;
	for (unsigned age = 0; age < 8; age++)
		assert_int_equal(series_at(&series, age), 7 - age);
	points[10 % 8] = 0;
	assert_int_equal(series_peak(&series, 8), 6);
	assert_int_equal(series_peak(&series, 1), 0);
	series.count = 0;
	assert_int_equal(series_peak(&series, 8), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_silence_is_zero_and_large_rates_saturate),
		cmocka_unit_test(points_are_rates_rounded_up),
		cmocka_unit_test(the_newest_points_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
