/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots as metrics for Prometheus and those that read its texts: one writer with two heads. */
#ifndef TCPTOP_METRICS_H
#define TCPTOP_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include "output/owners.h"
#include "output/series.h"

struct run;
struct snapshot;

enum metrics_head {
	METRICS_OPENMETRICS, /* 1.0: types are of names without their suffix, "# EOF" is the end */
	METRICS_TEXT,        /* the text format 0.0.4, which node_exporter's textfile collector reads */
};

struct metrics {
	const struct run *run;
	struct owners owners;
	struct series_set series;
	uint64_t table_full_rx_bytes;
	uint64_t table_full_tx_bytes;
	uint64_t missed_runs;
};

/* run is borrowed. */
void metrics_open(struct metrics *metrics, const struct run *run);
void metrics_close(struct metrics *metrics);

/* Adds an interval. 0 or -ENOMEM. */
int metrics_take(struct metrics *metrics, const struct snapshot *snapshot);

/* All of them, as they stand. Errors stay with the stream. */
void metrics_print(const struct metrics *metrics, FILE *stream, enum metrics_head head);

#endif
