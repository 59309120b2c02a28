/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "screen/ui.h"

void page_begin(struct page *page)
{
	line_begin(&page->ui->line, page->ui->width, page->ui->utf8, STYLE_PLAIN);
}

bool page_is_seen(const struct page *page)
{
	return page->drawn >= page->ui->scroll && page->y < page->end;
}

void page_put(struct page *page)
{
	if (page_is_seen(page))
		page->sink->put(page->sink->to, page->y++, &page->ui->line);
	page->drawn++;
}

void page_end(struct page *page)
{
	page->ui->page_lines = page->drawn;
	while (page->y < page->end) {
		page_begin(page);
		page->sink->put(page->sink->to, page->y++, &page->ui->line);
	}
}

void page_text(struct page *page, enum style style, const char *text)
{
	struct ui *ui = page->ui;
	size_t indent = strspn(text, " ");
	size_t width = ui->width < PAGE_TEXT_WIDTH ? ui->width : PAGE_TEXT_WIDTH;
	size_t room = width > indent + 1 ? width - indent - 1 : 1;

	text += indent;
	do {
		size_t length = strlen(text), part = length;

		if (length > room)
			for (part = room; part > 1 && text[part] != ' ';)
				part--;
		page_begin(page);
		line_pad(&ui->line, STYLE_PLAIN, (unsigned)indent);
		line_print(&ui->line, style, "%.*s", (int)part, text);
		page_put(page);
		text += part;
		text += strspn(text, " ");
	} while (*text);
}

/* Where a line ends: behind a blank, if one is near; the blank is the last of it. */
static size_t at_blank(const char *text, size_t part, size_t length)
{
	if (part >= length || text[part - 1] == ' ')
		return part;
	for (size_t end = part; end > part / 2; end--)
		if (text[end - 1] == ' ')
			return end;
	return part;
}

void page_detail(struct page *page, const char *label, const char *format, ...)
{
	struct ui *ui = page->ui;
	char text[4096], shown[LINE_COLUMNS_MAX * 4];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	unsigned room = ui->width > PAGE_LABEL_WIDTH + 2 ? ui->width - PAGE_LABEL_WIDTH - 2 : 1;
	size_t length = strlen(text), at = 0;

	do {
		size_t part = length - at;
		unsigned columns;

		/* The longest part that fits uncut: an escaped byte takes four columns or more. */
		if (part > room)
			part = room;
		while (part > 1 && at + part < length && ((unsigned char)text[at + part] & 0xc0) == 0x80)
			part--;
		while (
		    (columns = line_fit(shown, sizeof shown, text + at, part, 10 * room, ui->utf8)) > room &&
		    part > 1) {
			part -= part > room / 4 + 1 ? room / 4 : 1;
			while (part > 1 && ((unsigned char)text[at + part] & 0xc0) == 0x80)
				part--;
		}
		part = at_blank(text + at, part, length - at);
		page_begin(page);
		line_print(&ui->line, STYLE_DIM, " %-*s ", PAGE_LABEL_WIDTH - 1, at ? "" : label);
		line_untrusted(&ui->line, STYLE_PLAIN, text + at, part, room);
		page_put(page);
		at += part;
	} while (at < length);
}

void page_process(struct ui *ui, const struct session *session, unsigned width)
{
	unsigned begin = ui->line.columns;
	char end[16];

	snprintf(end, sizeof end, " (%u)", session->pid);
	if (session->pid) {
		line_untrusted(&ui->line, STYLE_PLAIN, session->comm, strlen(session->comm),
		    width - (unsigned)strlen(end));
		line_print(&ui->line, STYLE_PLAIN, "%s", end);
	} else {
		line_print(&ui->line, STYLE_DIM, "-");
	}
	line_pad(&ui->line, STYLE_PLAIN, begin + width);
}
