/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/table_lines.h"

#include <stdio.h>
#include <string.h>

#include "names/names.h"
#include "output/renderer.h"
#include "screen/header.h"
#include "screen/ui.h"
#include "table/layout.h"

static bool is_sorted(const struct ui *ui, const struct layout *layout, const struct column *column)
{
	const struct column *sorted = ui->view.sort.column;

	if (column == sorted)
		return true;
	/* Sorting by RX+TX marks both when that column is not shown. */
	if (sorted != column_find("rate") || (column != column_find("rx") && column != column_find("tx")))
		return false;
	for (unsigned i = 0; i < layout->count; i++)
		if (layout->columns[i].column == sorted)
			return false;
	return true;
}

void table_lines_titles(struct ui *ui, const struct layout *layout)
{
	struct line *line = &ui->line;
	const char *arrow = ui->view.sort.descending ? (ui->utf8 ? "▼" : "v") : (ui->utf8 ? "▲" : "^");

	for (unsigned i = 0; i < layout->count; i++) {
		const struct column *column = layout->columns[i].column;
		unsigned start = line->columns, width = layout->columns[i].width;
		bool sorted = is_sorted(ui, layout, column);
		enum style style = sorted ? STYLE_HEAD_SORTED : STYLE_HEAD;
		char title[32];

		column_title(column, &ui->view.context, title, sizeof title);
		unsigned length = (unsigned)strlen(title);

		/* The arrow is left of a right-aligned title, so that the title stays above its figures. */
		if (length + sorted > width) {
			/* Half of "/s" or "sum" says nothing. */
			if (column->direction)
				length = (unsigned)strlen(column->direction);
			if (length + sorted > width)
				length = width - (sorted && width);
		}
		if (column->right)
			line_pad(line, style, start + width - length - sorted);
		if (column->right && sorted)
			line_add(line, style, arrow, 1);
		line_print(line, style, "%.*s", (int)length, title);
		if (!column->right && sorted)
			line_add(line, style, arrow, 1);
		line_pad(line, style, start + width);
		line_pad(line, STYLE_HEAD, line->columns + LAYOUT_GAP);
	}
	line_pad(line, STYLE_HEAD, ui->width);
}

/* Whether a connection is closed, and no column says so. */
static bool is_closed_unsaid(const struct ui *ui, const struct layout *layout, const struct row *row)
{
	const struct column *last = column_find("last");

	if (ui->view.context.grouping != GROUPING_NONE || !row->closed.clock_ns ||
	    row->seen_tick == view_traffic(&ui->view)->tick)
		return false;
	for (unsigned i = 0; i < layout->count; i++)
		if (layout->columns[i].column == last && layout->columns[i].width >= COLUMN_LAST_WORDED)
			return false;
	return true;
}

/* In the place of a rate, as it has none any more; a sum gets the mark that LAST has. */
static void say_closed(struct cell *cell)
{
	static const char word[] = "closed";
	size_t length = strlen(cell->text);

	if (*cell->text == '0' && cell->width >= sizeof word - 1) {
		memcpy(cell->text, word, sizeof word);
		cell->columns = sizeof word - 1;
	} else if (*cell->text != '0' && cell->columns < cell->width && length + 2 <= sizeof cell->text) {
		memmove(cell->text + 1, cell->text, length + 1);
		cell->text[0] = 'x';
		cell->columns++;
	}
}

void table_lines_row(struct ui *ui, const struct layout *layout, const struct row *row)
{
	struct line *line = &ui->line;
	struct cell cell;
	bool says_closed = is_closed_unsaid(ui, layout, row);

	for (unsigned i = 0; i < layout->count; i++) {
		unsigned start = line->columns, width = layout->columns[i].width;

		cell.width = width;
		cell.columns = 0;
		cell.style = STYLE_PLAIN;
		cell.text[0] = '\0';
		layout->columns[i].column->format(&ui->view.context, row, &cell);
		if (says_closed && layout->columns[i].column->is_amount) {
			say_closed(&cell);
			says_closed = false;
		}
		if (layout->columns[i].column->right)
			line_pad(line, STYLE_PLAIN, start + width - cell.columns);
		line_add(line, cell.style, cell.text, cell.columns);
		line_pad(line, STYLE_PLAIN, start + width + (i + 1 < layout->count ? LAYOUT_GAP : 0));
	}
}

