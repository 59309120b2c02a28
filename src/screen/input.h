/* SPDX-License-Identifier: Apache-2.0 */
/* What the terminal tells: keys, pasted text, the mouse. */
#ifndef TCPTOP_INPUT_H
#define TCPTOP_INPUT_H

enum input_kind {
	INPUT_KEY,
	INPUT_PASTE,
	INPUT_MOUSE,
};

enum mouse_action {
	MOUSE_CLICK, /* the left button went down */
	MOUSE_WHEEL_UP,
	MOUSE_WHEEL_DOWN,
};

struct input {
	enum input_kind kind;
	int code; /* of a key: enum key_code or a character */
	const char
	    *text; /* pasted: one line of UTF-8 without control characters; borrowed from the decoder */
	enum mouse_action action;
	unsigned x, y; /* of the mouse: the cell, from 0 */
};

#endif
