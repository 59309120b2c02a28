/* SPDX-License-Identifier: Apache-2.0 */
/* The table's mode: to add a key, add its function and its row in key_table. */
#include "screen/table_mode.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "output/renderer.h"
#include "screen/keys.h"
#include "screen/mode.h"
#include "screen/playback.h"
#include "screen/save.h"
#include "screen/table_lines.h"
#include "table/layout.h"

#define FOOTER_KEYS_MAX 16

/* ---- order ---- */

static unsigned sort_by(struct ui *ui, const char *id)
{
	view_set_sort(&ui->view, column_find(id));
	return REACTION_NONE;
}

static unsigned sort_by_rx(struct ui *ui)
{
	return sort_by(ui, "rx");
}

static unsigned sort_by_tx(struct ui *ui)
{
	return sort_by(ui, "tx");
}

/* Steps through the columns on the screen and RX+TX, which is the default order. */
static unsigned sort_step(struct ui *ui, int step)
{
	struct layout layout;
	const struct column *columns[COLUMNS_MAX + 1];
	const struct column *rate = column_find("rate");
	int count = 0, at = 0;
	bool has_rate = false;

	layout_fit(&layout, &ui->columns, &ui->view.context, ui->width);
	for (unsigned i = 0; i < layout.count; i++) {
		has_rate |= layout.columns[i].column == rate;
		columns[count++] = layout.columns[i].column;
		/* Where it would stand if it were shown. */
		if (layout.columns[i].column == column_find("tx") && !column_list_has(&ui->columns, rate)) {
			columns[count++] = rate;
			has_rate = true;
		}
	}
	if (!has_rate)
		columns[count++] = rate;
	for (int i = 0; i < count; i++)
		if (columns[i] == ui->view.sort.column)
			at = i;
	view_set_sort(&ui->view, columns[(at + step + count) % count]);
	return REACTION_NONE;
}

static unsigned sort_previous(struct ui *ui)
{
	return sort_step(ui, -1);
}

static unsigned sort_next(struct ui *ui)
{
	return sort_step(ui, 1);
}

static unsigned reverse(struct ui *ui)
{
	view_reverse(&ui->view);
	return REACTION_NONE;
}

static unsigned hold(struct ui *ui)
{
	if (playback_is_held(ui))
		ui_say(ui, "nothing moves: the order need not be held");
	else if (view_hold(&ui->view, !ui->view.held) < 0)
		ui_say(ui, "not enough memory to hold the order");
	return REACTION_NONE;
}

/* ---- rows and groups ---- */

static unsigned enter(struct ui *ui)
{
	struct view *view = &ui->view;

	if (!view_selected(view))
		return REACTION_NONE;
	/* From now on the page shows this row, wherever it moves. */
	if (!view->pinned) {
		view->selected = view_selected(view)->session;
		view->pinned = true;
	}
	view_keep_selected(view, true);
	ui->details_from = MODE_TABLE;
	ui->mode = MODE_DETAILS;
	return REACTION_NONE;
}

/* A group's connections; a connection has details only. */
static unsigned open_group(struct ui *ui)
{
	if (ui->view.context.grouping == GROUPING_NONE)
		return enter(ui);
	view_open_group(&ui->view);
	return REACTION_NONE;
}

/* Undoes one thing: the open group, the filter, user and family, following. */
static unsigned back(struct ui *ui)
{
	struct view *view = &ui->view;
	struct list_settings *settings = &view->settings;

	if (playback_is_past(ui)) {
		ui_freeze(ui, false);
	} else if (settings->opened) {
		view_close_group(view);
	} else if (settings->words.word_count) {
		ui->filter_text[0] = '\0';
		view_set_filter(view, "");
	} else if (settings->one_user || settings->family) {
		settings->one_user = false;
		settings->family = 0;
		view_changed(view);
	} else if (view->follow) {
		view_set_follow(view, false);
	}
	return REACTION_NONE;
}

