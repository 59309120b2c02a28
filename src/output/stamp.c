/* SPDX-License-Identifier: Apache-2.0 */
#include "output/stamp.h"

#include <inttypes.h>
#include <stdio.h>

void stamp_seconds(char *buffer, size_t size, uint64_t interval_ns)
{
	uint64_t interval_us = (interval_ns + 500) / 1000;
	int length =
	    snprintf(buffer, size, "%" PRIu64 ".%06" PRIu64, interval_us / 1000000, interval_us % 1000000);

	for (int spare = 2; spare > 0 && buffer[length - 1] == '0'; spare--)
		buffer[--length] = '\0';
}

void stamp_utc(char *buffer, size_t size, const struct timespec *time)
{
	char date[48];
	struct tm utc;

	gmtime_r(&time->tv_sec, &utc);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(buffer, size, "%s.%03ldZ", date, time->tv_nsec / 1000000);
}
