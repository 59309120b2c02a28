/* SPDX-License-Identifier: Apache-2.0 */
/* What the modes that take the whole screen but title and footer have in common: their lines scroll. */
#ifndef TCPTOP_PAGE_H
#define TCPTOP_PAGE_H

#include <stdbool.h>

#include "table/line.h"

struct session;
struct ui;

#define PAGE_LABEL_WIDTH 12
#define PAGE_TEXT_WIDTH 100 /* longer lines are hard to read */

/* A page that scrolls: all its lines are drawn, the visible ones are put. */
struct page {
	struct ui *ui;
	const struct line_sink *sink;
	unsigned y;
	unsigned end;
	unsigned drawn;
};

/* Begins ui->line; puts it; puts trusted ASCII, broken at blanks to as many lines as it needs; ends the page. */
void page_begin(struct page *page);
void page_put(struct page *page);
void page_text(struct page *page, enum style style, const char *text);

/* Whether the line that is put next is on the screen. */
bool page_is_seen(const struct page *page);
void page_end(struct page *page);

/* Of struct mode: the page from its top, its keys and footer. */
void page_open(struct ui *ui);
unsigned page_key(struct ui *ui, int code);
void page_footer(struct ui *ui);

/* The end of a footer: what up and down do, and how much is below. */
void page_scroll_footer(struct ui *ui, const char *what);

/* "curl (1234)", to so many columns; "-" where the process is not known. The name is cut rather than what tells it from others. */
void page_process(struct ui *ui, const struct session *session, unsigned width);

/* A label and untrusted text, on as many lines as it needs. */
void page_detail(struct page *page, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