static unsigned close_group(struct ui *ui)
{
	if (ui->view.settings.opened)
		view_close_group(&ui->view);
	return REACTION_NONE;
}

static unsigned group_step(struct ui *ui, int step)
{
	int next = ((int)ui->view.settings.grouping + step + GROUPING_COUNT) % GROUPING_COUNT;

	view_set_grouping(&ui->view, (enum grouping)next);
	return REACTION_NONE;
}

static unsigned group_next(struct ui *ui)
{
	return group_step(ui, 1);
}

static unsigned group_previous(struct ui *ui)
{
	return group_step(ui, -1);
}

static unsigned follow(struct ui *ui)
{
	struct view *view = &ui->view;

	if (view->context.grouping != GROUPING_NONE)
		ui_say(ui, "only a connection can be followed: Enter opens the group");
	else if (view->list.count)
		view_set_follow(view, !view->follow);
	return REACTION_NONE;
}

static unsigned list_all(struct ui *ui)
{
	view_list_all(&ui->view, !ui->view.context.all);
	ui_say(ui, ui->view.context.all ? "all connections, also idle and closed"
	                                : "connections with traffic lately");
	return REACTION_NONE;
}

static unsigned list_open(struct ui *ui)
{
	bool open = !ui->view.context.open;

	if (open && !ui->replay && !ui->run->can_tell_sockets) {
		ui_say(ui, "this kernel cannot tell of sockets that move nothing");
		return REACTION_NONE;
	}
	ui_list_open(ui, open);
	ui_say(ui, open ? "all open sockets, what each waits for" : "connections with traffic lately");
	return REACTION_NONE;
}

/* ---- filters ---- */

static unsigned search_next(struct ui *ui)
{
	if (!ui->search.word_count)
		ui->mode = MODE_SEARCH;
	else if (!ui_search(ui, true, false))
		ui_say(ui, "not found%s: %s", ui->search_waits ? " yet" : "", ui->search_text);
	return REACTION_NONE;
}

static unsigned toggle_family(struct ui *ui, uint8_t family)
{
	struct list_settings *settings = &ui->view.settings;
	int limited = ui->run->family;

	if (limited && limited != family) {
		ui_say(ui, "only IPv%d is traced: it was started with -%d", limited, limited);
		return REACTION_NONE;
	}
	settings->family = settings->family == family ? 0 : family;
	view_changed(&ui->view);
	return REACTION_NONE;
}

static unsigned toggle_ipv4(struct ui *ui)
{
	return toggle_family(ui, 4);
}

static unsigned toggle_ipv6(struct ui *ui)
{
	return toggle_family(ui, 6);
}

/* ---- data ---- */

/* Off, ports, ports and hosts. */
static unsigned change_names(struct ui *ui)
{
	struct column_context *context = &ui->view.context;

	if (!context->port_names) {
		context->port_names = true;
	} else if (!context->host_names && !ui->replay) {
		context->host_names = true;
	} else {
		context->port_names = context->host_names = false;
	}
	ui_say(ui, "names: %s",
	    context->host_names   ? "ports and hosts, as their names arrive"
	    : context->port_names ? "ports"
	                          : "off");
	context->address_columns = 0;
	view_names_changed(&ui->view);
	return REACTION_NONE;
}

static unsigned change_units(struct ui *ui)
{
	struct column_context *context = &ui->view.context;

	context->unit = (context->unit + 1) % UNIT_COUNT;
	ui_say(ui, "units: %s", unit_name(context->unit));
	return REACTION_NONE;
}

static unsigned change_amount(struct ui *ui)
{
	static const char *const names[AMOUNT_COUNT] = {
		[AMOUNT_RATE] = "per second",
		[AMOUNT_INTERVAL] = "in the interval",
		[AMOUNT_TOTAL] = "since the start",
	};
	struct column_context *context = &ui->view.context;

	context->amount = (context->amount + 1) % AMOUNT_COUNT;
	ui_say(ui, "RX and TX: %s", names[context->amount]);
	view_changed(&ui->view);
	return REACTION_NONE;
}

