/* SPDX-License-Identifier: Apache-2.0 */
#include "model/series.h"

uint32_t series_point(uint64_t rate_bytes_per_s)
{
	uint64_t point = rate_bytes_per_s / SERIES_UNIT + (rate_bytes_per_s % SERIES_UNIT != 0);

	return point > UINT32_MAX ? UINT32_MAX : (uint32_t)point;
}

uint32_t series_at(const struct series *series, unsigned age)
{
	return series->points[(series->tick - age) % series->capacity];
}

uint64_t series_peak(const struct series *series, unsigned width)
{
	uint32_t peak = 0;

	for (unsigned age = 0; age < series->count && age < width; age++)
		if (series_at(series, age) > peak)
			peak = series_at(series, age);
	return (uint64_t)peak * SERIES_UNIT;
}
