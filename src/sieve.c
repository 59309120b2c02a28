/* SPDX-License-Identifier: Apache-2.0 */
#include "sieve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "model/cause.h"
#include "model/rows.h"
#include "model/snapshot.h"
#include "names/names.h"
#include "table/column.h"
#include "table/match.h"

struct sieve {
	struct source source;
	struct match match;
	struct column_context context; /* numbers, as the text and JSON show them */
	struct snapshot passed;
	struct rows open; /* where words are of sockets: the sessions that the latest pass told of */
};

/* What is printed is printed once, so it waits for the names of users. */
static void ask_users(struct sieve *sieve, const struct snapshot *snapshot)
{
	struct names *names = sieve->context.names;
	char unused[CELL_SIZE];

	for (size_t i = 0; i < snapshot->session_count; i++)
		names_user(names, snapshot->sessions[i].uid, unused, sizeof unused);
	for (size_t i = 0; i < snapshot->connection_count; i++)
		names_user(names, snapshot->connections[i].session.uid, unused, sizeof unused);
	names_wait(names);
	names_changed(names);
	if (names_are_over(names))
		fprintf(stderr, "tcptop: " NAMES_ARE_OVER "\n");
}

/* A pass tells of all sockets that are open: the table has no more than its snapshot. 0 or -ENOMEM. */
static int learn_sockets(struct sieve *sieve, const struct snapshot *snapshot)
{
	const struct socket_census *sockets = &snapshot->sockets;

	if (!sieve->match.of_sockets || (sockets->follows && !sockets->cpu_ns))
		return 0;
	rows_clear(&sieve->open);
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];
		bool added;

		if (!session->socket.state)
			continue;
		size_t index = rows_find_or_add(&sieve->open, session, &added);

		if (index == ROW_NONE)
			return -ENOMEM;
		if (!added)
			cause_join_listener(&sieve->open.rows[index].session.socket, &session->socket);
	}
	return 0;
}

/* In an interval without a pass its socket stands as the latest one told. */
static void recall_socket(const struct sieve *sieve, struct session *session)
{
	size_t index = session->socket.state ? ROW_NONE : rows_find(&sieve->open, session);

	if (index != ROW_NONE)
		session->socket = sieve->open.rows[index].session.socket;
}

static bool passes(struct sieve *sieve, const struct session *session, int64_t seen_s)
{
	struct row row = {
		.session = *session,
		.first.wall_s = seen_s,
		.last.wall_s = seen_s,
		.members = 1,
		.container = names_container(sieve->context.names, session->cgroup_id, session->pid, seen_s),
	};

	return match_row(&sieve->match, &row, &sieve->context);
}

/* Of the connections that ended, which the reset has copied, those that pass stay. */
static void sift_connections(struct sieve *sieve)
{
	struct snapshot *passed = &sieve->passed;
	size_t kept = 0;

	for (size_t i = 0; i < passed->connection_count; i++)
		if (passes(sieve, &passed->connections[i].session, passed->time.tv_sec))
			passed->connections[kept++] = passed->connections[i];
	passed->connection_count = kept;
}

/* Fills sieve->passed. 0 or -ENOMEM. */
static int sift(struct sieve *sieve, const struct snapshot *snapshot)
{
	struct snapshot *passed = &sieve->passed;

	if (snapshot_reset_as(passed, snapshot) < 0 || learn_sockets(sieve, snapshot) < 0)
		return -ENOMEM;
	/* No row outlives its interval, so no number is kept. */
	if (names_are_many(sieve->context.names))
		names_forget(sieve->context.names);
	if (names_learn(sieve->context.names, snapshot) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->told.count; i++)
		if (cgroup_list_add(&passed->told, snapshot->told.items[i]) < 0)
			return -ENOMEM;
	ask_users(sieve, snapshot);
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];

		struct session standing = *session;

		recall_socket(sieve, &standing);
		if (!passes(sieve, &standing, snapshot->time.tv_sec))
			continue;
		struct session *copy = snapshot_add(passed);

		if (!copy)
			return -ENOMEM;
		*copy = *session;
	}
	sift_connections(sieve);
	snapshot_total(passed);
	return 0;
}

static int sieve_fd(void *state)
{
	struct sieve *sieve = state;

	return sieve->source.fd(sieve->source.state);
}

static int sieve_take(void *state, const struct snapshot **snapshot, struct error *error)
{
	struct sieve *sieve = state;
	const struct snapshot *all;
	int err = sieve->source.take(sieve->source.state, &all, error);

	*snapshot = NULL;
	if (err || !all)
		return err;
	err = sift(sieve, all);
	if (!err) {
		*snapshot = &sieve->passed;
		return 0;
	}
	error_set(error, EXIT_CODE_RUNTIME, err, "out of memory: %zu connections", all->session_count);
	sieve->source.release(sieve->source.state);
	return err;
}

static void sieve_release(void *state)
{
	struct sieve *sieve = state;

	sieve->source.release(sieve->source.state);
}

static void sieve_stop(void *state)
{
	struct sieve *sieve = state;

	sieve->source.stop(sieve->source.state);
}

static void sieve_set_interval(void *state, uint64_t interval_ns)
{
	struct sieve *sieve = state;

	if (sieve->source.set_interval)
		sieve->source.set_interval(sieve->source.state, interval_ns);
}

int sieve_open(struct sieve **sieve, const struct source *source, const char *words, struct names *names,
    struct error *error)
{
	struct sieve *new = calloc(1, sizeof *new);

	*sieve = NULL;
	if (!new)
		return error_set(error, EXIT_CODE_RUNTIME, -ENOMEM, "out of memory");
	new->source = *source;
	snapshot_init(&new->passed);
	rows_init(&new->open);
	match_set(&new->match, words);
	new->context.names = names;
	*sieve = new;
	return 0;
}

void sieve_close(struct sieve *sieve)
{
	if (!sieve)
		return;
	rows_fini(&sieve->open);
	snapshot_fini(&sieve->passed);
	free(sieve);
}

struct source sieve_source(struct sieve *sieve)
{
	return (struct source){
		.state = sieve,
		.fd = sieve_fd,
		.take = sieve_take,
		.release = sieve_release,
		.stop = sieve_stop,
		.set_interval = sieve_set_interval,
	};
}
