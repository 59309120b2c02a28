/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which metrics get a series of their own. A key gets one when it first moves as much as the threshold in an interval and a
 * place is free, and keeps it to the end; what others move is folded into a sum that only ever grows. So no counter falls,
 * which Prometheus would take for a restart.
 */
#ifndef TCPTOP_SERIES_H
#define TCPTOP_SERIES_H

#include <stddef.h>
#include <stdint.h>

struct one_series {
	char *labels; /* the key: as they are written */
	uint64_t rx_bytes;
	uint64_t tx_bytes;
};

struct series_list {
	struct one_series **items;
	size_t count;
	size_t capacity;
	void *tree; /* of tsearch(3) */
};

struct series_set {
	size_t places;
	uint64_t threshold_bytes;    /* in an interval, both directions */
	struct series_list admitted; /* in the order of their admission; only ever grow */
	struct series_list waiting;  /* of this interval */
	uint64_t folded_rx_bytes;
	uint64_t folded_tx_bytes;
	size_t folded; /* keys of the latest interval that have no series */
};

void series_init(struct series_set *set, size_t places, uint64_t threshold_bytes);
void series_fini(struct series_set *set);

/* What a key moved; a key may come several times in an interval. 0 or -ENOMEM. */
int series_add(struct series_set *set, const char *labels, uint64_t rx_bytes, uint64_t tx_bytes);

/* Ends the interval: those that moved most get the free places. 0 or -ENOMEM. */
int series_end_interval(struct series_set *set);

#endif
