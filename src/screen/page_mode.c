/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "table/endpoint.h"
#include "screen/keys.h"
#include "screen/ui.h"
#include "names/names.h"
#include "output/renderer.h"
#include "model/snapshot.h"

#define HELP_COLUMN 39
#define HELP_KEYS 11
#define GRAPH_LINES 6

/* A page that scrolls: lines are made one by one, those in sight are put. */
struct page {
	struct display *display;
	const struct line_sink *sink;
	unsigned y;
	unsigned end;
	unsigned made;
};

static void page_begin(struct page *page)
{
	line_begin(&page->display->line, page->display->width, page->display->utf8, STYLE_PLAIN);
}

static void page_put(struct page *page)
{
	if (page->made >= page->display->scroll && page->y < page->end)
		page->sink->put(page->sink->to, page->y++, &page->display->line);
	page->made++;
}

static void page_end(struct page *page)
{
	page->display->page_lines = page->made;
	while (page->y < page->end) {
		page_begin(page);
		page->sink->put(page->sink->to, page->y++, &page->display->line);
	}
}

static void page_text(struct page *page, enum style style, const char *text)
{
	page_begin(page);
	line_print(&page->display->line, style, "%s", text);
	page_put(page);
}

/* ---- help ---- */

static void help_key(struct line *line, const struct key *key)
{
	unsigned start = line->columns;

	line_print(line, STYLE_STRONG, " %s", key->names);
	line_pad(line, STYLE_PLAIN, start + HELP_KEYS);
	line_print(line, STYLE_PLAIN, "%s", key->help);
}

static void help_losses(struct page *page)
{
	struct display *display = page->display;
	const struct traffic *traffic = view_traffic(&display->view);
	const struct session_other *other = &traffic->other_total;
	char rx[48], tx[48];

	if (traffic->missed_total || other->calls)
		page_text(page, STYLE_PLAIN, "");
	if (traffic->missed_total) {
		page_begin(page);
		line_print(&display->line, STYLE_STRONG, " Missed: %llu events, which the kernel skipped.",
		    (unsigned long long)traffic->missed_total);
		page_put(page);
		page_text(page, STYLE_PLAIN, "   What they moved is in no figure.");
	}
	if (other->calls) {
		paint_bytes(rx, sizeof rx, display, other->rx_bytes);
		paint_bytes(tx, sizeof tx, display, other->tx_bytes);
		page_begin(page);
		line_print(&display->line, STYLE_STRONG, " Other sessions: RX %s, TX %s in %llu call%s.", rx,
		    tx, (unsigned long long)other->calls, other->calls == 1 ? "" : "s");
		page_put(page);
		page_text(
		    page, STYLE_PLAIN, "   The table was full: they are in the totals, but have no rows.");
		page_text(page, STYLE_PLAIN, "   Start with a greater --max-sessions.");
	}
}

static void help_not_counted(struct page *page)
{
	const struct run_facts *facts = page->display->facts;

	if (!facts->not_counted_count)
		return;
	page_text(page, STYLE_PLAIN, "");
	page_text(page, STYLE_STRONG, " Not counted by this probe method on this kernel:");
	for (size_t i = 0; i < facts->not_counted_count; i++) {
		page_begin(page);
		line_print(&page->display->line, STYLE_PLAIN, "   ");
		line_untrusted(&page->display->line, STYLE_PLAIN, facts->not_counted[i],
		    strlen(facts->not_counted[i]), page->display->width - 4);
		page_put(page);
	}
}

