/* SPDX-License-Identifier: Apache-2.0 */
/* The page of the last minute: what came, went and grew, and the keys that go there. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "output/renderer.h"
#include "screen/header.h"
#include "screen/keys.h"
#include "screen/minute_cells.h"
#include "screen/mode.h"
#include "screen/page.h"
#include "screen/table_mode.h"
#include "screen/ui.h"

#define LINES_MIN 3  /* of each part, however low the screen is */
#define GAPS_FROM 20 /* lines from which on parts stand apart */

/* ---- the page ---- */

/* What is in a part is said where its column has room for it. */
static const struct part_name {
	const char *name, *means;
} part_names[MINUTE_PARTS] = {
	[MINUTE_CAME] = { "CAME", " first bytes" },
	[MINUTE_WENT] = { "WENT", " closed/idle 20s" },
	[MINUTE_GREW] = { "GREW", "" },
};

static const char *const part_nothing[MINUTE_PARTS] = {
	[MINUTE_CAME] = " no connection",
	[MINUTE_WENT] = " no connection",
	[MINUTE_GREW] = " no process by half or more",
};

static int update(struct ui *ui)
{
	if (ui->minute_version == ui->view.version)
		return 0;
	int err = minute_build(&ui->minute, &ui->view.settings, &ui->view.context);

	ui->minute_version = err ? 0 : ui->view.version;
	return err;
}

/* How many lines the parts have on the screen, the line "more" included. */
struct shares {
	unsigned lines[MINUTE_PARTS];
	bool gaps;
};

static struct shares share(const struct ui *ui)
{
	unsigned body = ui->height - 2;
	struct shares shares = { .gaps = body >= GAPS_FROM };
	unsigned used = 1 + MINUTE_PARTS + (shares.gaps ? MINUTE_PARTS - 1 : 0);
	bool given = true;

	for (unsigned round = 0; given; round++) {
		given = false;
		for (int part = 0; part < MINUTE_PARTS; part++) {
			const struct minute_part_lines *lines = &ui->minute.parts[part];
			size_t wanted = lines->count + (lines->line_total > lines->count);

			if (shares.lines[part] >= (wanted ? wanted : 1) ||
			    (used >= body && round >= LINES_MIN))
				continue;
			shares.lines[part]++;
			used++;
			given = true;
		}
	}
	return shares;
}

/* The lines of a part that can be selected. */
static size_t shown_lines(const struct ui *ui, const struct shares *shares, enum minute_part part)
{
	const struct minute_part_lines *lines = &ui->minute.parts[part];

	return lines->line_total > shares->lines[part] ? shares->lines[part] - 1u : lines->count;
}

/* The line at a place among all of them; NULL: there is none. */
static const struct minute_line *line_at(
    const struct ui *ui, const struct shares *shares, size_t index, enum minute_part *part)
{
	for (int i = 0; i < MINUTE_PARTS; i++) {
		size_t shown = shown_lines(ui, shares, (enum minute_part)i);

		*part = (enum minute_part)i;
		if (index < shown)
			return &ui->minute.parts[i].lines[index];
		index -= shown;
	}
	return NULL;
}

static size_t count_lines(const struct ui *ui, const struct shares *shares)
{
	size_t count = 0;

	for (int part = 0; part < MINUTE_PARTS; part++)
		count += shown_lines(ui, shares, (enum minute_part)part);
	return count;
}

static void select_line(struct ui *ui, const struct shares *shares, size_t index)
{
	struct minute_cursor *cursor = &ui->minute_cursor;
	size_t count = count_lines(ui, shares);
	const struct minute_line *line;

	cursor->index = index < count ? index : count ? count - 1 : 0;
	cursor->is_below = cursor->index + 1 >= count;
	line = line_at(ui, shares, cursor->index, &cursor->part);
	if (!line)
		return;
	cursor->grouping = line->grouping;
	cursor->key = line->row.session;
}

/* The cursor stays on what it is on, and on its place when that is not there any more. */
static void find_cursor(struct ui *ui, const struct shares *shares)
{
	const struct minute_cursor *cursor = &ui->minute_cursor;
	size_t count = count_lines(ui, shares), found = cursor->index;

	for (size_t i = 0; i < count; i++) {
		enum minute_part part;
		const struct minute_line *line = line_at(ui, shares, i, &part);

		if (part == cursor->part && line->grouping == cursor->grouping &&
		    session_compare_key(&line->row.session, &cursor->key) == 0)
			found = i;
	}
	select_line(ui, shares, found);
}

