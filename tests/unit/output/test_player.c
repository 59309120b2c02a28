/* SPDX-License-Identifier: Apache-2.0 */
/* The player on a pipe: what it hands out, and a reader that outlives it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cmocka_names.h"
#include "output/player.h"

#define PATIENCE_MS 20000

/* A player whose reader is waiting is left to the end of the process: no leak for the sanitizer to find. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static int writer; /* of the pipe */

/* One interval with a session of each PID given, of 1 and 2 received bytes and so on. */
static void write_interval(const uint32_t *pids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		dprintf(writer,
		    "{\"type\":\"session\",\"time\":\"2026-01-01T00:00:00.000Z\",\"interval_s\":0.01,\"pid\":"
		    "%u,"
		    "\"comm\":\"x\",\"family\":4,\"laddr\":\"10.0.0.1\",\"lport\":1,\"raddr\":\"10.0.0.2\","
		    "\"rport\":2,\"netns\":1,\"rx_bytes\":%zu,\"tx_bytes\":0}\n",
		    pids[i], i + 1);
	dprintf(writer,
	    "{\"type\":\"interval\",\"time\":\"2026-01-01T00:00:00.000Z\",\"interval_s\":0.01,\"sessions\":%"
	    "zu,"
	    "\"rx_bytes\":0,\"tx_bytes\":0,\"probe\":\"fentry\",\"not_counted\":[\"splice_tls\"]}\n",
	    count);
}

static const uint32_t two_pids[] = { 5, 6 };

static int reader;
static char path[32]; /* opens the pipe anew: no buffer of a test before is left */

static void open_pipe(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	reader = fds[0];
	writer = fds[1];
	snprintf(path, sizeof path, "/dev/fd/%d", reader);
}

static struct player *start(const struct player_request *request)
{
	struct error error = { 0 };
	struct player *player;

	assert_int_equal(player_open(&player, request, &error), 0);
	assert_int_equal(player_start(player, &error), 0);
	close(reader);
	return player;
}

/* The next snapshot; the caller releases it. */
static const struct snapshot *take(const struct source *source)
{
	const struct snapshot *snapshot = NULL;
	struct error error = { 0 };

	while (!snapshot) {
		struct pollfd ready = { .fd = source->fd(source->state), .events = POLLIN };

		assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
		assert_int_equal(source->take(source->state, &snapshot, &error), 0);
	}
	return snapshot;
}

static void test_filter_and_count(void **state)
{
	static const uint32_t pids[] = { 6 };
	const struct player_request request = { .path = path, .count = 2, .filter = { 0, pids, 1 } };
	size_t count;

	(void)state;
	open_pipe();
	for (int i = 0; i < 4; i++)
		write_interval(two_pids, 2);
	close(writer);
	struct player *player = start(&request);
	struct source source = player_source(player);

	assert_int_equal(player_method(player), PROBE_FENTRY);
	assert_string_equal(player_not_counted(player, &count)[0], "splice_tls");
	assert_int_equal(count, 1);
	for (int i = 0; i < 2; i++) {
		const struct snapshot *snapshot = take(&source);

		assert_int_equal(snapshot->session_count, 1);
		assert_int_equal(snapshot->sessions[0].pid, 6);
		assert_int_equal(snapshot->rx_bytes, 2);
		assert_int_equal(snapshot->last, i == 1);
		assert_false(snapshot->is_end);
		source.release(source.state);
	}
	player_close(player);
}

/* At the end of a paced one a snapshot says so, and it goes on until it is stopped. */
static void test_paced(void **state)
{
	const struct player_request request = { .path = path };

	(void)state;
	open_pipe();
	write_interval(two_pids, 2);
	close(writer);
	struct player *player = start(&request);
	struct source source = player_source(player);

	player_set_paced(player, true);
	assert_false(take(&source)->last);
	source.release(source.state);
	const struct snapshot *snapshot = take(&source);

	assert_true(snapshot->is_end);
	assert_false(snapshot->last);
	source.release(source.state);
	source.stop(source.state);
	assert_true(take(&source)->last);
	player_close(player);
}

/* What is not paced has everything, and then one that says so and is the last. */
static void test_all_of_it(void **state)
{
	const struct player_request request = { .path = path };

	(void)state;
	open_pipe();
	write_interval(two_pids, 2);
	write_interval(two_pids, 1);
	close(writer);
	struct player *player = start(&request);
	struct source source = player_source(player);

	for (int i = 0; i < 3; i++) {
		const struct snapshot *snapshot = take(&source);

		assert_int_equal(snapshot->session_count, 2 - i);
		assert_int_equal(snapshot->is_end, i == 2);
		assert_int_equal(snapshot->last, i == 2);
		source.release(source.state);
	}
	player_close(player);
}

