/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/pieces.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PIECE_GAP 2
#define MORE_COLUMNS 12 /* "+100 filters" */

void pieces_add(struct pieces *pieces, unsigned priority, enum style style, const char *format, ...)
{
	char text[160];
	va_list arguments;

	if (pieces->count == PIECES_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	struct piece *piece = &pieces->items[pieces->count++];

	piece->priority = priority;
	piece->style = style;
	/* Some hold user names or typed words. */
	piece->columns = line_fit(piece->text, sizeof piece->text, text, strlen(text), 100, pieces->utf8);
}

/* The pieces that fit, by priority, when so many columns stay free of filters and what comes after them. Returns how many filters are dropped. */
static size_t pieces_choose(
    const struct pieces *pieces, unsigned room, unsigned reserved, bool shown[PIECES_MAX])
{
	bool seen[PIECES_MAX] = { false };
	size_t left_out = pieces->filters_left_out;

	for (;;) {
		unsigned best = PIECES_MAX;

		for (unsigned i = 0; i < pieces->count; i++)
			if (!seen[i] &&
			    (best == PIECES_MAX || pieces->items[i].priority < pieces->items[best].priority))
				best = i;
		if (best == PIECES_MAX)
			return left_out;
		const struct piece *piece = &pieces->items[best];

		if (piece->priority >= PIECES_FILTER_PRIORITY) {
			room -= reserved < room ? reserved : room;
			reserved = 0;
		}
		seen[best] = true;
		shown[best] = piece->columns > 0 && piece->columns <= room;
		if (shown[best])
			room -= piece->columns + PIECE_GAP < room ? piece->columns + PIECE_GAP : room;
		left_out += piece->is_filter && !shown[best];
	}
}

void pieces_put(struct pieces *pieces, struct line *line, enum style plain)
{
	unsigned room = line->width - line->columns, last_filter = PIECES_MAX;
	bool shown[PIECES_MAX];
	size_t left_out = pieces_choose(pieces, room, 0, shown);

	if (left_out)
		left_out = pieces_choose(pieces, room, MORE_COLUMNS + PIECE_GAP, shown);
	for (unsigned i = 0; i < pieces->count; i++)
		if (pieces->items[i].is_filter)
			last_filter = i;
	for (unsigned i = 0; i < pieces->count; i++) {
		const struct piece *piece = &pieces->items[i];
		enum style style = plain == STYLE_COUNT ? piece->style : plain;
		enum style gap = plain == STYLE_COUNT ? STYLE_PLAIN : plain;

		if (shown[i]) {
			line_add(line, style, piece->text, piece->columns);
			line_pad(line, gap, line->columns + PIECE_GAP);
		}
		if (i == last_filter && left_out) {
			line_print(line, style, "+%zu filter%s", left_out, left_out == 1 ? "" : "s");
			line_pad(line, gap, line->columns + PIECE_GAP);
		}
	}
}
