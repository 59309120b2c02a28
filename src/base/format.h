/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, amounts of bytes, rates and times as text. Rounding happens here and nowhere else. */
#ifndef TCPTOP_FORMAT_H
#define TCPTOP_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum unit {
	UNIT_HUMAN, /* three digits and KB, MB, GB... of 1024 */
	UNIT_KB,    /* whole KB of 1024, rounded down, as in the classic output */
	UNIT_BYTES,
	UNIT_BITS, /* three digits and kb, Mb, Gb... of 1000, as links are spoken of */
	UNIT_COUNT,
};

/* What the unit is called in a sentence. */
const char *unit_name(enum unit unit);

/*
 * Writes bytes with their unit: "12.3MB", "1234KB", "12.3Mb"; whole numbers that need more than width columns take
 * the human form instead. Returns the columns (ASCII).
 */
unsigned format_amount(char *buffer, size_t size, uint64_t bytes, enum unit unit, unsigned width);

/* The same for text rather than for a column. */
void format_bytes(char *buffer, size_t size, uint64_t bytes, enum unit unit);

/* "12.3MB/s", "1234KB/s". */
void format_rate(char *buffer, size_t size, uint64_t bytes_per_s, enum unit unit);

/* Writes a count of anything, as "4.29M" where its digits need more than width columns. Returns the columns. */
unsigned format_count(char *buffer, size_t size, uint64_t count, unsigned width);

/* What is before the point, within what 64 bits can hold: 0 for what is negative or no number. */
uint64_t whole_number(double number);

/* A rate from an amount and the interval's true length; 0 when the length is 0, and the largest number where it is larger. */
uint64_t rate_per_s(uint64_t bytes, uint64_t interval_ns);

/* A span of time in at most two parts: "0.5 s", "1 s", "2 min 3 s", "3 h 4 min", "2 d 3 h". */
void format_span(char *buffer, size_t size, uint64_t milliseconds);

/* A time that something took in at most seven columns: "12us", "1.23ms", "123ms", "1.23s", "12.3s", "2m03s", "3h04m", "2d03h", "1234d", "2739y". */
void format_duration(char *buffer, size_t size, uint64_t microseconds);

/* "HH:MM:SS" of a time since 1970, in the local time zone. */
void format_clock(char *buffer, size_t size, int64_t time_s);

/* The same, after the date when that is not today's: "2026-11-22 10:42:17". */
#define FORMAT_TIME_SIZE 32
void format_time(char *buffer, size_t size, int64_t time_s, int64_t now_s);

/* Writes the digits of a number, at most FORMAT_DECIMAL_SIZE and no NUL. Returns how many. Much faster than snprintf. */
#define FORMAT_DECIMAL_SIZE 20
size_t format_decimal(char *buffer, uint64_t number);

#endif
