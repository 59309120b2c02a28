/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actions.h"
#include "keys.h"
#include "names.h"
#include "renderer.h"
#include "snapshot.h"

#define NAMES_POLL_MS 150

int monitor_init(struct monitor *monitor, const struct run_facts *facts, bool utf8)
{
	struct view_options defaults;
	const struct view_options *options = facts->view;

	memset(monitor, 0, sizeof *monitor);
	if (!options) {
		view_options_init(&defaults);
		options = &defaults;
	}
	monitor->facts = facts;
	monitor->utf8 = utf8;
	monitor->replay = options->replay_path != NULL;
	monitor->columns = options->columns;
	monitor->interval_ns = facts->options ? facts->options->interval_ns : 0;
	monitor->cursor_x = monitor->cursor_y = -1;
	monitor->names = names_open(!monitor->replay);
	if (!monitor->names)
		return -ENOMEM;
	view_init(&monitor->view, monitor->names);
	monitor->view.sort = options->sort;
	monitor->view.context.utf8 = utf8;
	return 0;
}

void monitor_fini(struct monitor *monitor)
{
	view_fini(&monitor->view);
	names_close(monitor->names);
}

void monitor_say(struct monitor *monitor, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(monitor->message, sizeof monitor->message, format, arguments);
	va_end(arguments);
}

static void read_host(struct monitor *monitor)
{
	double load[3];
	struct timespec up;

	if (getloadavg(load, 3) == 3)
		snprintf(monitor->load, sizeof monitor->load, "load %.2f %.2f %.2f", load[0], load[1], load[2]);
	if (clock_gettime(CLOCK_BOOTTIME, &up) == 0)
		monitor->uptime_s = (uint64_t)up.tv_sec;
}

int monitor_show(struct monitor *monitor, const struct snapshot *snapshot)
{
	if (!monitor->replay)
		read_host(monitor);
	if (monitor->view.filter.word_count && monitor->view.context.host_names)
		view_names_changed(&monitor->view);
	return view_merge(&monitor->view, snapshot);
}

/* Help and details: scrolling, and any key that leaves. */
static void page_key(struct monitor *monitor, int code)
{
	unsigned page = monitor->height > 3 ? monitor->height - 3 : 1;
	unsigned last = monitor->page_lines > page ? monitor->page_lines - page : 0;

	switch (key_find(code)) {
	case ACT_UP:
		monitor->scroll -= monitor->scroll > 0;
		break;
	case ACT_DOWN:
		monitor->scroll++;
		break;
	case ACT_PAGE_UP:
		monitor->scroll = monitor->scroll > page ? monitor->scroll - page : 0;
		break;
	case ACT_PAGE_DOWN:
		monitor->scroll += page;
		break;
	case ACT_TOP:
		monitor->scroll = 0;
		break;
	case ACT_END:
		monitor->scroll = last;
		break;
	case ACT_ENTER:
	case ACT_BACK:
	case ACT_LEAVE:
	case ACT_HELP:
		if (monitor->mode == MODE_DETAILS && !monitor->view.follow)
			view_keep_selected(&monitor->view, false);
		monitor->mode = MODE_TABLE;
		break;
	default:
		break;
	}
	if (monitor->scroll > last)
		monitor->scroll = last;
}

unsigned monitor_key(struct monitor *monitor, int code, struct renderer_request *request)
{
	enum key_action action;

	monitor->message[0] = '\0';
	if (code == '\n')
		code = KEY_CODE_ENTER;
	else if (code == '\b')
		code = KEY_CODE_BACKSPACE;
	switch (monitor->mode) {
	case MODE_TABLE:
		return action_run(monitor, key_find(code), request);
	case MODE_SEARCH:
	case MODE_FILTER:
		prompt_key(monitor, code);
		return REACTION_NONE;
	case MODE_SORT_MENU:
	case MODE_USER_MENU:
	case MODE_COLUMN_MENU:
		menu_key(monitor, code);
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
		return action_run(monitor, action, request);
	default:
		page_key(monitor, code);
		return REACTION_NONE;
	}
}

int monitor_timeout_ms(struct monitor *monitor)
{
	return monitor->view.context.host_names && names_pending(monitor->names) ? NAMES_POLL_MS : -1;
}

bool monitor_tick(struct monitor *monitor)
{
	if (!names_changed(monitor->names))
		return false;
	if (monitor->view.filter.word_count)
		view_names_changed(&monitor->view);
	return true;
}
