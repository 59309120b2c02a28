/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that intervals are measured on. */
#ifndef TCPTOP_CLOCK_H
#define TCPTOP_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/util.h"

/* Nanoseconds of CLOCK_MONOTONIC, which setting the wall clock does not change. */
static inline uint64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

#endif
