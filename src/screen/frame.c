/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/frame.h"

#include <string.h>

#include "output/renderer.h"
#include "screen/header.h"
#include "screen/input.h"
#include "screen/keys.h"
#include "screen/mode.h"
#include "screen/table_lines.h"
#include "screen/ui.h"
#include "table/layout.h"

static const struct mode *const modes[MODE_COUNT] = {
	[MODE_TABLE] = &table_mode,
	[MODE_SEARCH] = &search_mode,
	[MODE_FILTER] = &filter_mode,
	[MODE_TIME] = &time_mode,
	[MODE_HELP] = &help_mode,
	[MODE_DETAILS] = &details_mode,
	[MODE_LINKS] = &links_mode,
	[MODE_MINUTE] = &minute_mode,
	[MODE_CONNECTIONS] = &connections_mode,
	[MODE_SERVICES] = &services_mode,
	[MODE_SORT_MENU] = &sort_menu_mode,
	[MODE_USER_MENU] = &user_menu_mode,
	[MODE_COLUMN_MENU] = &column_menu_mode,
};

/* ---- keys ---- */

/* The help goes back to the page that it was asked for on, as that was; details let go of their row, and are left. */
static void change_mode(struct ui *ui, enum ui_mode before)
{
	if (ui->mode == before)
		return;
	if (before == MODE_HELP && ui->mode != MODE_TABLE && ui->mode == ui->help_from) {
		ui->scroll = ui->help_from_scroll;
		return;
	}
	if (ui->mode == MODE_HELP) {
		ui->help_from = before == MODE_DETAILS ? MODE_TABLE : before;
		ui->help_from_scroll = ui->scroll;
	}
	if (modes[ui->mode]->open)
		modes[ui->mode]->open(ui);
}

unsigned frame_key(struct ui *ui, int code, struct renderer_request *request)
{
	enum ui_mode before = ui->mode;
	unsigned reaction;

	ui->message[0] = '\0';
	if (ui_answer(ui, code))
		return REACTION_NONE;
	/*
	 * Keys may come faster than frames are drawn, and each works on the list as the one before left it.
	 * Letters of a filter do without, as each would look through all rows.
	 */
	if (ui->mode != MODE_FILTER || code < ' ' || code >= KEY_CODE_FIRST_SPECIAL)
		view_prepare(&ui->view, table_lines_rows(ui));
	if (code == '\n')
		code = KEY_CODE_ENTER;
	else if (code == '\b')
		code = KEY_CODE_BACKSPACE;
	reaction = modes[ui->mode]->key(ui, code);
	change_mode(ui, before);
	if (reaction & REACTION_INTERVAL)
		request->interval_ns = ui->interval_ns;
	if (reaction & REACTION_PLAY) {
		/* of several keys that were read at once one has sought: where to is in ui->play still */
		bool is_seek = request->play.is_seek || ui->play.is_seek;

		request->play = ui->play;
		request->play.is_seek = is_seek;
		ui->play.is_seek = false;
	}
	return reaction;
}

/* ---- mouse ---- */

#define WHEEL_LINES 3

static void click_title(struct view *view, const struct column *column)
{
	if (column == view->sort.column)
		view_reverse(view);
	else
		view_set_sort(view, column);
}

static unsigned click(struct ui *ui, unsigned x, unsigned y, struct renderer_request *request)
{
	const struct spot *spot = spots_at(&ui->spots, x, y);
	struct view *view = &ui->view;

	if (!spot)
		return REACTION_NONE;
	unsigned line = y - spot->y;

	switch (spot->kind) {
	case SPOT_KEY:
		return frame_key(ui, spot->value, request);
	case SPOT_TITLE:
		click_title(view, &column_table[spot->value]);
		break;
	case SPOT_ROWS:
		if (view_prepare(view, table_lines_rows(ui)) == 0 && view->top + line < view->list.count)
			view_move(view, (long)(view->top + line) - (long)view->position);
		break;
	case SPOT_ITEMS:
		if (ui->menu.top + line < ui->menu.count)
			ui->menu.position = ui->menu.top + line;
		break;
	case SPOT_LINE:
		if (modes[ui->mode]->click)
			modes[ui->mode]->click(ui, spot->value);
		break;
	}
	return REACTION_NONE;
}

static unsigned use_mouse(struct ui *ui, const struct input *input, struct renderer_request *request)
{
	int code = input->action == MOUSE_WHEEL_UP ? KEY_CODE_UP : KEY_CODE_DOWN;
	unsigned reaction = REACTION_NONE;

	/* Reports may still come after it was switched off. */
	if (!ui->mouse)
		return REACTION_NONE;
	ui->message[0] = '\0';
	if (input->action == MOUSE_CLICK)
		return click(ui, input->x, input->y, request);
	if (ui->mode == MODE_SEARCH) /* where these keys search */
		return REACTION_NONE;
	for (int i = 0; i < WHEEL_LINES; i++)
		reaction |= frame_key(ui, code, request);
	return reaction;
}

