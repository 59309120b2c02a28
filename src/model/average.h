/* SPDX-License-Identifier: Apache-2.0 */
/* Moving averages of rates, over real lengths of intervals. */
#ifndef TCPTOP_AVERAGE_H
#define TCPTOP_AVERAGE_H

#include <stdbool.h>
#include <stdint.h>

enum average_span {
	AVERAGE_2S,
	AVERAGE_10S,
	AVERAGE_40S,
	AVERAGE_COUNT,
};

/*
 * Exponential: the latest N seconds have 86% of the weight (1 - 1/e^2), as half of N is the time constant. Each
 * interval takes a multiplication, whatever its length, and the averages of several rows add up to that of all.
 * In bytes per second, too low by the step's `known`.
 */
struct averages {
	float rx_bytes_per_s[AVERAGE_COUNT];
	float tx_bytes_per_s[AVERAGE_COUNT];
};

/* What an interval does to all averages. */
struct average_step {
	float part[AVERAGE_COUNT];  /* the weight of the latest interval's rate */
	float known[AVERAGE_COUNT]; /* the weights of all intervals so far: nearly 1 after some spans */
};

/* For an interval of this length, at the end of which intervals have lasted for clock_ns in all. */
struct average_step average_step(uint64_t interval_ns, uint64_t clock_ns);

/* Takes in the rates of an interval. False: both are zero, and so are all averages now. */
bool averages_add(
    struct averages *averages, const struct average_step *step, float rx_bytes_per_s, float tx_bytes_per_s);

/* Adds up the averages of several rows. */
void averages_sum(struct averages *sum, const struct averages *averages);

/* RX and TX of a span in bytes per second: what was before the first interval has no weight. */
float averages_rx(const struct averages *averages, const struct average_step *step, enum average_span span);
float averages_tx(const struct averages *averages, const struct average_step *step, enum average_span span);

#endif
