/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/lives.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "loader/tracing.h"
#include "model/connection.h"
#include "model/snapshot.h"
#include "trace/iterator.h"

static const enum kernel_symbol symbols[LIVES_PROGRAMS] = {
	[LIVES_STATES] = SYMBOL_INET_SOCK_SET_STATE,
	[LIVES_RESETS] = SYMBOL_TCP_SEND_RESET,
	[LIVES_WALK] = SYMBOL_BPF_ITER_TASK_FILE,
};

bool lives_possible(const struct tracing *tracing)
{
	return plan_has_duty(&tracing->plan, DUTY_NOTE_LIVES);
}

void lives_init(struct lives *lives, const struct tracing *tracing)
{
	lives->tracing = tracing;
	for (int i = 0; i < LIVES_PROGRAMS; i++) {
		lives->program_fds[i] = tracing_program(tracing, DUTY_NOTE_LIVES, symbols[i]);
		lives->link_fds[i] = -1;
	}
}

void lives_detach(struct lives *lives)
{
	for (int i = 0; i < LIVES_PROGRAMS && lives->tracing; i++) {
		if (lives->link_fds[i] >= 0)
			close(lives->link_fds[i]);
		lives->link_fds[i] = -1;
	}
}

/* mode: as lives_mode in bpf_text/lives.c. */
static int walk(const struct lives *lives, uint32_t mode)
{
	uint32_t slot = 0;

	if (bpf_map_update_elem(lives->tracing->maps[MAP_LIVES_MODE], &slot, &mode, BPF_ANY) != 0)
		return -errno;
	return iterator_run(lives->link_fds[LIVES_WALK]);
}

/* What is still open is no longer seen to end. */
static void forget_waiting(const struct lives *lives)
{
	int fd = lives->tracing->maps[MAP_LIVES_WAITING];
	uint64_t sk;

	while (bpf_map_get_next_key(fd, NULL, &sk) == 0 && bpf_map_delete_elem(fd, &sk) == 0)
		;
}

void lives_stop(struct lives *lives)
{
	if (lives->link_fds[LIVES_STATES] < 0)
		return;
	close(lives->link_fds[LIVES_STATES]);
	lives->link_fds[LIVES_STATES] = -1;
	walk(lives, 1);
	forget_waiting(lives);
	lives_detach(lives);
}

int lives_start(struct lives *lives)
{
	int err = 0;

	for (int i = 0; i < LIVES_PROGRAMS && !err; i++) {
		int fd = lives->program_fds[i];

		if (fd < 0)
			continue;
		lives->link_fds[i] = i == LIVES_WALK ? bpf_link_create(fd, 0, BPF_TRACE_ITER, NULL)
		                                     : bpf_raw_tracepoint_open(NULL, fd);
		err = lives->link_fds[i] < 0 ? -errno : 0;
	}
	err = err ?: walk(lives, 0);
	if (err)
		lives_detach(lives);
	return err;
}

/* ---- users ---- */

static int compare_sessions(const void *a, const void *b)
{
	const struct session *left = *(const struct session *const *)a;
	const struct session *right = *(const struct session *const *)b;

	return session_compare_connection(left, right);
}

static bool is_unsure(const struct connection *connection)
{
	return connection->owner_known == LIFE_OWNER_LISTENER || !connection->session.pid;
}

static void take_user(struct connection *connection, const struct session *user)
{
	struct session *session = &connection->session;

	session->pid = user->pid;
	session->uid = user->uid;
	session->cgroup_id = user->cgroup_id;
	session->mntns = user->mntns;
	session->process_start_ms = user->process_start_ms;
	memcpy(session->comm, user->comm, sizeof session->comm);
	connection->owner_known = LIFE_OWNER_TRAFFIC;
}

static int compare_ends(const void *a, const void *b)
{
	const struct connection *left = a, *right = b;

	if (left->ago_us != right->ago_us)
		return COMPARE(right->ago_us, left->ago_us);
	return session_compare_key(&left->session, &right->session);
}

static int find_users(struct snapshot *snapshot)
{
	size_t unsure = 0, count = snapshot->session_count;
	const struct session **users;

	for (size_t i = 0; i < snapshot->connection_count; i++)
		unsure += is_unsure(&snapshot->connections[i]);
	if (!unsure || !count)
		return 0;
	users = reallocarray(NULL, count, sizeof *users);
	if (!users)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		users[i] = &snapshot->sessions[i];
	qsort(users, count, sizeof *users, compare_sessions);
	for (size_t i = 0; i < snapshot->connection_count; i++) {
		struct connection *connection = &snapshot->connections[i];
		const struct session *wanted = &connection->session;
		const struct session **user =
		    is_unsure(connection) ? bsearch(&wanted, users, count, sizeof *users, compare_sessions)
		                          : NULL;

		if (user)
			take_user(connection, *user);
	}
	free(users);
	return 0;
}

int lives_settle(struct snapshot *snapshot)
{
	if (!snapshot->connection_count)
		return 0;
	qsort(snapshot->connections, snapshot->connection_count, sizeof *snapshot->connections, compare_ends);
	return find_users(snapshot);
}
