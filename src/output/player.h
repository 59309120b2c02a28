/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays a recording: a source that returns its snapshots, when paced each for as long as its interval took, unless it
 * is being recorded at the moment. It ends with a snapshot that has .is_end, after which a paced player waits for stop.
 */
#ifndef TCPTOP_PLAYER_H
#define TCPTOP_PLAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/method.h"
#include "model/snapshot.h"
#include "model/source.h"

struct error;
struct origin;
struct player;

struct player_request {
	const char *path;             /* "-": standard input; borrowed */
	uint64_t count;               /* intervals to hand out at most; 0: all */
	struct session_filter filter; /* its PIDs are copied */
};

/* Opens the recording and reads nothing yet. 0 or -errno with *error. */
int player_open(struct player **player, const struct player_request *request, struct error *error);

/*
 * Paced, each interval is held for as long as it took, and at the end the player waits for stop; else (the default)
 * intervals are handed out as fast as they are taken. To be called before the first take.
 */
void player_set_paced(struct player *player, bool paced);

/* Whether .play of its source takes a seek: the recording is no pipe. */
bool player_can_seek(const struct player *player);

/* Reads the first interval, which needs no privilege. 0 or -errno with *error. */
int player_start(struct player *player, struct error *error);

void player_close(struct player *player);

struct source player_source(struct player *player);

/* How the recording was made, as its first interval says. Borrowed until player_close. */
enum probe_method player_method(const struct player *player);
const char *const *player_not_counted(const struct player *player, size_t *count);
/* NULL: it does not say where. */
const struct origin *player_origin(const struct player *player);

#endif
