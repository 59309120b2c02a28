/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker thread on real tables (needs root for bpf(2)), without probes: a pipe stands in for the attachment.
 * Times are only held against lower bounds, and upper ones that a loaded machine keeps too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "cmocka_names.h"
#include "model/snapshot.h"
#include "test_tracing.h"
#include "trace/tracer.h"

#define MS UINT64_C(1000000)
#define NEVER_NS (UINT64_C(3600000) * MS)
#define PATIENCE_MS 20000

static struct tracer *tracer;
static struct source source; /* its snapshots */
static struct tracing copy;  /* descriptors of the same tables, to write to and to look at */
static int attachment;       /* ends when the "link" is closed */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void start(uint64_t interval_ns, uint64_t count)
{
	struct tracing tracing;
	struct error error = { 0 };
	int ends[2];

	test_tracing_open(&tracing, 65536);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	tracing.links[0] = ends[1];
	attachment = ends[0];
	tracing_init(&copy);
	for (int i = 0; i < MAP_COUNT; i++)
		copy.maps[i] = tracing.maps[i] < 0 ? -1 : fcntl(tracing.maps[i], F_DUPFD_CLOEXEC, 3);
	tracing.start_ns = now_ns();
	if (tracer_open(
	        &tracer, &tracing, interval_ns, count, &(struct tracer_wants){ .links = true }, &error) != 0)
		fail_msg("%s", error.text);
	source = tracer_source(tracer);
	/* all of it is the tracer's now */
	assert_int_equal(tracing.links[0], -1);
	assert_int_equal(tracing.maps[MAP_GENERATION], -1);
}

static int stop_all(void **state)
{
	(void)state;
	tracer_close(tracer);
	tracer = NULL;
	tracing_close(&copy);
	if (attachment >= 0)
		close(attachment);
	attachment = -1;
	return 0;
}

static int start_nothing(void **state)
{
	(void)state;
	tracing_init(&copy);
	attachment = -1;
	return 0;
}

static bool is_attached(void)
{
	char byte;

	return read(attachment, &byte, 1) != 0;
}

static bool is_readable(int timeout_ms)
{
	struct pollfd ready = { .fd = source.fd(source.state), .events = POLLIN };

	return poll(&ready, 1, timeout_ms) == 1;
}

/* The next snapshot; the caller releases it. */
static const struct snapshot *take(void)
{
	const struct snapshot *snapshot = NULL;
	struct error error = { 0 };

	while (!snapshot) {
		if (!is_readable(PATIENCE_MS))
			fail_msg("no snapshot within %d ms", PATIENCE_MS);
		if (source.take(source.state, &snapshot, &error) != 0)
			fail_msg("%s", error.text);
	}
	return snapshot;
}

static void add(uint32_t number, uint64_t rx_bytes)
{
	struct session_key4 key = { .pid = number };
	struct session_value value = { .rx_bytes = rx_bytes };
	uint32_t slot = 0, generation;

	assert_int_equal(bpf_map_lookup_elem(copy.maps[MAP_GENERATION], &slot, &generation), 0);
	int fd = copy.maps[generation ? MAP_SESSIONS4_ODD : MAP_SESSIONS4_EVEN];

	assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_NOEXIST), 0);
}

static void test_count(void **state)
{
	uint64_t begin = now_ns(), length_ns = 0;

	(void)state;
	start(50 * MS, 3);
	for (int i = 0; i < 3; i++) {
		const struct snapshot *snapshot = take();

		assert_true(snapshot->interval_ns >= 50 * MS - 50 * MS * (i > 0)); /* late once, short once */
		assert_int_equal(snapshot->last, i == 2);
		assert_int_equal(is_attached(), i < 2);
		length_ns += snapshot->interval_ns;
		source.release(source.state);
	}
	assert_true(length_ns >= 3 * 50 * MS);
	assert_true(length_ns <= now_ns() - begin);
	assert_false(is_readable(200)); /* nothing follows the last */
}

