/* SPDX-License-Identifier: Apache-2.0 */
#include "model/cost.h"

#include <stdio.h>

#include "base/util.h"

#define PPM 1000000.0

/* Longer ones would say too little; what costs too much in them is ended. */
#define INTERVAL_MAX_NS (60 * (uint64_t)NS_PER_S)

/* A prediction is to hold. */
#define RESERVE 1.2

/* After so many intervals in a row above the limit it is ended where nothing helps, and after one more in any case. */
#define OVER_MAX 2

const char *cost_share(char text[COST_TEXT_SIZE], uint64_t ns, uint64_t interval_ns)
{
	double percent = interval_ns ? 100 * (double)ns / (double)interval_ns : 0;

	snprintf(text, COST_TEXT_SIZE, percent < 10 ? "%.2f%%" : "%.0f%%", percent);
	return text;
}

/*
 * What the programs take follows what the host does, and only passes are of our own choice; what this process takes is
 * much the same in each interval, so that it is less in longer ones.
 */
static uint64_t fitting_interval_ns(
    const struct own_cost *cost, uint64_t took_ns, double limit, uint64_t max_ns)
{
	double programs = (double)cost->programs_ns / (double)took_ns;
	double own_ns = (double)(cost->total_ns - cost->programs_ns);

	if (programs >= limit)
		return UINT64_MAX;
	double fitting_ns = own_ns * RESERVE / (limit - programs);

	if (fitting_ns <= (double)max_ns)
		return (uint64_t)fitting_ns;
	return own_ns / (limit - programs) <= (double)max_ns ? max_ns : UINT64_MAX;
}

unsigned overhead_judge(struct overhead *overhead, const struct own_cost *cost, uint64_t took_ns)
{
	double limit = overhead->limit_ppm / PPM;

	if (!overhead->limit_ppm || !cost->total_ns || !took_ns)
		return 0;
	if ((double)cost->total_ns <= limit * (double)took_ns) {
		overhead->over = 0;
		return 0;
	}
	unsigned actions = overhead->can_drop ? OVERHEAD_DROPS : 0;
	uint64_t max_ns = overhead->interval_ns > INTERVAL_MAX_NS ? overhead->interval_ns : INTERVAL_MAX_NS;
	uint64_t fitting_ns = fitting_interval_ns(cost, took_ns, limit, max_ns);

	overhead->can_drop = false;
	overhead->over++;
	if (overhead->over > OVER_MAX || (overhead->over == OVER_MAX && fitting_ns > max_ns))
		return OVERHEAD_STOPS;
	if (fitting_ns > max_ns)
		return actions;
	if (fitting_ns > overhead->interval_ns) {
		overhead->interval_ns = fitting_ns;
		actions |= OVERHEAD_INTERVAL;
	}
	return actions;
}
