/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/link_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/util.h"
#include "model/link.h"
#include "output/renderer.h"
#include "screen/mode.h"
#include "screen/page.h"
#include "screen/ui.h"

#define NAME_WIDE 15
#define NAME_NARROW 9
#define NAME_WIDE_FROM 60

static const struct links *shown_links(const struct ui *ui)
{
	return &view_traffic(&ui->view)->links;
}

/* ---- cells ---- */

#define CELL_MAX 48

struct link_column {
	const char *title;
	unsigned width;
	unsigned from_width; /* of the screen */
	void (*format)(const struct ui *ui, const struct link *link, char *cell);
};

static void format_link_rate(const struct ui *ui, const struct link *link, uint64_t bytes, char *cell)
{
	format_rate(cell, CELL_MAX, rate_per_s(bytes, link->span_ns), ui->view.context.unit);
}

static void cell_rx(const struct ui *ui, const struct link *link, char *cell)
{
	format_link_rate(ui, link, link->counts[LINK_RX_BYTES], cell);
}

static void cell_tx(const struct ui *ui, const struct link *link, char *cell)
{
	format_link_rate(ui, link, link->counts[LINK_TX_BYTES], cell);
}

static void cell_percent(int percent, const char *end, char *cell)
{
	if (percent < 0)
		snprintf(cell, CELL_MAX, "-");
	else
		snprintf(cell, CELL_MAX, "%d%%%s", percent, end);
}

/* "+": connections whose link is not known may use this one, too. */
static void cell_tcp(const struct ui *ui, const struct link *link, char *cell)
{
	const struct links *links = shown_links(ui);
	int percent = link_tcp_percent(link);
	bool more = percent < 100 && link->ifindex != LINK_LOOPBACK &&
	            (links->unplaced_rx_bytes || links->unplaced_tx_bytes);

	cell_percent(percent, more ? "+" : "", cell);
}

static void cell_used(const struct ui *ui, const struct link *link, char *cell)
{
	(void)ui;
	cell_percent(link_used_percent(link), "", cell);
}

/* "1Gb/s", "2.5Gb/s", "100Mb/s": as it stands on the device. */
static void cell_speed(const struct ui *ui, const struct link *link, char *cell)
{
	(void)ui;
	if (!link->speed_mbit)
		snprintf(cell, CELL_MAX, "-");
	else if (link->speed_mbit < 1000)
		snprintf(cell, CELL_MAX, "%uMb/s", link->speed_mbit);
	else if (link->speed_mbit % 1000)
		snprintf(cell, CELL_MAX, "%u.%uGb/s", link->speed_mbit / 1000, link->speed_mbit % 1000 / 100);
	else
		snprintf(cell, CELL_MAX, "%uGb/s", link->speed_mbit / 1000);
}

static void cell_count(const struct link *link, enum link_count rx, enum link_count tx, char *cell)
{
	snprintf(cell, CELL_MAX, "%llu", (unsigned long long)(link->counts[rx] + link->counts[tx]));
}

static void cell_drops(const struct ui *ui, const struct link *link, char *cell)
{
	(void)ui;
	cell_count(link, LINK_RX_DROPS, LINK_TX_DROPS, cell);
}

static void cell_errors(const struct ui *ui, const struct link *link, char *cell)
{
	(void)ui;
	cell_count(link, LINK_RX_ERRORS, LINK_TX_ERRORS, cell);
}

static void cell_packets(const struct ui *ui, const struct link *link, char *cell)
{
	(void)ui;
	snprintf(cell, CELL_MAX, "%llu",
	    (unsigned long long)rate_per_s(
	        link->counts[LINK_RX_PACKETS] + link->counts[LINK_TX_PACKETS], link->span_ns));
}

static void cell_payload(const struct ui *ui, const struct link *link, uint64_t bytes, char *cell)
{
	if (link->tcp_rx_bytes == LINK_TCP_UNKNOWN)
		snprintf(cell, CELL_MAX, "-");
	else
		format_link_rate(ui, link, bytes, cell);
}

