/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that runs while tracing does: signals, keys and snapshots in, renderer calls out. */
#ifndef TCPTOP_LOOP_H
#define TCPTOP_LOOP_H

#include <stdbool.h>

struct error;
struct overhead;
struct renderer;
struct signals;
struct source;

struct loop_output {
	int fd;                      /* of the renderer's stream: watched for a reader that goes away */
	const struct renderer *also; /* shown every snapshot, too, and asked for nothing else; NULL: none */
	void *also_state;
	/* Opens the output anew, on SIGUSR1. 0 or -errno with *error. NULL: it cannot be. */
	int (*reopen)(void *to, struct error *error);
	void *to;
	bool is_strict; /* bytes that are unexplained at the end are an error */
	struct overhead *overhead;
};

/*
 * Shows snapshots until the last one was shown (signals and keys end the current interval at once).
 * Returns 0, -EPIPE when the reader of the output is gone, or -errno with *error.
 */
int loop_run(const struct source *source, const struct renderer *renderer, void *state,
    struct signals *signals, const struct loop_output *output, struct error *error);

#endif
