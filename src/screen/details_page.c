/* SPDX-License-Identifier: Apache-2.0 */
/* The details of a connection or a group. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "model/group.h"
#include "model/local.h"
#include "model/pairs.h"
#include "names/names.h"
#include "screen/group_page.h"
#include "screen/keys.h"
#include "screen/mode.h"
#include "screen/page.h"
#include "screen/table_mode.h"
#include "screen/ui.h"
#include "table/endpoint.h"
#include "table/graph.h"
#include "table/standing.h"

#define GRAPH_LINES 6
#define FOOTER_WIDE 50 /* from which on the footer has room for all words */

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

/* "the queue of httpd (PID 812) on this host is full (129 of 128)", of a connect without an answer. Returns whether it is so. */
static bool describe_full_queue(struct page *page, const struct row *row, char *buffer, size_t size)
{
	char process[48] = "a listener without a process";

	if (row->session.socket.state != SOCKET_SYN_SENT)
		return false;
	const struct row *listener =
	    local_look_up_listener(&view_traffic(&page->ui->view)->rows, &row->session);

	if (!listener || !socket_is_full(&listener->session.socket))
		return false;
	if (listener->session.pid)
		snprintf(
		    process, sizeof process, "%s (PID %u)", listener->session.comm, listener->session.pid);
	const struct socket_summary *queue = &listener->session.socket;

	if (queue->joined)
		snprintf(buffer, size, "%u of %u queues of %s on this host %s full", queue->joined_full,
		    queue->joined + 1, process, queue->joined_full == 1 ? "is" : "are");
	else
		snprintf(buffer, size, "the queue of %s on this host is full (%u of %u)", process,
		    queue->backlog, queue->backlog_max);
	return true;
}

static void why_detail(struct page *page, const struct row *row)
{
	const struct socket_summary *socket = &row->session.socket;
	char sentence[256], unread[32];

	format_bytes(unread, sizeof unread, socket->unread_bytes, UNIT_HUMAN);
	if (describe_full_queue(page, row, sentence, sizeof sentence))
		page_detail(page, "Why", "%s", sentence);
	else if (socket->cause == CAUSE_READER && row->session.rx_bytes)
		page_detail(page, "Why",
		    "reader %u%%: the process here reads slower than data arrives; %s unread",
		    socket->shares[CAUSE_READER], unread);
	else if (*standing_sentence(socket, sentence, sizeof sentence))
		page_detail(page, "Why", "%s", sentence);
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
	if (socket->joined) {
		page_detail(page, "TCP", "%u times LISTEN, %u of them full   %u of %u wait   %u dropped",
		    socket->joined + 1, socket->joined_full, socket->backlog, socket->backlog_max,
		    socket->drops);
		return;
	}
	if (socket->state == SOCKET_LISTEN) {
		page_detail(page, "TCP", "LISTEN   %u of %u wait to be accepted   %u dropped",
		    socket->backlog, socket->backlog_max, socket->drops);
		return;
	}
	if (socket->state == SOCKET_CLOSE) { /* its clocks tell of a connection that is no more */
		page_detail(page, "TCP", "CLOSE: it is not connected, or not any more");
		return;
	}
	format_bytes(unread, sizeof unread, socket->unread_bytes, UNIT_HUMAN);
	format_bytes(unsent, sizeof unsent, socket->unsent_bytes, UNIT_HUMAN);
	format_bytes(
	    unacked, sizeof unacked, (uint64_t)socket->unsent_bytes + socket->unacked_bytes, UNIT_HUMAN);
	page_detail(page, "TCP", "%s   unread %s   not acknowledged %s, of it unsent %s",
	    socket_state_name(socket->state), unread, unacked, unsent);
	why_detail(page, row);
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
		page_detail(page, "State", "%s; nothing moved since the start%s%s%s",
		    row->session.socket.state == SOCKET_CLOSE ? "not connected" : "open",
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

static void details_footer(struct ui *ui)
{
	ui_footer_key(ui, KEY_CODE_ESCAPE, "Esc", "Back  ");
	if (ui->view.context.grouping != GROUPING_NONE)
		ui_footer_key(
		    ui, KEY_CODE_ENTER, "Enter", ui->width < FOOTER_WIDE ? "List  " : "Connections  ");
	page_scroll_footer(ui, "Scroll  ");
}

const struct mode details_mode = {
	.open = page_open,
	.key = details_key,
	.draw = details_draw,
	.footer = details_footer,
};
