/* SPDX-License-Identifier: Apache-2.0 */
#include "table/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names/names.h"
#include "table/list.h"
#include "table/order.h"

void view_init(struct view *view, struct names *names)
{
	memset(view, 0, sizeof *view);
	traffic_init(&view->live);
	traffic_init(&view->frozen);
	rows_init(&view->groups);
	view->context.names = names;
	view->context.traffic = &view->live;
	view->sort = column_sort_default();
	view->epoch = 1;
	view->stale = true;
}

void view_fini(struct view *view)
{
	traffic_fini(&view->live);
	traffic_fini(&view->frozen);
	rows_fini(&view->groups);
	free(view->items);
}

int view_merge(struct view *view, const struct snapshot *snapshot)
{
	if (!view->is_frozen)
		view->stale = true;
	return traffic_merge(&view->live, snapshot);
}

const struct traffic *view_traffic(const struct view *view)
{
	return view->is_frozen ? &view->frozen : &view->live;
}

void view_changed(struct view *view)
{
	view->stale = true;
}

void view_set_filter(struct view *view, const char *text)
{
	struct match before;

	match_set(&before, view->filter_text);
	snprintf(view->filter_text, sizeof view->filter_text, "%s", text);
	match_set(&view->filter, text);
	view_names_changed(view);
	view->narrows = match_narrows(&before, &view->filter);
}

void view_names_changed(struct view *view)
{
	view->epoch++;
	view->narrows = false;
	view->stale = true;
}

int view_freeze(struct view *view, bool freeze)
{
	if (freeze == view->is_frozen)
		return 0;
	if (freeze) {
		int err = traffic_copy(&view->frozen, &view->live);

		if (err < 0)
			return err;
	} else {
		rows_clear(&view->frozen.rows);
	}
	view->is_frozen = freeze;
	view->stale = true;
	return 0;
}

void view_reset_totals(struct view *view, int64_t now_s)
{
	traffic_reset(&view->live, now_s);
	if (view->is_frozen)
		traffic_reset(&view->frozen, now_s);
	view->stale = true;
}

/* ---- order and cursor ---- */

static struct view_order order_of(struct view *view)
{
	return (struct view_order){
		.rows = view_list_rows(view)->rows,
		.sort = &view->sort,
		.context = &view->context,
	};
}

static void sort_range(struct view *view, size_t from, size_t to)
{
	if (to > view->count)
		to = view->count;
	if (from >= to || (from >= view->sorted_from && to <= view->sorted_to))
		return;
	struct view_order order = order_of(view);

	view_order_range(&order, view->items, view->count, from, to);
	view->sorted_from = from;
	view->sorted_to = to;
}

const struct row *view_row(struct view *view, size_t position)
{
	if (view->stale && view_list_build(view) < 0)
		return NULL;
	if (position >= view->count)
		return NULL;
	sort_range(view, position, position + 1);
	return &view_list_rows(view)->rows[view->items[position].row];
}

static void pin(struct view *view, size_t position)
{
	const struct row *row = view_row(view, position);

	view->position = position;
	view->pinned = row != NULL;
	if (row)
		view->selected = row->session;
}

/* Where the selected row stands now; false when it is not listed any more. */
static bool locate(struct view *view)
{
	struct rows *rows = view_list_rows(view);
	size_t index = rows_find(rows, &view->selected);
	size_t before = 0;
	bool listed = false;

	if (index == ROW_NONE)
		return false;
	struct view_order order = order_of(view);
	struct view_item self = {
		.rank = view->sort.column->rank(&view->context, &rows->rows[index]),
		.row = (uint32_t)index,
	};

	for (size_t i = 0; i < view->count; i++) {
		if (view->items[i].row == self.row)
			listed = true;
		else if (view_order_compare(&order, &view->items[i], &self) < 0)
			before++;
	}
	if (listed)
		view->position = before;
	return listed;
}

