/* SPDX-License-Identifier: Apache-2.0 */
/* The stream that data goes to. It ends with a whole line also where a full disk or a limit on files' sizes ends it. */
#ifndef TCPTOP_STREAM_H
#define TCPTOP_STREAM_H

#include <stdio.h>

/*
 * A stream that writes to fd, which stays the caller's and open until after fclose(3). When a write fails, what was written of
 * a line that was cut off is taken out of a regular file again, unless somebody else has written after it; every later write fails
 * in the same way. NULL: no memory.
 */
FILE *stream_open(int fd);

#endif
