/* SPDX-License-Identifier: Apache-2.0 */
/* Where snapshots come from: the tracer, or the player of a recording. */
#ifndef TCPTOP_SOURCE_H
#define TCPTOP_SOURCE_H

#include <stdint.h>

struct error;
struct snapshot;

struct source {
	void *state; /* owned by whoever opened it */

	/* Becomes readable when take has something to give or to tell. */
	int (*fd)(void *state);

	/* The waiting snapshot, borrowed until release, NULL when there is none; -errno with *error. */
	int (*take)(void *state, const struct snapshot **snapshot, struct error *error);
	void (*release)(void *state);

	/* Ends soon: with a snapshot that has .last set. */
	void (*stop)(void *state);

	/* The length of intervals from now on. NULL: cannot be changed. */
	void (*set_interval)(void *state, uint64_t interval_ns);
};

#endif
