/* SPDX-License-Identifier: Apache-2.0 */
#include "model/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/packing.h"

/*
 * An interval as bytes. A connection that was there in the interval before is told by its place in that one, as its row has
 * the rest: mostly a place that follows the last one's, and two numbers make seven bytes. Of others what differs from the session before is kept (namespaces, users, local addresses often are the same).
 */
struct past_interval {
	struct snapshot facts; /* without its sessions, ends and cgroups, but with links */
	size_t session_count;
	size_t ending_count;
	size_t size;
	unsigned char packed[];
};

#define AT_ONCE 256 /* sessions that are unpacked before they are merged */
/* How many intervals go together: a part of all, and so many more. */
#define LEAVING_PART 32
#define LEAVING_MIN 4

_Static_assert((int)PAST_INTERVALS_MIN >= 2 * LEAVING_MIN,
    "those that are left begin at a base that was packed in time");
#define PACKED_MAX (4 * PACKING_NUMBER_MAX + PACKING_DIFFERENCES_MAX(sizeof(struct session)))

_Static_assert(sizeof(struct session) % PACKING_GROUP == 0, "a session is a whole number of groups");

/* What is being packed, or unpacked, session by session. */
struct packing {
	union {
		unsigned char *to;
		const unsigned char *from;
	};
	const struct session *last; /* that was packed, borrowed, */
	struct session before;      /* or unpacked */
	uint32_t place; /* that the next one has, if it follows the last one that was there before */
};

/* How far a place is from the one expected, as an unsigned number. */
static uint64_t put_place(struct packing *packing, uint32_t place)
{
	int64_t distance = (int64_t)place - packing->place;

	packing->place = place + 1;
	return distance < 0 ? (uint64_t)(-distance * 2 - 1) : (uint64_t)distance * 2;
}

static uint32_t get_place(struct packing *packing, uint64_t number)
{
	int64_t distance = number % 2 ? -(int64_t)(number / 2) - 1 : (int64_t)(number / 2);
	uint32_t place = (uint32_t)(packing->place + distance);

	packing->place = place + 1;
	return place;
}

/* But for the bytes moved. Padding that differs only costs some bytes. */
static bool is_alike(const struct session *a, const struct session *b)
{
	enum { AFTER = offsetof(struct session, tx_bytes) + sizeof a->tx_bytes };

	return memcmp(a, b, offsetof(struct session, rx_bytes)) == 0 &&
	       memcmp((const char *)a + AFTER, (const char *)b + AFTER, sizeof *a - AFTER) == 0;
}

/*
 * Numbers: 0 is of a new connection; else the place, twice, and 1 or, if more than the bytes moved differs, 2. Bytes received
 * and sent. What differs. `row` is that of a connection which was there in the interval before, or NULL.
 */
static void pack(struct packing *packing, const struct session *session, const struct row *row)
{
	const struct session *like = row ? &row->session : packing->last;
	bool differs = !row || !is_alike(like, session);

	packing_put_number(&packing->to, row ? put_place(packing, row->place) * 2 + 1 + differs : 0);
	packing_put_number(&packing->to, session->rx_bytes);
	packing_put_number(&packing->to, session->tx_bytes);
	if (differs) {
		struct session from = *like;

		from.rx_bytes = session->rx_bytes;
		from.tx_bytes = session->tx_bytes;
		packing_put_differences(&packing->to, session, &from, sizeof from);
	}
	packing->last = session;
}

/* `places` has the index of the row of each place in the interval before. */
static void unpack(
    struct packing *packing, struct session *session, const struct rows *rows, const uint32_t *places)
{
	uint64_t number = packing_get_number(&packing->from);

	*session =
	    number ? rows->rows[places[get_place(packing, (number - 1) / 2)]].session : packing->before;
	session->life = 0;
	session->rx_bytes = packing_get_number(&packing->from);
	session->tx_bytes = packing_get_number(&packing->from);
	if (number % 2 == 0)
		packing_get_differences(&packing->from, session);
	packing->before = *session;
}

