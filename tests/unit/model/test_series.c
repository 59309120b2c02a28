/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/series.h"

static void points_round_up_and_saturate(void **state)
{
	(void)state;
	assert_int_equal(series_point(0), 0);
	assert_int_equal(series_point(1), 1);
	assert_int_equal(series_point(SERIES_UNIT), 1);
	assert_int_equal(series_point(SERIES_UNIT + 1), 2);
	assert_int_equal(series_point(UINT64_MAX), UINT32_MAX);
}

/* Eight points, of which the newest is 7: tick 10 stands at 10 % 8. */
static struct series ring(uint32_t points[8], unsigned count)
{
	for (uint32_t age = 0; age < 8; age++)
		points[(10 - age) % 8] = 7 - age;
	return (struct series){ .points = points, .capacity = 8, .count = count, .tick = 10 };
}

static void the_newest_points_are_found(void **state)
{
	uint32_t points[8];
	struct series series = ring(points, 8);

	(void)state;
	for (unsigned age = 0; age < 8; age++)
		assert_int_equal(series_at(&series, age), 7 - age);
	points[10 % 8] = 0;
	assert_int_equal(series_peak(&series, 8), 6 * SERIES_UNIT);
	assert_int_equal(series_peak(&series, 1), 0);
	series.count = 0;
	assert_int_equal(series_peak(&series, 8), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_round_up_and_saturate),
		cmocka_unit_test(the_newest_points_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
