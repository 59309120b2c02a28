/* SPDX-License-Identifier: Apache-2.0 */
/* What of this process lies in memory. */
#ifndef TCPTOP_RESIDENT_H
#define TCPTOP_RESIDENT_H

/*
 * Unmaps the pages of code and constants, of the program and its libraries: most are of the start alone, and the kernel can then take them
 * when it needs memory. What is used on is mapped anew from the page cache.
 */
void resident_drop_code(void);

#endif