static void cell_tcp_rx(const struct ui *ui, const struct link *link, char *cell)
{
	cell_payload(ui, link, link->tcp_rx_bytes, cell);
}

static void cell_tcp_tx(const struct ui *ui, const struct link *link, char *cell)
{
	cell_payload(ui, link, link->tcp_tx_bytes, cell);
}

/* A number is never cut: the widths hold the longest but those of the unit "bytes", which push the rest. */
static const struct link_column link_columns[] = {
	{ "RX", 10, 0, cell_rx },
	{ "TX", 10, 0, cell_tx },
	{ "TCP", 5, 0, cell_tcp },
	{ "USED", 5, 54, cell_used },
	{ "OF", 8, 60, cell_speed },
	{ "DROPS", 8, 66, cell_drops },
	{ "ERRORS", 7, 76, cell_errors },
	{ "PACKETS/S", 10, 90, cell_packets },
	{ "TCP RX", 10, 114, cell_tcp_rx },
	{ "TCP TX", 10, 114, cell_tcp_tx },
};

bool link_headline(const struct ui *ui, char *buffer, size_t size)
{
	const struct link *link = links_busiest(shown_links(ui));
	char used[CELL_MAX], speed[CELL_MAX], tcp[CELL_MAX], drops[CELL_MAX], rate[CELL_MAX];

	if (!link)
		return false;
	cell_used(ui, link, used);
	cell_speed(ui, link, speed);
	cell_tcp(ui, link, tcp);
	cell_drops(ui, link, drops);
	format_link_rate(ui, link, link_bytes(link), rate);
	/* Of what filters of the start leave out, TCP's part is not known. */
	bool has_speed = link->speed_mbit != 0, has_drops = *drops != '0';
	bool has_tcp = link_tcp_percent(link) >= 0 && !ui->run->filter_count;

	snprintf(buffer, size, "%s %s%s%s%s%s%s%s", link->name, has_speed ? used : rate,
	    has_speed ? " of " : "", has_speed ? speed : "", has_tcp ? " TCP " : "", has_tcp ? tcp : "",
	    has_drops ? " drops " : "", has_drops ? drops : "");
	return true;
}

/* ---- order ---- */

static int compare_links(const void *a, const void *b)
{
	const struct link *left = *(const struct link *const *)a, *right = *(const struct link *const *)b;

	if (link_bytes(left) != link_bytes(right))
		return COMPARE(link_bytes(right), link_bytes(left));
	return COMPARE(left->ifindex, right->ifindex);
}

/* The busiest first, when the page is opened: from then on each keeps its place. */
static void order_links(struct ui *ui, const struct links *links)
{
	const struct link **sorted = reallocarray(NULL, links->count + 1, sizeof *sorted);

	if (!sorted)
		return;
	for (size_t i = 0; i < links->count; i++)
		sorted[i] = &links->items[i];
	qsort(sorted, links->count, sizeof *sorted, compare_links);
	for (ui->link_order_count = 0;
	     ui->link_order_count < links->count && ui->link_order_count < UI_LINKS_HELD;
	     ui->link_order_count++)
		ui->link_order[ui->link_order_count] = sorted[ui->link_order_count]->ifindex;
	free(sorted);
}

static bool is_held(const struct ui *ui, uint32_t ifindex)
{
	for (size_t i = 0; i < ui->link_order_count; i++)
		if (ui->link_order[i] == ifindex)
			return true;
	return false;
}

/* ---- the page ---- */

static void draw_titles(struct page *page)
{
	struct ui *ui = page->ui;
	unsigned name = ui->width >= NAME_WIDE_FROM ? NAME_WIDE : NAME_NARROW;

	page_begin(page);
	line_print(&ui->line, STYLE_HEAD, " %-*s", (int)name, "LINK");
	for (size_t i = 0; i < COUNT_OF(link_columns); i++)
		if (ui->width >= link_columns[i].from_width)
			line_print(
			    &ui->line, STYLE_HEAD, " %*s", (int)link_columns[i].width, link_columns[i].title);
	line_pad(&ui->line, STYLE_HEAD, ui->width);
	page_put(page);
}

