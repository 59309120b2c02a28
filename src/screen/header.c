/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/header.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "model/accounted.h"
#include "model/group.h"
#include "names/names.h"
#include "output/renderer.h"
#include "screen/link_page.h"
#include "screen/pieces.h"
#include "screen/playback.h"
#include "screen/ui.h"
#include "table/endpoint.h"
#include "table/graph.h"
#include "table/layout.h"
#include "table/who.h"

/* The screen's widths from which on losses and order are said at length. */
#define LOSS_WIDE 76
#define LOSSES_WIDE 100
#define COUNT_COLUMNS 30 /* more, where a count stands before them: "12 of 3456 connections" */
#define ORDER_WIDE 60

/* ---- title ---- */

/* From when on sums are. */
static void add_since(struct ui *ui, struct pieces *pieces)
{
	const struct traffic *traffic = view_traffic(&ui->view);
	char since[FORMAT_TIME_SIZE];

	if (!traffic->tick)
		return;
	format_time(since, sizeof since, traffic->since_s, traffic->time.tv_sec);
	pieces_add(pieces, 5, STYLE_BAR, "sums since %s", since);
}

void header_title(struct ui *ui)
{
	const struct traffic *traffic = view_traffic(&ui->view);
	const struct run *run = ui->run;
	enum style style = playback_is_held(ui) && !ui->leaving ? STYLE_FROZEN : STYLE_BAR;
	struct pieces pieces = { .utf8 = ui->utf8 };
	char clock[16], span[32], link[96], text[PLAYBACK_TEXT_SIZE];
	char share[ACCOUNTED_TEXT_SIZE], cost[COST_TEXT_SIZE];
	/* A recording has the intervals it was made with. */
	uint64_t asked_ns = ui->interval_ns && !ui->replay ? ui->interval_ns : traffic->interval_ns;

	line_begin(&ui->line, ui->width, ui->utf8, style);
	line_print(&ui->line, style, " ");
	pieces_add(&pieces, 0, STYLE_BAR, "tcptop");
	if (!traffic->tick)
		pieces_add(&pieces, 0, STYLE_BAR, "starting");
	if (traffic->tick && !run->no_summary) {
		format_clock(clock, sizeof clock, traffic->time.tv_sec);
		pieces_add(&pieces, 1, STYLE_BAR, "%s", clock);
	}
	playback_state(ui, text);
	if (*text && !ui->leaving)
		pieces_add(&pieces, 0, STYLE_BAR, "%s", text);
	playback_position(ui, text);
	if (*text)
		pieces_add(&pieces, 2, STYLE_BAR, "%s", text);
	if (asked_ns) {
		format_span(span, sizeof span, asked_ns / 1000000);
		pieces_add(&pieces, 3, STYLE_BAR, "every %s", span);
		/* Rates refer to the measured length, so show it when it differs. */
		if (traffic->interval_ns > asked_ns + asked_ns / 10) {
			format_span(span, sizeof span, traffic->interval_ns / 1000000);
			pieces_add(&pieces, 3, STYLE_BAR, "(took %s)", span);
		}
	}
	if (link_headline(ui, link, sizeof link))
		pieces_add(&pieces, 3, STYLE_BAR, "%s", link);
	if (traffic->cost.total_ns)
		pieces_add(&pieces, 6, STYLE_BAR, "cost %s of a CPU",
		    cost_share(cost, traffic->cost.total_ns, traffic->interval_ns));
	if (traffic->audit.bytes)
		pieces_add(&pieces, traffic->audit.unexplained_bytes ? 1 : 5, STYLE_BAR, "accounted %s",
		    accounted_share(share, &traffic->audit));
	add_since(ui, &pieces);
	if (!run->no_summary)
		pieces_add(&pieces, 7, STYLE_BAR, "%s", ui->load);
	pieces_put(&pieces, &ui->line, style);
	line_pad(&ui->line, style, ui->width);
}

/* ---- totals ---- */

/* Columns left of the graph, and so many for both ends of a short line that "of" all has room. */
#define LABEL 18
#define LABEL_NARROWED 34
#define RATES_WIDE 30

