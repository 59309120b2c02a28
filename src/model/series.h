/* SPDX-License-Identifier: Apache-2.0 */
/* Rings of rates, one point an interval. */
#ifndef TCPTOP_SERIES_H
#define TCPTOP_SERIES_H

#include <stdint.h>

/*
 * The point of interval `tick` stands at tick % capacity, so that many rings share one clock and none
 * has to keep its position. Of many rings the points are small, as series_point makes them of rates.
 */
struct series {
	const uint16_t *points;
	const uint64_t *rates; /* or, if there are no points, rates in bytes/s */
	unsigned capacity;
	unsigned count; /* points that hold data, at most capacity; the newest is tick's */
	uint32_t tick;
};

/* The highest rate that a point can be: 4 TiB/s, nearly. */
#define SERIES_MAX_BYTES_PER_S (UINT64_C(4095) << 30)

/* A rate as a point, in two bytes: rounded up by less than 0.05%, so that only silence is 0. */
uint16_t series_point(uint64_t rate_bytes_per_s);

/* The rate of a point, in bytes/s. */
uint64_t series_rate(uint16_t point);

/*
 * Two points' sum. Rounded up or down by chance, the more often up the nearer that is, so that of thousands of small ones that
 * are added to a large sum neither all are lost nor each counts as a whole step. dice: another number for each that is added.
 */
uint16_t series_sum(uint16_t a, uint16_t b, uint64_t dice);

/* The rate `age` intervals ago, below count, in bytes/s; 0 is the newest. */
uint64_t series_at(const struct series *series, unsigned age);

/* The highest rate among the newest `width` points, in bytes/s. */
uint64_t series_peak(const struct series *series, unsigned width);

#endif
