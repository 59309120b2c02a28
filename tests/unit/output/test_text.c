/* SPDX-License-Identifier: Apache-2.0 */
/* The module itself is included: the time and the load averages of a summary line go into static functions. */
#include "output/text.c"

#include <locale.h>
#include <regex.h>
#include <signal.h>
#include <unistd.h>

#include "golden/golden.h"

static const struct tm ten_forty_two = { .tm_hour = 10, .tm_min = 2, .tm_sec = 7 };

static void expect_golden(const char *golden, const struct sample *sample, bool summary, bool utf8)
{
	struct text text = { .summary = summary, .utf8 = utf8 };
	struct snapshot snapshot;
	struct error error;
	char *output;
	size_t length;

	text.stream = open_memstream(&output, &length);
	assert_non_null(text.stream);
	sample_fill(&snapshot, sample);
	assert_int_equal(
	    print_interval(&text, &snapshot, &ten_forty_two, "1.86 2.67 2.91 3/362 16681", &error), 0);
	fclose(text.stream);
	golden_expect(golden, output, length);
	free(output);
	snapshot_fini(&snapshot);
}

static void test_golden(void **state)
{
	char golden[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		snprintf(golden, sizeof golden, "text_%s.txt", samples[i].name);
		expect_golden(golden, &samples[i], true, true);
	}
}

static void test_golden_variants(void **state)
{
	(void)state;
	expect_golden("text_both_nosummary.txt", sample_find("both"), false, true);
	expect_golden("text_ipv6_nosummary.txt", sample_find("ipv6"), false, true);
	expect_golden("text_empty_nosummary.txt", sample_find("empty"), false, true);
	expect_golden("text_names_ascii.txt", sample_find("names"), true, false);
}

/* Opens, shows the sample twice and closes: all that reaches stdout. For free(). */
static char *print(const struct run *run, const char *sample)
{
	struct snapshot snapshot;
	struct error error;
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);
	void *state;

	assert_non_null(stream);
	sample_fill(&snapshot, sample_find(sample));
	assert_int_equal(renderer_text.open(&state, run, stream, &error), 0);
	assert_true(length > 0); /* flushed: seen before the first interval ends */
	assert_int_equal(renderer_text.show(state, &snapshot, &error), 0);
	assert_int_equal(renderer_text.show(state, &snapshot, &error), 0);
	renderer_text.close(state);
	fclose(stream);
	snapshot_fini(&snapshot);
	return output;
}

static void test_whole_run(void **state)
{
	struct run run = { .live = true, .interval_ns = 1000000000, .no_summary = true };
	char *output = print(&run, "ipv4");

	(void)state;
	golden_expect("text_whole_run.txt", output, strlen(output));
	free(output);
}

static void test_summary_line(void **state)
{
	static const char pattern[] =
	    "^Tracing\\.\\.\\. Output every 0\\.5 secs\\. Hit Ctrl-C to end\n"
	    "(\n10:42:17 loadavg: [0-9.]+ [0-9.]+ [0-9.]+ [0-9]+/[0-9]+ [0-9]+\n\n){2}$";
	struct run run = { .live = true, .interval_ns = 500000000 };
	char *output;
	regex_t regex;

	(void)state;
	assert_int_equal(setenv("TZ", "UTC0", 1), 0);
	tzset();
	output = print(&run, "empty");
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, output, 0, NULL, 0) != 0)
		fail_msg("no match:\n%s", output);
	regfree(&regex);
	free(output);
}

static void test_local_time(void **state)
{
	struct run run = { .live = true, .interval_ns = 1000000000 };
	char *output;

	(void)state;
	assert_int_equal(setenv("TZ", "XYZ-05:30", 1), 0);
	tzset();
	output = print(&run, "empty");
	assert_non_null(strstr(output, "\n16:12:17 loadavg: "));
	free(output);
}

static void test_seconds(void **state)
{
	static const struct {
		uint64_t interval_ns;
		const char *expected;
	} rows[] = {
		{ 10000000, "0.01" },
		{ 500000000, "0.5" },
		{ 1000000000, "1" },
		{ 1000000001, "1.000000001" },
		{ 10000000000, "10" },
		{ UINT64_C(31536000000000000), "31536000" },
	};
	char buffer[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		format_seconds(buffer, sizeof buffer, rows[i].interval_ns);
		assert_string_equal(buffer, rows[i].expected);
	}
}

static void expect_losses(const struct snapshot *snapshot, const char *expected)
{
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);

	assert_non_null(stream);
	losses_print(stream, snapshot);
	fclose(stream);
	assert_string_equal(output, expected);
	free(output);
}

