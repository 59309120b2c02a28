/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/minute_cells.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "screen/ui.h"

#define CELL_MAX 48

/* The screen's widths from which on there is more room for names, and for the columns of connections. */
#define NAME_NARROW 14
#define NAME_MIDDLE 20
#define NAME_WIDE 26
#define MIDDLE_FROM MINUTE_CELLS_MIDDLE_FROM
#define WIDE_FROM 100

static void format_sum(const struct ui *ui, uint64_t bytes, char *cell)
{
	format_amount(cell, CELL_MAX, bytes, ui->view.context.unit, 8);
}

static void format_speed(const struct ui *ui, uint64_t bytes_per_s, char *cell)
{
	format_rate(cell, CELL_MAX, bytes_per_s, ui->view.context.unit);
}

static void cell_connections(
    const struct ui *ui, enum minute_part part, const struct change *change, char *cell)
{
	(void)ui;
	(void)part;
	format_count(cell, CELL_MAX, change->connections, 5);
}

static void cell_open(const struct ui *ui, enum minute_part part, const struct change *change, char *cell)
{
	(void)ui;
	*cell = '\0';
	if (part != MINUTE_GREW)
		format_count(cell, CELL_MAX, change->open, 5);
}

static void cell_left(const struct ui *ui, enum minute_part part, const struct change *change, char *cell)
{
	if (part == MINUTE_GREW)
		format_speed(ui, change->before_bytes_per_s, cell);
	else
		format_sum(ui, change->rx_bytes, cell);
}

static void cell_right(const struct ui *ui, enum minute_part part, const struct change *change, char *cell)
{
	if (part == MINUTE_GREW)
		format_speed(ui, change->now_bytes_per_s, cell);
	else
		format_sum(ui, change->tx_bytes, cell);
}

static void cell_both(const struct ui *ui, enum minute_part part, const struct change *change, char *cell)
{
	if (part == MINUTE_GREW)
		format_speed(ui, change->now_bytes_per_s, cell);
	else
		format_sum(ui, change->rx_bytes + change->tx_bytes, cell);
}

/* When, or how many times as much. */
static void cell_when(const struct ui *ui, enum minute_part part, const struct change *change, char *cell)
{
	double before = (double)change->before_bytes_per_s, now = (double)change->now_bytes_per_s;

	(void)ui;
	if (part != MINUTE_GREW)
		format_clock(cell, CELL_MAX, change->last.wall_s);
	else if (!change->before_bytes_per_s)
		snprintf(cell, CELL_MAX, "new");
	else if (now / before >= 1000)
		snprintf(cell, CELL_MAX, ">999x");
	else
		snprintf(cell, CELL_MAX, "%.*fx", now / before < 10 ? 1 : 0, now / before);
}

static void cell_port(const struct ui *ui, enum minute_part part, const struct change *change, char *cell)
{
	(void)ui;
	(void)part;
	*cell = '\0';
	if (change->connections && change->same_lport)
		snprintf(cell, CELL_MAX, "%u", change->example.lport);
	else if (change->connections)
		snprintf(cell, CELL_MAX, "*");
}

/* From up to before these widths of the screen; 0: any. Long figures push the rest. */
static const struct minute_column {
	const char *titles[MINUTE_PARTS];
	unsigned width;
	unsigned from_width, below_width;
	void (*format)(const struct ui *ui, enum minute_part part, const struct change *change, char *cell);
} minute_columns[] = {
	{ { "COUNT", "COUNT", "COUNT" }, 5, 0, 0, cell_connections },
	{ { "OPEN", "IDLE", "" }, 5, WIDE_FROM, 0, cell_open },
	{ { "RX", "RX", "BEFORE" }, 8, MIDDLE_FROM, 0, cell_left },
	{ { "TX", "TX", "NOW" }, 8, MIDDLE_FROM, 0, cell_right },
	{ { "RX+TX", "RX+TX", "NOW" }, 8, 0, MIDDLE_FROM, cell_both },
	{ { "LATEST", "LATEST", "TIMES" }, 8, 0, 0, cell_when },
	{ { "LPORT", "LPORT", "LPORT" }, 5, MIDDLE_FROM, 0, cell_port },
};

#define REMOTE_WIDE 32
#define OWNERS_FROM 140

