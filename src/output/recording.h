/* SPDX-License-Identifier: Apache-2.0 */
/* A recording (JSON Lines as -o json writes them) as snapshots. Nothing in it is trusted. */
#ifndef TCPTOP_RECORDING_H
#define TCPTOP_RECORDING_H

#include <stddef.h>
#include <stdio.h>

#include "kernel/method.h"

struct error;
struct recording;
struct snapshot;

enum {
	RECORDING_SESSIONS_MAX =
	    1 << 22, /* of one interval, 570 MB of memory: else a file of sessions alone takes all */
	RECORDING_IDS_MAX = 64, /* ids of paths not counted that are kept; further ones are dropped */
};

/* Opens the file ("-": stdin), and reads nothing of it. 0, or -errno with *error. */
int recording_open(struct recording **recording, const char *path, struct error *error);

/* The same of a stream, which becomes the recording's (NULL: errno says why it could not be opened); path: its name. */
int recording_open_stream(struct recording **recording, FILE *stream, const char *path, struct error *error);

/* Reads the first interval. 0, or -errno with *error: cannot be read, or is no recording. */
int recording_start(struct recording *recording, struct error *error);
void recording_close(struct recording *recording);

/*
 * Fills *snapshot, an initialised struct, with the next interval; the last one has `last` set. Returns 1,
 * 0 when there is none left, or -errno with *error naming the line that is wrong: after all intervals that
 * stand before that line.
 */
int recording_next(struct recording *recording, struct snapshot *snapshot, struct error *error);

/*
 * The same without recording_start, for a stream that is still written: returns as soon as the interval is complete, and
 * so does not know which is the last.
 */
int recording_follow(struct recording *recording, struct snapshot *snapshot, struct error *error);

/* What the interval read last said: PROBE_AUTO when it said nothing. Borrowed until the next recording_next. */
enum probe_method recording_method(const struct recording *recording);
const char *const *recording_not_counted(const struct recording *recording, size_t *count);

#endif
