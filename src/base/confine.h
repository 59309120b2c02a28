/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is taken away when root has been given up: whoever took over this process by what it draws or reads finds nothing to do. As
 * much as the kernel, and the sandbox around it, let us have: an error is for -v to tell, not to end for.
 */
#ifndef TCPTOP_CONFINE_H
#define TCPTOP_CONFINE_H

#include <stdbool.h>

/* What a process still does, as bits: a list of system calls for each. */
enum confine_list {
	CONFINE_PLAIN = 1 << 0, /* prints lines: starts no thread any more */
	CONFINE_THREADS =
	    1 << 1, /* the same with threads: reads a recording, has names asked for, draws on a terminal */
	CONFINE_NAMES =
	    1 << 2, /* asks the host's name services (NSS), whose modules open sockets and load code */
	CONFINE_KEEPER = 1 << 3, /* opens, replaces and removes one file */
	CONFINE_WRITER = 1 << 4, /* writes files of the user who called */
	CONFINE_SIDES = 1 << 5,  /* moves the bytes that tcptop-check compares */
	CONFINE_JUDGE = 1 << 6,  /* compares them, and prints lines */
};

/*
 * No file is written, made, removed or executed by its path any more (landlock, Linux 5.13); no core is dumped. What is open stays
 * as it is. For the one thread that there is: others inherit it. 0 or -errno.
 */
int confine_files(void);

/*
 * System calls beyond the list fail with EPERM, those that only an intruder makes end the process (seccomp, in all
 * threads); descriptors and threads are limited. 0 or -errno; -ENOSYS in a build with sanitizers, which make calls of their own.
 */
int confine_calls(enum confine_list list);

/* Says on stderr, if `verbose`, by what this program is not confined: err is what one of the above has returned, 0 is nothing to tell. */
void confine_tell(bool verbose, const char *program, const char *what, int err);

#endif
