/* SPDX-License-Identifier: Apache-2.0 */
/* Own cost in words, and what is done where it is limited. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/util.h"
#include "model/cost.h"

static void shares_are_of_one_processor(void **state)
{
	static const struct {
		uint64_t ns, interval_ns;
		const char *text;
	} cases[] = {
		{ 0, NS_PER_S, "0.00%" },
		{ 400000, NS_PER_S, "0.04%" },
		{ 400000, NS_PER_S / 10, "0.40%" },
		{ 25 * NS_PER_MS, NS_PER_S, "2.50%" },
		{ 3 * NS_PER_S, NS_PER_S, "300%" }, /* on three of them */
		{ 5, 0, "0.00%" },
		{ UINT64_MAX, 1, "1844674407370955161600%" },
	};
	char text[COST_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(cost_share(text, cases[i].ns, cases[i].interval_ns), cases[i].text);
}

static struct own_cost cost_of(uint64_t own_ns, uint64_t programs_ns)
{
	return (struct own_cost){ .total_ns = own_ns + programs_ns, .programs_ns = programs_ns };
}

/* Passes go at once; the interval that is asked for then keeps the limit with the same cost. */
static void own_time_is_spread_over_longer_intervals(void **state)
{
	struct overhead overhead = { .limit_ppm = 5000, .interval_ns = 100 * NS_PER_MS, .can_drop = true };
	const struct own_cost cost = cost_of(2 * NS_PER_MS, 0);

	(void)state;
	assert_int_equal(
	    overhead_judge(&overhead, &cost, 100 * NS_PER_MS), OVERHEAD_DROPS | OVERHEAD_INTERVAL);
	assert_in_range(overhead.interval_ns, 400 * NS_PER_MS, 600 * NS_PER_MS);
	assert_int_equal(overhead_judge(&overhead, &cost, overhead.interval_ns), 0);
	assert_int_equal(overhead.over, 0);
}

static void what_programs_take_leaves_the_rest(void **state)
{
	struct overhead overhead = { .limit_ppm = 10000, .interval_ns = NS_PER_S };
	/* 0.5% in the kernel, however long the interval is, and 8 ms an interval */
	const struct own_cost cost = cost_of(8 * NS_PER_MS, 5 * NS_PER_MS);

	(void)state;
	assert_int_equal(overhead_judge(&overhead, &cost, NS_PER_S), OVERHEAD_INTERVAL);
	double share = 0.005 + 8e6 / (double)overhead.interval_ns;

	assert_true(share <= 0.01);
}

static void it_stops_when_nothing_helps(void **state)
{
	struct overhead overhead = { .limit_ppm = 10000, .interval_ns = NS_PER_S, .can_drop = true };
	const struct own_cost cost = cost_of(NS_PER_MS, 20 * NS_PER_MS);

	(void)state;
	assert_int_equal(overhead_judge(&overhead, &cost, NS_PER_S), OVERHEAD_DROPS);
	assert_int_equal(overhead_judge(&overhead, &cost, NS_PER_S), OVERHEAD_STOPS);
}

/* One interval above the limit, as a burst makes, ends nothing. */
static void a_burst_is_forgotten(void **state)
{
	struct overhead overhead = { .limit_ppm = 10000, .interval_ns = NS_PER_S };
	const struct own_cost high = cost_of(NS_PER_MS, 20 * NS_PER_MS), low = cost_of(NS_PER_MS, NS_PER_MS);

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(overhead_judge(&overhead, &high, NS_PER_S), 0);
		assert_int_equal(overhead_judge(&overhead, &low, NS_PER_S), 0);
	}
}

/* There is room for little, and for the longest interval alone. */
static void as_long_as_it_may_be(void **state)
{
	struct overhead narrow = { .limit_ppm = 10000, .interval_ns = NS_PER_S };
	struct overhead longest = { .limit_ppm = 10000, .interval_ns = NS_PER_S };
	const struct own_cost cost = cost_of(2 * NS_PER_MS, 8500000), large = cost_of(550 * NS_PER_MS, 0);

	(void)state;
	assert_int_equal(overhead_judge(&narrow, &cost, NS_PER_S), OVERHEAD_INTERVAL);
	assert_true(0.0085 + 2e6 / (double)narrow.interval_ns <= 0.01);
	assert_int_equal(overhead_judge(&longest, &large, NS_PER_S), OVERHEAD_INTERVAL);
	assert_int_equal(longest.interval_ns, 60 * NS_PER_S);
}

/* What grows with the interval, as draining does, is no less in a longer one. */
static void what_grows_with_the_interval_ends_soon(void **state)
{
	struct overhead overhead = { .limit_ppm = 10000, .interval_ns = NS_PER_S };
	unsigned actions[3];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		const struct own_cost cost = cost_of(overhead.interval_ns / 50, 0);

		actions[i] = overhead_judge(&overhead, &cost, overhead.interval_ns);
	}
	assert_int_equal(actions[0], OVERHEAD_INTERVAL);
	assert_int_equal(actions[1], OVERHEAD_INTERVAL);
	assert_int_equal(actions[2], OVERHEAD_STOPS);
}

static void longest_intervals_end(void **state)
{
	struct overhead overhead = { .limit_ppm = 1, .interval_ns = NS_PER_S };
	const struct own_cost cost = cost_of(NS_PER_MS, 0);

	(void)state;
	assert_int_equal(overhead_judge(&overhead, &cost, NS_PER_S), 0);
	assert_int_equal(overhead_judge(&overhead, &cost, NS_PER_S), OVERHEAD_STOPS);
}

static void without_a_limit_or_a_figure_nothing_is_done(void **state)
{
	struct overhead unlimited = { .interval_ns = NS_PER_S, .can_drop = true };
	struct overhead limited = { .limit_ppm = 1, .interval_ns = NS_PER_S, .can_drop = true };
	const struct own_cost cost = cost_of(NS_PER_S, NS_PER_S), unknown = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(overhead_judge(&unlimited, &cost, NS_PER_S), 0);
		assert_int_equal(overhead_judge(&limited, &unknown, NS_PER_S), 0);
		assert_int_equal(overhead_judge(&limited, &cost, 0), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_of_one_processor),
		cmocka_unit_test(own_time_is_spread_over_longer_intervals),
		cmocka_unit_test(what_programs_take_leaves_the_rest),
		cmocka_unit_test(it_stops_when_nothing_helps),
		cmocka_unit_test(a_burst_is_forgotten),
		cmocka_unit_test(as_long_as_it_may_be),
		cmocka_unit_test(what_grows_with_the_interval_ends_soon),
		cmocka_unit_test(longest_intervals_end),
		cmocka_unit_test(without_a_limit_or_a_figure_nothing_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
