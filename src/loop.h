/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that runs while tracing does: signals, keys and snapshots in, renderer calls out. */
#ifndef TCPTOP_LOOP_H
#define TCPTOP_LOOP_H

#include <stdbool.h>

struct error;
struct renderer;
struct source;

/* Signals as a file descriptor. They stay blocked in every thread and child made afterwards. */
struct signals {
	int fd;
};

/* keep_stop: leave TSTP to the kernel. 0, or -errno with *error when the descriptor cannot be made. */
int signals_open(struct signals *signals, bool keep_stop, struct error *error);

/* The next signal that waits, 0: none. */
int signals_next(struct signals *signals);

/* Is it one that asks the program to end? */
bool signals_is_end(int signal_number);

/* Stops the process as Ctrl-Z stops any other; returns when it is continued. */
void signals_stop(void);

/*
 * Shows snapshots until the last one was shown (signals and keys end the current interval at once).
 * Returns 0, -EPIPE when the reader of the output is gone, or -errno with *error.
 */
int loop_run(const struct source *source, const struct renderer *renderer, void *state,
    struct signals *signals, int output_fd, struct error *error);

#endif
