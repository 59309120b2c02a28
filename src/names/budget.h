/* SPDX-License-Identifier: Apache-2.0 */
/* So many looks at /proc in a second, so that a screen never waits long for names. Zeroed: nothing is used. */
#ifndef TCPTOP_BUDGET_H
#define TCPTOP_BUDGET_H

#include <stdbool.h>
#include <time.h>

struct budget {
	time_t second; /* on the monotonic clock */
	unsigned used;
};

static inline time_t budget_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Takes one of `max` of this second; false: all are used. */
static inline bool budget_take(struct budget *budget, unsigned max)
{
	time_t now_s = budget_now_s();

	if (now_s != budget->second)
		*budget = (struct budget){ .second = now_s };
	return ++budget->used <= max;
}

/* The second in which one was last taken is over. */
static inline bool budget_is_over(const struct budget *budget)
{
	return budget_now_s() != budget->second;
}

#endif
