/* SPDX-License-Identifier: Apache-2.0 */
/* Rings of rates, one point an interval. */
#ifndef TCPTOP_SERIES_H
#define TCPTOP_SERIES_H

#include <stdint.h>

/*
 * The point of interval `tick` stands at tick % capacity, so that many rings share one clock and none
 * has to keep its position. A point is a rate in units of SERIES_UNIT bytes/s.
 */
struct series {
	const uint32_t *points;
	unsigned capacity;
	unsigned count; /* points that hold data, at most capacity; the newest is tick's */
	uint32_t tick;
};

#define SERIES_UNIT 16

/* A rate as a point: rounded up, so that only silence is 0; saturates at 64 GiB/s. */
uint32_t series_point(uint64_t rate_bytes_per_s);

/* The point that is `age` intervals old, below count; 0 is the newest. */
uint32_t series_at(const struct series *series, unsigned age);

/* The highest rate among the newest `width` points, in bytes/s. */
uint64_t series_peak(const struct series *series, unsigned width);

#endif
