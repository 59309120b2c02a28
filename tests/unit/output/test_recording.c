/* SPDX-License-Identifier: Apache-2.0 */
/* The module itself is included: three sessions, not 4 million, are too many for a test's recording. */
#include "output/recording.c"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof *(array))

#define COMMON "\"time\":\"2026-11-22T10:42:17.250Z\",\"interval_s\":1.5"
#define SESSION                                                                                            \
	"{\"type\":\"session\"," COMMON                                                                    \
	",\"pid\":181,\"comm\":\"sshd\",\"family\":4,\"laddr\":\"10.0.0.5\","                              \
	"\"lport\":22,\"raddr\":\"192.0.2.1\",\"rport\":6684,\"netns\":4026531840,\"rx_bytes\":1021,\"tx_" \
	"bytes\":2149000}\n"
#define INTERVAL                                                                                           \
	"{\"type\":\"interval\"," COMMON                                                                   \
	",\"sessions\":1,\"rx_bytes\":1021,\"tx_bytes\":2149000,\"other_calls\":2,"                        \
	"\"other_rx_bytes\":9,\"other_tx_bytes\":8,\"probe\":\"tracepoint\",\"not_counted\":[\"splice_io_" \
	"uring\"],"                                                                                        \
	"\"missed_runs\":4}\n"

static char path[] = "/tmp/tcptop_replay_XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int open_text(struct recording **replay, const char *text, size_t length, struct error *error)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	fclose(file);
	int err = recording_open(replay, path, error);

	if (err < 0)
		return err;
	err = recording_start(*replay, error);
	if (err < 0) {
		recording_close(*replay);
		*replay = NULL;
	}
	return err;
}

static void everything_recorded_comes_back(void **state)
{
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;
	size_t count;
	static const char text[] = SESSION INTERVAL "\n" INTERVAL;

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(open_text(&replay, text, sizeof text - 1, &error), 0);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.session_count, 1);
	assert_int_equal(snapshot.interval_ns, 1500000000);
	assert_int_equal(snapshot.time.tv_sec, 1795344137);
	assert_int_equal(snapshot.time.tv_nsec, 250000000);
	assert_int_equal(snapshot.rx_bytes, 1030);
	assert_int_equal(snapshot.tx_bytes, 2149008);
	assert_int_equal(snapshot.other.calls, 2);
	assert_int_equal(snapshot.missed_runs, 4);
	const struct session *session = &snapshot.sessions[0];

	assert_int_equal(session->family, 4);
	assert_memory_equal(session->laddr, "\x0a\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(session->lport, 22);
	assert_int_equal(session->rport, 6684);
	assert_int_equal(session->pid, 181);
	assert_int_equal(session->netns, 4026531840u);
	assert_int_equal(session->uid, UINT32_MAX);
	assert_int_equal(session->rx_bytes, 1021);
	assert_string_equal(session->comm, "sshd");
	assert_int_equal(recording_method(replay), PROBE_TRACEPOINT);
	assert_string_equal(recording_not_counted(replay, &count)[0], "splice_io_uring");
	assert_int_equal(count, 1);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.session_count, 0);
	assert_int_equal(recording_next(replay, &snapshot, &error), 0);
	recording_close(replay);
	recording_close(NULL);
	snapshot_fini(&snapshot);
}

#define START                                                                                        \
	"{\"type\":\"start\",\"schema\":1,\"time\":\"2026-11-22T10:42:16.125Z\",\"tcptop\":\"0.9\"," \
	"\"host\":\"?\","                                                                            \
	"\"host_hex\":\"ff77\",\"monotonic_ms\":4294967301,\"filters\":[\"--comm=\\u202e\",\"--pid=1\"]}\n"
#define CGROUP(names) "{\"type\":\"cgroup\"," COMMON ",\"cgroup_id\":7," names "}\n"

static void where_it_was_counted_comes_back(void **state)
{
	static const char text[] = START CGROUP("\"path\":\"/a\",\"path_hex\":\"2f61ff\",\"pod\":\"web\"")
	    SESSION INTERVAL CGROUP("\"pid\":5,\"name\":\"x\"") INTERVAL
	    "{\"type\":\"start\",\"host\":\"other\"}\n" INTERVAL;
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(open_text(&replay, text, sizeof text - 1, &error), 0);
	const struct origin *origin = recording_origin(replay);

	assert_non_null(origin);
	assert_string_equal(origin->version, "0.9");
	assert_string_equal(origin->host, "\xffw");
	assert_null(origin->boot_id);
	assert_true(origin->start_ns == UINT64_C(1795344136125000000));
	assert_true(origin->monotonic_ms == UINT64_C(4294967301));
	assert_string_equal(origin->filters, "\"--comm=\\u202E\",\"--pid=1\"");
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.told.count, 1);
	assert_true(snapshot.told.items[0]->id == 7);
	assert_string_equal(snapshot.told.items[0]->texts[CGROUP_PATH], "/a\xff");
	assert_string_equal(snapshot.told.items[0]->texts[CGROUP_POD], "web");
	assert_null(snapshot.told.items[0]->texts[CGROUP_NAME]);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.told.count, 1);
	assert_int_equal(snapshot.told.items[0]->pid, 5);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.told.count, 0);
	assert_string_equal(recording_origin(replay)->host, "\xffw"); /* of several the first one */
	recording_close(replay);
	snapshot_fini(&snapshot);
}