static void test_losses(void **state)
{
	struct snapshot snapshot;

	(void)state;
	snapshot_init(&snapshot);
	expect_losses(&snapshot, "");
	snapshot.other = (struct session_other){ .calls = 3, .rx_bytes = 1001, .tx_bytes = 7 };
	expect_losses(&snapshot,
	    "tcptop: table full: other connections, not listed, received 1001 and sent 7 bytes in "
	    "3 calls; raise --max-sessions\n");
	snapshot.other = (struct session_other){ 0 };
	snapshot.missed_runs = 12;
	expect_losses(&snapshot,
	    "tcptop: the kernel skipped 12 probe runs in this interval: their bytes are missing\n");
}

static void test_disk_full(void **state)
{
	struct run run = { .live = true, .interval_ns = 1000000000 };
	FILE *full = fopen("/dev/full", "w");
	struct text text = { .stream = full, .summary = true };
	struct snapshot snapshot;
	struct error error = { 0 };
	void *renderer;

	(void)state;
	assert_non_null(full);
	assert_int_equal(renderer_text.open(&renderer, &run, full, &error), -ENOSPC);
	assert_null(renderer);
	assert_int_equal(error.exit_code, EXIT_CODE_OUTPUT);
	assert_string_equal(error.text, "cannot write the output: No space left on device");
	renderer_text.close(renderer);

	memset(&error, 0, sizeof error);
	sample_fill(&snapshot, sample_find("both"));
	assert_int_equal(renderer_text.show(&text, &snapshot, &error), -ENOSPC);
	assert_int_equal(error.exit_code, EXIT_CODE_OUTPUT);
	snapshot_fini(&snapshot);
	fclose(full);
}

static void test_reader_gone(void **state)
{
	struct text text = { .summary = true };
	struct snapshot snapshot;
	struct error error;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	text.stream = fdopen(ends[1], "w");
	assert_non_null(text.stream);
	sample_fill(&snapshot, sample_find("both"));
	assert_int_equal(renderer_text.show(&text, &snapshot, &error), 0);
	close(ends[0]);
	assert_int_equal(renderer_text.show(&text, &snapshot, &error), -EPIPE);
	snapshot_fini(&snapshot);
	fclose(text.stream);
}

/* Many times a stream's buffer: every row is there once, in order. */
static void test_many_rows(void **state)
{
	struct run run = { .live = true, .interval_ns = 1000000000, .no_summary = true };
	struct snapshot snapshot;
	struct error error;
	char *output, *line;
	size_t length, rows = 0;
	FILE *stream = open_memstream(&output, &length);
	void *renderer;

	(void)state;
	assert_non_null(stream);
	snapshot_init(&snapshot);
	snapshot.interval_ns = 1000000000;
	for (uint32_t i = 0; i < 20000; i++) {
		struct session *session = snapshot_add(&snapshot);

		assert_non_null(session);
		session->family = 4;
		session->pid = 1 + i * UINT32_C(7919) % 20000; /* each of 1 to 20000 once */
		session->rx_bytes = 1024 * (20000 - session->pid);
	}
	assert_int_equal(renderer_text.open(&renderer, &run, stream, &error), 0);
	assert_int_equal(renderer_text.show(renderer, &snapshot, &error), 0);
	fclose(stream);
	line = strstr(output, "TX_KB\n");
	assert_non_null(line);
	for (line += strlen("TX_KB\n"); *line; line = strchr(line, '\n') + 1)
		assert_int_equal(strtoul(line, NULL, 10), ++rows);
	assert_int_equal(rows, 20000);
	renderer_text.close(renderer);
	snapshot_fini(&snapshot);
	free(output);
}

/* This snapshot only says that a recording has ended. */
static void test_end_of_a_recording(void **state)
{
	struct run run = { .live = true, .interval_ns = 1000000000, .no_summary = true };
	const struct renderer *const renderers[] = { &renderer_text, &renderer_json };
	struct snapshot snapshot;
	struct error error;

	(void)state;
	snapshot_init(&snapshot);
	snapshot.is_end = true;
	for (size_t i = 0; i < sizeof renderers / sizeof *renderers; i++) {
		char *output;
		size_t opened, length;
		FILE *stream = open_memstream(&output, &length);
		void *renderer;

		assert_non_null(stream);
		assert_int_equal(renderers[i]->open(&renderer, &run, stream, &error), 0);
		fflush(stream);
		opened = length;
		assert_int_equal(renderers[i]->show(renderer, &snapshot, &error), 0);
		fclose(stream);
		assert_int_equal(length, opened);
		renderers[i]->close(renderer);
		free(output);
	}
	snapshot_fini(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_of_a_recording),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_golden_variants),
		cmocka_unit_test(test_whole_run),
		cmocka_unit_test(test_summary_line),
		cmocka_unit_test(test_local_time),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_reader_gone),
		cmocka_unit_test(test_many_rows),
	};

	signal(SIGPIPE, SIG_IGN);
	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		fprintf(stderr, "the locale C.UTF-8 is needed for widths\n");
		return 1;
	}
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