/* The indices of the rows that had traffic in the latest interval, by their places in it. For free(); NULL: no memory. */
static uint32_t *rows_by_place(const struct traffic *traffic)
{
	const struct rows *rows = &traffic->rows;
	size_t count = 1;

	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].told_tick == traffic->tick && rows->rows[i].place >= count)
			count = rows->rows[i].place + (size_t)1;
	uint32_t *places = calloc(count, sizeof *places);

	for (size_t i = 0; places && i < rows->count; i++)
		if (rows->rows[i].told_tick == traffic->tick)
			places[rows->rows[i].place] = (uint32_t)i;
	return places;
}

static void close_interval(struct past_interval *interval)
{
	if (interval)
		snapshot_fini(&interval->facts);
	free(interval);
}

/* With room for all that is to be packed; nothing is yet. NULL: no memory. */
static struct past_interval *open_interval(const struct snapshot *snapshot)
{
	size_t count = snapshot->session_count + snapshot->ending_count;
	struct past_interval *interval = malloc(sizeof *interval + count * PACKED_MAX);
	struct snapshot facts = *snapshot;

	if (!interval)
		return NULL;
	facts.ending_count = 0; /* they are packed, too */
	facts.cgroups = NULL;   /* names are not of a moment */
	facts.cgroup_count = 0;
	snapshot_init(&interval->facts);
	if (snapshot_reset_as(&interval->facts, &facts) < 0) {
		close_interval(interval);
		return NULL;
	}
	interval->session_count = snapshot->session_count;
	interval->ending_count = snapshot->ending_count;
	return interval;
}

static void pack_session(void *to, const struct session *session, const struct row *row)
{
	pack(to, session, row);
}

/* Merges the snapshot, and packs it on the way. */
static int merge_packing(struct past_interval *interval, struct traffic *traffic,
    const struct snapshot *snapshot, const struct session *kept)
{
	static const struct session nothing;
	struct packing packing = { .to = interval->packed, .last = &nothing };
	const struct traffic_witness witness = { pack_session, &packing };
	int begun = traffic_begin(traffic, snapshot, snapshot->session_count);
	int added = traffic_add(traffic, snapshot->sessions, snapshot->session_count, 0, &witness);
	int ended = traffic_end(traffic, snapshot, kept);

	for (size_t i = 0; i < snapshot->ending_count; i++) {
		packing_put_number(&packing.to, snapshot->endings[i].ago_us);
		pack(&packing, &snapshot->endings[i].connection, NULL);
	}
	interval->size = (size_t)(packing.to - interval->packed);
	return begun ?: added ?: ended;
}

static struct past_interval *fit_interval(struct past_interval *interval)
{
	struct past_interval *fitting = realloc(interval, sizeof *interval + interval->size);

	return fitting ? fitting : interval;
}

/* Memory that it takes. */
static size_t interval_bytes(const struct past_interval *interval)
{
	const struct snapshot *facts = &interval->facts;

	return sizeof *interval + interval->size + facts->links.capacity * sizeof *facts->links.items;
}

static size_t place_of(const struct past *past, size_t index)
{
	return (past->first + index) % PAST_INTERVALS;
}

static void drop(struct past *past, size_t place)
{
	struct past_interval **interval = &past->intervals[place];

	past->bytes -= interval_bytes(*interval);
	close_interval(*interval);
	*interval = NULL;
}

void past_init(struct past *past)
{
	memset(past, 0, sizeof *past);
	packed_traffic_init(&past->base);
	packed_traffic_init(&past->next);
	snapshot_init(&past->open);
}

void past_fini(struct past *past)
{
	past_cut(past, past_base(past));
	packed_traffic_fini(&past->base);
	snapshot_fini(&past->open);
}

static void forget_next(struct past *past)
{
	packed_traffic_fini(&past->next);
	past->has_next = false;
}

