/* SPDX-License-Identifier: Apache-2.0 */
/* The modes that take the whole screen but title and footer: help and details. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "model/group.h"
#include "model/pairs.h"
#include "names/names.h"
#include "output/renderer.h"
#include "screen/keys.h"
#include "screen/group_page.h"
#include "screen/mode.h"
#include "screen/page.h"
#include "screen/table_mode.h"
#include "screen/ui.h"
#include "table/standing.h"
#include "table/endpoint.h"
#include "table/graph.h"

#define HELP_COLUMN 39
#define HELP_KEYS 11
#define GRAPH_LINES 6

#define WORDS_LABEL 18

/* A label and words beside it, or below it where the screen is narrow, on as many lines as they need. */
static void page_words(struct page *page, const char *label, const char *text)
{
	struct line *line = &page->ui->line;
	unsigned start = page->ui->width < 60 ? 2 : WORDS_LABEL;

	page_begin(page);
	line_print(line, STYLE_STRONG, " %s", label);
	if (*label && start < WORDS_LABEL) {
		page_put(page);
		page_begin(page);
	}
	while (*text) {
		size_t length = strcspn(text, " ");

		if (line->columns > start && line->columns + 1 + length > page->ui->width) {
			page_put(page);
			page_begin(page);
		}
		line_pad(line, STYLE_PLAIN, line->columns < start ? start : line->columns + 1);
		line_untrusted(line, STYLE_PLAIN, text, length, page->ui->width);
		text += length + strspn(text + length, " ");
	}
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

static void help_amount(
    struct page *page, const char *before, uint64_t rx_bytes, uint64_t tx_bytes, const char *after)
{
	enum unit unit = page->ui->view.context.unit;
	char rx[48], tx[48];

	format_bytes(rx, sizeof rx, rx_bytes, unit);
	format_bytes(tx, sizeof tx, tx_bytes, unit);
	page_begin(page);
	line_print(&page->ui->line, STYLE_STRONG, " %s: RX %s, TX %s%s", before, rx, tx, after);
	page_put(page);
}

static void help_loss(
    struct page *page, const char *before, uint64_t count, const char *after, const char *meaning)
{
	if (!count)
		return;
	page_begin(page);
	line_print(&page->ui->line, STYLE_STRONG, " %s%llu%s", before, (unsigned long long)count, after);
	page_put(page);
	page_text(page, STYLE_PLAIN, meaning);
}

static void help_losses(struct page *page)
{
	const struct traffic *traffic = view_traffic(&page->ui->view);
	const struct session_other *other = &traffic->other_total;
	char calls[64];

	help_loss(page, "Missed: ", traffic->missed_total, " events, which the kernel skipped.",
	    "   No figure includes their bytes.");
	help_loss(page, "Ends not seen: of ", traffic->endings_lost_total, " connections.",
	    "   They are shown as idle, but are closed.");
	if (other->calls) {
		snprintf(calls, sizeof calls, " in %llu call%s.", (unsigned long long)other->calls,
		    other->calls == 1 ? "" : "s");
		help_amount(page, "Other connections", other->rx_bytes, other->tx_bytes, calls);
		page_text(page, STYLE_PLAIN, "   The table was full: they are in the totals but not listed.");
		page_text(page, STYLE_PLAIN, "   Start with a greater --max-sessions.");
	}
}

/* What had to go because only so much is kept. */
static void help_gone(struct page *page)
{
	const struct traffic *traffic = view_traffic(&page->ui->view);
	char before[80];

	if (!traffic->rows_gone)
		return;
	page_text(page, STYLE_PLAIN, "");
	help_loss(page, "Dropped: the ", traffic->rows_gone, " connections that were idle for longest.",
	    "   The sums of processes, hosts and other groups include them.");
	for (int i = GROUPING_NONE + 1; i < GROUPING_COUNT; i++) {
		const struct gone *gone = &traffic->gone[i];

		if (!gone->left_groups)
			continue;
		snprintf(before, sizeof before, "Dropped: the oldest %llu %s",
		    (unsigned long long)gone->left_groups,
		    grouping_name((enum grouping)i, gone->left_groups != 1));
		help_amount(page, before, gone->left_rx_bytes, gone->left_tx_bytes, "");
	}
}

static void help_not_counted(struct page *page)
{
	const struct run *run = page->ui->run;

	if (run->method != PROBE_AUTO)
		page_words(page, "Counted by", probe_method_name(run->method));
	if (page->ui->not_counted)
		page_words(page, "Here", page->ui->not_counted);
	for (size_t i = 0; i < run->not_counted_count; i++)
		page_words(page, i ? "" : "Not counted", run->not_counted[i]);
}

/* What users ask first, and what they see; it has to fit above the fold of 80x24 with the keys that matter. */
static const struct {
	const char *label;
	const char *text;
} help_words[] = {
	{ "Who fills it?", "The first in the list. g: by process, host, ...; c: sums" },
	{ "Why did it stop?", "a lists idle and closed ones, too; Enter: when it ended" },
	{ "One pod?", "F4 and its container id, or g until CONTAINER; Enter" },
	{ "Look later?", TCPTOP_NAME " -o json > FILE; then " TCPTOP_NAME " --replay FILE" },
	{ "Esc", "One step back: page, group, filter, user, following" },
	{ "RX, TX", "What processes received and sent; 1KB is 1024 bytes" },
	{ "Dim, bold", "Idle or closed; over 1MB/s. Yellow: frozen. Red: lost" },
	{ "TOTAL, AGE", "Sum since the start or r; since its first traffic here" },
	{ "HISTORY", "Newest at the right; each line is as high as its own peak" },
	{ "SRTT, RETR SUM", "Round trip, smoothed; segments sent again in all its life" },
};

static void help_keys(struct page *page, bool motions)
{
	struct ui *ui = page->ui;
	bool two = ui->width >= 2 * HELP_COLUMN, left = true;

	for (size_t i = 0; i < key_count; i++) {
		if ((key_table[i].motion != MOTION_NONE) != motions || !key_table[i].names)
			continue;
		if (left)
			page_begin(page);
		else
			line_pad(&ui->line, STYLE_PLAIN, HELP_COLUMN);
		help_key(&ui->line, &key_table[i]);
		if (!two || !left)
			page_put(page);
		left = !two || !left;
	}
	if (!left)
		page_put(page);
}

static void help_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	struct page page = { .ui = ui, .sink = sink, .y = y, .end = end };

	help_losses(&page);
	for (size_t i = 0; i < COUNT_OF(help_words); i++)
		page_words(&page, help_words[i].label, help_words[i].text);
	help_keys(&page, false);
	help_keys(&page, true);
	help_gone(&page);
	help_not_counted(&page);
	page_end(&page);
}