unsigned frame_input(struct ui *ui, const struct input *input, struct renderer_request *request)
{
	/* No answer, so no */
	if (input->kind != INPUT_KEY && ui_answer(ui, KEY_CODE_NONE)) {
		ui->message[0] = '\0';
		return REACTION_NONE;
	}
	switch (input->kind) {
	case INPUT_KEY:
		return frame_key(ui, input->code, request);
	case INPUT_MOUSE:
		return use_mouse(ui, input, request);
	case INPUT_PASTE:
		if (modes[ui->mode]->paste && view_prepare(&ui->view, table_lines_rows(ui)) == 0)
			modes[ui->mode]->paste(ui, input->text);
		break;
	}
	return REACTION_NONE;
}

/* ---- all lines ---- */

static void draw_too_small(struct ui *ui, const struct line_sink *sink)
{
	for (unsigned y = 0; y < ui->height; y++) {
		line_begin(&ui->line, ui->width, ui->utf8, STYLE_PLAIN);
		if (y == 0 && ui->width >= 36)
			line_print(&ui->line, STYLE_PLAIN, "%ux%u is too small: %dx%d or more", ui->width,
			    ui->height, LAYOUT_WIDTH_MIN, LAYOUT_HEIGHT_MIN);
		else if (y == 0)
			line_print(
			    &ui->line, STYLE_PLAIN, "needs %dx%d", LAYOUT_WIDTH_MIN, LAYOUT_HEIGHT_MIN);
		sink->put(sink->to, y, &ui->line);
	}
}

int frame_draw(struct ui *ui, unsigned width, unsigned height, const struct line_sink *sink)
{
	int err;

	ui->width = width < LINE_COLUMNS_MAX ? width : LINE_COLUMNS_MAX;
	ui->height = height;
	ui->cursor_x = ui->cursor_y = -1;
	ui->spots.count = 0;
	err = view_prepare(&ui->view, table_lines_rows(ui));
	if (!err) {
		ui_search_again(ui);
		err = view_prepare(&ui->view, table_lines_rows(ui));
	}
	if (err < 0)
		return err;
	if (width < LAYOUT_WIDTH_MIN || height < LAYOUT_HEIGHT_MIN) {
		draw_too_small(ui, sink);
		return 0;
	}
	if (ui->view.lost && ui->mode == MODE_TABLE && !ui->if_yes)
		ui_say(ui, "what was searched for is no longer listed");
	ui->view.lost = false;
	header_title(ui);
	sink->put(sink->to, 0, &ui->line);
	modes[ui->mode]->draw(ui, 1, height - 1, sink);
	line_begin(&ui->line, ui->width, ui->utf8, STYLE_PLAIN);
	if (ui->message[0])
		line_untrusted(&ui->line, STYLE_STRONG, ui->message, strlen(ui->message), ui->width);
	else
		modes[ui->mode]->footer(ui);
	if (ui->cursor_x >= 0)
		ui->cursor_y = (int)height - 1;
	sink->put(sink->to, height - 1, &ui->line);
	return 0;
}

/* ---- what stays behind ---- */

static void print_line(const struct ui *ui, FILE *stream)
{
	fwrite(ui->line.text, 1, line_trimmed(&ui->line), stream);
	fputc('\n', stream);
}

void frame_print_final(struct ui *ui, FILE *stream, unsigned width, unsigned height)
{
	struct layout_lines lines = layout_lines(width, 14);
	struct layout layout;

	if (!view_traffic(&ui->view)->tick || width < LAYOUT_WIDTH_MIN)
		return;
	ui->width = width < LINE_COLUMNS_MAX ? width : LINE_COLUMNS_MAX;
	ui->height = height;
	unsigned rows = height > lines.header + 2 ? height - lines.header - 2 : 1;

	if (view_prepare(&ui->view, rows) < 0)
		return;
	header_title(ui);
	print_line(ui, stream);
	for (unsigned i = 0; i + 2 < lines.header; i++) {
		header_totals(ui, &lines, i);
		print_line(ui, stream);
	}
	header_status(ui);
	print_line(ui, stream);
	layout_fit(&layout, &ui->columns, &ui->view.context, ui->width);
	line_begin(&ui->line, ui->width, ui->utf8, STYLE_PLAIN);
	table_lines_titles(ui, &layout);
	print_line(ui, stream);
	for (unsigned i = 0; i < rows; i++) {
		const struct row *row = view_row(&ui->view, ui->view.top + i);

		if (!row)
			break;
		line_begin(&ui->line, ui->width, ui->utf8, STYLE_PLAIN);
		table_lines_row(ui, &layout, row);
		print_line(ui, stream);
	}
	fflush(stream);
}