static void wrong_facts_are_refused(void **state)
{
	static const char *const texts[] = {
		CGROUP("\"path\":1") INTERVAL,
		CGROUP("\"path_hex\":\"0g\"") INTERVAL,
		CGROUP("\"pid\":-1") INTERVAL,
		"{\"type\":\"cgroup\"," COMMON "}\n" INTERVAL,
		"{\"type\":\"start\",\"time\":\"yesterday\"}\n" INTERVAL,
		"{\"type\":\"start\",\"host\":[]}\n" INTERVAL,
	};
	struct recording *replay;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		if (open_text(&replay, texts[i], strlen(texts[i]), &error) != -EINVAL)
			fail_msg("not refused: %s", texts[i]);
}

static void a_recording_that_was_cut_off_ends_with_what_there_is(void **state)
{
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;
	static const char text[] = SESSION INTERVAL SESSION SESSION;

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(open_text(&replay, text, sizeof text - 1, &error), 0);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.session_count, 2);
	assert_int_equal(snapshot.interval_ns, 1500000000);
	assert_int_equal(recording_next(replay, &snapshot, &error), 0);
	recording_close(replay);
	snapshot_fini(&snapshot);
}

/* Killed in the middle of a line: whatever is left of it, the sessions before it are told. */
static void a_recording_may_end_in_the_middle_of_a_line(void **state)
{
	static const char text[] = SESSION INTERVAL SESSION SESSION;
	const size_t whole = sizeof SESSION - 1 + sizeof INTERVAL - 1 + sizeof SESSION - 1;
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;

	(void)state;
	snapshot_init(&snapshot);
	for (size_t length = whole; length < sizeof text - 2; length++) {
		assert_int_equal(open_text(&replay, text, length, &error), 0);
		assert_int_equal(recording_next(replay, &snapshot, &error), 1);
		assert_int_equal(recording_next(replay, &snapshot, &error), 1);
		assert_int_equal(snapshot.session_count, 1);
		assert_int_equal(recording_next(replay, &snapshot, &error), 0);
		recording_close(replay);
	}
	snapshot_fini(&snapshot);
}

static void what_stands_before_a_bad_line_is_told_first(void **state)
{
	static const char text[] = SESSION INTERVAL SESSION "{\"type\":\"session\"}\n" INTERVAL;
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(open_text(&replay, text, sizeof text - 1, &error), 0);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.session_count, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(recording_next(replay, &snapshot, &error), -EINVAL);
		assert_non_null(strstr(error.text, "line 4"));
	}
	recording_close(replay);
	snapshot_fini(&snapshot);
}

/* Else a file of sessions alone takes all memory. */
static void an_interval_without_an_end_is_refused(void **state)
{
	static const char text[] = SESSION SESSION SESSION INTERVAL SESSION SESSION SESSION SESSION INTERVAL;
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;

	(void)state;
	snapshot_init(&snapshot);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(recording_open(&replay, path, &error), 0);
	replay->sessions_max = 3;
	assert_int_equal(recording_start(replay, &error), 0);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.session_count, 3);
	assert_int_equal(recording_next(replay, &snapshot, &error), -EINVAL);
	assert_non_null(strstr(error.text, "line 8"));
	assert_non_null(strstr(error.text, "over 3 connections"));
	recording_close(replay);
	snapshot_fini(&snapshot);
}

static void names_that_are_no_text_come_back_exactly(void **state)
{
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;
	static const char text[] =
	    "{\"type\":\"session\"," COMMON
	    ",\"pid\":1,\"comm\":\"\\u001b[\\ufffd\",\"comm_hex\":\"1b5bfF\",\"family\":6,"
	    "\"laddr\":\"::1\",\"lport\":1,\"raddr\":\"::2\",\"rport\":2,\"rx_bytes\":1,\"tx_bytes\":1,"
	    "\"uid\":33}\n" INTERVAL;

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(open_text(&replay, text, sizeof text - 1, &error), 0);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_string_equal(snapshot.sessions[0].comm, "\x1b[\xff");
	assert_int_equal(snapshot.sessions[0].uid, 33);
	assert_int_equal(snapshot.sessions[0].raddr[15], 2);
	recording_close(replay);
	snapshot_fini(&snapshot);
}

