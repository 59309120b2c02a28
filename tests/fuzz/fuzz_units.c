/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of any size as text, and texts as numbers: they fit where they have to, and digits come back as the number. */
#include <stdbool.h>

#include "base/decimal.h"
#include "base/format.h"
#include "fuzz.h"

enum {
	SHORT_COLUMNS = 7, /* of an amount in three digits: "1023.5" is none */
	DURATION_COLUMNS = 7,
	ROOM = 64,
};

static uint64_t take_number(struct fuzz_bytes *bytes)
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | fuzz_take(bytes);
	return number;
}

static void check_amounts(uint64_t bytes, unsigned width)
{
	char text[ROOM], again[ROOM];

	for (enum unit unit = UNIT_HUMAN; unit < UNIT_COUNT; unit++) {
		unsigned columns = format_amount(text, sizeof text, bytes, unit, width);

		HOLDS(columns == strlen(text));
		HOLDS(columns <= width || columns <= SHORT_COLUMNS);
		HOLDS(text[columns - 1] == (unit == UNIT_BITS ? 'b' : 'B'));
		/* The sign of a unit says it all: the number before it is one. */
		HOLDS(strspn(text, "0123456789.") > 0 && columns - strspn(text, "0123456789.") <= 2);
		format_rate(text, sizeof text, bytes, unit);
		format_bytes(again, sizeof again, bytes, unit);
		HOLDS(strncmp(text, again, strlen(again)) == 0 && strcmp(text + strlen(again), "/s") == 0);
	}
	HOLDS(format_count(text, sizeof text, bytes, width) == strlen(text));
	HOLDS(strlen(text) <= width || strlen(text) <= SHORT_COLUMNS);
}

static void check_times(uint64_t number)
{
	char text[ROOM];

	format_duration(text, sizeof text, number);
	HOLDS(text[0] && strlen(text) <= DURATION_COLUMNS);
	format_span(text, sizeof text, number);
	HOLDS(text[0] && strlen(text) < sizeof text - 1);
	format_clock(text, sizeof text, (int64_t)number);
	HOLDS(strlen(text) == strlen("10:42:17"));
	format_time(text, FORMAT_TIME_SIZE, (int64_t)number, 0);
	HOLDS(text[0]);
}

static void check_digits(uint64_t number)
{
	char digits[FORMAT_DECIMAL_SIZE];
	size_t length = format_decimal(digits, number);
	uint64_t again = 1;

	HOLDS(length > 0 && length <= sizeof digits);
	HOLDS(decimal_read(digits, length, UINT64_MAX, &again) && again == number);
	HOLDS(!number || number - 1 < 9 || !decimal_read(digits, length, number - 1, &again));
}

/* What is no number leaves what is there. */
static void check_text(const char *text, size_t length, uint64_t max)
{
	uint64_t number = 4711;
	bool is_read = decimal_read(text, length, max < 9 ? 9 : max, &number);

	HOLDS(is_read ? number <= (max < 9 ? 9 : max) : number == 4711);
	for (size_t i = 0; i < length && is_read; i++)
		HOLDS(text[i] >= '0' && text[i] <= '9');
}

/* Of a number and of another one, both of eight bytes; then a width, and a text. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_bytes input = { bytes, size };
	uint64_t number = take_number(&input), other = take_number(&input);

	check_amounts(number, fuzz_take(&input) % 24);
	check_times(number);
	check_digits(number);
	HOLDS(rate_per_s(number, other) <= rate_per_s(number, other / 2) || other < 2);
	HOLDS(whole_number((double)other) >= other / 2);
	check_text((const char *)input.at, input.left, number);
	return 0;
}
