/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/sequence.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"
#include "screen/input.h"
#include "screen/keys.h"

/* Modifiers come as 1 plus these bits (xterm, "PC-style function keys"; kitty's protocol adds super and the locks). */
enum {
	SHIFT = 1 << 0,
	ALT = 1 << 1,
	CONTROL = 1 << 2,
	LOCKS = 1 << 6 | 1 << 7,
};

/* The last byte of a key: CSI A of xterm, SS3 A in application mode. */
static const struct {
	char final;
	int code;
} final_keys[] = {
	{ 'A', KEY_CODE_UP },
	{ 'B', KEY_CODE_DOWN },
	{ 'C', KEY_CODE_RIGHT },
	{ 'D', KEY_CODE_LEFT },
	{ 'F', KEY_CODE_END },
	{ 'H', KEY_CODE_HOME },
	{ 'P', KEY_CODE_F1 },
	{ 'Q', KEY_CODE_F2 },
	{ 'R', KEY_CODE_F3 }, /* also the cursor's position: see decode_final */
	{ 'S', KEY_CODE_F4 },
	{ 'Z', KEY_CODE_BACK_TAB },
};

/* The keypad in application mode, SS3 alone. Its digits are left out: terminals send them for arrows, too. */
static const struct {
	char final;
	int code;
} keypad_keys[] = {
	{ 'M', KEY_CODE_ENTER },
	{ 'I', KEY_CODE_TAB },
	{ 'j', '*' },
	{ 'k', '+' },
	{ 'm', '-' },
	{ 'o', '/' },
};

/* CSI n ~: the VT220's editing and function keys, with both rxvt's and the console's Home and End. */
static const struct {
	uint32_t number;
	int code;
} tilde_keys[] = {
	{ 1, KEY_CODE_HOME },
	{ 3, KEY_CODE_DELETE },
	{ 4, KEY_CODE_END },
	{ 5, KEY_CODE_PAGE_UP },
	{ 6, KEY_CODE_PAGE_DOWN },
	{ 7, KEY_CODE_HOME },
	{ 8, KEY_CODE_END },
	{ 11, KEY_CODE_F1 },
	{ 12, KEY_CODE_F2 },
	{ 13, KEY_CODE_F3 },
	{ 14, KEY_CODE_F4 },
	{ 15, KEY_CODE_F5 },
	{ 17, KEY_CODE_F6 },
	{ 18, KEY_CODE_F7 },
	{ 19, KEY_CODE_F8 },
	{ 20, KEY_CODE_F9 },
	{ 21, KEY_CODE_F10 },
};

/* CSI n u: the keypad in kitty's keyboard protocol, https://sw.kovidgoyal.net/kitty/keyboard-protocol/ */
static const struct {
	uint32_t number;
	int code;
} kitty_keys[] = {
	{ 57410, '/' },
	{ 57411, '*' },
	{ 57412, '-' },
	{ 57413, '+' },
	{ 57414, KEY_CODE_ENTER },
	{ 57417, KEY_CODE_LEFT },
	{ 57418, KEY_CODE_RIGHT },
	{ 57419, KEY_CODE_UP },
	{ 57420, KEY_CODE_DOWN },
	{ 57421, KEY_CODE_PAGE_UP },
	{ 57422, KEY_CODE_PAGE_DOWN },
	{ 57423, KEY_CODE_HOME },
	{ 57424, KEY_CODE_END },
	{ 57426, KEY_CODE_DELETE },
};

#define PARAMETERS_MAX 4
#define PARAMETER_MAX 0x1fffffu

/* Of the form 1;97:65;2~ where a colon precedes what kitty's protocol adds to a number. */
struct parameters {
	unsigned count;
	uint32_t first[PARAMETERS_MAX]; /* 0 where it is left out */
	uint32_t second[PARAMETERS_MAX];
};

