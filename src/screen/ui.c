/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/ui.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "screen/table_mode.h"
#include "screen/keys.h"
#include "table/layout.h"
#include "names/names.h"
#include "output/renderer.h"
#include "model/snapshot.h"

#define NAMES_POLL_MS 150
#define MESSAGE_S 4

int display_init(struct display *display, const struct run_facts *facts, bool utf8)
{
	struct view_options defaults;
	const struct view_options *options = facts->view;

	memset(display, 0, sizeof *display);
	if (!options) {
		view_options_init(&defaults);
		options = &defaults;
	}
	display->facts = facts;
	display->utf8 = utf8;
	display->replay = options->replay_path != NULL;
	display->columns = options->columns;
	display->interval_ns = facts->options ? facts->options->interval_ns : 0;
	display->cursor_x = display->cursor_y = -1;
	display->names = names_open(!display->replay);
	if (!display->names)
		return -ENOMEM;
	view_init(&display->view, display->names);
	display->view.sort = options->sort;
	display->view.context.utf8 = utf8;
	return 0;
}

void display_fini(struct display *display)
{
	view_fini(&display->view);
	names_close(display->names);
}

static int64_t monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void display_say(struct display *display, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(display->message, sizeof display->message, format, arguments);
	va_end(arguments);
	display->message_s = monotonic_s();
}

static void read_host(struct display *display)
{
	double load[3];
	struct timespec up;

	if (getloadavg(load, 3) == 3)
		snprintf(
		    display->load, sizeof display->load, "load %.2f %.2f %.2f", load[0], load[1], load[2]);
	if (clock_gettime(CLOCK_BOOTTIME, &up) == 0)
		display->uptime_s = (uint64_t)up.tv_sec;
}

/*
 * Quitting cuts the last interval short. Its bytes count, but what stays behind is the table that was on
 * the screen, not a fraction of an interval that nobody saw.
 */
static bool is_cut_short(const struct display *display, const struct snapshot *snapshot)
{
	uint64_t asked_ns = display->interval_ns;

	return snapshot->last && display->view.live.tick && snapshot->interval_ns < asked_ns - asked_ns / 10;
}

int display_show(struct display *display, const struct snapshot *snapshot)
{
	display->leaving = snapshot->last;
	if (monotonic_s() - display->message_s >= MESSAGE_S)
		display->message[0] = '\0';
	if (!snapshot->interval_ns) {
		display->ended = display->replay;
		return 0;
	}
	if (is_cut_short(display, snapshot) && !display->view.is_frozen &&
	    view_freeze(&display->view, true) < 0)
		return -ENOMEM;
	if (!display->replay)
		read_host(display);
	if (display->view.filter.word_count && display->view.context.host_names)
		view_names_changed(&display->view);
	return view_merge(&display->view, snapshot);
}

bool display_measures(const struct display *display, const struct column *column)
{
	const struct view_options *options = display->facts->view;
	unsigned measured = options ? column_list_needs(&options->columns) : COLUMN_NEEDS_NOTHING;

	/* A recording has what it has. */
	if (display->replay)
		return true;
	if (options && options->sort.column)
		measured |= options->sort.column->needs;
	return !(column->needs & ~measured);
}

/* Help and details: scrolling, and any key that leaves. */
static void page_key(struct display *display, int code)
{
	unsigned page = display->height > 3 ? display->height - 3 : 1;
	unsigned last = display->page_lines > page ? display->page_lines - page : 0;

	switch (key_find(code)) {
	case ACT_UP:
		display->scroll -= display->scroll > 0;
		break;
	case ACT_DOWN:
		display->scroll++;
		break;
	case ACT_PAGE_UP:
		display->scroll = display->scroll > page ? display->scroll - page : 0;
		break;
	case ACT_PAGE_DOWN:
		display->scroll += page;
		break;
	case ACT_TOP:
		display->scroll = 0;
		break;
	case ACT_END:
		display->scroll = last;
		break;
	case ACT_ENTER:
	case ACT_BACK:
	case ACT_CLOSE:
	case ACT_LEAVE:
	case ACT_HELP:
		if (display->mode == MODE_DETAILS && !display->view.follow)
			view_keep_selected(&display->view, false);
		display->mode = MODE_TABLE;
		break;
	default:
		break;
	}
	if (display->scroll > last)
		display->scroll = last;
}

unsigned display_key(struct display *display, int code, struct renderer_request *request)
{
	enum key_action action;

	display->message[0] = '\0';
	/*
	 * Keys may come faster than they are painted: each works on the list as the one before left it. Only
	 * letters of a filter do without it, for each would look through all rows.
	 */
	if (display->mode != MODE_FILTER || code < ' ' || code >= KEY_CODE_FIRST_SPECIAL)
		view_prepare(&display->view, layout_lines(display->width, display->height).table);
	if (code == '\n')
		code = KEY_CODE_ENTER;
	else if (code == '\b')
		code = KEY_CODE_BACKSPACE;
	switch (display->mode) {
	case MODE_TABLE:
		return action_run(display, key_find(code), request);
	case MODE_SEARCH:
	case MODE_FILTER:
		prompt_key(display, code);
		return REACTION_NONE;
	case MODE_SORT_MENU:
	case MODE_USER_MENU:
	case MODE_COLUMN_MENU:
		menu_key(display, code);
		return REACTION_NONE;
	case MODE_HELP:
	case MODE_DETAILS:
		break;
	}
	/* What concerns the data works on a page, too. */
	action = key_find(code);
	switch (action) {
	case ACT_FREEZE:
	case ACT_UNITS:
	case ACT_SLOWER:
	case ACT_FASTER:
	case ACT_RESET:
	case ACT_NAMES:
	case ACT_REDRAW:
		return action_run(display, action, request);
	default:
		page_key(display, code);
		return REACTION_NONE;
	}
}

int display_timeout_ms(struct display *display)
{
	return display->view.context.host_names && names_pending(display->names) ? NAMES_POLL_MS : -1;
}

bool display_tick(struct display *display)
{
	if (!names_changed(display->names))
		return false;
	if (display->view.filter.word_count)
		view_names_changed(&display->view);
	return true;
}
