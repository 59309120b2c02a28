/* SPDX-License-Identifier: Apache-2.0 */
#include "table/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/traffic.h"
#include "table/order.h"

void view_init(struct view *view, struct names *names, const struct traffic *traffic)
{
	memset(view, 0, sizeof *view);
	list_init(&view->list);
	view->context.names = names;
	view->context.traffic = traffic;
	view->sort = column_sort_default();
	view->settings.epoch = 1;
	view->stale = true;
}

void view_fini(struct view *view)
{
	list_fini(&view->list);
}

void view_show(struct view *view, const struct traffic *traffic)
{
	view->context.traffic = traffic;
	view->stale = true;
}

const struct traffic *view_traffic(const struct view *view)
{
	return view->context.traffic;
}

void view_changed(struct view *view)
{
	view->stale = true;
}

void view_set_sort(struct view *view, const struct column *column)
{
	view->sort = (struct column_sort){ .column = column, .descending = column->descending };
	view->held = false;
	view->stale = true;
}

void view_reverse(struct view *view)
{
	view->sort.descending = !view->sort.descending;
	view->held = false;
	view->stale = true;
}

void view_set_filter(struct view *view, const char *text)
{
	struct match before;

	match_set(&before, view->filter_text);
	snprintf(view->filter_text, sizeof view->filter_text, "%s", text);
	match_set(&view->settings.words, text);
	view_names_changed(view);
	view->settings.narrows = match_narrows(&before, &view->settings.words);
}

void view_names_changed(struct view *view)
{
	view->settings.epoch++;
	view->settings.narrows = false;
	view->stale = true;
}

/* ---- order and cursor ---- */

static const struct column_sort *sort_of(const struct view *view)
{
	static const struct column_sort held = { .column = &list_held_column };

	return view->held ? &held : &view->sort;
}

static int build(struct view *view)
{
	struct list_settings *settings = &view->settings;

	track_resolve(&view->track, &view->context.traffic->rows, &view->selected);
	settings->kept = view_kept(view);
	view->context.grouping = settings->opened ? GROUPING_NONE : settings->grouping;
	if (!(view->sort.column->groupings & 1 << view->context.grouping))
		view->sort = column_sort_default();
	/* RX+TX, the default order, is told by those two */
	view->context.sorted = view->sort.column == column_sort_default().column ? NULL : view->sort.column;
	int err = list_build(&view->list, settings, &view->context, sort_of(view)->column);

	if (err < 0)
		return err;
	view->sorted_from = view->sorted_to = 0;
	view->stale = false;
	view->unplaced = true;
	view->version++;
	return 0;
}

static struct order order_of(struct view *view)
{
	return (struct order){
		.rows = list_rows(&view->list, &view->context)->rows,
		.sort = sort_of(view),
		.context = &view->context,
	};
}

static void sort_range(struct view *view, size_t from, size_t to)
{
	if (to > view->list.count)
		to = view->list.count;
	if (from >= to || (from >= view->sorted_from && to <= view->sorted_to))
		return;
	struct order order = order_of(view);

	order_range(&order, view->list.items, view->list.count, from, to);
	view->sorted_from = from;
	view->sorted_to = to;
}

int view_hold(struct view *view, bool hold)
{
	int err = hold && view->stale ? build(view) : 0;

	if (err < 0)
		return err;
	if (hold && !view->held) {
		sort_range(view, 0, view->list.count);
		list_hold(&view->list, &view->context);
	}
	view->held = hold;
	view->stale = true;
	return 0;
}

const struct row *view_row(struct view *view, size_t position)
{
	if (view->stale && build(view) < 0)
		return NULL;
	if (position >= view->list.count)
		return NULL;
	sort_range(view, position, position + 1);
	return &list_rows(&view->list, &view->context)->rows[view->list.items[position].row];
}

static void pin(struct view *view, size_t position)
{
	const struct row *row = view_row(view, position);

	view->position = position;
	view->pinned = row != NULL;
	if (row)
		view->selected = row->session;
}

/* The row at the position is asked for. */
static void move_to(struct view *view, size_t position)
{
	pin(view, position);
	view->reveals = true;
	view->searched = view->found = false;
}

