/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How connections begin and end: programs that are loaded at the start and attached once somebody asks, which needs no
 * privilege (5.19). What they write is drained with the sessions: maps.c.
 */
#ifndef TCPTOP_LIVES_H
#define TCPTOP_LIVES_H

#include <stdbool.h>

struct snapshot;
struct tracing;

enum lives_program { LIVES_STATES, LIVES_RESETS, LIVES_WALK, LIVES_PROGRAMS };

struct lives {
	const struct tracing *tracing;   /* borrowed */
	int program_fds[LIVES_PROGRAMS]; /* borrowed; -1: there is none */
	int link_fds[LIVES_PROGRAMS];    /* -1: not attached */
};

/* Can connections be noted, by this plan? */
bool lives_possible(const struct tracing *tracing);

void lives_init(struct lives *lives, const struct tracing *tracing);

/* Attaches what notes them, and finds who has the sockets that are there. 0 or -errno: nothing is attached. */
int lives_start(struct lives *lives);

/* Detaches it, and has what was noted of open sockets forgotten: listeners would hand it on. */
void lives_stop(struct lives *lives);

/* Only detaches it. Nothing that was not attached is touched. */
void lives_detach(struct lives *lives);

/*
 * Orders the snapshot's connections by when they ended. Of those that a listener accepted, and whose process is not known but for that, it is the one that moved their bytes in
 * the interval. 0 or -ENOMEM.
 */
int lives_settle(struct snapshot *snapshot);

#endif
