/* SPDX-License-Identifier: Apache-2.0 */
#include "model/traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/util.h"
#include "model/pairs.h"

/* How long an idle row is recent. */
#define IDLE_NS 5000000000u
#define IDLE_TICKS_MIN 3
#define IDLE_TICKS_MAX 50

/* Going in batches of a fifth makes the search for the oldest cheap. */
#define IDLE_MAX (TRAFFIC_IDLE_KEPT + TRAFFIC_IDLE_KEPT / 4)

void traffic_init(struct traffic *traffic)
{
	memset(traffic, 0, sizeof *traffic);
	rows_init(&traffic->rows);
	links_init(&traffic->links);
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++)
		gone_init(&traffic->gone[grouping]);
}

void traffic_fini(struct traffic *traffic)
{
	rows_fini(&traffic->rows);
	links_fini(&traffic->links);
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++)
		gone_fini(&traffic->gone[grouping]);
}

bool traffic_is_recent(const struct traffic *traffic, const struct row *row)
{
	uint32_t idle = traffic->tick - row->seen_tick;

	if (!row->seen_tick)
		return false; /* it has moved nothing yet */
	return idle <= IDLE_TICKS_MIN ||
	       (idle <= IDLE_TICKS_MAX && traffic->clock_ns - row->last.clock_ns <= IDLE_NS);
}

/*
 * Whether this is of another connection than the row, which has ended, by the same addresses and ports. What is read of a
 * connection after its end is not; nor can it be told within an interval.
 */
static bool begins_anew(const struct traffic *traffic, const struct row *row, const struct session *session)
{
	return row->closed.clock_ns && row->seen_tick != traffic->tick && !session->is_closed;
}

static struct moment now(const struct traffic *traffic)
{
	return (struct moment){ traffic->clock_ns, (uint32_t)traffic->time.tv_sec };
}

/* When a socket that moved nothing did the last time: before the first interval it was at that one's beginning. */
static struct moment still_since(const struct traffic *traffic, const struct session *session)
{
	uint64_t idle_ns = (uint64_t)session->socket.idle_s * NS_PER_S;

	return (struct moment){ idle_ns < traffic->clock_ns ? traffic->clock_ns - idle_ns : 0,
		(uint32_t)(traffic->time.tv_sec - session->socket.idle_s) };
}

/* What is told anew of a row's connection. In an interval without a pass over sockets it stands as it did in the one before. */
static void take_session(const struct traffic *traffic, struct row *row, const struct session *session)
{
	const struct session before = row->session;
	struct session *taken = &row->session;

	*taken = *session;
	if (!taken->socket.state && row->told_tick >= traffic->pass_tick) {
		taken->socket = before.socket;
		taken->rtt_us = before.rtt_us;
		taken->retransmits = before.retransmits;
	}
	/* Of an MPTCP socket whose first subflow has gone it is not known any more, and a pass does not tell. */
	taken->accepted = taken->accepted ?: before.accepted;
	if (taken->accepted != before.accepted || taken->socket.state != before.socket.state ||
	    memcmp(taken->comm, before.comm, sizeof before.comm) != 0 ||
	    memcmp(taken->ifname, before.ifname, sizeof before.ifname) != 0)
		row->match_epoch = 0;
}

/* The row as it is before the session is merged, if it was told of in the interval before. */
static const struct row *known_row(const struct traffic *traffic, size_t index)
{
	return index != ROW_NONE && traffic->rows.rows[index].told_tick == traffic->tick - 1
	           ? &traffic->rows.rows[index]
	           : NULL;
}

/* found: as rows_ahead_step told. */
static int add_session(struct traffic *traffic, const struct session *session, size_t found, uint32_t place,
    const struct traffic_witness *witness)
{
	bool added;
	size_t index = rows_found_or_add(&traffic->rows, session, found, &added);

	if (witness)
		witness->see(witness->to, session, added ? NULL : known_row(traffic, index));
	if (index != ROW_NONE && !added && begins_anew(traffic, &traffic->rows.rows[index], session)) {
		rows_set_life(&traffic->rows, index, ++traffic->lives);
		index = rows_find_or_add(&traffic->rows, session, &added);
	}
	if (index == ROW_NONE)
		return -ENOMEM;
	struct row *row = &traffic->rows.rows[index];

	bool moves = session->rx_bytes || session->tx_bytes || !session->socket.state;

	if (added) {
		row->first = now(traffic);
		row->first_tick = traffic->tick;
		row->members = 1;
		row->member_pid = session->pid;
	} else if (row->told_tick == traffic->tick) {
		row->session.rx_bytes += session->rx_bytes;
		row->session.tx_bytes += session->tx_bytes;
		cause_join_listener(&row->session.socket, &session->socket);
	} else {
		take_session(traffic, row, session);
	}
	if (moves) {
		row->last = now(traffic);
		row->seen_tick = traffic->tick;
	} else if (added) {
		row->last = still_since(traffic, session);
	}
	if (session->is_closed && !row->closed.clock_ns)
		row->closed = now(traffic);
	row->told_tick = traffic->tick;
	row->place = place;
	row->rx_total_bytes += session->rx_bytes;
	row->tx_total_bytes += session->tx_bytes;
	return 0;
}

