/* SPDX-License-Identifier: Apache-2.0 */
#include "table/graph.h"

#include <string.h>

#include "model/series.h"

/* Nine levels: nothing, then one to eight eighths. */
static const char *const blocks_utf8[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const blocks_ascii[] = { " ", "_", ".", ":", "-", "=", "+", "*", "#" };

/* Eighths above the peak that stay free, so that the graph does not run into what stands over it. */
#define HEADROOM 1

/*
 * How many eighths of the cell are filled. The lowest eighth of the lowest line is the base line, so that
 * any traffic shows at least one more than silence.
 */
static unsigned cell_level(uint64_t rate, uint64_t peak, unsigned lines, unsigned line)
{
	uint64_t steps = (uint64_t)lines * 8 - 1 - HEADROOM;
	uint64_t eighths = 1;

	if (rate)
		eighths += 1 + (rate * (steps - 1)) / peak;
	if (eighths <= (uint64_t)line * 8)
		return 0;
	eighths -= (uint64_t)line * 8;
	return eighths > 8 ? 8 : (unsigned)eighths;
}

unsigned graph_line(char *buffer, size_t size, const struct series *series, unsigned width, unsigned lines,
    unsigned line, bool utf8)
{
	const char *const *blocks = utf8 ? blocks_utf8 : blocks_ascii;
	uint64_t peak = series_peak(series, width);
	size_t length = 0;
	unsigned column;

	for (column = 0; column < width; column++) {
		unsigned age = width - 1 - column;
		const char *block = " ";

		if (age < series->count)
			block = blocks[cell_level(series_at(series, age), peak, lines, line)];
		size_t bytes = strlen(block);

		if (length + bytes + 1 > size)
			break;
		memcpy(buffer + length, block, bytes);
		length += bytes;
	}
	if (size)
		buffer[length] = '\0';
	return column;
}

void graph_peak(char *buffer, size_t size, const struct series *series, enum unit unit)
{
	format_rate(
	    buffer, size, series_peak(series, series->capacity), unit == UNIT_BYTES ? UNIT_HUMAN : unit);
}
