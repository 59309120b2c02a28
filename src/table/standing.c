/* SPDX-License-Identifier: Apache-2.0 */
#include "table/standing.h"

#include <stdio.h>
#include <string.h>

#include "base/format.h"
#include "model/cause.h"
#include "model/rows.h"

/* ---- round trips and what was sent again ---- */

static void cell_us(const struct column_context *context, uint32_t us, struct cell *cell)
{
	double ms = us / 1000.0;
	char text[24];

	if (!us)
		snprintf(text, sizeof text, "-");
	else if (ms < 1000)
		snprintf(text, sizeof text, "%.*fms", ms < 1 ? 3 : ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
	else
		snprintf(text, sizeof text, "%.1fs", ms / 1000);
	column_cell_text(context, text, cell);
}

uint64_t standing_rank_rtt(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->session.rtt_us;
}

void standing_cell_rtt(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_us(context, row->session.rtt_us, cell);
}

uint64_t standing_rank_rtt_min(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->session.socket.rtt_min_us;
}

void standing_cell_rtt_min(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_us(context, row->session.socket.rtt_min_us, cell);
}

uint64_t standing_rank_retransmits(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->session.retransmits;
}

void standing_cell_retransmits(const struct column_context *context, const struct row *row, struct cell *cell)
{
	if (row->session.rtt_us)
		column_cell_number(row->session.retransmits, cell);
	else
		column_cell_text(context, "-", cell);
}

/* In hundredths of a percent; more may be sent again than was sent in the interval for the first time. */
static uint64_t resent_share(const struct socket_summary *socket)
{
	return socket->sent_bytes ? socket->retrans_bytes * 10000 / socket->sent_bytes : 0;
}

uint64_t standing_rank_resent(const struct column_context *context, const struct row *row)
{
	(void)context;
	return resent_share(&row->session.socket);
}

void standing_cell_resent(const struct column_context *context, const struct row *row, struct cell *cell)
{
	uint64_t share = resent_share(&row->session.socket);
	char text[24] = "-";

	if (row->session.socket.sent_bytes)
		snprintf(text, sizeof text, "%.*f%%", share && share < 1000 ? 2 : 0, (double)share / 100);
	column_cell_text(context, text, cell);
	if (share)
		cell->style = STYLE_ALERT;
}

/* ---- state ---- */

uint64_t standing_rank_state(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->session.socket.state;
}

void standing_cell_state(const struct column_context *context, const struct row *row, struct cell *cell)
{
	const struct socket_summary *socket = &row->session.socket;
	const char *name = socket_state_name(socket->state);
	char text[40];

	if (socket->state == SOCKET_LISTEN && context->grouping == GROUPING_NONE)
		snprintf(text, sizeof text, "LISTEN %u/%u", socket->backlog, socket->backlog_max);
	else
		snprintf(text, sizeof text, "%s", name ? name : "-");
	column_cell_text(context, text, cell);
	if (socket_is_full(socket))
		cell->style = STYLE_ALERT;
}

/* ---- why ---- */

/* The weightiest last. */
static const uint8_t weights[CAUSE_COUNT] = {
	[CAUSE_IDLE] = 1,
	[CAUSE_REMOTE] = 2,
	[CAUSE_APP] = 3,
	[CAUSE_QUEUE] = 4,
	[CAUSE_BUFFER] = 5,
	[CAUSE_READER] = 6,
	[CAUSE_PEER] = 7,
	[CAUSE_LOSS] = 8,
};

uint64_t standing_rank_why(const struct column_context *context, const struct row *row)
{
	const struct socket_summary *socket = &row->session.socket;

	(void)context;
	return (uint64_t)weights[socket->cause] << 8 | socket->shares[socket->cause];
}

void standing_cell_why(const struct column_context *context, const struct row *row, struct cell *cell)
{
	const struct socket_summary *socket = &row->session.socket;
	const char *name = cause_name(socket->cause);
	char text[24] = "-";

	if (name)
		snprintf(text, sizeof text, "%s %u%%", name, socket->shares[socket->cause]);
	column_cell_text(context, text, cell);
	if (weights[socket->cause] > weights[CAUSE_QUEUE])
		cell->style = STYLE_ALERT;
}

/* ---- what waits ---- */

static void cell_waiting(
    const struct column_context *context, const struct row *row, uint64_t bytes, struct cell *cell)
{
	char text[32] = "-";

	if (row->session.socket.state && row->session.socket.state != SOCKET_LISTEN)
		format_bytes(text, sizeof text, bytes, context->unit);
	column_cell_text(context, text, cell);
}

uint64_t standing_rank_unread(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->session.socket.unread_bytes;
}

void standing_cell_unread(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_waiting(context, row, row->session.socket.unread_bytes, cell);
}

uint64_t standing_rank_unsent(const struct column_context *context, const struct row *row)
{
	(void)context;
	return (uint64_t)row->session.socket.unsent_bytes + row->session.socket.unacked_bytes;
}

void standing_cell_unsent(const struct column_context *context, const struct row *row, struct cell *cell)
{
	cell_waiting(context, row, standing_rank_unsent(context, row), cell);
}

uint64_t standing_rank_idle(const struct column_context *context, const struct row *row)
{
	(void)context;
	return row->session.socket.idle_s;
}

void standing_idle(const struct row *row, char *buffer, size_t size)
{
	const struct socket_summary *socket = &row->session.socket;

	*buffer = '\0';
	if (socket->rx_idle_ms || socket->tx_idle_ms)
		format_span(buffer, size, (uint64_t)socket->idle_s * 1000);
}

void standing_cell_idle(const struct column_context *context, const struct row *row, struct cell *cell)
{
	char text[32];

	standing_idle(row, text, sizeof text);
	column_cell_text(context, *text ? text : "-", cell);
}

/* ---- in words ---- */

const char *standing_sentence(const struct socket_summary *socket, char *buffer, size_t size)
{
	char waiting[32];
	uint64_t bytes = socket->cause == CAUSE_READER
	                     ? socket->unread_bytes
	                     : (uint64_t)socket->unsent_bytes + socket->unacked_bytes;
	bool tells_bytes = socket->cause == CAUSE_READER || socket->cause == CAUSE_PEER ||
	                   socket->cause == CAUSE_LOSS || socket->cause == CAUSE_QUEUE;

	*buffer = '\0';
	if (!cause_meaning(socket->cause))
		return buffer;
	format_bytes(waiting, sizeof waiting, bytes, UNIT_HUMAN);
	snprintf(buffer, size, "%s %u%%: %s%s%s%s", cause_name(socket->cause), socket->shares[socket->cause],
	    cause_meaning(socket->cause), tells_bytes ? "; " : "", tells_bytes ? waiting : "",
	    !tells_bytes                    ? ""
	    : socket->cause == CAUSE_READER ? " unread"
	                                    : " not acknowledged");
	return buffer;
}

const char *standing_proof(
    const struct socket_summary *here, const struct socket_summary *there, char *buffer, size_t size)
{
	const char *proof = cause_proof(here->cause, there->cause);
	char waiting[32], waits[64] = "";

	*buffer = '\0';
	if (!proof)
		return buffer;
	uint64_t bytes = there->cause == CAUSE_READER ? there->unread_bytes
	                                              : (uint64_t)there->unsent_bytes + there->unacked_bytes;

	format_bytes(waiting, sizeof waiting, bytes, UNIT_HUMAN);
	if (bytes)
		snprintf(waits, sizeof waits, ", %s %s", waiting,
		    there->cause == CAUSE_READER ? "unread" : "not acknowledged");
	snprintf(buffer, size, "%s (%s %u%%)%s", proof, cause_name(there->cause), there->shares[there->cause],
	    waits);
	return buffer;
}

const char *standing_round_trips(const struct session *session, char *buffer, size_t size)
{
	const struct socket_summary *socket = &session->socket;
	char received[48] = "";

	*buffer = '\0';
	if (!session->rtt_us)
		return buffer;
	if (socket->rtt_received_us)
		snprintf(
		    received, sizeof received, "   as receiver %.3f ms", socket->rtt_received_us / 1000.0);
	snprintf(buffer, size, "%.3f ms   shortest %.3f ms%s", session->rtt_us / 1000.0,
	    socket->rtt_min_us / 1000.0, received);
	return buffer;
}

const char *standing_sent_again(const struct session *session, char *buffer, size_t size)
{
	const struct socket_summary *socket = &session->socket;
	char again[32], sent[32];

	*buffer = '\0';
	if (!session->rtt_us)
		return buffer;
	format_bytes(again, sizeof again, socket->retrans_bytes, UNIT_HUMAN);
	format_bytes(sent, sizeof sent, socket->sent_bytes, UNIT_HUMAN);
	snprintf(buffer, size, "%u segment%s in all   %s of %s this interval", session->retransmits,
	    session->retransmits == 1 ? "" : "s", again, sent);
	return buffer;
}