static bool is_closed(const struct traffic *traffic, const struct row *row)
{
	return row->closed.clock_ns && row->seen_tick != traffic->tick;
}

static void count(struct traffic *traffic, const struct row *row)
{
	bool recent = traffic_is_recent(traffic, row), closed = is_closed(traffic, row);

	traffic->recent += recent;
	traffic->closed += closed;
	traffic->recent_closed += recent && closed;
}

/* Of a row that goes. */
static void uncount(struct traffic *traffic, const struct row *row)
{
	bool recent = traffic_is_recent(traffic, row), closed = is_closed(traffic, row);

	traffic->recent -= recent;
	traffic->closed -= closed;
	traffic->recent_closed -= recent && closed;
}

/*
 * A socket that the latest pass has not come to any more is not open; when none is made any more, nothing is known. A
 * listener's end is told by nothing else.
 */
static void end_socket(const struct traffic *traffic, struct row *row)
{
	if (row->session.socket.state == SOCKET_LISTEN && !row->closed.clock_ns && traffic->sockets.follows)
		row->closed = now(traffic);
	row->session.socket = (struct socket_summary){ 0 };
	row->match_epoch = 0;
}

/* Adds the latest point to every row and its averages, clears the bytes of idle rows, and counts rows by how they are. */
static void sweep(struct traffic *traffic)
{
	struct rows *rows = &traffic->rows;
	float per_s = traffic->interval_ns ? 1e9f / (float)traffic->interval_ns : 0;

	traffic->open = 0;
	traffic->active = traffic->recent = traffic->closed = traffic->recent_closed = 0;
	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->rows[i];
		uint32_t idle = traffic->tick - row->seen_tick;
		uint64_t bytes = 0;

		if (row->session.socket.state &&
		    (row->told_tick < traffic->pass_tick || !traffic->sockets.follows))
			end_socket(traffic, row);
		traffic->active += !idle;
		traffic->open += idle && row->session.socket.state;
		count(traffic, row);
		if (idle)
			row->session.rx_bytes = row->session.tx_bytes = 0;
		else
			bytes = row->session.rx_bytes + row->session.tx_bytes;
		averages_add(&row->averages, &traffic->average_clock, (float)row->session.rx_bytes * per_s,
		    (float)row->session.tx_bytes * per_s);
		if (idle > ROW_POINTS)
			continue; /* no point is left to be cleared */
		row->points[traffic->tick % ROW_POINTS] =
		    bytes ? series_point(rate_per_s(bytes, traffic->interval_ns)) : 0;
	}
	for (int grouping = GROUPING_NONE + 1; grouping < GROUPING_COUNT; grouping++)
		gone_tick(&traffic->gone[grouping], traffic->tick, &traffic->average_clock);
}

/* ---- connections that end ---- */

/* A filter before the look-up: which remote and local ports are among the ends, by the lower bits of both. */
#define PORT_BITS 65536

static unsigned ports_bit(const struct session *session)
{
	return (session->lport * 31u + session->rport) % PORT_BITS;
}

static struct moment ending_moment(const struct traffic *traffic, uint64_t ago_us)
{
	uint64_t ago_ns = ago_us * 1000 < traffic->interval_ns ? ago_us * 1000 : traffic->interval_ns;
	uint64_t wall_ns = (uint64_t)traffic->time.tv_nsec + NS_PER_S - ago_ns % NS_PER_S;

	/* 0 says that it is open */
	return (struct moment){ traffic->clock_ns - ago_ns ?: 1,
		(uint32_t)(traffic->time.tv_sec - (int64_t)(ago_ns / NS_PER_S) - 1 +
		           (int64_t)(wall_ns / NS_PER_S)) };
}

