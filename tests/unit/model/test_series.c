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

/* Many small ones and few large ones: the sum is right but for some percent, and silence adds nothing. */
static void points_add_up(void **state)
{
	static const struct {
		uint64_t rate;
		unsigned count;
	} cases[] = { { 1, 4000 }, { 1000, 3700 }, { 777777, 100000 }, { UINT64_C(5) << 30, 8 } };

	(void)state;
	assert_int_equal(series_sum(0, 0, 7), 0);
	assert_int_equal(series_sum(5, 0, 7), 5);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint16_t sum = 0, point = series_point(cases[i].rate);
		uint64_t dice = 88172645463325252;

		for (unsigned k = 0; k < cases[i].count; k++) {
			dice ^= dice << 13;
			dice ^= dice >> 7;
			dice ^= dice << 17;
			sum = series_sum(sum, point, dice);
		}
		double whole = (double)series_rate(point) * cases[i].count;

		assert_true(series_rate(sum) > whole * 0.9 && series_rate(sum) < whole * 1.1);
	}
	assert_int_equal(series_sum(UINT16_MAX, UINT16_MAX, 1), UINT16_MAX);
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
		cmocka_unit_test(points_add_up),
		cmocka_unit_test(the_newest_points_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
