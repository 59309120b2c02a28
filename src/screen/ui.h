/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the screen, which modes read and change: what is shown and how, but no terminal. */
#ifndef TCPTOP_UI_H
#define TCPTOP_UI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/latest.h"
#include "model/past.h"
#include "model/services.h"
#include "model/source.h"
#include "model/traffic.h"
#include "screen/screen_options.h"
#include "screen/spots.h"
#include "table/line.h"
#include "table/minute.h"
#include "table/view.h"

struct run;
struct snapshot;

enum ui_mode {
	MODE_TABLE,
	MODE_SEARCH, /* a word is being typed into the footer */
	MODE_FILTER,
	MODE_TIME,
	MODE_HELP,
	MODE_DETAILS,
	MODE_LINKS,
	MODE_MINUTE,
	MODE_CONNECTIONS,
	MODE_SERVICES,
	MODE_SORT_MENU,
	MODE_USER_MENU,
	MODE_COLUMN_MENU,
	MODE_COUNT,
};

/* So many links keep their places on their page; the others follow. */
#define UI_LINKS_HELD 128

struct menu {
	uint32_t *values; /* a column's index, or a user's id */
	size_t capacity;
	unsigned count;
	unsigned position;
	unsigned top;
};

struct ui {
	const struct run *run;
	struct names *names;
	struct traffic traffic; /* up to now */
	struct traffic frozen;  /* what is shown while is_frozen */
	bool is_frozen;
	struct past past;   /* the intervals that can be looked back at */
	struct play play;   /* how a recording is to be played */
	int64_t began_s;    /* when its first interval ended */
	uint32_t recorded;  /* how many intervals it has; 0: not known yet, */
	uint32_t read_tick; /* but when the latest of those that were read was shown, */
	uint8_t read_pct;   /* this much of it had been read; 0: not known */
	struct view view;
	struct column_list columns;
	bool tells_sockets;     /* what was asked for last */
	bool tells_connections; /* the same */
	struct latest latest;   /* connections that ended */
	struct services services;
	uint32_t services_tick; /* and the number of the interval that they are of */
	bool replay;
	bool leaving; /* this interval is the last */
	bool ended;   /* the recording has ended: nothing will change, unless it is sought */
	bool utf8;
	bool mouse; /* the terminal reports it */
	unsigned width, height;

	enum ui_mode mode;
	char typed[MATCH_TEXT_MAX + 1]; /* in MODE_SEARCH, MODE_FILTER and MODE_USER_MENU */
	struct match search;
	char search_text[MATCH_TEXT_MAX + 1];
	char filter_text[MATCH_TEXT_MAX + 1];
	bool search_missed;               /* what is typed is nowhere, */
	bool search_waits;                /* but a pass over sockets is to tell of it still */
	uint32_t searched_tick;           /* the interval that it was looked for in */
	struct view_cursor before_search; /* where Escape returns to */
	struct menu menu;
	unsigned scroll;                    /* lines, in help and details */
	uint32_t link_order[UI_LINKS_HELD]; /* indices of interfaces, as the page of links shows them first */
	size_t link_order_count;
	struct minute minute;
	uint32_t minute_version; /* of the view's list, of which it was made; 0: none yet */
	struct minute_cursor {
		enum minute_part part;
		enum grouping grouping;
		struct session key;
		size_t index;  /* among all lines that are shown */
		bool is_below; /* the last of them: what follows it is shown, too */
	} minute_cursor;
	enum ui_mode details_from;            /* where details return to, */
	struct view_place details_from_place; /* and what the list was there */
	enum ui_mode help_from;               /* where the help returns to, */
	unsigned help_from_scroll;            /* and how far that was scrolled */
	unsigned page_lines;                  /* of the page drawn last */
	char clipboard[LINE_COLUMNS_MAX * 4]; /* text for the terminal to copy; "": none */
	char message[160];                    /* in the footer until the next key, or for some seconds */
	int64_t message_s;                    /* when it was said, on the monotonic clock */
	void (*if_yes)(struct ui *ui); /* while a question is in the footer: what "y" does. NULL: none is */
	char load[48];                 /* "" when it is not known */
	const char *not_counted; /* a path that may be in use here: kernel/in_use.h. NULL: none is known */
	int names_poll_ms;       /* how soon to look for names that were asked for */
	uint64_t interval_ns;    /* requested */
	bool sockets_left_out;   /* passes over them, as own cost is limited */
	int cursor_x, cursor_y;  /* of what is being typed; -1: none */

	struct line line;   /* the one being drawn */
	struct spots spots; /* of what is drawn */
};

/* utf8: the terminal's encoding. run and all that they point to are borrowed until ui_fini. 0 or -ENOMEM. */
int ui_init(struct ui *ui, const struct run *run, bool utf8);
void ui_fini(struct ui *ui);

/* Prepares for an interval: 1 when it is to be merged into the traffic next, 0 when it is empty, or -ENOMEM. */
int ui_begin_interval(struct ui *ui, const struct snapshot *snapshot);

/* Writes a message into the footer. */
void ui_say(struct ui *ui, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends a key and its label to ui->line, the footer, where a click on them is the key (enum key_code). */
void ui_footer_key(struct ui *ui, int code, const char *key, const char *label);

/* Asks in the footer: the next key is the answer. A "y" calls if_yes, any other key does nothing. */
void ui_ask(struct ui *ui, void (*if_yes)(struct ui *ui), const char *question);

/* Takes a key for the answer; false when nothing was asked. */
bool ui_answer(struct ui *ui, int code);

/* False: this kernel or method cannot tell what the column shows. */
bool ui_measures(const struct ui *ui, const struct column *column);

/* Lists all open sockets, or no longer: then the order is the default one if its column goes with them. */
void ui_list_open(struct ui *ui, bool open);

/* Moves the cursor to the next row that ui->search matches. False: there is none, or none yet (search_waits). */
bool ui_search(struct ui *ui, bool forward, bool from_here);

/* The same after each interval for what was not found, while it is looked for. view_prepare comes before and after it. */
void ui_search_again(struct ui *ui);

/* Why nothing tells of sockets, and nothing will; NULL: that is not so. */
const char *ui_lacks_sockets(const struct ui *ui);

/* What is shown asks for a pass over all sockets. */
bool ui_wants_sockets(const struct ui *ui);

/* The same for the lives of connections. */
bool ui_wants_connections(const struct ui *ui);

/* Shows a copy of the traffic until it is called with false. 0 or -ENOMEM: then nothing is frozen. */
int ui_freeze(struct ui *ui, bool freeze);

/* Freezes what was shown after this interval, or the nearest one that is kept. 0 or -ENOMEM: then nothing is frozen. */
int ui_look_back(struct ui *ui, uint32_t tick);

/* The places of an order that is held, from the rows of another moment. */
void ui_keep_places(struct traffic *traffic, const struct traffic *from);

/* True when host names have arrived, so that the screen has to be drawn again. */
bool ui_tick(struct ui *ui);
/* When ui_tick is due, in milliseconds; -1: never. */
int ui_timeout_ms(struct ui *ui);

#endif