static void what_is_no_recording_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *because;
	} cases[] = {
		{ "", "no interval" },
		{ "\n\n", "no interval" },
		{ "Tracing... Output every 1 secs.\n", "line 1" },
		{ "[]\n", "line 1" },
		{ "{}\n", "line 1" },
		{ "{\"type\":\"session\"}\n", "interval_s" },
		{ "{\"type\":\"interval\"}\n", "interval_s" },
		{ "{\"type\":\"interval\",\"time\":\"2026-11-22T10:42:17.250Z\",\"interval_s\":-1}\n",
		    "interval_s" },
		{ "{\"type\":\"interval\",\"time\":\"2026-11-22T10:42:17.250Z\",\"interval_s\":1e300}\n",
		    "interval_s" },
		{ "{\"type\":\"interval\",\"time\":\"yesterday\",\"interval_s\":1}\n", "time" },
		{ "{\"type\":\"interval\"," COMMON ",\"missed_runs\":-1}\n",
		    "missed_runs is no whole number, or out of range" },
		{ "{\"type\":\"interval\"," COMMON ",\"other_calls\":1.5}\n",
		    "other_calls is no whole number" },
		{ "{\"type\":\"session\"," COMMON "}\n", "line 1: pid is missing" },
		{ "{\"type\":\"session\"," COMMON ",\"pid\":4294967296}\n",
		    "pid is no whole number, or out of" },
		{ "{\"type\":\"session\"," COMMON ",\"pid\":1}\n", "comm is missing" },
		{ "{\"type\":\"session\"," COMMON ",\"pid\":1,\"comm\":\"x\",\"comm_hex\":\"1\"}\n",
		    "comm_hex has a byte that is not two hex digits" },
		{ "{\"type\":\"session\"," COMMON ",\"pid\":1,\"comm\":\"x\"}\n", "family is missing" },
		{ "{\"type\":\"session\"," COMMON ",\"pid\":1,\"comm\":\"x\",\"family\":5}\n",
		    "family is neither 4 nor 6" },
		{ "{\"type\":\"session\"," COMMON ",\"pid\":1,\"comm\":\"x\",\"family\":-4}\n",
		    "family is neither 4 nor 6" },
		{ "{\"type\":\"session\"," COMMON
		  ",\"pid\":1,\"comm\":\"x\",\"family\":4,\"laddr\":\"::1\"}\n",
		    "laddr is no address of its family" },
		{ "{\"type\":\"session\"," COMMON
		  ",\"pid\":1,\"comm\":\"x\",\"family\":4,\"laddr\":\"1.1.1.1\",\"lport\":65536}\n",
		    "lport is no whole number, or out of range" },
	};
	struct recording *replay;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_true(open_text(&replay, cases[i].text, strlen(cases[i].text), &error) < 0);
		assert_null(replay);
		assert_non_null(strstr(error.text, cases[i].because));
		assert_int_equal(error.exit_code, EXIT_CODE_RUNTIME);
	}
	assert_true(recording_open(&replay, "/nonexistent/recording", &error) < 0);
	assert_non_null(strstr(error.text, "/nonexistent/recording"));
}

/* Of a stream that goes on, an interval is there as soon as its line is. */
static void a_stream_is_followed(void **state)
{
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;
	int fds[2];

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(recording_open_stream(&replay, fdopen(fds[0], "r"), "a pipe", &error), 0);
	for (int i = 0; i < 2; i++) {
		dprintf(fds[1], "%s", SESSION SESSION INTERVAL);
		assert_int_equal(recording_next(replay, &snapshot, &error), 1);
		assert_int_equal(snapshot.session_count, 2);
		assert_int_equal(snapshot.missed_runs, 4);
	}
	dprintf(fds[1], "{}\n");
	assert_true(recording_next(replay, &snapshot, &error) < 0);
	assert_non_null(strstr(error.text, "a pipe, line 7"));
	close(fds[1]);
	assert_true(recording_next(replay, &snapshot, &error) < 0);
	recording_close(replay);
	snapshot_fini(&snapshot);
}

#define STAMPED(time, length)                                                 \
	"{\"type\":\"interval\",\"time\":\"" time "\",\"interval_s\":" length \
	",\"sessions\":0,\"rx_bytes\":5,\"tx_bytes\":0,\"other_rx_bytes\":5}\n"

