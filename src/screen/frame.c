/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/frame.h"

#include <stdio.h>
#include <string.h>

#include "screen/keys.h"
#include "screen/ui.h"
#include "names/names.h"
#include "model/snapshot.h"

#define MENU_WIDE 140 /* from here on a menu has room for what its columns mean */
#define FOOTER_KEYS_MAX 16

/* ---- table ---- */

static bool is_sorted(const struct display *display, const struct layout *layout, const struct column *column)
{
	const struct column *sorted = display->view.sort.column;

	if (column == sorted)
		return true;
	/* The order by both together shows in both, when it has no column of its own. */
	if (sorted != column_find("rate") || (column != column_find("rx") && column != column_find("tx")))
		return false;
	for (unsigned i = 0; i < layout->count; i++)
		if (layout->columns[i].column == sorted)
			return false;
	return true;
}

void paint_titles(struct display *display, const struct layout *layout)
{
	struct line *line = &display->line;
	const char *arrow =
	    display->view.sort.descending ? (display->utf8 ? "▼" : "v") : (display->utf8 ? "▲" : "^");

	for (unsigned i = 0; i < layout->count; i++) {
		const struct column *column = layout->columns[i].column;
		unsigned start = line->columns, width = layout->columns[i].width;
		bool sorted = is_sorted(display, layout, column);
		enum style style = sorted ? STYLE_HEAD_SORTED : STYLE_HEAD;
		char title[32];

		column_title(column, &display->view.context, title, sizeof title);
		unsigned length = (unsigned)strlen(title);

		/* The arrow before a title at the right, so that the title stays above its figures. */
		if (length + sorted > width) {
			/* Half a unit would be a wrong one: "KB" of "KB/s". */
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
	line_pad(line, STYLE_HEAD, display->width);
}

void paint_row(struct display *display, const struct layout *layout, const struct row *row)
{
	struct line *line = &display->line;
	struct cell cell;

	for (unsigned i = 0; i < layout->count; i++) {
		unsigned start = line->columns, width = layout->columns[i].width;

		cell.width = width;
		cell.columns = 0;
		cell.style = STYLE_PLAIN;
		cell.text[0] = '\0';
		layout->columns[i].column->format(&display->view.context, row, &cell);
		if (layout->columns[i].column->right)
			line_pad(line, STYLE_PLAIN, start + width - cell.columns);
		line_add(line, cell.style, cell.text, cell.columns);
		line_pad(line, STYLE_PLAIN, start + width + (i + 1 < layout->count ? LAYOUT_GAP : 0));
	}
}

/* ---- menu ---- */

static bool menu_is_wide(const struct display *display)
{
	return display->width >= MENU_WIDE;
}

static unsigned menu_width(const struct display *display)
{
	if (display->mode == MODE_USER_MENU)
		return 26;
	return menu_is_wide(display) ? 66 : 18;
}

static void menu_title(struct display *display)
{
	static const char *const titles[] = {
		[MODE_SORT_MENU] = "Sort by",
		[MODE_USER_MENU] = "Show",
		[MODE_COLUMN_MENU] = "Columns (Space)",
	};

	line_print(&display->line, STYLE_HEAD_SORTED, "%s", titles[display->mode]);
	line_pad(&display->line, STYLE_HEAD_SORTED, menu_width(display));
	line_pad(&display->line, STYLE_HEAD, menu_width(display) + 1);
}

static void menu_column(struct display *display, const struct column *column, enum style style)
{
	struct line *line = &display->line;
	bool measured = display_measures(display, column);

	if (style == STYLE_PLAIN && !measured)
		style = STYLE_DIM;
	if (display->mode == MODE_COLUMN_MENU)
		line_print(line, style, "[%c] ",
		    column_list_has(&display->columns, column) ? 'x'
		    : measured                                 ? ' '
		                                               : '-');
	line_print(line, style, "%-9s", column->title ? column->title : column->direction);
	if (menu_is_wide(display))
		line_print(line, style, "  %s", column->description);
}

static void menu_line(struct display *display, unsigned index)
{
	const struct menu *menu = &display->menu;
	struct line *line = &display->line;
	enum style style = index == menu->position ? STYLE_SELECTED : STYLE_PLAIN;
	char user[40];

	if (index < menu->count && display->mode == MODE_USER_MENU) {
		uint32_t uid = menu->values[index];

		if (uid == MENU_EVERYBODY)
			snprintf(user, sizeof user, "all users");
		else
			names_user(display->names, uid, user, sizeof user);
		line_untrusted(line, style, user, strlen(user), menu_width(display));
	} else if (index < menu->count) {
		menu_column(display, &column_table[menu->values[index]], style);
	}
	line_pad(line, style, menu_width(display));
	line_pad(line, STYLE_PLAIN, menu_width(display) + 1);
}

static bool menu_is_open(const struct display *display)
{
	return display->mode == MODE_SORT_MENU || display->mode == MODE_USER_MENU ||
	       display->mode == MODE_COLUMN_MENU;
}

static void menu_scroll(struct menu *menu, unsigned height)
{
	if (menu->position < menu->top)
		menu->top = menu->position;
	if (height && menu->position >= menu->top + height)
		menu->top = menu->position - height + 1;
}

/* Whether a column that is on is there as soon as the menu is gone. */
static bool has_room(const struct display *display, const struct column *column)
{
	struct layout layout;

	if (!column_list_has(&display->columns, column) ||
	    !(column->groupings & 1 << display->view.context.grouping))
		return true;
	layout_fit(&layout, &display->columns, &display->view.context, display->width);
	for (unsigned i = 0; i < layout.count; i++)
		if (layout.columns[i].column == column)
			return true;
	return false;
}

/* ---- footer ---- */

static void footer_keys(struct display *display)
{
	struct line *line = &display->line;
	int limit = 100;
	unsigned columns;

	/* The lowest priority goes until the rest fits. */
	do {
		columns = 0;
		limit--;
		for (size_t i = 0; i < key_count; i++)
			if (key_table[i].footer && key_table[i].footer_priority <= limit)
				columns += (unsigned)(strlen(key_table[i].footer_key) +
				                      strlen(key_table[i].footer)) +
				           1;
	} while (columns > display->width && limit > 0);
	for (int order = 0; order < FOOTER_KEYS_MAX; order++) {
		for (size_t i = 0; i < key_count; i++) {
			const struct key *key = &key_table[i];
			const char *label = key->footer;

			if (!key->footer || key->footer_order != order || key->footer_priority > limit)
				continue;
			if (key->action == ACT_ENTER && display->view.context.grouping != GROUPING_NONE)
				label = "Open   ";
			if (key->action == ACT_FREEZE && display->view.is_frozen)
				label = "Go on ";
			line_print(line, STYLE_STRONG, "%s", key->footer_key);
			line_print(line, STYLE_LABEL, "%s ", label);
		}
	}
	line_pad(line, STYLE_LABEL, display->width);
}

static void footer_prompt(struct display *display)
{
	struct line *line = &display->line;
	bool search = display->mode == MODE_SEARCH;
	const char *hint = search ? (display->search_missed ? "not found" : "F3 next  Enter stay  Esc back")
	                          : "Enter keep  Esc clear";
	unsigned hint_length = (unsigned)strlen(hint);

	line_print(line, STYLE_STRONG, "%s", search ? "Search: " : "Filter: ");
	line_untrusted(
	    line, STYLE_PLAIN, display->typed, strlen(display->typed), display->width - line->columns - 1);
	display->cursor_x = (int)line->columns;
	if (line->columns + 3 + hint_length < display->width) {
		line_pad(line, STYLE_PLAIN, display->width - hint_length - 1);
		line_print(line, search && display->search_missed ? STYLE_ALERT : STYLE_DIM, "%s", hint);
	}
}

/* What the column under the cursor means, and why it is not on the screen. */
static void footer_menu(struct display *display)
{
	struct line *line = &display->line;
	bool columns = display->mode == MODE_COLUMN_MENU;

	line_print(line, STYLE_STRONG, columns ? "Space" : "Enter");
	line_print(line, STYLE_LABEL, columns ? "On/off " : "Choose ");
	line_print(line, STYLE_STRONG, "Esc");
	line_print(line, STYLE_LABEL, "Back ");
	if (display->mode != MODE_USER_MENU) {
		const struct column *column = &column_table[display->menu.values[display->menu.position]];

		line_print(line, STYLE_LABEL, " %s", column->description);
		if (!display_measures(display, column))
			line_print(line, STYLE_LABEL, "; start with --columns ...,%s", column->id);
		else if (columns && !has_room(display, column))
			line_print(line, STYLE_LABEL, "; no room");
	}
	line_pad(line, STYLE_LABEL, display->width);
}

void paint_footer(struct display *display)
{
	struct line *line = &display->line;

	line_begin(line, display->width, display->utf8, STYLE_PLAIN);
	if (display->mode == MODE_SEARCH || display->mode == MODE_FILTER) {
		footer_prompt(display);
	} else if (display->message[0]) {
		line_untrusted(
		    line, STYLE_STRONG, display->message, strlen(display->message), display->width);
	} else if (display->mode == MODE_HELP || display->mode == MODE_DETAILS) {
		line_print(line, STYLE_STRONG, "Esc");
		line_print(line, STYLE_LABEL, "Back  ");
		line_print(line, STYLE_STRONG, "Up Down");
		line_print(line, STYLE_LABEL, "Scroll  ");
		if (display->page_lines > display->scroll + display->height - 2)
			line_print(line, STYLE_LABEL, "(%u more below)",
			    display->page_lines - display->scroll - (display->height - 2));
		line_pad(line, STYLE_LABEL, display->width);
	} else if (menu_is_open(display)) {
		footer_menu(display);
	} else {
		footer_keys(display);
	}
}

/* ---- all of it ---- */

static void put(struct display *display, const struct line_sink *sink, unsigned y)
{
	sink->put(sink->to, y, &display->line);
}

static void put_blank(struct display *display, const struct line_sink *sink, unsigned y)
{
	line_begin(&display->line, display->width, display->utf8, STYLE_PLAIN);
	put(display, sink, y);
}

static void paint_too_small(struct display *display, const struct line_sink *sink)
{
	for (unsigned y = 0; y < display->height; y++) {
		line_begin(&display->line, display->width, display->utf8, STYLE_PLAIN);
		if (y == 0 && display->width >= 36)
			line_print(&display->line, STYLE_PLAIN, "%ux%u is too small: %dx%d or more",
			    display->width, display->height, LAYOUT_WIDTH_MIN, LAYOUT_HEIGHT_MIN);
		else if (y == 0)
			line_print(
			    &display->line, STYLE_PLAIN, "needs %dx%d", LAYOUT_WIDTH_MIN, LAYOUT_HEIGHT_MIN);
		put(display, sink, y);
	}
}

static void paint_empty(struct display *display)
{
	const struct traffic *traffic = view_traffic(&display->view);

	if (!traffic->tick)
		line_print(&display->line, STYLE_DIM, " The first interval is being counted ...");
	else if (traffic->rows.count)
		line_print(&display->line, STYLE_DIM, " No session passes the filters: Esc takes them away.");
	else
		line_print(&display->line, STYLE_DIM, " No TCP traffic in this interval.");
}

/* Grows only, so that columns do not move to and fro with the rows. */
static void measure_addresses(struct view *view, unsigned rows)
{
	for (unsigned i = 0; i < rows; i++) {
		const struct row *row = view_row(view, view->top + i);
		unsigned columns = row ? column_address_columns(&view->context, row) : 0;

		if (columns > UINT8_MAX)
			columns = UINT8_MAX;
		if (columns > view->context.address_columns)
			view->context.address_columns = (uint8_t)columns;
	}
}

static void paint_table(struct display *display, unsigned y, unsigned rows, const struct line_sink *sink)
{
	struct view *view = &display->view;
	struct line *line = &display->line;
	struct layout layout;
	bool menu = menu_is_open(display);
	unsigned left = menu ? menu_width(display) + 1 : 0;

	menu_scroll(&display->menu, rows);
	measure_addresses(view, rows);
	layout_fit(
	    &layout, &display->columns, &view->context, display->width > left ? display->width - left : 1);
	line_begin(line, display->width, display->utf8, STYLE_HEAD);
	if (menu)
		menu_title(display);
	paint_titles(display, &layout);
	put(display, sink, y++);
	for (unsigned i = 0; i < rows; i++) {
		size_t position = view->top + i;
		const struct row *row = view_row(view, position);
		enum style base = STYLE_PLAIN;

		if (row && position == view->position && !menu)
			base = STYLE_SELECTED;
		else if (row && row->seen_tick != view_traffic(view)->tick)
			base = STYLE_DIM;
		line_begin(line, display->width, display->utf8, menu ? STYLE_PLAIN : base);
		if (menu)
			menu_line(display, display->menu.top + i);
		if (row)
			paint_row(display, &layout, row);
		else if (i == 0)
			paint_empty(display);
		if (base == STYLE_SELECTED)
			line_pad(line, STYLE_PLAIN, display->width);
		put(display, sink, y + i);
	}
}

int display_paint(struct display *display, unsigned width, unsigned height, const struct line_sink *sink)
{
	struct layout_lines lines = layout_lines(width, height);
	int err;

	display->width = width < LINE_COLUMNS_MAX ? width : LINE_COLUMNS_MAX;
	display->height = height;
	display->cursor_x = display->cursor_y = -1;
	err = view_prepare(&display->view, lines.table);
	if (err < 0)
		return err;
	if (width < LAYOUT_WIDTH_MIN || height < LAYOUT_HEIGHT_MIN) {
		paint_too_small(display, sink);
		return 0;
	}
	paint_title(display);
	put(display, sink, 0);
	if (display->mode == MODE_HELP || display->mode == MODE_DETAILS) {
		if (display->mode == MODE_HELP)
			paint_help(display, 1, height - 1, sink);
		else
			paint_details(display, 1, height - 1, sink);
	} else {
		for (unsigned i = 0; i + 2 < lines.header; i++) {
			paint_totals(display, &lines, i);
			put(display, sink, 1 + i);
		}
		paint_status(display);
		put(display, sink, lines.header - 1);
		paint_table(display, lines.header, lines.table, sink);
		for (unsigned y = lines.header + 1 + lines.table; y + 1 < height; y++)
			put_blank(display, sink, y);
	}
	paint_footer(display);
	if (display->cursor_x >= 0)
		display->cursor_y = (int)height - 1;
	put(display, sink, height - 1);
	return 0;
}

/* ---- what stays behind ---- */

struct final {
	FILE *stream;
};

static void final_put(struct final *final, const struct line *line)
{
	fwrite(line->text, 1, line_trimmed(line), final->stream);
	fputc('\n', final->stream);
}

void display_print_final(struct display *display, FILE *stream, unsigned width, unsigned height)
{
	struct final final = { stream };
	struct layout_lines lines = layout_lines(width, 14);
	struct layout layout;

	if (!view_traffic(&display->view)->tick || width < LAYOUT_WIDTH_MIN)
		return;
	display->width = width < LINE_COLUMNS_MAX ? width : LINE_COLUMNS_MAX;
	display->height = height;
	unsigned rows = height > lines.header + 2 ? height - lines.header - 2 : 1;

	if (view_prepare(&display->view, rows) < 0)
		return;
	paint_title(display);
	final_put(&final, &display->line);
	for (unsigned i = 0; i + 2 < lines.header; i++) {
		paint_totals(display, &lines, i);
		final_put(&final, &display->line);
	}
	paint_status(display);
	final_put(&final, &display->line);
	layout_fit(&layout, &display->columns, &display->view.context, display->width);
	line_begin(&display->line, display->width, display->utf8, STYLE_PLAIN);
	paint_titles(display, &layout);
	final_put(&final, &display->line);
	for (unsigned i = 0; i < rows; i++) {
		const struct row *row = view_row(&display->view, display->view.top + i);

		if (!row)
			break;
		line_begin(&display->line, display->width, display->utf8, STYLE_PLAIN);
		paint_row(display, &layout, row);
		final_put(&final, &display->line);
	}
	fflush(stream);
}
