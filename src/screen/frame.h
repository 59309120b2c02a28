/* SPDX-License-Identifier: Apache-2.0 */
/* The display's lines, part by part. All of them write into display->line; none knows a terminal. */
#ifndef TCPTOP_FRAME_H
#define TCPTOP_FRAME_H

#include "table/layout.h"

struct line_sink;
struct display;
struct row;

/* Something short in the header, there as long as there is room for it. */
struct piece {
	char text[160];
	unsigned columns;
	enum style style;
	unsigned priority; /* 0 is the last to go */
};

#define PIECES_MAX 20

struct pieces {
	struct piece items[PIECES_MAX];
	unsigned count;
	bool utf8;
};

void pieces_add(struct pieces *pieces, unsigned priority, enum style style, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What fits, in the order added, with two blanks between. plain: the style for all of them, if not STYLE_COUNT. */
void pieces_put(struct pieces *pieces, struct line *line, enum style plain);

/* "12.3M/s", "1234 KB/s": a rate with its unit. */
void paint_rate(char *buffer, size_t size, const struct display *display, uint64_t bytes_per_s);
/* Of a history, which is kept in steps of HISTORY_UNIT: never shown by the byte. */
void paint_peak(char *buffer, size_t size, const struct display *display, uint64_t bytes_per_s);
void paint_bytes(char *buffer, size_t size, const struct display *display, uint64_t bytes);
/* HH:MM:SS, local. */
void paint_clock(char *buffer, size_t size, int64_t time_s);

void paint_title(struct display *display);
/* Line 0 to layout_lines' header - 3 of the totals. */
void paint_totals(struct display *display, const struct layout_lines *lines, unsigned at);
void paint_status(struct display *display);
void paint_footer(struct display *display);

/* Column titles and a row, appended to the line. */
void paint_titles(struct display *display, const struct layout *layout);
void paint_row(struct display *display, const struct layout *layout, const struct row *row);

/* The pages that take the whole screen but for title and footer, from line y to the one before `end`. */
void paint_help(struct display *display, unsigned y, unsigned end, const struct line_sink *sink);
void paint_details(struct display *display, unsigned y, unsigned end, const struct line_sink *sink);

#endif
