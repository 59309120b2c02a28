/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define CAPACITY_MIN 256

void snapshot_init(struct snapshot *snapshot)
{
	memset(snapshot, 0, sizeof *snapshot);
}

void snapshot_fini(struct snapshot *snapshot)
{
	free(snapshot->sessions);
	links_fini(&snapshot->links);
	snapshot_init(snapshot);
}

void snapshot_reset(struct snapshot *snapshot)
{
	struct session *sessions = snapshot->sessions;
	size_t capacity = snapshot->session_capacity;
	struct links links = snapshot->links;

	if (capacity > CAPACITY_MIN && snapshot->session_count < capacity / 8) {
		free(sessions);
		sessions = NULL;
		capacity = 0;
	}
	snapshot_init(snapshot);
	snapshot->sessions = sessions;
	snapshot->session_capacity = capacity;
	snapshot->links = links;
	links_reset(&snapshot->links);
}

int snapshot_reset_as(struct snapshot *snapshot, const struct snapshot *from)
{
	snapshot_reset(snapshot);
	struct links links = snapshot->links;
	struct session *sessions = snapshot->sessions;
	size_t capacity = snapshot->session_capacity;

	*snapshot = *from;
	snapshot->sessions = sessions;
	snapshot->session_capacity = capacity;
	snapshot->session_count = 0;
	snapshot->links = links;
	return links_copy(&snapshot->links, &from->links);
}

struct session *snapshot_add(struct snapshot *snapshot)
{
	if (snapshot->session_count == snapshot->session_capacity) {
		size_t capacity = snapshot->session_capacity ? snapshot->session_capacity * 2 : CAPACITY_MIN;
		struct session *sessions = reallocarray(snapshot->sessions, capacity, sizeof *sessions);

		if (!sessions)
			return NULL;
		snapshot->sessions = sessions;
		snapshot->session_capacity = capacity;
	}
	struct session *session = &snapshot->sessions[snapshot->session_count++];

	memset(session, 0, sizeof *session);
	return session;
}

void snapshot_total(struct snapshot *snapshot)
{
	snapshot->rx_bytes = snapshot->other.rx_bytes;
	snapshot->tx_bytes = snapshot->other.tx_bytes;
	for (size_t i = 0; i < snapshot->session_count; i++) {
		snapshot->rx_bytes += snapshot->sessions[i].rx_bytes;
		snapshot->tx_bytes += snapshot->sessions[i].tx_bytes;
	}
}

int session_compare_key(const struct session *a, const struct session *b)
{
	int order;

	if ((order = COMPARE(a->family, b->family)) != 0)
		return order;
	if ((order = memcmp(a->laddr, b->laddr, sizeof a->laddr)) != 0)
		return order;
	if ((order = COMPARE(a->lport, b->lport)) != 0)
		return order;
	if ((order = memcmp(a->raddr, b->raddr, sizeof a->raddr)) != 0)
		return order;
	if ((order = COMPARE(a->rport, b->rport)) != 0)
		return order;
	if ((order = COMPARE(a->pid, b->pid)) != 0)
		return order;
	if ((order = COMPARE(a->netns, b->netns)) != 0)
		return order;
	return COMPARE(a->ifindex, b->ifindex);
}

static int compare_ranks(const void *a, const void *b)
{
	const struct session_rank *left = a, *right = b;

	if (left->total_bytes != right->total_bytes)
		return left->total_bytes < right->total_bytes ? 1 : -1;
	return session_compare_key(left->session, right->session);
}

struct session_rank *snapshot_rank(const struct snapshot *snapshot)
{
	size_t count = snapshot->session_count;
	struct session_rank *ranks = reallocarray(NULL, count + 1, sizeof *ranks);

	if (!ranks)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct session *session = &snapshot->sessions[i];

		ranks[i] = (struct session_rank){ session->rx_bytes + session->tx_bytes, session };
	}
	qsort(ranks, count, sizeof *ranks, compare_ranks);
	return ranks;
}

static int compare_pids(const void *a, const void *b)
{
	return COMPARE(*(const uint32_t *)a, *(const uint32_t *)b);
}

static bool passes(const struct session_filter *filter, const struct session *session)
{
	if (filter->family && filter->family != session->family)
		return false;
	return !filter->pid_count ||
	       bsearch(&session->pid, filter->pids, filter->pid_count, sizeof *filter->pids, compare_pids);
}

void snapshot_filter(struct snapshot *snapshot, const struct session_filter *filter)
{
	size_t kept = 0;

	if (!filter->family && !filter->pid_count)
		return;
	for (size_t i = 0; i < snapshot->session_count; i++)
		if (passes(filter, &snapshot->sessions[i]))
			snapshot->sessions[kept++] = snapshot->sessions[i];
	snapshot->session_count = kept;
	snapshot_total(snapshot);
}
