/* SPDX-License-Identifier: Apache-2.0 */
/* The menus beside the table: the sort column, the user whose rows are shown, the columns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "names/names.h"
#include "output/renderer.h"
#include "screen/edit.h"
#include "screen/keys.h"
#include "screen/mode.h"
#include "screen/table_lines.h"
#include "screen/table_mode.h"
#include "screen/ui.h"
#include "table/layout.h"

#define EVERYBODY 0xfffffffeu /* the value of the user menu's first line */
#define WIDE 140              /* from this screen width on menus describe the columns */

/* ---- items ---- */

static void begin_items(struct menu *menu)
{
	menu->count = menu->position = menu->top = 0;
}

/* Without memory there are fewer. */
static void add_item(struct menu *menu, uint32_t value, bool here)
{
	if (menu->count == menu->capacity) {
		size_t capacity = menu->capacity ? menu->capacity * 2 : 64;
		uint32_t *values = reallocarray(menu->values, capacity, sizeof *values);

		if (!values)
			return;
		menu->values = values;
		menu->capacity = capacity;
	}
	if (here)
		menu->position = menu->count;
	menu->values[menu->count++] = value;
}

static void sort_open(struct ui *ui)
{
	const struct view *view = &ui->view;

	begin_items(&ui->menu);
	for (size_t i = 0; i < column_count; i++)
		if (column_table[i].groupings & 1 << view->context.grouping)
			add_item(&ui->menu, (uint32_t)i, &column_table[i] == view->sort.column);
}

static void column_open(struct ui *ui)
{
	begin_items(&ui->menu);
	for (size_t i = 0; i < column_count; i++)
		add_item(&ui->menu, (uint32_t)i, false);
}

static int compare_uids(const void *a, const void *b)
{
	return COMPARE(*(const uint32_t *)a, *(const uint32_t *)b);
}

/* Everybody, then the users of all rows, ascending. */
static void user_open(struct ui *ui)
{
	struct menu *menu = &ui->menu;
	const struct list_settings *settings = &ui->view.settings;
	const struct rows *rows = &view_traffic(&ui->view)->rows;
	unsigned kept = 1;

	ui->typed[0] = '\0';
	begin_items(menu);
	add_item(menu, EVERYBODY, true);
	for (size_t i = 0; i < rows->count; i++)
		/* Mostly a row has the user of the one before. */
		if (!i || rows->rows[i].session.uid != rows->rows[i - 1].session.uid)
			add_item(menu, rows->rows[i].session.uid, false);
	if (menu->count < 2)
		return;
	qsort(menu->values + 1, menu->count - 1, sizeof *menu->values, compare_uids);
	for (unsigned i = 1; i < menu->count; i++)
		if (i == 1 || menu->values[i] != menu->values[kept - 1])
			menu->values[kept++] = menu->values[i];
	menu->count = kept;
	for (unsigned i = 1; i < menu->count; i++)
		if (settings->one_user && menu->values[i] == settings->uid)
			menu->position = i;
}

/* ---- keys ---- */

/* Tells when this kernel cannot tell what a column shows. */
static bool say_measured(struct ui *ui, const struct column *column)
{
	if (ui_measures(ui, column))
		return true;
	ui_say(ui, "this kernel cannot tell %s of sockets", column->title);
	return false;
}

/* A column that is added gets its place by the table's order. */
static void toggle_column(struct ui *ui, uint8_t index)
{
	struct column_list *list = &ui->columns;
	unsigned at = 0;

	for (unsigned i = 0; i < list->count; i++) {
		if (list->indices[i] == index) {
			if (list->count == 1) {
				ui_say(ui, "one column has to stay");
				return;
			}
			memmove(&list->indices[i], &list->indices[i + 1], list->count - i - 1u);
			list->count--;
			return;
		}
	}
	if (!say_measured(ui, &column_table[index]))
		return;
	while (at < list->count && list->indices[at] < index)
		at++;
	memmove(&list->indices[at + 1], &list->indices[at], list->count - at);
	list->indices[at] = index;
	list->count++;
}

static void move(struct menu *menu, enum motion motion, unsigned page)
{
	switch (motion) {
	case MOTION_UP:
		menu->position -= menu->position > 0;
		break;
	case MOTION_DOWN:
		menu->position += menu->position + 1 < menu->count;
		break;
	case MOTION_PAGE_UP:
		menu->position = menu->position > page ? menu->position - page : 0;
		break;
	case MOTION_PAGE_DOWN:
		menu->position =
		    menu->position + page < menu->count ? menu->position + page : menu->count - 1;
		break;
	case MOTION_HOME:
		menu->position = 0;
		break;
	case MOTION_END:
		menu->position = menu->count - 1;
		break;
	case MOTION_NONE:
		break;
	}
}

