/* SPDX-License-Identifier: Apache-2.0 */
/* What the intervals so far add up to: rows with their history, totals, losses. */
#ifndef TCPTOP_TRAFFIC_H
#define TCPTOP_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "model/rows.h"
#include "model/series.h"

#define TRAFFIC_POINTS 256

struct traffic {
	struct rows rows;
	uint32_t tick; /* intervals so far; the latest one's number */
	struct timespec time;
	uint64_t interval_ns;
	uint64_t rx_bytes; /* the latest interval */
	uint64_t tx_bytes;
	size_t active;           /* sessions in the latest interval */
	uint64_t rx_total_bytes; /* since the start or reset */
	uint64_t tx_total_bytes;
	struct session_other other_total;
	uint64_t missed_total;
	int64_t since_s; /* wall clock of the start or reset */
	uint32_t rx_points[TRAFFIC_POINTS];
	uint32_t tx_points[TRAFFIC_POINTS];
};

void traffic_init(struct traffic *traffic);
void traffic_fini(struct traffic *traffic);

/*
 * Adds one interval. A row without traffic in it is idle: its bytes are zero, and it is dropped after a few
 * idle intervals, unless it has the key `kept` (NULL: none is kept). 0 or -ENOMEM: then some sessions have no
 * row, but the totals are right.
 */
int traffic_merge(struct traffic *traffic, const struct snapshot *snapshot, const struct session *kept);

/* Sets totals and losses to zero; they count from the given wall clock time on. */
void traffic_reset(struct traffic *traffic, int64_t now_s);

/* Makes *to, an initialised struct, an independent copy. 0 or -ENOMEM. */
int traffic_copy(struct traffic *to, const struct traffic *from);

/* The history of a row, and of all RX or TX. Borrowed until the traffic changes. */
struct series traffic_row_series(const struct traffic *traffic, const struct row *row);
struct series traffic_series(const struct traffic *traffic, bool tx);

#endif
