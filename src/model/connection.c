/* SPDX-License-Identifier: Apache-2.0 */
#include "model/connection.h"

#include <errno.h>
#include <stdio.h>

bool connection_has_failed(const struct connection *connection)
{
	return connection->end != END_CLOSED && connection->end != END_CLOSED_REMOTE;
}

/* Of states before it was closed: net/ipv4/tcp_states.h. */
enum {
	STATE_SYN_SENT = 2,
	STATE_FIN_WAIT1 = 4,
	STATE_FIN_WAIT2 = 5,
	STATE_LAST_ACK = 9,
	STATE_CLOSING = 11,
};

/*
 * What tcp_reset, tcp_write_err and tcp_abort leave in sk_err; without an error a socket that has neither sent nor got a FIN
 * was closed by its process such that the kernel sends a reset (tcp_disconnect, tcp_close with unread data).
 */
static enum connection_end find_end(const struct life_end *end)
{
	bool connecting = end->state == STATE_SYN_SENT;

	switch (end->error) {
	case ECONNREFUSED:
		return connecting ? END_REFUSED : END_RESET_REMOTE;
	case ECONNRESET:
	case EPIPE:
		return END_RESET_REMOTE;
	case ETIMEDOUT:
		return END_TIMED_OUT;
	case ECONNABORTED:
		return END_ABORTED;
	case 0:
		break;
	default:
		return END_UNREACHABLE;
	}
	if (connecting)
		return end->unsent ? END_NO_PORT : END_GIVEN_UP;
	if (end->reset)
		return END_RESET;
	switch (end->state) {
	case STATE_FIN_WAIT1:
	case STATE_FIN_WAIT2:
	case STATE_CLOSING:
		return END_CLOSED;
	case STATE_LAST_ACK:
		return END_CLOSED_REMOTE;
	default:
		return END_RESET;
	}
}

static uint64_t span_us(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns && to_ns > from_ns ? (to_ns - from_ns) / 1000 : 0;
}

void connection_take(struct connection *connection, const struct life_end *end, uint64_t interval_end_ns,
    const char (*reasons)[CONNECTION_REASON_SIZE], uint32_t reason_count)
{
	struct session *session = &connection->session;

	session_take_socket_key(session, &end->key);
	session_take_owner(session, &end->owner);
	session->rx_bytes = end->rx_bytes;
	session->tx_bytes = end->tx_bytes;
	session->rtt_us = end->rtt_us;
	session->retransmits = end->retransmits;
	session->accepted = end->accepted;
	connection->audit = (uint16_t)end->audit;
	connection->began_ns = end->began_ns;
	connection->end = (uint8_t)find_end(end);
	connection->owner_known = end->owner_known;
	connection->error = end->error;
	connection->syn_retries = end->syn_retries;
	/* a program that chose this generation before the swap may have looked at the clock after it */
	connection->ago_us = span_us(end->ended_ns, interval_end_ns);
	connection->lived_us = end->began_ns ? span_us(end->began_ns, end->ended_ns) : CONNECTION_UNKNOWN;
	connection->connect_us = CONNECTION_UNKNOWN;
	if (end->accepted == ANSWER_NO && end->began_ns && end->established_ns)
		connection->connect_us = span_us(end->began_ns, end->established_ns);
	connection->accept_us = CONNECTION_UNKNOWN;
	if (end->accepted == ANSWER_YES && end->established_ns && end->called_ns)
		connection->accept_us = span_us(end->established_ns, end->called_ns);
	connection->reason[0] = '\0';
	if (end->reset && end->reset <= reason_count)
		snprintf(connection->reason, sizeof connection->reason, "%s", reasons[end->reset - 1]);
}
