/* SPDX-License-Identifier: Apache-2.0 */
/* The column table, with the functions that rank, compare and format. */
#include "table/column.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "model/traffic.h"
#include "names/names.h"
#include "table/amount.h"
#include "table/endpoint.h"
#include "table/graph.h"
#include "table/standing.h"
#include "table/who.h"

#define DAY_S 86400u

/* ---- what of it ---- */

static uint64_t rank_netns(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->session.netns;
}

static void cell_netns(const struct column_context *context, const struct row *row, struct cell *cell)
{
	(void)context;
	column_cell_number(row->session.netns, cell);
}

/* ---- where ---- */

/* IPv4 sorts before IPv6, then by address; the rank of IPv4 has the port, too. */
static uint64_t address_rank(uint8_t family, const uint8_t *address, uint16_t port)
{
	uint64_t rank = 0;

	for (int i = 0; i < (family == 4 ? 4 : 8); i++)
		rank = rank << 8 | address[i];
	return family == 4 ? rank << 16 | port : rank >> 1 | 1ull << 63;
}

static uint64_t rank_laddr(const struct column_context *context, const struct row *row)
{
	(void)context;
	return address_rank(row->session.family, row->session.laddr, row->session.lport);
}

static int compare_laddr(const struct column_context *context, const struct row *a, const struct row *b)
{
	(void)context;
	int order = memcmp(a->session.laddr, b->session.laddr, sizeof a->session.laddr);

	return order ? order : (a->session.lport > b->session.lport) - (a->session.lport < b->session.lport);
}

static uint64_t rank_raddr(const struct column_context *context, const struct row *row)
{
	(void)context;
	return address_rank(row->session.family, row->session.raddr, row->session.rport);
}

static int compare_raddr(const struct column_context *context, const struct row *a, const struct row *b)
{
	(void)context;
	int order = memcmp(a->session.raddr, b->session.raddr, sizeof a->session.raddr);

	return order ? order : (a->session.rport > b->session.rport) - (a->session.rport < b->session.rport);
}

static struct endpoint endpoint_of(const struct column_context *context, const struct session *session,
    const uint8_t *address, uint16_t port)
{
	return (struct endpoint){
		.family = session->family,
		.address = address,
		.zone = session_zone(session),
		.has_port = context->grouping == GROUPING_NONE,
		.port = port,
		.host_name =
		    context->host_names ? names_host(context->names, session->family, address) : NULL,
		.port_name = context->port_names ? names_port(context->names, port) : NULL,
	};
}

static void cell_endpoint(const struct column_context *context, const struct session *session,
    const uint8_t *address, uint16_t port, struct cell *cell)
{
	struct endpoint endpoint = endpoint_of(context, session, address, port);

	cell->columns = endpoint_format(cell->text, sizeof cell->text, &endpoint, cell->width, context->utf8);
}

unsigned column_address_columns(const struct column_context *context, const struct row *row)
{
	const struct session *session = &row->session;

	if (!session->family)
		return 0; /* a group without addresses */
	struct endpoint local = endpoint_of(context, session, session->laddr, session->lport);
	struct endpoint remote = endpoint_of(context, session, session->raddr, session->rport);
	unsigned local_columns = endpoint_columns(&local), remote_columns = endpoint_columns(&remote);

	return local_columns > remote_columns ? local_columns : remote_columns;
}

static void cell_laddr(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_endpoint(context, &row->session, row->session.laddr, row->session.lport, cell);
}

static void cell_raddr(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_endpoint(context, &row->session, row->session.raddr, row->session.rport, cell);
}

/* The process at the other end; of a group whose other end is on another host, the host. */
static void cell_peer(const struct column_context *context, const struct row *row, struct cell *cell)
{
	if (context->grouping == GROUPING_PAIR && !row->peer.known)
		cell_raddr(context, row, cell);
	else
		who_cell_peer(context, row, cell);
}

static int compare_peer(const struct column_context *context, const struct row *a, const struct row *b)
{
	return who_compare_peer(context, a, b) ?: compare_raddr(context, a, b);
}

/* ---- how many, how long ---- */

static uint64_t rank_history(const struct column_context *context, const struct row *row)
{
	struct series series = traffic_row_series(context->traffic, row);

	return series_peak(&series, ROW_POINTS);
}

static void cell_history(const struct column_context *context, const struct row *row, struct cell *cell)
{
	struct series series = traffic_row_series(context->traffic, row);

	cell->columns = graph_line(cell->text, sizeof cell->text, &series, cell->width, 1, 0, context->utf8);
	cell->style = STYLE_RX;
}

static uint64_t rank_connections(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->members;
}

