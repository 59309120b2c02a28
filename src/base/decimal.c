/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <string.h>

bool decimal_read(const char *text, size_t length, uint64_t max, uint64_t *number)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned char)text[i] - '0';

		if (digit > 9 || sum > (max - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	if (length > 0)
		*number = sum;
	return length > 0;
}

bool decimal_read_parts(const char *text, uint64_t parts, uint64_t max, uint64_t *number)
{
	size_t whole_length = strspn(text, "0123456789");
	const char *fraction = text + whole_length;
	uint64_t whole = 0, rest = 0, part = parts / 10;

	if (whole_length > 0 && !decimal_read(text, whole_length, max / parts, &whole))
		return false;
	if (*fraction == '.') {
		size_t length = strspn(++fraction, "0123456789");

		if (whole_length + length == 0 || fraction[length] != '\0')
			return false;
		for (; *fraction; fraction++, part /= 10)
			rest += (uint64_t)(*fraction - '0') * part;
	} else if (whole_length == 0 || *fraction != '\0') {
		return false;
	}
	if (whole * parts + rest > max)
		return false;
	*number = whole * parts + rest;
	return true;
}