/* Sets the position of the selected row; false when it is not listed any more. */
static bool locate(struct view *view)
{
	const struct rows *rows = list_rows(&view->list, &view->context);
	size_t index = rows_find(rows, &view->selected);
	size_t before = 0;
	bool listed = false;

	if (index == ROW_NONE)
		return false;
	struct order order = order_of(view);
	struct view_item self = {
		.rank = sort_of(view)->column->rank(&view->context, &rows->rows[index]),
		.row = (uint32_t)index,
	};

	for (size_t i = 0; i < view->list.count; i++) {
		if (view->list.items[i].row == self.row)
			listed = true;
		else if (order_compare(&order, &view->list.items[i], &self) < 0)
			before++;
	}
	if (listed)
		view->position = before;
	return listed;
}

/* The list scrolls so that the cursor's position is seen. */
static void reveal(struct view *view, size_t height)
{
	size_t top = view->top;

	if (view->position < view->top)
		view->top = view->position;
	if (height && view->position >= view->top + height)
		view->top = view->position - height + 1;
	if (!view->searched)
		view->scrolled = view->top > 0;
	else if (view->top != top)
		view->scrolled = false;
	view->reveals = false;
}

static void scroll(struct view *view, size_t height)
{
	size_t top_max = view->list.count > height ? view->list.count - height : 0;

	if (!view->pinned)
		view->top = 0;
	else if (view->follow)
		view->top = view->position > view->follow_line ? view->position - view->follow_line : 0;
	/* The screen or the list has become another: the cursor stays in sight. */
	if (view->top > top_max)
		view->top = top_max;
	if (view->reveals || view->follow || height != view->height)
		reveal(view, height);
	view->height = height;
}

static void to_top(struct view *view)
{
	view->pinned = view->scrolled = view->reveals = view->found = false;
	view->top = view->position = 0;
}

/* The cursor stays on its line, whoever's that is now. */
static void stay_on_line(struct view *view)
{
	size_t position = view->top + view->line;

	if (view->list.count)
		pin(view, position < view->list.count ? position : view->list.count - 1);
}

/* After the list was built anew: where the selected row and the cursor are now. See struct view. */
static void find_cursor(struct view *view, size_t height)
{
	bool listed = locate(view);

	if (!listed)
		view_set_follow(view, false);
	view->reveals |= listed && view->found;
	if (view->follow || view->keeps || (listed && view->reveals))
		return;
	if (listed && view->position >= view->top && view->position < view->top + height)
		return;
	view->lost |= view->found;
	view->searched = view->found = false;
	if (!listed && !view->scrolled) {
		to_top(view);
		return;
	}
	if (!view->scrolled)
		view->top = 0;
	stay_on_line(view);
}

int view_prepare(struct view *view, size_t height)
{
	if (view->stale) {
		int err = build(view);

		if (err < 0)
			return err;
	}
	if (view->unplaced && view->pinned)
		find_cursor(view, height);
	view->unplaced = false;
	if (!view->pinned || !view->list.count)
		view->position = 0;
	scroll(view, height);
	if (view->position >= view->top && view->position < view->top + height)
		view->line = view->position - view->top;
	sort_range(view, view->top, view->top + height);
	track_note(&view->track, &view->context.traffic->rows, &view->selected);
	return 0;
}

const struct row *view_selected(struct view *view)
{
	return view_row(view, view->position);
}

void view_move(struct view *view, long rows)
{
	size_t position = view->position;

	view_set_follow(view, false);
	if (rows < 0)
		position = position > (size_t)-rows ? position - (size_t)-rows : 0;
	else
		position += (size_t)rows;
	if (view->list.count)
		move_to(view, position < view->list.count ? position : view->list.count - 1);
}

void view_home(struct view *view)
{
	view_set_follow(view, false);
	to_top(view);
}

void view_end(struct view *view)
{
	view_set_follow(view, false);
	if (view->list.count)
		move_to(view, view->list.count - 1);
}