static void cell_connections(const struct column_context *context, const struct row *row, struct cell *cell)
{
	(void)context;
	column_cell_number(row->members, cell);
}

/* Older rows have the greater rank. */
static uint64_t rank_age(const struct column_context *context, const struct row *row)
{
	return context->traffic->clock_ns - row->first.clock_ns;
}

static void cell_age(const struct column_context *context, const struct row *row, struct cell *cell)
{
	uint64_t age_s = rank_age(context, row) / NS_PER_S;

	if (age_s < 600)
		cell->columns = (unsigned)snprintf(cell->text, sizeof cell->text, "%us", (unsigned)age_s);
	else if (age_s < 36000)
		cell->columns =
		    (unsigned)snprintf(cell->text, sizeof cell->text, "%umin", (unsigned)(age_s / 60));
	else
		cell->columns =
		    (unsigned)snprintf(cell->text, sizeof cell->text, "%uh", (unsigned)(age_s / 3600));
}

#define LAST_WIDTH_MIN 9
#define LAST_WIDTH COLUMN_LAST_WORDED

static uint64_t rank_last(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row_end(row)->clock_ns;
}

static void cell_last(const struct column_context *context, const struct row *row, struct cell *cell)
{
	const struct moment *end = row_end(row);
	uint64_t ago_s = (context->traffic->clock_ns - end->clock_ns) / NS_PER_S;
	const char *closed = !row->closed.clock_ns ? "" : cell->width < LAST_WIDTH ? "x" : "closed ";
	char clock[16], text[32];

	if (ago_s < DAY_S)
		format_clock(clock, sizeof clock, end->wall_s);
	else
		snprintf(clock, sizeof clock, "%ud ago", (unsigned)(ago_s / DAY_S));
	if (row->seen_tick == context->traffic->tick && !*closed)
		snprintf(text, sizeof text, "now");
	else
		snprintf(text, sizeof text, "%s%s", closed, clock);
	column_cell_text(context, text, cell);
}

#define CONNECTIONS (1 << GROUPING_NONE)
#define PROCESSES (1 << GROUPING_PROCESS)
#define REMOTES (1 << GROUPING_REMOTE)
#define CONTAINERS (1 << GROUPING_CONTAINER)
#define USERS (1 << GROUPING_USER)
#define PROGRAMS (1 << GROUPING_PROGRAM)
#define SERVICES (1 << GROUPING_SERVICE)
#define PAIRS (1 << GROUPING_PAIR)
#define SUM (1 << GROUPING_ALL)
#define GROUPS (EVERYWHERE & ~CONNECTIONS)
#define EVERYWHERE (2 * SUM - 1)

/*
 * In the order of the default columns, of the menu and of the list of ids. Not formatted: one line for each
 * field would be long to read.
 */
