/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pairs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/util.h"
#include "model/marks.h"

/* A row and the hash of its connection, which is the same for both ends. */
struct end {
	uint32_t hash;
	uint32_t index;
	uint32_t other; /* index of the other end's row + 1, once found */
	bool uncertain;
};

static bool has_ports(const struct session *session)
{
	return session->lport && session->rport; /* no listener */
}

static bool is_same_place(const struct session *a, const struct session *b)
{
	return session_nearness(a, b) == SESSION_SAME_PLACE;
}

/* ---- which rows may have found their other end ---- */

/* Those of the rows that are new, for marks_fini. bits NULL: none is, or there is no memory (-ENOMEM). */
static int mark_new(struct marks *marks, const struct rows *rows, uint32_t tick)
{
	size_t count = 0;

	*marks = (struct marks){ 0 };
	for (size_t i = 0; i < rows->count; i++)
		count += rows->rows[i].first_tick == tick;
	if (!count)
		return 0;
	if (marks_init(marks, count) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].first_tick == tick)
			marks_add(marks, session_hash_connection(&rows->rows[i].session));
	return 0;
}

static int compare_ends(const void *a, const void *b)
{
	const struct end *left = a, *right = b;

	return COMPARE(left->hash, right->hash) ?: COMPARE(left->index, right->index);
}

/* The marked rows, those of one connection side by side, for free(). NULL: no memory. */
static struct end *take_ends(const struct rows *rows, const struct marks *marks, size_t *count)
{
	size_t capacity = 0;
	struct end *ends = NULL;

	*count = 0;
	for (size_t i = 0; i < rows->count; i++) {
		uint32_t hash = session_hash_connection(&rows->rows[i].session);

		if (!marks_may_have(marks, hash) || !has_ports(&rows->rows[i].session))
			continue;
		struct end *larger = array_grow(ends, *count, &capacity, 64, sizeof *ends);

		if (!larger) {
			free(ends);
			return NULL;
		}
		ends = larger;
		ends[(*count)++] = (struct end){ .hash = hash, .index = (uint32_t)i };
	}
	if (!ends)
		return malloc(sizeof *ends);
	qsort(ends, *count, sizeof *ends, compare_ends);
	return ends;
}

/* ---- which of them belong together ---- */

struct search {
	struct rows *rows;
	struct end *ends; /* of one hash */
	size_t count;
	uint64_t interval_ns;
	uint64_t now_ns;
};

static struct row *row_at(const struct search *search, size_t i)
{
	return &search->rows->rows[search->ends[i].index];
}

/* Whether two rows were there at the same time, as far as intervals tell: ports are used again. */
static bool overlap(const struct search *search, const struct row *a, const struct row *b)
{
	uint64_t a_end = a->closed.clock_ns ? a->closed.clock_ns : search->now_ns;
	uint64_t b_end = b->closed.clock_ns ? b->closed.clock_ns : search->now_ns;

	return a->first.clock_ns <= b_end + search->interval_ns &&
	       b->first.clock_ns <= a_end + search->interval_ns;
}

static bool is_peer(const struct row *row, const struct row *other)
{
	return row->peer.known && row->peer.pid == other->session.pid;
}

/*
 * One that is there only afterwards may have read late. Of one whose other end is known this is another process that has
 * that end, too, while the connection is open; then its ports may have been used again.
 */
static bool may_be(const struct row *candidate, const struct row *row)
{
	return session_may_be_other_end(&candidate->session, &row->session) &&
	       (!candidate->peer.known || is_peer(row, candidate) || !candidate->closed.clock_ns);
}

static bool is_better(
    const struct search *search, const struct row *row, const struct row *candidate, const struct row *than)
{
	bool overlaps = overlap(search, candidate, row), than_overlaps = overlap(search, than, row);
	bool mine = is_peer(row, candidate), than_mine = is_peer(row, than);
	bool taken = candidate->peer.known, than_taken = than->peer.known;
	uint64_t bytes = candidate->rx_total_bytes + candidate->tx_total_bytes;
	uint64_t than_bytes = than->rx_total_bytes + than->tx_total_bytes;

	if (overlaps != than_overlaps)
		return overlaps;
	if (mine != than_mine)
		return mine;
	if (taken != than_taken)
		return than_taken;
	if (bytes != than_bytes)
		return bytes > than_bytes;
	return session_compare_key(&candidate->session, &than->session) < 0;
}

