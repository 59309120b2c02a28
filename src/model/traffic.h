/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the intervals so far add up to: rows with their history, totals, losses. No byte of a total is forgotten:
 * the rows, what is gone, by any grouping, and "other sessions" add up to it.
 */
#ifndef TCPTOP_TRAFFIC_H
#define TCPTOP_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "model/average.h"
#include "model/gone.h"
#include "model/link.h"
#include "model/rows.h"
#include "model/series.h"

#define TRAFFIC_POINTS 256

/* A row without traffic may go once so many of them were seen later. */
#define TRAFFIC_IDLE_KEPT 5000

struct traffic {
	struct rows rows;
	uint32_t tick; /* intervals so far; the latest one's number */
	struct timespec time;
	uint64_t clock_ns; /* the lengths of all intervals so far */
	uint64_t interval_ns;
	uint64_t complete_ns;            /* all that moved or ended after this clock_ns has its row */
	uint64_t lengths_ns[ROW_POINTS]; /* of the intervals of the rows' points */
	struct average_clock average_clock;
	struct links links; /* of the latest interval */
	uint64_t rx_bytes;  /* the latest interval */
	uint64_t tx_bytes;
	struct socket_census sockets; /* of the latest pass */
	struct audit_result audit;    /* the same; all zero: sockets are not told of */
	struct own_cost cost;         /* of the latest interval */
	uint32_t pass_tick;           /* the latest one with a pass over sockets; 0: none */
	size_t open;             /* rows of sockets that are open and moved nothing in the latest interval */
	size_t active;           /* rows with traffic in the latest interval */
	size_t recent;           /* and of these and those that were idle for a short time only */
	size_t closed;           /* rows without traffic in the latest interval whose connection has ended */
	size_t recent_closed;    /* and of these those that are recent */
	uint64_t rx_total_bytes; /* since the start or reset */
	uint64_t tx_total_bytes;
	struct session_other other_total;
	uint64_t missed_total;
	uint32_t lives;                    /* connections that ended before another one had their key */
	uint64_t endings_lost_total;       /* connections that may be shown as open, but have ended */
	int64_t since_s;                   /* wall clock of the start or reset */
	uint64_t rows_gone;                /* rows that had to go since then */
	struct gone gone[GROUPING_COUNT];  /* what they had moved; none for GROUPING_NONE */
	uint64_t rx_rates[TRAFFIC_POINTS]; /* bytes/s */
	uint64_t tx_rates[TRAFFIC_POINTS];
};

void traffic_init(struct traffic *traffic);
void traffic_fini(struct traffic *traffic);

/*
 * Adds one interval. Rows of connections that ended in it are closed; what takes their ports later gets rows of its own. A row without traffic in it is idle: its bytes are zero, but it stays with its totals. Only
 * of more than TRAFFIC_IDLE_KEPT idle rows the oldest go, but not that with the key `kept` (NULL: none is kept).
 * 0 or -ENOMEM: then some sessions have no row, but the totals are right.
 */
int traffic_merge(struct traffic *traffic, const struct snapshot *snapshot, const struct session *kept);

/*
 * Is shown each session and the row that it is merged into, as that is before. NULL: the row is new, had no traffic in the
 * interval before, or this is not the first session of it in this one.
 */
struct traffic_witness {
	void (*see)(void *to, const struct session *session, const struct row *row);
	void *to;
};

/*
 * The same in steps, for sessions that do not lie in one array, or with a witness: what is not sessions, sessions, of which the
 * first one has this place among all, and ends.
 */
int traffic_begin(struct traffic *traffic, const struct snapshot *snapshot, size_t session_count);
int traffic_add(struct traffic *traffic, const struct session *sessions, size_t count, size_t place,
    const struct traffic_witness *witness);
int traffic_end(struct traffic *traffic, const struct snapshot *snapshot, const struct session *kept);

/*
 * Sets totals and losses to zero; they count from the given wall clock time on. Rows that have been idle for long
 * go, unless `kept`.
 */
int traffic_reset(struct traffic *traffic, int64_t now_s, const struct session *kept);

/* Makes *to, an initialised struct, an independent copy. 0 or -ENOMEM. */
int traffic_copy(struct traffic *to, const struct traffic *from);

/* The same but for rows, also those of what is gone: *to keeps its own. */
int traffic_copy_facts(struct traffic *to, const struct traffic *from);

/* Whether a row has had traffic in the latest interval, or shortly before: some seconds, three intervals at least. */
bool traffic_is_recent(const struct traffic *traffic, const struct row *row);

/* The history of a row, and of all RX or TX. Borrowed until the traffic changes. */
struct series traffic_row_series(const struct traffic *traffic, const struct row *row);
struct series traffic_series(const struct traffic *traffic, bool tx);

#endif
