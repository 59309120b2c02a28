/* SPDX-License-Identifier: Apache-2.0 */
/* A recording cannot make its reader take any amount of memory; what no memory, or no byte, is there for is not taken for the recording's fault. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "model/snapshot.h"
#include "output/recording.h"

/* Each line of a cgroup may have long texts: their bytes are counted, not the lines. */
static void cgroups_of_an_interval_are_bounded(void **state)
{
	enum { LINES = 17000, TEXT = 4000 };
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;
	char text[TEXT + 1];
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	snapshot_init(&snapshot);
	memset(text, 'x', TEXT);
	text[TEXT] = '\0';
	for (int i = 1; i <= LINES; i++)
		fprintf(file, "{\"type\":\"cgroup\",\"cgroup_id\":%d,\"path\":\"/%s\"}\n", i, text);
	rewind(file);
	assert_int_equal(recording_open_stream(&replay, file, "a file", &error), 0);
	assert_true(recording_next(replay, &snapshot, &error) < 0);
	assert_non_null(strstr(error.text, "over 64 MB of cgroups"));
	recording_close(replay);
	snapshot_fini(&snapshot);
}

#define LINE                                                                                   \
	"{\"type\":\"interval\",\"time\":\"2026-11-22T10:42:17Z\",\"interval_s\":1,\"probe\":" \
	"\"tracepoint\","                                                                      \
	"\"not_counted\":[\"a long name of what is not counted\"],\"missed_runs\":123456789012345678}\n"

/* Each byte comes late, through a pipe that does not block. */
static void a_pipe_without_bytes_has_not_ended(void **state)
{
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;
	int ends[2], status;

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	pid_t writer = fork();

	if (writer == 0) {
		for (const char *at = LINE LINE; *at; at++)
			if (write(ends[1], at, 1) != 1 || usleep(100) != 0)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(recording_open_stream(&replay, fdopen(ends[0], "r"), "a pipe", &error), 0);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.missed_runs, 123456789012345678);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(recording_next(replay, &snapshot, &error), 0);
	recording_close(replay);
	snapshot_fini(&snapshot);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
}

static unsigned allocations, failing;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return ++allocations == failing ? NULL : __real_malloc(size);
}

/* Wherever in the text memory runs out, that is said, be it in the last line, which might be cut off. */
static void want_of_memory_is_no_wrong_line(void **state)
{
	unsigned refused = 0;

	(void)state;
	for (failing = 1;; failing++) {
		static char text[] = LINE;
		struct recording *replay;
		struct snapshot snapshot;
		struct error error = { 0 };
		int got;

		snapshot_init(&snapshot);
		assert_int_equal(
		    recording_open_stream(&replay, fmemopen(text, sizeof text - 2, "r"), "a text", &error),
		    0);
		allocations = 0;
		got = recording_next(replay, &snapshot, &error);
		unsigned asked = allocations;

		if (got < 0) {
			assert_int_equal(got, -ENOMEM);
			assert_non_null(strstr(error.text, "memory"));
			refused++;
		} else {
			assert_int_equal(got, 1);
			assert_int_equal(snapshot.missed_runs, 123456789012345678);
		}
		recording_close(replay);
		snapshot_fini(&snapshot);
		if (asked < failing)
			break;
	}
	assert_true(refused > 10);
	failing = 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroups_of_an_interval_are_bounded),
		cmocka_unit_test(a_pipe_without_bytes_has_not_ended),
		cmocka_unit_test(want_of_memory_is_no_wrong_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
