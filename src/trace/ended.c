/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/ended.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/util.h"
#include "model/audit.h"
#include "model/snapshot.h"
#include "trace/told.h"

/* What was counted for a key without an open socket, and how many connections with it have ended. */
struct counted {
	uint64_t key_hash;
	uint64_t tx_bytes, rx_bytes;
	unsigned ends;
};

struct counted_list {
	struct counted *all;
	size_t count;
};

/* Without the process, as several may have moved bytes of one. */
static uint64_t hash_key(const struct session *session)
{
	struct session key = *session;

	key.pid = 0;
	key.life = 0;
	return session_hash(&key);
}

static int compare(const void *a, const void *b)
{
	const struct counted *left = a, *right = b;

	return COMPARE(left->key_hash, right->key_hash);
}

/* One of each key, in order. */
static void unite(struct counted_list *list)
{
	size_t count = 0;

	qsort(list->all, list->count, sizeof *list->all, compare);
	for (size_t i = 0; i < list->count; i++) {
		struct counted *last = count ? &list->all[count - 1] : NULL;

		if (!last || last->key_hash != list->all[i].key_hash) {
			list->all[count++] = list->all[i];
			continue;
		}
		last->tx_bytes += list->all[i].tx_bytes;
		last->rx_bytes += list->all[i].rx_bytes;
		last->ends += list->all[i].ends;
	}
	list->count = count;
}

static int count_keys(struct counted_list *list, const struct told *told, const struct snapshot *snapshot)
{
	list->count = 0;
	list->all = calloc(snapshot->session_count + snapshot->connection_count + 1, sizeof *list->all);
	if (!list->all)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];

		if (told_find(told, session) == told->count)
			list->all[list->count++] =
			    (struct counted){ hash_key(session), session->tx_bytes, session->rx_bytes, 0 };
	}
	for (size_t i = 0; i < snapshot->connection_count; i++)
		list->all[list->count++] =
		    (struct counted){ .key_hash = hash_key(&snapshot->connections[i].session), .ends = 1 };
	unite(list);
	return 0;
}

static struct counted find(const struct counted_list *list, uint64_t key_hash)
{
	const struct counted wanted = { .key_hash = key_hash };
	const struct counted *found = bsearch(&wanted, list->all, list->count, sizeof wanted, compare);

	return found ? *found : wanted;
}

static int take(
    struct audit *audit, const struct connection *connection, const struct counted *counted, uint64_t told_ns)
{
	const struct audit_end_entry entry = {
		.cookie = connection->cookie,
		.key_hash = counted->key_hash,
		.tx_bytes = connection->session.tx_bytes,
		.rx_bytes = connection->session.rx_bytes,
		.has_syn = connection->session.accepted == ANSWER_NO,
		.bits = connection->audit,
		.born_ns = connection->began_ns,
		.since_ns = told_ns,
		.tx_counted_bytes = counted->tx_bytes,
		.rx_counted_bytes = counted->rx_bytes,
	};

	return audit_take_end(audit, &entry);
}

int ended_audit(
    struct audit *audit, const struct told *told, const struct snapshot *snapshot, uint64_t told_ns)
{
	struct counted_list list;

	if (!audit->ended_count && !snapshot->connection_count)
		return 0;
	int err = count_keys(&list, told, snapshot);

	for (size_t i = 0; i < audit->ended_count && !err; i++) {
		struct audit_ended *ended = &audit->ended[i];
		struct counted counted = find(&list, ended->key_hash);

		audit_judge_ended(audit, ended, counted.tx_bytes, counted.rx_bytes,
		    counted.ends != 0 || told_has_key(told, ended->key_hash));
	}
	audit_forget_ended(audit);
	for (size_t i = 0; i < snapshot->connection_count && !err; i++) {
		const struct connection *connection = &snapshot->connections[i];
		struct counted counted = find(&list, hash_key(&connection->session));

		err = audit_note_end(audit, counted.key_hash);
		if (!err && counted.ends == 1 && told_find(told, &connection->session) == told->count)
			err = take(audit, connection, &counted, told_ns);
	}
	free(list.all);
	return err;
}

void ended_skip(struct audit *audit, const struct snapshot *snapshot)
{
	audit_forget_ended(audit);
	for (size_t i = 0; i < snapshot->connection_count; i++)
		if (audit_note_end(audit, hash_key(&snapshot->connections[i].session)) < 0)
			audit_forget(audit);
}
