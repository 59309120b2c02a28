/* SPDX-License-Identifier: Apache-2.0 */
/* Typing a search or a filter into the footer, below the table. */
#include <string.h>

#include "base/escape.h"
#include "output/renderer.h"
#include "screen/edit.h"
#include "screen/keys.h"
#include "screen/mode.h"
#include "screen/playback.h"
#include "screen/table_lines.h"
#include "screen/ui.h"

#define HINT_SIZE 80

/* What is wrong with a word of what was typed, for the terminal. False: nothing is. */
static bool say_fault(const struct match *match, char *buffer, size_t size)
{
	char said[MATCH_SAID_SIZE];

	if (!match_say_fault(match, said, sizeof said))
		return false;
	escape_text(buffer, size, said, strlen(said), size - 1, false);
	return true;
}

/* ---- search ---- */

static void search_open(struct ui *ui)
{
	ui->before_search = view_cursor(&ui->view);
	ui->typed[0] = '\0';
	ui->search_missed = ui->search_waits = false;
}

static void search_again(struct ui *ui, bool forward, bool from_here)
{
	memcpy(ui->search_text, ui->typed, sizeof ui->search_text);
	match_set(&ui->search, ui->typed);
	ui->search_missed = ui->search.word_count > 0 && !ui_search(ui, forward, from_here);
}

static unsigned search_key(struct ui *ui, int code)
{
	switch (code) {
	case KEY_CODE_ENTER:
		ui->mode = MODE_TABLE;
		break;
	case KEY_CODE_ESCAPE:
		view_set_cursor(&ui->view, &ui->before_search);
		ui->search_waits = false;
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
		edit_key(ui->typed, sizeof ui->typed, code);
		search_again(ui, true, true);
		break;
	}
	return REACTION_NONE;
}

static void search_paste(struct ui *ui, const char *line)
{
	edit_paste(ui->typed, sizeof ui->typed, line);
	search_again(ui, true, true);
}

/* ---- filter ---- */

static void filter_open(struct ui *ui)
{
	memcpy(ui->typed, ui->filter_text, sizeof ui->typed);
}

static void apply_filter(struct ui *ui)
{
	if (strcmp(ui->typed, ui->filter_text) == 0)
		return;
	memcpy(ui->filter_text, ui->typed, sizeof ui->filter_text);
	view_set_filter(&ui->view, ui->typed);
}

static unsigned filter_key(struct ui *ui, int code)
{
	struct view *view = &ui->view;
	char fault[HINT_SIZE];

	switch (code) {
	case KEY_CODE_ENTER:
	case KEY_CODE_F4:
		ui->mode = MODE_TABLE;
		if (say_fault(&view->settings.words, fault, sizeof fault))
			ui_say(ui, "%s", fault);
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
		edit_key(ui->typed, sizeof ui->typed, code);
		break;
	}
	apply_filter(ui);
	return REACTION_NONE;
}

static void filter_paste(struct ui *ui, const char *line)
{
	edit_paste(ui->typed, sizeof ui->typed, line);
	apply_filter(ui);
}

/* ---- a time ---- */

static void time_open(struct ui *ui)
{
	ui->typed[0] = '\0';
}

static unsigned time_key(struct ui *ui, int code)
{
	if (code == KEY_CODE_ENTER || code == KEY_CODE_ESCAPE)
		ui->mode = MODE_TABLE;
	if (code == KEY_CODE_ENTER && ui->typed[0])
		return playback_go(ui, ui->typed);
	if (ui->mode == MODE_TIME)
		edit_key(ui->typed, sizeof ui->typed, code);
	return REACTION_NONE;
}

static void time_paste(struct ui *ui, const char *line)
{
	edit_paste(ui->typed, sizeof ui->typed, line);
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

static bool draw_fault(struct ui *ui, const char *label, const struct match *match)
{
	char hint[HINT_SIZE];

	if (!say_fault(match, hint, sizeof hint))
		return false;
	draw_prompt(ui, label, hint, STYLE_ALERT);
	return true;
}

static void search_footer(struct ui *ui)
{
	if (ui->typed[0] && draw_fault(ui, "Search: ", &ui->search))
		return;
	const char *lacks = ui->search.of_sockets ? ui_lacks_sockets(ui) : NULL;

	if (ui->search_missed)
		draw_prompt(ui, "Search: ",
		    lacks
		        ?: ui->search_waits ? "not found yet"
		                            : "not found",
		    STYLE_ALERT);
	else
		draw_prompt(ui, "Search: ", "F3 next  Enter stay  Esc back", STYLE_DIM);
}

static void filter_footer(struct ui *ui)
{
	if (draw_fault(ui, "Filter: ", &ui->view.settings.words))
		return;
	draw_prompt(ui, "Filter: ", "Enter keep  Esc clear", STYLE_DIM);
}

static void time_footer(struct ui *ui)
{
	draw_prompt(ui, "Go to time: ", "as 14:03:05  Enter go  Esc back", STYLE_DIM);
}

const struct mode time_mode = {
	.open = time_open,
	.key = time_key,
	.paste = time_paste,
	.draw = prompt_draw,
	.footer = time_footer,
};

const struct mode search_mode = {
	.open = search_open,
	.key = search_key,
	.paste = search_paste,
	.draw = prompt_draw,
	.footer = search_footer,
};

const struct mode filter_mode = {
	.open = filter_open,
	.key = filter_key,
	.paste = filter_paste,
	.draw = prompt_draw,
	.footer = filter_footer,
};
