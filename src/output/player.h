/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays a recording: hands its snapshots out as a source, each for as long as it took. A paced one ends with a
 * snapshot of no length (interval_ns 0), and then waits for stop.
 */
#ifndef TCPTOP_PLAYER_H
#define TCPTOP_PLAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "model/source.h"

struct error;
struct player;

/*
 * Of *options, borrowed: the recording's path, and how many intervals to show at most (0: all). For a screen it is
 * paced by the recorded lengths of intervals and waits for stop at the end; else as fast as they are taken. Which it
 * is may change until the first one is taken. 0 or -errno with *error.
 */
int player_open(struct player **player, const struct options *options, struct error *error);
/* Reads the recording's beginning, for which no privilege is needed. 0 or -errno with *error. */
int player_start(struct player *player, struct error *error);

void player_close(struct player *player);

struct source player_source(struct player *player);

/* How the recording was made: of its first interval. Borrowed until player_close. */
enum probe_method player_method(const struct player *player);
const char *const *player_not_counted(const struct player *player, size_t *count);

#endif