/* False: there is something else among them. Those that are too many are dropped. */
static bool read_parameters(struct parameters *parameters, const char *text, unsigned length)
{
	unsigned part = 0;

	*parameters = (struct parameters){ .count = length > 0 };
	for (unsigned i = 0; i < length; i++) {
		unsigned at = parameters->count - 1;

		if (text[i] == ';') {
			parameters->count++;
			part = 0;
		} else if (text[i] == ':') {
			part++;
		} else if (text[i] < '0' || text[i] > '9') {
			return false;
		} else if (at < PARAMETERS_MAX && part < 2) {
			uint32_t *value = part ? &parameters->second[at] : &parameters->first[at];

			*value = *value * 10 + (uint32_t)(text[i] - '0');
			if (*value > PARAMETER_MAX)
				*value = PARAMETER_MAX;
		}
	}
	return true;
}

/* Of the parameter that has them; -1: a key that was released, in kitty's protocol. */
static int modifiers_of(const struct parameters *parameters, unsigned index)
{
	if (parameters->second[index] == 3)
		return -1;
	return parameters->first[index] ? (int)((parameters->first[index] - 1) & ~(uint32_t)LOCKS) : 0;
}

static enum sequence_meaning key(struct input *input, int code)
{
	if (code == KEY_CODE_NONE)
		return SEQUENCE_NOTHING;
	*input = (struct input){ .kind = INPUT_KEY, .code = code };
	return SEQUENCE_INPUT;
}

/* A special key. With a modifier it is another key, and only one of those is in use. */
static enum sequence_meaning special(struct input *input, int code, int modifiers)
{
	if (code == KEY_CODE_F3 && modifiers == SHIFT)
		code = KEY_CODE_SHIFT_F3;
	else if (code == KEY_CODE_BACK_TAB && modifiers == SHIFT)
		modifiers = 0; /* CSI 1 ; 2 Z says it twice */
	else if (modifiers)
		return SEQUENCE_NOTHING;
	return key(input, code);
}

/*
 * A key by its character: xterm's modifyOtherKeys and kitty's protocol, which another program may have left on.
 * shifted: what it is with shift; 0: not told.
 */
static enum sequence_meaning character(struct input *input, uint32_t code, uint32_t shifted, int modifiers)
{
	if (code == KEY_CODE_TAB && modifiers == SHIFT)
		return key(input, KEY_CODE_BACK_TAB);
	if (modifiers & SHIFT && code > ' ') {
		modifiers &= ~SHIFT;
		code = shifted ? shifted : code >= 'a' && code <= 'z' ? code - 'a' + 'A' : code;
	}
	if (modifiers == CONTROL && code >= '@' && code <= 'z' && code != '`') {
		modifiers = 0;
		code &= 0x1f;
	}
	if (modifiers || code >= KEY_CODE_FIRST_SPECIAL || (code >= 0x80 && code < 0xa0) ||
	    (code >= 0xd800 && code < 0xe000))
		return SEQUENCE_NOTHING;
	return key(input, (int)code);
}

static enum sequence_meaning decode_kitty(const struct parameters *parameters, struct input *input)
{
	uint32_t number = parameters->first[0];
	int modifiers = modifiers_of(parameters, 1);

	if (modifiers < 0)
		return SEQUENCE_NOTHING;
	if (number >= 57399 && number <= 57408) /* the keypad's digits */
		return special(input, '0' + (int)(number - 57399), modifiers);
	for (size_t i = 0; i < COUNT_OF(kitty_keys); i++)
		if (kitty_keys[i].number == number)
			return special(input, kitty_keys[i].code, modifiers);
	if (number >= 0xe000 && number <= 0xf8ff) /* other keys that are no characters */
		return SEQUENCE_NOTHING;
	return character(input, number, parameters->second[0], modifiers);
}

static enum sequence_meaning decode_tilde(const struct parameters *parameters, struct input *input)
{
	uint32_t number = parameters->first[0];
	int modifiers = modifiers_of(parameters, 1);