/* The graph and its peak are of all traffic, whatever is listed. */
static const char *of_all(const struct ui *ui)
{
	return list_is_narrowed(&ui->view.settings) ? " of all" : "";
}

/* The latest interval's bytes of what is listed, where that is a part. */
static uint64_t listed_bytes(const struct ui *ui, bool tx)
{
	const struct row *sum = &ui->view.list.sum;

	return tx ? sum->session.tx_bytes : sum->session.rx_bytes;
}

/* "2.79MB/s", or "2.79MB/s of 80MB/s" where a part is listed; without room "2.79MB/s shown". */
static void rate_text(const struct ui *ui, bool tx, bool wide, char *buffer, size_t size)
{
	const struct traffic *traffic = view_traffic(&ui->view);
	enum unit unit = ui->view.context.unit;
	char all[48], listed[48];

	format_rate(all, sizeof all,
	    rate_per_s(tx ? traffic->tx_bytes : traffic->rx_bytes, traffic->interval_ns), unit);
	format_rate(listed, sizeof listed, rate_per_s(listed_bytes(ui, tx), traffic->interval_ns), unit);
	if (!list_is_narrowed(&ui->view.settings))
		snprintf(buffer, size, "%s", all);
	else if (wide)
		snprintf(buffer, size, "%s of %s", listed, all);
	else
		snprintf(buffer, size, "%s shown", listed);
}

/* At the left of the graph: direction and rate, and on further lines peak and sum. */
static void totals_label(struct ui *ui, bool tx, unsigned line_number)
{
	const struct traffic *traffic = view_traffic(&ui->view);
	struct series series = traffic_series(traffic, tx);
	char amount[112];

	if (line_number == 0) {
		rate_text(ui, tx, true, amount, sizeof amount);
		line_print(&ui->line, tx ? STYLE_TX : STYLE_RX, " %s", tx ? "TX" : "RX");
		line_print(&ui->line, STYLE_STRONG, " %13s", amount);
	} else if (line_number == 1) {
		graph_peak(amount, sizeof amount, &series, ui->view.context.unit);
		line_print(&ui->line, STYLE_PLAIN, " peak %11s%s", amount, of_all(ui));
	} else if (line_number == 2) {
		format_bytes(amount, sizeof amount, tx ? traffic->tx_total_bytes : traffic->rx_total_bytes,
		    ui->view.context.unit);
		line_print(&ui->line, STYLE_PLAIN, " sum  %11s%s", amount, of_all(ui));
	}
}

static void totals_graph(struct ui *ui, bool tx, unsigned width, unsigned lines, unsigned line_number)
{
	struct series series = traffic_series(view_traffic(&ui->view), tx);
	char graph[LINE_COLUMNS_MAX * 3 + 1];
	unsigned columns;

	if (width > TRAFFIC_POINTS)
		width = TRAFFIC_POINTS;
	columns = graph_line(graph, sizeof graph, &series, width, lines, line_number, ui->utf8);
	line_add(&ui->line, tx ? STYLE_TX : STYLE_RX, graph, columns);
}

static void totals_short(struct ui *ui)
{
	struct line *line = &ui->line;
	unsigned half = ui->width / 2;

	for (int tx = 0; tx < 2; tx++) {
		unsigned end = tx ? ui->width : half;
		char amount[112];

		rate_text(ui, tx, half > RATES_WIDE, amount, sizeof amount);
		line_print(line, tx ? STYLE_TX : STYLE_RX, "%s", tx ? "TX" : " RX");
		line_print(line, STYLE_STRONG, " %s ", amount);
		if (line->columns + 4 < end)
			totals_graph(ui, tx, end - line->columns - 1, 1, 0);
		line_pad(line, STYLE_PLAIN, half);
	}
}