/* ---- details ---- */

static void endpoint_detail(struct page *page, const char *label, const struct session *session,
    const uint8_t *address, uint16_t port)
{
	struct ui *ui = page->ui;
	uint8_t family = session->family;
	const char *service = names_port(ui->names, port);
	const char *host = ui->view.context.host_names ? names_host(ui->names, family, address) : NULL;
	struct endpoint endpoint = { family, address, session_zone(session), .has_port = true, .port = port };
	char text[ENDPOINT_SIZE];

	endpoint_format(text, sizeof text, &endpoint, sizeof text - 1, ui->utf8);
	page_detail(page, label, "%s%s%s%s%s%s", text, host ? "  " : "", host ? host : "",
	    service ? "  (" : "", service ? service : "", service ? ")" : "");
}

static void amount_detail(struct page *page, const char *label, uint64_t rx_bytes, uint64_t tx_bytes)
{
	char rx[32], tx[32];

	format_bytes(rx, sizeof rx, rx_bytes, UNIT_HUMAN);
	format_bytes(tx, sizeof tx, tx_bytes, UNIT_HUMAN);
	page_detail(page, label, "RX %llu B (%s)   TX %llu B (%s)", (unsigned long long)rx_bytes, rx,
	    (unsigned long long)tx_bytes, tx);
}