/* The rows of all processes that had it. */
static void close_rows(
    struct traffic *traffic, const struct snapshot *snapshot, const struct rows *ended, const uint64_t *bits)
{
	for (size_t i = 0; i < traffic->rows.count; i++) {
		struct row *row = &traffic->rows.rows[i];
		unsigned bit = ports_bit(&row->session);

		if (!(bits[bit / 64] >> bit % 64 & 1))
			continue;
		struct session key = row->session;

		key.pid = 0;
		size_t index = rows_find(ended, &key);

		if (index != ROW_NONE && !row->closed.clock_ns)
			row->closed =
			    ending_moment(traffic, snapshot->endings[ended->rows[index].first_tick].ago_us);
	}
}

static int end_connections(struct traffic *traffic, const struct snapshot *snapshot)
{
	uint64_t *bits = snapshot->ending_count ? calloc(PORT_BITS / 64, sizeof *bits) : NULL;
	struct rows ended;
	int err = bits ? 0 : -ENOMEM;
	bool added;

	traffic->endings_lost_total += snapshot->endings_lost;
	if (!snapshot->ending_count)
		return 0;
	rows_init(&ended);
	for (size_t i = 0; i < snapshot->ending_count && err == 0; i++) {
		const struct session *connection = &snapshot->endings[i].connection;
		size_t index = rows_find_or_add(&ended, connection, &added);
		unsigned bit = ports_bit(connection);

		bits[bit / 64] |= UINT64_C(1) << bit % 64;
		if (index == ROW_NONE)
			err = -ENOMEM;
		else
			ended.rows[index].first_tick = (uint32_t)i;
	}
	if (err == 0)
		close_rows(traffic, snapshot, &ended, bits);
	rows_fini(&ended);
	free(bits);
	return err;
}

/* ---- rows that go ---- */

static void carry(void *to, const struct row *row)
{
	struct traffic *traffic = to;

	traffic->rows_gone++;
	if (row_end(row)->clock_ns > traffic->complete_ns)
		traffic->complete_ns = row_end(row)->clock_ns;
	uncount(traffic, row);
	for (int grouping = GROUPING_NONE + 1; grouping < GROUPING_COUNT; grouping++)
		gone_add(&traffic->gone[grouping], (enum grouping)grouping, row, traffic->tick);
}

static int evict(struct traffic *traffic, const struct session *kept)
{
	const struct rows_eviction eviction = {
		.tick = traffic->tick,
		.keeps_open = true,
		.keep = TRAFFIC_IDLE_KEPT,
		.kept = kept,
		.leave = carry,
		.to = traffic,
	};

	if (traffic->rows.count - traffic->active - traffic->open <= IDLE_MAX)
		return 0;
	int err = rows_evict(&traffic->rows, &eviction);

	for (int grouping = GROUPING_NONE + 1; grouping < GROUPING_COUNT && err == 0; grouping++)
		err = gone_trim(
		    &traffic->gone[grouping], (enum grouping)grouping, &traffic->rows, traffic->tick);
	return err;
}

/* ---- intervals ---- */

static void add_totals(struct traffic *traffic, const struct snapshot *snapshot)
{
	traffic->tick++;
	traffic->time = snapshot->time;
	traffic->clock_ns += snapshot->interval_ns;
	traffic->interval_ns = snapshot->interval_ns;
	traffic->lengths_ns[traffic->tick % ROW_POINTS] = snapshot->interval_ns;
	if (traffic->tick == 1)
		traffic->complete_ns = traffic->clock_ns; /* what was there before is not known */
	average_clock_advance(&traffic->average_clock, snapshot->interval_ns);
	if (snapshot->sockets.cpu_ns)
		traffic->pass_tick = traffic->tick;
	if (snapshot->sockets.cpu_ns || snapshot->sockets.err || !snapshot->sockets.follows)
		traffic->sockets = snapshot->sockets;
	traffic->audit = snapshot->audit;
	traffic->cost = snapshot->cost;
	traffic->rx_bytes = snapshot->rx_bytes;
	traffic->tx_bytes = snapshot->tx_bytes;
	traffic->rx_total_bytes += snapshot->rx_bytes;
	traffic->tx_total_bytes += snapshot->tx_bytes;
	traffic->other_total.calls += snapshot->other.calls;
	traffic->other_total.rx_bytes += snapshot->other.rx_bytes;
	traffic->other_total.tx_bytes += snapshot->other.tx_bytes;
	traffic->missed_total += snapshot->missed_runs;
	if (!traffic->since_s)
		traffic->since_s = snapshot->time.tv_sec - (int64_t)(snapshot->interval_ns / 1000000000u);
	uint32_t at = traffic->tick % TRAFFIC_POINTS;

	traffic->rx_rates[at] = rate_per_s(snapshot->rx_bytes, snapshot->interval_ns);
	traffic->tx_rates[at] = rate_per_s(snapshot->tx_bytes, snapshot->interval_ns);
}

