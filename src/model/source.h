/* SPDX-License-Identifier: Apache-2.0 */
/* Where snapshots come from: the tracer, or the player of a recording. */
#ifndef TCPTOP_SOURCE_H
#define TCPTOP_SOURCE_H

#include <stdint.h>

struct error;
struct snapshot;

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
};

#endif