/* Moves within the menu or closes it. True: the selected line is to be taken. */
static bool menu_key(struct ui *ui, int code)
{
	const struct key *key = key_find(code);

	if (!key)
		return false;
	if (key->closes_menu)
		ui->mode = MODE_TABLE;
	move(&ui->menu, key->motion, layout_lines(ui->width, ui->height).table);
	return key->chooses;
}

static unsigned sort_key(struct ui *ui, int code)
{
	if (menu_key(ui, code)) {
		const struct column *column = &column_table[ui->menu.values[ui->menu.position]];

		if (say_measured(ui, column)) {
			view_set_sort(&ui->view, column);
			ui->mode = MODE_TABLE;
		}
	}
	return REACTION_NONE;
}

static const char *user_text(struct ui *ui, unsigned index, char *buffer, size_t size)
{
	if (ui->menu.values[index] != EVERYBODY)
		return names_user(ui->names, ui->menu.values[index], buffer, size);
	snprintf(buffer, size, "all users");
	return buffer;
}

/* To the first user whose name begins with what is typed, else has it somewhere. False: there is none. */
static bool find_user(struct ui *ui)
{
	struct menu *menu = &ui->menu;
	unsigned inside = menu->count;
	char user[40];

	for (unsigned i = 0; i < menu->count; i++) {
		const char *found = strcasestr(user_text(ui, i, user, sizeof user), ui->typed);

		if (found == user) {
			menu->position = i;
			return true;
		}
		if (found && inside == menu->count)
			inside = i;
	}
	if (inside < menu->count)
		menu->position = inside;
	return inside < menu->count;
}

static void user_paste(struct ui *ui, const char *line)
{
	edit_paste(ui->typed, sizeof ui->typed, line);
	ui->search_missed = !find_user(ui);
}

static void choose_user(struct ui *ui)
{
	struct list_settings *settings = &ui->view.settings;

	settings->uid = ui->menu.values[ui->menu.position];
	settings->one_user = settings->uid != EVERYBODY;
	view_changed(&ui->view);
	ui->mode = MODE_TABLE;
}

/* Letters are a name here, not the keys that they are elsewhere. */
static unsigned user_key(struct ui *ui, int code)
{
	bool is_text =
	    (code >= ' ' && code < KEY_CODE_FIRST_SPECIAL) || code == 'U' - '@' || code == 'W' - '@';

	if (code == KEY_CODE_ESCAPE && ui->typed[0]) {
		ui->typed[0] = '\0';
	} else if (is_text && (code != KEY_CODE_BACKSPACE || ui->typed[0])) {
		edit_key(ui->typed, sizeof ui->typed, code);
		ui->search_missed = !find_user(ui);
	} else if (menu_key(ui, code)) {
		choose_user(ui);
	}
	return REACTION_NONE;
}

static unsigned column_key(struct ui *ui, int code)
{
	if (code == ' ' || code == KEY_CODE_ENTER)
		toggle_column(ui, (uint8_t)ui->menu.values[ui->menu.position]);
	else if (menu_key(ui, code))
		ui->mode = MODE_TABLE;
	return REACTION_NONE;
}

/* ---- drawing ---- */

static enum style item_style(const struct ui *ui, unsigned index)
{
	return index == ui->menu.position ? STYLE_SELECTED : STYLE_PLAIN;
}

/* Title and lines end with a blank, which is a part of their width. */
static void draw_title(struct ui *ui, const char *title, unsigned width)
{
	line_print(&ui->line, STYLE_HEAD_SORTED, "%s", title);
	line_pad(&ui->line, STYLE_HEAD_SORTED, width - 1);
	line_pad(&ui->line, STYLE_HEAD, width);
}

static void end_line(struct ui *ui, unsigned index, unsigned width)
{
	line_pad(&ui->line, item_style(ui, index), width - 1);
	line_pad(&ui->line, STYLE_PLAIN, width);
}

static void draw_column(struct ui *ui, unsigned index, bool marked)
{
	const struct column *column = &column_table[ui->menu.values[index]];
	bool measured = ui_measures(ui, column);
	enum style style = item_style(ui, index);

	if (style == STYLE_PLAIN && !measured)
		style = STYLE_DIM;
	if (marked)
		line_print(&ui->line, style, "[%c] ",
		    column_list_has(&ui->columns, column) ? 'x'
		    : measured                            ? ' '
		                                          : '-');
	line_print(&ui->line, style, "%-9s", column->title ? column->title : column->direction);
	if (ui->width >= WIDE)
		line_print(&ui->line, style, "  %s", column->description);
}

static void sort_title(struct ui *ui, unsigned width)
{
	draw_title(ui, "Sort by", width);
}

static void sort_line(struct ui *ui, unsigned index, unsigned width)
{
	index += ui->menu.top;
	if (index < ui->menu.count)
		draw_column(ui, index, false);
	end_line(ui, index, width);
}

static void column_title_line(struct ui *ui, unsigned width)
{
	draw_title(ui, "Columns (Space)", width);
}

