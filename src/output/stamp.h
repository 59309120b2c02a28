/* SPDX-License-Identifier: Apache-2.0 */
/* Moments and lengths of intervals, as JSON and CSV have them. */
#ifndef TCPTOP_STAMP_H
#define TCPTOP_STAMP_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { STAMP_UTC_SIZE = 64, STAMP_SECONDS_SIZE = 32 };

/* Seconds to the microsecond: six decimals, of which up to two trailing zeros are dropped. */
void stamp_seconds(char *buffer, size_t size, uint64_t interval_ns);

/* "2026-11-22T10:42:17.123Z" */
void stamp_utc(char *buffer, size_t size, const struct timespec *time);

#endif
