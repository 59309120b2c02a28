/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a screen, without a terminal: text of known width, in runs of one style. */
#ifndef TCPTOP_LINE_H
#define TCPTOP_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum style {
	STYLE_PLAIN,
	STYLE_STRONG,
	STYLE_DIM,
	STYLE_BAR,    /* the title line */
	STYLE_FROZEN, /* the title line while nothing moves */
	STYLE_HEAD,   /* column titles */
	STYLE_HEAD_SORTED,
	STYLE_LABEL, /* what a key in the footer does */
	STYLE_SELECTED,
	STYLE_RX,
	STYLE_TX,
	STYLE_ALERT, /* something was lost or not counted */
	STYLE_COUNT,
};

#define LINE_COLUMNS_MAX 1000
#define LINE_RUNS_MAX 160

struct line_run {
	uint16_t bytes;
	uint8_t style;
};

/* All parts are clipped to width; a line never holds a control character. */
struct line {
	char text[LINE_COLUMNS_MAX * 4];
	size_t bytes;
	unsigned columns;
	unsigned width;
	bool utf8;
	enum style base; /* of the whole line; runs add to it */
	struct line_run runs[LINE_RUNS_MAX];
	unsigned run_count;
};

void line_begin(struct line *line, unsigned width, bool utf8, enum style base);

/* Trusted text that takes `columns` columns. When it does not fit, ASCII is cut and other text is dropped. */
void line_add(struct line *line, enum style style, const char *text, unsigned columns);

/* Trusted ASCII. */
void line_print(struct line *line, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Untrusted bytes, escaped, in at most `columns` columns, with a mark at the end when they were cut. */
void line_untrusted(struct line *line, enum style style, const char *bytes, size_t length, unsigned columns);

/* Adds blanks up to the given column, at most width; none when the line is that long already. */
void line_pad(struct line *line, enum style style, unsigned column);

/* The length in bytes without trailing blanks. */
size_t line_trimmed(const struct line *line);

/* Writes what line_untrusted adds to a line into a buffer. Returns the columns. */
unsigned line_fit(char *buffer, size_t size, const char *bytes, size_t length, unsigned columns, bool utf8);

/* Where a frame goes: lines arrive complete, from the top of the screen (y 0) down. */
struct line_sink {
	void (*put)(void *to, unsigned y, const struct line *line);
	void *to;
};

#endif
