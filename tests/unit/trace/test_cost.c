/* SPDX-License-Identifier: Apache-2.0 */
/* Own cost: runs from a table as programs count them (needs root for bpf(2)), and processor time of real processes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/libbpf.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "test_tracing.h"
#include "trace/cost.h"

#define MS UINT64_C(1000000)
#define WORK_NS (30 * MS)
#define SPAN_NS (1000 * MS)

static const pid_t no_children[COST_CHILDREN_MAX];

static struct tracing tracing;
static uint64_t *counts; /* of each processor, one kind */

static int open_tracing(void **state)
{
	(void)state;
	test_tracing_open(&tracing, 1);
	tracing.cpu_count = (uint32_t)libbpf_num_possible_cpus();
	tracing.prices = (struct run_prices){ .begins_ns = 100, .counts_ns = 10, .follows_ns = 1000 };
	tracing.maps[MAP_RUNS] = test_map(BPF_MAP_TYPE_PERCPU_ARRAY, "test_runs", 4, 8, RUN_KINDS);
	counts = calloc(tracing.cpu_count, sizeof *counts);
	return counts ? 0 : -1;
}

static int close_tracing(void **state)
{
	(void)state;
	tracing_close(&tracing);
	free(counts);
	return 0;
}

/* So many on each processor, one more on the last. */
static void set_runs(uint32_t kind, uint64_t each)
{
	for (uint32_t i = 0; i < tracing.cpu_count; i++)
		counts[i] = each + (i + 1 == tracing.cpu_count);
	assert_int_equal(bpf_map_update_elem(tracing.maps[MAP_RUNS], &kind, counts, BPF_ANY), 0);
}

static uint64_t all(uint64_t each)
{
	return each * tracing.cpu_count + 1;
}

static void work(clockid_t clock)
{
	uint64_t until_ns = clock_read_ns(clock) + WORK_NS;

	while (clock_read_ns(clock) < until_ns)
		;
}

static void test_runs_of_all_processors_since_the_last_reading(void **state)
{
	struct cost_meter meter;
	struct own_cost cost;

	(void)state;
	assert_int_equal(cost_init(&meter, &tracing, no_children), 0);
	set_runs(RUN_BEGINS, 1000);
	set_runs(RUN_COUNTS, 400);
	set_runs(RUN_FOLLOWS, 20);
	cost_read(&meter, SPAN_NS, &cost);
	assert_int_equal(cost.runs, all(1000));
	assert_int_equal(cost.programs_ns, all(1000) * 100 + all(400) * 10 + all(20) * 1000);
	cost_read(&meter, SPAN_NS, &cost);
	assert_int_equal(cost.runs, 0);
	assert_int_equal(cost.programs_ns, 0);
	set_runs(RUN_BEGINS, 1500);
	cost_read(&meter, SPAN_NS, &cost);
	assert_int_equal(cost.runs, 500 * tracing.cpu_count);
	cost_fini(&meter);
}

static uint64_t price_of(uint64_t all_runs, uint64_t on_the_last)
{
	struct cost_meter meter;
	struct own_cost cost;

	set_runs(RUN_BEGINS, 0);
	assert_int_equal(cost_init(&meter, &tracing, no_children), 0);
	for (uint32_t i = 0; i < tracing.cpu_count; i++)
		counts[i] = (all_runs - on_the_last) / tracing.cpu_count;
	counts[tracing.cpu_count - 1] += on_the_last;
	assert_int_equal(
	    bpf_map_update_elem(tracing.maps[MAP_RUNS], &(uint32_t){ RUN_BEGINS }, counts, BPF_ANY), 0);
	cost_read(&meter, SPAN_NS, &cost);
	cost_fini(&meter);
	assert_true(cost.runs > 0);
	return cost.programs_ns * 1000 / cost.runs;
}