/* On a smaller table the line is another row's. */
#define SUM_ROWS_MIN 4

static bool has_sum(const struct ui *ui, unsigned lines)
{
	return list_is_narrowed(&ui->view.settings) && lines >= SUM_ROWS_MIN;
}

unsigned table_lines_rows(const struct ui *ui)
{
	unsigned lines = layout_lines(ui->width, ui->height).table;

	return lines - has_sum(ui, lines);
}

/* The last line: what the listed rows add up to, where a column has something to say of all of them. */
static void draw_sum(
    struct ui *ui, const struct layout *layout, const struct table_side *side, unsigned index)
{
	struct column_context context = ui->view.context;
	struct line *line = &ui->line;

	context.grouping = GROUPING_ALL;
	line_begin(line, ui->width, ui->utf8, STYLE_HEAD);
	if (side)
		side->line(ui, index, side->width);
	for (unsigned i = 0; i < layout->count && ui->view.list.summed; i++) {
		const struct column *column = layout->columns[i].column;
		unsigned start = line->columns, width = layout->columns[i].width;
		struct cell cell = { .width = width };

		if (column->groupings & 1 << GROUPING_ALL)
			column->format(&context, &ui->view.list.sum, &cell);
		else if (i == 0)
			column_cell_text(&context, "sum", &cell);
		if (column->right)
			line_pad(line, STYLE_HEAD, start + width - cell.columns);
		line_add(line, STYLE_HEAD, cell.text, cell.columns);
		line_pad(line, STYLE_HEAD, start + width + LAYOUT_GAP);
	}
	line_pad(line, STYLE_HEAD, ui->width);
}

#define PIDS_SAID_MAX 8

/* " PID 4711, 4712 ..." of those of -p for which there is (is_none false), or is not, a process. Returns how many. */
static size_t list_pids(const struct ui *ui, bool is_none, char *buffer, size_t size)
{
	const struct run *run = ui->run;
	size_t count = 0, used = 0;

	*buffer = '\0';
	for (size_t i = 0; i < run->pid_count && count < PIDS_SAID_MAX; i++) {
		if ((names_has_process(ui->names, run->pids[i]) == 0) != is_none)
			continue;
		used += (size_t)snprintf(
		    buffer + used, size - used, "%s%u", count++ ? ", " : " PID ", run->pids[i]);
	}
	if (run->pid_count > PIDS_SAID_MAX)
		snprintf(buffer + used, size - used, " ...");
	return count;
}

/* With -p: what there is to wait for. */
static void draw_waiting(struct ui *ui)
{
	char pids[PIDS_SAID_MAX * 12 + 16];

	if (list_pids(ui, true, pids, sizeof pids))
		line_print(&ui->line, STYLE_STRONG, " No process has%s.", pids);
	if (list_pids(ui, false, pids, sizeof pids))
		line_print(&ui->line, STYLE_DIM, " Waiting for traffic of%s.", pids);
}

static void draw_empty(struct ui *ui)
{
	const struct traffic *traffic = view_traffic(&ui->view);

	if (!traffic->tick)
		line_print(&ui->line, STYLE_DIM, " The first interval is being counted ...");
	else if (ui->view.settings.opened && !ui->view.context.all)
		line_print(&ui->line, STYLE_DIM, " No active connection: a lists all.");
	else if (ui->view.list.unfiltered && ui->view.settings.words.of_sockets && ui_lacks_sockets(ui))
		line_print(
		    &ui->line, STYLE_STRONG, " state: and why: pass nothing: %s.", ui_lacks_sockets(ui));
	else if (ui->view.list.unfiltered)
		line_print(&ui->line, STYLE_DIM, " No connection passes the filters: Esc clears them.");
	else if (ui->run->pid_count && ui->run->live)
		draw_waiting(ui);
	else if (traffic->rows.count)
		line_print(&ui->line, STYLE_DIM, " No TCP traffic in this interval: a lists what is idle.");
	else
		line_print(&ui->line, STYLE_DIM, " No TCP traffic in this interval.");
}

