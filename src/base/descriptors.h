/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that whoever started this process has left open, or closed. */
#ifndef TCPTOP_DESCRIPTORS_H
#define TCPTOP_DESCRIPTORS_H

/*
 * A closed standard descriptor would be the next one opened, and data would go there. Opened for reading
 * alone, writing to it fails as it should.
 */
void descriptors_occupy_standard(void);

/* Closes these and all between: the lowest 4096 alone where close_range(2) is refused. */
void descriptors_close(int first, int last);

#endif
