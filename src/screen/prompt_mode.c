/* SPDX-License-Identifier: Apache-2.0 */
/* Typing a search or a filter into the footer, below the table. */
#include <string.h>

#include "base/escape.h"
#include "output/renderer.h"
#include "screen/keys.h"
#include "screen/mode.h"
#include "screen/table_lines.h"
#include "screen/ui.h"

static void edit(char *text, size_t size, int code)
{
	size_t length = strlen(text);

	if (code == KEY_CODE_BACKSPACE || code == KEY_CODE_DELETE) {
		/* A character with its continuation bytes. */
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
		size_t count = escape_encode_utf8(bytes, (uint32_t)code);

		if (length + count < size) {
			memcpy(text + length, bytes, count);
			length += count;
		}
	}
	text[length] = '\0';
}

/* ---- search ---- */

static void search_open(struct ui *ui)
{
	const struct row *row = view_selected(&ui->view);

	ui->before_search_pinned = ui->view.pinned;
	if (row)
		ui->before_search = row->session;
	ui->typed[0] = '\0';
	ui->search_missed = false;
}

static void search_again(struct ui *ui, bool forward, bool from_here)
{
	memcpy(ui->search_text, ui->typed, sizeof ui->search_text);
	match_set(&ui->search, ui->typed);
	ui->search_missed =
	    ui->search.word_count > 0 && !view_find(&ui->view, &ui->search, forward, from_here);
}

static unsigned search_key(struct ui *ui, int code)
{
	switch (code) {
	case KEY_CODE_ENTER:
		ui->mode = MODE_TABLE;
		break;
	case KEY_CODE_ESCAPE:
		ui->view.selected = ui->before_search;
		ui->view.pinned = ui->before_search_pinned;
		view_changed(&ui->view);
		ui->mode = MODE_TABLE;
		break;
	case KEY_CODE_F3:
	case KEY_CODE_DOWN:
		/* Nothing typed yet: repeats the last search. */
		if (!ui->typed[0])
			memcpy(ui->typed, ui->search_text, sizeof ui->typed);
		search_again(ui, true, false);
		break;
	case KEY_CODE_SHIFT_F3:
	case KEY_CODE_UP:
		search_again(ui, false, false);
		break;
	default:
		edit(ui->typed, sizeof ui->typed, code);
		search_again(ui, true, true);
		break;
	}
	return REACTION_NONE;
}

/* ---- filter ---- */

static void filter_open(struct ui *ui)
{
	memcpy(ui->typed, ui->filter_text, sizeof ui->typed);
}

static unsigned filter_key(struct ui *ui, int code)
{
	struct view *view = &ui->view;

	switch (code) {
	case KEY_CODE_ENTER:
	case KEY_CODE_F4:
		ui->mode = MODE_TABLE;
		return REACTION_NONE;
	case KEY_CODE_ESCAPE:
		ui->typed[0] = '\0';
		ui->mode = MODE_TABLE;
		break;
	case KEY_CODE_UP:
		view_move(view, -1);
		return REACTION_NONE;
	case KEY_CODE_DOWN:
		view_move(view, 1);
		return REACTION_NONE;
	default:
		edit(ui->typed, sizeof ui->typed, code);
		break;
	}
	if (strcmp(ui->typed, ui->filter_text) != 0) {
		memcpy(ui->filter_text, ui->typed, sizeof ui->filter_text);
		view_set_filter(view, ui->typed);
	}
	return REACTION_NONE;
}

/* ---- drawing ---- */

static void prompt_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	table_lines_draw(ui, y, end, NULL, sink);
}

static void draw_prompt(struct ui *ui, const char *label, const char *hint, enum style hint_style)
{
	struct line *line = &ui->line;
	unsigned hint_length = (unsigned)strlen(hint);

	line_print(line, STYLE_STRONG, "%s", label);
	line_untrusted(line, STYLE_PLAIN, ui->typed, strlen(ui->typed), ui->width - line->columns - 1);
	ui->cursor_x = (int)line->columns;
	if (line->columns + 3 + hint_length < ui->width) {
		line_pad(line, STYLE_PLAIN, ui->width - hint_length - 1);
		line_print(line, hint_style, "%s", hint);
	}
}

static void search_footer(struct ui *ui)
{
	if (ui->search_missed)
		draw_prompt(ui, "Search: ", "not found", STYLE_ALERT);
	else
		draw_prompt(ui, "Search: ", "F3 next  Enter stay  Esc back", STYLE_DIM);
}

static void filter_footer(struct ui *ui)
{
	draw_prompt(ui, "Filter: ", "Enter keep  Esc clear", STYLE_DIM);
}

const struct mode search_mode = {
	.open = search_open,
	.key = search_key,
	.draw = prompt_draw,
	.footer = search_footer,
};

const struct mode filter_mode = {
	.open = filter_open,
	.key = filter_key,
	.draw = prompt_draw,
	.footer = filter_footer,
};
