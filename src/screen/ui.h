/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen without a terminal: what is shown, what keys do, how it looks as lines of text. The
 * terminal's own part (screen) feeds it keys and puts its lines on the glass.
 */
#ifndef TCPTOP_UI_H
#define TCPTOP_UI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "table/line.h"
#include "table/view.h"
#include "screen/screen_options.h"

struct renderer_request;
struct run_facts;
struct snapshot;

enum display_mode {
	MODE_TABLE,
	MODE_SEARCH, /* a word is being typed into the footer */
	MODE_FILTER,
	MODE_HELP,
	MODE_DETAILS,
	MODE_SORT_MENU,
	MODE_USER_MENU,
	MODE_COLUMN_MENU,
};

#define MENU_ITEMS_MAX 128
#define MENU_EVERYBODY 0xfffffffeu /* the user menu's first line */

struct menu {
	uint32_t values[MENU_ITEMS_MAX]; /* a column's index, or a user's id */
	unsigned count;
	unsigned position;
	unsigned top;
};

struct display {
	const struct run_facts *facts;
	struct names *names;
	struct view view;
	struct column_list columns;
	bool replay;
	bool leaving; /* the last interval has come */
	bool ended;   /* the recording has: nothing will change any more */
	bool utf8;
	unsigned width, height;

	enum display_mode mode;
	char typed[MATCH_TEXT_MAX + 1]; /* in MODE_SEARCH and MODE_FILTER */
	struct match search;
	char search_text[MATCH_TEXT_MAX + 1];
	char filter_text[MATCH_TEXT_MAX + 1];
	bool search_missed;
	struct session before_search; /* where Escape goes back to */
	bool before_search_pinned;
	struct menu menu;
	unsigned scroll;     /* lines, in help and details */
	unsigned page_lines; /* of the page painted last */
	char message[120];   /* in the footer until the next key, or for some seconds */
	int64_t message_s;   /* when it was said, on the monotonic clock */
	char load[48];       /* "" when there is none to show */
	uint64_t uptime_s;
	uint64_t interval_ns;   /* asked for */
	int cursor_x, cursor_y; /* of what is being typed; -1: none */

	struct line line; /* the one being painted */
};

/* utf8: the terminal takes it. facts, and what it points to, are borrowed to display_fini. 0 or -ENOMEM. */
int display_init(struct display *display, const struct run_facts *facts, bool utf8);
void display_fini(struct display *display);

/* Takes in one interval. 0 or -ENOMEM. */
int display_show(struct display *display, const struct snapshot *snapshot);

/* One key (enum key_code or a character). Returns REACTION_ flags. */
unsigned display_key(struct display *display, int code, struct renderer_request *request);

/* False: the column's figures are not taken, for they cost something at every event and were not asked for. */
bool display_measures(const struct display *display, const struct column *column);

/* Names asked for have arrived: true when the screen is to be painted again. */
bool display_tick(struct display *display);
int display_timeout_ms(struct display *display);

/* Paints all lines of a screen of width x height. 0 or -ENOMEM. */
int display_paint(struct display *display, unsigned width, unsigned height, const struct line_sink *sink);

/* The table as it stands, as plain text of at most width columns and height lines; nothing before the first. */
void display_print_final(struct display *display, FILE *stream, unsigned width, unsigned height);

#endif
