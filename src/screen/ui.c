/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/ui.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/in_use.h"
#include "model/snapshot.h"
#include "names/names.h"
#include "output/renderer.h"

/* Mostly a name is there at once; a server that is slow is not asked every moment whether it is done. */
#define NAMES_POLL_MS_MIN 10
#define NAMES_POLL_MS_MAX 160
#define MESSAGE_S 4

int ui_init(struct ui *ui, const struct run *run, bool utf8)
{
	memset(ui, 0, sizeof *ui);
	ui->run = run;
	ui->utf8 = utf8;
	ui->names_poll_ms = NAMES_POLL_MS_MIN;
	ui->mouse = run->screen->mouse;
	ui->replay = !run->live;
	ui->columns = run->screen->columns;
	ui->interval_ns = run->interval_ns;
	ui->tells_connections = run->connections;
	ui->cursor_x = ui->cursor_y = -1;
	ui->names = run->names;
	traffic_init(&ui->traffic);
	traffic_init(&ui->frozen);
	past_init(&ui->past);
	view_init(&ui->view, ui->names, &ui->traffic);
	ui->view.sort = run->screen->sort;
	ui->view.context.utf8 = utf8;
	ui->view.context.open = run->all;
	ui->view.context.unit = run->screen->unit;
	if (run->notice && *run->notice)
		ui_say(ui, "%s", run->notice);
	if (run->words) {
		snprintf(ui->filter_text, sizeof ui->filter_text, "%s", run->words);
		view_set_filter(&ui->view, run->words);
	}
	return 0;
}

void ui_fini(struct ui *ui)
{
	view_fini(&ui->view);
	past_fini(&ui->past);
	traffic_fini(&ui->frozen);
	traffic_fini(&ui->traffic);
	latest_fini(&ui->latest);
	services_fini(&ui->services);
	free(ui->menu.values);
}

static int64_t monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void ui_say(struct ui *ui, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ui->message, sizeof ui->message, format, arguments);
	va_end(arguments);
	ui->message_s = monotonic_s();
}

void ui_footer_key(struct ui *ui, int code, const char *key, const char *label)
{
	struct spot spot = { SPOT_KEY, code, .x = ui->line.columns, .y = ui->height - 1,
		.end_y = ui->height };

	line_print(&ui->line, STYLE_STRONG, "%s", key);
	line_print(&ui->line, STYLE_LABEL, "%s", label);
	spot.end_x = ui->line.columns;
	spots_add(&ui->spots, &spot);
}

void ui_ask(struct ui *ui, void (*if_yes)(struct ui *ui), const char *question)
{
	ui_say(ui, "%s", question);
	ui->if_yes = if_yes;
}

bool ui_answer(struct ui *ui, int code)
{
	void (*if_yes)(struct ui *) = ui->if_yes;

	ui->if_yes = NULL;
	if (if_yes && (code == 'y' || code == 'Y'))
		if_yes(ui);
	return if_yes != NULL;
}

static void read_host(struct ui *ui)
{
	double load[3];

	if (getloadavg(load, 3) == 3)
		snprintf(ui->load, sizeof ui->load, "load %.2f %.2f %.2f", load[0], load[1], load[2]);
	ui->not_counted = in_use_say("", ui->run->not_counted, ui->run->not_counted_count);
}

/*
 * Quitting cuts the last interval short. Its bytes are added to the totals, but the table that stays behind is
 * the one that was on the screen, not one of a fraction of an interval.
 */
static bool is_cut_short(const struct ui *ui, const struct snapshot *snapshot)
{
	uint64_t asked_ns = ui->interval_ns;

	return snapshot->last && ui->traffic.tick && snapshot->interval_ns < asked_ns - asked_ns / 10;
}

static void keep_container(void *names, const struct row *row)
{
	names_keep(names, row->container);
}

static void keep_containers(struct names *names, const struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->rows.count; i++)
		keep_container(names, &traffic->rows.rows[i]);
	for (int grouping = 0; grouping < GROUPING_COUNT; grouping++) {
		const struct rows *groups = &traffic->gone[grouping].groups;

		for (size_t i = 0; i < groups->count; i++)
			keep_container(names, &groups->rows[i]);
	}
}

/* Of containers that have gone nothing is kept that no row has. */
static void forget_containers(struct ui *ui)
{
	if (!names_are_many(ui->names))
		return;
	keep_containers(ui->names, &ui->traffic);
	keep_containers(ui->names, &ui->frozen);
	packed_traffic_each(&ui->past.base, keep_container, ui->names);
	packed_traffic_each(&ui->past.next, keep_container, ui->names);
	names_keep(ui->names, ui->view.settings.opened_container);
	names_forget(ui->names);
}

int ui_begin_interval(struct ui *ui, const struct snapshot *snapshot)
{
	ui->leaving = snapshot->last;
	if (!ui->if_yes && monotonic_s() - ui->message_s >= MESSAGE_S)
		ui->message[0] = '\0';
	if (snapshot->is_end) {
		ui->ended = ui->replay;
		ui->recorded = ui->traffic.tick;
		play_end_run(&ui->play);
		return 0;
	}
	if (ui->traffic.tick >= ui->read_tick) {
		ui->read_tick = ui->traffic.tick + 1;
		ui->read_pct = snapshot->read_pct;
	}
	if (is_cut_short(ui, snapshot) && ui_freeze(ui, true) < 0)
		return -ENOMEM;
	if (!ui->replay)
		read_host(ui);
	forget_containers(ui);
	uint32_t tick = ui->traffic.tick + 1;

	/* played again: what was told of it is not to be added twice */
	if (tick <= ui->services_tick)
		services_fini(&ui->services);
	ui->services_tick = tick;
	if (names_learn(ui->names, snapshot) < 0 || latest_add(&ui->latest, snapshot, tick) < 0 ||
	    services_add(&ui->services, snapshot) < 0)
		return -ENOMEM;
	if (ui->view.settings.words.word_count && ui->view.context.host_names)
		view_names_changed(&ui->view);
	if (!ui->is_frozen)
		view_changed(&ui->view);
	return 1;
}