void header_totals(struct ui *ui, const struct layout_lines *lines, unsigned at)
{
	struct line *line = &ui->line;
	char sum[64], peak[64], end[160] = "";

	line_begin(line, ui->width, ui->utf8, STYLE_PLAIN);
	if (!lines->graph) {
		totals_short(ui);
		return;
	}
	const struct traffic *traffic = view_traffic(&ui->view);
	bool tx = at >= lines->graph, narrowed = list_is_narrowed(&ui->view.settings);
	unsigned line_number = at % lines->graph;
	struct series series = traffic_series(traffic, tx);

	/* What has no line below the label stands at the right. */
	format_bytes(
	    sum, sizeof sum, tx ? traffic->tx_total_bytes : traffic->rx_total_bytes, ui->view.context.unit);
	graph_peak(peak, sizeof peak, &series, ui->view.context.unit);
	if (lines->graph == 1)
		snprintf(end, sizeof end, "%speak %-8s  sum %-6s", narrowed ? "all: " : "", peak, sum);
	else if (lines->graph == 2 && line_number == 1)
		snprintf(end, sizeof end, "sum %-7s%s", sum, of_all(ui));
	totals_label(ui, tx, line_number);
	line_pad(line, STYLE_PLAIN,
	    narrowed                ? LABEL_NARROWED
	    : line->columns < LABEL ? LABEL
	                            : line->columns + 1);
	unsigned right = lines->graph == 1   ? (unsigned)strlen(end) + 2
	                 : lines->graph == 2 ? 13 + (unsigned)strlen(of_all(ui))
	                                     : 1;

	if (line->columns + right + 8 <= ui->width)
		totals_graph(
		    ui, tx, ui->width - line->columns - right, lines->graph, lines->graph - 1 - line_number);
	line_print(line, STYLE_PLAIN, " %s", end);
}

/* ---- status ---- */

static void add_losses(struct ui *ui, struct pieces *pieces)
{
	const struct traffic *traffic = view_traffic(&ui->view);
	const struct session_other *other = &traffic->other_total;
	unsigned taken = list_is_narrowed(&ui->view.settings) ? COUNT_COLUMNS : 0;
	bool wide = ui->width >= taken + (traffic->missed_total && other->calls ? LOSSES_WIDE : LOSS_WIDE);
	char amount[64];

	/* Short, to fit at every width; the help has the details. */
	if (traffic->missed_total)
		pieces_add(pieces, 0, STYLE_ALERT, "%llu%s missed%s",
		    (unsigned long long)traffic->missed_total, ui->width >= ORDER_WIDE ? " events" : "",
		    wide ? ": figures too low" : "");
	if (traffic->missed_total && traffic->audit.healed_bytes) {
		format_bytes(amount, sizeof amount, traffic->audit.healed_bytes, ui->view.context.unit);
		pieces_add(pieces, 2, STYLE_PLAIN, "%s of it healed", amount);
	}
	if (other->calls) {
		format_bytes(amount, sizeof amount, other->rx_bytes + other->tx_bytes, ui->view.context.unit);
		pieces_add(pieces, 1, STYLE_ALERT,
		    wide ? "%s in other connections: table full" : "%s unlisted", amount);
	}
	if (ui->not_counted)
		pieces_add(pieces, 6, STYLE_PLAIN, "%s", ui->not_counted);
}

static void add_start_filters(struct ui *ui, struct pieces *pieces)
{
	const struct run *run = ui->run;

	for (size_t i = 0; i < run->filter_count && pieces->count < PIECES_MAX; i++) {
		pieces_add(pieces, PIECES_FILTER_PRIORITY, STYLE_PLAIN, "%s", run->filters[i]);
		pieces->items[pieces->count - 1].is_filter = true;
	}
	pieces->filters_left_out = run->filters_left_out;
}

static void add_host(struct ui *ui, struct pieces *pieces, const struct session *key)
{
	struct endpoint host = { key->family, key->raddr, session_zone(key), .has_port = false };
	char address[ENDPOINT_SIZE];

	endpoint_format(address, sizeof address, &host, 46, ui->utf8);
	pieces_add(pieces, 2, STYLE_STRONG, "with %s", address);
}

