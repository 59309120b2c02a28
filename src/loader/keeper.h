/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is opened, replaced or removed again after root has been given up: a child does it that holds the file's directory open and
 * has become the directory's owner, without a capability. So log files are rotated and metrics replaced where root started
 * tcptop, in directories of root's as well as of others, and nothing is written that the directory's owner could not write.
 * What takes a file system over 3 s is -ETIMEDOUT, and so is all else until it is done.
 */
#ifndef TCPTOP_KEEPER_H
#define TCPTOP_KEEPER_H

#include <stddef.h>
#include <sys/types.h>

struct error;
struct keeper;

/*
 * Starts the child for a path, whose directory has to be there. To be called before root is given up and before threads are
 * started. 0 or -errno with *error; *keeper is for keeper_close, which takes NULL.
 */
int keeper_open(struct keeper **keeper, const char *path, struct error *error);
void keeper_close(struct keeper *keeper);

/* The child, until keeper_close; 0 with NULL. */
pid_t keeper_process(const struct keeper *keeper);

/*
 * Opens the file to append to, a new one where none is; a last line that was cut off gets its newline. A pipe without a reader is
 * an error and not waited for. Returns the descriptor, the caller's, or -errno.
 */
int keeper_append(struct keeper *keeper);

/* The beginning of the file that stands there. Returns how many bytes there are, 0 where it is none to append to; or -errno. */
int keeper_read(struct keeper *keeper, char *bytes, size_t size);

/* Puts another file, readable for all, in the place of what is there, at once and as a whole. 0 or -errno. */
int keeper_replace(struct keeper *keeper, const char *bytes, size_t size);

/* Can it be replaced? 0 or -errno. */
int keeper_try(struct keeper *keeper);

/* Removes what keeper_replace put there, unless something else stands there by now. 0 or -errno. */
int keeper_remove(struct keeper *keeper);

#endif