static void draw_link(struct page *page, const struct link *link)
{
	struct ui *ui = page->ui;
	unsigned name = ui->width >= NAME_WIDE_FROM ? NAME_WIDE : NAME_NARROW;
	enum style style = link_bytes(link) ? STYLE_PLAIN : STYLE_DIM;

	page_begin(page);
	line_print(&ui->line, style, " ");
	line_untrusted(&ui->line, style, link->name, strlen(link->name), name);
	line_pad(&ui->line, style, 1 + name);
	for (size_t i = 0; i < COUNT_OF(link_columns); i++) {
		const struct link_column *column = &link_columns[i];
		char cell[CELL_MAX];

		if (ui->width < column->from_width)
			continue;
		column->format(ui, link, cell);
		bool is_loss =
		    (column->format == cell_drops || column->format == cell_errors) && strcmp(cell, "0") != 0;

		line_print(&ui->line, is_loss ? STYLE_ALERT : style, " %*s", (int)column->width, cell);
	}
	page_put(page);
}

static void draw_unplaced(struct page *page, const struct links *links)
{
	const struct ui *ui = page->ui;
	uint64_t interval_ns = view_traffic(&ui->view)->interval_ns;
	char rx[CELL_MAX], tx[CELL_MAX], note[320];

	if (!links->unplaced_rx_bytes && !links->unplaced_tx_bytes)
		return;
	format_rate(rx, sizeof rx, rate_per_s(links->unplaced_rx_bytes, interval_ns), ui->view.context.unit);
	format_rate(tx, sizeof tx, rate_per_s(links->unplaced_tx_bytes, interval_ns), ui->view.context.unit);
	snprintf(note, sizeof note,
	    " + TCP may be more: connections whose link is not known, most often of containers (other "
	    "network "
	    "namespaces), received %s and sent %s.",
	    rx, tx);
	page_text(page, STYLE_PLAIN, note);
}

static void draw_notes(struct page *page, const struct links *links)
{
	const struct run *run = page->ui->run;

	page_text(page, STYLE_PLAIN, "");
	draw_unplaced(page, links);
	if (run->filter_count)
		page_text(page, STYLE_PLAIN, " TCP is only what passes the filters given at the start.");
	page_text(page, STYLE_PLAIN,
	    " TCP: payload of the connections with an address of the link, in percent of its bytes, both "
	    "averaged "
	    "over some 10 s, as a message may be received after its packets. The rest is headers, "
	    "retransmits, and what is not TCP. With full packets TCP alone is some 95%, with "
	    "small ones less.");
	page_text(page, STYLE_PLAIN,
	    " TCP -: not known; no address, or it carries VLANs. DROPS: of the device in the interval, not "
	    "of queues (tc -s qdisc).");
	page_text(page, STYLE_PLAIN,
	    page->ui->replay ? " A recording has only the links that moved something."
	                     : " Interfaces of other network namespaces are not shown.");
}

static void links_open(struct ui *ui)
{
	page_open(ui);
	ui->link_order_count = 0;
}

static void links_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	struct page page = { .ui = ui, .sink = sink, .y = y, .end = end };
	const struct links *links = shown_links(ui);

	if (!ui->link_order_count)
		order_links(ui, links);
	draw_titles(&page);
	if (!links->count)
		page_text(&page, STYLE_PLAIN,
		    ui->replay ? " The recording has no links in this interval." : " No link is known yet.");
	for (size_t i = 0; i < ui->link_order_count; i++) {
		const struct link *link = links_find(links, ui->link_order[i]);

		if (link)
			draw_link(&page, link);
	}
	for (size_t i = 0; i < links->count; i++)
		if (!is_held(ui, links->items[i].ifindex))
			draw_link(&page, &links->items[i]);
	draw_notes(&page, links);
	page_end(&page);
}

const struct mode links_mode = {
	.open = links_open,
	.key = page_key,
	.draw = links_draw,
	.footer = page_footer,
};
