/* SPDX-License-Identifier: Apache-2.0 */
#include "names/container_id.h"

#include <stddef.h>
#include <string.h>

static bool is_hex(const char *text, size_t length, const char *also)
{
	for (size_t i = 0; i < length; i++)
		if (!text[i] || (!strchr("0123456789abcdef", text[i]) && !strchr(also, text[i])))
			return false;
	return text[length] == '\0';
}

bool container_id_is(const char *text)
{
	return is_hex(text, CONTAINER_ID_DIGITS, "");
}

bool container_id_is_pod(const char *text)
{
	enum { LENGTH = 36, LENGTH_OF_FILE = 32 };

	return is_hex(text, LENGTH, "-") || is_hex(text, LENGTH_OF_FILE, "");
}
