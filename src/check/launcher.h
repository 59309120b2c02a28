/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that does for the comparison what takes root: it starts tcptop and runs paths. It is forked first; then the caller gives up
 * root and confines itself, as what it started would inherit that. The requests have a fixed size, and name a path or a method.
 */
#ifndef TCPTOP_CHECK_LAUNCHER_H
#define TCPTOP_CHECK_LAUNCHER_H

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

struct error;
struct path_result;

struct launcher_settings {
	const char *program;      /* tcptop */
	const char *max_sessions; /* NULL: the default */
	bool verbose;
};

struct launcher {
	int socket; /* to that process, which ends when it is closed */
};

struct launcher_run {
	const char *path; /* its id */
	bool trial;       /* as struct runner_settings has it; as root, all others as nobody */
	/* As there, in the caller's process. May be NULL. */
	int (*connected)(void *argument);
	void *argument;
};

/* What each of these returns when there is no launcher any more. No call that moves bytes fails so. */
#define LAUNCHER_ENDED (-EOWNERDEAD)

/* 0 or -errno with *error. The settings are to stay. */
int launcher_open(struct launcher *launcher, const struct launcher_settings *settings, struct error *error);
/*
 * The caller gives up root and all but to read files, to write to what is open and to ask its launchers. As far as the kernel and the user
 * namespace let it: what they refuse is no reason not to compare, and is told if `verbose`.
 */
void launcher_confine(bool verbose);
/* Returns when what it has started has ended, and it has, too. */
void launcher_close(struct launcher *launcher);

/* runner_run() of the path. *result may be NULL. */
int launcher_run(struct launcher *launcher, const struct launcher_run *run, struct path_result *result,
    struct error *error);

/*
 * Starts tcptop, one at a time: what it prints can be read from *output_fd, its stderr is the memfd *notes_fd, never full. Both are the
 * caller's. 0 or -errno with *error.
 */
int launcher_trace(
    struct launcher *launcher, const char *method, int *output_fd, int *notes_fd, struct error *error);
/* Tells it to end if `tell`; either way by force when it takes too long. launcher_ended is to follow. */
void launcher_end(struct launcher *launcher, bool tell);
/* *status: how it ended, as waitpid(2) says. 0 or -errno with *error: nobody can tell. */
int launcher_ended(struct launcher *launcher, int *status, struct error *error);

#endif
