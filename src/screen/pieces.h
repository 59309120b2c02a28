/* SPDX-License-Identifier: Apache-2.0 */
/* What a line of the header says, in pieces, of which those that matter most are shown when there is no room for all. */
#ifndef TCPTOP_PIECES_H
#define TCPTOP_PIECES_H

#include <stdbool.h>
#include <stddef.h>

#include "table/line.h"

/* Something short, dropped when there is no room for it. */
struct piece {
	char text[160];
	unsigned columns;
	enum style style;
	unsigned priority; /* 0 is dropped last */
	bool is_filter;    /* of the start: where some are dropped, their number is shown */
};

#define PIECES_MAX 40
#define PIECES_FILTER_PRIORITY 3

struct pieces {
	struct piece items[PIECES_MAX];
	unsigned count;
	size_t filters_left_out; /* for which there is no piece */
	bool utf8;
};

/* Appends a piece, untrusted text; nothing when there are PIECES_MAX. */
void pieces_add(struct pieces *pieces, unsigned priority, enum style style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds the pieces that fit, two blanks apart, in the style `plain`, or in their own if STYLE_COUNT; in the place of filters that do not, their number. */
void pieces_put(struct pieces *pieces, struct line *line, enum style plain);

#endif
