/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that intervals are measured on, and those of processor time. */
#ifndef TCPTOP_CLOCK_H
#define TCPTOP_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/util.h"

/* 0: of a process that has ended. */
static inline uint64_t clock_read_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Nanoseconds of CLOCK_MONOTONIC, which setting the wall clock does not change. */
static inline uint64_t clock_now_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

#endif