void paint_help(struct display *display, unsigned y, unsigned end, const struct line_sink *sink)
{
	struct page page = { .display = display, .sink = sink, .y = y, .end = end };
	bool two = display->width >= 2 * HELP_COLUMN;
	size_t half = two ? (key_count + 1) / 2 : key_count;

	for (size_t i = 0; i < half; i++) {
		page_begin(&page);
		help_key(&display->line, &key_table[i]);
		if (two && half + i < key_count) {
			line_pad(&display->line, STYLE_PLAIN, HELP_COLUMN);
			help_key(&display->line, &key_table[half + i]);
		}
		page_put(&page);
	}
	page_text(&page, STYLE_PLAIN, "");
	page_text(&page, STYLE_PLAIN, " RX is what processes received, TX what they sent, as they moved it.");
	page_text(&page, STYLE_PLAIN, " Dimmed rows have been quiet for some intervals and will go.");
	help_losses(&page);
	help_not_counted(&page);
	page_end(&page);
}

/* ---- details ---- */

#define LABEL_WIDTH 12

/* A label and anybody's text, which goes on in further lines where it is long. */
static void detail(struct page *page, const char *label, const char *format, ...)
{
	struct display *display = page->display;
	char text[4096], shown[LINE_COLUMNS_MAX * 4];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	unsigned room = display->width > LABEL_WIDTH + 2 ? display->width - LABEL_WIDTH - 2 : 1;
	size_t length = strlen(text), at = 0;

	do {
		size_t part = length - at;
		unsigned columns;

		/* The longest part that fits uncut: escapes make four or more columns of a byte. */
		if (part > room)
			part = room;
		while (part > 1 && at + part < length && ((unsigned char)text[at + part] & 0xc0) == 0x80)
			part--;
		while ((columns = line_fit(shown, sizeof shown, text + at, part, 10 * room, display->utf8)) >
		           room &&
		       part > 1) {
			part -= part > room / 4 + 1 ? room / 4 : 1;
			while (part > 1 && ((unsigned char)text[at + part] & 0xc0) == 0x80)
				part--;
		}
		page_begin(page);
		line_print(&display->line, STYLE_DIM, " %-*s ", LABEL_WIDTH - 1, at ? "" : label);
		line_untrusted(&display->line, STYLE_PLAIN, text + at, part, room);
		page_put(page);
		at += part;
	} while (at < length);
}

static void endpoint_detail(
    struct page *page, const char *label, uint8_t family, const uint8_t *address, uint16_t port)
{
	struct display *display = page->display;
	const char *service = names_port(display->names, port);
	const char *host =
	    display->view.context.host_names ? names_host(display->names, family, address) : NULL;
	struct endpoint endpoint = { .family = family, .address = address, .has_port = true, .port = port };
	char text[ENDPOINT_SIZE];

	endpoint_format(text, sizeof text, &endpoint, 80, display->utf8);
	detail(page, label, "%s%s%s%s%s%s", text, host ? "  " : "", host ? host : "", service ? "  (" : "",
	    service ? service : "", service ? ")" : "");
}

static void amount_detail(struct page *page, const char *label, uint64_t rx_bytes, uint64_t tx_bytes)
{
	char rx[32], tx[32];

	unit_format(rx, sizeof rx, rx_bytes, UNIT_HUMAN, 20);
	unit_format(tx, sizeof tx, tx_bytes, UNIT_HUMAN, 20);
	detail(page, label, "RX %llu B (%s)   TX %llu B (%s)", (unsigned long long)rx_bytes, rx,
	    (unsigned long long)tx_bytes, tx);
}

static void peer_detail(struct page *page, const struct row *row)
{
	const struct view *view = &page->display->view;
	const struct row *peer = view_peer(view, row);

	if (peer)
		detail(page, "Other end", "%s, PID %u, on this host%s", peer->session.comm, peer->session.pid,
		    peer->session.netns == row->session.netns ? "" : " in another network namespace");
}