static void reset_totals(struct ui *ui)
{
	int64_t now_s = ui->replay ? ui->traffic.time.tv_sec : time(NULL);
	const struct session *kept = view_kept(&ui->view);

	if (traffic_reset(&ui->traffic, now_s, kept) < 0 ||
	    (ui->is_frozen && traffic_reset(&ui->frozen, now_s, kept) < 0))
		ui_say(ui, "totals start from zero; not enough memory to drop the idle connections");
	else
		ui_say(ui, "totals start from zero");
	if (past_begin(&ui->past, &ui->traffic) < 0)
		ui_say(ui, "totals start from zero; not enough memory to step back");
	view_changed(&ui->view);
}

static unsigned reset(struct ui *ui)
{
	ui_ask(ui, reset_totals, "Reset all totals? y yes, other keys no");
	return REACTION_NONE;
}

/* ---- the screen ---- */

static unsigned redraw(struct ui *ui)
{
	(void)ui;
	return REACTION_REDRAW;
}

/* While it is reported it does not select text, unless Shift is held in most terminals. */
static unsigned toggle_mouse(struct ui *ui)
{
	ui->mouse = !ui->mouse;
	ui_say(ui, ui->mouse ? "mouse on; Shift and mouse select text" : "mouse off");
	return REACTION_NONE;
}

static unsigned quit(struct ui *ui)
{
	if (playback_is_past(ui)) {
		ui_freeze(ui, false);
		return REACTION_NONE;
	}
	return REACTION_QUIT;
}

/* ---- the table ---- */