void past_cut(struct past *past, uint32_t tick)
{
	while (past->count && past_last(past) > tick) {
		drop(past, place_of(past, past->count - 1));
		past->count--;
	}
	if (past->has_next && past->next.facts.tick > past_last(past))
		forget_next(past);
}

int past_begin(struct past *past, const struct traffic *traffic)
{
	past_cut(past, past_base(past));
	int err = traffic_pack(&past->base, traffic);

	past->is_unset = err < 0;
	return err;
}

static size_t after(const struct past *past, const struct traffic *traffic)
{
	return place_of(past, traffic->tick - past_base(past));
}

/* Unpacks so many sessions into past->open and adds them to the traffic, the first one with this place. */
static int add_sessions(struct past *past, struct packing *packing, struct traffic *traffic,
    const uint32_t *places, size_t count, size_t place)
{
	struct snapshot *open = &past->open;

	for (size_t i = 0; i < count; i++) {
		struct session *session = snapshot_add(open);

		if (!session)
			return -ENOMEM;
		unpack(packing, session, &traffic->rows, places);
	}
	return traffic_add(traffic, open->sessions + open->session_count - count, count, place, NULL);
}

static int unpack_endings(struct past *past, struct packing *packing, size_t count)
{
	while (count--) {
		struct ending *ending = snapshot_add_ending(&past->open);

		if (!ending)
			return -ENOMEM;
		ending->ago_us = packing_get_number(&packing->from);
		unpack(packing, &ending->connection, NULL, NULL);
	}
	return 0;
}

/* Merges the interval that follows the traffic, some sessions at a time; `whole`: past->open has it then. 0 or -ENOMEM. */
static int step(struct past *past, struct traffic *traffic, bool whole)
{
	struct past_interval *interval = past->intervals[after(past, traffic)];
	struct packing packing = { .from = interval->packed };
	struct snapshot *open = &past->open;
	uint32_t *places = rows_by_place(traffic);
	int err = places ? snapshot_reset_as(open, &interval->facts) : -ENOMEM;

	err = err ?: traffic_begin(traffic, open, interval->session_count);
	for (size_t i = 0, count; i < interval->session_count && !err; i += count) {
		count = interval->session_count - i < AT_ONCE ? interval->session_count - i : AT_ONCE;
		open->session_count = whole ? open->session_count : 0;
		err = add_sessions(past, &packing, traffic, places, count, i);
	}
	free(places);
	err = err ?: unpack_endings(past, &packing, interval->ending_count);
	return err ?: traffic_end(traffic, open, NULL);
}

/* How many of the oldest intervals have to go so that one more can be kept: some at once, as the base is unpacked for them. */
static size_t count_leaving(const struct past *past, size_t more_bytes)
{
	size_t together = past->count / LEAVING_PART + LEAVING_MIN, leaving = 0;
	size_t bytes = packed_traffic_bytes(&past->base) + past->bytes + more_bytes;

	if (past->count < PAST_INTERVALS && (past->count < PAST_INTERVALS_MIN || bytes <= PAST_BYTES_MAX))
		return 0;
	while (leaving < together ||
	       (bytes > PAST_BYTES_MAX && past->count - leaving > PAST_INTERVALS_MIN - LEAVING_MIN))
		bytes -= interval_bytes(past->intervals[place_of(past, leaving++)]);
	return leaving;
}

static void drop_first(struct past *past)
{
	drop(past, past->first);
	past->first = (past->first + 1) % PAST_INTERVALS;
	past->count--;
	past->base.facts.tick++;
}

/* Merges so many of the oldest intervals into the base. */
static int merge_first(struct past *past, size_t leaving)
{
	struct traffic base;

	traffic_init(&base);
	int err = traffic_unpack(&base, &past->base);

	while (!err && leaving--) {
		err = step(past, &base, false);
		drop_first(past);
	}
	err = err ?: traffic_pack(&past->base, &base);
	traffic_fini(&base);
	snapshot_fini(&past->open);
	return err;
}

