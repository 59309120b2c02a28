/* SPDX-License-Identifier: Apache-2.0 */
/* Untrusted text becomes harmless: never wider or longer than there is room, and JSON's form can be reversed. */
#define _XOPEN_SOURCE 700 /* wcswidth */
#include <jansson.h>
#include <locale.h>
#include <stdbool.h>
#include <wchar.h>

#include "base/escape.h"
#include "fuzz.h"

static bool is_utf8(const char *text, size_t length)
{
	uint32_t character;

	for (size_t i = 0, taken; i < length; i += taken) {
		taken = escape_decode_utf8((const unsigned char *)text + i, length - i, &character);
		if (!taken)
			return false;
		char again[4];

		HOLDS(escape_encode_utf8(again, character) == taken && memcmp(again, text + i, taken) == 0);
	}
	return true;
}

/* No byte of it does anything to a terminal. */
static bool is_harmless(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return is_utf8(text, length);
}

static void check_text(const char *text, size_t length, size_t size, size_t columns, bool utf8)
{
	char *buffer = malloc(size), *again = malloc(size);

	HOLDS(buffer && again);
	size_t used = escape_text(buffer, size, text, length, columns, utf8), bytes = strlen(buffer);
	wchar_t *wide = calloc(bytes + 1, sizeof *wide);

	HOLDS(wide && used <= columns && bytes < size);
	HOLDS(is_harmless(buffer, bytes));
	for (size_t i = 0; i < bytes && !utf8; i++)
		HOLDS((unsigned char)buffer[i] < 0x80);
	HOLDS(mbstowcs(wide, buffer, bytes + 1) != (size_t)-1);
	HOLDS(wcswidth(wide, bytes + 1) == (int)used);
	/* What is harmless stays. */
	HOLDS(escape_text(again, size, buffer, bytes, columns, utf8) == used && strcmp(again, buffer) == 0);
	free(wide);
	free(again);
	free(buffer);
}

static void check_plain(const char *text, size_t length, size_t size)
{
	size_t whole = 4 * length + 1;
	char *buffer = malloc(whole), *cut = malloc(size), *again = malloc(whole);

	HOLDS(buffer && cut && again);
	size_t used = escape_plain(buffer, whole, text, length);

	HOLDS(used <= 4 * length && buffer[used] == '\0' && is_harmless(buffer, used));
	HOLDS(escape_plain(again, whole, buffer, used) == used && strcmp(again, buffer) == 0);
	used = escape_plain(cut, size, text, length);
	HOLDS(used < size && strlen(cut) == used && memcmp(cut, buffer, used) == 0 && is_utf8(cut, used));
	free(again);
	free(cut);
	free(buffer);
}

static void check_json(const char *text, size_t length, size_t size)
{
	size_t whole = 6 * length + 1;
	char *buffer = malloc(whole + 2), *cut = malloc(size);
	bool valid, cut_valid;

	HOLDS(buffer && cut);
	buffer[0] = '"';
	size_t used = escape_json(buffer + 1, whole, text, length, &valid);

	HOLDS(used <= 6 * length && buffer[used + 1] == '\0' && is_harmless(buffer, used + 1));
	HOLDS(valid == is_utf8(text, length));
	HOLDS(escape_json(cut, size, text, length, &cut_valid) < size && cut_valid == valid);
	HOLDS(memcmp(cut, buffer + 1, strlen(cut)) == 0);
	buffer[used + 1] = '"';
	json_t *string = json_loadb(buffer, used + 2, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	HOLDS(json_is_string(string));
	if (valid)
		HOLDS(json_string_length(string) == length &&
		      memcmp(json_string_value(string), text, length) == 0);
	json_decref(string);
	free(cut);
	free(buffer);
}

/* The first two bytes are how much room there is. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_bytes input = { bytes, size };
	size_t columns = fuzz_take(&input), room = (size_t)fuzz_take(&input) + 1;
	const char *text = (const char *)input.at;

	HOLDS(setlocale(LC_CTYPE, "C.UTF-8"));
	for (int utf8 = 0; utf8 < 2; utf8++) {
		check_text(text, input.left, room, columns, utf8);
		check_text(text, input.left, 10 * input.left + 1, columns, utf8);
	}
	check_plain(text, input.left, room);
	check_json(text, input.left, room);
	return 0;
}
