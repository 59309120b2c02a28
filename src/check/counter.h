/* SPDX-License-Identifier: Apache-2.0 */
/* tcptop as a child, as a user starts it: `tcptop -o json --probe METHOD`, and what it reports. */
#ifndef TCPTOP_CHECK_COUNTER_H
#define TCPTOP_CHECK_COUNTER_H

#include <stdbool.h>

struct error;
struct launcher;
struct recording;
struct snapshot;

struct counter {
	struct launcher *launcher; /* which has started it */
	bool runs;
	int notes_fd; /* its stderr */
	struct recording *recording;
};

/*
 * Returns when its first interval has come: tracing goes on then. 0, or -errno with *error: its own exit code and
 * words when it ended instead.
 */
int counter_start(
    struct counter *counter, struct launcher *launcher, const char *method, struct error *error);
/* The next interval, in *snapshot, an initialised struct. 0 or -errno with *error. */
int counter_next(struct counter *counter, struct snapshot *snapshot, struct error *error);
/*
 * Ends it, by force when it takes too long; does nothing to one that was not started. What it said on stderr but blind
 * spots goes to stderr if `loud`.
 */
void counter_stop(struct counter *counter, bool loud);

#endif
