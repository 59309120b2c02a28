/* SPDX-License-Identifier: Apache-2.0 */
#include "model/diagnosis.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/util.h"

/* To add a kind, add its row, and what it says in output/sentence.c. */
const struct finding_row finding_rows[FINDING_KIND_COUNT] = {
	[FINDING_LOSS] = { "loss", 1, CAUSE_LOSS },
	[FINDING_QUEUE] = { "queue", 0.5, CAUSE_QUEUE },
	[FINDING_PEER] = { "peer", 1, CAUSE_PEER },
	[FINDING_BUFFER] = { "buffer", 1, CAUSE_BUFFER },
	[FINDING_READER] = { "reader", 1, CAUSE_READER },
	[FINDING_APP] = { "app", 1e-9, CAUSE_APP },
	[FINDING_REMOTE] = { "remote", 1e-9, CAUSE_REMOTE },
	[FINDING_UNANSWERED] = { "unanswered", 1, CAUSE_NONE },
	[FINDING_BACKLOG] = { "backlog", 1, CAUSE_NONE },
	[FINDING_LEAK] = { "close_wait", 0.1, CAUSE_NONE },
	[FINDING_REFUSED] = { "refused", 1, CAUSE_NONE },
	[FINDING_RESETS] = { "resets", 0.1, CAUSE_NONE },
	[FINDING_CHURN] = { "churn", 0.01, CAUSE_NONE },
};

const char *finding_name(uint8_t kind)
{
	return kind < FINDING_KIND_COUNT ? finding_rows[kind].name : NULL;
}

bool finding_is_fault(const struct finding *finding)
{
	return finding_kind_is_fault(finding->kind);
}

void diagnosis_init(struct diagnosis *diagnosis)
{
	*diagnosis = (struct diagnosis){ 0 };
	rows_init(&diagnosis->rows);
	ends_init(&diagnosis->ends);
}

void diagnosis_fini(struct diagnosis *diagnosis)
{
	rows_fini(&diagnosis->rows);
	ends_fini(&diagnosis->ends);
	free(diagnosis->stays);
	*diagnosis = (struct diagnosis){ 0 };
}

/* ---- adding intervals ---- */

/* The stay of a session's socket, whose row is then as it was last told; NULL: no memory. */
static struct stay *find_stay(struct diagnosis *diagnosis, const struct session *session)
{
	bool added;
	size_t index = rows_find_or_add(&diagnosis->rows, session, &added);

	if (index == ROW_NONE)
		return NULL;
	struct stay *stays =
	    array_grow(diagnosis->stays, index, &diagnosis->stay_capacity, 64, sizeof *stays);

	if (!stays)
		return NULL;
	diagnosis->stays = stays;
	struct stay *stay = &diagnosis->stays[index];

	if (added) {
		bool is_new =
		    session->socket.age_ms && session->socket.age_ms * NS_PER_MS < diagnosis->looked_ns;

		*stay = (struct stay){ .first_drops = is_new ? 0 : session->socket.drops };
	}
	struct session *told = &diagnosis->rows.rows[index].session;
	/* A further listener of the process at this address and port (SO_REUSEPORT). */
	bool is_further = !added && stay->last_pass == diagnosis->passes;
	uint32_t drops = is_further ? told->socket.drops : 0;

	if (is_further && !stay->told_ns)
		stay->first_drops += session->socket.drops;
	*told = *session;
	told->socket.drops += drops;
	return stay;
}

static void add_special(struct stay *stay, const struct socket_summary *socket, uint64_t span_ns)
{
	if (socket->state == SOCKET_SYN_SENT && socket->retries)
		stay->waited_ns[FINDING_UNANSWERED] += span_ns;
	if (socket->state == SOCKET_LISTEN) {
		if (backlog_is_fuller(
		        socket->backlog, socket->backlog_max, stay->backlog, stay->backlog_max)) {
			stay->backlog = socket->backlog;
			stay->backlog_max = socket->backlog_max;
		}
		if (socket->backlog > socket->backlog_max)
			stay->waited_ns[FINDING_BACKLOG] += span_ns * socket->backlog;
	}
	/* What still sends, or reads what was left, is half closed on purpose. */
	if (socket->state == SOCKET_CLOSE_WAIT && !stay->moved_bytes && !socket->unacked_bytes &&
	    !socket->unsent_bytes)
		stay->waited_ns[FINDING_LEAK] += span_ns;
	else
		stay->waited_ns[FINDING_LEAK] = 0;
}

static void add_session(
    struct diagnosis *diagnosis, struct stay *stay, const struct session *session, uint64_t span_ns)
{
	const struct socket_summary *socket = &session->socket;

	stay->last_pass = diagnosis->passes;
	stay->moved_bytes += session->rx_bytes + session->tx_bytes;
	stay->read_bytes += session->rx_bytes;
	stay->sent_bytes += socket->sent_bytes;
	stay->retrans_bytes += socket->retrans_bytes;
	stay->told_ns += span_ns;
	add_special(stay, socket, span_ns);
	/* It is told of as unanswered, once it has asked again: until then it is on its way. */
	if (socket->cause == CAUSE_NONE || socket->state == SOCKET_SYN_SENT)
		return;
	for (int kind = 0; kind < FINDING_KIND_COUNT; kind++)
		if (finding_rows[kind].cause != CAUSE_NONE)
			stay->waited_ns[kind] += socket->shares[finding_rows[kind].cause] * span_ns / 100;
}

int diagnosis_begin(struct diagnosis *diagnosis, const struct snapshot *snapshot)
{
	diagnosis->has_begun = true;
	for (size_t i = 0; i < snapshot->session_count; i++)
		if (snapshot->sessions[i].socket.state && !find_stay(diagnosis, &snapshot->sessions[i]))
			return -ENOMEM;
	return 0;
}

int diagnosis_add(struct diagnosis *diagnosis, const struct snapshot *snapshot)
{
	uint64_t span_ns = snapshot->sockets.passed_ns;

	/* The time begins with a pass: what ended before is not of it. */
	if (diagnosis->has_begun && ends_add(&diagnosis->ends, snapshot) < 0)
		return -ENOMEM;
	diagnosis->has_begun |= snapshot->sockets.cpu_ns || snapshot->sockets.count;
	if (!snapshot->sockets.passed_ns)
		return snapshot->sockets.count ? diagnosis_begin(diagnosis, snapshot) : 0;
	diagnosis->passes++;
	diagnosis->looked_ns += snapshot->sockets.passed_ns;
	diagnosis->missing = snapshot->sockets.beyond;
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];

		if (!session->socket.state)
			continue;
		struct stay *stay = find_stay(diagnosis, session);

		if (!stay)
			return -ENOMEM;
		add_session(diagnosis, stay, session, span_ns);
	}
	return 0;
}
