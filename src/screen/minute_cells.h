/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of the page of the last minute. */
#ifndef TCPTOP_MINUTE_CELLS_H
#define TCPTOP_MINUTE_CELLS_H

#include "table/minute.h"

struct ui;

/* The screen's width from which on there is more room for names and titles. */
#define MINUTE_CELLS_MIDDLE_FROM 60

/* Appends a part's title, cut to its column, and those of the columns to ui->line, a whole line. Trusted ASCII. */
void minute_cells_titles(struct ui *ui, enum minute_part part, const char *title);

/* Appends a line of a part to ui->line. */
void minute_cells_line(struct ui *ui, enum minute_part part, const struct minute_line *line);

#endif
