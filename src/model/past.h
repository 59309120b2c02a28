/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intervals that can be looked back at. Those that are not kept any more have become the base, so that the
 * traffic of any kept moment is the base and the intervals up to then, merged in their order: sums are those that a
 * straight run had there.
 *
 * The base is a second traffic: at 3,700 connections, all of which move something in each interval, the process takes 8.0 MB of its own
 * memory instead of 3.9, of which the intervals are PAST_BYTES_MAX; a step takes some 0.2 s there.
 */
#ifndef TCPTOP_PAST_H
#define TCPTOP_PAST_H

#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"
#include "model/traffic.h"

enum {
	PAST_INTERVALS = 120,     /* kept at most, */
	PAST_BYTES_MAX = 2 << 20, /* and as many as are packed into this; the latest one whatever its size */
};

struct past_interval;

struct past {
	struct traffic base;
	struct past_interval *intervals[PAST_INTERVALS]; /* a ring; the first one is at `first` */
	size_t first;
	size_t count;
	size_t bytes;         /* of all intervals as they are packed */
	struct snapshot open; /* the one unpacked last */
};

void past_init(struct past *past);
void past_fini(struct past *past);

/* Forgets all: what can be looked back at begins with this traffic, of which it takes a copy. 0 or -ENOMEM. */
int past_begin(struct past *past, const struct traffic *traffic);

/*
 * Takes a copy of the interval that has been merged into the traffic; the oldest go. 0 or -ENOMEM: then nothing is kept,
 * and past_begin is to be called.
 */
int past_add(struct past *past, const struct snapshot *snapshot);

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

/* A kept interval, borrowed until another function is called. NULL: of it only the traffic is kept, or no memory. */
const struct snapshot *past_interval(struct past *past, uint32_t tick);

/* Forgets what came after this interval. */
void past_cut(struct past *past, uint32_t tick);

#endif