/* What is rare is so on its processor: few on each are not many together. */
static void test_rare_runs_are_dearer(void **state)
{
	(void)state;
	tracing.prices.rare_percent = 50;
	tracing.prices.rare_gap_ns = 1000000;
	const uint64_t cpus = tracing.cpu_count;
	uint64_t rare = price_of(1000 * cpus, 0), frequent = price_of(1000000 * cpus, 0);

	assert_in_range(rare, 124900, 125100); /* a gap of 1 ms */
	assert_in_range(frequent, 100000, 100100);
	assert_in_range(price_of(1000, 1000), 124900, 125100);
}

static void test_runs_before_are_not_counted(void **state)
{
	struct cost_meter meter;
	struct own_cost cost;

	(void)state;
	set_runs(RUN_BEGINS, 1025);
	assert_int_equal(
	    tracing_read_runs(&tracing, RUN_BEGINS, counts, &tracing.runs_before[RUN_BEGINS]), 0);
	set_runs(RUN_BEGINS, 1030); /* by others, until the meter is there */
	assert_int_equal(cost_init(&meter, &tracing, no_children), 0);
	cost_read(&meter, SPAN_NS, &cost);
	assert_int_equal(cost.runs, 5 * tracing.cpu_count);
	cost_fini(&meter);
}

/* Of a table that cannot be read nothing is known, which is no run that is taken back. */
static void test_a_table_that_cannot_be_read(void **state)
{
	struct cost_meter meter;
	struct own_cost cost;

	(void)state;
	tracing.runs_before[RUN_BEGINS] = 1000;
	close(tracing.maps[MAP_RUNS]);
	tracing.maps[MAP_RUNS] = -1;
	assert_int_equal(cost_init(&meter, &tracing, no_children), 0);
	cost_read(&meter, SPAN_NS, &cost);
	assert_int_equal(cost.runs, 0);
	assert_int_equal(cost.programs_ns, 0);
	cost_fini(&meter);
}

static void test_this_process(void **state)
{
	struct cost_meter meter;
	struct own_cost cost;

	(void)state;
	assert_int_equal(cost_init(&meter, &tracing, no_children), 0);
	work(CLOCK_PROCESS_CPUTIME_ID);
	cost_read(&meter, SPAN_NS, &cost);
	assert_true(cost.total_ns >= WORK_NS);
	cost_read(&meter, SPAN_NS, &cost);
	assert_true(cost.total_ns < WORK_NS); /* it is not told twice */
	cost_fini(&meter);
}

/* A child that works for a while, then says so and waits. */
static pid_t start_child(int *ready)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();

	if (child == 0) {
		raise(SIGSTOP);
		work(CLOCK_PROCESS_CPUTIME_ID);
		if (write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(child > 0);
	close(fds[1]);
	assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
	*ready = fds[0];
	return child;
}

static void test_children_and_their_end(void **state)
{
	struct cost_meter meter;
	struct own_cost cost;
	int ready;
	char byte;
	const pid_t child = start_child(&ready), children[COST_CHILDREN_MAX] = { 0, child };

	(void)state;
	assert_int_equal(cost_init(&meter, &tracing, children), 0);
	cost_read(&meter, SPAN_NS, &cost);
	assert_true(cost.total_ns < WORK_NS);
	kill(child, SIGCONT);
	assert_int_equal(read(ready, &byte, 1), 1);
	cost_read(&meter, SPAN_NS, &cost);
	assert_true(cost.total_ns >= WORK_NS);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	cost_read(&meter, SPAN_NS, &cost); /* nothing that is taken back, nor all of it again */
	assert_true(cost.total_ns < WORK_NS);
	close(ready);
	cost_fini(&meter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_runs_of_all_processors_since_the_last_reading, open_tracing, close_tracing),
		cmocka_unit_test_setup_teardown(test_rare_runs_are_dearer, open_tracing, close_tracing),
		cmocka_unit_test_setup_teardown(
		    test_runs_before_are_not_counted, open_tracing, close_tracing),
		cmocka_unit_test_setup_teardown(
		    test_a_table_that_cannot_be_read, open_tracing, close_tracing),
		cmocka_unit_test_setup_teardown(test_this_process, open_tracing, close_tracing),
		cmocka_unit_test_setup_teardown(test_children_and_their_end, open_tracing, close_tracing),
	};

	if (!test_tracing_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