static void add_pair(struct ui *ui, struct pieces *pieces)
{
	const struct session *key = &ui->view.settings.opened_key;
	const struct peer *peer = &ui->view.settings.opened_peer;

	pieces_add(pieces, 2, STYLE_STRONG, "of %s (%u)", key->comm, key->pid);
	if (peer->known)
		pieces_add(pieces, 2, STYLE_STRONG, "with %s (%u)", peer->comm, peer->pid);
	else
		add_host(ui, pieces, key);
}

static void add_filters(struct ui *ui, struct pieces *pieces)
{
	const struct view *view = &ui->view;
	const struct session *key = &view->settings.opened_key;
	char user[40], service[WHO_SERVICE_SIZE];

	if (view->settings.opened && view->settings.grouping == GROUPING_PROCESS)
		pieces_add(pieces, 2, STYLE_STRONG, "in %s (%u)", key->comm, key->pid);
	else if (view->settings.opened && view->settings.grouping == GROUPING_PROGRAM)
		pieces_add(pieces, 2, STYLE_STRONG, "in %s", key->comm);
	else if (view->settings.opened && view->settings.grouping == GROUPING_CONTAINER)
		pieces_add(pieces, 2, STYLE_STRONG, "in %s",
		    names_container_text(ui->names, view->settings.opened_container));
	else if (view->settings.opened && view->settings.grouping == GROUPING_USER)
		pieces_add(
		    pieces, 2, STYLE_STRONG, "of %s", names_user(ui->names, key->uid, user, sizeof user));
	else if (view->settings.opened && view->settings.grouping == GROUPING_PAIR)
		add_pair(ui, pieces);
	else if (view->settings.opened && view->settings.grouping == GROUPING_SERVICE)
		pieces_add(pieces, 2, STYLE_STRONG, "%s%s", key->accepted == ANSWER_YES ? "accepted on " : "",
		    who_service(&view->context, key, service));
	else if (view->settings.opened)
		add_host(ui, pieces, key);
	if (view->settings.words.word_count)
		pieces_add(pieces, 2, STYLE_STRONG, "filter: %s", ui->filter_text);
	if (view->settings.words.of_sockets && !ui->sockets_left_out && ui_lacks_sockets(ui))
		pieces_add(pieces, 2, STYLE_ALERT, "%s", ui_lacks_sockets(ui));
	if (view->settings.one_user)
		pieces_add(pieces, 2, STYLE_STRONG, "user: %s",
		    names_user(ui->names, view->settings.uid, user, sizeof user));
	if (view->settings.family)
		pieces_add(pieces, 2, STYLE_STRONG, "IPv%u only", view->settings.family);
	if (view->follow)
		pieces_add(pieces, 2, STYLE_STRONG, "following");
	add_start_filters(ui, pieces);
}

/* A pass over many sockets is not made in each interval, and some may be left out. */
static void add_census(struct ui *ui, struct pieces *pieces)
{
	const struct traffic *traffic = view_traffic(&ui->view);
	const struct socket_census *census = &traffic->sockets;
	char span[32];

	if (ui->sockets_left_out)
		pieces_add(pieces, 1, STYLE_ALERT, "sockets are left out: --max-overhead");
	if (!ui_wants_sockets(ui) || !(census->follows || census->err))
		return;
	if (census->err) {
		pieces_add(pieces, 1, STYLE_ALERT, "sockets cannot be told: %s", strerror(-census->err));
		return;
	}
	format_span(span, sizeof span, census->passed_ns / NS_PER_MS);
	if (census->passed_ns > 3 * traffic->interval_ns / 2)
		pieces_add(pieces, 2, STYLE_STRONG, "sockets every %s", span);
	if (census->beyond || census->unstored)
		pieces_add(pieces, 1, STYLE_ALERT, "%llu sockets not told",
		    (unsigned long long)census->beyond + census->unstored);
}

