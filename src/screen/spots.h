/* SPDX-License-Identifier: Apache-2.0 */
/* What a click acts on: noted by those who draw, so that it is what is seen. */
#ifndef TCPTOP_SPOTS_H
#define TCPTOP_SPOTS_H

#include <stdint.h>

enum { SPOTS_MAX = 128 };

enum spot_kind {
	SPOT_KEY,   /* value: enum key_code or a character */
	SPOT_TITLE, /* value: the index of a column in column_table */
	SPOT_ROWS,  /* of the table, one a line */
	SPOT_ITEMS, /* of a menu, one a line */
	SPOT_LINE,  /* of a page; value: what struct mode's click takes */
};

/* From x and y to before end_x and end_y. */
struct spot {
	enum spot_kind kind;
	int value;
	unsigned x, end_x;
	unsigned y, end_y;
};

struct spots {
	struct spot spots[SPOTS_MAX];
	unsigned count;
};

/* Further ones than there is room for are dropped, and empty ones. */
void spots_add(struct spots *spots, const struct spot *spot);

/* The one at a cell; NULL: there is none. */
const struct spot *spots_at(const struct spots *spots, unsigned x, unsigned y);

#endif
