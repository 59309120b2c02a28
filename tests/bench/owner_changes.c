/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How still the list holds: how many of its first nine lines have another owner than an interval before.
 *     owner_changes RECORDING
 * Prints the percentage in the screen's order, and what it is in the order of each interval's rates.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/snapshot.h"
#include "model/traffic.h"
#include "output/recording.h"
#include "table/view.h"

#define LINES 9

struct count {
	struct session owners[LINES];
	uint64_t lines, changes;
	unsigned intervals;
};

static int take_in(struct traffic *traffic, struct view *view, const struct snapshot *snapshot)
{
	int err = traffic_merge(traffic, snapshot, view_kept(view));

	view_changed(view);
	return err < 0 ? err : view_prepare(view, LINES);
}

static void compare(struct count *count, const struct session owners[LINES])
{
	for (size_t line = 0; count->intervals && line < LINES; line++) {
		count->lines++;
		count->changes += session_compare_key(&owners[line], &count->owners[line]) != 0;
	}
	memcpy(count->owners, owners, sizeof count->owners);
	count->intervals++;
}

static void compare_view(struct count *count, struct view *view)
{
	struct session owners[LINES] = { { .family = 0 } };

	for (size_t line = 0; line < LINES && view_row(view, line); line++)
		owners[line] = view_row(view, line)->session;
	compare(count, owners);
}

static int compare_rates(const void *a, const void *b)
{
	const struct session *left = a, *right = b;
	uint64_t left_bytes = left->rx_bytes + left->tx_bytes;
	uint64_t right_bytes = right->rx_bytes + right->tx_bytes;
	int order = (left_bytes < right_bytes) - (left_bytes > right_bytes);

	return order ? order : session_compare_key(left, right);
}

/* Sorts the sessions. */
static void compare_interval(struct count *count, struct snapshot *snapshot)
{
	struct session owners[LINES] = { { .family = 0 } };

	qsort(snapshot->sessions, snapshot->session_count, sizeof *snapshot->sessions, compare_rates);
	for (size_t line = 0; line < LINES && line < snapshot->session_count; line++)
		owners[line] = snapshot->sessions[line];
	compare(count, owners);
}

static double percent(const struct count *count)
{
	return 100.0 * (double)count->changes / (double)count->lines;
}

static int replay(struct recording *recording, struct view *view, struct traffic *traffic,
    struct count *shown, struct count *by_rate, struct error *error)
{
	struct snapshot snapshot;
	int left;

	snapshot_init(&snapshot);
	while ((left = recording_next(recording, &snapshot, error)) > 0) {
		if (take_in(traffic, view, &snapshot) < 0) {
			left = error_set(error, EXIT_CODE_RUNTIME, -1, "not enough memory");
			break;
		}
		compare_view(shown, view);
		compare_interval(by_rate, &snapshot);
	}
	snapshot_fini(&snapshot);
	return left;
}

int main(int argc, char **argv)
{
	struct recording *recording = NULL;
	struct count shown = { .lines = 0 }, by_rate = { .lines = 0 };
	struct traffic traffic;
	struct view view;
	struct error error;

	if (argc != 2) {
		fprintf(stderr, "usage: %s RECORDING\n", argv[0]);
		return 2;
	}
	traffic_init(&traffic);
	view_init(&view, NULL, &traffic);
	int err = recording_open(&recording, argv[1], &error);

	if (err == 0)
		err = replay(recording, &view, &traffic, &shown, &by_rate, &error);
	recording_close(recording);
	view_fini(&view);
	traffic_fini(&traffic);
	if (err < 0 || !shown.lines) {
		fprintf(stderr, "%s: %s\n", argv[1], err < 0 ? error.text : "fewer than two intervals");
		return 2;
	}
	printf("%.1f%% of the first %d lines change owner each interval; by rate it were %.1f%%\n",
	    percent(&shown), LINES, percent(&by_rate));
	return 0;
}