/* As the help lists them, those of each day first: 24 are above the fold of 80x24. */
/* clang-format off */
const struct key key_table[] = {
	{ NULL, { KEY_CODE_UP, 'k' }, "Up k", "select the one above", .motion = MOTION_UP },
	{ NULL, { KEY_CODE_DOWN, 'j' }, "Down j", "select the one below", .motion = MOTION_DOWN },
	{ NULL, { KEY_CODE_PAGE_UP, 'B' - '@' }, "PgUp", "a page up", .motion = MOTION_PAGE_UP },
	{ NULL, { KEY_CODE_PAGE_DOWN, 'F' - '@' }, "PgDn", "a page down", .motion = MOTION_PAGE_DOWN },
	{ NULL, { KEY_CODE_HOME }, "Home", "the top, and stay there", .motion = MOTION_HOME },
	{ NULL, { KEY_CODE_END, 'G' }, "End G", "the end of the list", .motion = MOTION_END },
	{ enter, { KEY_CODE_ENTER }, "Enter", "details of the line", .closes_page = true,
	  .chooses = true, .footer = { "Enter", "Details", 6, 6 } },
	{ back, { KEY_CODE_ESCAPE }, "Esc", "back, clear the filter", .closes_page = true, .closes_menu = true },
	{ NULL, { '/', KEY_CODE_F3 }, "/ F3", "search, F3 again: next", .opens = MODE_SEARCH,
	  .footer = { "F3", "Search", 2, 5 } },
	{ NULL, { '\\', KEY_CODE_F4 }, "\\ F4", "filter: ssh port:22 !local",
	  .opens = MODE_FILTER, .footer = { "F4", "Filter", 3, 2 } },
	{ group_next, { 'g', KEY_CODE_TAB }, "g Tab", "group by process, host, ...",
	  .footer = { "Tab", "Group", 5, 3 } },
	{ NULL, { KEY_CODE_F6 }, "F6", "choose the sort column", .opens = MODE_SORT_MENU, .closes_menu = true,
	  .footer = { "F6", "Sort", 4, 4 } },
	{ list_all, { 'a' }, "a", "all: also idle and closed", .footer = { "a", "All", 14, 14 } },
	{ list_open, { 's' }, "s", "sockets: all open, and why", .footer = { "s", "Sockets", 11, 11 } },
	{ NULL, { 'd' }, "d", "what came, went, grew: 1 min", .opens = MODE_MINUTE, .closes_page = true,
	  .footer = { "d", "Minute", 10, 10 } },
	{ NULL, { 'e' }, "e", "ended: who connected, why", .opens = MODE_CONNECTIONS, .closes_page = true, .footer = { "e", "Ended", 12, 12 } },
	{ NULL, { 'v' }, "v", "services: by listening port", .opens = MODE_SERVICES, .closes_page = true, .footer = { "v", "Services", 13, 13 } },
	{ NULL, { 'l' }, "l", "links: is it TCP at all", .opens = MODE_LINKS, .closes_page = true },
	{ NULL, { 'u' }, "u", "one user's connections", .opens = MODE_USER_MENU },
	{ change_amount, { 'c' }, "c", "per second, interval, start", .on_pages = false },
	{ playback_pause, { 'Z', 'p', ' ' }, "Z p Space", "freeze, go on", .on_pages = true,
	  .footer = { "Z", "Freeze", 7, 7 } },
	{ playback_back, { '[' }, "[ ] { }", "back and on by 1, by 10", .on_pages = true,
	  .footer = { "[", "Past", 9, 9 } },
	{ playback_on, { ']' }, .on_pages = true },
	{ playback_leap_back, { '{' }, .on_pages = true },
	{ playback_leap_on, { '}' }, .on_pages = true },
	{ NULL, { 'C', KEY_CODE_F2 }, "C F2", "choose the columns", .opens = MODE_COLUMN_MENU,
	  .closes_menu = true, .footer = { "F2", "Columns", 1, 8 } },
	{ follow, { 'F' }, "F", "follow the connection", .on_pages = false },
	{ change_names, { 'n' }, "n", "names of ports and hosts", .on_pages = true },
	{ change_units, { 'm' }, "m", "units: KB, bytes, bits", .on_pages = true },
	{ save_files, { 'w' }, "w", "write text and recording", .on_pages = false },
	{ save_copy_address, { 'y' }, "y Y", "copy the address, the line", .on_pages = false },
	{ save_copy_row, { 'Y' }, .on_pages = false },
	{ hold, { 'o' }, "o", "hold the order, let it go", .on_pages = false },
	{ quit, { 'q', KEY_CODE_F10, 'Q' }, "q F10", "quit", .closes_page = true, .closes_menu = true,
	  .footer = { "F10", "Quit", 8, 1 } },
	{ playback_first, { '^' }, "^ $ t", "to the start, end, a time", .on_pages = true },
	{ playback_last, { '$' }, .on_pages = true },
	{ NULL, { 't' }, .opens = MODE_TIME },
	{ open_group, { KEY_CODE_RIGHT }, "Right", "list a group's connections", .closes_page = true,
	  .chooses = true },
	{ close_group, { KEY_CODE_LEFT, KEY_CODE_BACKSPACE }, "Left", "leave the group", .closes_page = true,
	  .closes_menu = true },
	{ search_next, { 'N' }, "N", "find the next match", .on_pages = false },
	{ sort_previous, { '<', ',' }, "<", "sort by previous column", .on_pages = false },
	{ sort_next, { '>', '.' }, ">", "sort by the next column", .on_pages = false },
	{ sort_by_rx, { 'R' }, "R", "sort by RX", .on_pages = false },
	{ sort_by_tx, { 'T' }, "T", "sort by TX", .on_pages = false },
	{ reverse, { 'I' }, "I", "reverse the order", .on_pages = false },
	{ group_previous, { KEY_CODE_BACK_TAB }, "S-Tab", "previous grouping", .on_pages = false },
	{ toggle_ipv4, { '4' }, "4", "IPv4 only, and back", .on_pages = false },
	{ toggle_ipv6, { '6' }, "6", "IPv6 only, and back", .on_pages = false },
	{ playback_longer, { '+', '=' }, "+", "longer interval; faster", .on_pages = true },
	{ playback_shorter, { '-' }, "-", "shorter interval; slower", .on_pages = true },
	{ save_settings, { 'W' }, "W", "keep columns, units, order", .on_pages = false },
	{ reset, { 'r' }, "r", "reset the totals (asks)", .on_pages = true },
	{ toggle_mouse, { 'M' }, "M", "mouse on, off", .on_pages = true },
	{ redraw, { 'L' - '@' }, "Ctrl-L", "redraw the screen", .on_pages = true },
	{ NULL, { '?', 'h', KEY_CODE_F1 }, "? h F1", "this help", .opens = MODE_HELP, .closes_page = true,
	  .footer = { "F1", "Help", 0, 0 } },
};
/* clang-format on */