/* The line of the page that the cursor is on. */
static unsigned cursor_page_line(const struct ui *ui, const struct shares *shares)
{
	unsigned line = 1;
	size_t index = ui->minute_cursor.index;

	for (int part = 0; part < (int)ui->minute_cursor.part; part++) {
		line += 1 + shares->lines[part] + shares->gaps;
		index -= shown_lines(ui, shares, (enum minute_part)part);
	}
	return line + 1 + (unsigned)index;
}

static void scroll_to_cursor(struct ui *ui, const struct shares *shares, unsigned body)
{
	unsigned at = cursor_page_line(ui, shares), total = 1;
	unsigned first = ui->minute_cursor.index ? at - 1 : 0; /* the titles of a part may be above it */

	for (int part = 0; part < MINUTE_PARTS; part++)
		total += 1 + shares->lines[part] + (part ? shares->gaps : 0);
	if (ui->minute_cursor.is_below)
		at = total - 1;
	if (ui->scroll + body <= at)
		ui->scroll = at - body + 1;
	if (ui->scroll > first)
		ui->scroll = first;
}

#define SPAN_SIZE 32

/* In seconds, as a minute is spoken of: "60 s", "2.5 s". */
static void say_span(char span[SPAN_SIZE], uint64_t span_ns)
{
	uint64_t tenths = (span_ns + NS_PER_S / 20) / (NS_PER_S / 10);

	if (tenths < 100 && tenths % 10)
		snprintf(span, SPAN_SIZE, "%.1f s", (double)tenths / 10);
	else
		snprintf(span, SPAN_SIZE, "%llu s", (unsigned long long)(tenths + 5) / 10);
}

static void draw_head(struct page *page)
{
	struct ui *ui = page->ui;
	const struct traffic *traffic = view_traffic(&ui->view);
	char clock[FORMAT_TIME_SIZE], span[SPAN_SIZE];

	page_begin(page);
	format_clock(clock, sizeof clock, traffic->time.tv_sec);
	say_span(span, ui->minute.known_ns);
	if (ui->minute.known_ns)
		line_print(&ui->line, STYLE_PLAIN, " The last %s before %s  ", span, clock);
	else
		line_print(&ui->line, STYLE_PLAIN, " What changes is known from the next interval on  ");
	header_filters(ui);
	page_put(page);
}

static void draw_titles(struct page *page, enum minute_part part)
{
	struct ui *ui = page->ui;
	char title[96], now[SPAN_SIZE], before[SPAN_SIZE];

	say_span(now, ui->minute.now_ns);
	say_span(before, ui->minute.before_ns);
	snprintf(title, sizeof title, "%s%s", part_names[part].name,
	    ui->width >= MINUTE_CELLS_MIDDLE_FROM ? part_names[part].means : "");
	if (part == MINUTE_GREW && ui->minute.before_ns && ui->width >= MINUTE_CELLS_MIDDLE_FROM)
		snprintf(title, sizeof title, "%s %s vs %s", part_names[part].name, now, before);
	page_begin(page);
	minute_cells_titles(ui, part, title);
	page_put(page);
}

static void draw_line(struct page *page, enum minute_part part, const struct minute_line *line, size_t index)
{
	struct ui *ui = page->ui;
	bool selected = index == ui->minute_cursor.index;
	struct spot spot = { SPOT_LINE, (int)index, .end_x = ui->width, .y = page->y, .end_y = page->y + 1 };

	if (page_is_seen(page))
		spots_add(&ui->spots, &spot);
	line_begin(&ui->line, ui->width, ui->utf8, selected ? STYLE_SELECTED : STYLE_PLAIN);
	minute_cells_line(ui, part, line);
	if (selected)
		line_pad(&ui->line, STYLE_PLAIN, ui->width);
	page_put(page);
}

