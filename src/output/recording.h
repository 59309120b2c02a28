/* SPDX-License-Identifier: Apache-2.0 */
/* A recording (JSON Lines as -o json writes them) as snapshots. Nothing in it is trusted. */
#ifndef TCPTOP_RECORDING_H
#define TCPTOP_RECORDING_H

#include <stddef.h>
#include <stdio.h>

#include "options.h"

struct error;
struct replay;
struct snapshot;

/* Of one interval; 570 MB of memory. A recording that goes on and on without an interval's end is none. */
enum { REPLAY_SESSIONS_MAX = 1 << 22 };

/* Opens the file ("-": stdin), and reads nothing of it. 0, or -errno with *error. */
int replay_open(struct replay **replay, const char *path, struct error *error);

/* The same of a stream, which becomes the recording's (NULL: errno says why it could not be opened); path: its name. */
int replay_open_stream(struct replay **replay, FILE *stream, const char *path, struct error *error);

/* Refuses intervals with more sessions than this, instead of REPLAY_SESSIONS_MAX. */
void replay_limit(struct replay *replay, size_t sessions_max);

/* Reads the first interval. 0, or -errno with *error: cannot be read, or is no recording. */
int replay_start(struct replay *replay, struct error *error);
void replay_close(struct replay *replay);

/*
 * Fills *snapshot, an initialised struct, with the next interval; the last one has `last` set. Returns 1,
 * 0 when there is none left, or -errno with *error naming the line that is wrong: after all intervals that
 * stand before that line.
 */
int replay_next(struct replay *replay, struct snapshot *snapshot, struct error *error);

/*
 * The same without replay_start, for a stream that is still written: returns as soon as the interval is complete, and
 * so does not know which is the last.
 */
int replay_follow(struct replay *replay, struct snapshot *snapshot, struct error *error);

/* What the interval read last said: PROBE_AUTO when it said nothing. Borrowed until the next replay_next. */
enum probe_method replay_method(const struct replay *replay);
const char *const *replay_not_counted(const struct replay *replay, size_t *count);

#endif
