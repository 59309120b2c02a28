/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/decoder.h"

#include <stdint.h>
#include <string.h>

#include "base/escape.h"
#include "screen/keys.h"

#define ESC 0x1b
#define CAN 0x18
#define SUB 0x1a
#define BEL 0x07
#define STRING_END 0x9c
#define IS_C1(character) ((character) >= 0x80 && (character) < 0xa0)

void decoder_init(struct decoder *decoder)
{
	memset(decoder, 0, sizeof *decoder);
}

void decoder_name(struct decoder *decoder, const char *sequence, int code)
{
	size_t length = sequence ? strlen(sequence) : 0;

	if (length < 2 || length > DECODER_NAME_SIZE || sequence[0] != ESC ||
	    decoder->name_count == DECODER_NAMES_MAX)
		return;
	memcpy(decoder->names[decoder->name_count].bytes, sequence, length);
	decoder->names[decoder->name_count].length = length;
	decoder->names[decoder->name_count++].code = code;
}

/* ---- pasted text ---- */

static void paste_begin(struct decoder *decoder)
{
	decoder->is_pasting = true;
	decoder->is_pasted = false;
	decoder->pasted = 0;
}

/* Keeps the first line that is not empty. */
static void paste_add(struct decoder *decoder, uint32_t character)
{
	char bytes[4];

	if (character == '\r' || character == '\n')
		decoder->is_pasted |= decoder->pasted > 0;
	if (character == '\t')
		character = ' ';
	if (decoder->is_pasted || character < ' ' || character == KEY_CODE_BACKSPACE)
		return;
	size_t length = escape_encode_utf8(bytes, character);

	if (decoder->pasted + length >= sizeof decoder->paste)
		decoder->is_pasted = true;
	else
		memcpy(decoder->paste + decoder->pasted, bytes, length);
	decoder->pasted += decoder->is_pasted ? 0 : length;
}

static bool paste_end(struct decoder *decoder, struct input *input)
{
	decoder->paste[decoder->pasted] = '\0';
	decoder->is_pasting = false;
	*input = (struct input){ .kind = INPUT_PASTE, .text = decoder->paste };
	return decoder->pasted > 0;
}

/* ---- the end of a key or sequence ---- */

static void rest(struct decoder *decoder)
{
	decoder->state = DECODER_GROUND;
	decoder->escapes = 0;
	decoder->in_string = false;
}

static bool take_character(struct decoder *decoder, uint32_t character, struct input *input)
{
	bool is_alt = decoder->is_alt;

	rest(decoder);
	if (is_alt)
		return false;
	if (decoder->is_pasting) {
		paste_add(decoder, character);
		return false;
	}
	*input = (struct input){ .kind = INPUT_KEY, .code = (int)character };
	return character != KEY_CODE_NONE;
}

/* More than one ESC before it: with Alt in rxvt and PuTTY. */
static bool take_sequence(struct decoder *decoder, struct input *input)
{
	enum sequence_meaning meaning = sequence_decode(&decoder->sequence, input);
	bool is_alt = decoder->escapes > 1;

	rest(decoder);
	if (meaning == SEQUENCE_PASTE_END)
		return decoder->is_pasting && paste_end(decoder, input);
	if (meaning == SEQUENCE_PASTE_BEGIN)
		paste_begin(decoder);
	return meaning == SEQUENCE_INPUT && !decoder->is_pasting && !is_alt;
}

/* What terminfo calls the bytes so far; KEY_CODE_NONE: nothing. *longer: a name begins with them. */
static int find_name(const struct decoder *decoder, bool *longer)
{
	*longer = false;
	for (size_t i = 0; i < decoder->name_count; i++) {
		if (decoder->length > decoder->names[i].length ||
		    memcmp(decoder->names[i].bytes, decoder->bytes, decoder->length) != 0)
			continue;
		if (decoder->names[i].length == decoder->length)
			return decoder->names[i].code;
		*longer = true;
	}
	return KEY_CODE_NONE;
}

/* ---- sequences ---- */

static void begin_sequence(struct decoder *decoder, char introducer)
{
	decoder->state = DECODER_CONTROL;
	memset(&decoder->sequence, 0, sizeof decoder->sequence);
	decoder->sequence.introducer = introducer;
}

