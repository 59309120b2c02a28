/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "screen/ui.h"
#include "table/endpoint.h"
#include "names/names.h"
#include "screen/frame.h"
#include "output/renderer.h"
#include "model/snapshot.h"

#define PIECE_GAP 2
#define LOSSES_WIDE 76

/* ---- pieces ---- */

void pieces_add(struct pieces *pieces, unsigned priority, enum style style, const char *format, ...)
{
	char text[160];
	va_list arguments;

	if (pieces->count == PIECES_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	struct piece *piece = &pieces->items[pieces->count++];

	piece->priority = priority;
	piece->style = style;
	/* User names and typed words are in some of them. */
	piece->columns = line_fit(piece->text, sizeof piece->text, text, strlen(text), 100, pieces->utf8);
}

void pieces_put(struct pieces *pieces, struct line *line, enum style plain)
{
	bool taken[PIECES_MAX] = { false };
	unsigned room = line->width - line->columns;

	for (;;) {
		unsigned best = PIECES_MAX;

		for (unsigned i = 0; i < pieces->count; i++)
			if (!taken[i] && pieces->items[i].columns &&
			    (best == PIECES_MAX || pieces->items[i].priority < pieces->items[best].priority))
				best = i;
		if (best == PIECES_MAX)
			break;
		taken[best] = true;
		unsigned columns = pieces->items[best].columns;

		if (columns > room)
			pieces->items[best].columns = 0; /* dropped */
		else
			room -= columns + PIECE_GAP < room ? columns + PIECE_GAP : room;
	}
	for (unsigned i = 0; i < pieces->count; i++) {
		const struct piece *piece = &pieces->items[i];

		if (!piece->columns)
			continue;
		line_add(line, plain == STYLE_COUNT ? piece->style : plain, piece->text, piece->columns);
		line_pad(line, plain == STYLE_COUNT ? STYLE_PLAIN : plain, line->columns + PIECE_GAP);
	}
}

/* ---- amounts ---- */

void paint_bytes(char *buffer, size_t size, const struct display *display, uint64_t bytes)
{
	enum unit unit = display->view.context.unit;
	char number[32];

	unit_format(number, sizeof number, bytes, unit, 20);
	snprintf(buffer, size, "%s%s%s", number, unit == UNIT_HUMAN ? "" : " ", unit_suffix(unit));
}

void paint_rate(char *buffer, size_t size, const struct display *display, uint64_t bytes_per_s)
{
	char amount[48];

	paint_bytes(amount, sizeof amount, display, bytes_per_s);
	snprintf(buffer, size, "%s/s", amount);
}

void paint_peak(char *buffer, size_t size, const struct display *display, uint64_t bytes_per_s)
{
	char number[32];

	if (display->view.context.unit != UNIT_BYTES) {
		paint_rate(buffer, size, display, bytes_per_s);
		return;
	}
	unit_format(number, sizeof number, bytes_per_s, UNIT_HUMAN, 20);
	snprintf(buffer, size, "%s/s", number);
}

void paint_clock(char *buffer, size_t size, int64_t time_s)
{
	time_t time = (time_t)time_s;
	struct tm tm;

	if (!localtime_r(&time, &tm) || !strftime(buffer, size, "%H:%M:%S", &tm))
		snprintf(buffer, size, "--:--:--");
}

/* ---- title ---- */

void paint_title(struct display *display)
{
	const struct traffic *traffic = view_traffic(&display->view);
	const struct run_facts *facts = display->facts;
	struct pieces pieces = { .utf8 = display->utf8 };
	char clock[16], span[32];
	/* A recording's intervals are what they are. */
	uint64_t asked_ns =
	    display->interval_ns && !display->replay ? display->interval_ns : traffic->interval_ns;

	line_begin(&display->line, display->width, display->utf8, STYLE_BAR);
	line_print(&display->line, STYLE_BAR, " ");
	pieces_add(&pieces, 0, STYLE_BAR, "tcptop");
	if (!traffic->tick)
		pieces_add(&pieces, 0, STYLE_BAR, "starting");
	if (traffic->tick) {
		paint_clock(clock, sizeof clock, traffic->time.tv_sec);
		pieces_add(&pieces, 1, STYLE_BAR, "%s", clock);
	}
	if (display->view.is_frozen && !display->leaving)
		pieces_add(&pieces, 0, STYLE_BAR, "FROZEN");
	if (display->replay)
		pieces_add(&pieces, 2, STYLE_BAR, "%s", display->ended ? "end of recording" : "recording");
	if (asked_ns) {
		unit_format_seconds(span, sizeof span, asked_ns / 1000000);
		pieces_add(&pieces, 3, STYLE_BAR, "every %s", span);
		/* Rates are by the true length: say it where it is another one. */
		if (traffic->interval_ns > asked_ns + asked_ns / 10) {
			unit_format_seconds(span, sizeof span, traffic->interval_ns / 1000000);
			pieces_add(&pieces, 3, STYLE_BAR, "(took %s)", span);
		}
	}
	if (facts->method != PROBE_AUTO)
		pieces_add(&pieces, 4, STYLE_BAR, "%s", probe_method_name(facts->method));
	pieces_add(&pieces, 5, STYLE_BAR, "%s", display->load);
	if (display->uptime_s) {
		unit_format_seconds(span, sizeof span, display->uptime_s * 1000);
		pieces_add(&pieces, 6, STYLE_BAR, "up %s", span);
	}
	pieces_put(&pieces, &display->line, STYLE_BAR);
	line_pad(&display->line, STYLE_BAR, display->width);
}

/* ---- totals ---- */

/* Left of the graph: what it is, its rate now; below, if it is high enough, peak and sum. */
static void totals_label(struct display *display, bool tx, unsigned line_number)
{
	const struct traffic *traffic = view_traffic(&display->view);
	struct series series = traffic_series(traffic, tx);
	char amount[64];

	if (line_number == 0) {
		paint_rate(amount, sizeof amount, display,
		    unit_rate(tx ? traffic->tx_bytes : traffic->rx_bytes, traffic->interval_ns));
		line_print(&display->line, tx ? STYLE_TX : STYLE_RX, " %s", tx ? "TX" : "RX");
		line_print(&display->line, STYLE_STRONG, " %11s", amount);
	} else if (line_number == 1) {
		paint_peak(amount, sizeof amount, display, history_peak(&series, TRAFFIC_POINTS));
		line_print(&display->line, STYLE_PLAIN, " peak %8s", amount);
	} else if (line_number == 2) {
		paint_bytes(
		    amount, sizeof amount, display, tx ? traffic->tx_total_bytes : traffic->rx_total_bytes);
		line_print(&display->line, STYLE_PLAIN, " sum  %8s", amount);
	}
}

static void totals_graph(
    struct display *display, bool tx, unsigned width, unsigned lines, unsigned line_number)
{
	struct series series = traffic_series(view_traffic(&display->view), tx);
	char graph[LINE_COLUMNS_MAX * 3 + 1];
	unsigned columns;

	if (width > TRAFFIC_POINTS)
		width = TRAFFIC_POINTS;
	columns = history_graph(graph, sizeof graph, &series, width, lines, line_number, display->utf8);
	line_add(&display->line, tx ? STYLE_TX : STYLE_RX, graph, columns);
}

static void totals_short(struct display *display)
{
	struct line *line = &display->line;
	unsigned half = display->width / 2;

	for (int tx = 0; tx < 2; tx++) {
		unsigned end = tx ? display->width : half;
		const struct traffic *traffic = view_traffic(&display->view);
		char amount[64];

		paint_rate(amount, sizeof amount, display,
		    unit_rate(tx ? traffic->tx_bytes : traffic->rx_bytes, traffic->interval_ns));
		line_print(line, tx ? STYLE_TX : STYLE_RX, "%s", tx ? "TX" : " RX");
		line_print(line, STYLE_STRONG, " %s ", amount);
		if (line->columns + 4 < end)
			totals_graph(display, tx, end - line->columns - 1, 1, 0);
		line_pad(line, STYLE_PLAIN, half);
	}
}

void paint_totals(struct display *display, const struct layout_lines *lines, unsigned at)
{
	struct line *line = &display->line;
	char sum[64], peak[64], end[160] = "";

	line_begin(line, display->width, display->utf8, STYLE_PLAIN);
	if (!lines->graph) {
		totals_short(display);
		return;
	}
	const struct traffic *traffic = view_traffic(&display->view);
	bool tx = at >= lines->graph;
	unsigned line_number = at % lines->graph;
	struct series series = traffic_series(traffic, tx);

	/* What has no line of its own below the label stands at the right. */
	paint_bytes(sum, sizeof sum, display, tx ? traffic->tx_total_bytes : traffic->rx_total_bytes);
	paint_peak(peak, sizeof peak, display, history_peak(&series, TRAFFIC_POINTS));
	if (lines->graph == 1)
		snprintf(end, sizeof end, "peak %-8s  sum %-7s", peak, sum);
	else if (lines->graph == 2 && line_number == 1)
		snprintf(end, sizeof end, "sum %-7s", sum);
	totals_label(display, tx, line_number);
	line_pad(line, STYLE_PLAIN, line->columns < 16 ? 16 : line->columns + 1);
	unsigned right = lines->graph == 1 ? (unsigned)strlen(end) + 2 : lines->graph == 2 ? 13 : 1;

	if (line->columns + right + 8 <= display->width)
		totals_graph(display, tx, display->width - line->columns - right, lines->graph,
		    lines->graph - 1 - line_number);
	line_print(line, STYLE_PLAIN, " %s", end);
}

/* ---- status ---- */

static void add_losses(struct display *display, struct pieces *pieces)
{
	const struct traffic *traffic = view_traffic(&display->view);
	const struct run_facts *facts = display->facts;
	const struct session_other *other = &traffic->other_total;
	bool wide = display->width >= LOSSES_WIDE;
	char amount[64];

	/* Short enough to be there at every width; the help has them in full. */
	if (traffic->missed_total)
		pieces_add(pieces, 0, STYLE_ALERT, "%llu events missed%s",
		    (unsigned long long)traffic->missed_total, wide ? ": figures too low" : "");
	if (other->calls) {
		paint_bytes(amount, sizeof amount, display, other->rx_bytes + other->tx_bytes);
		pieces_add(pieces, 1, STYLE_ALERT, wide ? "%s in other sessions: table full" : "%s unlisted",
		    amount);
	}
	if (facts->not_counted_count == 1)
		pieces_add(pieces, 4, STYLE_DIM, "not counted: %s", facts->not_counted[0]);
	else if (facts->not_counted_count)
		pieces_add(pieces, 4, STYLE_DIM, "%zu paths not counted: h", facts->not_counted_count);
}

static void add_start_filters(struct display *display, struct pieces *pieces)
{
	const struct options *options = display->facts->options;
	char pids[64] = "";

	if (!options)
		return;
	for (size_t i = 0; i < options->pid_count && strlen(pids) < 40; i++)
		snprintf(
		    pids + strlen(pids), sizeof pids - strlen(pids), "%s%u", i ? "," : "", options->pids[i]);
	if (options->pid_count)
		pieces_add(pieces, 3, STYLE_PLAIN, "PID %s%s", pids,
		    options->pid_count > 1 && strlen(pids) >= 40 ? "..." : "");
	if (options->family)
		pieces_add(pieces, 3, STYLE_PLAIN, "IPv%d only", options->family);
	if (options->cgroup_map_path)
		pieces_add(pieces, 3, STYLE_PLAIN, "cgroup map");
	if (options->mntns_map_path)
		pieces_add(pieces, 3, STYLE_PLAIN, "mntns map");
}

static void add_filters(struct display *display, struct pieces *pieces)
{
	const struct view *view = &display->view;
	const struct session *key = &view->opened_key;
	char user[40];

	if (view->opened && view->grouping == GROUPING_PROCESS)
		pieces_add(pieces, 2, STYLE_STRONG, "in %s (%u)", key->comm, key->pid);
	else if (view->opened && view->grouping == GROUPING_CONTAINER)
		pieces_add(
		    pieces, 2, STYLE_STRONG, "in %s", names_container_text(display->names, key->netns));
	else if (view->opened) {
		struct endpoint host = { .family = key->family, .address = key->raddr };
		char address[ENDPOINT_SIZE];

		endpoint_format(address, sizeof address, &host, 46, display->utf8);
		pieces_add(pieces, 2, STYLE_STRONG, "with %s", address);
	}
	if (view->filter.word_count)
		pieces_add(pieces, 2, STYLE_STRONG, "filter: %s", display->filter_text);
	if (view->one_user)
		pieces_add(pieces, 2, STYLE_STRONG, "user: %s",
		    names_user(display->names, view->uid, user, sizeof user));
	if (view->family)
		pieces_add(pieces, 2, STYLE_STRONG, "IPv%u only", view->family);
	if (view->follow)
		pieces_add(pieces, 2, STYLE_STRONG, "following");
	add_start_filters(display, pieces);
}

void paint_status(struct display *display)
{
	static const char *const groups[GROUPING_COUNT][2] = {
		[GROUPING_PROCESS] = { "process", "processes" },
		[GROUPING_REMOTE] = { "remote host", "remote hosts" },
		[GROUPING_CONTAINER] = { "container", "containers" },
	};
	const struct view *view = &display->view;
	const struct traffic *traffic = view_traffic(view);
	struct pieces pieces = { .utf8 = display->utf8 };
	char title[32];
	bool narrowed = view->opened || view->filter.word_count || view->one_user || view->family;

	line_begin(&display->line, display->width, display->utf8, STYLE_PLAIN);
	line_print(&display->line, STYLE_PLAIN, " ");
	if (view->context.grouping != GROUPING_NONE)
		pieces_add(&pieces, 1, STYLE_STRONG, "%zu %s", view->count,
		    groups[view->context.grouping][view->count != 1]);
	else if (narrowed)
		pieces_add(&pieces, 1, STYLE_PLAIN, "%zu of %zu sessions", view->count, traffic->rows.count);
	if (!narrowed)
		pieces_add(&pieces, 5, STYLE_PLAIN, "%zu session%s", traffic->active,
		    traffic->active == 1 ? "" : "s");
	if (traffic->rows.count > traffic->active && !narrowed)
		pieces_add(&pieces, 8, STYLE_DIM, "%zu quiet", traffic->rows.count - traffic->active);
	add_losses(display, &pieces);
	add_filters(display, &pieces);
	pieces_add(&pieces, 6, STYLE_PLAIN, "by %s%s",
	    column_title(view->sort.column, &view->context, title, sizeof title),
	    view->sort.descending == view->sort.column->descending ? "" : " reversed");
	if (view->context.amount == AMOUNT_TOTAL) {
		char clock[16];

		paint_clock(clock, sizeof clock, traffic->since_s);
		pieces_add(&pieces, 7, STYLE_PLAIN, "since %s", clock);
	} else if (view->context.amount == AMOUNT_INTERVAL) {
		pieces_add(&pieces, 7, STYLE_PLAIN, "per interval");
	}
	pieces_put(&pieces, &display->line, STYLE_COUNT);
}