	if (number == 200)
		return SEQUENCE_PASTE_BEGIN;
	if (number == 201)
		return SEQUENCE_PASTE_END;
	if (modifiers < 0)
		return SEQUENCE_NOTHING;
	if (number == 27) /* modifyOtherKeys */
		return character(input, parameters->first[2], 0, modifiers);
	for (size_t i = 0; i < COUNT_OF(tilde_keys); i++)
		if (tilde_keys[i].number == number)
			return special(input, tilde_keys[i].code, modifiers);
	return SEQUENCE_NOTHING;
}

/* CSI < button ; x ; y M: xterm's mode 1006. Beside the button there are bits for modifiers and motion. */
static enum sequence_meaning decode_mouse(const struct sequence *sequence, struct input *input)
{
	struct parameters parameters;

	if (sequence->final != 'M' ||
	    !read_parameters(&parameters, sequence->text + 1, sequence->length - 1) ||
	    parameters.count != 3 || !parameters.first[1] || !parameters.first[2])
		return SEQUENCE_NOTHING;
	*input =
	    (struct input){ .kind = INPUT_MOUSE, .x = parameters.first[1] - 1, .y = parameters.first[2] - 1 };
	switch (parameters.first[0]) {
	case 0:
		input->action = MOUSE_CLICK;
		return SEQUENCE_INPUT;
	case 64:
		input->action = MOUSE_WHEEL_UP;
		return SEQUENCE_INPUT;
	case 65:
		input->action = MOUSE_WHEEL_DOWN;
		return SEQUENCE_INPUT;
	default:
		return SEQUENCE_NOTHING;
	}
}

/* CSI A, CSI 1 ; 5 A; SS3 A, SS3 5 A (old xterms). */
static enum sequence_meaning decode_final(
    char final, bool is_ss3, const struct parameters *parameters, struct input *input)
{
	int modifiers = modifiers_of(parameters, is_ss3 && parameters->count == 1 ? 0 : 1);

	if (modifiers < 0 || (!is_ss3 && parameters->first[0] > 1))
		return SEQUENCE_NOTHING;
	/* CSI row ; column R is the cursor's position, unless it is 1 ; 2 to 1 ; 16: F3 with a modifier. */
	if (!is_ss3 && final == 'R' && parameters->count && !modifiers)
		return SEQUENCE_NOTHING;
	for (size_t i = 0; is_ss3 && i < COUNT_OF(keypad_keys); i++)
		if (keypad_keys[i].final == final)
			return special(input, keypad_keys[i].code, modifiers);
	for (size_t i = 0; i < COUNT_OF(final_keys); i++)
		if (final_keys[i].final == final)
			return special(input, final_keys[i].code, modifiers);
	return SEQUENCE_NOTHING;
}

enum sequence_meaning sequence_decode(const struct sequence *sequence, struct input *input)
{
	bool is_ss3 = sequence->introducer == 'O';
	struct parameters parameters;

	if (sequence->length == SEQUENCE_TEXT_SIZE)
		return SEQUENCE_NOTHING;
	if (!is_ss3 && sequence->length && sequence->text[0] == '<')
		return decode_mouse(sequence, input);
	/* The Linux console's CSI [ A. */
	if (!is_ss3 && sequence->length == 1 && sequence->text[0] == '[')
		return sequence->final >= 'A' && sequence->final <= 'E'
		           ? key(input, KEY_CODE_F1 + (sequence->final - 'A'))
		           : SEQUENCE_NOTHING;
	if (!read_parameters(&parameters, sequence->text, sequence->length))
		return SEQUENCE_NOTHING;
	if (!is_ss3 && sequence->final == '~')
		return decode_tilde(&parameters, input);
	if (!is_ss3 && sequence->final == 'u')
		return decode_kitty(&parameters, input);
	return decode_final(sequence->final, is_ss3, &parameters, input);
}
