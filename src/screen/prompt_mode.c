/* SPDX-License-Identifier: Apache-2.0 */
/* Typing a search or a filter, and choosing from a menu. */
#include <string.h>

#include "screen/table_mode.h"
#include "table/layout.h"
#include "screen/ui.h"
#include "names/names.h"
#include "output/renderer.h"
#include "screen/screen_options.h"

/* ---- prompt ---- */

static size_t encode_utf8(char *buffer, int code)
{
	unsigned c = (unsigned)code;

	if (c < 0x80) {
		buffer[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		buffer[0] = (char)(0xc0 | c >> 6);
		buffer[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		buffer[0] = (char)(0xe0 | c >> 12);
		buffer[1] = (char)(0x80 | (c >> 6 & 0x3f));
		buffer[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	buffer[0] = (char)(0xf0 | c >> 18);
	buffer[1] = (char)(0x80 | (c >> 12 & 0x3f));
	buffer[2] = (char)(0x80 | (c >> 6 & 0x3f));
	buffer[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static void edit(char *text, size_t size, int code)
{
	size_t length = strlen(text);

	if (code == KEY_CODE_BACKSPACE || code == KEY_CODE_DELETE) {
		/* A whole character: its continuation bytes first. */
		while (length && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
			length--;
		length -= length > 0;
	} else if (code == 'U' - '@') {
		length = 0;
	} else if (code == 'W' - '@') {
		while (length && text[length - 1] == ' ')
			length--;
		while (length && text[length - 1] != ' ')
			length--;
	} else if (code >= ' ' && code < KEY_CODE_FIRST_SPECIAL) {
		char bytes[4];
		size_t count = encode_utf8(bytes, code);

		if (length + count < size) {
			memcpy(text + length, bytes, count);
			length += count;
		}
	}
	text[length] = '\0';
}

static void search_again(struct display *display, bool forward, bool from_here)
{
	memcpy(display->search_text, display->typed, sizeof display->search_text);
	match_set(&display->search, display->typed);
	display->search_missed = display->search.word_count > 0 &&
	                         !view_find(&display->view, &display->search, forward, from_here);
}

static void search_key(struct display *display, int code)
{
	switch (code) {
	case KEY_CODE_ENTER:
		display->mode = MODE_TABLE;
		break;
	case KEY_CODE_ESCAPE:
		display->view.selected = display->before_search;
		display->view.pinned = display->before_search_pinned;
		view_changed(&display->view);
		display->mode = MODE_TABLE;
		break;
	case KEY_CODE_F3:
	case KEY_CODE_DOWN:
		/* As it was the last time, when nothing is typed yet. */
		if (!display->typed[0])
			memcpy(display->typed, display->search_text, sizeof display->typed);
		search_again(display, true, false);
		break;
	case KEY_CODE_SHIFT_F3:
	case KEY_CODE_UP:
		search_again(display, false, false);
		break;
	default:
		edit(display->typed, sizeof display->typed, code);
		search_again(display, true, true);
		break;
	}
}

static void filter_key(struct display *display, int code)
{
	struct view *view = &display->view;

	switch (code) {
	case KEY_CODE_ENTER:
	case KEY_CODE_F4:
		display->mode = MODE_TABLE;
		return;
	case KEY_CODE_ESCAPE:
		display->typed[0] = '\0';
		display->mode = MODE_TABLE;
		break;
	case KEY_CODE_UP:
		view_move(view, -1);
		return;
	case KEY_CODE_DOWN:
		view_move(view, 1);
		return;
	default:
		edit(display->typed, sizeof display->typed, code);
		break;
	}
	if (strcmp(display->typed, display->filter_text) != 0) {
		memcpy(display->filter_text, display->typed, sizeof display->filter_text);
		view_set_filter(view, display->typed);
	}
}

void prompt_key(struct display *display, int code)
{
	if (display->mode == MODE_SEARCH)
		search_key(display, code);
	else
		filter_key(display, code);
}

/* ---- menu ---- */

static void add_item(struct menu *menu, uint32_t value, bool here)
{
	if (menu->count == MENU_ITEMS_MAX)
		return;
	if (here)
		menu->position = menu->count;
	menu->values[menu->count++] = value;
}

static void list_users(struct display *display)
{
	struct menu *menu = &display->menu;
	const struct view *view = &display->view;
	const struct rows *rows = &view_traffic(view)->rows;

	add_item(menu, MENU_EVERYBODY, !view->one_user);
	for (size_t i = 0; i < rows->count; i++) {
		uint32_t uid = rows->rows[i].session.uid;
		unsigned at = 1;

		while (at < menu->count && menu->values[at] < uid)
			at++;
		if (menu->count == MENU_ITEMS_MAX || (at < menu->count && menu->values[at] == uid))
			continue;
		memmove(
		    &menu->values[at + 1], &menu->values[at], (menu->count - at) * sizeof menu->values[0]);
		menu->values[at] = uid;
		menu->count++;
	}
	for (unsigned i = 1; i < menu->count; i++)
		if (view->one_user && menu->values[i] == view->uid)
			menu->position = i;
}

void menu_open(struct display *display, int mode)
{
	struct menu *menu = &display->menu;
	const struct view *view = &display->view;

	*menu = (struct menu){ .count = 0 };
	display->mode = (enum display_mode)mode;
	if (mode == MODE_USER_MENU) {
		list_users(display);
		return;
	}
	for (size_t i = 0; i < column_count; i++)
		if (mode == MODE_COLUMN_MENU || column_table[i].groupings & 1 << view->context.grouping)
			add_item(menu, (uint32_t)i,
			    mode == MODE_SORT_MENU && &column_table[i] == view->sort.column);
}

/* What was not asked for at the start is not in the program that runs. */
static bool say_measured(struct display *display, const struct column *column)
{
	if (display_measures(display, column))
		return true;
	display_say(
	    display, "%s costs time at every event: start with --columns ...,%s", column->title, column->id);
	return false;
}

/* Columns come and go in the table's order, so that one that comes back finds its place. */
static void toggle_column(struct display *display, uint8_t index)
{
	struct column_list *list = &display->columns;
	const struct column *column = &column_table[index];
	unsigned at = 0;

	for (unsigned i = 0; i < list->count; i++) {
		if (list->indices[i] == index) {
			if (list->count == 1) {
				display_say(display, "one column has to stay");
				return;
			}
			memmove(&list->indices[i], &list->indices[i + 1], list->count - i - 1u);
			list->count--;
			return;
		}
	}
	if (!say_measured(display, column))
		return;
	while (at < list->count && list->indices[at] < index)
		at++;
	memmove(&list->indices[at + 1], &list->indices[at], list->count - at);
	list->indices[at] = index;
	list->count++;
}

static void choose(struct display *display, uint32_t value)
{
	struct view *view = &display->view;

	switch (display->mode) {
	case MODE_SORT_MENU:
		if (!say_measured(display, &column_table[value]))
			return;
		view->sort.column = &column_table[value];
		view->sort.descending = column_table[value].descending;
		break;
	case MODE_USER_MENU:
		view->one_user = value != MENU_EVERYBODY;
		view->uid = value;
		break;
	default:
		break;
	}
	view_changed(view);
	display->mode = MODE_TABLE;
}

void menu_key(struct display *display, int code)
{
	struct menu *menu = &display->menu;
	unsigned page = layout_lines(display->width, display->height).table;
	enum key_action action = key_find(code);

	if (display->mode == MODE_COLUMN_MENU && (code == ' ' || code == KEY_CODE_ENTER)) {
		toggle_column(display, (uint8_t)menu->values[menu->position]);
		return;
	}
	switch (action) {
	case ACT_UP:
		menu->position -= menu->position > 0;
		break;
	case ACT_DOWN:
		menu->position += menu->position + 1 < menu->count;
		break;
	case ACT_PAGE_UP:
		menu->position = menu->position > page ? menu->position - page : 0;
		break;
	case ACT_PAGE_DOWN:
		menu->position =
		    menu->position + page < menu->count ? menu->position + page : menu->count - 1;
		break;
	case ACT_TOP:
		menu->position = 0;
		break;
	case ACT_END:
		menu->position = menu->count - 1;
		break;
	case ACT_ENTER:
		choose(display, menu->values[menu->position]);
		break;
	case ACT_BACK:
	case ACT_CLOSE:
	case ACT_LEAVE:
	case ACT_COLUMNS:
	case ACT_SORT_MENU:
		display->mode = MODE_TABLE;
		break;
	default:
		break;
	}
}
