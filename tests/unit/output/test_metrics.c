/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/error.h"
#include "output/metrics.h"
#include "output/origin.h"
#include "output/renderer.h"

#include "golden/golden.h"
#include "names/names.h"

enum { PLACES = 200, THRESHOLD_BYTES = 10000 };

static const char *const not_counted[] = { "splice_tls", "odd\"id" };
static const struct origin origin = { .version = "9.8.7", .start_ns = UINT64_C(1795344136122000000) };

static struct run run_of(size_t places, uint64_t threshold_bytes)
{
	return (struct run){
		.method = PROBE_TRACEPOINT,
		.not_counted = not_counted,
		.not_counted_count = ARRAY_LENGTH(not_counted),
		.origin = &origin,
		.series_places = places,
		.series_threshold_bytes = threshold_bytes,
	};
}

static char *print(const struct metrics *metrics, enum metrics_head head)
{
	char *output;
	size_t length;
	FILE *stream = open_memstream(&output, &length);

	metrics_print(metrics, stream, head);
	fclose(stream);
	return output;
}

static void move(
    struct snapshot *snapshot, const char *comm, uint64_t cgroup_id, uint64_t rx_bytes, uint64_t tx_bytes)
{
	struct session *session = snapshot_add(snapshot);

	assert_non_null(session);
	session->pid = 1;
	session->cgroup_id = cgroup_id;
	snprintf(session->comm, sizeof session->comm, "%s", comm);
	session->rx_bytes = rx_bytes;
	session->tx_bytes = tx_bytes;
}

/* Both heads, hostile names, containers of each kind, and what has no series. */
static void golden_files(void **state)
{
	static const struct cgroup_told cgroups[] = {
		{ .id = 1,
		    .texts = { [CGROUP_NAME] = "shop/web/main",
		        [CGROUP_CONTAINER] = "main",
		        [CGROUP_CONTAINER_ID] = "0123",
		        [CGROUP_POD] = "web-\\7c\"5d",
		        [CGROUP_NAMESPACE] = "shop" } },
		{ .id = 2, .texts = { [CGROUP_NAME] = "docker:shop", [CGROUP_CONTAINER] = "shop" } },
		{ .id = 3, .texts = { [CGROUP_NAME] = "nginx.service", [CGROUP_UNIT] = "nginx.service" } },
	};
	static const struct {
		const char *file;
		enum metrics_head head;
	} files[] = { { "metrics_openmetrics.txt", METRICS_OPENMETRICS },
		{ "metrics_text.txt", METRICS_TEXT } };
	struct run run = run_of(10, 100);
	struct snapshot snapshot;
	struct metrics metrics;

	(void)state;
	run.names = names_open(NULL, NULL);
	snapshot_init(&snapshot);
	for (size_t i = 0; i < ARRAY_LENGTH(cgroups); i++)
		assert_int_equal(cgroup_list_add(&snapshot.told, &cgroups[i]), 0);
	move(&snapshot, "nginx", 1, 5000, 6000);
	move(&snapshot, "nginx", 2, 4000, 0);
	move(&snapshot, "nginx", 3, 3000, 0);
	move(&snapshot, "nginx", 4, 2000, 0); /* nothing is known of its cgroup */
	move(&snapshot, "\xff", 0, 1000, 1);
	move(&snapshot, "\\xff", 0, 1, 1000); /* the same, once it is escaped */
	move(&snapshot, "a\n\"b\"\\", 0, 900, 0);
	move(&snapshot, "\xE7\x8C\xAB\xE2\x80\xAE", 0, 800, 0);
	move(&snapshot, "", 0, 700, UINT64_C(9007199254740993));
	move(&snapshot, "small", 0, 60, 39);
	snapshot.other = (struct session_other){ .calls = 3, .rx_bytes = 1001, .tx_bytes = 7 };
	snapshot.missed_runs = 12;
	metrics_open(&metrics, &run);
	assert_int_equal(metrics_take(&metrics, &snapshot), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
		char *output = print(&metrics, files[i].head);

		golden_expect(files[i].file, output, strlen(output));
		free(output);
	}
	metrics_close(&metrics);
	names_close(run.names);
	snapshot_fini(&snapshot);
}

/* Of every line the value: {name and labels} may come once. */
struct value {
	char name[192];
	double value;
};

static size_t read_samples(char *output, struct value *values, size_t max)
{
	size_t count = 0;
	char *rest = output;

	for (char *line; (line = strsep(&rest, "\n"));) {
		char *blank = strrchr(line, ' ');

		if (*line == '#' || !blank)
			continue;
		assert_true(count < max);
		*blank = '\0';
		snprintf(values[count].name, sizeof values[count].name, "%s", line);
		values[count++].value = strtod(blank + 1, NULL);
	}
	return count;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct value *)a)->name, ((const struct value *)b)->name);
}

/*
 * 10,000 programs come and go, more than there is place for: no counter ever falls, none that was there goes, no name comes
 * twice, and all of them are what was moved.
 */