/* What had to go: of the groups with their sums, so that all sums add up to the total; of connections, from the list. */
static void add_gone(struct ui *ui, struct pieces *pieces)
{
	const struct traffic *traffic = view_traffic(&ui->view);
	const struct gone *gone = &traffic->gone[ui->view.context.grouping];
	char rx[48], tx[48];

	if (ui->view.context.grouping == GROUPING_NONE) {
		if (traffic->rows_gone)
			pieces_add(pieces, ui->view.context.all ? 2 : 9, STYLE_DIM, "oldest %llu dropped",
			    (unsigned long long)traffic->rows_gone);
		return;
	}
	if (ui->view.list.untold)
		pieces_add(pieces, 4, STYLE_DIM, "sums without what was dropped");
	if (!gone->left_groups)
		return;
	format_bytes(rx, sizeof rx, gone->left_rx_bytes, ui->view.context.unit);
	format_bytes(tx, sizeof tx, gone->left_tx_bytes, ui->view.context.unit);
	pieces_add(pieces, 2, STYLE_DIM, "%llu more, gone: RX %s TX %s",
	    (unsigned long long)gone->left_groups, rx, tx);
}

/* What of all is listed is told before what was lost, and before the filter: without it a figure cannot be judged. */
static void add_counts(struct ui *ui, struct pieces *pieces)
{
	const struct view *view = &ui->view;
	const struct traffic *traffic = view_traffic(view);
	size_t groups = list_group_count(&view->list, &view->context);
	size_t kept = view->list.unfiltered;
	size_t closed = view->context.all ? traffic->closed : traffic->recent_closed;
	bool narrowed = list_is_narrowed(&view->settings);
	bool grouped = view->context.grouping != GROUPING_NONE;

	if (grouped)
		pieces_add(pieces, 1, STYLE_STRONG, "%zu %s", groups,
		    grouping_name(view->context.grouping, groups != 1));
	if (narrowed) {
		pieces_add(pieces, 0, STYLE_PLAIN, "%zu of %zu%s",
		    grouped ? view->list.sum.members : view->list.count, kept,
		    ui->width < ORDER_WIDE ? ""
		    : view->context.open   ? " sockets"
		                           : " connections");
		return;
	}
	if (view->context.open && !grouped)
		pieces_add(pieces, 1, STYLE_STRONG, "%zu sockets", view->list.count);
	pieces_add(
	    pieces, 5, STYLE_PLAIN, "%zu connection%s", traffic->active, traffic->active == 1 ? "" : "s");
	if (kept > traffic->active + closed)
		pieces_add(pieces, 8, STYLE_DIM, "%zu idle", kept - traffic->active - closed);
	if (closed)
		pieces_add(pieces, 8, STYLE_DIM, "%zu closed", closed);
}

/* Always there, as the column may have no room. Rates order by their averages, so the two go together. */
static void add_order(struct ui *ui, struct pieces *pieces)
{
	const struct view *view = &ui->view;
	const struct column *column = view->sort.column;
	bool by_average = column->by_average && view->context.amount != AMOUNT_TOTAL;
	const char *arrow = view->sort.descending ? (ui->utf8 ? "▼" : "v") : (ui->utf8 ? "▲" : "^");
	bool wide = ui->width >= ORDER_WIDE;
	char title[32];

	column_title(column, &view->context, title, sizeof title);
	pieces_add(pieces, 0, view->held ? STYLE_STRONG : STYLE_PLAIN, "%sby %s%s %s",
	    view->held ? "order held, " : "", column->direction && !wide ? column->direction : title,
	    by_average && wide ? " over 10s" : "", arrow);
}

void header_status(struct ui *ui)
{
	struct pieces pieces = { .utf8 = ui->utf8 };

	line_begin(&ui->line, ui->width, ui->utf8, STYLE_PLAIN);
	line_print(&ui->line, STYLE_PLAIN, " ");
	add_counts(ui, &pieces);
	add_census(ui, &pieces);
	add_losses(ui, &pieces);
	add_gone(ui, &pieces);
	add_filters(ui, &pieces);
	add_order(ui, &pieces);
	if (ui->view.context.amount == AMOUNT_INTERVAL)
		pieces_add(&pieces, 7, STYLE_PLAIN, "per interval");
	pieces_put(&pieces, &ui->line, STYLE_COUNT);
}

void header_filters(struct ui *ui)
{
	struct pieces pieces = { .utf8 = ui->utf8 };

	add_filters(ui, &pieces);
	pieces_put(&pieces, &ui->line, STYLE_COUNT);
}