const size_t key_count = sizeof key_table / sizeof key_table[0];

const struct key *key_find(int code)
{
	if (code == KEY_CODE_NONE)
		return NULL;
	for (size_t i = 0; i < key_count; i++)
		for (size_t j = 0; j < KEY_CODES_MAX; j++)
			if (key_table[i].codes[j] == code)
				return &key_table[i];
	return NULL;
}

static void move(struct ui *ui, enum motion motion)
{
	struct view *view = &ui->view;
	unsigned rows = table_lines_rows(ui);
	long page = rows ? (long)rows : 1;
	const long steps[MOTION_END + 1] = {
		[MOTION_UP] = -1,
		[MOTION_DOWN] = 1,
		[MOTION_PAGE_UP] = -page,
		[MOTION_PAGE_DOWN] = page,
	};

	if (motion == MOTION_HOME)
		view_home(view);
	else if (motion == MOTION_END)
		view_end(view);
	else if (steps[motion])
		view_move(view, steps[motion]);
}

static unsigned table_key(struct ui *ui, int code)
{
	const struct key *key = key_find(code);

	ui->search_waits = false;
	if (!key)
		return REACTION_NONE;
	if (code == KEY_CODE_END && playback_is_past(ui))
		return playback_last(ui);
	if (key->run)
		return key->run(ui);
	if (key->opens)
		ui->mode = key->opens;
	else
		move(ui, key->motion);
	return REACTION_NONE;
}

/* ---- footer ---- */

/* The keys with the lowest priorities are dropped until the rest fits: the highest one that stays. */
static int footer_limit(unsigned width)
{
	int limit = 100;
	size_t columns;

	do {
		columns = 0;
		limit--;
		for (size_t i = 0; i < key_count; i++)
			if (key_table[i].footer.key && key_table[i].footer.priority <= limit)
				columns +=
				    strlen(key_table[i].footer.key) + strlen(key_table[i].footer.label) + 1;
	} while (columns > width && limit > 0);
	return limit;
}

static void table_footer(struct ui *ui)
{
	struct line *line = &ui->line;
	int limit = footer_limit(ui->width);

	for (int order = 0; order < FOOTER_KEYS_MAX; order++) {
		for (size_t i = 0; i < key_count; i++) {
			const struct key *key = &key_table[i];

			if (!key->footer.key || key->footer.order != order || key->footer.priority > limit)
				continue;
			char label[24];

			snprintf(label, sizeof label, "%s ",
			    key->run == playback_pause && playback_is_held(ui) ? "Go on "
			                                                       : key->footer.label);
			ui_footer_key(ui, key->codes[0], key->footer.key, label);
		}
	}
	line_pad(line, STYLE_LABEL, ui->width);
}

static void table_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	table_lines_draw(ui, y, end, NULL, sink);
}

const struct mode table_mode = { .key = table_key, .draw = table_draw, .footer = table_footer };
