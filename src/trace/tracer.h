/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker thread that ends intervals: it sleeps, swaps, drains and hands one snapshot over at a time. A
 * consumer that is slow makes intervals longer; it never loses one.
 */
#ifndef TCPTOP_TRACER_H
#define TCPTOP_TRACER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/source.h"
#include "trace/cost.h"

struct error;
struct plan;
struct tracer;
struct tracing;

/* The real-time priority that the thread asks for where it must not be preempted: RLIMIT_RTPRIO has to allow it. */
enum { TRACER_PRIORITY = 1 };

/* Does this plan need it? */
bool tracer_needs_precedence(const struct plan *plan);

/* What the snapshots have beside sessions from the start on. */
struct tracer_wants {
	bool links;       /* what the interfaces moved */
	bool connections; /* that end: the plan has to have DUTY_NOTE_LIVES */
	uint64_t
	    pass_within_ns; /* passes over sockets are waited for, even where they are dear: the longest rest; 0: none */
	pid_t children[COST_CHILDREN_MAX]; /* whose processor time is own cost, too; 0: none */
};

/*
 * Starts the thread. *tracing passes to the tracer, which closes it. interval_ns is asked for, count
 * intervals (0: until tracer_stop) are delivered; the last one ends by detaching, so that the sum of all is
 * what was counted. start_ns: the beginning of the first, on the monotonic clock. On return connections are noted that
 * are wanted. 0 or -errno with *error.
 */
int tracer_open(struct tracer **tracer, struct tracing *tracing, uint64_t interval_ns, uint64_t count,
    const struct tracer_wants *wants, struct error *error);

/*
 * The tracer's snapshots. stop ends the current interval now: its snapshot comes with .last set, after one that may
 * be waiting. set_interval takes effect at once: the current interval ends interval_ns after its beginning, or now.
 * Valid until tracer_close.
 */
struct source tracer_source(struct tracer *tracer);

/* Ends the thread, whatever it does, and frees; safe with NULL. */
void tracer_close(struct tracer *tracer);

#endif