/* One row in so many may have an address that is shortened: it does not spread the table for all others. */
#define LONG_ADDRESSES 8

/* Only grows, so that the columns do not move back and forth with the rows. */
static void measure_addresses(struct view *view, unsigned rows)
{
	unsigned counts[UINT8_MAX + 1] = { 0 }, measured = 0, longer = 0, widest = UINT8_MAX;

	for (unsigned i = 0; i < rows; i++) {
		const struct row *row = view_row(view, view->top + i);
		unsigned columns = row ? column_address_columns(&view->context, row) : 0;

		counts[columns > UINT8_MAX ? UINT8_MAX : columns]++;
		measured += columns > 0;
	}
	while (widest && (longer += counts[widest]) <= measured / LONG_ADDRESSES)
		widest--;
	if (widest > view->context.address_columns)
		view->context.address_columns = (uint8_t)widest;
}

static void draw_line(
    struct ui *ui, const struct layout *layout, unsigned index, const struct table_side *side)
{
	struct view *view = &ui->view;
	size_t position = view->top + index;
	const struct row *row = view_row(view, position);
	enum style base = STYLE_PLAIN;

	if (row && position == view->position && !side)
		base = STYLE_SELECTED;
	else if (row && row->seen_tick != view_traffic(view)->tick)
		base = STYLE_DIM;
	line_begin(&ui->line, ui->width, ui->utf8, side ? STYLE_PLAIN : base);
	if (side)
		side->line(ui, index, side->width);
	if (row)
		table_lines_row(ui, layout, row);
	else if (index == 0)
		draw_empty(ui);
	if (base == STYLE_SELECTED)
		line_pad(&ui->line, STYLE_PLAIN, ui->width);
}

/* What a click on the titles, the rows and the menu beside them means. y: the titles' line. */
static void note_spots(struct ui *ui, const struct layout *layout, unsigned y, unsigned rows, unsigned left)
{
	struct spot spot = { SPOT_TITLE, .x = left, .y = y, .end_y = y + 1 };

	for (unsigned i = 0; i < layout->count; i++) {
		spot.value = (int)(layout->columns[i].column - column_table);
		spot.end_x = spot.x + layout->columns[i].width;
		spots_add(&ui->spots, &spot);
		spot.x = spot.end_x + LAYOUT_GAP;
	}
	unsigned items = layout_lines(ui->width, ui->height).table;

	spot = (struct spot){ SPOT_ITEMS, .end_x = left, .y = y + 1, .end_y = y + 1 + items };
	spots_add(&ui->spots, &spot);
	spot = (struct spot){ SPOT_ROWS, .x = left, .end_x = ui->width, .y = y + 1, .end_y = y + 1 + rows };
	spots_add(&ui->spots, &spot);
}

void table_lines_draw(
    struct ui *ui, unsigned y, unsigned end, const struct table_side *side, const struct line_sink *sink)
{
	struct layout_lines lines = layout_lines(ui->width, ui->height);
	unsigned left = side ? side->width : 0, rows = table_lines_rows(ui);
	struct layout layout;

	for (unsigned i = 0; i + 2 < lines.header; i++) {
		header_totals(ui, &lines, i);
		sink->put(sink->to, y++, &ui->line);
	}
	header_status(ui);
	sink->put(sink->to, y++, &ui->line);
	measure_addresses(&ui->view, rows);
	layout_fit(&layout, &ui->columns, &ui->view.context, ui->width > left ? ui->width - left : 1);
	line_begin(&ui->line, ui->width, ui->utf8, STYLE_HEAD);
	if (side)
		side->title(ui, side->width);
	table_lines_titles(ui, &layout);
	note_spots(ui, &layout, y, rows, left);
	sink->put(sink->to, y++, &ui->line);
	for (unsigned i = 0; i < lines.table; i++) {
		if (i < rows)
			draw_line(ui, &layout, i, side);
		else
			draw_sum(ui, &layout, side, i);
		sink->put(sink->to, y++, &ui->line);
	}
	for (; y < end; y++) {
		line_begin(&ui->line, ui->width, ui->utf8, STYLE_PLAIN);
		sink->put(sink->to, y, &ui->line);
	}
}