/* Each millisecond, and the other lengths that a second's fraction may have. */
static void times_are_exact(void **state)
{
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;
	char text[256];

	(void)state;
	snapshot_init(&snapshot);
	for (long ms = 0; ms < 1000; ms++) {
		snprintf(text, sizeof text, STAMPED("2026-11-22T10:42:17.%03ldZ", "1.00"), ms);
		assert_int_equal(open_text(&replay, text, strlen(text), &error), 0);
		assert_int_equal(recording_next(replay, &snapshot, &error), 1);
		assert_int_equal(snapshot.time.tv_sec, 1795344137);
		assert_int_equal(snapshot.time.tv_nsec, ms * 1000000);
		recording_close(replay);
	}
	static const struct {
		const char *text;
		long ns;
	} times[] = {
		{ STAMPED("2026-11-22T10:42:17Z", "1"), 0 },
		{ STAMPED("2026-11-22T10:42:17.5Z", "1"), 500000000 },
		{ STAMPED("2026-11-22T10:42:17.123456789Z", "1"), 123456789 },
		{ STAMPED("2026-11-22T10:42:17.1234567899Z", "1"), 123456789 },
		{ STAMPED("2026-11-22T10:42:17,123Z", "1"), -1 },
		{ STAMPED("2026-11-22T10:42:17.123", "1"), -1 },
		{ STAMPED("2026-11-22T10:42:17.12 Z", "1"), -1 },
		{ STAMPED("2026-11-22T10:42:61.123Z", "1"), -1 },
		{ STAMPED("2026-11-22T10:42:-1.123Z", "1"), -1 },
	};
	for (size_t i = 0; i < ARRAY_LENGTH(times); i++) {
		int err = open_text(&replay, times[i].text, strlen(times[i].text), &error);

		assert_int_equal(err, times[i].ns < 0 ? -EINVAL : 0);
		if (err)
			continue;
		assert_int_equal(recording_next(replay, &snapshot, &error), 1);
		assert_int_equal(snapshot.time.tv_nsec, times[i].ns);
		recording_close(replay);
	}
	snapshot_fini(&snapshot);
}

/* What a run that is cut short right after an interval writes for the rest. */
static void an_interval_of_no_length_has_bytes(void **state)
{
	static const char text[] = STAMPED("2026-11-22T10:42:17.123Z", "0.0000");
	struct recording *replay;
	struct snapshot snapshot;
	struct error error;

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(open_text(&replay, text, sizeof text - 1, &error), 0);
	assert_int_equal(recording_next(replay, &snapshot, &error), 1);
	assert_int_equal(snapshot.interval_ns, 0);
	assert_int_equal(snapshot.rx_bytes, 5);
	assert_false(snapshot.is_end);
	recording_close(replay);
	snapshot_fini(&snapshot);
}

/* A true recording with single bytes changed: each is read or refused, and no sanitizer has a word to say. */
static void damaged_recordings_do_no_harm(void **state)
{
	static const char text[] = SESSION SESSION INTERVAL SESSION INTERVAL;
	char damaged[sizeof text];
	struct snapshot snapshot;
	unsigned read = 0, refused = 0;

	(void)state;
	snapshot_init(&snapshot);
	srand(9);
	for (int i = 0; i < 1500; i++) {
		struct recording *replay;
		struct error error;
		int got;

		memcpy(damaged, text, sizeof text);
		for (int j = rand() % 4; j >= 0; j--)
			damaged[(size_t)rand() % (sizeof text - 1)] =
			    (char)(rand() % 3 ? 32 + rand() % 95 : rand());
		got = open_text(&replay, damaged, 1 + (size_t)rand() % (sizeof text - 1), &error);
		if (got == 0) {
			while ((got = recording_next(replay, &snapshot, &error)) > 0)
				continue;
			recording_close(replay);
		}
		read += got == 0;
		refused += got < 0;
	}
	assert_true(read > 0 && refused > 0);
	snapshot_fini(&snapshot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_recorded_comes_back),
		cmocka_unit_test(where_it_was_counted_comes_back),
		cmocka_unit_test(wrong_facts_are_refused),
		cmocka_unit_test(a_recording_that_was_cut_off_ends_with_what_there_is),
		cmocka_unit_test(a_recording_may_end_in_the_middle_of_a_line),
		cmocka_unit_test(what_stands_before_a_bad_line_is_told_first),
		cmocka_unit_test(an_interval_without_an_end_is_refused),
		cmocka_unit_test(names_that_are_no_text_come_back_exactly),
		cmocka_unit_test(what_is_no_recording_is_refused_with_its_line),
		cmocka_unit_test(a_stream_is_followed),
		cmocka_unit_test(times_are_exact),
		cmocka_unit_test(an_interval_of_no_length_has_bytes),
		cmocka_unit_test(damaged_recordings_do_no_harm),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