/* The second byte of ESC and a byte, or a C1 control as such a byte. True when it has begun something longer. */
static bool introduce(struct decoder *decoder, unsigned char byte)
{
	switch (byte) {
	case '[':
	case 'O':
		begin_sequence(decoder, (char)byte);
		return true;
	case 'P': /* DCS */
	case 'X': /* SOS */
	case ']': /* OSC */
	case '^': /* PM */
	case '_': /* APC */
		decoder->state = DECODER_STRING;
		return true;
	default:
		return false;
	}
}

static void begin_escape(struct decoder *decoder)
{
	/* What an ESC interrupts is over, but after another ESC and within a string. */
	decoder->in_string =
	    decoder->state == DECODER_STRING || (decoder->in_string && decoder->state == DECODER_ESCAPE);
	decoder->escapes = decoder->state == DECODER_ESCAPE ? decoder->escapes + 1 : 1;
	decoder->state = DECODER_ESCAPE;
	decoder->is_wide = false;
	decoder->is_late = false;
	decoder->bytes[0] = ESC;
	decoder->length = 1;
}

static void begin_c1(struct decoder *decoder, unsigned char byte)
{
	rest(decoder);
	decoder->is_wide = true;
	/* No name of terminfo begins so. */
	decoder->length = DECODER_NAME_SIZE;
	introduce(decoder, (unsigned char)(byte - 0x40));
}

static bool begin_utf8(struct decoder *decoder, unsigned char byte, bool is_alt)
{
	rest(decoder);
	if (byte < 0xc2 || byte > 0xf4)
		return false;
	decoder->state = DECODER_UTF8;
	decoder->is_alt = is_alt;
	decoder->left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
	decoder->bytes[0] = byte;
	decoder->length = 1;
	return false;
}

/* ---- a byte in each state ---- */

static bool put_ground(struct decoder *decoder, unsigned char byte, struct input *input)
{
	bool is_late = decoder->is_late;

	decoder->is_late = false;
	decoder->is_alt = false;
	if (IS_C1(byte)) {
		begin_c1(decoder, byte);
		return false;
	}
	if (byte >= 0x80)
		return begin_utf8(decoder, byte, false);
	/* The rest of a sequence whose ESC was taken for the key. Neither byte is a key of the table. */
	if (is_late && (byte == '[' || byte == 'O')) {
		decoder->length = DECODER_NAME_SIZE;
		begin_sequence(decoder, (char)byte);
		return false;
	}
	return take_character(decoder, byte, input);
}

static bool put_utf8(struct decoder *decoder, unsigned char byte, struct input *input)
{
	uint32_t character;

	/* Cut off: the byte begins something else. */
	if ((byte & 0xc0) != 0x80) {
		rest(decoder);
		return put_ground(decoder, byte, input);
	}
	decoder->bytes[decoder->length++] = byte;
	if (--decoder->left > 0)
		return false;
	if (!escape_decode_utf8(decoder->bytes, decoder->length, &character)) {
		rest(decoder);
		return false;
	}
	if (IS_C1(character)) {
		begin_c1(decoder, (unsigned char)character);
		return false;
	}
	return take_character(decoder, character, input);
}

/* Alt and a character has no meaning, unless terminfo has a key that begins so. */
static bool put_escape(struct decoder *decoder, unsigned char byte, bool is_begun)
{
	if (byte >= 0x80)
		return begin_utf8(decoder, byte, true);
	if (introduce(decoder, byte))
		return false;
	if (is_begun) {
		decoder->state = DECODER_NAME;
	} else if (byte >= ' ' && byte < '0') {
		decoder->state = DECODER_CHARSET;
	} else {
		rest(decoder);
	}
	return false;
}

static bool put_charset(struct decoder *decoder, unsigned char byte)
{
	if (byte >= '0')
		rest(decoder);
	return false;
}

