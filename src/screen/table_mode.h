/* SPDX-License-Identifier: Apache-2.0 */
/* The keys: one table with what each does in the table, of which the help and the footer are made. */
#ifndef TCPTOP_TABLE_MODE_H
#define TCPTOP_TABLE_MODE_H

#include <stdbool.h>
#include <stddef.h>

#include "screen/ui.h"

#define KEY_CODES_MAX 4

/* What moves the cursor of the table and of a menu, and scrolls a page. */
enum motion {
	MOTION_NONE,
	MOTION_UP,
	MOTION_DOWN,
	MOTION_PAGE_UP,
	MOTION_PAGE_DOWN,
	MOTION_HOME,
	MOTION_END,
};

struct key {
	/* In the table. Returns REACTION_ flags. NULL: the key opens a mode or is a motion. */
	unsigned (*run)(struct ui *ui);
	int codes[KEY_CODES_MAX]; /* unused ones are KEY_CODE_NONE */
	const char *names;        /* as the help shows them; NULL: in the row before */
	const char *help;
	enum ui_mode opens; /* MODE_TABLE: none */
	enum motion motion;
	bool on_pages;    /* runs in help and details, too, as it concerns the data */
	bool closes_page; /* ends help and details */
	bool closes_menu;
	bool chooses; /* takes the selected line of a menu */
	struct {
		const char *key; /* NULL: not in the footer */
		const char *label;
		int order;    /* from the left */
		int priority; /* 0 is dropped last when there is no room */
	} footer;
};

/* In the order of the help. */
extern const struct key key_table[];
extern const size_t key_count;

/* The key with this code; NULL: there is none. */
const struct key *key_find(int code);

#endif