static void counters_only_grow(void **state)
{
	enum { COMMS = 10000, INTERVALS = 100, SAMPLES_MAX = 2 * PLACES + 32 };
	static struct value before[SAMPLES_MAX], now[SAMPLES_MAX];
	struct run run = run_of(PLACES, THRESHOLD_BYTES);
	struct metrics metrics;
	struct snapshot snapshot;
	uint64_t rx_bytes = 0, tx_bytes = 0;
	size_t before_count = 0;

	(void)state;
	srand(7);
	snapshot_init(&snapshot);
	metrics_open(&metrics, &run);
	for (int interval = 0; interval < INTERVALS; interval++) {
		snapshot_reset(&snapshot);
		for (int i = 0; i < COMMS; i++) {
			char comm[16];
			uint64_t rx = (uint64_t)(rand() % 12000), tx = (uint64_t)(rand() % 500);

			snprintf(comm, sizeof comm, "p%d", i < 100 ? i : rand() % COMMS);
			move(&snapshot, comm, 0, i % 7 ? rx / 50 : rx, tx);
		}
		snapshot.other.rx_bytes = (uint64_t)interval;
		snapshot_total(&snapshot);
		rx_bytes += snapshot.rx_bytes;
		tx_bytes += snapshot.tx_bytes;
		assert_int_equal(metrics_take(&metrics, &snapshot), 0);
		char *output = print(&metrics, METRICS_TEXT);
		size_t count = read_samples(output, now, SAMPLES_MAX);
		uint64_t rx_sum = 0, tx_sum = 0;

		free(output);
		qsort(now, count, sizeof *now, compare_names);
		for (size_t i = 0; i < count; i++) {
			assert_true(i == 0 || strcmp(now[i - 1].name, now[i].name) != 0);
			if (strstr(now[i].name, "receive_bytes_total"))
				rx_sum += (uint64_t)now[i].value;
			else if (strstr(now[i].name, "transmit_bytes_total"))
				tx_sum += (uint64_t)now[i].value;
		}
		assert_int_equal(rx_sum, rx_bytes);
		assert_int_equal(tx_sum, tx_bytes);
		for (size_t i = 0; i < before_count; i++) {
			const struct value *same =
			    bsearch(&before[i], now, count, sizeof *now, compare_names);

			if (!same || (strstr(same->name, "_total") && same->value < before[i].value))
				fail_msg("%s fell", before[i].name);
		}
		memcpy(before, now, count * sizeof *now);
		before_count = count;
	}
	assert_int_equal(metrics.series.admitted.count, PLACES);
	assert_true(metrics.series.folded > 1000);
	metrics_close(&metrics);
	snapshot_fini(&snapshot);
}

/* The most come first, below the threshold none, and a place is never given up. */
static void places_go_to_the_largest(void **state)
{
	struct series_set set;

	(void)state;
	series_init(&set, 2, 100);
	assert_int_equal(series_add(&set, "a", 50, 49), 0);
	assert_int_equal(series_end_interval(&set), 0);
	assert_int_equal(set.admitted.count, 0);
	assert_int_equal(set.folded, 1);
	assert_int_equal(series_add(&set, "a", 50, 0), 0);
	assert_int_equal(series_add(&set, "b", 0, 150), 0);
	assert_int_equal(series_add(&set, "c", 140, 0), 0);
	assert_int_equal(series_add(&set, "a", 0, 60), 0); /* twice in an interval: 110 */
	assert_int_equal(series_end_interval(&set), 0);
	assert_int_equal(set.admitted.count, 2);
	assert_string_equal(set.admitted.items[0]->labels, "b");
	assert_string_equal(set.admitted.items[1]->labels, "c");
	assert_int_equal(series_add(&set, "a", 1000, 0), 0);
	assert_int_equal(series_add(&set, "b", 1, 0), 0);
	assert_int_equal(series_end_interval(&set), 0);
	assert_int_equal(set.admitted.items[0]->rx_bytes, 1);
	assert_int_equal(set.admitted.items[0]->tx_bytes, 150);
	assert_int_equal(set.folded_rx_bytes, 50 + 50 + 1000);
	assert_int_equal(set.folded_tx_bytes, 49 + 60);
	series_fini(&set);
}

static void write_errors(void **state)
{
	struct run run = run_of(2, 0);
	struct snapshot snapshot;
	struct error error;
	FILE *full = fopen("/dev/full", "w");
	void *renderer;

	(void)state;
	snapshot_init(&snapshot);
	assert_int_equal(renderer_openmetrics.open(&renderer, &run, full, &error), 0);
	assert_int_equal(renderer_openmetrics.show(renderer, &snapshot, &error), -ENOSPC);
	assert_int_equal(error.exit_code, EXIT_CODE_OUTPUT);
	renderer_openmetrics.close(renderer);
	fclose(full);
	snapshot_fini(&snapshot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_files),
		cmocka_unit_test(counters_only_grow),
		cmocka_unit_test(places_go_to_the_largest),
		cmocka_unit_test(write_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