static void test_interval(void **state)
{
	struct timespec before, after;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &before);
	start(100 * MS, 0);
	add(181, 1021);
	const struct snapshot *snapshot = take();

	clock_gettime(CLOCK_REALTIME, &after);
	assert_true(snapshot->interval_ns >= 100 * MS);
	assert_true(snapshot->interval_ns < 100 * MS + PATIENCE_MS * MS);
	assert_false(snapshot->last);
	assert_int_equal(snapshot->session_count, 1);
	assert_int_equal(snapshot->sessions[0].pid, 181);
	assert_int_equal(snapshot->rx_bytes, 1021);
	assert_uint_in_range(snapshot->time.tv_sec, before.tv_sec, after.tv_sec);
	source.release(source.state);
	snapshot = take();
	assert_int_equal(snapshot->session_count, 0);
	source.release(source.state);
}

/* The current interval ends at once, with what it has, and is the last. */
static void test_stop(void **state)
{
	(void)state;
	start(NEVER_NS, 0);
	add(1, 7);
	assert_false(is_readable(100));
	assert_true(is_attached());
	source.stop(source.state);
	const struct snapshot *snapshot = take();

	assert_true(snapshot->last);
	assert_false(is_attached());
	assert_int_equal(snapshot->rx_bytes, 7);
	assert_true(snapshot->interval_ns >= 100 * MS && snapshot->interval_ns < PATIENCE_MS * MS);
	source.release(source.state);
	assert_false(is_readable(100));
}

static void test_nothing_to_take(void **state)
{
	const struct snapshot *snapshot = (const struct snapshot *)state;
	struct error error = { 0 };

	start(NEVER_NS, 0);
	assert_int_equal(source.take(source.state, &snapshot, &error), 0);
	assert_null(snapshot);
}

/* The first that has bytes: where this process was held up, intervals may have ended before there were any. */
static const struct snapshot *take_counted(void)
{
	const struct snapshot *snapshot = take();

	while (!snapshot->rx_bytes && !snapshot->last) {
		source.release(source.state);
		snapshot = take();
	}
	return snapshot;
}

/* What waits comes first, and then what was counted since, as the last. */
static void test_stop_while_one_waits(void **state)
{
	(void)state;
	start(50 * MS, 0);
	add(1, 10);
	assert_true(is_readable(PATIENCE_MS));
	const struct snapshot *snapshot = take_counted();

	add(2, 200);
	source.stop(source.state);
	assert_false(is_readable(100));
	assert_false(snapshot->last);
	assert_int_equal(snapshot->rx_bytes, 10); /* not touched while it is borrowed */
	source.release(source.state);
	snapshot = take();
	assert_true(snapshot->last);
	assert_int_equal(snapshot->rx_bytes, 200);
	source.release(source.state);
}

/* Its intervals get longer, none is skipped. */
static void test_slow_consumer(void **state)
{
	struct test_load load;
	uint64_t rx_bytes = 0, truth, length_ns = 0;
	bool last = false;

	(void)state;
	start(20 * MS, 0);
	test_load_start(&load, &copy);
	for (int i = 0; i < 5; i++) {
		const struct snapshot *snapshot = take();

		usleep(150000);
		rx_bytes += snapshot->rx_bytes;
		length_ns += snapshot->interval_ns;
		if (i > 0)
			assert_true(snapshot->interval_ns >= 100 * MS);
		source.release(source.state);
	}
	truth = test_load_stop(&load);
	source.stop(source.state);
	while (!last) {
		const struct snapshot *snapshot = take();

		rx_bytes += snapshot->rx_bytes;
		length_ns += snapshot->interval_ns;
		last = snapshot->last;
		source.release(source.state);
	}
	assert_true(truth > 1000);
	if (rx_bytes != truth)
		fail_msg("%" PRIu64 " of %" PRIu64 " bytes were delivered", rx_bytes, truth);
	assert_true(length_ns >= 5 * 150 * MS);
}

