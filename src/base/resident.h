/* SPDX-License-Identifier: Apache-2.0 */
/* What of this process lies in memory. */
#ifndef TCPTOP_RESIDENT_H
#define TCPTOP_RESIDENT_H

/*
 * Gives back the pages of code and constants, of the program and its libraries: most are of the start alone, and what is used on is mapped
 * anew from the page cache, in a microsecond a piece.
 */
void resident_drop_code(void);

#endif
