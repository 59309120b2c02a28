/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/edit.h"

#include <stdint.h>
#include <string.h>

#include "base/escape.h"
#include "screen/keys.h"

void edit_key(char *text, size_t size, int code)
{
	size_t length = strlen(text);

	if (code == KEY_CODE_BACKSPACE || code == KEY_CODE_DELETE) {
		/* A character with its continuation bytes. */
		while (length && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
			length--;
		length -= length > 0;
	} else if (code == 'U' - '@') {
		length = 0;
	} else if (code == 'W' - '@') {
		while (length && text[length - 1] == ' ')
			length--;
		while (length && text[length - 1] != ' ')
			length--;
	} else if (code >= ' ' && code < KEY_CODE_FIRST_SPECIAL) {
		char bytes[4];
		size_t count = escape_encode_utf8(bytes, (uint32_t)code);

		if (length + count < size) {
			memcpy(text + length, bytes, count);
			length += count;
		}
	}
	text[length] = '\0';
}

void edit_paste(char *text, size_t size, const char *line)
{
	size_t length = strlen(line), taken;
	uint32_t character;

	for (; length > 0; line += taken, length -= taken) {
		taken = escape_decode_utf8((const unsigned char *)line, length, &character);
		if (!taken)
			return;
		edit_key(text, size, (int)character);
	}
}
