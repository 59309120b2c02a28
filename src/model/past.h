/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intervals that can be looked back at. Those that are not kept any more have become the base, so that the
 * traffic of any kept moment is the base and the intervals up to then, merged in their order: sums are those that a
 * straight run had there.
 */
#ifndef TCPTOP_PAST_H
#define TCPTOP_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/packed_traffic.h"
#include "model/snapshot.h"

enum {
	PAST_INTERVALS = 128,     /* kept at most, */
	PAST_BYTES_MAX = 3 << 18, /* and as many as are packed into this, beside the base, */
	PAST_INTERVALS_MIN = 8,   /* or so many whatever their size; but of either some go at once */
};

/*
 * Memory at most for each session of an interval, with its row: that and up to four slots, the same packed for the base and for the
 * next one, less than half as large, and the intervals. Where not only some sessions are others in each, twice as much.
 */
#define PAST_ROW_BYTES (2 * sizeof(struct row) + 4 * sizeof(uint32_t) + 24 * PAST_INTERVALS_MIN)

struct past_interval;

struct past {
	struct packed_traffic base;
	struct past_interval *intervals[PAST_INTERVALS]; /* a ring; the first one is at `first` */
	size_t first;
	size_t count;
	size_t bytes; /* of all intervals as they are packed */
	/* Of many sessions: what the base will be when the oldest intervals go. Else they are merged into it. */
	struct packed_traffic next;
	bool has_next;
	bool is_unset;        /* there was no memory for the base: past_merge tries again */
	struct snapshot open; /* what past_step has handed out */
};

void past_init(struct past *past);
void past_fini(struct past *past);

/* Forgets all: what can be looked back at begins with this traffic, of which it takes a copy. 0 or -ENOMEM. */
int past_begin(struct past *past, const struct traffic *traffic);

/*
 * As traffic_merge, and takes a copy of the interval; the oldest go. Each session's row is found once for both. 0 or -ENOMEM:
 * then nothing is kept, or some sessions have no row.
 */
int past_merge(
    struct past *past, struct traffic *traffic, const struct snapshot *snapshot, const struct session *kept);

/* What is kept begins after this interval: past_show can show it, if there was one. */
uint32_t past_base(const struct past *past);

/* The number (tick of the traffic) of the first and the last interval that past_show can show. */
uint32_t past_first(const struct past *past);
uint32_t past_last(const struct past *past);

/* The first interval that ended at this wall clock time or later; past_last + 1 if there is none. */
uint32_t past_at(const struct past *past, int64_t wall_s);

/*
 * Makes *traffic, an initialised struct, what it was after this interval, from past_first to past_last. 0 or -ENOMEM:
 * then it is of no use but for traffic_fini.
 */
int past_show(struct past *past, uint32_t tick, struct traffic *traffic);

/*
 * Takes the traffic, as past_show made it, on by an interval, and hands that out, borrowed until another function is called. NULL: it
 * is the last one, or no memory.
 */
const struct snapshot *past_step(struct past *past, struct traffic *traffic);

/* Forgets what came after this interval. */
void past_cut(struct past *past, uint32_t tick);

#endif
