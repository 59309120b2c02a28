/* SPDX-License-Identifier: Apache-2.0 */
#include "model/accounted.h"

#include <stdio.h>

const char *accounted_share(char text[ACCOUNTED_TEXT_SIZE], const struct audit_result *result)
{
	double whole = (double)result->bytes, off = (double)result->unexplained_bytes;
	double percent = !off ? 100 : off < whole ? 100 - 100 * off / whole : 0;

	snprintf(text, ACCOUNTED_TEXT_SIZE, "%.3f%%", off && percent > 99.999 ? 99.999 : percent);
	return text;
}