int traffic_begin(struct traffic *traffic, const struct snapshot *snapshot, size_t session_count)
{
	int err = rows_reserve(&traffic->rows, session_count);
	struct links before = traffic->links;

	add_totals(traffic, snapshot);
	links_init(&traffic->links);
	if (links_copy(&traffic->links, &snapshot->links) < 0)
		err = -ENOMEM;
	links_go_on(&traffic->links, &before, traffic->average_clock.part[AVERAGE_10S]);
	links_fini(&before);
	return err;
}

int traffic_add(struct traffic *traffic, const struct session *sessions, size_t count, size_t place,
    const struct traffic_witness *witness)
{
	struct rows_ahead ahead = rows_look_ahead(&traffic->rows, sessions, count);
	int err = 0;

	for (size_t i = 0; i < count; i++) {
		size_t found = rows_ahead_step(&ahead, i);

		if (add_session(traffic, &sessions[i], found, (uint32_t)(place + i), witness) < 0)
			err = -ENOMEM;
	}
	return err;
}

int traffic_end(struct traffic *traffic, const struct snapshot *snapshot, const struct session *kept)
{
	int err = end_connections(traffic, snapshot);
	int joined = pairs_join(&traffic->rows, traffic->tick, traffic->interval_ns, traffic->clock_ns);

	err = err ?: joined;
	sweep(traffic);
	int evicted = evict(traffic, kept);

	return err ? err : evicted;
}

int traffic_merge(struct traffic *traffic, const struct snapshot *snapshot, const struct session *kept)
{
	int begun = traffic_begin(traffic, snapshot, snapshot->session_count);
	int added = traffic_add(traffic, snapshot->sessions, snapshot->session_count, 0, NULL);
	int ended = traffic_end(traffic, snapshot, kept);

	return begun ?: added ?: ended;
}

/* What is idle for long has moved nothing since the reset. */
static void forget(void *to, const struct row *row)
{
	struct traffic *traffic = to;

	uncount(traffic, row);
}

int traffic_reset(struct traffic *traffic, int64_t now_s, const struct session *kept)
{
	size_t keep = traffic->recent - traffic->active;
	/* Those that were seen last are the recent ones. */
	const struct rows_eviction eviction = {
		.tick = traffic->tick, .keep = keep, .kept = kept, .leave = forget, .to = traffic
	};

	traffic->rx_total_bytes = traffic->tx_total_bytes = 0;
	traffic->other_total = (struct session_other){ 0 };
	traffic->missed_total = 0;
	traffic->endings_lost_total = 0;
	traffic->rows_gone = 0;
	traffic->complete_ns = traffic->clock_ns;
	traffic->since_s = now_s;
	for (size_t i = 0; i < traffic->rows.count; i++)
		traffic->rows.rows[i].rx_total_bytes = traffic->rows.rows[i].tx_total_bytes = 0;
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++)
		gone_reset(&traffic->gone[grouping]);
	return rows_evict(&traffic->rows, &eviction);
}

int traffic_copy_facts(struct traffic *to, const struct traffic *from)
{
	struct traffic copy = *from;

	copy.rows = to->rows;
	copy.links = to->links;
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++)
		copy.gone[grouping].groups = to->gone[grouping].groups;
	*to = copy;
	return links_copy(&to->links, &from->links);
}

int traffic_copy(struct traffic *to, const struct traffic *from)
{
	int err = traffic_copy_facts(to, from);

	if (rows_copy(&to->rows, &from->rows) < 0)
		err = -ENOMEM;
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++)
		if (rows_copy(&to->gone[grouping].groups, &from->gone[grouping].groups) < 0)
			err = -ENOMEM;
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
		.rates = tx ? traffic->tx_rates : traffic->rx_rates,
		.capacity = TRAFFIC_POINTS,
		.count = at_most(traffic->tick, TRAFFIC_POINTS),
		.tick = traffic->tick,
	};
}