/* What of a part found no place. */
static void draw_more(struct page *page, enum minute_part part, size_t shown)
{
	struct ui *ui = page->ui;
	const struct minute_part_lines *lines = &ui->minute.parts[part];
	uint32_t connections = lines->connections;
	uint64_t bytes = lines->rx_bytes + lines->tx_bytes;
	char sum[48];

	for (size_t i = 0; i < shown; i++) {
		connections -= lines->lines[i].change.connections;
		bytes -= lines->lines[i].change.rx_bytes + lines->lines[i].change.tx_bytes;
	}
	format_bytes(sum, sizeof sum, bytes, ui->view.context.unit);
	page_begin(page);
	line_print(&ui->line, STYLE_DIM, " %zu more", lines->line_total - shown);
	if (part != MINUTE_GREW)
		line_print(&ui->line, STYLE_DIM, ": %u connection%s, %s", connections,
		    connections == 1 ? "" : "s", sum);
	page_put(page);
}

static void minute_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	struct page page = { .ui = ui, .sink = sink, .y = y, .end = end };
	size_t index = 0;

	if (update(ui) < 0) {
		page_text(&page, STYLE_PLAIN, " Not enough memory for this page.");
		page_end(&page);
		return;
	}
	struct shares shares = share(ui);

	find_cursor(ui, &shares);
	scroll_to_cursor(ui, &shares, end - y);
	draw_head(&page);
	for (int i = 0; i < MINUTE_PARTS; i++) {
		enum minute_part part = (enum minute_part)i;
		size_t shown = shown_lines(ui, &shares, part);

		if (i && shares.gaps)
			page_text(&page, STYLE_PLAIN, "");
		draw_titles(&page, part);
		if (!ui->minute.parts[i].line_total)
			page_text(&page, STYLE_DIM, part_nothing[i]);
		for (size_t j = 0; j < shown; j++, index++)
			draw_line(&page, part, &ui->minute.parts[i].lines[j], index);
		if (ui->minute.parts[i].line_total > shown)
			draw_more(&page, part, shown);
	}
	page_end(&page);
}

/* ---- keys ---- */

static unsigned go(struct ui *ui, const struct shares *shares)
{
	enum minute_part part;
	const struct minute_line *line = line_at(ui, shares, ui->minute_cursor.index, &part);

	if (!line)
		return REACTION_NONE;
	ui->details_from = MODE_MINUTE;
	ui->details_from_place = view_place(&ui->view);
	view_go_to(&ui->view, line->grouping, &line->row.session);
	ui->mode = MODE_DETAILS;
	return REACTION_NONE;
}

static unsigned minute_key(struct ui *ui, int code)
{
	const struct key *key = key_find(code);

	if (update(ui) < 0 || !key || (!key->chooses && key->motion == MOTION_NONE))
		return page_key(ui, code);
	struct shares shares = share(ui);
	size_t last = count_lines(ui, &shares), rows = ui->height > 3 ? ui->height - 3 : 1;
	size_t at;

	find_cursor(ui, &shares);
	at = ui->minute_cursor.index;
	if (key->chooses)
		return go(ui, &shares);
	const size_t places[MOTION_END + 1] = {
		[MOTION_UP] = at - (at > 0),
		[MOTION_DOWN] = at + 1,
		[MOTION_PAGE_UP] = at > rows ? at - rows : 0,
		[MOTION_PAGE_DOWN] = at + rows,
		[MOTION_HOME] = 0,
		[MOTION_END] = last,
	};

	select_line(ui, &shares, places[key->motion]);
	return REACTION_NONE;
}

static void minute_click(struct ui *ui, int index)
{
	if (update(ui) < 0)
		return;
	struct shares shares = share(ui);

	select_line(ui, &shares, (size_t)index);
}

static void minute_footer(struct ui *ui)
{
	ui_footer_key(ui, KEY_CODE_ESCAPE, "Esc", "Back  ");
	ui_footer_key(
	    ui, KEY_CODE_ENTER, "Enter", ui->width < MINUTE_CELLS_MIDDLE_FROM ? "Go  " : "Go there  ");
	page_scroll_footer(ui, "Select  ");
}

const struct mode minute_mode = {
	.open = page_open,
	.key = minute_key,
	.draw = minute_draw,
	.click = minute_click,
	.footer = minute_footer,
};