/* Whether the end that row is, is there in another namespace, too: whose the other end is cannot be told then. */
static bool is_twice(const struct search *search, const struct row *row)
{
	for (size_t i = 0; i < search->count; i++) {
		const struct row *same = row_at(search, i);

		if (session_is_same_end(&same->session, &row->session) &&
		    !is_same_place(&same->session, &row->session) && overlap(search, same, row))
			return true;
	}
	return false;
}

/*
 * The index of its row + 1; 0: there is none, or there are several places where it may be, and which is not to be told. The
 * latter are those that are there at the same time.
 */
static uint32_t find_other(const struct search *search, const struct row *row, bool *certain)
{
	const struct row *other = NULL;
	uint32_t found = 0;
	int nearest = -1;

	*certain = true;
	for (size_t i = 0; i < search->count; i++) {
		const struct row *candidate = row_at(search, i);
		int near = session_nearness(&candidate->session, &row->session);

		if (near < nearest || !may_be(candidate, row))
			continue;
		if (near == nearest && !is_same_place(&candidate->session, &other->session) &&
		    overlap(search, candidate, row) == overlap(search, other, row))
			*certain = false;
		if (near > nearest) {
			nearest = near;
			*certain = true;
		} else if (!is_better(search, row, candidate, other)) {
			continue;
		}
		other = candidate;
		found = search->ends[i].index + 1;
	}
	*certain = *certain && !(nearest == 0 && is_twice(search, row));
	return *certain ? found : 0;
}

/* All look for their other end before any is taken. One that was found stays, unless it may be another one after all. */
static void join(const struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		const struct row *row = row_at(search, i);
		bool certain;

		search->ends[i].other = find_other(search, row, &certain);
		search->ends[i].uncertain = !certain;
	}
	for (size_t i = 0; i < search->count; i++) {
		struct row *row = row_at(search, i);

		if (search->ends[i].uncertain)
			row->peer = (struct peer){ 0 };
		if (!search->ends[i].other)
			continue;
		const struct row *other = &search->rows->rows[search->ends[i].other - 1];

		row->peer = (struct peer){ .known = true, .pid = other->session.pid };
		memcpy(row->peer.comm, other->session.comm, sizeof row->peer.comm);
	}
}

int pairs_join(struct rows *rows, uint32_t tick, uint64_t interval_ns, uint64_t now_ns)
{
	struct marks marks;
	size_t count;
	int err = mark_new(&marks, rows, tick);

	if (!marks.bits)
		return err;
	struct end *ends = take_ends(rows, &marks, &count);

	marks_fini(&marks);
	if (!ends)
		return -ENOMEM;
	for (size_t first = 0, next; first < count; first = next) {
		for (next = first + 1; next < count && ends[next].hash == ends[first].hash;)
			next++;
		join(&(const struct search){ rows, ends + first, next - first, interval_ns, now_ns });
	}
	free(ends);
	return 0;
}

/* ---- later ---- */

/* Its ports may have been used again: of several that which was there at the same time is meant, and its life is over, too. */
static const struct row *nearer(const struct row *row, const struct row *candidate, const struct row *other)
{
	if (candidate->session.pid != row->peer.pid ||
	    !session_may_be_other_end(&candidate->session, &row->session))
		return other;
	return !other || !candidate->session.life == !row->session.life ? candidate : other;
}

const struct row *pairs_other(const struct rows *rows, const struct row *row)
{
	const struct row *other = NULL;

	if (!row->peer.known)
		return NULL;
	for (size_t i = 0; i < rows->count; i++)
		other = nearer(row, &rows->rows[i], other);
	return other;
}

uint32_t *pairs_others(const struct rows *rows)
{
	uint32_t *others = calloc(rows->count + 1, sizeof *others);
	struct end *ends = malloc((rows->count + 1) * sizeof *ends);
	size_t count = 0;

	for (size_t i = 0; others && ends && i < rows->count; i++)
		if (rows->rows[i].peer.known)
			ends[count++] = (struct end){ .hash = session_hash_connection(&rows->rows[i].session),
				.index = (uint32_t)i };
	if (!ends) {
		free(others);
		return NULL;
	}
	qsort(ends, count, sizeof *ends, compare_ends);
	for (size_t first = 0, next; first < count; first = next) {
		for (next = first + 1; next < count && ends[next].hash == ends[first].hash;)
			next++;
		for (size_t i = first; i < next; i++) {
			const struct row *other = NULL;

			for (size_t j = first; j < next; j++)
				other = nearer(&rows->rows[ends[i].index], &rows->rows[ends[j].index], other);
			if (other)
				others[ends[i].index] = (uint32_t)(other - rows->rows) + 1;
		}
	}
	free(ends);
	return others;
}
