/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the traffic is listed, in which order, and where the cursor stands. Rows are numbered by their
 * position in that order; only what is looked at gets sorted, so that 100,000 rows cost no more than a
 * few passes over small numbers.
 */
#ifndef TCPTOP_VIEW_H
#define TCPTOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/list.h"
#include "table/track.h"

struct traffic;

/*
 * The cursor never drags the list along, unless it follows, or is on a row that view_find found, until it is moved. A row that is asked for (moved to, searched for, that of
 * the group that was open) is shown, wherever it is, and the cursor moves with it among the lines on the screen. When
 * its row sinks or rises beyond them, the list stays and so does the cursor, on its line. When its row is gone, the
 * cursor stays on its line if the user has scrolled, else it goes back to the top and stays there. A list that was
 * scrolled for a search alone goes back to the top in both cases.
 */
struct view {
	/* Settings: call view_changed after changing one. */
	struct column_context context; /* its traffic and grouping are set by the view alone */
	struct column_sort sort;
	struct list_settings settings; /* its words and groups are set by the functions below */

	/* For others to read after view_prepare. */
	struct list list;
	uint32_t version; /* another whenever the list was built anew */
	size_t top;       /* the first position on the screen */
	size_t position;  /* the cursor's, below list.count unless that is 0 */
	bool held;        /* the order is that of when it was held, whatever the rates */
	bool pinned;      /* the cursor is on `selected`; else it stays at the top */
	bool follow;      /* the list scrolls so that the selected row stays on its line */
	struct session selected;

	char filter_text[MATCH_TEXT_MAX + 1];
	size_t sorted_from, sorted_to;
	bool stale;
	bool unplaced; /* the list is another: where the selected row is in it is not known yet */
	size_t line;   /* of the screen that the cursor was on last */
	size_t follow_line;
	size_t height; /* of the table that it was prepared for last */
	bool reveals;  /* the selected row was asked for: the list scrolls to it once */
	bool searched; /* and by a search or a return from a group, not by moving the cursor */
	bool
	    found; /* it was found by view_find, and is listed and on the screen until the cursor is moved, */
	bool lost; /* but does not pass any more: for the user to be told, who clears it */
	bool scrolled; /* the user has moved the cursor beyond the first lines */
	bool keeps;
	struct track track; /* of the selected row */
};

/* names and traffic are borrowed and must outlive the view; names may be NULL. */
void view_init(struct view *view, struct names *names, const struct traffic *traffic);
void view_fini(struct view *view);

/* Shows another traffic from now on, such as a frozen copy. Borrowed. */
void view_show(struct view *view, const struct traffic *traffic);

/* The traffic that is shown. */
const struct traffic *view_traffic(const struct view *view);

/* The traffic or a setting has changed. */
void view_changed(struct view *view);
void view_set_sort(struct view *view, const struct column *column);
void view_reverse(struct view *view);
void view_set_filter(struct view *view, const char *text);
/* Names have arrived that the filter may match. */
void view_names_changed(struct view *view);

/* Brings list, cursor and scrolling up to date for a table of `height` rows. 0 or -ENOMEM. */
int view_prepare(struct view *view, size_t height);

/* Holds the order as it is, with what comes at the end, until another order or grouping is set. 0 or -ENOMEM. */
int view_hold(struct view *view, bool hold);

/* The row at a position, NULL beyond the last. Borrowed until the view changes in any way. */
const struct row *view_row(struct view *view, size_t position);
const struct row *view_selected(struct view *view);

/* Moves the cursor: by rows, to the top (where it stays), to the end. */
void view_move(struct view *view, long rows);
void view_home(struct view *view);
void view_end(struct view *view);

/* What is listed by which grouping, and where the cursor is in it. */
struct view_place {
	enum grouping grouping;
	bool opened; /* one group's connections are listed, that of opened_key */
	struct session opened_key;
	uint32_t opened_container;
	struct peer opened_peer;
	struct session selected;
	bool pinned;
	struct column_sort sort; /* as an order may not be there in another grouping */
	struct track track;
};

struct view_place view_place(const struct view *view);

/*
 * Moves the cursor to the row of a connection (GROUPING_NONE) or a group, and lists it however long it is idle.
 * view_return undoes that, but for an order that was held where the grouping was another, and for following.
 */
void view_go_to(struct view *view, enum grouping grouping, const struct session *key);
void view_return(struct view *view, const struct view_place *place);

/* Where the cursor is in the list, and how that has been scrolled, followed or not. */
struct view_cursor {
	struct session selected;
	struct track track;
	size_t top;
	size_t follow_line;
	bool pinned, follow, scrolled, searched;
};

struct view_cursor view_cursor(const struct view *view);
/* Back to where it was, in the same list. */
void view_set_cursor(struct view *view, const struct view_cursor *cursor);

/* Moves the cursor to the next or previous row that matches, wrapping around. False: there is none. */
bool view_find(struct view *view, const struct match *match, bool forward, bool from_here);

void view_set_follow(struct view *view, bool follow);

/* Whether the row of the selected session is kept and listed, however long it is idle. */
void view_keep_selected(struct view *view, bool keep);
/* The key of that row for traffic_merge; NULL: none is kept. */
const struct session *view_kept(const struct view *view);

/* Whether connections that have been idle for long are listed, too. */
static inline void view_list_all(struct view *view, bool all)
{
	view->context.all = all;
	view_changed(view);
}

/* Whether all open sockets are, whatever they moved. */
static inline void view_list_open(struct view *view, bool open)
{
	view->context.open = open;
	view_changed(view);
}

void view_set_grouping(struct view *view, enum grouping grouping);
void view_open_group(struct view *view);
void view_close_group(struct view *view);

#endif
