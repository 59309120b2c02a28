/* SPDX-License-Identifier: Apache-2.0 */
#include "model/prove.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define PATH_LONG_US 1000

/* Ends that wait for the other one to read. */
struct waiting {
	uint32_t ports; /* of the other end: its own, and the remote one */
	uint32_t index;
};

static uint32_t ports_of(uint16_t near, uint16_t far)
{
	return (uint32_t)near << 16 | far;
}

static int compare_waiting(const void *a, const void *b)
{
	const struct waiting *left = a, *right = b;

	return COMPARE(left->ports, right->ports) ?: COMPARE(left->index, right->index);
}

static bool is_waiting(const struct session *session)
{
	return session->socket.cause == CAUSE_PEER && session->socket.rtt_min_us < PATH_LONG_US;
}

static bool is_mirrored(const struct session *a, const struct session *b)
{
	return a->family == b->family && memcmp(a->laddr, b->raddr, sizeof a->laddr) == 0 &&
	       memcmp(a->raddr, b->laddr, sizeof a->raddr) == 0;
}

static size_t first_of(const struct waiting *waiting, size_t count, uint32_t ports)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (waiting[middle].ports < ports)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* NULL: none waits for it, or it is not to be told which. */
static const struct session *find_waiting(const struct snapshot *snapshot, const struct waiting *waiting,
    size_t count, const struct session *session)
{
	uint32_t ports = ports_of(session->lport, session->rport);
	const struct session *found = NULL;
	bool certain = true;

	for (size_t i = first_of(waiting, count, ports); i < count && waiting[i].ports == ports; i++) {
		const struct session *other = &snapshot->sessions[waiting[i].index];

		if (!is_mirrored(other, session))
			continue;
		if (other->netns == session->netns && other->ifindex == session->ifindex)
			return other;
		certain = certain && (!found || other->netns == found->netns);
		found = other;
	}
	return certain ? found : NULL;
}

int prove_readers(struct snapshot *snapshot)
{
	struct waiting *waiting = NULL;
	size_t count = 0, filled = 0;

	for (size_t i = 0; i < snapshot->session_count; i++)
		count += is_waiting(&snapshot->sessions[i]);
	if (!count)
		return 0;
	waiting = malloc(count * sizeof *waiting);
	if (!waiting)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];

		if (is_waiting(session))
			waiting[filled++] =
			    (struct waiting){ ports_of(session->rport, session->lport), (uint32_t)i };
	}
	qsort(waiting, count, sizeof *waiting, compare_waiting);
	for (size_t i = 0; i < snapshot->session_count; i++) {
		struct session *session = &snapshot->sessions[i];

		if (session->socket.cause == CAUSE_NONE || session->socket.cause == CAUSE_PEER)
			continue;
		const struct session *other = find_waiting(snapshot, waiting, count, session);

		if (other)
			cause_prove_reader(&session->socket, other->socket.shares[CAUSE_PEER]);
	}
	free(waiting);
	return 0;
}
