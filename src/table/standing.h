/* SPDX-License-Identifier: Apache-2.0 */
/* How a socket stands and what it waits for: columns and sentences, from what the pass over sockets told. */
#ifndef TCPTOP_STANDING_H
#define TCPTOP_STANDING_H

#include <stddef.h>
#include <stdint.h>

#include "table/column.h"

struct session;
struct socket_summary;

uint64_t standing_rank_rtt(const struct column_context *context, const struct row *row);
void standing_cell_rtt(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t standing_rank_rtt_min(const struct column_context *context, const struct row *row);
void standing_cell_rtt_min(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t standing_rank_retransmits(const struct column_context *context, const struct row *row);
void standing_cell_retransmits(
    const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t standing_rank_resent(const struct column_context *context, const struct row *row);
void standing_cell_resent(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t standing_rank_state(const struct column_context *context, const struct row *row);
void standing_cell_state(const struct column_context *context, const struct row *row, struct cell *cell);

/* Those that wait come first, by cause, then by its share. */
uint64_t standing_rank_why(const struct column_context *context, const struct row *row);
void standing_cell_why(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t standing_rank_unread(const struct column_context *context, const struct row *row);
void standing_cell_unread(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t standing_rank_unsent(const struct column_context *context, const struct row *row);
void standing_cell_unsent(const struct column_context *context, const struct row *row, struct cell *cell);

uint64_t standing_rank_idle(const struct column_context *context, const struct row *row);
void standing_cell_idle(const struct column_context *context, const struct row *row, struct cell *cell);

/* Since the last byte either way: "42 s"; "" when there was none, or it is not known. */
void standing_idle(const struct row *row, char *buffer, size_t size);

/*
 * What a connection waits for, in words, with the evidence: "71% peer: the remote's receive window is full, 3.6 MB wait to be
 * sent". "" when it is not known. Written into buffer, which is returned.
 */
const char *standing_sentence(const struct socket_summary *socket, char *buffer, size_t size);

/*
 * What the other end, on this host, proves of the wait here: "it does not read what has arrived (reader 93%), 3.2MB unread".
 * "" when that is not known, or proves nothing.
 */
const char *standing_proof(
    const struct socket_summary *here, const struct socket_summary *there, char *buffer, size_t size);

/* The same for its round trips, and for what it sent again: "" where no round trip was measured. */
const char *standing_round_trips(const struct session *session, char *buffer, size_t size);
const char *standing_sent_again(const struct session *session, char *buffer, size_t size);

#endif
