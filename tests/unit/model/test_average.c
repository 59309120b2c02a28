/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/average.h"

#define NS_PER_MS 1000000ull

struct rates {
	struct averages averages;
	struct average_clock intervals;
};

static void pass(struct rates *rates, uint64_t interval_ms, float rx_bytes_per_s, float tx_bytes_per_s)
{
	average_clock_advance(&rates->intervals, interval_ms * NS_PER_MS);
	averages_add(&rates->averages, &rates->intervals, rx_bytes_per_s, tx_bytes_per_s);
}

static float rx(const struct rates *rates, enum average_span span)
{
	return averages_rx(&rates->averages, &rates->intervals, span);
}

static void a_steady_rate_is_its_average_from_the_first_interval_on(void **state)
{
	static const uint64_t lengths_ms[] = { 10, 1000, 300, 60000, 1, 2500 };
	struct rates rates = { 0 };

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		pass(&rates, lengths_ms[i % 6], 1000, 50);
		for (int span = 0; span < AVERAGE_COUNT; span++) {
			assert_float_equal(rx(&rates, span), 1000, 1);
			assert_float_equal(averages_tx(&rates.averages, &rates.intervals, span), 50, 0.1);
		}
	}
}

static void it_does_not_matter_how_time_is_cut(void **state)
{
	struct rates coarse = { 0 }, fine = { 0 };

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		float rate = i % 7 ? (float)(i * 100) : 0;

		pass(&coarse, 1000, rate, 0);
		for (unsigned j = 0; j < 50; j++)
			pass(&fine, 20, rate, 0);
		for (int span = 0; span < AVERAGE_ORDER; span++)
			assert_float_equal(rx(&coarse, span), rx(&fine, span), 2);
	}
}

/* exp(-2) = 0.1353 */
static void what_is_older_than_the_span_has_14_percent_of_the_weight(void **state)
{
	static const uint64_t spans_ms[] = { 2000, 10000, 40000 };

	(void)state;
	for (int span = 0; span < AVERAGE_ORDER; span++) {
		struct rates rates = { 0 };

		for (unsigned i = 0; i < 300; i++)
			pass(&rates, 1000, 1000, 0);
		for (unsigned i = 0; i < 10; i++)
			pass(&rates, spans_ms[span] / 10, 0, 0);
		assert_float_equal(rx(&rates, span), 135.3, 1);
	}
}

static void silence_ends_at_zero(void **state)
{
	struct rates rates = { 0 };
	bool any = true;

	(void)state;
	pass(&rates, 1000, 1e10f, 1e10f);
	for (unsigned i = 0; i < 2000 && any; i++)
		any = averages_add(&rates.averages, &rates.intervals, 0, 0);
	assert_false(any);
	for (int span = 0; span < AVERAGE_COUNT; span++)
		assert_true(rates.averages.rx_bytes_per_s[span] == 0);
}

static void an_interval_of_no_length_is_no_average(void **state)
{
	struct rates rates = { 0 };

	(void)state;
	pass(&rates, 0, 1000, 1000);
	for (int span = 0; span < AVERAGE_COUNT; span++)
		assert_true(rx(&rates, span) == 0);
}

static void averages_add_up(void **state)
{
	struct rates a = { 0 }, b = { 0 }, both = { 0 };

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		pass(&a, 500, (float)(i * 10), 1);
		pass(&b, 500, (float)(i % 3 * 1000), 2);
		pass(&both, 500, (float)(i * 10 + i % 3 * 1000), 3);
	}
	averages_sum(&a.averages, &b.averages);
	for (int span = 0; span < AVERAGE_COUNT; span++) {
		assert_float_equal(rx(&a, span), rx(&both, span), 0.1);
		assert_float_equal(averages_tx(&a.averages, &a.intervals, span), 3, 0.01);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_rate_is_its_average_from_the_first_interval_on),
		cmocka_unit_test(it_does_not_matter_how_time_is_cut),
		cmocka_unit_test(what_is_older_than_the_span_has_14_percent_of_the_weight),
		cmocka_unit_test(silence_ends_at_zero),
		cmocka_unit_test(an_interval_of_no_length_is_no_average),
		cmocka_unit_test(averages_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
