/* SPDX-License-Identifier: Apache-2.0 */
/* The page of connections that have ended: who connected to whom, how long it took and lasted, and how it ended. */
#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "base/util.h"
#include "model/latest.h"
#include "output/renderer.h"
#include "screen/header.h"
#include "screen/mode.h"
#include "screen/page.h"
#include "screen/ui.h"
#include "table/endpoint.h"

#define CELL_MAX 48

/* The screen's widths from which on there is room for more. */
#define MIDDLE_FROM 60
#define WIDE_FROM 110
#define BOTH_FROM 130

#define HOW_WIDTH 16
#define HOW_NARROW 12
#define REASON_WIDTH 24

static unsigned name_width(const struct ui *ui)
{
	return ui->width < MIDDLE_FROM ? 12 : ui->width < WIDE_FROM ? 16 : 24;
}

/* ---- cells ---- */

static void cell_ended(const struct ui *ui, const struct latest_item *item, char *cell)
{
	(void)ui;
	format_clock(cell, CELL_MAX, item->ended_s);
}

static void put_time(uint64_t us, char *cell)
{
	if (us == CONNECTION_UNKNOWN)
		snprintf(cell, CELL_MAX, "-");
	else
		format_duration(cell, CELL_MAX, us);
}

/* For the remote to answer or, on this side of one that a listener accepted, for its process. */
static void cell_waited(const struct ui *ui, const struct latest_item *item, char *cell)
{
	const struct connection *connection = &item->connection;

	(void)ui;
	put_time(connection->session.accepted == ANSWER_YES ? connection->accept_us : connection->connect_us,
	    cell);
}

static void cell_retries(const struct ui *ui, const struct latest_item *item, char *cell)
{
	(void)ui;
	*cell = '\0';
	if (item->connection.syn_retries)
		format_count(cell, CELL_MAX, item->connection.syn_retries, 4);
}

static void cell_lived(const struct ui *ui, const struct latest_item *item, char *cell)
{
	(void)ui;
	put_time(item->connection.lived_us, cell);
}

static void cell_rx(const struct ui *ui, const struct latest_item *item, char *cell)
{
	format_amount(cell, CELL_MAX, item->connection.session.rx_bytes, ui->view.context.unit, 8);
}

static void cell_tx(const struct ui *ui, const struct latest_item *item, char *cell)
{
	format_amount(cell, CELL_MAX, item->connection.session.tx_bytes, ui->view.context.unit, 8);
}

/* Long figures push the rest. */
static const struct connection_column {
	const char *title;
	unsigned width;
	unsigned from_width; /* of the screen */
	void (*format)(const struct ui *ui, const struct latest_item *item, char *cell);
} columns_before[] = {
	{ "ENDED", 8, MIDDLE_FROM, cell_ended },
}, columns_after[] = {
	{ "WAITED", 7, 72, cell_waited },
	{ "SYN+", 4, 100, cell_retries },
	{ "LIVED", 7, MIDDLE_FROM, cell_lived },
	{ "RX", 8, 92, cell_rx },
	{ "TX", 8, 92, cell_tx },
};

static unsigned columns_width(const struct ui *ui, const struct connection_column *columns, size_t count)
{
	unsigned width = 0;

	for (size_t i = 0; i < count; i++)
		if (ui->width >= columns[i].from_width)
			width += 1 + columns[i].width;
	return width;
}

/* What is left for both ends. */
static unsigned ends_width(const struct ui *ui)
{
	unsigned taken =
	    1 + name_width(ui) + 1 + columns_width(ui, columns_before, COUNT_OF(columns_before)) +
	    columns_width(ui, columns_after, COUNT_OF(columns_after)) + 1 +
	    (ui->width < MIDDLE_FROM ? HOW_NARROW : HOW_WIDTH) + (ui->width < BOTH_FROM ? 0 : REASON_WIDTH);

	return ui->width > taken ? ui->width - taken : 0;
}

/* port: -1: without one. */
static void put_end(
    struct ui *ui, const uint8_t *address, int port, const struct session *session, unsigned width)
{
	const struct endpoint endpoint = { .family = session->family,
		.address = address,
		.zone = session_zone(session),
		.has_port = port >= 0,
		.port = (uint16_t)port };
	char text[ENDPOINT_SIZE];
	unsigned columns = endpoint_format(text, sizeof text, &endpoint, width, ui->utf8);

	line_add(&ui->line, STYLE_PLAIN, text, columns);
}

/* "> 10.0.0.7:443" is one that connected, ":80 < 10.0.0.9" one that a listener accepted. */
static void put_ends(struct ui *ui, const struct session *session)
{
	unsigned width = ends_width(ui), begin = ui->line.columns;
	const char *direction = session->accepted == ANSWER_YES  ? "<"
	                        : session->accepted == ANSWER_NO ? ">"
	                                                         : "-";

	if (ui->width >= BOTH_FROM) {
		put_end(ui, session->laddr, session->lport, session, (width - 3) / 2);
		line_pad(&ui->line, STYLE_PLAIN, begin + (width - 3) / 2);
		line_print(&ui->line, STYLE_DIM, " %s ", direction);
		put_end(ui, session->raddr, session->rport, session, (width - 3) / 2);
	} else {
		if (session->accepted != ANSWER_NO)
			line_print(&ui->line, STYLE_PLAIN, ":%u ", session->lport);
		line_print(&ui->line, STYLE_DIM, "%s ", direction);
		unsigned used = ui->line.columns - begin;

		/* the port of who connected to a listener tells nothing */
		put_end(ui, session->raddr, session->accepted == ANSWER_YES ? -1 : session->rport, session,
		    width > used ? width - used : 1);
	}
	line_pad(&ui->line, STYLE_PLAIN, begin + width);
}

