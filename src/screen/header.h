/* SPDX-License-Identifier: Apache-2.0 */
/* The lines above the table: title, totals, status. Each is drawn into ui->line. */
#ifndef TCPTOP_HEADER_H
#define TCPTOP_HEADER_H

struct layout_lines;
struct ui;

void header_title(struct ui *ui);

/* Line `at` of the totals, from 0 to lines->header - 3. */
void header_totals(struct ui *ui, const struct layout_lines *lines, unsigned at);

void header_status(struct ui *ui);

/* Appends the filters to ui->line, of which those are dropped for which there is no room. */
void header_filters(struct ui *ui);

#endif