static bool is_shown(const struct ui *ui, const struct minute_column *column)
{
	return ui->width >= column->from_width && (!column->below_width || ui->width < column->below_width);
}

static unsigned name_width(const struct ui *ui)
{
	return ui->width < MIDDLE_FROM ? NAME_NARROW : ui->width < WIDE_FROM ? NAME_MIDDLE : NAME_WIDE;
}

/* "nginx (812)", "curl (40 PIDs)": the name is cut rather than what tells it from others. */
static void put_name(struct ui *ui, const struct minute_line *line)
{
	const struct session *session = &line->row.session;
	unsigned width = name_width(ui);
	char end[32];

	if (line->grouping == GROUPING_PROGRAM)
		snprintf(end, sizeof end, " (%u PIDs)", line->change.processes);
	else
		snprintf(end, sizeof end, " (%u)", session->pid);
	line_untrusted(
	    &ui->line, STYLE_PLAIN, session->comm, strlen(session->comm), width - (unsigned)strlen(end));
	line_print(&ui->line, STYLE_PLAIN, "%s", end);
	line_pad(&ui->line, STYLE_PLAIN, 1 + width);
}

/* A column of the table, of one connection or of what all have in common. */
static void put_table_cell(
    struct ui *ui, const char *id, enum grouping grouping, const struct row *row, unsigned width)
{
	struct column_context context = ui->view.context;
	struct cell cell = { .width = width };

	context.grouping = grouping;
	column_find(id)->format(&context, row, &cell);
	line_add(&ui->line, STYLE_PLAIN, cell.text, cell.columns);
}

/* "203.0.113.84:51312", the host alone, "*:443", or "*". */
static void put_remote(struct ui *ui, const struct change *change)
{
	struct row row = { .session = change->example, .members = 1 };
	unsigned left = ui->width > ui->line.columns ? ui->width - ui->line.columns : 0;

	if (!change->connections)
		return;
	if (change->same_raddr)
		put_table_cell(ui, "raddr", change->same_rport ? GROUPING_NONE : GROUPING_REMOTE, &row,
		    left < REMOTE_WIDE ? left : REMOTE_WIDE);
	else if (change->same_rport)
		line_print(&ui->line, STYLE_PLAIN, "*:%u", change->example.rport);
	else
		line_print(&ui->line, STYLE_PLAIN, "*");
}

void minute_cells_titles(struct ui *ui, enum minute_part part, const char *title)
{
	line_print(&ui->line, STYLE_HEAD, " %-*.*s", (int)name_width(ui), (int)name_width(ui), title);
	for (size_t i = 0; i < COUNT_OF(minute_columns); i++)
		if (is_shown(ui, &minute_columns[i]))
			line_print(&ui->line, STYLE_HEAD, " %*s", (int)minute_columns[i].width,
			    minute_columns[i].titles[part]);
	if (ui->width >= MIDDLE_FROM)
		line_print(&ui->line, STYLE_HEAD, " REMOTE");
	if (ui->width >= OWNERS_FROM) {
		line_pad(&ui->line, STYLE_HEAD, OWNERS_FROM - REMOTE_WIDE);
		line_print(&ui->line, STYLE_HEAD, " CONTAINER");
	}
	line_pad(&ui->line, STYLE_HEAD, ui->width);
}

void minute_cells_line(struct ui *ui, enum minute_part part, const struct minute_line *line)
{
	line_print(&ui->line, STYLE_PLAIN, " ");
	put_name(ui, line);
	for (size_t i = 0; i < COUNT_OF(minute_columns); i++) {
		char cell[CELL_MAX];

		if (!is_shown(ui, &minute_columns[i]))
			continue;
		minute_columns[i].format(ui, part, &line->change, cell);
		line_print(&ui->line, STYLE_PLAIN, " %*s", (int)minute_columns[i].width, cell);
	}
	if (ui->width >= MIDDLE_FROM) {
		line_print(&ui->line, STYLE_PLAIN, " ");
		put_remote(ui, &line->change);
	}
	if (ui->width >= OWNERS_FROM) {
		line_pad(&ui->line, STYLE_PLAIN, OWNERS_FROM - REMOTE_WIDE + 1);
		put_table_cell(ui, "container", line->grouping, &line->row, REMOTE_WIDE);
	}
}
