/* SPDX-License-Identifier: Apache-2.0 */
#include "model/ends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/util.h"
#include "model/how.h"

#define SHORT_US 1000000

void ends_init(struct ends *ends)
{
	*ends = (struct ends){ 0 };
	rows_init(&ends->rows);
}

void ends_fini(struct ends *ends)
{
	rows_fini(&ends->rows);
	free(ends->counts);
	*ends = (struct ends){ 0 };
}

/* What one finding has in common: the process, and its port or the remote. */
static struct session key_of(const struct session *session)
{
	struct session key = {
		.family = session->family,
		.pid = session->pid,
		.process_start_ms = session->process_start_ms,
		.netns = session->netns,
	};

	if (session->accepted == ANSWER_YES) {
		key.lport = session->lport;
	} else {
		key.rport = session->rport;
		memcpy(key.raddr, session->raddr, sizeof key.raddr);
	}
	return key;
}

static struct end_counts *find_counts(struct ends *ends, const struct session *session)
{
	const struct session key = key_of(session);
	bool added;
	size_t index = rows_find_or_add(&ends->rows, &key, &added);

	if (index == ROW_NONE)
		return NULL;
	struct end_counts *counts = array_grow(ends->counts, index, &ends->capacity, 16, sizeof *counts);

	if (!counts)
		return NULL;
	ends->counts = counts;
	if (added)
		ends->counts[index] = (struct end_counts){ 0 };
	ends->counts[index].session = *session;
	return &ends->counts[index];
}

int ends_add(struct ends *ends, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->connection_count; i++) {
		const struct connection *connection = &snapshot->connections[i];
		struct end_counts *counts = find_counts(ends, &connection->session);
		bool is_closed = connection->end == END_CLOSED || connection->end == END_CLOSED_REMOTE;

		if (!counts)
			return -ENOMEM;
		counts->ended++;
		counts->refused += connection->end == END_REFUSED;
		counts->resets += connection->end == END_RESET || connection->end == END_RESET_REMOTE;
		counts->resets_here += connection->end == END_RESET;
		if (is_closed && connection->lived_us < SHORT_US &&
		    connection->session.accepted == ANSWER_NO) {
			counts->shorts++;
			counts->shorts_closed_here += connection->end == END_CLOSED;
		}
	}
	return 0;
}
