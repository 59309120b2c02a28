/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/ended.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/audit.h"
#include "model/life.h"
#include "model/snapshot.h"
#include "trace/counted.h"
#include "trace/told.h"

/* So many are judged later at most: of each a few hundred bytes are kept. */
#define ENDED_MAX 65536

/* All of an interval, but for bytes of what a pass in it has told of. told: the latest pass. 0 or -ENOMEM. */
static int count_keys(struct counted_list *list, const struct told *told, const struct snapshot *snapshot)
{
	bool has_pass = snapshot->sockets.cpu_ns != 0;

	list->count = 0;
	list->all = calloc(snapshot->session_count + snapshot->connection_count + 1, sizeof *list->all);
	if (!list->all)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];
		struct counted *counted = &list->all[list->count++];

		*counted = (struct counted){ .key_hash = counted_hash(session),
			.is_told = told_find(told, session) != told->count };
		if (has_pass && counted->is_told)
			continue;
		counted->tx_bytes = session->tx_bytes;
		counted->rx_bytes = session->rx_bytes;
		counted->row = i + 1;
		counted->pid = session->pid;
	}
	for (size_t i = 0; i < snapshot->connection_count; i++)
		list->all[list->count++] =
		    (struct counted){ .key_hash = counted_hash(&snapshot->connections[i].session),
			    .ends = 1 };
	counted_unite(list);
	return 0;
}

/* ---- of this interval ---- */

/* Who has it for certain: of one that a listener accepted it may be another than who listens. */
static uint32_t find_owner(const struct connection *connection)
{
	return connection->owner_known == LIFE_OWNER_LISTENER ? 0 : connection->session.pid;
}

/* For what may be missing: of whoever moved bytes of it, else of who has it. */
static int keep_row(
    struct audit_ended *ended, const struct snapshot *snapshot, const struct session *connection, size_t row)
{
	const struct session *user = row ? &snapshot->sessions[row - 1] : connection;

	if (user->pid != ended->pid)
		return 0;
	ended->row = malloc(sizeof *ended->row);
	if (!ended->row)
		return -ENOMEM;
	*ended->row = *user;
	ended->row->rx_bytes = ended->row->tx_bytes = 0;
	ended->row->socket = (struct socket_summary){ 0 };
	ended->row->is_closed = true;
	return 0;
}

/* is_counted: the audit has what was counted of it in the interval. */
static int take(struct audit *audit, const struct connection *connection, const struct counted *counted,
    struct snapshot *snapshot, uint64_t since_ns, bool is_counted)
{
	const struct audit_end_entry entry = {
		.cookie = connection->cookie,
		.key_hash = counted->key_hash,
		.tx_bytes = connection->session.tx_bytes,
		.rx_bytes = connection->session.rx_bytes,
		.has_syn = connection->session.accepted == ANSWER_NO,
		.bits = connection->audit,
		.born_ns = connection->began_ns,
		.since_ns = since_ns,
		.now_ns = clock_now_ns(),
		.tx_counted_bytes = is_counted ? 0 : counted->tx_bytes,
		.rx_counted_bytes = is_counted ? 0 : counted->rx_bytes,
		.pid = counted->pid ?: find_owner(connection),
		.is_shared = counted->by_others,
	};
	struct audit_ended *ended;
	struct audit_healed healed;
	int err = audit_take_end(audit, &entry, &ended, &healed);

	if (!err && counted->row)
		snapshot_correct(snapshot, counted->row - 1, healed.tx_bytes, healed.rx_bytes);
	if (!err && ended && audit_is_short(audit, ended))
		err = keep_row(ended, snapshot, &connection->session, counted->row);
	return err;
}

/*
 * In an interval without a pass what a socket moved that the latest one saw is counted already, whoever had its key; and of one whose
 * end is awaited, all until that.
 */
static int take_all(struct audit *audit, const struct earlier *earlier, const struct told *told,
    struct snapshot *snapshot, const struct counted_list *list)
{
	int err = 0;

