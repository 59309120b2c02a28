/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* wcwidth */
#include "base/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/util.h"

#define PIECE_SIZE 16 /* the longest, with its NUL: a surrogate pair in JSON, 12 bytes */
#define MARKS_MAX 4   /* living languages stack fewer; hundreds would be drawn over other rows */

/*
 * What a terminal draws as nothing or lets reorder its neighbours: C1, Unicode's
 * Default_Ignorable_Code_Point (15.0; bidi and zero-width characters are among them), line and paragraph
 * separators and the remaining invisible format characters.
 */
static const struct range {
	uint32_t first;
	uint32_t last;
} hidden_ranges[] = {
	{ 0x0080, 0x009F },
	{ 0x00AD, 0x00AD },
	{ 0x034F, 0x034F },
	{ 0x061C, 0x061C },
	{ 0x115F, 0x1160 },
	{ 0x17B4, 0x17B5 },
	{ 0x180B, 0x180F },
	{ 0x200B, 0x200F },
	{ 0x2028, 0x202E },
	{ 0x2060, 0x206F },
	{ 0x3164, 0x3164 },
	{ 0xFE00, 0xFE0F },
	{ 0xFEFF, 0xFEFF },
	{ 0xFFA0, 0xFFA0 },
	{ 0xFFF0, 0xFFFB },
	{ 0x13430, 0x1343F },
	{ 0x1BCA0, 0x1BCA3 },
	{ 0x1D173, 0x1D17A },
	{ 0xE0000, 0xE0FFF },
};

static bool is_hidden(uint32_t character)
{
	for (size_t i = 0; i < COUNT_OF(hidden_ranges); i++) {
		if (character < hidden_ranges[i].first)
			return false;
		if (character <= hidden_ranges[i].last)
			return true;
	}
	return false;
}

size_t escape_decode_utf8(const unsigned char *bytes, size_t length, uint32_t *character)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = bytes[0];
	size_t expected = lead < 0x80   ? 1
	                  : lead < 0xC0 ? 0
	                  : lead < 0xE0 ? 2
	                  : lead < 0xF0 ? 3
	                  : lead < 0xF8 ? 4
	                                : 0;

	if (!expected || expected > length)
		return 0;
	*character = expected == 1 ? lead : lead & (0xFFu >> (expected + 1));
	for (size_t i = 1; i < expected; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
		*character = *character << 6 | (bytes[i] & 0x3F);
	}
	if (*character < smallest[expected] || *character > 0x10FFFF)
		return 0;
	if (*character >= 0xD800 && *character <= 0xDFFF)
		return 0;
	return expected;
}

/* One character or escape, which is never split: its text and its width. */
struct piece {
	char text[PIECE_SIZE];
	size_t length;
	size_t columns;
	bool escaped;
};

static void piece_copy(struct piece *piece, const unsigned char *bytes, size_t length, size_t columns)
{
	memcpy(piece->text, bytes, length);
	piece->length = length;
	piece->columns = columns;
	piece->escaped = false;
}

static void piece_spell(struct piece *piece, const char *format, uint32_t value)
{
	piece->length = snprintf(piece->text, sizeof piece->text, format, value);
	piece->columns = piece->length;
	piece->escaped = true;
}

/* Returns how many bytes the piece stands for. marks: how many more combining marks may follow the last character. */
static size_t piece_of_text(
    struct piece *piece, const unsigned char *bytes, size_t length, bool utf8, unsigned marks)
{
	uint32_t character;
	size_t taken = escape_decode_utf8(bytes, length, &character);
	int width;

	if (taken == 0) {
		piece_spell(piece, "\\x%02x", bytes[0]);
		return 1;
	}
	if (character < 0x80) {
		if (character >= ' ' && character != 0x7F)
			piece_copy(piece, bytes, 1, 1);
		else
			piece_spell(piece, "\\x%02x", character);
		return 1;
	}
	width = utf8 && !is_hidden(character) ? wcwidth((wchar_t)character) : -1;
	if (width > 0 || (width == 0 && marks > 0))
		piece_copy(piece, bytes, taken, width);
	else
		piece_spell(piece, character > 0xFFFF ? "\\U%08x" : "\\u%04x", character);
	return taken;
}

