/* SPDX-License-Identifier: Apache-2.0 */
#include "model/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * An interval as bytes. Most bytes of a session are zero, or those of the session before it (namespaces, users, local
 * addresses): what differs is kept, after a mask of eight bits for eight bytes.
 */
struct past_interval {
	struct snapshot facts; /* without its sessions, but with ends and links */
	size_t session_count;
	size_t size;
	unsigned char packed[];
};

#define GROUP 8
#define GROUPS ((sizeof(struct session) + GROUP - 1) / GROUP)
#define PACKED_MAX (GROUPS * (GROUP + 1))

_Static_assert(sizeof(struct session) % GROUP == 0, "a session is a whole number of groups");

static size_t pack(unsigned char *at, const struct session *session, const struct session *before)
{
	const unsigned char *bytes = (const unsigned char *)session, *old = (const unsigned char *)before;
	size_t used = 0;

	for (size_t i = 0; i < sizeof *session; i += GROUP) {
		unsigned char *mask = &at[used++];

		*mask = 0;
		for (unsigned bit = 0; bit < GROUP; bit++) {
			if (bytes[i + bit] == old[i + bit])
				continue;
			*mask |= (unsigned char)(1u << bit);
			at[used++] = bytes[i + bit];
		}
	}
	return used;
}

/* *session is the one before, and becomes the next one. */
static size_t unpack(struct session *session, const unsigned char *at)
{
	unsigned char *bytes = (unsigned char *)session;
	size_t used = 0;

	for (size_t i = 0; i < sizeof *session; i += GROUP) {
		unsigned mask = at[used++];

		for (unsigned bit = 0; bit < GROUP; bit++)
			if (mask & 1u << bit)
				bytes[i + bit] = at[used++];
	}
	return used;
}

static struct past_interval *pack_snapshot(const struct snapshot *snapshot)
{
	static const struct session none;
	size_t capacity = sizeof(struct past_interval) + snapshot->session_count * PACKED_MAX;
	struct past_interval *interval = malloc(capacity), *fitting;

	if (!interval)
		return NULL;
	snapshot_init(&interval->facts);
	if (snapshot_reset_as(&interval->facts, snapshot) < 0) {
		snapshot_fini(&interval->facts);
		free(interval);
		return NULL;
	}
	interval->session_count = snapshot->session_count;
	interval->size = 0;
	for (size_t i = 0; i < snapshot->session_count; i++)
		interval->size += pack(interval->packed + interval->size, &snapshot->sessions[i],
		    i ? &snapshot->sessions[i - 1] : &none);
	fitting = realloc(interval, sizeof *interval + interval->size);
	return fitting ? fitting : interval;
}

static void close_interval(struct past_interval *interval)
{
	if (interval)
		snapshot_fini(&interval->facts);
	free(interval);
}

/* Memory that it takes. */
static size_t interval_bytes(const struct past_interval *interval)
{
	const struct snapshot *facts = &interval->facts;

	return sizeof *interval + interval->size + facts->ending_capacity * sizeof *facts->endings +
	       facts->links.capacity * sizeof *facts->links.items;
}

/* Into past->open. 0 or -ENOMEM. */
static int unpack_snapshot(struct past *past, const struct past_interval *interval)
{
	const unsigned char *at = interval->packed;
	struct session session = { 0 };

	if (snapshot_reset_as(&past->open, &interval->facts) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < interval->session_count; i++) {
		struct session *added = snapshot_add(&past->open);

		if (!added)
			return -ENOMEM;
		at += unpack(&session, at);
		*added = session;
	}
	past->open.rx_bytes = interval->facts.rx_bytes;
	past->open.tx_bytes = interval->facts.tx_bytes;
	return 0;
}

static size_t place_of(const struct past *past, size_t index)
{
	return (past->first + index) % PAST_INTERVALS;
}

static void drop(struct past *past, size_t index)
{
	struct past_interval **interval = &past->intervals[place_of(past, index)];

	past->bytes -= interval_bytes(*interval);
	close_interval(*interval);
	*interval = NULL;
}

void past_init(struct past *past)
{
	memset(past, 0, sizeof *past);
	traffic_init(&past->base);
	snapshot_init(&past->open);
}

void past_fini(struct past *past)
{
	past_cut(past, past->base.tick);
	traffic_fini(&past->base);
	snapshot_fini(&past->open);
}

void past_cut(struct past *past, uint32_t tick)
{
	while (past->count && past_last(past) > tick) {
		drop(past, past->count - 1);
		past->count--;
	}
}

int past_begin(struct past *past, const struct traffic *traffic)
{
	past_cut(past, past->base.tick);
	return traffic_copy(&past->base, traffic);
}

/* The oldest interval becomes a part of the base. */
static int let_go(struct past *past)
{
	int err = unpack_snapshot(past, past->intervals[place_of(past, 0)]);

	err = err ? err : traffic_merge(&past->base, &past->open, NULL);
	drop(past, 0);
	past->first = (past->first + 1) % PAST_INTERVALS;
	past->count--;
	return err;
}

int past_add(struct past *past, const struct snapshot *snapshot)
{
	struct past_interval *interval = pack_snapshot(snapshot);
	int err = interval ? 0 : -ENOMEM;

	while (!err && past->count &&
	       (past->count == PAST_INTERVALS || past->bytes + interval_bytes(interval) > PAST_BYTES_MAX))
		err = let_go(past);
	if (err) {
		close_interval(interval);
		past_cut(past, past->base.tick);
		return err;
	}
	past->bytes += interval_bytes(interval);
	past->intervals[place_of(past, past->count++)] = interval;
	return 0;
}

uint32_t past_first(const struct past *past)
{
	return past->base.tick || !past->count ? past->base.tick : 1;
}

uint32_t past_last(const struct past *past)
{
	return past->base.tick + (uint32_t)past->count;
}

uint32_t past_at(const struct past *past, int64_t wall_s)
{
	uint32_t tick = past_first(past);

	if (past->base.tick && past->base.time.tv_sec >= wall_s)
		return tick;
	for (size_t i = 0; i < past->count; i++)
		if (past->intervals[place_of(past, i)]->facts.time.tv_sec >= wall_s)
			return past->base.tick + (uint32_t)i + 1;
	return past_last(past) + 1;
}

const struct snapshot *past_interval(struct past *past, uint32_t tick)
{
	if (tick <= past->base.tick || tick > past_last(past) ||
	    unpack_snapshot(past, past->intervals[place_of(past, tick - past->base.tick - 1)]) < 0)
		return NULL;
	return &past->open;
}

int past_show(struct past *past, uint32_t tick, struct traffic *traffic)
{
	size_t next = 0;
	int err = 0;

	/* Forward from where it is, else from the base. */
	if (traffic->tick && traffic->tick >= past->base.tick && traffic->tick <= tick)
		next = traffic->tick - past->base.tick;
	else
		err = traffic_copy(traffic, &past->base);
	for (; !err && next < past->count && traffic->tick < tick; next++) {
		err = unpack_snapshot(past, past->intervals[place_of(past, next)]);
		err = err ? err : traffic_merge(traffic, &past->open, NULL);
	}
	return err;
}
