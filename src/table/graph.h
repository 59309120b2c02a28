/* SPDX-License-Identifier: Apache-2.0 */
/* Sparklines and graphs of a series of rates, and what stands beside them. */
#ifndef TCPTOP_GRAPH_H
#define TCPTOP_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/format.h"

struct series;

/*
 * Writes one line of a graph that is `lines` high (line 0 is the lowest; a sparkline is lines 1, line 0),
 * `width` columns wide, the newest point at the right, scaled so that the highest point shown leaves an eighth of a line
 * free. Silence is a
 * base line, what is before the first point is blank. Returns width, or what fits into size.
 */
unsigned graph_line(char *buffer, size_t size, const struct series *series, unsigned width, unsigned lines,
    unsigned line, bool utf8);

/* The highest rate of the series. Its steps are coarser than a byte, so UNIT_BYTES gives the human form. */
void graph_peak(char *buffer, size_t size, const struct series *series, enum unit unit);

#endif