int ui_freeze(struct ui *ui, bool freeze)
{
	if (freeze == ui->is_frozen)
		return 0;
	if (freeze) {
		int err = traffic_copy(&ui->frozen, &ui->traffic);

		if (err < 0)
			return err;
	} else {
		traffic_fini(&ui->frozen);
		traffic_init(&ui->frozen);
	}
	ui->is_frozen = freeze;
	view_show(&ui->view, freeze ? &ui->frozen : &ui->traffic);
	return 0;
}

void ui_keep_places(struct traffic *traffic, const struct traffic *from)
{
	for (size_t i = 0; i < traffic->rows.count; i++) {
		struct row *row = &traffic->rows.rows[i];
		size_t index = rows_find(&from->rows, &row->session);

		row->held = index == ROW_NONE ? 0 : from->rows.rows[index].held;
	}
}

int ui_look_back(struct ui *ui, uint32_t tick)
{
	uint32_t first = past_first(&ui->past), last = past_last(&ui->past);
	int err = past_show(&ui->past, tick < first ? first : tick > last ? last : tick, &ui->frozen);

	if (err < 0) {
		traffic_fini(&ui->frozen);
		traffic_init(&ui->frozen);
	} else if (ui->view.held) {
		ui_keep_places(&ui->frozen, &ui->traffic);
	}
	ui->is_frozen = !err;
	view_show(&ui->view, ui->is_frozen ? &ui->frozen : &ui->traffic);
	return err;
}

bool ui_measures(const struct ui *ui, const struct column *column)
{
	/* A recording has all that was told, asked for or not. */
	return ui->replay || !column->needs || ui->run->can_tell_sockets;
}

void ui_list_open(struct ui *ui, bool open)
{
	const struct column *column = ui->view.sort.column;
	bool goes =
	    !open && (column->with_open || column->fits_open) && !column_list_has(&ui->columns, column);

	view_list_open(&ui->view, open);
	if (goes)
		view_set_sort(&ui->view, column_sort_default().column);
}

/* What the help covers for a moment goes on meanwhile. */
static enum ui_mode page_of(const struct ui *ui)
{
	return ui->mode == MODE_HELP ? ui->help_from : ui->mode;
}

const char *ui_lacks_sockets(const struct ui *ui)
{
	const struct traffic *traffic = view_traffic(&ui->view);

	if (ui->sockets_left_out)
		return "sockets are left out: --max-overhead";
	if (!ui->replay)
		return ui->run->can_tell_sockets ? NULL : "this kernel cannot tell of sockets";
	return traffic->tick && !traffic->sockets.follows ? "the recording tells of no sockets here" : NULL;
}

bool ui_search(struct ui *ui, bool forward, bool from_here)
{
	const struct traffic *traffic = view_traffic(&ui->view);
	bool found = view_find(&ui->view, &ui->search, forward, from_here);

	ui->searched_tick = traffic->tick;
	ui->search_waits = !found && ui->search.of_sockets && !ui->is_frozen && !ui->replay &&
	                   !ui_lacks_sockets(ui) && !traffic->sockets.follows && !traffic->sockets.err;
	return found;
}

void ui_search_again(struct ui *ui)
{
	bool types = ui->mode == MODE_SEARCH && ui->search_missed;

	if (!(types || ui->search_waits) || ui->searched_tick == view_traffic(&ui->view)->tick)
		return;
	bool found = ui_search(ui, true, true);

	if (types)
		ui->search_missed = !found;
	else if (!found && !ui->search_waits)
		ui_say(ui, "not found: %s", ui->search_text);
}

/* What was found is kept on the screen by what it is now. */
static bool searches_sockets(const struct ui *ui)
{
	return ui->search.of_sockets && (page_of(ui) == MODE_SEARCH || ui->search_waits || ui->view.found);
}

bool ui_wants_sockets(const struct ui *ui)
{
	if (ui->sockets_left_out)
		return false;
	return ui->view.context.open || (column_list_needs(&ui->columns) & COLUMN_NEEDS_SOCKET) ||
	       (ui->view.sort.column->needs & COLUMN_NEEDS_SOCKET) || ui->view.settings.words.of_sockets ||
	       searches_sockets(ui) || page_of(ui) == MODE_DETAILS || page_of(ui) == MODE_SERVICES;
}

bool ui_wants_connections(const struct ui *ui)
{
	return ui->run->connections || page_of(ui) == MODE_CONNECTIONS || page_of(ui) == MODE_SERVICES;
}

int ui_timeout_ms(struct ui *ui)
{
	return names_pending(ui->names) ? ui->names_poll_ms : -1;
}

bool ui_tick(struct ui *ui)
{
	bool changed = names_changed(ui->names);

	if (names_are_over(ui->names)) {
		ui_say(ui, NAMES_ARE_OVER);
		changed = true;
	}
	ui->names_poll_ms *= 2;
	if (changed || !names_pending(ui->names))
		ui->names_poll_ms = NAMES_POLL_MS_MIN;
	else if (ui->names_poll_ms > NAMES_POLL_MS_MAX)
		ui->names_poll_ms = NAMES_POLL_MS_MAX;
	/* The filter, and the order by user. */
	if (changed)
		view_names_changed(&ui->view);
	return changed;
}