/* Short intervals, one after the other, with nothing lost between them. */
static void test_fast_consumer(void **state)
{
	struct test_load load;
	uint64_t rx_bytes = 0, truth;
	bool last = false;

	(void)state;
	start(10 * MS, 0);
	test_load_start(&load, &copy);
	for (int i = 0; i < 30; i++) {
		rx_bytes += take()->rx_bytes;
		source.release(source.state);
	}
	truth = test_load_stop(&load);
	source.stop(source.state);
	while (!last) {
		const struct snapshot *snapshot = take();

		rx_bytes += snapshot->rx_bytes;
		last = snapshot->last;
		source.release(source.state);
	}
	if (rx_bytes != truth)
		fail_msg("%" PRIu64 " of %" PRIu64 " bytes were delivered", rx_bytes, truth);
}

static void test_shorter_interval(void **state)
{
	(void)state;
	start(NEVER_NS, 0);
	assert_false(is_readable(50));
	source.set_interval(source.state, 200 * MS);
	const struct snapshot *snapshot = take();

	/* from its beginning on, which was before the change */
	assert_true(snapshot->interval_ns >= 200 * MS && snapshot->interval_ns < PATIENCE_MS * MS);
	assert_false(snapshot->last);
	source.release(source.state);
	source.set_interval(source.state, MS);
	assert_true(take()->interval_ns < PATIENCE_MS * MS);
	source.release(source.state);
}

static void test_longer_interval(void **state)
{
	(void)state;
	start(100 * MS, 0);
	source.set_interval(source.state, NEVER_NS);
	assert_false(is_readable(300));
	source.stop(source.state);
	assert_true(take()->last);
	source.release(source.state);
}

static void expect_prompt_close(void)
{
	uint64_t begin = now_ns();

	tracer_close(tracer);
	tracer = NULL;
	assert_true(now_ns() - begin < 5000 * MS);
	assert_false(is_attached());
}

static void test_close_while_waiting(void **state)
{
	(void)state;
	start(NEVER_NS, 0);
	expect_prompt_close();
}

static void test_close_while_one_waits(void **state)
{
	(void)state;
	start(10 * MS, 0);
	assert_true(is_readable(PATIENCE_MS));
	usleep(50000); /* the next interval is over as well */
	expect_prompt_close();
}

static void test_close_after_the_last(void **state)
{
	(void)state;
	start(10 * MS, 1);
	assert_true(take()->last);
	expect_prompt_close();
	tracer_close(NULL);
}

/* A table that is none: the thread fails, which the consumer is told, again and again. */
static void test_failure(void **state)
{
	const struct snapshot *snapshot;
	struct tracing tracing;
	struct error error = { 0 };

	(void)state;
	test_tracing_open(&tracing, 16);
	close(tracing.maps[MAP_GENERATION]);
	tracing.maps[MAP_GENERATION] = -1;
	assert_int_equal(
	    tracer_open(&tracer, &tracing, 10 * MS, 0, &(struct tracer_wants){ .links = true }, &error), 0);
	source = tracer_source(tracer);
	assert_true(is_readable(PATIENCE_MS));
	for (int i = 0; i < 2; i++) {
		memset(&error, 0, sizeof error);
		assert_int_equal(source.take(source.state, &snapshot, &error), -EBADF);
		assert_null(snapshot);
		assert_int_equal(error.exit_code, EXIT_CODE_RUNTIME);
		assert_non_null(strstr(error.text, "cannot swap the tables"));
	}
}

#define test_with_tracer(test) cmocka_unit_test_setup_teardown(test, start_nothing, stop_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_with_tracer(test_count),
		test_with_tracer(test_interval),
		test_with_tracer(test_stop),
		test_with_tracer(test_nothing_to_take),
		test_with_tracer(test_stop_while_one_waits),
		test_with_tracer(test_slow_consumer),
		test_with_tracer(test_fast_consumer),
		test_with_tracer(test_shorter_interval),
		test_with_tracer(test_longer_interval),
		test_with_tracer(test_close_while_waiting),
		test_with_tracer(test_close_while_one_waits),
		test_with_tracer(test_close_after_the_last),
		test_with_tracer(test_failure),
	};

	if (!test_tracing_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests_name("tracer", tests, NULL, NULL);
}
