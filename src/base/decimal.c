/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

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
