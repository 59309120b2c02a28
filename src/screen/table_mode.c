/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/table_mode.h"

#include <string.h>
#include <time.h>

#include "table/layout.h"
#include "screen/ui.h"
#include "names/names.h"
#include "output/renderer.h"

#define MS 1000000u

static size_t table_height(const struct display *display)
{
	unsigned rows = layout_lines(display->width, display->height).table;

	return rows ? rows : 1;
}

static unsigned sorted_by(struct display *display, const struct column *column)
{
	struct view *view = &display->view;

	view->sort.column = column;
	view->sort.descending = column->descending;
	view_changed(view);
	return REACTION_NONE;
}

/* Through the columns that are on the screen, and RX+TX, which is the order at the start. */
static unsigned sort_step(struct display *display, int step)
{
	struct layout layout;
	const struct column *columns[COLUMNS_MAX + 1];
	const struct column *rate = column_find("rate");
	int count = 0, at = 0;
	bool has_rate = false;

	layout_fit(&layout, &display->columns, &display->view.context, display->width);
	for (unsigned i = 0; i < layout.count; i++) {
		has_rate |= layout.columns[i].column == rate;
		columns[count++] = layout.columns[i].column;
		/* Where it would stand if it were shown. */
		if (layout.columns[i].column == column_find("tx") &&
		    !column_list_has(&display->columns, rate)) {
			columns[count++] = rate;
			has_rate = true;
		}
	}
	if (!has_rate)
		columns[count++] = rate;
	for (int i = 0; i < count; i++)
		if (columns[i] == display->view.sort.column)
			at = i;
	return sorted_by(display, columns[(at + step + count) % count]);
}

static unsigned enter(struct display *display)
{
	struct view *view = &display->view;

	if (!view_selected(view))
		return REACTION_NONE;
	if (view->context.grouping != GROUPING_NONE) {
		view_open_group(view);
		return REACTION_NONE;
	}
	/* The page is about this very session from now on, whatever the order becomes. */
	if (!view->pinned) {
		view->selected = view_selected(view)->session;
		view->pinned = true;
	}
	view_keep_selected(view, true);
	display->mode = MODE_DETAILS;
	display->scroll = 0;
	return REACTION_NONE;
}

/* One step out: of the open group, of the filter, of user and family, of following. */
static unsigned back(struct display *display)
{
	struct view *view = &display->view;

	if (view->opened) {
		view_close_group(view);
	} else if (view->filter.word_count) {
		display->filter_text[0] = '\0';
		view_set_filter(view, "");
	} else if (view->one_user || view->family) {
		view->one_user = false;
		view->family = 0;
		view_changed(view);
	} else if (view->follow) {
		view_set_follow(view, false);
	}
	return REACTION_NONE;
}

static unsigned freeze(struct display *display)
{
	if (view_freeze(&display->view, !display->view.is_frozen) < 0)
		display_say(display, "not enough memory to freeze");
	return REACTION_NONE;
}

static unsigned search(struct display *display)
{
	const struct row *row = view_selected(&display->view);

	display->before_search_pinned = display->view.pinned;
	if (row)
		display->before_search = row->session;
	display->typed[0] = '\0';
	display->search_missed = false;
	display->mode = MODE_SEARCH;
	return REACTION_NONE;
}

static unsigned search_next(struct display *display)
{
	if (!display->search.word_count)
		return search(display);
	if (!view_find(&display->view, &display->search, true, false))
		display_say(display, "not found: %s", display->search_text);
	return REACTION_NONE;
}

static unsigned filter(struct display *display)
{
	memcpy(display->typed, display->filter_text, sizeof display->typed);
	display->mode = MODE_FILTER;
	return REACTION_NONE;
}

static unsigned family(struct display *display, uint8_t wanted)
{
	struct view *view = &display->view;
	int limited = display->facts->options ? display->facts->options->family : 0;

	if (limited && limited != wanted) {
		display_say(display, "only IPv%d is traced: it was started with -%d", limited, limited);
		return REACTION_NONE;
	}
	view->family = view->family == wanted ? 0 : wanted;
	view_changed(view);
	return REACTION_NONE;
}

static unsigned group(struct display *display, int step)
{
	enum grouping next =
	    (enum grouping)(((int)display->view.grouping + step + GROUPING_COUNT) % GROUPING_COUNT);

	view_set_grouping(&display->view, next);
	return REACTION_NONE;
}

static unsigned interval(struct display *display, bool longer, struct renderer_request *request)
{
	static const uint64_t steps_ns[] = { 10 * MS, 20 * MS, 50 * MS, 100 * MS, 200 * MS, 500 * MS,
		1000ull * MS, 2000ull * MS, 3000ull * MS, 5000ull * MS, 10000ull * MS, 20000ull * MS,
		30000ull * MS, 60000ull * MS };
	uint64_t chosen_ns = display->interval_ns;

	if (display->replay) {
		display_say(display, "the recording's intervals are what they are");
		return REACTION_NONE;
	}
	for (size_t i = 0; i < sizeof steps_ns / sizeof steps_ns[0]; i++) {
		if (longer && steps_ns[i] > display->interval_ns) {
			chosen_ns = steps_ns[i];
			break;
		}
		if (!longer && steps_ns[i] < display->interval_ns)
			chosen_ns = steps_ns[i];
	}
	if (chosen_ns == display->interval_ns)
		return REACTION_NONE;
	display->interval_ns = request->interval_ns = chosen_ns;
	return REACTION_INTERVAL;
}

