/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger.h"

#include <errno.h>
#include <string.h>

#include "units.h"

#define QUIET_NS 5000000000u
#define QUIET_TICKS_MIN 3
#define QUIET_TICKS_MAX 50
#define PREFETCH_AHEAD 8

void ledger_init(struct ledger *ledger)
{
	memset(ledger, 0, sizeof *ledger);
	rows_init(&ledger->rows);
}

void ledger_fini(struct ledger *ledger)
{
	rows_fini(&ledger->rows);
}

unsigned ledger_quiet_ticks(uint64_t interval_ns)
{
	uint64_t ticks = interval_ns ? QUIET_NS / interval_ns : 0;

	if (ticks < QUIET_TICKS_MIN)
		return QUIET_TICKS_MIN;
	return ticks > QUIET_TICKS_MAX ? QUIET_TICKS_MAX : (unsigned)ticks;
}

static int add_session(struct ledger *ledger, const struct session *session)
{
	bool added;
	size_t index = rows_find_or_add(&ledger->rows, session, &added);

	if (index == ROW_NONE)
		return -ENOMEM;
	struct row *row = &ledger->rows.rows[index];

	if (added) {
		row->first_seen_s = ledger->time.tv_sec;
		row->first_tick = ledger->tick;
		row->members = 1;
	} else if (row->seen_tick == ledger->tick) {
		row->session.rx_bytes += session->rx_bytes;
		row->session.tx_bytes += session->tx_bytes;
	} else {
		if (memcmp(row->session.comm, session->comm, sizeof session->comm) != 0)
			row->match_epoch = 0;
		row->session = *session;
	}
	row->seen_tick = ledger->tick;
	row->rx_total_bytes += session->rx_bytes;
	row->tx_total_bytes += session->tx_bytes;
	return 0;
}

/* Rows lie in memory in another order than sessions come in: waiting for each would be most of the work. */
static int add_sessions(struct ledger *ledger, const struct snapshot *snapshot)
{
	const struct session *sessions = snapshot->sessions;
	size_t count = snapshot->session_count;
	int err = rows_reserve(&ledger->rows, count);

	for (size_t i = 0; i < count; i++) {
		if (i + 2 * PREFETCH_AHEAD < count)
			rows_prefetch_slot(&ledger->rows, &sessions[i + 2 * PREFETCH_AHEAD]);
		if (i + PREFETCH_AHEAD < count)
			rows_prefetch_row(&ledger->rows, &sessions[i + PREFETCH_AHEAD]);
		if (add_session(ledger, &sessions[i]) < 0)
			err = -ENOMEM;
	}
	return err;
}

/* The latest point of every row; zero bytes for the quiet ones; the long quiet ones go. */
static void sweep(struct ledger *ledger)
{
	struct rows *rows = &ledger->rows;
	unsigned keep_ticks = ledger_quiet_ticks(ledger->interval_ns);
	size_t index = 0;

	while (index < rows->count) {
		struct row *row = &rows->rows[index];
		uint64_t bytes = 0;

		if (row->seen_tick == ledger->tick) {
			bytes = row->session.rx_bytes + row->session.tx_bytes;
		} else {
			row->session.rx_bytes = row->session.tx_bytes = 0;
			if (ledger->tick - row->seen_tick > keep_ticks &&
			    !(ledger->keep && session_compare_key(&row->session, &ledger->kept) == 0)) {
				rows_remove(rows, index);
				continue;
			}
		}
		row->points[ledger->tick % ROW_POINTS] =
		    bytes ? history_point(unit_rate(bytes, ledger->interval_ns)) : 0;
		index++;
	}
}

int ledger_merge(struct ledger *ledger, const struct snapshot *snapshot)
{
	int err;

	ledger->tick++;
	ledger->time = snapshot->time;
	ledger->interval_ns = snapshot->interval_ns;
	ledger->rx_bytes = snapshot->rx_bytes;
	ledger->tx_bytes = snapshot->tx_bytes;
	ledger->rx_total_bytes += snapshot->rx_bytes;
	ledger->tx_total_bytes += snapshot->tx_bytes;
	ledger->other_total.calls += snapshot->other.calls;
	ledger->other_total.rx_bytes += snapshot->other.rx_bytes;
	ledger->other_total.tx_bytes += snapshot->other.tx_bytes;
	ledger->missed_total += snapshot->missed_runs;
	ledger->active = snapshot->session_count;
	if (!ledger->since_s)
		ledger->since_s = snapshot->time.tv_sec - (int64_t)(snapshot->interval_ns / 1000000000u);
	err = add_sessions(ledger, snapshot);
	sweep(ledger);
	uint32_t at = ledger->tick % LEDGER_POINTS;

	ledger->rx_points[at] = history_point(unit_rate(snapshot->rx_bytes, snapshot->interval_ns));
	ledger->tx_points[at] = history_point(unit_rate(snapshot->tx_bytes, snapshot->interval_ns));
	return err;
}

void ledger_reset(struct ledger *ledger, int64_t now_s)
{
	ledger->rx_total_bytes = ledger->tx_total_bytes = 0;
	ledger->other_total = (struct session_other){ 0 };
	ledger->missed_total = 0;
	ledger->since_s = now_s;
	for (size_t i = 0; i < ledger->rows.count; i++)
		ledger->rows.rows[i].rx_total_bytes = ledger->rows.rows[i].tx_total_bytes = 0;
}

int ledger_copy(struct ledger *to, const struct ledger *from)
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

struct series ledger_row_series(const struct ledger *ledger, const struct row *row)
{
	return (struct series){
		.points = row->points,
		.capacity = ROW_POINTS,
		.count = at_most(ledger->tick - row->first_tick + 1, ROW_POINTS),
		.tick = ledger->tick,
	};
}

struct series ledger_series(const struct ledger *ledger, bool tx)
{
	return (struct series){
		.points = tx ? ledger->tx_points : ledger->rx_points,
		.capacity = LEDGER_POINTS,
		.count = at_most(ledger->tick, LEDGER_POINTS),
		.tick = ledger->tick,
	};
}