static void column_line(struct ui *ui, unsigned index, unsigned width)
{
	index += ui->menu.top;
	if (index < ui->menu.count)
		draw_column(ui, index, true);
	end_line(ui, index, width);
}

static void user_title(struct ui *ui, unsigned width)
{
	draw_title(ui, "Show", width);
}

static void user_line(struct ui *ui, unsigned index, unsigned width)
{
	char user[40];

	index += ui->menu.top;
	if (index < ui->menu.count) {
		user_text(ui, index, user, sizeof user);
		line_untrusted(&ui->line, item_style(ui, index), user, strlen(user), width - 1);
	}
	end_line(ui, index, width);
}

static void draw_beside(
    struct ui *ui, unsigned y, unsigned end, const struct table_side *side, const struct line_sink *sink)
{
	struct menu *menu = &ui->menu;
	unsigned height = layout_lines(ui->width, ui->height).table;

	if (menu->position < menu->top)
		menu->top = menu->position;
	if (height && menu->position >= menu->top + height)
		menu->top = menu->position - height + 1;
	table_lines_draw(ui, y, end, side, sink);
}

static unsigned column_menu_width(const struct ui *ui)
{
	return ui->width >= WIDE ? 67 : 19;
}

static void sort_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	const struct table_side side = { column_menu_width(ui), sort_title, sort_line };

	draw_beside(ui, y, end, &side, sink);
}

static void column_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	const struct table_side side = { column_menu_width(ui), column_title_line, column_line };

	draw_beside(ui, y, end, &side, sink);
}

static void user_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	static const struct table_side side = { 27, user_title, user_line };

	draw_beside(ui, y, end, &side, sink);
}

/* ---- footer ---- */

/* Whether a column that is on will be visible when the menu is closed. */
static bool has_room(const struct ui *ui, const struct column *column)
{
	struct layout layout;

	if (!column_list_has(&ui->columns, column) || !(column->groupings & 1 << ui->view.context.grouping))
		return true;
	layout_fit(&layout, &ui->columns, &ui->view.context, ui->width);
	for (unsigned i = 0; i < layout.count; i++)
		if (layout.columns[i].column == column)
			return true;
	return false;
}

/* Without their labels where what follows them needs the room. */
static void footer_keys(struct ui *ui, int code, const char *key, const char *label, size_t needs)
{
	size_t labelled = strlen(key) + strlen(label) + strlen("EscBack ") + 1;
	bool narrow = labelled + needs > ui->width;

	if (narrow && strlen(key) + strlen(" Esc ") + needs > ui->width)
		return;
	ui_footer_key(ui, code, key, narrow ? " " : label);
	ui_footer_key(ui, KEY_CODE_ESCAPE, "Esc", narrow ? "" : "Back ");
}

/* Keys, what the selected column means, and why it cannot be shown. */
static void footer_column(struct ui *ui, int code, const char *key, const char *label, bool fits)
{
	const struct column *column = &column_table[ui->menu.values[ui->menu.position]];
	bool no_room = fits && !has_room(ui, column);
	const char *why = !ui_measures(ui, column) ? "this kernel cannot tell it" : no_room ? "no room" : "";
	char text[128];

	snprintf(text, sizeof text, "%s%s%s", why, *why ? "; " : "", column->description);
	footer_keys(ui, code, key, label, strlen(text));
	line_print(&ui->line, STYLE_LABEL, " %s", text);
	line_pad(&ui->line, STYLE_LABEL, ui->width);
}

static void sort_footer(struct ui *ui)
{
	footer_column(ui, KEY_CODE_ENTER, "Enter", "Choose ", false);
}

static void column_footer(struct ui *ui)
{
	footer_column(ui, ' ', "Space", "On/off ", true);
}

static void user_footer(struct ui *ui)
{
	struct line *line = &ui->line;

	footer_keys(ui, KEY_CODE_ENTER, "Enter", "Choose ", strlen(" typing finds one"));
	if (!ui->typed[0]) {
		line_print(line, STYLE_LABEL, " typing finds one");
	} else {
		line_print(line, STYLE_LABEL, ui->search_missed ? " not found: " : " find: ");
		line_untrusted(line, STYLE_LABEL, ui->typed, strlen(ui->typed),
		    line->columns < ui->width ? ui->width - line->columns : 0);
		ui->cursor_x = (int)line->columns;
	}
	line_pad(line, STYLE_LABEL, ui->width);
}

const struct mode sort_menu_mode = {
	.open = sort_open,
	.key = sort_key,
	.draw = sort_draw,
	.footer = sort_footer,
};

const struct mode user_menu_mode = {
	.open = user_open,
	.key = user_key,
	.paste = user_paste,
	.draw = user_draw,
	.footer = user_footer,
};

const struct mode column_menu_mode = {
	.open = column_open,
	.key = column_key,
	.draw = column_draw,
	.footer = column_footer,
};