/* Off, ports, ports and hosts. */
static unsigned names(struct display *display)
{
	struct column_context *context = &display->view.context;

	if (!context->port_names) {
		context->port_names = true;
	} else if (!context->host_names && !display->replay) {
		context->host_names = true;
	} else {
		context->port_names = context->host_names = false;
	}
	display_say(display, "names: %s",
	    context->host_names   ? "ports and hosts, as their names arrive"
	    : context->port_names ? "ports"
	                          : "off");
	context->address_columns = 0;
	view_names_changed(&display->view);
	return REACTION_NONE;
}

static unsigned follow(struct display *display)
{
	struct view *view = &display->view;

	if (view->context.grouping != GROUPING_NONE)
		display_say(display, "only a connection can be followed: Enter opens the group");
	else if (view->count)
		view_set_follow(view, !view->follow);
	return REACTION_NONE;
}

static unsigned units(struct display *display)
{
	struct column_context *context = &display->view.context;

	context->unit = (context->unit + 1) % UNIT_COUNT;
	display_say(display, "units: %s", unit_name(context->unit));
	return REACTION_NONE;
}

static unsigned amount(struct display *display)
{
	static const char *const names[AMOUNT_COUNT] = {
		[AMOUNT_RATE] = "per second",
		[AMOUNT_INTERVAL] = "in the interval",
		[AMOUNT_TOTAL] = "since the start",
	};
	struct column_context *context = &display->view.context;

	context->amount = (context->amount + 1) % AMOUNT_COUNT;
	display_say(display, "RX and TX: %s", names[context->amount]);
	view_changed(&display->view);
	return REACTION_NONE;
}

static unsigned reverse(struct display *display)
{
	display->view.sort.descending = !display->view.sort.descending;
	view_changed(&display->view);
	return REACTION_NONE;
}

static unsigned reset(struct display *display)
{
	int64_t now_s = display->replay ? view_traffic(&display->view)->time.tv_sec : time(NULL);

	view_reset_totals(&display->view, now_s);
	display_say(display, "totals start again from zero");
	return REACTION_NONE;
}

static unsigned open_menu(struct display *display, enum display_mode mode)
{
	menu_open(display, mode);
	return REACTION_NONE;
}

static unsigned move(struct display *display, enum key_action action)
{
	struct view *view = &display->view;
	long page = (long)table_height(display);

	switch (action) {
	case ACT_UP:
		view_move(view, -1);
		break;
	case ACT_DOWN:
		view_move(view, 1);
		break;
	case ACT_PAGE_UP:
		view_move(view, -page);
		break;
	case ACT_PAGE_DOWN:
		view_move(view, page);
		break;
	case ACT_TOP:
		view_home(view);
		break;
	default:
		view_end(view);
		break;
	}
	return REACTION_NONE;
}

/* What changes the settings that are not the list's. */
static unsigned run_setting(struct display *display, enum key_action action, struct renderer_request *request)
{
	switch (action) {
	case ACT_FREEZE:
		return freeze(display);
	case ACT_UNITS:
		return units(display);
	case ACT_AMOUNT:
		return amount(display);
	case ACT_SLOWER:
	case ACT_FASTER:
		return interval(display, action == ACT_SLOWER, request);
	case ACT_NAMES:
		return names(display);
	case ACT_RESET:
		return reset(display);
	case ACT_COLUMNS:
		return open_menu(display, MODE_COLUMN_MENU);
	case ACT_HELP:
		display->mode = MODE_HELP;
		display->scroll = 0;
		return REACTION_NONE;
	case ACT_LEAVE:
		return REACTION_QUIT;
	case ACT_REDRAW:
		return REACTION_REDRAW;
	default:
		return REACTION_NONE;
	}
}

unsigned action_run(struct display *display, enum key_action action, struct renderer_request *request)
{
	switch (action) {
	case ACT_UP:
	case ACT_DOWN:
	case ACT_PAGE_UP:
	case ACT_PAGE_DOWN:
	case ACT_TOP:
	case ACT_END:
		return move(display, action);
	case ACT_ENTER:
		return enter(display);
	case ACT_BACK:
		return back(display);
	case ACT_CLOSE:
		if (display->view.opened)
			view_close_group(&display->view);
		return REACTION_NONE;
	case ACT_SORT_PREVIOUS:
		return sort_step(display, -1);
	case ACT_SORT_NEXT:
		return sort_step(display, 1);
	case ACT_SORT_RX:
		return sorted_by(display, column_find("rx"));
	case ACT_SORT_TX:
		return sorted_by(display, column_find("tx"));
	case ACT_REVERSE:
		return reverse(display);
	case ACT_SORT_MENU:
		return open_menu(display, MODE_SORT_MENU);
	case ACT_USER:
		return open_menu(display, MODE_USER_MENU);
	case ACT_SEARCH:
		return search(display);
	case ACT_SEARCH_NEXT:
		return search_next(display);
	case ACT_FILTER:
		return filter(display);
	case ACT_GROUP:
		return group(display, 1);
	case ACT_GROUP_BACK:
		return group(display, -1);
	case ACT_IPV4:
		return family(display, 4);
	case ACT_IPV6:
		return family(display, 6);
	case ACT_FOLLOW:
		return follow(display);
	default:
		return run_setting(display, action, request);
	}
}