/* clang-format off */
const struct column column_table[] = {
	{ .id = "pid", .title = "PID", .description = "process id", .width_min = 7, .width_pref = 7,
	  .width_max = 7, .priority = 4, .right = true, .groupings = CONNECTIONS | PROCESSES,
	  .rank = who_rank_pid, .format = who_cell_pid },
	{ .id = "name", .title = "NAME", .description = "process name", .width_min = 8, .width_pref = 12,
	  .width_max = 16, .priority = 0, .essential = true, .groupings = EVERYWHERE, .identifies = PROCESSES | PROGRAMS | PAIRS, .leads = PROGRAMS | PAIRS, .rank = who_rank_name,
	  .compare = who_compare_name, .format = who_cell_name },
	{ .id = "user", .title = "USER", .description = "user", .width_min = 8, .width_pref = 8,
	  .width_max = 12, .priority = 8, .groupings = EVERYWHERE, .identifies = USERS, .leads = USERS, .rank = who_rank_user,
	  .compare = who_compare_user, .format = who_cell_user },
	{ .id = "laddr", .title = "LOCAL", .description = "local address and port", .width_min = 14,
	  .width_pref = 20, .width_max = 47, .priority = 5, .groupings = CONNECTIONS, .is_address = true,
	  .rank = rank_laddr, .compare = compare_laddr, .format = cell_laddr },
	{ .id = "raddr", .title = "REMOTE", .description = "remote address and port", .width_min = 13,
	  .width_pref = 21, .width_max = 47, .priority = 3, .essential = true,
	  .groupings = CONNECTIONS | REMOTES, .is_address = true, .identifies = REMOTES, .leads = REMOTES, .rank = rank_raddr,
	  .compare = compare_raddr, .format = cell_raddr },
	{ .id = "rx", .direction = "RX", .description = "received by the process", .width_min = 6,
	  .width_pref = 7, .width_max = 8, .priority = 1, .right = true, .descending = true,
	  .essential = true, .groupings = EVERYWHERE, .is_amount = true, .by_average = true, .rank = amount_rank_rx, .compare = amount_compare_rate,
	  .format = amount_cell_rx },
	{ .id = "tx", .direction = "TX", .description = "sent by the process", .width_min = 6,
	  .width_pref = 7, .width_max = 8, .priority = 2, .right = true, .descending = true,
	  .essential = true, .groupings = EVERYWHERE, .is_amount = true, .by_average = true, .rank = amount_rank_tx, .compare = amount_compare_rate,
	  .format = amount_cell_tx },
	{ .id = "rate", .direction = "RX+TX", .description = "received and sent together",
	  .width_min = 7, .width_pref = 8, .width_max = 9, .priority = 6, .right = true,
	  .descending = true, .groupings = EVERYWHERE, .is_amount = true, .by_average = true, .rank = amount_rank_rate, .compare = amount_compare_rate,
	  .format = amount_cell_rate },
	{ .id = "avg2", .title = "AVG 2s", .description = "received and sent, averaged over 2 s",
	  .width_min = 8, .width_pref = 8, .width_max = 9, .priority = 6, .right = true,
	  .descending = true, .groupings = EVERYWHERE, .is_amount = true, .rank = amount_rank_2s, .compare = amount_compare_rate,
	  .format = amount_cell_2s },
	{ .id = "avg10", .title = "AVG 10s", .description = "received and sent, averaged over 10 s",
	  .width_min = 8, .width_pref = 8, .width_max = 9, .priority = 6, .right = true,
	  .descending = true, .groupings = EVERYWHERE, .is_amount = true, .rank = amount_rank_10s, .compare = amount_compare_rate,
	  .format = amount_cell_10s },
	{ .id = "avg40", .title = "AVG 40s", .description = "received and sent, averaged over 40 s",
	  .width_min = 8, .width_pref = 8, .width_max = 9, .priority = 6, .right = true,
	  .descending = true, .groupings = EVERYWHERE, .is_amount = true, .rank = amount_rank_40s, .compare = amount_compare_rate,
	  .format = amount_cell_40s },
	{ .id = "total", .title = "TOTAL", .description = "received and sent since start or reset",
	  .width_min = 6, .width_pref = 7, .width_max = 8, .priority = 6, .right = true,
	  .descending = true, .groupings = EVERYWHERE, .is_amount = true, .rank = amount_rank_total, .format = amount_cell_total },
	{ .id = "history", .title = "HISTORY",
	  .description = "latest intervals, each to its own peak", .width_min = 8,
	  .width_pref = 16, .width_max = 32, .priority = 7, .right = true, .descending = true, .groupings = EVERYWHERE,
	  .rank = rank_history, .format = cell_history },
	{ .id = "container", .title = "CONTAINER", .description = "container, or unit, or cgroup",
	  .width_min = 12, .width_pref = 19, .width_max = 44, .priority = 9,
	  .groupings = EVERYWHERE, .identifies = CONTAINERS, .leads = CONTAINERS, .rank = who_rank_container,
	  .compare = who_compare_container, .format = who_cell_container },
	{ .id = "service", .title = "SERVICE", .description = "listening port that accepted it", .width_min = 9,
	  .width_pref = 10, .width_max = 16, .priority = 9, .groupings = CONNECTIONS | SERVICES, .identifies = SERVICES,
	  .leads = SERVICES, .rank = who_rank_service, .format = who_cell_service },
	{ .id = "peer", .title = "OTHER END", .description = "process at the other end, on this host", .width_min = 13,
	  .width_pref = 21, .width_max = 24, .priority = 9, .groupings = CONNECTIONS | PAIRS, .identifies = PAIRS, .leads = PAIRS,
	  .fits_open = true, .rank = who_rank_peer, .compare = compare_peer, .format = cell_peer },
	{ .id = "command", .title = "COMMAND", .description = "command line", .width_min = 12,
	  .width_pref = 24, .width_max = 120, .priority = 9, .groupings = CONNECTIONS | PROCESSES, .rank = who_rank_command,
	  .compare = who_compare_command, .format = who_cell_command },
	{ .id = "netns", .title = "NETNS", .description = "network namespace", .width_min = 10,
	  .width_pref = 10, .width_max = 10, .priority = 10, .right = true,
	  .groupings = CONNECTIONS | PROCESSES, .rank = rank_netns, .format = cell_netns },
	{ .id = "processes", .title = "PROCESSES", .description = "processes of a program", .width_min = 5,
	  .width_pref = 9, .width_max = 9, .priority = 4, .right = true, .descending = true,
	  .groupings = PROGRAMS, .rank = who_rank_processes, .format = who_cell_processes },
	{ .id = "connections", .title = "CONNECTIONS", .description = "connections in a group", .width_min = 5,
	  .width_pref = 11, .width_max = 11, .priority = 4, .right = true, .descending = true,
	  .groupings = GROUPS, .rank = rank_connections,
	  .format = cell_connections },
	{ .id = "age", .title = "AGE", .description = "since its first traffic seen here",
	  .width_min = 6, .width_pref = 6, .width_max = 6, .priority = 11, .right = true,
	  .descending = true, .groupings = EVERYWHERE, .rank = rank_age, .format = cell_age },
	{ .id = "last", .title = "LAST", .description = "last traffic; x, closed: its end", .width_min = LAST_WIDTH_MIN,
	  .width_pref = LAST_WIDTH_MIN, .width_max = LAST_WIDTH, .priority = 4, .right = true, .descending = true,
	  .groupings = EVERYWHERE, .with_all = true, .rank = rank_last, .format = cell_last },
	{ .id = "state", .title = "STATE", .description = "state; of a listener: waiting/allowed", .width_min = 11,
	  .width_pref = 12, .width_max = 18, .priority = 3, .groupings = CONNECTIONS, .needs = COLUMN_NEEDS_SOCKET, .with_open = true,
	  .rank = standing_rank_state, .format = standing_cell_state },
	{ .id = "why", .title = "WHY", .description = "what it waits for, part of the time", .width_min = 11,
	  .width_pref = 11, .width_max = 11, .priority = 0, .descending = true, .groupings = EVERYWHERE,
	  .needs = COLUMN_NEEDS_SOCKET, .with_open = true, .rank = standing_rank_why, .format = standing_cell_why },
	{ .id = "unread", .title = "UNREAD", .description = "arrived, not read by the process", .width_min = 7,
	  .width_pref = 7, .width_max = 8, .priority = 6, .right = true, .descending = true, .groupings = EVERYWHERE,
	  .needs = COLUMN_NEEDS_SOCKET, .fits_open = true, .rank = standing_rank_unread, .format = standing_cell_unread },
	{ .id = "unsent", .title = "UNSENT", .description = "written, not yet acknowledged", .width_min = 7,
	  .width_pref = 7, .width_max = 8, .priority = 6, .right = true, .descending = true, .groupings = EVERYWHERE,
	  .needs = COLUMN_NEEDS_SOCKET, .fits_open = true, .rank = standing_rank_unsent, .format = standing_cell_unsent },
	{ .id = "idle", .title = "IDLE", .description = "since the last byte either way", .width_min = 6,
	  .width_pref = 8, .width_max = 9, .priority = 6, .right = true, .descending = true, .groupings = CONNECTIONS,
	  .needs = COLUMN_NEEDS_SOCKET, .fits_open = true, .rank = standing_rank_idle, .format = standing_cell_idle },
	{ .id = "rtt", .title = "SRTT", .description = "smoothed round trip; group: longest", .width_min = 7,
	  .width_pref = 7, .width_max = 7, .priority = 4, .right = true, .descending = true,
	  .groupings = EVERYWHERE, .needs = COLUMN_NEEDS_SOCKET, .rank = standing_rank_rtt, .format = standing_cell_rtt },
	{ .id = "rttmin", .title = "MIN RTT", .description = "shortest round-trip time of 5 minutes", .width_min = 7,
	  .width_pref = 7, .width_max = 7, .priority = 5, .right = true, .descending = true,
	  .groupings = CONNECTIONS, .needs = COLUMN_NEEDS_SOCKET, .rank = standing_rank_rtt_min,
	  .format = standing_cell_rtt_min },
	{ .id = "resent", .title = "RESENT", .description = "share of sent bytes that were resent", .width_min = 6,
	  .width_pref = 6, .width_max = 6, .priority = 4, .right = true, .descending = true,
	  .groupings = EVERYWHERE, .needs = COLUMN_NEEDS_SOCKET, .rank = standing_rank_resent, .format = standing_cell_resent },
	{ .id = "retrans", .title = "RETR SUM", .description = "segments sent again in all its life",
	  .width_min = 8, .width_pref = 8, .width_max = 8, .priority = 4, .right = true,
	  .descending = true, .groupings = EVERYWHERE, .needs = COLUMN_NEEDS_SOCKET,
	  .rank = standing_rank_retransmits, .format = standing_cell_retransmits },
};
/* clang-format on */

const size_t column_count = sizeof column_table / sizeof column_table[0];
