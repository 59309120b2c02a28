/* SPDX-License-Identifier: Apache-2.0 */
#include "model/prove.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/util.h"
#include "model/marks.h"

#define PATH_LONG_US 1000

/* A session and the hash of its connection, which is the same for both ends. */
struct end {
	uint32_t hash;
	uint32_t netns;
	uint32_t index;
};

static int compare_ends(const void *a, const void *b)
{
	const struct end *left = a, *right = b;

	return COMPARE(left->hash, right->hash) ?: COMPARE(left->netns, right->netns)
	                                               ?: COMPARE(left->index, right->index);
}

/* For the other end to read. */
static bool is_waiting(const struct session *session)
{
	return session->socket.cause == CAUSE_PEER && session->socket.rtt_min_us < PATH_LONG_US;
}

/* Those of sessions that wait, for marks_fini. bits NULL: none does, or there is no memory (-ENOMEM). */
static int mark_waiting(struct marks *marks, const struct snapshot *snapshot)
{
	size_t count = 0;

	*marks = (struct marks){ 0 };
	for (size_t i = 0; i < snapshot->session_count; i++)
		count += is_waiting(&snapshot->sessions[i]);
	if (!count)
		return 0;
	if (marks_init(marks, count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->session_count; i++)
		if (is_waiting(&snapshot->sessions[i]))
			marks_add(marks, session_hash_connection(&snapshot->sessions[i]));
	return 0;
}

/* All that were told of, of the marked connections, those of one side by side: also those that do not wait. NULL: no memory. */
static struct end *take_ends(const struct snapshot *snapshot, const struct marks *marks, size_t *count)
{
	struct end *ends = malloc(snapshot->session_count * sizeof *ends);

	*count = 0;
	if (!ends)
		return NULL;
	for (size_t i = 0; i < snapshot->session_count; i++) {
		const struct session *session = &snapshot->sessions[i];
		uint32_t hash = session_hash_connection(session);

		if (session->socket.state != STATE_UNKNOWN && marks_may_have(marks, hash))
			ends[(*count)++] = (struct end){ hash, session->netns, (uint32_t)i };
	}
	qsort(ends, *count, sizeof *ends, compare_ends);
	return ends;
}

/* Ends of one connection, or of several that are told apart by where they are, by namespace. */
struct search {
	const struct snapshot *snapshot;
	const struct end *ends;
	size_t count;
};

static const struct session *session_at(const struct search *search, size_t i)
{
	return &search->snapshot->sessions[search->ends[i].index];
}

/* The first one of a namespace, or what is behind it. */
static size_t first_of(const struct search *search, uint32_t netns)
{
	size_t low = 0, high = search->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (search->ends[middle].netns < netns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The other end, if it is at least so near: of several processes that have it one that waits, if any does. NULL: there is none,
 * or there are several places where it may be, or where the session's own side is.
 */
static const struct session *find_within(
    const struct search *search, const struct session *session, int nearness)
{
	const struct session *found = NULL;
	size_t i = nearness == SESSION_APART ? 0 : first_of(search, session->netns);

	for (; i < search->count; i++) {
		const struct session *other = session_at(search, i);
		int near = session_nearness(other, session);

		if (nearness != SESSION_APART && near == SESSION_APART)
			break;
		if (near < nearness)
			continue;
		if (near != SESSION_SAME_PLACE && session_is_same_end(other, session))
			return NULL;
		if (!session_may_be_other_end(other, session))
			continue;
		if (found && session_nearness(other, found) != SESSION_SAME_PLACE)
			return NULL;
		if (!found || is_waiting(other))
			found = other;
	}
	return found;
}

/* What is nearer decides alone, whatever there is elsewhere. */
static const struct session *find_other(const struct search *search, const struct session *session)
{
	const struct session *found = find_within(search, session, SESSION_SAME_PLACE);

	if (!found)
		found = find_within(search, session, SESSION_SAME_NETNS);
	if (!found && session_may_cross(session))
		found = find_within(search, session, SESSION_APART);
	return found;
}

static void prove(struct snapshot *snapshot, const struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		struct session *session = &snapshot->sessions[search->ends[i].index];

		if (session->socket.cause == CAUSE_NONE || session->socket.cause == CAUSE_PEER)
			continue;
		const struct session *other = find_other(search, session);

		if (other && is_waiting(other))
			cause_prove_reader(&session->socket, other->socket.shares[CAUSE_PEER]);
	}
}

int prove_readers(struct snapshot *snapshot)
{
	struct marks marks;
	size_t count;
	int err = mark_waiting(&marks, snapshot);

	if (!marks.bits)
		return err;
	struct end *ends = take_ends(snapshot, &marks, &count);

	marks_fini(&marks);
	if (!ends)
		return -ENOMEM;
	for (size_t first = 0, next; first < count; first = next) {
		for (next = first + 1; next < count && ends[next].hash == ends[first].hash;)
			next++;
		prove(snapshot, &(const struct search){ snapshot, ends + first, next - first });
	}
	free(ends);
	return 0;
}
