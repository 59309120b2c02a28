/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a connection in the audit: what its sequence number moved by, and what of that was not counted. */
#ifndef TCPTOP_AUDIT_SIDE_H
#define TCPTOP_AUDIT_SIDE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long after the fact a call may tell what it has moved: one that neither holds the socket nor sleeps in it is done but for
 * some instructions, and returns late only if its thread gets no processor.
 */
#define AUDIT_LATE_NS 10000000000ULL

struct audit_side {
	uint64_t moved_bytes;  /* at the latest pass, by the sequence numbers */
	uint64_t base_bytes;   /* and at the base */
	int64_t lag_bytes;     /* moved since the base and not counted; below zero: counted and not moved */
	int64_t dev_bytes;     /* of it, what the time between swap and pass does not explain */
	int64_t seen_bytes;    /* the same, when nothing else could explain it for the last time */
	int64_t off_bytes;     /* what was so twice in a row */
	int64_t settled_bytes; /* of off_bytes, what was so before a run was skipped */
	uint64_t healed_bytes; /* added to what was counted, and perhaps only late, */
	uint64_t healed_before_bytes; /* and of these, those before healed_ns; */
	uint64_t healed_ns;           /* CLOCK_MONOTONIC */
	uint64_t missed_runs_before;  /* the audit's, at the base */
	bool has_base;
	bool is_sure; /* else a call may have been under way at the base */
};

/* How it is seen at a pass. */
struct audit_glimpse {
	uint64_t moved_bytes, counted_bytes;
	uint64_t missed_runs, missed_runs_before; /* the audit's */
	uint64_t now_ns;                          /* CLOCK_MONOTONIC */
	bool is_shared;                           /* several processes have moved bytes of it */
	bool is_held;                             /* a call holds the socket, or waits for room in it */
	bool may_sleep; /* a call may wait for more to come, and have taken a part already */
	bool may_miss;  /* calls that the filters do not let pass may have moved some */
};

/* From here on it is held against what is counted. */
void audit_side_begin(struct audit_side *side, bool is_sure, uint64_t missed_runs_before);

/* Takes a pass in. Returns what is to be added to what was counted; below zero: it had been counted after all. */
int64_t audit_side_take(struct audit_side *side, const struct audit_glimpse *glimpse);

/* The end of the connection, or what was counted of it since. */
void audit_side_end(struct audit_side *side, uint64_t moved_bytes, uint64_t counted_bytes);

/* Of one that has ended: what is missing, for skipped runs; else 0. */
int64_t audit_side_missing(const struct audit_side *side, uint64_t missed_runs);

/*
 * Of what was healed, what was counted twice by now: over_bytes are counted and not moved, counted_bytes the latest ones. It is
 * healed no more.
 */
int64_t audit_side_take_back(
    struct audit_side *side, uint64_t over_bytes, uint64_t counted_bytes, uint64_t now_ns);

#endif
