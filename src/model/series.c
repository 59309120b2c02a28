/* SPDX-License-Identifier: Apache-2.0 */
#include "model/series.h"

#include <string.h>

/* Nine levels: nothing, then one to eight eighths. */
static const char *const blocks_utf8[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const blocks_ascii[] = { " ", "_", ".", ":", "-", "=", "+", "*", "#" };

uint32_t history_point(uint64_t rate_bytes_per_s)
{
	uint64_t point = rate_bytes_per_s / HISTORY_UNIT + (rate_bytes_per_s % HISTORY_UNIT != 0);

	return point > UINT32_MAX ? UINT32_MAX : (uint32_t)point;
}

static uint32_t point_at(const struct series *series, unsigned age)
{
	return series->points[(series->tick - age) % series->capacity];
}

static uint32_t highest(const struct series *series, unsigned width)
{
	uint32_t peak = 0;

	for (unsigned age = 0; age < series->count && age < width; age++)
		if (point_at(series, age) > peak)
			peak = point_at(series, age);
	return peak;
}

uint64_t history_peak(const struct series *series, unsigned width)
{
	return (uint64_t)highest(series, width) * HISTORY_UNIT;
}

/*
 * How many eighths of the cell are filled. The lowest eighth of the lowest line is the base line, so that
 * any traffic shows at least one more than silence.
 */
static unsigned cell_level(uint32_t point, uint32_t peak, unsigned lines, unsigned line)
{
	uint64_t steps = (uint64_t)lines * 8 - 1;
	uint64_t eighths = 1;

	if (point)
		eighths += 1 + ((uint64_t)point * (steps - 1)) / peak;
	if (eighths <= (uint64_t)line * 8)
		return 0;
	eighths -= (uint64_t)line * 8;
	return eighths > 8 ? 8 : (unsigned)eighths;
}

unsigned history_graph(char *buffer, size_t size, const struct series *series, unsigned width, unsigned lines,
    unsigned line, bool utf8)
{
	const char *const *blocks = utf8 ? blocks_utf8 : blocks_ascii;
	uint32_t peak = highest(series, width);
	size_t length = 0;
	unsigned column;

	for (column = 0; column < width; column++) {
		unsigned age = width - 1 - column;
		const char *block = " ";

		if (age < series->count)
			block = blocks[cell_level(point_at(series, age), peak, lines, line)];
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
