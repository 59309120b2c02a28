/* SPDX-License-Identifier: Apache-2.0 */
/* A recording (JSON Lines as -o json writes them) as snapshots. Nothing in it is trusted. */
#ifndef TCPTOP_RECORDING_H
#define TCPTOP_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kernel/method.h"

struct error;
struct origin;
struct recording;
struct snapshot;

enum {
	/* In one interval; 570 MB of memory. Without a limit, a file of sessions without an interval would take all. */
	RECORDING_SESSIONS_MAX = 1 << 22,
	/* Ids of paths not counted; further ones are dropped. */
	RECORDING_IDS_MAX = 64,
};

/* Opens the file ("-": stdin) and reads nothing yet. 0, or -errno with *error. */
int recording_open(struct recording **recording, const char *path, struct error *error);

/*
 * The same for an open stream, which recording_close closes unless it is stdin. NULL: it could not be opened, for the reason in errno.
 * path: its name in error texts.
 */
int recording_open_stream(struct recording **recording, FILE *stream, const char *path, struct error *error);

/*
 * Reads the first interval, so that its facts are known before recording_next returns it. 0, or -errno with *error:
 * cannot be read, or is no recording.
 */
int recording_start(struct recording *recording, struct error *error);
void recording_close(struct recording *recording);

/*
 * Fills *snapshot, an initialised struct, with the next interval, as soon as that is complete: in a pipe there may be
 * nothing yet of the one after it. Returns 1, 0 when none is left, or -errno with *error, which names the bad line. Does
 * not need recording_start.
 */
int recording_next(struct recording *recording, struct snapshot *snapshot, struct error *error);

/* Whether recording_seek can go back: it is no pipe. */
bool recording_can_seek(const struct recording *recording);

/*
 * What recording_next returns next is the interval after the first `position` ones, which have been read before. 0 or -errno:
 * then it is where it was.
 */
int recording_seek(struct recording *recording, size_t position);

/* The method of the last interval, PROBE_AUTO when it names none. */
enum probe_method recording_method(const struct recording *recording);
/* The paths that it did not count. Borrowed until the next recording_next. */
const char *const *recording_not_counted(const struct recording *recording, size_t *count);

/* Where it was counted, as its first line says; NULL: it does not, or that has not been read. Borrowed until recording_close. */
const struct origin *recording_origin(const struct recording *recording);

#endif
