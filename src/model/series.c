/* SPDX-License-Identifier: Apache-2.0 */
#include "model/series.h"

#define MANTISSA_BITS 11
#define MANTISSA_MASK ((1U << MANTISSA_BITS) - 1)

/*
 * As a float without a sign: five bits of exponent above eleven of mantissa, before which stands a one that is not kept;
 * with the exponent 0 a zero, so that small rates are exact. So points are in the order of their rates.
 */
uint16_t series_point(uint64_t rate_bytes_per_s)
{
	unsigned shift = 0;

	if (rate_bytes_per_s >= SERIES_MAX_BYTES_PER_S)
		return UINT16_MAX;
	if (rate_bytes_per_s >> MANTISSA_BITS)
		shift = 63 - MANTISSA_BITS - (unsigned)__builtin_clzll(rate_bytes_per_s);
	uint64_t mantissa = (rate_bytes_per_s + (UINT64_C(1) << shift) - 1) >> shift;

	/* The one is added to the exponent, which is 1 then, and so is what rounding up has carried. */
	return (uint16_t)(((uint64_t)shift << MANTISSA_BITS) + mantissa);
}

uint64_t series_rate(uint16_t point)
{
	unsigned exponent = point >> MANTISSA_BITS;
	uint64_t mantissa = point & MANTISSA_MASK;

	return exponent ? (mantissa | 1U << MANTISSA_BITS) << (exponent - 1) : mantissa;
}

uint16_t series_sum(uint16_t a, uint16_t b, uint64_t dice)
{
	uint64_t sum = series_rate(a) + series_rate(b);
	uint16_t above = series_point(sum);
	uint64_t over = series_rate(above) - sum;

	if (!over || sum >= SERIES_MAX_BYTES_PER_S)
		return above;
	uint64_t step = series_rate(above) - series_rate((uint16_t)(above - 1));
	uint64_t chance = (sum ^ dice) * UINT64_C(0x9e3779b97f4a7c15);

	return (chance >> 20) % step < over ? (uint16_t)(above - 1) : above;
}

uint64_t series_at(const struct series *series, unsigned age)
{
	uint32_t at = (series->tick - age) % series->capacity;

	return series->points ? series_rate(series->points[at]) : series->rates[at];
}

uint64_t series_peak(const struct series *series, unsigned width)
{
	uint64_t peak = 0;

	for (unsigned age = 0; age < series->count && age < width; age++)
		if (series_at(series, age) > peak)
			peak = series_at(series, age);
	return peak;
}
