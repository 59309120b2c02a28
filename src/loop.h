/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that runs while tracing does: signals, keys and snapshots in, renderer calls out. */
#ifndef TCPTOP_LOOP_H
#define TCPTOP_LOOP_H

struct error;
struct renderer;
struct signals;
struct source;

/*
 * Shows snapshots until the last one was shown (signals and keys end the current interval at once).
 * Returns 0, -EPIPE when the reader of the output is gone, or -errno with *error.
 */
int loop_run(const struct source *source, const struct renderer *renderer, void *state,
    struct signals *signals, int output_fd, struct error *error);

#endif