	for (size_t i = 0; i < snapshot->connection_count && !err; i++) {
		const struct connection *connection = &snapshot->connections[i];
		struct counted counted = counted_find(list, counted_hash(&connection->session));
		struct counted before = counted_find(&earlier->counted, counted.key_hash);
		size_t place = told_find(told, &connection->session);
		bool is_told = place != told->count;
		bool is_counted =
		    is_told && !snapshot->sockets.cpu_ns && told->facts[place].cookie == connection->cookie;

		if (!is_counted && !audit_is_awaited(audit, connection->cookie))
			counted_join(&counted, &before);
		else
			counted.ends += before.ends;
		err = audit_note_end(audit, counted.key_hash);
		if (!err && counted.ends == 1 && is_told == is_counted && audit->ended_count < ENDED_MAX)
			err = take(audit, connection, &counted, snapshot,
			    before.is_told || is_told ? UINT64_MAX : earlier->since_ns, is_counted);
	}
	return err;
}

/* ---- of intervals before ---- */

/* To the row of its process, which may have to be made. */
static int give(struct snapshot *snapshot, const struct session *row, const struct counted *counted,
    const struct audit_healed *healed)
{
	size_t place = counted->row;

	if (!healed->tx_bytes && !healed->rx_bytes)
		return 0;
	if (!place || counted->pid != row->pid) {
		struct session *session = snapshot_add(snapshot);

		if (!session)
			return -ENOMEM;
		*session = *row;
		place = snapshot->session_count;
	}
	snapshot_correct(snapshot, place - 1, healed->tx_bytes, healed->rx_bytes);
	return 0;
}

static int judge_all(
    struct audit *audit, const struct told *told, struct snapshot *snapshot, const struct counted_list *list)
{
	size_t kept = 0, count = audit->ended_count;
	bool has_pass = snapshot->sockets.cpu_ns != 0;
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		struct audit_ended ended = audit->ended[i];
		struct counted counted = counted_find(list, ended.key_hash);
		struct audit_healed healed;
		const struct audit_late late = {
			.tx_bytes = counted.tx_bytes,
			.rx_bytes = counted.rx_bytes,
			.is_doubtful = counted.ends != 0 || (has_pass && told_has_key(told, ended.key_hash)),
			.has_pass = has_pass,
			.now_ns = clock_now_ns(),
		};
		bool is_over = audit_judge_ended(audit, &ended, &late, &healed);

		if (is_over)
			err = give(snapshot, ended.row, &counted, &healed);
		audit->ended[i] = audit->ended[kept];
		audit->ended[kept] = ended;
		kept += !is_over;
	}
	audit_keep_ended(audit, err ? 0 : kept);
	return err;
}

/*
 * What is born and what ends later is to be held against what was counted in several intervals: since the latest pass, and in that
 * one's, as what has ended between the end of an interval and its pass is told of as ended in the next.
 */
static void keep_counts(
    struct earlier *earlier, const struct snapshot *snapshot, const struct counted_list *list)
{
	bool has_pass = snapshot->sockets.cpu_ns != 0;
	uint64_t now_ns = clock_now_ns();

	if (has_pass) {
		counted_fini(&earlier->counted);
		earlier->since_ns = earlier->latest_ns;
	}
	earlier->latest_ns = now_ns;
	if (snapshot->notes_connections && counted_add(&earlier->counted, list) == 0)
		return;
	counted_fini(&earlier->counted);
	earlier->since_ns = now_ns;
}

/*
 * One that the pass has not come to any more, and whose end is not told, has ended after the interval: its end is told in the next.
 * Until then it is counted here.
 */
static void await_ends(
    struct audit *audit, const struct told *told, const struct counted_list *list, bool has_pass)
{
	for (size_t i = 0; i < audit->count && !audit->has_gap; i++) {
		struct audit_socket *socket = &audit->sockets[i];

		if (socket->has_ended || socket->lives_on || has_pass == socket->is_gone)
			continue;
		struct counted counted = counted_find(list, socket->key_hash);

		if (!counted.ends && !told_has_key(told, socket->key_hash))
			audit_await_end(
			    socket, counted.pid, counted.by_others, counted.tx_bytes, counted.rx_bytes);
	}
}

int ended_audit(
    struct audit *audit, struct earlier *earlier, const struct told *told, struct snapshot *snapshot)
{
	struct counted_list list = { 0 };
	bool needs = audit->ended_count || snapshot->notes_connections;
	int err = needs ? count_keys(&list, told, snapshot) : 0;

	err = err ?: judge_all(audit, told, snapshot, &list);
	err = err ?: take_all(audit, earlier, told, snapshot, &list);
	if (!err && snapshot->notes_connections)
		await_ends(audit, told, &list, snapshot->sockets.cpu_ns != 0);
	if (!err)
		keep_counts(earlier, snapshot, &list);
	counted_fini(&list);
	return err;
}