static void peer_detail(struct page *page, const struct row *row)
{
	const struct peer *peer = &row->peer;
	const struct row *other = pairs_other(&view_traffic(&page->ui->view)->rows, row);
	char process[64], text[160];

	if (!peer->known)
		return;
	snprintf(process, sizeof process, "%s, PID %u", peer->comm, peer->pid);
	page_detail(page, "Other end", "%s, on this host%s", peer->pid ? process : "no process",
	    !other || other->session.netns == row->session.netns ? "" : " in another network namespace");
	if (other && *standing_proof(&row->session.socket, &other->session.socket, text, sizeof text))
		page_detail(page, "", "%s", text);
}

static void graph_detail(struct page *page, const struct row *row)
{
	struct ui *ui = page->ui;
	struct series series = traffic_row_series(view_traffic(&ui->view), row);
	char graph[ROW_POINTS * 3 + 1], peak[64];

	graph_peak(peak, sizeof peak, &series, ui->view.context.unit);
	page_detail(page, "History", "RX and TX together, %u interval%s, peak %s", series.count,
	    series.count == 1 ? "" : "s", peak);
	for (unsigned i = 0; i < GRAPH_LINES; i++) {
		page_begin(page);
		line_pad(&ui->line, STYLE_PLAIN, PAGE_LABEL_WIDTH + 1);
		if (ui->width > PAGE_LABEL_WIDTH + 1 + ROW_POINTS || ui->line.utf8 == false ||
		    ui->width >= PAGE_LABEL_WIDTH + 8) {
			unsigned room = ui->width - PAGE_LABEL_WIDTH - 2;
			unsigned columns =
			    graph_line(graph, sizeof graph, &series, room < ROW_POINTS ? room : ROW_POINTS,
			        GRAPH_LINES, GRAPH_LINES - 1 - i, ui->utf8);

			line_add(&ui->line, STYLE_RX, graph, columns);
		}
		page_put(page);
	}
}

/* What the pass over sockets tells; it begins when a page like this one is opened. */
static void socket_detail(struct page *page, const struct row *row)
{
	const struct socket_summary *socket = &row->session.socket;
	char sentence[256], unread[32], unsent[32], unacked[32];

	if (!socket->state) {
		if (!ui_measures(page->ui, column_find("why")))
			page_detail(
			    page, "TCP", "state and waits are not known: this kernel cannot tell them");
		return;
	}
	if (socket->state == SOCKET_LISTEN) {
		page_detail(page, "TCP", "LISTEN   %u of %u wait to be accepted   %u dropped",
		    socket->backlog, socket->backlog_max, socket->drops);
		return;
	}
	format_bytes(unread, sizeof unread, socket->unread_bytes, UNIT_HUMAN);
	format_bytes(unsent, sizeof unsent, socket->unsent_bytes, UNIT_HUMAN);
	format_bytes(unacked, sizeof unacked, socket->unacked_bytes, UNIT_HUMAN);
	page_detail(page, "TCP", "%s   unread %s   unsent %s   unacknowledged %s",
	    socket_state_name(socket->state), unread, unsent, unacked);
	if (*standing_sentence(socket, sentence, sizeof sentence))
		page_detail(page, "Why", "%s", sentence);
	if (*standing_round_trips(&row->session, sentence, sizeof sentence))
		page_detail(page, "RTT", "%s", sentence);
	if (*standing_sent_again(&row->session, sentence, sizeof sentence))
		page_detail(page, "Sent again", "%s", sentence);
}

