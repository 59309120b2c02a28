/* SPDX-License-Identifier: Apache-2.0 */
#include "table/line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

void line_begin(struct line *line, unsigned width, bool utf8, enum style base)
{
	line->bytes = 0;
	line->columns = 0;
	line->width = width < LINE_COLUMNS_MAX ? width : LINE_COLUMNS_MAX;
	line->utf8 = utf8;
	line->base = base;
	line->run_count = 0;
	line->text[0] = '\0';
}

static void append(struct line *line, enum style style, const char *text, size_t bytes, unsigned columns)
{
	struct line_run *run = line->run_count ? &line->runs[line->run_count - 1] : NULL;

	if (!bytes || line->bytes + bytes >= sizeof line->text)
		return;
	if (!run || run->style != style) {
		/* Out of runs: the rest of the line keeps the last style. */
		if (line->run_count < LINE_RUNS_MAX) {
			run = &line->runs[line->run_count++];
			*run = (struct line_run){ .style = (uint8_t)style };
		}
	}
	memcpy(line->text + line->bytes, text, bytes);
	line->bytes += bytes;
	line->text[line->bytes] = '\0';
	line->columns += columns;
	run->bytes = (uint16_t)(run->bytes + bytes);
}

void line_add(struct line *line, enum style style, const char *text, unsigned columns)
{
	unsigned room = line->width - line->columns;
	size_t bytes = strlen(text);

	if (columns > room) {
		if (bytes != columns)
			return;
		bytes = columns = room;
	}
	append(line, style, text, bytes, columns);
}

void line_print(struct line *line, enum style style, const char *format, ...)
{
	char text[LINE_COLUMNS_MAX + 1];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	line_add(line, style, text, (unsigned)strlen(text));
}

unsigned line_fit(char *buffer, size_t size, const char *bytes, size_t length, unsigned columns, bool utf8)
{
	char trial[1024];
	const char *mark = utf8 ? "…" : "~";
	size_t room = sizeof trial < size ? sizeof trial : size;
	size_t used;

	if (!size)
		return 0;
	buffer[0] = '\0';
	if (!columns)
		return 0;
	used = escape_text(trial, room, bytes, length, (size_t)columns + 1, utf8);
	/*
	 * The trial has one column more than there is. A text that fits without it may still have been cut,
	 * as a wide character or an escape did not fit, so try with ample room.
	 */
	if (used <= columns && escape_text(trial, room, bytes, length, (size_t)columns + 16, utf8) == used) {
		memcpy(buffer, trial, strlen(trial) + 1);
		return (unsigned)used;
	}
	size_t mark_bytes = strlen(mark);

	if (size <= mark_bytes)
		return 0;
	used = escape_text(buffer, size - mark_bytes, bytes, length, (size_t)columns - 1, utf8);
	memcpy(buffer + strlen(buffer), mark, mark_bytes + 1);
	return (unsigned)used + 1;
}

void line_untrusted(struct line *line, enum style style, const char *bytes, size_t length, unsigned columns)
{
	char text[1024];
	unsigned room = line->width - line->columns;
	unsigned used =
	    line_fit(text, sizeof text, bytes, length, columns < room ? columns : room, line->utf8);

	append(line, style, text, strlen(text), used);
}

void line_pad(struct line *line, enum style style, unsigned column)
{
	static const char blanks[] = "                                ";

	if (column > line->width)
		column = line->width;
	while (line->columns < column) {
		size_t count = column - line->columns;

		if (count > sizeof blanks - 1)
			count = sizeof blanks - 1;
		unsigned before = line->columns;

		append(line, style, blanks, count, (unsigned)count);
		if (line->columns == before)
			return;
	}
}

size_t line_trimmed(const struct line *line)
{
	size_t bytes = line->bytes;

	while (bytes && line->text[bytes - 1] == ' ')
		bytes--;
	return bytes;
}