static void graph_detail(struct page *page, const struct row *row)
{
	struct display *display = page->display;
	struct series series = traffic_row_series(view_traffic(&display->view), row);
	char graph[ROW_POINTS * 3 + 1], peak[64];

	paint_peak(peak, sizeof peak, display, history_peak(&series, ROW_POINTS));
	detail(page, "History", "RX and TX together, %u interval%s, peak %s", series.count,
	    series.count == 1 ? "" : "s", peak);
	for (unsigned i = 0; i < GRAPH_LINES; i++) {
		page_begin(page);
		line_pad(&display->line, STYLE_PLAIN, LABEL_WIDTH + 1);
		if (display->width > LABEL_WIDTH + 1 + ROW_POINTS || display->line.utf8 == false ||
		    display->width >= LABEL_WIDTH + 8) {
			unsigned room = display->width - LABEL_WIDTH - 2;
			unsigned columns =
			    history_graph(graph, sizeof graph, &series, room < ROW_POINTS ? room : ROW_POINTS,
			        GRAPH_LINES, GRAPH_LINES - 1 - i, display->utf8);

			line_add(&display->line, STYLE_RX, graph, columns);
		}
		page_put(page);
	}
}

static void who_detail(struct page *page, const struct row *row)
{
	struct display *display = page->display;
	const struct session *session = &row->session;
	char user[40], command[2048];

	detail(page, "Process", "%s, PID %u", session->comm, session->pid);
	if (names_command(display->names, session->pid, command, sizeof command))
		detail(page, "Command", "%s", command);
	if (session->uid != UINT32_MAX)
		detail(page, "User", "%s (uid %u)",
		    names_user(display->names, session->uid, user, sizeof user), session->uid);
	endpoint_detail(page, "Local", session->family, session->laddr, session->lport);
	endpoint_detail(page, "Remote", session->family, session->raddr, session->rport);
	peer_detail(page, row);
	if (row->container) {
		detail(page, "Container", "%s", names_container_text(display->names, row->container));
		detail(page, "Cgroup", "%s (%llu)", names_container_path(display->names, row->container),
		    (unsigned long long)session->cgroup_id);
	}
	if (session->mntns)
		detail(page, "Namespaces", "network %u   mount %u", session->netns, session->mntns);
	else
		detail(page, "Namespaces", "network %u", session->netns);
	if (session->rtt_us)
		detail(page, "TCP", "round-trip time %.3f ms   %u segment%s sent again",
		    session->rtt_us / 1000.0, session->retransmits, session->retransmits == 1 ? "" : "s");
	else if (!display_measures(display, column_find("rtt")))
		detail(page, "TCP", "RTT and retransmits: start with --columns ...,rtt,retrans");
}

void paint_details(struct display *display, unsigned y, unsigned end, const struct line_sink *sink)
{
	struct page page = { .display = display, .sink = sink, .y = y, .end = end };
	const struct traffic *traffic = view_traffic(&display->view);
	size_t index = rows_find(&traffic->rows, &display->view.selected);
	char clock[16], span[32], rx[64], tx[64];

	if (index == ROW_NONE) {
		page_text(&page, STYLE_PLAIN, " This session is gone. Esc goes back.");
		page_end(&page);
		return;
	}
	const struct row *row = &traffic->rows.rows[index];

	who_detail(&page, row);
	paint_clock(clock, sizeof clock, row->first_seen_s);
	unit_format_seconds(span, sizeof span,
	    traffic->time.tv_sec > row->first_seen_s
	        ? (uint64_t)(traffic->time.tv_sec - row->first_seen_s) * 1000
	        : 0);
	detail(&page, "First seen", "%s, %s ago", clock, span);
	if (row->seen_tick != traffic->tick)
		detail(&page, "State", "quiet for %u interval%s", traffic->tick - row->seen_tick,
		    traffic->tick - row->seen_tick == 1 ? "" : "s");
	paint_rate(rx, sizeof rx, display, unit_rate(row->session.rx_bytes, traffic->interval_ns));
	paint_rate(tx, sizeof tx, display, unit_rate(row->session.tx_bytes, traffic->interval_ns));
	detail(&page, "Rate", "RX %s   TX %s", rx, tx);
	amount_detail(&page, "Interval", row->session.rx_bytes, row->session.tx_bytes);
	amount_detail(&page, "Total", row->rx_total_bytes, row->tx_total_bytes);
	page_text(&page, STYLE_PLAIN, "");
	graph_detail(&page, row);
	page_end(&page);
}
