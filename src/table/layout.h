/* SPDX-License-Identifier: Apache-2.0 */
/* Which columns fit into a width, and how wide each gets. */
#ifndef TCPTOP_LAYOUT_H
#define TCPTOP_LAYOUT_H

#include "table/column.h"

/* On a smaller screen there is only one line, which says that it is too small. */
#define LAYOUT_WIDTH_MIN 30
#define LAYOUT_HEIGHT_MIN 6

#define LAYOUT_GAP 1 /* blanks between two columns */

struct layout_column {
	const struct column *column;
	unsigned width;
};

struct layout {
	struct layout_column columns[COLUMNS_MAX];
	unsigned count;
};

/*
 * Takes columns by priority while those taken before keep their preferred width (essential ones: their
 * smallest), then spreads the rest of the width: up to the preferred widths, then the largest, addresses first.
 */
void layout_fit(struct layout *layout, const struct column_list *list, const struct column_context *context,
    unsigned width);

/* How the lines of a screen are divided. */
struct layout_lines {
	unsigned graph;  /* lines of each totals graph; 0: RX and TX share one line */
	unsigned header; /* lines above the column titles */
	unsigned table;  /* rows */
};

struct layout_lines layout_lines(unsigned width, unsigned height);

#endif
