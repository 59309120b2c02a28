/* SPDX-License-Identifier: Apache-2.0 */
/* Rings of rates, and the sparklines and graphs that are drawn from them. */
#ifndef TCPTOP_SERIES_H
#define TCPTOP_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A ring that many rows share the clock of: the point of interval `tick` stands at tick % capacity, so
 * that a row needs no position of its own. A point is a rate in units of HISTORY_UNIT bytes/s.
 */
struct series {
	const uint32_t *points;
	unsigned capacity;
	unsigned count; /* points that hold data, at most capacity; the newest is tick's */
	uint32_t tick;
};

#define HISTORY_UNIT 16

/* A rate as a point: rounded up, so that only silence is 0; saturates at 64 GiB/s. */
uint32_t history_point(uint64_t rate_bytes_per_s);

/* The highest rate among the newest `width` points, in bytes/s. */
uint64_t history_peak(const struct series *series, unsigned width);

/*
 * Writes one line of a graph that is `lines` high (line 0 is the lowest; a sparkline is lines 1, line 0),
 * `width` columns wide, the newest point at the right, scaled to the highest point shown. Silence is a
 * base line, what is before the first point is blank. Returns width, or what fits into size.
 */
unsigned history_graph(char *buffer, size_t size, const struct series *series, unsigned width, unsigned lines,
    unsigned line, bool utf8);

#endif