bool view_find(struct view *view, const struct match *match, bool forward, bool from_here)
{
	const struct row *self = view_selected(view);

	if (!self || !match->word_count)
		return false;
	struct order order = order_of(view);
	struct view_item here = view->list.items[view->position];
	size_t best = ROW_NONE;
	bool best_wraps = false;

	for (size_t i = 0; i < view->list.count; i++) {
		const struct view_item *item = &view->list.items[i];
		int side = order_compare(&order, item, &here);
		bool wraps =
		    forward ? (from_here ? side < 0 : side <= 0) : (from_here ? side > 0 : side >= 0);

		if (best != ROW_NONE && wraps && !best_wraps)
			continue;
		if (best != ROW_NONE && wraps == best_wraps) {
			int than_best = order_compare(&order, item, &view->list.items[best]);

			if (forward ? than_best > 0 : than_best < 0)
				continue;
		}
		if (!match_row(match, &order.rows[item->row], &view->context))
			continue;
		best = i;
		best_wraps = wraps;
	}
	if (best == ROW_NONE)
		return false;
	view_set_follow(view, false);
	view->selected = order.rows[view->list.items[best].row].session;
	view->pinned = view->reveals = view->searched = view->found = true;
	return locate(view);
}

void view_set_follow(struct view *view, bool follow)
{
	if (follow && !view->pinned)
		pin(view, view->position);
	view->follow = follow && view->pinned;
	view->follow_line = view->position - view->top;
	view_keep_selected(view, view->follow);
}

void view_keep_selected(struct view *view, bool keep)
{
	/* The row may leave the list, and the cursor must be on the screen again. */
	view->stale |= view->keeps && !keep;
	view->keeps = keep;
}

const struct session *view_kept(const struct view *view)
{
	return view->keeps || view->found ? &view->selected : NULL;
}

struct view_cursor view_cursor(const struct view *view)
{
	return (struct view_cursor){ view->selected, view->track, view->top, view->follow_line, view->pinned,
		view->follow, view->scrolled, view->searched };
}

void view_set_cursor(struct view *view, const struct view_cursor *cursor)
{
	view->selected = cursor->selected;
	view->track = cursor->track;
	view->top = cursor->top;
	view->follow_line = cursor->follow_line;
	view->pinned = cursor->pinned;
	view->follow = cursor->follow;
	view->scrolled = cursor->scrolled;
	view->searched = cursor->searched;
	view->reveals = cursor->pinned;
	view->found = false;
	view_keep_selected(view, cursor->follow);
	view->stale = true;
}

/* ---- groups ---- */

void view_set_grouping(struct view *view, enum grouping grouping)
{
	view_set_follow(view, false);
	view->settings.grouping = grouping;
	view->held = false;
	view->settings.opened = false;
	to_top(view);
	view->stale = true;
}

void view_go_to(struct view *view, enum grouping grouping, const struct session *key)
{
	view_set_follow(view, false);
	if (view->context.grouping != grouping)
		view_set_grouping(view, grouping);
	view->selected = *key;
	view->pinned = view->reveals = view->searched = true;
	view->found = false;
	view->stale = true;
	view_keep_selected(view, true);
}

struct view_place view_place(const struct view *view)
{
	const struct list_settings *settings = &view->settings;

	return (struct view_place){ settings->grouping, settings->opened, settings->opened_key,
		settings->opened_container, settings->opened_peer, view->selected, view->pinned, view->sort,
		view->track };
}

void view_return(struct view *view, const struct view_place *place)
{
	struct list_settings *settings = &view->settings;

	if (settings->grouping != place->grouping || settings->opened != place->opened)
		view_set_grouping(view, place->grouping);
	view->sort = place->sort;
	view->stale = true;
	view->found = false;
	settings->opened = place->opened;
	settings->opened_key = place->opened_key;
	settings->opened_container = place->opened_container;
	settings->opened_peer = place->opened_peer;
	view->selected = place->selected;
	view->track = place->track;
	view->pinned = view->reveals = view->searched = place->pinned;
}

void view_open_group(struct view *view)
{
	const struct row *row = view_selected(view);

	if (!row || view->context.grouping == GROUPING_NONE)
		return;
	view->settings.opened_key = row->session;
	view->settings.opened_container = row->container;
	view->settings.opened_peer = row->peer;
	view->settings.opened = true;
	view->held = false;
	to_top(view);
	view->stale = true;
}

/* The cursor returns to the group that was open. */
void view_close_group(struct view *view)
{
	view_set_follow(view, false);
	view->settings.opened = view->held = false;
	view->selected = view->settings.opened_key;
	view->pinned = view->reveals = view->searched = true;
	view->found = false;
	view->stale = true;
}