static void scroll(struct view *view, size_t height)
{
	size_t top_max = view->count > height ? view->count - height : 0;

	if (!view->pinned)
		view->top = 0;
	else if (view->follow)
		view->top = view->position > view->follow_line ? view->position - view->follow_line : 0;
	if (view->top > top_max)
		view->top = top_max;
	if (view->position < view->top)
		view->top = view->position;
	if (height && view->position >= view->top + height)
		view->top = view->position - height + 1;
}

int view_prepare(struct view *view, size_t height)
{
	if (view->stale) {
		int err = view_list_build(view);

		if (err < 0)
			return err;
		if (view->pinned && !locate(view)) {
			view_set_follow(view, false);
			if (view->count)
				pin(view, view->position < view->count ? view->position : view->count - 1);
		}
	}
	if (!view->pinned || !view->count)
		view->position = 0;
	scroll(view, height);
	sort_range(view, view->top, view->top + height);
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
	if (view->count)
		pin(view, position < view->count ? position : view->count - 1);
}

void view_home(struct view *view)
{
	view_set_follow(view, false);
	view->pinned = false;
	view->position = 0;
}

void view_end(struct view *view)
{
	view_set_follow(view, false);
	if (view->count)
		pin(view, view->count - 1);
}

bool view_find(struct view *view, const struct match *match, bool forward, bool from_here)
{
	const struct row *self = view_selected(view);

	if (!self || !match->word_count)
		return false;
	struct view_order order = order_of(view);
	struct view_item here = view->items[view->position];
	size_t best = ROW_NONE;
	bool best_wraps = false;

	for (size_t i = 0; i < view->count; i++) {
		const struct view_item *item = &view->items[i];
		int side = view_order_compare(&order, item, &here);
		bool wraps =
		    forward ? (from_here ? side < 0 : side <= 0) : (from_here ? side > 0 : side >= 0);

		if (best != ROW_NONE && wraps && !best_wraps)
			continue;
		if (best != ROW_NONE && wraps == best_wraps) {
			int than_best = view_order_compare(&order, item, &view->items[best]);

			if (forward ? than_best > 0 : than_best < 0)
				continue;
		}
		if (!match_row(match, &order.rows[item->row], view->context.names, view->context.host_names))
			continue;
		best = i;
		best_wraps = wraps;
	}
	if (best == ROW_NONE)
		return false;
	view_set_follow(view, false);
	view->selected = order.rows[view->items[best].row].session;
	view->pinned = true;
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
	view->live.keep = keep && view->context.grouping == GROUPING_NONE;
	view->live.kept = view->selected;
}

/* ---- groups ---- */

void view_set_grouping(struct view *view, enum grouping grouping)
{
	view_set_follow(view, false);
	view->grouping = grouping;
	view->opened = false;
	view->pinned = false;
	view->top = view->position = 0;
	view->stale = true;
}

void view_open_group(struct view *view)
{
	const struct row *row = view_selected(view);

	if (!row || view->context.grouping == GROUPING_NONE)
		return;
	view->opened_key = row->session;
	view->opened = true;
	view->pinned = false;
	view->top = view->position = 0;
	view->stale = true;
}

/* The cursor goes back to the group that was open. */
void view_close_group(struct view *view)
{
	view_set_follow(view, false);
	view->opened = false;
	view->selected = view->opened_key;
	view->pinned = true;
	view->stale = true;
}

const struct row *view_peer(const struct view *view, const struct row *row)
{
	const struct rows *rows = &view_traffic(view)->rows;
	const struct session *self = &row->session;
	const struct row *peer = NULL;

	for (size_t i = 0; i < rows->count; i++) {
		const struct session *other = &rows->rows[i].session;

		if (other->lport != self->rport || other->rport != self->lport ||
		    other->family != self->family ||
		    memcmp(other->laddr, self->raddr, sizeof self->raddr) != 0 ||
		    memcmp(other->raddr, self->laddr, sizeof self->laddr) != 0)
			continue;
		/* A pair across namespaces is one, too; an end in the same namespace is the likelier. */
		if (!peer || (other->netns == self->netns && peer->session.netns != self->netns))
			peer = &rows->rows[i];
	}
	return peer;
}