/* So many of the oldest intervals become a part of the base. */
static int let_go(struct past *past, size_t leaving)
{
	uint32_t tick = past_base(past) + (uint32_t)leaving;

	if (past->has_next && past->next.facts.tick < tick)
		forget_next(past);
	if (!past->has_next || past->next.facts.tick != tick)
		return merge_first(past, leaving);
	while (leaving--)
		drop_first(past);
	packed_traffic_fini(&past->base);
	past->base = past->next;
	packed_traffic_init(&past->next);
	past->has_next = false;
	return 0;
}

/*
 * To unpack a million connections and to merge intervals of them takes seconds, to pack the traffic while it is there a fraction of
 * that. So it is done as soon as it is clear that the intervals until now go, and how many: they alone are too large.
 */
static void pack_next(struct past *past, const struct traffic *traffic)
{
	if (past->has_next || past->count != LEAVING_MIN || past->bytes <= PAST_BYTES_MAX)
		return;
	past->has_next = traffic_pack(&past->next, traffic) == 0;
	if (!past->has_next)
		forget_next(past);
}

/* For an interval of so many bytes. */
static int make_room(struct past *past, size_t more_bytes)
{
	int err = 0;

	/* Again, as the base may have become larger. */
	for (size_t leaving; !err && (leaving = count_leaving(past, more_bytes)) > 0;)
		err = let_go(past, leaving);
	return err;
}

int past_merge(
    struct past *past, struct traffic *traffic, const struct snapshot *snapshot, const struct session *kept)
{
	if (past->is_unset && past_begin(past, traffic) < 0)
		return traffic_merge(traffic, snapshot, kept);
	/* What can go before its size is known does: then the traffic is what the next base is packed of. */
	int err = make_room(past, 0);

	pack_next(past, traffic);
	struct past_interval *interval = err ? NULL : open_interval(snapshot);
	int merged = interval ? merge_packing(interval, traffic, snapshot, kept)
	                      : traffic_merge(traffic, snapshot, kept);

	if (interval) {
		interval = fit_interval(interval);
		err = make_room(past, interval_bytes(interval));
	}
	if (!interval || err) {
		close_interval(interval);
		past_cut(past, past_base(past));
		past->is_unset = true;
		return -ENOMEM;
	}
	past->bytes += interval_bytes(interval);
	past->intervals[place_of(past, past->count++)] = interval;
	return merged;
}

uint32_t past_base(const struct past *past)
{
	return past->base.facts.tick;
}

uint32_t past_first(const struct past *past)
{
	return past_base(past) || !past->count ? past_base(past) : 1;
}

uint32_t past_last(const struct past *past)
{
	return past_base(past) + (uint32_t)past->count;
}

uint32_t past_at(const struct past *past, int64_t wall_s)
{
	uint32_t tick = past_first(past);

	if (past_base(past) && past->base.facts.time.tv_sec >= wall_s)
		return tick;
	for (size_t i = 0; i < past->count; i++)
		if (past->intervals[place_of(past, i)]->facts.time.tv_sec >= wall_s)
			return past_base(past) + (uint32_t)i + 1;
	return past_last(past) + 1;
}

const struct snapshot *past_step(struct past *past, struct traffic *traffic)
{
	if (traffic->tick >= past_last(past) || step(past, traffic, true) < 0)
		return NULL;
	return &past->open;
}

int past_show(struct past *past, uint32_t tick, struct traffic *traffic)
{
	int err = past->is_unset ? -ENOMEM : 0;

	/* Forward from where it is, else from the base. */
	if (!err && (!traffic->tick || traffic->tick < past_base(past) || traffic->tick > tick))
		err = traffic_unpack(traffic, &past->base);
	while (!err && traffic->tick < tick && traffic->tick < past_last(past))
		err = step(past, traffic, false);
	return err;
}