static void put_columns(
    struct ui *ui, const struct connection_column *columns, size_t count, const struct latest_item *item)
{
	for (size_t i = 0; i < count; i++) {
		char cell[CELL_MAX];

		if (ui->width < columns[i].from_width)
			continue;
		snprintf(cell, sizeof cell, "%s", columns[i].title);
		if (item)
			columns[i].format(ui, item, cell);
		line_print(&ui->line, item ? STYLE_PLAIN : STYLE_HEAD, " %*s", (int)columns[i].width, cell);
	}
}

/* ---- the page ---- */

static void draw_titles(struct page *page)
{
	struct ui *ui = page->ui;

	page_begin(page);
	put_columns(ui, columns_before, COUNT_OF(columns_before), NULL);
	line_print(&ui->line, STYLE_HEAD, " %-*s ", (int)name_width(ui), "PROCESS");
	if (ui->width >= BOTH_FROM)
		line_print(&ui->line, STYLE_HEAD, "%-*s   %-*s", (int)(ends_width(ui) - 3) / 2, "LOCAL",
		    (int)(ends_width(ui) - 3 - (ends_width(ui) - 3) / 2), "REMOTE");
	else
		line_print(&ui->line, STYLE_HEAD, "%-*s", (int)ends_width(ui), "REMOTE");
	put_columns(ui, columns_after, COUNT_OF(columns_after), NULL);
	line_print(&ui->line, STYLE_HEAD, " HOW IT ENDED");
	line_pad(&ui->line, STYLE_HEAD, ui->width);
	page_put(page);
}

static void draw_connection(struct page *page, const struct latest_item *item)
{
	struct ui *ui = page->ui;
	const struct connection *connection = &item->connection;
	const char *how = connection_end_name(connection->end);

	page_begin(page);
	put_columns(ui, columns_before, COUNT_OF(columns_before), item);
	line_print(&ui->line, STYLE_PLAIN, " ");
	page_process(ui, &connection->session, name_width(ui));
	line_print(&ui->line, STYLE_PLAIN, " ");
	put_ends(ui, &connection->session);
	put_columns(ui, columns_after, COUNT_OF(columns_after), item);
	line_print(&ui->line, STYLE_PLAIN, " ");
	line_untrusted(&ui->line, connection_has_failed(connection) ? STYLE_ALERT : STYLE_PLAIN, how,
	    strlen(how), ui->width < MIDDLE_FROM ? HOW_NARROW : HOW_WIDTH);
	if (ui->width >= BOTH_FROM && *connection->reason) {
		line_print(&ui->line, STYLE_PLAIN, " ");
		line_untrusted(
		    &ui->line, STYLE_DIM, connection->reason, strlen(connection->reason), REASON_WIDTH - 1);
	}
	page_put(page);
}

static bool passes(struct ui *ui, const struct latest_item *item)
{
	struct row row = { .session = item->connection.session, .members = 1 };

	/* what is shown may be an earlier moment */
	return item->tick <= view_traffic(&ui->view)->tick &&
	       list_passes_ended(&ui->view.settings, &ui->view.context, &row);
}

/* "1234 ended: 12 refused, 3 reset by remote" of all, whatever the filter. */
static void draw_head(struct page *page)
{
	struct ui *ui = page->ui;
	const struct latest *latest = &ui->latest;
	uint64_t total = 0;
	const char *between = ": ";

	for (int i = 0; i < END_COUNT; i++)
		total += latest->ended[i];
	page_begin(page);
	line_print(&ui->line, STYLE_PLAIN, " %llu ended", (unsigned long long)total);
	for (int i = END_RESET; i < END_COUNT; i++) {
		if (!latest->ended[i])
			continue;
		line_print(&ui->line, STYLE_PLAIN, "%s%llu %s", between, (unsigned long long)latest->ended[i],
		    connection_end_name((enum connection_end)i));
		between = ", ";
	}
	line_print(&ui->line, STYLE_PLAIN, "  ");
	header_filters(ui);
	page_put(page);
	if (!latest->lost)
		return;
	page_begin(page);
	line_print(&ui->line, STYLE_ALERT, " %llu more found no place: see --max-sessions",
	    (unsigned long long)latest->lost);
	page_put(page);
}

static const char *say_nothing(const struct ui *ui)
{
	if (ui->replay)
		return " The recording tells of none up to now: it needs --connections.";
	if (!ui->run->can_tell_connections)
		return " This kernel cannot tell of connections that end.";
	return " None has ended since this page was opened.";
}

static void connections_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	struct page page = { .ui = ui, .sink = sink, .y = y, .end = end };
	const struct latest_item *item;
	size_t shown = 0;

	draw_head(&page);
	draw_titles(&page);
	for (size_t age = 0; (item = latest_at(&ui->latest, age)) != NULL; age++) {
		if (!passes(ui, item))
			continue;
		draw_connection(&page, item);
		shown++;
	}
	if (ui->latest.error) {
		page_begin(&page);
		line_print(
		    &ui->line, STYLE_ALERT, " They cannot be noted: %s", strerror((int)ui->latest.error));
		page_put(&page);
	} else if (!shown) {
		page_text(&page, STYLE_DIM,
		    ui->latest.count ? " None of the latest passes the filter." : say_nothing(ui));
	}
	page_end(&page);
}

const struct mode connections_mode = {
	.open = page_open,
	.key = page_key,
	.draw = connections_draw,
	.footer = page_footer,
};
