/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the table, with the header above and a menu beside them. */
#ifndef TCPTOP_TABLE_LINES_H
#define TCPTOP_TABLE_LINES_H

struct layout;
struct line_sink;
struct row;
struct ui;

/* What is drawn at the left of the titles and of each row, from an empty line on. */
struct table_side {
	unsigned width;
	void (*title)(struct ui *ui, unsigned width);
	void (*line)(struct ui *ui, unsigned index, unsigned width);
};

/* Puts header, column titles and rows at the lines from y to before `end`. side: NULL when there is none. */
void table_lines_draw(
    struct ui *ui, unsigned y, unsigned end, const struct table_side *side, const struct line_sink *sink);

/* How many rows have room: where only a part is listed, a line says what that adds up to. */
unsigned table_lines_rows(const struct ui *ui);

/* Append the column titles and a row to ui->line. */
void table_lines_titles(struct ui *ui, const struct layout *layout);
void table_lines_row(struct ui *ui, const struct layout *layout, const struct row *row);

#endif
