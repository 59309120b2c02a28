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
	AVERAGE_ORDER, /* that of 10 s, averaged over 10 s once more: it does not jump when a rate does */
	AVERAGE_COUNT,
};

/*
 * Exponential: the latest N seconds have 86% of the weight (1 - 1/e^2), as half of N is the time constant. Each
 * interval takes a multiplication, whatever its length, and the averages of several rows add up to that of all.
 * In bytes per second, but too low by the part of the weight that was before the first interval.
 */
struct averages {
	float rx_bytes_per_s[AVERAGE_COUNT];
	float tx_bytes_per_s[AVERAGE_COUNT];
};

/* What the intervals do to all averages. Zero at the start. */
struct average_clock {
	float part[AVERAGE_COUNT];  /* the weight of the latest interval */
	float known[AVERAGE_COUNT]; /* and of all intervals so far: nearly 1 after some spans */
};

/* The next interval is this long. */
void average_clock_advance(struct average_clock *clock, uint64_t interval_ns);

/* Takes in the rates of the clock's latest interval. False: both are zero, and so are all averages now. */
bool averages_add(
    struct averages *averages, const struct average_clock *clock, float rx_bytes_per_s, float tx_bytes_per_s);

/* Adds up the averages of several rows. */
void averages_sum(struct averages *sum, const struct averages *averages);

/* RX and TX of a span in bytes per second: what was before the first interval has no weight. */
float averages_rx(const struct averages *averages, const struct average_clock *clock, enum average_span span);
float averages_tx(const struct averages *averages, const struct average_clock *clock, enum average_span span);

#endif
