/* SPDX-License-Identifier: Apache-2.0 */
/* What runs of programs are said to cost: prices by the method, and the measurement that they come from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "base/util.h"
#include "loader/calibrate.h"
#include "loader/tracing.h"

static struct run_prices prices_of(enum probe_method method, uint32_t loop_ns)
{
	struct tracing tracing;

	tracing_init(&tracing);
	tracing.plan.method = method;
	tracing.plan.direct = method != PROBE_KPROBE;
	tracing_set_prices(&tracing, loop_ns);
	return tracing.prices;
}

static const enum probe_method all_methods[] = { PROBE_TRACEPOINT, PROBE_FENTRY, PROBE_KPROBE };

static void test_prices_follow_the_measurement(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(all_methods); i++) {
		struct run_prices once = prices_of(all_methods[i], 100),
		                  thrice = prices_of(all_methods[i], 300);

		assert_true(once.begins_ns >= 100); /* in the midst of other work it is no cheaper */
		assert_true(once.counts_ns > 0);
		assert_int_equal(thrice.begins_ns, 3 * once.begins_ns);
		assert_int_equal(thrice.counts_ns, 3 * once.counts_ns);
		assert_int_equal(thrice.lookups_ns, 3 * once.lookups_ns);
		assert_int_equal(thrice.follows_ns, 3 * once.follows_ns);
	}
}

static void test_what_could_not_be_measured_is_estimated(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(all_methods); i++)
		assert_true(prices_of(all_methods[i], 0).begins_ns > 0);
	/* by the instructions of docs/performance.md */
	assert_true(prices_of(PROBE_KPROBE, 0).begins_ns > 3 * prices_of(PROBE_TRACEPOINT, 0).begins_ns);
}

/* Only tracepoints follow sockets for splice. */
static void test_only_tracepoints_follow(void **state)
{
	(void)state;
	assert_true(prices_of(PROBE_TRACEPOINT, 100).follows_ns > 0);
	assert_int_equal(prices_of(PROBE_FENTRY, 100).follows_ns, 0);
	assert_int_equal(prices_of(PROBE_KPROBE, 100).follows_ns, 0);
}

static void test_runs_are_added_up_by_kind(void **state)
{
	const struct run_prices prices = {
		.begins_ns = 100, .counts_ns = 10, .lookups_ns = 2, .follows_ns = 1000
	};
	const uint64_t none[RUN_KINDS] = { 0 };
	const uint64_t some[RUN_KINDS] = {
		[RUN_BEGINS] = 7, [RUN_COUNTS] = 5, [RUN_LOOKUPS] = 4, [RUN_FOLLOWS] = 3
	};
	const uint64_t many[RUN_KINDS] = { [RUN_BEGINS] = UINT64_C(1) << 40 };

	(void)state;
	assert_int_equal(tracing_runs_ns(&prices, none, 0), 0);
	assert_int_equal(tracing_runs_ns(&prices, some, 0), 700 + 50 + 8 + 3000);
	assert_int_equal(tracing_runs_ns(&prices, many, 0), (UINT64_C(1) << 40) * 100);
}

/* By half of what rare ones are dearer at the gap, by nearly all of it far above. */
static void test_rare_runs_are_dearer(void **state)
{
	const struct run_prices prices = { .begins_ns = 100, .rare_percent = 50, .rare_gap_ns = 1000 };
	const uint64_t runs[RUN_KINDS] = { [RUN_BEGINS] = 1000 };

	(void)state;
	assert_int_equal(tracing_runs_ns(&prices, runs, 0), 100000);
	assert_int_equal(tracing_runs_ns(&prices, runs, 1000), 125000);
	assert_in_range(tracing_runs_ns(&prices, runs, 1e9), 149900, 150000);
	for (size_t i = 0; i < COUNT_OF(all_methods); i++)
		assert_true(prices_of(all_methods[i], 100).rare_gap_ns > 0);
}

static void test_more_than_before_is_a_price(void **state)
{
	(void)state;
	assert_int_equal(calibration_price(2.0, 3.0, 100), 100);
	assert_int_equal(calibration_price(1.5, 1.75, 200), 50);
}

/* Attached programs make no call quicker, and none dearer by as much as a machine that did other things. */
static void test_what_is_no_measurement_is_none(void **state)
{
	(void)state;
	assert_int_equal(calibration_price(3.0, 2.0, 100), 0);
	assert_int_equal(calibration_price(2.0, 2.0, 100), 0);
	assert_int_equal(calibration_price(1.0, 1000.0, 100), 0);
}

/* Nothing is attached here, so what comes out is noise; the socket is closed. */
static void test_calibration_closes_its_socket(void **state)
{
	struct calibration calibration;

	(void)state;
	assert_int_equal(calibration_begin(&calibration), 0);
	int fd = calibration.fd;

	assert_true(fcntl(fd, F_GETFD) >= 0);
	assert_true(calibration.unit_ns > 0);
	assert_true(calibration.before > 1); /* a socket is looked at, which a closed descriptor is not */
	assert_true(calibration_end(&calibration) < CALIBRATION_NS_MAX);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(calibration.fd, -1);
	assert_int_equal(calibration_end(&calibration), 0); /* as where there was no socket */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prices_follow_the_measurement),
		cmocka_unit_test(test_what_could_not_be_measured_is_estimated),
		cmocka_unit_test(test_only_tracepoints_follow),
		cmocka_unit_test(test_runs_are_added_up_by_kind),
		cmocka_unit_test(test_rare_runs_are_dearer),
		cmocka_unit_test(test_more_than_before_is_a_price),
		cmocka_unit_test(test_what_is_no_measurement_is_none),
		cmocka_unit_test(test_calibration_closes_its_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