size_t escape_text(char *buffer, size_t size, const char *bytes, size_t length, size_t columns, bool utf8)
{
	size_t used = 0, used_columns = 0;
	unsigned marks = 0;
	struct piece piece;

	for (size_t i = 0; i < length;) {
		i += piece_of_text(&piece, (const unsigned char *)bytes + i, length - i, utf8, marks);
		if (piece.columns > columns - used_columns || used + piece.length >= size)
			break;
		memcpy(buffer + used, piece.text, piece.length);
		used += piece.length;
		used_columns += piece.columns;
		/* A mark after an escape would combine with its last hex digit. */
		if (piece.escaped)
			marks = 0;
		else
			marks = piece.columns > 0 ? MARKS_MAX : marks - 1;
	}
	if (size > 0)
		buffer[used] = '\0';
	return used_columns;
}

static size_t piece_of_plain(struct piece *piece, const unsigned char *bytes, size_t length)
{
	uint32_t character;
	size_t taken = escape_decode_utf8(bytes, length, &character);

	if (taken == 0 || character < ' ' || character == 0x7F)
		piece_spell(piece, "\\x%02x", bytes[0]);
	else if (is_hidden(character))
		piece_spell(piece, character > 0xFFFF ? "\\U%08x" : "\\u%04x", character);
	else
		piece_copy(piece, bytes, taken, 1);
	return taken ? taken : 1;
}

size_t escape_plain(char *buffer, size_t size, const char *bytes, size_t length)
{
	size_t used = 0;
	struct piece piece;

	for (size_t i = 0; i < length;) {
		i += piece_of_plain(&piece, (const unsigned char *)bytes + i, length - i);
		if (used + piece.length >= size)
			break;
		memcpy(buffer + used, piece.text, piece.length);
		used += piece.length;
	}
	if (size > 0)
		buffer[used] = '\0';
	return used;
}

static const char json_short_forms[128] = {
	['"'] = '"',
	['\\'] = '\\',
	['\b'] = 'b',
	['\f'] = 'f',
	['\n'] = 'n',
	['\r'] = 'r',
	['\t'] = 't',
};

static size_t piece_of_json(struct piece *piece, const unsigned char *bytes, size_t length, bool *valid)
{
	uint32_t character;
	size_t taken = escape_decode_utf8(bytes, length, &character);

	if (taken == 0) {
		*valid = false;
		piece_copy(piece, (const unsigned char *)"\xEF\xBF\xBD", 3, 1);
		return 1;
	}
	if (character < 0x80 && json_short_forms[character]) {
		piece_spell(piece, "\\%c", json_short_forms[character]);
	} else if (character < ' ' || character == 0x7F || is_hidden(character)) {
		if (character > 0xFFFF) {
			piece->length = snprintf(piece->text, sizeof piece->text, "\\u%04x\\u%04x",
			    0xD800 + ((character - 0x10000) >> 10), 0xDC00 + (character & 0x3FF));
		} else {
			piece_spell(piece, "\\u%04x", character);
		}
	} else {
		piece_copy(piece, bytes, taken, 1);
	}
	return taken;
}

size_t escape_json(char *buffer, size_t size, const char *bytes, size_t length, bool *valid)
{
	bool all_valid = true, full = false;
	size_t used = 0;
	struct piece piece;

	for (size_t i = 0; i < length;) {
		i += piece_of_json(&piece, (const unsigned char *)bytes + i, length - i, &all_valid);
		full = full || used + piece.length >= size;
		if (full)
			continue; /* for *valid */
		memcpy(buffer + used, piece.text, piece.length);
		used += piece.length;
	}
	if (size > 0)
		buffer[used] = '\0';
	if (valid)
		*valid = all_valid;
	return used;
}

size_t escape_encode_utf8(char buffer[4], uint32_t character)
{
	if (character < 0x80) {
		buffer[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		buffer[0] = (char)(0xc0 | character >> 6);
		buffer[1] = (char)(0x80 | (character & 0x3f));
		return 2;
	}
	if (character < 0x10000) {
		buffer[0] = (char)(0xe0 | character >> 12);
		buffer[1] = (char)(0x80 | (character >> 6 & 0x3f));
		buffer[2] = (char)(0x80 | (character & 0x3f));
		return 3;
	}
	buffer[0] = (char)(0xf0 | character >> 18);
	buffer[1] = (char)(0x80 | (character >> 12 & 0x3f));
	buffer[2] = (char)(0x80 | (character >> 6 & 0x3f));
	buffer[3] = (char)(0x80 | (character & 0x3f));
	return 4;
}
