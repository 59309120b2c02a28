/* SPDX-License-Identifier: Apache-2.0 */
#include "base/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const char *const unit_names[UNIT_COUNT] = {
	[UNIT_HUMAN] = "KB, MB, GB as they fit",
	[UNIT_KB] = "KB",
	[UNIT_BYTES] = "bytes",
	[UNIT_BITS] = "bits",
};

const char *unit_name(enum unit unit)
{
	return unit_names[unit];
}

/* Three digits, a letter and the unit. An amount that would round up to 1000 takes the next letter. */
static int format_short(
    char *buffer, size_t size, uint64_t amount, double step, const char *letters, const char *unit)
{
	double value = (double)amount;

	if (amount < 1000)
		return snprintf(buffer, size, "%u%s", (unsigned)amount, unit);
	for (; *letters; letters++) {
		value /= step;
		if (value < 9.995)
			return snprintf(buffer, size, "%.2f%c%s", value, *letters, unit);
		if (value < 99.95)
			return snprintf(buffer, size, "%.1f%c%s", value, *letters, unit);
		if (value < 999.5 || !letters[1])
			break;
	}
	return snprintf(buffer, size, "%.0f%c%s", value, *letters, unit);
}

unsigned format_count(char *buffer, size_t size, uint64_t count, unsigned width)
{
	int length = snprintf(buffer, size, "%llu", (unsigned long long)count);

	if ((unsigned)length > width)
		length = format_short(buffer, size, count, 1000.0, "kMGTPE", "");
	return (unsigned)length;
}

/* Never more than six columns. */
static int format_bits(char *buffer, size_t size, uint64_t bytes)
{
	double exa = (double)bytes * 8 / 1e18;

	/* Past 2 EiB the product would not fit; the quotient's error is below the third digit. */
	if (bytes > UINT64_MAX / 8)
		return snprintf(buffer, size, "%.*fEb", exa < 99.95, exa);
	return format_short(buffer, size, bytes * 8, 1000.0, "kMGTPE", "b");
}

unsigned format_amount(char *buffer, size_t size, uint64_t bytes, enum unit unit, unsigned width)
{
	int length = 0;

	switch (unit) {
	case UNIT_KB:
		length = snprintf(buffer, size, "%lluKB", (unsigned long long)(bytes / 1024));
		break;
	case UNIT_BYTES:
		length = snprintf(buffer, size, "%lluB", (unsigned long long)bytes);
		break;
	case UNIT_BITS:
		return (unsigned)format_bits(buffer, size, bytes);
	case UNIT_HUMAN:
	case UNIT_COUNT:
		break;
	}
	if (length == 0 || (unsigned)length > width)
		length = format_short(buffer, size, bytes, 1024.0, "KMGTPE", "B");
	return (unsigned)length;
}

void format_bytes(char *buffer, size_t size, uint64_t bytes, enum unit unit)
{
	format_amount(buffer, size, bytes, unit, FORMAT_DECIMAL_SIZE + 1);
}

void format_rate(char *buffer, size_t size, uint64_t bytes_per_s, enum unit unit)
{
	char amount[48];

	format_bytes(amount, sizeof amount, bytes_per_s, unit);
	snprintf(buffer, size, "%s/s", amount);
}

uint64_t whole_number(double number)
{
	/* 2^64, which a double has exactly: from there on the conversion is undefined. */
	if (number >= 18446744073709551616.0)
		return UINT64_MAX;
	return number > 0 ? (uint64_t)number : 0;
}

uint64_t rate_per_s(uint64_t bytes, uint64_t interval_ns)
{
	if (!interval_ns)
		return 0;
	if (bytes <= UINT64_MAX / 1000000000u)
		return bytes * 1000000000u / interval_ns;
	return whole_number((double)bytes * 1e9 / (double)interval_ns);
}

void format_span(char *buffer, size_t size, uint64_t milliseconds)
{
	uint64_t s = milliseconds / 1000;

	if (s < 10 && milliseconds % 1000)
		snprintf(buffer, size, "%.3g s", (double)milliseconds / 1000);
	else if (s < 60)
		snprintf(buffer, size, "%u s", (unsigned)s);
	else if (s < 3600)
		snprintf(buffer, size, "%u min %u s", (unsigned)(s / 60), (unsigned)(s % 60));
	else if (s < 86400)
		snprintf(buffer, size, "%u h %u min", (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
	else
		snprintf(
		    buffer, size, "%llu d %u h", (unsigned long long)(s / 86400), (unsigned)(s / 3600 % 24));
}

/* Three digits, cut rather than rounded: 999.9 ms is not yet a second. */
static void format_three(char *buffer, size_t size, uint64_t thousandths, const char *unit)
{
	uint64_t whole = thousandths / 1000, rest = thousandths % 1000;

	if (whole >= 100)
		snprintf(buffer, size, "%" PRIu64 "%s", whole, unit);
	else if (whole >= 10)
		snprintf(buffer, size, "%" PRIu64 ".%" PRIu64 "%s", whole, rest / 100, unit);
	else
		snprintf(buffer, size, "%" PRIu64 ".%02" PRIu64 "%s", whole, rest / 10, unit);
}

void format_duration(char *buffer, size_t size, uint64_t microseconds)
{
	uint64_t s = microseconds / 1000000, minutes = s / 60, hours = minutes / 60, days = hours / 24;

	if (microseconds < 1000)
		snprintf(buffer, size, "%" PRIu64 "us", microseconds);
	else if (microseconds < 1000000)
		format_three(buffer, size, microseconds, "ms");
	else if (s < 60)
		format_three(buffer, size, microseconds / 1000, "s");
	else if (hours < 1)
		snprintf(buffer, size, "%" PRIu64 "m%02" PRIu64 "s", minutes, s % 60);
	else if (days < 1)
		snprintf(buffer, size, "%" PRIu64 "h%02" PRIu64 "m", hours, minutes % 60);
	else if (days < 1000)
		snprintf(buffer, size, "%" PRIu64 "d%02" PRIu64 "h", days, hours % 24);
	else if (days < 1000000)
		snprintf(buffer, size, "%" PRIu64 "d", days);
	else
		snprintf(buffer, size, "%" PRIu64 "y", days / 365);
}

void format_clock(char *buffer, size_t size, int64_t time_s)
{
	time_t time = (time_t)time_s;
	struct tm tm;

	if (!localtime_r(&time, &tm) || !strftime(buffer, size, "%H:%M:%S", &tm))
		snprintf(buffer, size, "--:--:--");
}

void format_time(char *buffer, size_t size, int64_t time_s, int64_t now_s)
{
	time_t time = (time_t)time_s, now = (time_t)now_s;
	struct tm tm, today;

	if (!localtime_r(&time, &tm) || !localtime_r(&now, &today) ||
	    (tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year) ||
	    !strftime(buffer, size, "%Y-%m-%d %H:%M:%S", &tm))
		format_clock(buffer, size, time_s);
}

size_t format_decimal(char *buffer, uint64_t number)
{
	char digits[FORMAT_DECIMAL_SIZE];
	size_t count = 0, length = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (count)
		buffer[length++] = digits[--count];
	return length;
}
