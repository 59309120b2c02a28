/* SPDX-License-Identifier: Apache-2.0 */
#include "model/traffic.h"

#include <errno.h>
#include <string.h>

#include "base/format.h"

/* How long an idle row stays. */
#define IDLE_NS 5000000000u
#define IDLE_TICKS_MIN 3
#define IDLE_TICKS_MAX 50
#define PREFETCH_AHEAD 8

void traffic_init(struct traffic *traffic)
{
	memset(traffic, 0, sizeof *traffic);
	rows_init(&traffic->rows);
}

void traffic_fini(struct traffic *traffic)
{
	rows_fini(&traffic->rows);
}

static unsigned idle_ticks(uint64_t interval_ns)
{
	uint64_t ticks = interval_ns ? IDLE_NS / interval_ns : 0;

	if (ticks < IDLE_TICKS_MIN)
		return IDLE_TICKS_MIN;
	return ticks > IDLE_TICKS_MAX ? IDLE_TICKS_MAX : (unsigned)ticks;
}

static int add_session(struct traffic *traffic, const struct session *session)
{
	bool added;
	size_t index = rows_find_or_add(&traffic->rows, session, &added);

	if (index == ROW_NONE)
		return -ENOMEM;
	struct row *row = &traffic->rows.rows[index];

	if (added) {
		row->first_seen_s = traffic->time.tv_sec;
		row->first_tick = traffic->tick;
		row->members = 1;
	} else if (row->seen_tick == traffic->tick) {
		row->session.rx_bytes += session->rx_bytes;
		row->session.tx_bytes += session->tx_bytes;
	} else {
		if (memcmp(row->session.comm, session->comm, sizeof session->comm) != 0 ||
		    memcmp(row->session.ifname, session->ifname, sizeof session->ifname) != 0)
			row->match_epoch = 0;
		row->session = *session;
	}
	row->seen_tick = traffic->tick;
	row->rx_total_bytes += session->rx_bytes;
	row->tx_total_bytes += session->tx_bytes;
	return 0;
}

/* Adds the latest point to every row, clears the bytes of idle rows and drops those that were idle for long. */
static void sweep(struct traffic *traffic, const struct session *kept)
{
	struct rows *rows = &traffic->rows;
	unsigned keep_ticks = idle_ticks(traffic->interval_ns);
	size_t index = 0;

	while (index < rows->count) {
		struct row *row = &rows->rows[index];
		uint64_t bytes = 0;

		if (row->seen_tick == traffic->tick) {
			bytes = row->session.rx_bytes + row->session.tx_bytes;
		} else {
			row->session.rx_bytes = row->session.tx_bytes = 0;
			if (traffic->tick - row->seen_tick > keep_ticks &&
			    !(kept && session_compare_key(&row->session, kept) == 0)) {
				rows_remove(rows, index);
				continue;
			}
		}
		row->points[traffic->tick % ROW_POINTS] =
		    bytes ? series_point(rate_per_s(bytes, traffic->interval_ns)) : 0;
		index++;
	}
}

int traffic_merge(struct traffic *traffic, const struct snapshot *snapshot, const struct session *kept)
{
	const struct session *sessions = snapshot->sessions;
	size_t count = snapshot->session_count;
	int err = rows_reserve(&traffic->rows, count);

	traffic->tick++;
	traffic->time = snapshot->time;
	traffic->interval_ns = snapshot->interval_ns;
	traffic->rx_bytes = snapshot->rx_bytes;
	traffic->tx_bytes = snapshot->tx_bytes;
	traffic->rx_total_bytes += snapshot->rx_bytes;
	traffic->tx_total_bytes += snapshot->tx_bytes;
	traffic->other_total.calls += snapshot->other.calls;
	traffic->other_total.rx_bytes += snapshot->other.rx_bytes;
	traffic->other_total.tx_bytes += snapshot->other.tx_bytes;
	traffic->missed_total += snapshot->missed_runs;
	traffic->active = count;
	if (!traffic->since_s)
		traffic->since_s = snapshot->time.tv_sec - (int64_t)(snapshot->interval_ns / 1000000000u);
	/* sessions come in another order than rows lie in memory: without prefetching, cache misses are most of the cost */
	for (size_t i = 0; i < count; i++) {
		if (i + 2 * PREFETCH_AHEAD < count)
			rows_prefetch_slot(&traffic->rows, &sessions[i + 2 * PREFETCH_AHEAD]);
		if (i + PREFETCH_AHEAD < count)
			rows_prefetch_row(&traffic->rows, &sessions[i + PREFETCH_AHEAD]);
		if (add_session(traffic, &sessions[i]) < 0)
			err = -ENOMEM;
	}
	sweep(traffic, kept);
	uint32_t at = traffic->tick % TRAFFIC_POINTS;

	traffic->rx_points[at] = series_point(rate_per_s(snapshot->rx_bytes, snapshot->interval_ns));
	traffic->tx_points[at] = series_point(rate_per_s(snapshot->tx_bytes, snapshot->interval_ns));
	return err;
}

void traffic_reset(struct traffic *traffic, int64_t now_s)
{
	traffic->rx_total_bytes = traffic->tx_total_bytes = 0;
	traffic->other_total = (struct session_other){ 0 };
	traffic->missed_total = 0;
	traffic->since_s = now_s;
	for (size_t i = 0; i < traffic->rows.count; i++)
		traffic->rows.rows[i].rx_total_bytes = traffic->rows.rows[i].tx_total_bytes = 0;
}

int traffic_copy(struct traffic *to, const struct traffic *from)
{
	struct rows rows = to->rows;
	int err = rows_copy(&rows, &from->rows);

	*to = *from;
	to->rows = rows;
	return err;
}

static unsigned at_most(uint32_t count, unsigned limit)
{
	return count < limit ? count : limit;
}

struct series traffic_row_series(const struct traffic *traffic, const struct row *row)
{
	return (struct series){
		.points = row->points,
		.capacity = ROW_POINTS,
		.count = at_most(traffic->tick - row->first_tick + 1, ROW_POINTS),
		.tick = traffic->tick,
	};
}

struct series traffic_series(const struct traffic *traffic, bool tx)
{
	return (struct series){
		.points = tx ? traffic->tx_points : traffic->rx_points,
		.capacity = TRAFFIC_POINTS,
		.count = at_most(traffic->tick, TRAFFIC_POINTS),
		.tick = traffic->tick,
	};
}
