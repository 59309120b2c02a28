/* SPDX-License-Identifier: Apache-2.0 */
/* The module itself is included for its static functions. */
#include "output/csv.c"

#include <locale.h>

#include "golden/golden.h"
#include "names/names.h"
#include "tell_names.h"

static char *show(const struct snapshot *snapshot, const struct cgroup_told *known)
{
	struct run run = {
		.interval_ns = 1000000000, .method = PROBE_TRACEPOINT, .names = names_open(NULL, NULL)
	};
	struct error error;
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);
	void *state;

	tell_names(run.names, known);
	assert_int_equal(renderer_csv.open(&state, &run, stream, &error), 0);
	assert_int_equal(renderer_csv.show(state, snapshot, &error), 0);
	renderer_csv.close(state);
	fclose(stream);
	names_close(run.names);
	return output;
}

static void golden_files(void **state)
{
	static const struct cgroup_told web = { .id = 4711,
		.texts = { [CGROUP_NAME] = "@shop,\"web\"",
		    [CGROUP_PATH] = "/kubepods/\xff\n",
		    [CGROUP_POD] = "-web" } };
	struct snapshot snapshot;
	char *output;

	(void)state;
	sample_fill(&snapshot, sample_find("ipv4"));
	snapshot.other = (struct session_other){ .calls = 3, .rx_bytes = 1001, .tx_bytes = 7 };
	output = show(&snapshot, &web);
	golden_expect("csv_ipv4.csv", output, strlen(output));
	free(output);
	snapshot_fini(&snapshot);
	sample_fill(&snapshot, sample_find("names"));
	output = show(&snapshot, NULL);
	golden_expect("csv_names.csv", output, strlen(output));
	free(output);
	snapshot_fini(&snapshot);
	sample_fill_sockets(&snapshot);
	output = show(&snapshot, NULL);
	golden_expect("csv_sockets.csv", output, strlen(output));
	free(output);
	snapshot_fini(&snapshot);
}

static void cells_are_harmless(void **state)
{
	static const struct {
		const char *text, *cell;
	} rows[] = {
		{ "nginx", "nginx" },
		{ "", "" },
		{ "a b", "\"a b\"" },
		{ "a,b", "\"a,b\"" },
		{ "say \"x\"", "\"say \"\"x\"\"\"" },
		{ "=1+1", "'=1+1" },
		{ "+1", "'+1" },
		{ "-1", "'-1" },
		{ "@SUM(A1)", "'@SUM(A1)" },
		{ "'=1", "''=1" },
		{ "=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\"" },
		{ "=\"a\"", "\"'=\"\"a\"\"\"" },
		{ "\t=1", "\\x09=1" },
		{ "\r=1", "\\x0d=1" },
		{ "a\nb", "a\\x0ab" },
		{ "a=b", "a=b" },
		{ "\xff", "\\xff" },
		{ "\u202e", "\\u202e" },
		{ "\uFF1D1", "'\uFF1D1" },
		{ "caf\u00e9", "caf\u00e9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		char *output;
		size_t length;
		FILE *stream = open_memstream(&output, &length);

		put_text(stream, rows[i].text, strlen(rows[i].text));
		fclose(stream);
		assert_string_equal(output, rows[i].cell);
		free(output);
	}
}

static void write_errors(void **state)
{
	struct run run = { .method = PROBE_FENTRY };
	struct snapshot snapshot;
	struct error error;
	FILE *full = fopen("/dev/full", "w");
	struct csv csv = { .stream = full };
	void *refused;

	(void)state;
	sample_fill(&snapshot, sample_find("both"));
	owners_init(&csv.owners, &run);
	assert_int_equal(renderer_csv.open(&refused, &run, full, &error), -ENOSPC);
	assert_int_equal(error.exit_code, EXIT_CODE_OUTPUT);
	clearerr(full);
	assert_int_equal(renderer_csv.show(&csv, &snapshot, &error), -ENOSPC);
	fclose(full);
	snapshot_fini(&snapshot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_files),
		cmocka_unit_test(cells_are_harmless),
		cmocka_unit_test(write_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
