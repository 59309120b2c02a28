/* SPDX-License-Identifier: Apache-2.0 */
#include "model/average.h"

/* Below it is nothing. Numbers near the least of a float would be slow to multiply. */
#define LEAST_BYTES_PER_S 1e-6f

static const double constants_ns[AVERAGE_COUNT] = {
	[AVERAGE_2S] = 1e9,
	[AVERAGE_10S] = 5e9,
	[AVERAGE_40S] = 20e9,
	[AVERAGE_ORDER] = 5e9,
};

static bool add(float averages[AVERAGE_COUNT], const float part[AVERAGE_COUNT], float rate_bytes_per_s)
{
	bool any = false;

	for (int span = 0; span < AVERAGE_COUNT; span++) {
		float now = span == AVERAGE_ORDER ? averages[AVERAGE_10S] : rate_bytes_per_s;

		averages[span] += part[span] * (now - averages[span]);
		if (averages[span] < LEAST_BYTES_PER_S)
			averages[span] = 0;
		any |= averages[span] > 0;
	}
	return any;
}

/*
 * 1 - exp(-x) for x >= 0, to the digits that a float has. Of a small x by its series; twice as long an interval leaves the
 * square of what this one does. For expm1() alone the whole of libm would be mapped: 0.45 MB, a tenth of what the screen takes.
 */
static double decay(double x)
{
	unsigned doublings = 0;

	for (; x > 1.0 / 64 && doublings < 32; doublings++)
		x /= 2;
	double part = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));

	for (; doublings; doublings--)
		part *= 2 - part;
	return part < 1 ? part : 1;
}

void average_clock_advance(struct average_clock *clock, uint64_t interval_ns)
{
	for (int span = 0; span < AVERAGE_COUNT; span++)
		clock->part[span] = (float)decay((double)interval_ns / constants_ns[span]);
	/* The average of a rate that has always been 1. */
	add(clock->known, clock->part, 1);
}

bool averages_add(
    struct averages *averages, const struct average_clock *clock, float rx_bytes_per_s, float tx_bytes_per_s)
{
	bool rx = add(averages->rx_bytes_per_s, clock->part, rx_bytes_per_s);
	bool tx = add(averages->tx_bytes_per_s, clock->part, tx_bytes_per_s);

	return rx || tx;
}

void averages_sum(struct averages *sum, const struct averages *averages)
{
	for (int span = 0; span < AVERAGE_COUNT; span++) {
		sum->rx_bytes_per_s[span] += averages->rx_bytes_per_s[span];
		sum->tx_bytes_per_s[span] += averages->tx_bytes_per_s[span];
	}
}

static float known(float average, const struct average_clock *clock, enum average_span span)
{
	return clock->known[span] > 0 ? average / clock->known[span] : 0;
}

float averages_rx(const struct averages *averages, const struct average_clock *clock, enum average_span span)
{
	return known(averages->rx_bytes_per_s[span], clock, span);
}

float averages_tx(const struct averages *averages, const struct average_clock *clock, enum average_span span)
{
	return known(averages->tx_bytes_per_s[span], clock, span);
}