/* What is being recorded is shown as soon as it is written, not when the one after it is. */
static void test_live_pipe(void **state)
{
	const struct player_request request = { .path = path };

	(void)state;
	open_pipe();
	write_interval(two_pids, 2);
	struct player *player = start(&request);
	struct source source = player_source(player);

	player_set_paced(player, true);
	take(&source);
	source.release(source.state);
	for (int i = 0; i < 5; i++) {
		struct pollfd ready = { .fd = source.fd(source.state), .events = POLLIN };
		const struct snapshot *snapshot;
		struct error error;

		usleep(30000); /* longer than the interval's 10 ms: it is waited for */
		assert_int_equal(source.take(source.state, &snapshot, &error), 0);
		assert_null(snapshot);
		assert_int_equal(poll(&ready, 1, 0), 0);
		uint64_t written_ns = clock_now_ns();

		write_interval(two_pids, 1 + (size_t)i % 2);
		assert_int_equal(take(&source)->session_count, 1 + i % 2);
		assert_true(
		    clock_now_ns() - written_ns < 1000000000); /* one interval late would never come */
		source.release(source.state);
	}
	close(writer);
	assert_true(take(&source)->is_end);
	player_close(player);
}

/* The reader waits for the pipe and is left behind: what it works on has to stay, the caller's PIDs may go. */
static void test_reader_left_behind(void **state)
{
	uint32_t *pids = malloc(sizeof *pids);
	const struct player_request request = { .path = path, .filter = { 0, pids, 1 } };

	(void)state;
	assert_non_null(pids);
	*pids = 5;
	open_pipe();
	write_interval(two_pids, 2);
	write_interval(two_pids, 2);
	struct player *player = start(&request);
	struct source source = player_source(player);

	for (int i = 0; i < 2; i++) {
		take(&source);
		source.release(source.state);
	}
	usleep(100000); /* until it reads again */
	player_close(player);
	*pids = 0;
	free(pids);
	write_interval(two_pids, 2);
	write_interval(two_pids, 2);
	usleep(200000); /* for a sanitizer to see what the reader touches; it goes on waiting for the pipe */
}

/* A file can be sought: back, while the reader has another interval ready, and from its end; a pipe cannot. */
static void test_seek(void **state)
{
	const struct player_request request = { .path = path };
	struct play play = { .is_paused = true };
	char name[] = "/tmp/tcptop_player_XXXXXX";

	(void)state;
	writer = mkstemp(name);
	assert_true(writer >= 0);
	for (size_t i = 0; i < 4; i++)
		write_interval(two_pids, i % 2 + 1);
	close(writer);
	snprintf(path, sizeof path, "%s", name);
	reader = dup(STDIN_FILENO);
	struct player *player = start(&request);
	struct source source = player_source(player);

	assert_true(player_can_seek(player));
	player_set_paced(player, true);
	/* Paused it runs to the second one, and stays there. */
	play.run_to = 2;
	source.play(source.state, &play);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(take(&source)->session_count, i + 1);
		source.release(source.state);
	}
	struct pollfd ready = { .fd = source.fd(source.state), .events = POLLIN };

	assert_int_equal(poll(&ready, 1, 100), 0);
	/* To its end, and from there twice to what follows the first one. */
	play.run_to = UINT64_MAX;
	source.play(source.state, &play);
	for (size_t i = 2; i < 4; i++) {
		assert_int_equal(take(&source)->session_count, i % 2 + 1);
		source.release(source.state);
	}
	assert_true(take(&source)->is_end);
	source.release(source.state);
	for (int i = 0; i < 2; i++) {
		play = (struct play){ .is_paused = true, .run_to = 2, .is_seek = true, .position = 1 };
		source.play(source.state, &play);
		assert_int_equal(take(&source)->session_count, 2);
		source.release(source.state);
	}
	/* From the beginning */
	play = (struct play){ .is_paused = true, .run_to = 4, .is_seek = true, .position = 0 };
	source.play(source.state, &play);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(take(&source)->session_count, i % 2 + 1);
		source.release(source.state);
	}
	player_close(player);
	unlink(name);
	open_pipe();
	write_interval(two_pids, 1);
	player = start(&request);
	assert_false(player_can_seek(player));
	close(writer);
	player_close(player);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter_and_count),
		cmocka_unit_test(test_paced),
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_live_pipe),
		cmocka_unit_test(test_seek),
		cmocka_unit_test(test_reader_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
