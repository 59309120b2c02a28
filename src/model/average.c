/* SPDX-License-Identifier: Apache-2.0 */
#include "model/average.h"

#include <math.h>

/* Below it is nothing. Numbers near the least of a float would be slow to multiply. */
#define LEAST_BYTES_PER_S 1e-6f

static const double constants_ns[AVERAGE_COUNT] = {
	[AVERAGE_2S] = 1e9,
	[AVERAGE_10S] = 5e9,
	[AVERAGE_40S] = 20e9,
};

struct average_step average_step(uint64_t interval_ns, uint64_t clock_ns)
{
	struct average_step step;

	for (int span = 0; span < AVERAGE_COUNT; span++) {
		step.part[span] = (float)-expm1(-(double)interval_ns / constants_ns[span]);
		step.known[span] = (float)-expm1(-(double)clock_ns / constants_ns[span]);
	}
	return step;
}

static bool add(float averages[AVERAGE_COUNT], const float part[AVERAGE_COUNT], float rate_bytes_per_s)
{
	bool any = false;

	for (int span = 0; span < AVERAGE_COUNT; span++) {
		averages[span] += part[span] * (rate_bytes_per_s - averages[span]);
		if (averages[span] < LEAST_BYTES_PER_S)
			averages[span] = 0;
		any |= averages[span] > 0;
	}
	return any;
}

bool averages_add(
    struct averages *averages, const struct average_step *step, float rx_bytes_per_s, float tx_bytes_per_s)
{
	bool rx = add(averages->rx_bytes_per_s, step->part, rx_bytes_per_s);
	bool tx = add(averages->tx_bytes_per_s, step->part, tx_bytes_per_s);

	return rx || tx;
}

void averages_sum(struct averages *sum, const struct averages *averages)
{
	for (int span = 0; span < AVERAGE_COUNT; span++) {
		sum->rx_bytes_per_s[span] += averages->rx_bytes_per_s[span];
		sum->tx_bytes_per_s[span] += averages->tx_bytes_per_s[span];
	}
}

static float known(float average, const struct average_step *step, enum average_span span)
{
	return step->known[span] > 0 ? average / step->known[span] : 0;
}

float averages_rx(const struct averages *averages, const struct average_step *step, enum average_span span)
{
	return known(averages->rx_bytes_per_s[span], step, span);
}

float averages_tx(const struct averages *averages, const struct average_step *step, enum average_span span)
{
	return known(averages->tx_bytes_per_s[span], step, span);
}