static void who_detail(struct page *page, const struct row *row)
{
	struct ui *ui = page->ui;
	const struct session *session = &row->session;
	char user[40], command[2048];

	page_detail(page, "Process", "%s, PID %u", session->comm, session->pid);
	const char *why = names_command(ui->names, session->pid, row->first.wall_s, command, sizeof command);

	if (why)
		page_detail(page, "Command", "not known: %s", why);
	else if (*command)
		page_detail(page, "Command", "%s", command);
	if (session->uid != UINT32_MAX)
		page_detail(page, "User", "%s (uid %u)",
		    names_user(ui->names, session->uid, user, sizeof user), session->uid);
	endpoint_detail(page, "Local", session, session->laddr, session->lport);
	endpoint_detail(page, "Remote", session, session->raddr, session->rport);
	if (session->ifindex)
		page_detail(page, "Interface", "%s (index %u)", *session->ifname ? session->ifname : "-",
		    session->ifindex);
	peer_detail(page, row);
	if (row->container) {
		page_detail(page, "Container", "%s", names_container_text(ui->names, row->container));
		page_detail(page, "Cgroup", "%s (%llu)", names_container_path(ui->names, row->container),
		    (unsigned long long)session->cgroup_id);
	}
	if (session->mntns)
		page_detail(page, "Namespaces", "network %u   mount %u", session->netns, session->mntns);
	else
		page_detail(page, "Namespaces", "network %u", session->netns);
	socket_detail(page, row);
}

static void times_detail(struct page *page, const struct row *row, bool grouped)
{
	const struct traffic *traffic = view_traffic(&page->ui->view);
	const struct moment *ended = row_end(row);
	char clock[FORMAT_TIME_SIZE], span[32];

	format_time(clock, sizeof clock, row->first.wall_s, traffic->time.tv_sec);
	format_span(span, sizeof span, (traffic->clock_ns - row->first.clock_ns) / NS_PER_MS);
	page_detail(
	    page, "First seen", "%s, %s ago%s", clock, span, grouped ? "" : "; the connection may be older");
	if (!row->seen_tick && !row->closed.clock_ns) {
		standing_idle(row, span, sizeof span);
		page_detail(page, "State", "open; nothing moved since the start%s%s%s",
		    *span ? ", last byte " : "", span, *span ? " ago" : "");
		return;
	}
	if (row->seen_tick == traffic->tick && !row->closed.clock_ns)
		return;
	format_time(clock, sizeof clock, ended->wall_s, traffic->time.tv_sec);
	format_span(span, sizeof span, (traffic->clock_ns - ended->clock_ns) / NS_PER_MS);
	if (row->closed.clock_ns)
		page_detail(page, "State", "closed at %s, %s ago", clock, span);
	else
		page_detail(page, "State", "idle; last traffic at %s, %s ago", clock, span);
}

static void details_draw(struct ui *ui, unsigned y, unsigned end, const struct line_sink *sink)
{
	struct page page = { .ui = ui, .sink = sink, .y = y, .end = end };
	const struct traffic *traffic = view_traffic(&ui->view);
	bool grouped = ui->view.context.grouping != GROUPING_NONE;
	const struct rows *rows = list_rows(&ui->view.list, &ui->view.context);
	size_t index = rows_find(rows, &ui->view.selected);
	char since[FORMAT_TIME_SIZE], rx[64], tx[64];

	if (index == ROW_NONE) {
		page_text(&page, STYLE_PLAIN,
		    grouped ? " This group is not listed any more. Esc goes back."
		            : " This connection is not kept any more. Esc goes back.");
		page_end(&page);
		return;
	}
	const struct row *row = &rows->rows[index];

	if (grouped)
		group_page_who(&page, row);
	else
		who_detail(&page, row);
	times_detail(&page, row, grouped);
	format_rate(
	    rx, sizeof rx, rate_per_s(row->session.rx_bytes, traffic->interval_ns), ui->view.context.unit);
	format_rate(
	    tx, sizeof tx, rate_per_s(row->session.tx_bytes, traffic->interval_ns), ui->view.context.unit);
	page_detail(&page, "Rate", "RX %s   TX %s", rx, tx);
	amount_detail(&page, "Interval", row->session.rx_bytes, row->session.tx_bytes);
	amount_detail(&page, "Total", row->rx_total_bytes, row->tx_total_bytes);
	format_time(since, sizeof since, traffic->since_s, traffic->time.tv_sec);
	page_detail(&page, "", "since %s", since);
	if (grouped)
		group_page_parts(&page, row);
	page_text(&page, STYLE_PLAIN, "");
	graph_detail(&page, row);
	page_end(&page);
}

