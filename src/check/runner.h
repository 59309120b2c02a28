/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a path: a process that is nobody in particular prepares, is the parent of both sides, keeps the time and reaps
 * every process of theirs (orphans too: it is a subreaper). They write the truth to shared memory.
 */
#ifndef TCPTOP_CHECK_RUNNER_H
#define TCPTOP_CHECK_RUNNER_H

#include <stdbool.h>

#include "check/path.h"

struct error;
struct shared;

enum {
	RUNNER_TIMEOUT_MS = 20000,
	RUNNER_UID_UNUSED = 1952673908, /* which nobody has (loader/privilege.c) */
};

struct path_result {
	size_t session_count;
	struct truth sessions[PATH_SESSIONS_MAX]; /* by role, each in the order in which they came to be */
};

struct runner_settings {
	unsigned timeout_ms; /* for connecting and for moving, not for the hook; 0: RUNNER_TIMEOUT_MS */
	bool unprivileged;   /* the processes become nobody without capabilities */
	bool trial;          /* ends when the path is prepared: can it run here? */
	int private_fd;      /* of the caller alone, which the processes close; 0: none */
	/*
	 * Called when the sockets exist and no data has moved (but see the path's flags), with who will move it. What
	 * it returns other than 0 ends the run, and runner_run returns it: it has filled the caller's error. May be
	 * NULL.
	 */
	int (*connected)(void *argument, const struct shared *shared);
	/* Asked again and again while runner_run waits: true kills the run, as nobody waits for it. May be NULL. */
	bool (*gone)(void *argument);
	void *argument;
};

/* What runner_run returns when the host refuses what the path needs. No call that moves bytes fails so. */
#define RUNNER_REFUSED (-ENOPKG)

/*
 * Moves the bytes and fills *result, unless it is NULL. 0; RUNNER_REFUSED with *error saying what the path lacks here
 * for this user; or -errno with *error filled: which side failed in which call.
 */
int runner_run(const struct path *path, const struct runner_settings *settings, struct path_result *result,
    struct error *error);

/*
 * Becomes this user and group, if it is root, and gives up every capability; ends the process where it cannot, and says so on stderr. Ids that the user namespace
 * does not map are refused: then the user stays who he is.
 */
void runner_become(uid_t id);

/* The sessions so far. used_only: without those of processes that only hold a socket which another one uses. */
void runner_collect(const struct shared *shared, bool used_only, struct path_result *result);

#endif