/* Within CSI or SS3. What is no part of one (controls, bytes of eight bits) is dropped with it. */
static bool put_control(struct decoder *decoder, unsigned char byte, struct input *input)
{
	struct sequence *sequence = &decoder->sequence;
	bool is_csi = sequence->introducer == '[';
	bool is_digits = sequence->length && strspn(sequence->text, "0123456789") == sequence->length;
	/* After CSI [ any byte is the last one; rxvt ends with $ what has Shift. */
	bool ends = byte >= (is_csi ? '@' : '<') || (!is_csi && byte < '0') ||
	            (is_csi && byte == '$' && is_digits && sequence->length < 3);

	if (byte < ' ' || byte >= KEY_CODE_BACKSPACE)
		return false;
	if (!ends || (is_csi && byte == '[' && !sequence->length)) {
		if (sequence->length < SEQUENCE_TEXT_SIZE - 1)
			sequence->text[sequence->length++] = (char)byte;
		else
			sequence->length = SEQUENCE_TEXT_SIZE;
		return false;
	}
	sequence->final = (char)byte;
	if (!is_csi || byte != 'M' || sequence->length)
		return take_sequence(decoder, input);
	decoder->state = DECODER_OLD_MOUSE;
	decoder->left = 3; /* button, column, row: xterm's mode 1000 without 1006 */
	return false;
}

/* A sequence, of which this is not the first byte. */
static bool put_sequence(struct decoder *decoder, unsigned char byte, struct input *input)
{
	bool is_begun = false;
	int code = KEY_CODE_NONE;

	if (decoder->length < DECODER_NAME_SIZE) {
		decoder->bytes[decoder->length++] = byte;
		code = find_name(decoder, &is_begun);
	}
	if (code != KEY_CODE_NONE) {
		*input = (struct input){ .kind = INPUT_KEY, .code = code };
		bool is_dropped = decoder->is_pasting || decoder->escapes > 1;

		rest(decoder);
		return !is_dropped;
	}
	switch (decoder->state) {
	case DECODER_ESCAPE:
		return put_escape(decoder, byte, is_begun);
	case DECODER_NAME:
		if (is_begun)
			return false;
		rest(decoder);
		return put_ground(decoder, byte, input);
	case DECODER_CHARSET:
		return put_charset(decoder, byte);
	case DECODER_CONTROL:
		return put_control(decoder, byte, input);
	case DECODER_OLD_MOUSE:
		if (--decoder->left == 0)
			rest(decoder);
		return false;
	case DECODER_STRING:
		if (byte == BEL || (byte == STRING_END && decoder->is_wide))
			rest(decoder);
		return false;
	case DECODER_GROUND:
	case DECODER_UTF8:
		break;
	}
	return false;
}

bool decoder_put(struct decoder *decoder, unsigned char byte, struct input *input)
{
	if (byte == ESC) {
		begin_escape(decoder);
		return false;
	}
	if (decoder->state == DECODER_GROUND)
		return put_ground(decoder, byte, input);
	if (byte == CAN || byte == SUB) {
		rest(decoder);
		return false;
	}
	if (decoder->state == DECODER_UTF8)
		return put_utf8(decoder, byte, input);
	return put_sequence(decoder, byte, input);
}

/* ---- silence ---- */

static bool is_escape_key(const struct decoder *decoder)
{
	return decoder->state == DECODER_ESCAPE && !decoder->in_string && !decoder->is_pasting;
}

int decoder_timeout_ms(const struct decoder *decoder)
{
	if (is_escape_key(decoder))
		return DECODER_ESCAPE_MS;
	return decoder->state != DECODER_GROUND || decoder->is_late ? DECODER_SEQUENCE_MS : -1;
}

bool decoder_flush(struct decoder *decoder, struct input *input)
{
	bool is_key = is_escape_key(decoder);
	bool is_escape = decoder->state == DECODER_ESCAPE && !decoder->in_string;
	unsigned escapes = decoder->escapes;

	rest(decoder);
	decoder->is_late = is_escape && escapes == 1;
	/* Esc ends a paste whose end was lost: else no key would ever come again. */
	if (is_escape)
		decoder->is_pasting = false;
	if (!is_key)
		return false;
	if (escapes > 1) {
		decoder->state = DECODER_ESCAPE;
		decoder->escapes = escapes - 1;
	}
	*input = (struct input){ .kind = INPUT_KEY, .code = KEY_CODE_ESCAPE };
	return true;
}
