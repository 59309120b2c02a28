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

#include "table/column.h"
#include "model/traffic.h"
#include "table/match.h"

struct view_item {
	uint64_t rank;
	uint32_t row;
};

struct view {
	struct traffic live;
	struct traffic frozen; /* what is shown while is_frozen */
	bool is_frozen;

	/* Settings: call view_changed after changing one. */
	struct column_context context; /* its traffic and grouping are the view's own business */
	struct column_sort sort;
	enum grouping grouping;
	uint8_t family; /* 0, 4 or 6 */
	bool one_user;
	uint32_t uid;
	struct match filter;

	/* A group whose connections are listed: grouping says of which kind. */
	bool opened;
	struct session opened_key;

	/* Read only for others, after view_prepare. */
	size_t count;
	size_t top;      /* the first position on the screen */
	size_t position; /* the cursor's, below count unless that is 0 */
	bool pinned;     /* the cursor sticks to `selected`; else it stands at the top */
	bool follow;     /* the list moves so that the selected row stays on its line */
	struct session selected;

	struct rows groups;
	struct view_item *items;
	size_t capacity;
	size_t sorted_from, sorted_to;
	uint32_t epoch; /* of filter */
	bool narrows;   /* what did not match in the epoch before does not match now */
	char filter_text[MATCH_TEXT_MAX + 1];
	bool stale;
	size_t follow_line;
};

/* names is borrowed and must outlive the view; may be NULL. */
void view_init(struct view *view, struct names *names);
void view_fini(struct view *view);

/* Takes in one interval. 0 or -ENOMEM. */
int view_merge(struct view *view, const struct snapshot *snapshot);

/* The traffic that is shown. */
const struct traffic *view_traffic(const struct view *view);

void view_changed(struct view *view);
void view_set_filter(struct view *view, const char *text);
/* Names arrived that the filter may know. */
void view_names_changed(struct view *view);

/* 0 or -ENOMEM: then nothing is frozen. */
int view_freeze(struct view *view, bool freeze);
void view_reset_totals(struct view *view, int64_t now_s);

/* Brings list, cursor and scrolling up to date for a table of `height` rows. 0 or -ENOMEM. */
int view_prepare(struct view *view, size_t height);

/* The row at a position below count; NULL beyond. Borrowed until the view changes in any way. */
const struct row *view_row(struct view *view, size_t position);
const struct row *view_selected(struct view *view);

/* The cursor: by rows, to the top (where it stays), to the end. */
void view_move(struct view *view, long rows);
void view_home(struct view *view);
void view_end(struct view *view);

/* To the next or previous row with these words, going round; true when there is one. */
bool view_find(struct view *view, const struct match *match, bool forward, bool from_here);

void view_set_follow(struct view *view, bool follow);
/* The selected session's row stays though it goes quiet. */
void view_keep_selected(struct view *view, bool keep);

void view_set_grouping(struct view *view, enum grouping grouping);
void view_open_group(struct view *view);
void view_close_group(struct view *view);

/* The row of the other end, when both ends are on this host; NULL when it was not seen. Borrowed likewise. */
const struct row *view_peer(const struct view *view, const struct row *row);

#endif