/* ---- keys ---- */

void page_open(struct ui *ui)
{
	ui->scroll = 0;
}

static void scroll(struct ui *ui, enum motion motion)
{
	unsigned page = ui->height > 3 ? ui->height - 3 : 1;
	unsigned last = ui->page_lines > page ? ui->page_lines - page : 0;

	switch (motion) {
	case MOTION_UP:
		ui->scroll -= ui->scroll > 0;
		break;
	case MOTION_DOWN:
		ui->scroll++;
		break;
	case MOTION_PAGE_UP:
		ui->scroll = ui->scroll > page ? ui->scroll - page : 0;
		break;
	case MOTION_PAGE_DOWN:
		ui->scroll += page;
		break;
	case MOTION_HOME:
		ui->scroll = 0;
		break;
	case MOTION_END:
		ui->scroll = last;
		break;
	case MOTION_NONE:
		break;
	}
	if (ui->scroll > last)
		ui->scroll = last;
}

unsigned page_key(struct ui *ui, int code)
{
	const struct key *key = key_find(code);

	if (key && key->on_pages)
		return key->run(ui);
	if (key && key->closes_page)
		ui->mode = MODE_TABLE;
	scroll(ui, key ? key->motion : MOTION_NONE);
	return REACTION_NONE;
}

static unsigned details_key(struct ui *ui, int code)
{
	bool opens =
	    ui->view.context.grouping != GROUPING_NONE && (code == KEY_CODE_ENTER || code == KEY_CODE_RIGHT);

	if (opens)
		view_open_group(&ui->view);
	unsigned reaction = page_key(ui, code);

	if (ui->mode != MODE_DETAILS && !ui->view.follow)
		view_keep_selected(&ui->view, false);
	if (ui->mode == MODE_TABLE && code == KEY_CODE_ESCAPE && ui->details_from != MODE_TABLE) {
		ui->mode = ui->details_from;
		view_return(&ui->view, &ui->details_from_place);
	}
	return reaction;
}

/* ---- footer ---- */

#define FOOTER_WIDE 50 /* columns from which on it has all of its words */

void page_scroll_footer(struct ui *ui, const char *what)
{
	struct line *line = &ui->line;
	unsigned seen = ui->scroll + ui->height - 2;
	bool narrow = ui->width < FOOTER_WIDE;

	ui_footer_key(ui, KEY_CODE_UP, "Up", " ");
	ui_footer_key(ui, KEY_CODE_DOWN, "Down", narrow ? "  " : what);
	if (ui->page_lines > seen)
		line_print(
		    line, STYLE_LABEL, narrow ? "(%u below)" : "(%u more below)", ui->page_lines - seen);
	line_pad(line, STYLE_LABEL, ui->width);
}

void page_footer(struct ui *ui)
{
	ui_footer_key(ui, KEY_CODE_ESCAPE, "Esc", "Back  ");
	page_scroll_footer(ui, "Scroll  ");
}

static void details_footer(struct ui *ui)
{
	ui_footer_key(ui, KEY_CODE_ESCAPE, "Esc", "Back  ");
	if (ui->view.context.grouping != GROUPING_NONE)
		ui_footer_key(ui, KEY_CODE_ENTER, "Enter", "Connections  ");
	page_scroll_footer(ui, "Scroll  ");
}

const struct mode help_mode = {
	.open = page_open,
	.key = page_key,
	.draw = help_draw,
	.footer = page_footer,
};

const struct mode details_mode = {
	.open = page_open,
	.key = details_key,
	.draw = details_draw,
	.footer = details_footer,
};
