/* SPDX-License-Identifier: Apache-2.0 */
/* Where snapshots come from: the tracer, or the player of a recording. */
#ifndef TCPTOP_SOURCE_H
#define TCPTOP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct snapshot;

/* How a recording is played. */
struct play {
	bool is_paused;
	int speed; /* intervals are held 2^speed times shorter than they took, with PLAY_SPEED_MAX at most */
	uint64_t run_to;     /* without holding any, also while paused: to this interval, from 1 on, */
	int64_t run_until_s; /* and to the first one that ended at this wall clock time. 0: no run */
	bool is_seek;        /* first goes back: after interval `position` goes on the next one */
	uint64_t position;
};

enum { PLAY_SPEED_MAX = 6, PLAY_SPEED_MIN = -4 };

/* Whether it still runs after this many intervals, the last of which ended at the time. */
static inline bool play_runs(const struct play *play, uint64_t intervals, int64_t time_s)
{
	return intervals < play->run_to || (play->run_until_s && (!intervals || time_s < play->run_until_s));
}

static inline void play_end_run(struct play *play)
{
	play->run_to = 0;
	play->run_until_s = 0;
}

struct source {
	void *state; /* the opener's */

	/* Becomes readable when take has a snapshot or an error to return. */
	int (*fd)(void *state);

	/* 0 with the waiting snapshot, borrowed until release, or with NULL when none waits; -errno with *error. */
	int (*take)(void *state, const struct snapshot **snapshot, struct error *error);
	void (*release)(void *state);

	/* Asks it to end soon, with a snapshot that has .last set. */
	void (*stop)(void *state);

	/* Sets the length of intervals from now on. NULL: it cannot be changed. */
	void (*set_interval)(void *state, uint64_t interval_ns);

	/*
	 * Whether all sockets are to be told of from now on, beside what moved something: struct socket_summary of each
	 * session. NULL: they cannot be.
	 */
	void (*tell_sockets)(void *state, bool wanted);

	/* Whether connections that end are to be told of from now on. NULL: they cannot be. */
	void (*tell_connections)(void *state, bool wanted);

	/* Plays in this way from now on; what was read but not taken is not told any more after a seek. NULL: it cannot. */
	void (*play)(void *state, const struct play *play);
};

#endif
