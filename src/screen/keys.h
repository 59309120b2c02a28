/* SPDX-License-Identifier: Apache-2.0 */
/* The keys: one table from key to action that is also the help. */
#ifndef TCPTOP_KEYS_H
#define TCPTOP_KEYS_H

#include <stddef.h>

/* A key is a Unicode character, or one of these beyond them. */
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

enum key_action {
	ACT_NONE,
	ACT_UP,
	ACT_DOWN,
	ACT_PAGE_UP,
	ACT_PAGE_DOWN,
	ACT_TOP,
	ACT_END,
	ACT_ENTER,
	ACT_BACK,
	ACT_CLOSE, /* a group or a page: what is in force stays */
	ACT_SORT_PREVIOUS,
	ACT_SORT_NEXT,
	ACT_SORT_MENU,
	ACT_SORT_RX,
	ACT_SORT_TX,
	ACT_REVERSE,
	ACT_FREEZE,
	ACT_SEARCH,
	ACT_SEARCH_NEXT,
	ACT_FILTER,
	ACT_USER,
	ACT_UNITS,
	ACT_AMOUNT,
	ACT_GROUP,
	ACT_GROUP_BACK,
	ACT_IPV4,
	ACT_IPV6,
	ACT_SLOWER,
	ACT_FASTER,
	ACT_NAMES,
	ACT_FOLLOW,
	ACT_RESET,
	ACT_COLUMNS,
	ACT_REDRAW,
	ACT_HELP,
	ACT_LEAVE,
	ACT_COUNT,
};

#define KEY_CODES_MAX 4

struct key {
	enum key_action action;
	int codes[KEY_CODES_MAX]; /* unused ones are KEY_CODE_NONE */
	const char *names;        /* as the help shows them */
	const char *help;
	const char *footer_key; /* what the footer shows, NULL: not there */
	const char *footer;
	int footer_order;    /* from the left */
	int footer_priority; /* 0 is the last to go when there is no room */
};

/* In the order of the help. */
extern const struct key key_table[];
extern const size_t key_count;

/* What a key does in the table; ACT_NONE for any other. */
enum key_action key_find(int code);

#endif
