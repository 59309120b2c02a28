/* SPDX-License-Identifier: Apache-2.0 */
/* A recording adds up to what the run that made it added up to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/snapshot.h"
#include "model/traffic.h"
#include "output/recording.h"
#include "output/renderer.h"

#define INTERVALS 60

static void fill(struct snapshot *snapshot, unsigned interval)
{
	snapshot_reset(snapshot);
	/* The wall clock is set back once. */
	snapshot->time.tv_sec = 1795344137 + interval - (interval > 30 ? 3600 : 0);
	snapshot->interval_ns = 1000000000 + interval * 1000;
	for (unsigned i = 0; i < 500; i++) {
		unsigned number = i % 4 ? (unsigned)rand() : i;
		struct session *session = snapshot_add(snapshot);

		assert_non_null(session);
		session->family = number % 5 ? 4 : 6;
		memcpy(session->raddr, &number, 3);
		session->raddr[0] |= 1;
		session->laddr[0] = 10;
		session->lport = (uint16_t)(i + 1);
		session->rport = 443;
		session->pid = 1 + number % 9000;
		session->uid = number % 12;
		session->netns = 4026531840u;
		session->cgroup_id = number % 70;
		session->rx_bytes = (uint64_t)rand();
		session->tx_bytes = (uint64_t)rand() << 20;
		snprintf(session->comm, sizeof session->comm, "p%u", number % 9000);
	}
	snapshot->other = (struct session_other){ interval % 2, interval, 2 * interval };
	snapshot_total(snapshot);
}

/* Every group of the one is in the other, with the same sums, of the rows and of what is gone. */
static void expect_same_rows(const struct rows *these, const struct rows *others)
{
	assert_int_equal(these->count, others->count);
	for (size_t i = 0; i < these->count; i++) {
		const struct row *row = &these->rows[i];
		size_t index = rows_find(others, &row->session);

		assert_int_not_equal(index, ROW_NONE);
		assert_int_equal(row->rx_total_bytes, others->rows[index].rx_total_bytes);
		assert_int_equal(row->tx_total_bytes, others->rows[index].tx_total_bytes);
		assert_int_equal(row->first.wall_s, others->rows[index].first.wall_s);
		assert_int_equal(row->last.wall_s, others->rows[index].last.wall_s);
		assert_int_equal(row->seen_tick, others->rows[index].seen_tick);
		assert_string_equal(row->session.comm, others->rows[index].session.comm);
	}
}

static void expect_same(const struct traffic *live, const struct traffic *replayed)
{
	assert_int_equal(live->rx_total_bytes, replayed->rx_total_bytes);
	assert_int_equal(live->tx_total_bytes, replayed->tx_total_bytes);
	assert_int_equal(live->other_total.rx_bytes, replayed->other_total.rx_bytes);
	assert_int_equal(live->rows_gone, replayed->rows_gone);
	assert_true(live->rows_gone > 0);
	expect_same_rows(&live->rows, &replayed->rows);
	for (int i = GROUPING_NONE + 1; i < GROUPING_COUNT; i++) {
		expect_same_rows(&live->gone[i].groups, &replayed->gone[i].groups);
		assert_int_equal(live->gone[i].left_groups, replayed->gone[i].left_groups);
		assert_int_equal(live->gone[i].left_rx_bytes, replayed->gone[i].left_rx_bytes);
		assert_int_equal(live->gone[i].left_tx_bytes, replayed->gone[i].left_tx_bytes);
	}
	assert_true(live->gone[GROUPING_REMOTE].left_groups > 0);
}

static void a_recording_adds_up_to_the_same(void **state)
{
	const struct run run = { .interval_ns = 1000000000, .method = PROBE_TRACEPOINT };
	struct traffic live, replayed;
	struct snapshot snapshot;
	struct recording *recording;
	struct error error;
	FILE *stream = tmpfile();
	void *writer;

	(void)state;
	srand(11);
	assert_non_null(stream);
	snapshot_init(&snapshot);
	traffic_init(&live);
	traffic_init(&replayed);
	assert_int_equal(renderer_json.open(&writer, &run, stream, &error), 0);
	for (unsigned i = 0; i < INTERVALS; i++) {
		fill(&snapshot, i);
		assert_int_equal(renderer_json.show(writer, &snapshot, &error), 0);
		assert_int_equal(traffic_merge(&live, &snapshot, NULL), 0);
	}
	renderer_json.close(writer);
	rewind(stream);
	assert_int_equal(recording_open_stream(&recording, stream, "recording", &error), 0);
	assert_int_equal(recording_start(recording, &error), 0);
	int got;

	while ((got = recording_next(recording, &snapshot, &error)) == 1)
		assert_int_equal(traffic_merge(&replayed, &snapshot, NULL), 0);
	if (got < 0)
		fail_msg("%s", error.text);
	recording_close(recording);
	assert_int_equal(replayed.tick, INTERVALS);
	expect_same(&live, &replayed);
	traffic_fini(&live);
	traffic_fini(&replayed);
	snapshot_fini(&snapshot);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_adds_up_to_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
