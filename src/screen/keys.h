/* SPDX-License-Identifier: Apache-2.0 */
/* The codes of keys, independent of what the terminal sends. */
#ifndef TCPTOP_KEYS_H
#define TCPTOP_KEYS_H

/* A key is a Unicode character or, above all characters, one of these. */
enum key_code {
	KEY_CODE_NONE = 0,
	KEY_CODE_TAB = '\t',
	KEY_CODE_ENTER = '\r',
	KEY_CODE_ESCAPE = 0x1b,
	KEY_CODE_BACKSPACE = 0x7f,
	KEY_CODE_FIRST_SPECIAL = 0x110000,
	KEY_CODE_UP = KEY_CODE_FIRST_SPECIAL,
	KEY_CODE_DOWN,
	KEY_CODE_LEFT,
	KEY_CODE_RIGHT,
	KEY_CODE_PAGE_UP,
	KEY_CODE_PAGE_DOWN,
	KEY_CODE_HOME,
	KEY_CODE_END,
	KEY_CODE_BACK_TAB,
	KEY_CODE_DELETE,
	KEY_CODE_F1,
	KEY_CODE_F2,
	KEY_CODE_F3,
	KEY_CODE_F4,
	KEY_CODE_F5,
	KEY_CODE_F6,
	KEY_CODE_F7,
	KEY_CODE_F8,
	KEY_CODE_F9,
	KEY_CODE_F10,
	KEY_CODE_SHIFT_F3,
};

#endif
