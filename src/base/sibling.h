/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that belong to the running one, wherever both have been installed. */
#ifndef TCPTOP_SIBLING_H
#define TCPTOP_SIBLING_H

#include <stddef.h>

/* The path of the running program, also when its file was replaced meanwhile; empty where /proc does not tell. */
void sibling_self(char *path, size_t size);

/*
 * Opens a program for fexecve(3). `place` is relative to the directory of the running one, or absolute. Since root may
 * execute it, wherever it has put tcptop (say /tmp), only a regular file is taken, of root or of the running program's
 * owner, that others cannot write.
 * Returns a descriptor (O_PATH, closed on exec; the caller's) or -errno: -EPERM for a file that is not taken, -ENOENT
 * where there is none. What was checked is what the descriptor executes.
 */
int sibling_open(const char *place);

/* Why sibling_open() failed with err, in words; valid until the next call of strerror(3). */
const char *sibling_reason(int err);

#endif
