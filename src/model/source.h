/* SPDX-License-Identifier: Apache-2.0 */
/* Where snapshots come from: the tracer, or a recording that is played at its own pace. */
#ifndef TCPTOP_SOURCE_H
#define TCPTOP_SOURCE_H

#include <stdint.h>

#include "model/snapshot.h"

struct error;
struct options;
struct replay;
struct tracer;

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

struct source source_of_tracer(struct tracer *tracer);

/*
 * Another source's snapshots with those sessions alone that the options' PIDs and family let pass: for a
 * recording, since no kernel chose its rows. What was summed up as "other sessions" stays, for nobody knows
 * whose it was.
 */
struct source_filter {
	struct source inner;
	const struct options *options; /* borrowed */
	struct snapshot passed;
};

/* Fills *filter, the caller's until source_filter_close; inner stays its owner's. */
struct source source_filter_open(
    struct source_filter *filter, struct source inner, const struct options *options);
void source_filter_close(struct source_filter *filter);

#endif
